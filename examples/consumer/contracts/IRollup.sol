// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @title What a consumer asks of a rollup
interface IRollup {
    /// @notice Number of the last final batch; they are counted from 1.
    function finalizedBatches() external view returns (uint64);

    /// @notice The state root after a final batch; reverts if it is not final.
    function finalRoot(uint256 batchNumber) external view returns (uint256);
}
