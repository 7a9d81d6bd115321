// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IAttesters} from "./IAttesters.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

/// @title A fixed committee of attesters, so many of which must sign
/// @notice Another committee is another contract, and another route of the router with its delay. What an attester
/// signs is that it has the data and serves them: this trust is what attested batches are outside of the escape
/// guarantee for.
contract AttesterCommittee is IAttesters {
    /// @notice More signatures asked than there are attesters, or none.
    error ThresholdInvalid(uint256 attesters, uint256 threshold);
    /// @notice Attesters are given in ascending order, each once, and none is 0.
    error AttestersOutOfOrder(uint256 position);
    /// @notice Too few signatures.
    error TooFewSignatures(uint256 threshold, uint256 got);
    /// @notice A signer is no attester, or out of ascending order.
    error NotAnAttester(uint256 position, address signer);

    /// @notice How many signatures it takes.
    uint256 public immutable threshold;
    address[] private _attesters;
    /// @notice Whether an address is an attester.
    mapping(address => bool) public isAttester;

    /// @param attesters_ In ascending order.
    /// @param threshold_ How many signatures it takes.
    constructor(address[] memory attesters_, uint256 threshold_) {
        if (threshold_ == 0 || threshold_ > attesters_.length) {
            revert ThresholdInvalid(attesters_.length, threshold_);
        }
        address last = address(0);
        for (uint256 i = 0; i < attesters_.length; ++i) {
            if (attesters_[i] <= last) revert AttestersOutOfOrder(i);
            last = attesters_[i];
            isAttester[last] = true;
        }
        (threshold, _attesters) = (threshold_, attesters_);
    }

    /// @inheritdoc IAttesters
    function check(bytes32 digest, bytes[] calldata signatures) external view {
        if (signatures.length < threshold) revert TooFewSignatures(threshold, signatures.length);
        address last = address(0);
        for (uint256 i = 0; i < signatures.length; ++i) {
            address signer = ECDSA.recover(digest, signatures[i]);
            if (signer <= last || !isAttester[signer]) revert NotAnAttester(i, signer);
            last = signer;
        }
    }

    /// @notice All attesters, in ascending order.
    function attesters() external view returns (address[] memory) {
        return _attesters;
    }
}
