// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title What of ERC-7992's model registry a verifier reads
/// @dev As the draft of November 2025 has it: https://eips.ethereum.org/EIPS/eip-7992.
interface IERC7992Registry {
    /// @notice What a model is.
    /// @param modelHash Of weights and architecture.
    /// @param circuitHash Of the circuit.
    /// @param vkHash Of the verifying key.
    /// @param proofSystemId First four bytes of keccak256 of the proof system's name.
    /// @param uri More about it.
    struct ModelCommitment {
        bytes32 modelHash;
        bytes32 circuitHash;
        bytes32 vkHash;
        bytes4 proofSystemId;
        string uri;
    }

    /// @notice A registered model.
    function getModel(uint256 modelId)
        external
        view
        returns (ModelCommitment memory commitment, bool deprecated, address owner);
}

/// @title A verifier of ERC-7992
/// @dev Events and errors are the draft's, so that its consumers understand them.
interface IERC7992Verifier {
    /// @notice A proof was found to hold.
    event InferenceVerified(
        uint256 indexed modelId, bytes32 indexed inputCommitment, bytes output, address indexed caller
    );

    /// @notice The proof holds, for another model.
    error ModelMismatch();
    /// @notice The proof holds, for another input.
    error InputCommitmentMismatch();
    /// @notice The proof holds, for another output.
    error OutputMismatch();
    /// @notice The model is to be proven otherwise.
    error UnsupportedProofSystem(bytes4 proofSystemId);
    /// @notice The model is no longer to be used.
    // forge-lint: disable-next-line(mixed-case-function)
    error VerificationRefused_ModelDeprecated(uint256 modelId);

    /// @notice Returns if the proof holds, reverts otherwise.
    /// @param modelId The model, by the registry.
    /// @param inputCommitment Commitment to the input.
    /// @param output The output.
    /// @param proof The proof.
    function verifyInference(uint256 modelId, bytes32 inputCommitment, bytes calldata output, bytes calldata proof)
        external;

    /// @notice How a model is proven.
    function proofSystemOf(uint256 modelId) external view returns (bytes4);

    /// @notice Where models are registered.
    function registry() external view returns (address);
}
