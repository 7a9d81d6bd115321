// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title A Groth16 verifier of one key
/// @notice What a rollup asks of its verifier. `verify` has no return value on purpose: a proof that does not verify
/// reverts, so that no caller can forget to look at the answer.
interface IVerifier {
    /// @notice Returns if the proof holds for these public inputs; reverts otherwise.
    /// @param proof A (x, y), B (x imaginary, x real, y imaginary, y real), C (x, y), as in EIP-197: eight words. Twelve
    /// for a circuit with a commitment: then D (x, y) and PoK (x, y).
    /// @param inputs The public inputs, each below the order r of BN254's groups. A challenge is none of them.
    function verify(uint256[] calldata proof, uint256[] calldata inputs) external view;

    /// @notice Whether the key comes from a development set-up, whose secrets someone may know.
    function isDevelopment() external view returns (bool);

    /// @notice Number of public inputs.
    function inputCount() external view returns (uint256);

    /// @notice keccak256 of the key in the layout that `Groth16VerifierInit` takes.
    function keyHash() external view returns (bytes32);
}
