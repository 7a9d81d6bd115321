// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title What attesters of off-chain data sign (EIP-712)
library EIP712Digest {
    bytes32 private constant DOMAIN =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant ATTESTATION =
        keccak256("Attestation(uint256 batchNumber,uint256 commitment,bytes32 dataHash)");

    /// @dev Digest of an attestation to a rollup. The domain is hashed anew: a fork takes another chain id.
    function attestation(address rollup, uint256 batchNumber, uint256 commitment, bytes32 dataHash)
        internal
        view
        returns (bytes32)
    {
        bytes32 domain = keccak256(abi.encode(DOMAIN, keccak256("AitbcRollup"), keccak256("2"), block.chainid, rollup));
        bytes32 message = keccak256(abi.encode(ATTESTATION, batchNumber, commitment, dataHash));
        return keccak256(abi.encodePacked(hex"1901", domain, message));
    }
}
