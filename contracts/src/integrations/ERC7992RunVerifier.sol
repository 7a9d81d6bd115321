// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC7992Registry, IERC7992Verifier} from "./IERC7992.sol";
import {Receipt, Receipts} from "./Receipts.sol";
import {Run} from "./Run.sol";
import {ERC165} from "@openzeppelin/contracts/utils/introspection/ERC165.sol";

/// @title A verifier of ERC-7992 that answers for runs of a rollup
/// @notice For consumers that ask by ERC-7992 whether work was done. **It proves a run, not an inference**: that an agent signed
/// for a run of this task with this result and that the rollup settled it in a final state. That a model computed the result
/// from the input is not proven; batches that prove inferences do not exist in this rollup. The proof system's name says so.
/// @dev The "model" is an agent: its entry in the registry has the commitment that `commitmentOf` gives. The proof is
/// abi.encode(Receipt). Errors of `Receipts` and of the rollup come through as they are.
contract ERC7992RunVerifier is IERC7992Verifier, ERC165 {
    /// @notice First four bytes of keccak256 of the proof system's name.
    bytes4 public constant PROOF_SYSTEM = bytes4(keccak256("aitbc-rollup-run-v1"));

    /// @inheritdoc IERC7992Verifier
    address public immutable registry;
    /// @notice Who checks receipts.
    Receipts public immutable receipts;

    /// @param registry_ Where agents are registered as models.
    /// @param receipts_ Who checks receipts.
    constructor(IERC7992Registry registry_, Receipts receipts_) {
        (registry, receipts) = (address(registry_), receipts_);
    }

    /// @inheritdoc IERC7992Verifier
    function verifyInference(uint256 modelId, bytes32 inputCommitment, bytes calldata output, bytes calldata proof)
        external
    {
        // slither-disable-next-line unused-return (whose the model is counts for nothing)
        (IERC7992Registry.ModelCommitment memory model, bool deprecated,) = IERC7992Registry(registry).getModel(modelId);
        if (deprecated) revert VerificationRefused_ModelDeprecated(modelId);
        if (model.proofSystemId != PROOF_SYSTEM) revert UnsupportedProofSystem(model.proofSystemId);
        Run memory run = receipts.verifyRecord(abi.decode(proof, (Receipt)));
        IERC7992Registry.ModelCommitment memory agent = commitmentOf(run.externalId);
        if (
            run.externalId == 0 || model.modelHash != agent.modelHash || model.circuitHash != agent.circuitHash
                || model.vkHash != agent.vkHash
        ) revert ModelMismatch();
        if (inputCommitment != inputCommitmentOf(run.task())) revert InputCommitmentMismatch();
        if (keccak256(output) != keccak256(outputOf(run))) revert OutputMismatch();
        emit InferenceVerified(modelId, inputCommitment, output, msg.sender);
    }

    /// @inheritdoc IERC7992Verifier
    function proofSystemOf(uint256 modelId) external view returns (bytes4) {
        // slither-disable-next-line unused-return (the rest is not asked for)
        (IERC7992Registry.ModelCommitment memory model,,) = IERC7992Registry(registry).getModel(modelId);
        return model.proofSystemId;
    }

    /// @notice What an agent is registered as: its external id for the model, the rollup's domain for the circuit, and for the
    /// key the contract that takes its place.
    function commitmentOf(uint256 externalId) public view returns (IERC7992Registry.ModelCommitment memory) {
        return IERC7992Registry.ModelCommitment({
            modelHash: bytes32(externalId),
            circuitHash: bytes32(receipts.domain()),
            vkHash: bytes32(uint256(uint160(address(receipts)))),
            proofSystemId: PROOF_SYSTEM,
            uri: ""
        });
    }

    /// @notice Commitment to a task id, the input of a run. Whose tasks may repeat puts a number of their own into the id.
    function inputCommitmentOf(uint256 task) public pure returns (bytes32) {
        return keccak256(abi.encodePacked("aitbc-rollup/run/task/v1", task));
    }

    /// @notice The output of a run: abi.encode(run hash, outcome, metadata CID's digest).
    function outputOf(Run memory run) public pure returns (bytes memory) {
        return abi.encode(run.runHash, run.outcome(), run.metadata());
    }

    /// @inheritdoc ERC165
    function supportsInterface(bytes4 interfaceId) public view override returns (bool) {
        return interfaceId == type(IERC7992Verifier).interfaceId || super.supportsInterface(interfaceId);
    }
}
