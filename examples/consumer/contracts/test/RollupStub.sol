// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IRollup} from "../IRollup.sol";

/// @dev A rollup whose batches are final when a test says so.
contract RollupStub is IRollup {
    error BatchNotFinal(uint256 finalized, uint256 batchNumber);

    uint64 public finalizedBatches;
    mapping(uint256 => uint256) private _roots;

    /// @param root The next batch's.
    function finalize(uint256 root) external {
        _roots[++finalizedBatches] = root;
    }

    /// @inheritdoc IRollup
    function finalRoot(uint256 batchNumber) external view returns (uint256) {
        if (batchNumber > finalizedBatches) revert BatchNotFinal(finalizedBatches, batchNumber);
        return _roots[batchNumber];
    }
}
