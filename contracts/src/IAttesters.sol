// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title Who says that data kept off chain are there
interface IAttesters {
    /// @notice Returns if enough attesters signed the digest; reverts otherwise.
    /// @param digest EIP-712 digest of the attestation.
    /// @param signatures One of each attester that signed, in ascending order of their addresses.
    function check(bytes32 digest, bytes[] calldata signatures) external view;
}
