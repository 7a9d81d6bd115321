// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ERC7992RunVerifier} from "../../src/integrations/ERC7992RunVerifier.sol";
import {ERC8004RunValidator} from "../../src/integrations/ERC8004RunValidator.sol";
import {IERC7992Registry, IERC7992Verifier} from "../../src/integrations/IERC7992.sol";
import {IERC8004ValidationRegistry} from "../../src/integrations/IERC8004.sol";
import {Receipt, Receipts} from "../../src/integrations/Receipts.sol";
import {Run} from "../../src/integrations/Run.sol";
import {ReceiptWorld} from "./ReceiptWorld.sol";

/// @dev As much of ERC-8004's Validation Registry as shows who asked whom and what was answered.
contract ValidationRegistry is IERC8004ValidationRegistry {
    struct Status {
        address validator;
        uint256 agentId;
        uint8 response;
        bytes32 responseHash;
        string tag;
    }

    address public immutable getIdentityRegistry;
    mapping(bytes32 requestHash => Status) private _status;

    constructor(address identityRegistry) {
        getIdentityRegistry = identityRegistry;
    }

    function validationRequest(address validator, uint256 agentId, bytes32 requestHash) external {
        require(_status[requestHash].validator == address(0), "exists");
        (_status[requestHash].validator, _status[requestHash].agentId) = (validator, agentId);
    }

    function validationResponse(
        bytes32 requestHash,
        uint8 response,
        string calldata,
        bytes32 responseHash,
        string calldata tag
    ) external {
        Status storage status = _status[requestHash];
        require(msg.sender == status.validator, "not validator");
        (status.response, status.responseHash, status.tag) = (response, responseHash, tag);
    }

    function getValidationStatus(bytes32 requestHash)
        external
        view
        returns (address, uint256, uint8, bytes32, string memory, uint256)
    {
        Status memory status = _status[requestHash];
        require(status.validator != address(0), "unknown");
        return (status.validator, status.agentId, status.response, status.responseHash, status.tag, 0);
    }
}

contract ModelRegistry is IERC7992Registry {
    ModelCommitment private _commitment;
    bool private _deprecated;

    function set(ModelCommitment memory commitment, bool deprecated) external {
        (_commitment, _deprecated) = (commitment, deprecated);
    }

    function getModel(uint256) external view returns (ModelCommitment memory, bool, address) {
        return (_commitment, _deprecated, address(this));
    }
}

contract ERC8004RunValidatorTest is ReceiptWorld {
    uint256 private constant AGENT_ID = 22;
    bytes32 private constant SALT = "salt";

    ValidationRegistry private _registry;
    ERC8004RunValidator private _validator;

    function setUp() public override {
        super.setUp();
        _registry = new ValidationRegistry(address(0x8004A169FB4a3325136EB29fA0ceB6D2e539a432));
        _validator = new ERC8004RunValidator(_registry, receipts);
        externalId = _validator.externalIdOf(AGENT_ID);
    }

    /// @dev Python: digest_element(b"eip155:31337:0x8004a169fb4a3325136eb29fa0ceb6d2e539a432:22").
    function test_ExternalIdIsTheTextsDigest() public view {
        assertEq(externalId, 0x13deba57f30f2f78fa7f794f1dbf08cfee942d57770890361b691af0121570);
    }

    function test_ProvenRunIsAnswered() public {
        Receipt memory receipt = _receipt(1);
        bytes32 request = _request(receipt, AGENT_ID);
        _validator.respond(AGENT_ID, SALT, receipt);
        (, uint256 agentId, uint8 response, bytes32 responseHash, string memory tag,) =
            _registry.getValidationStatus(request);
        assertEq(agentId, AGENT_ID);
        assertEq(response, 100);
        assertEq(uint256(responseHash), uint256(keccak256(abi.encode(receipt))));
        assertEq(tag, "success");
    }

    function test_OutcomeIsTheTag() public {
        string[4] memory names = ["unstated", "success", "failure", "partial"];
        for (uint256 outcome = 0; outcome < 4; ++outcome) {
            Receipt memory receipt = _receipt(outcome);
            bytes32 request = _request(receipt, AGENT_ID);
            _validator.respond(AGENT_ID, SALT, receipt);
            (,,,, string memory tag,) = _registry.getValidationStatus(request);
            assertEq(tag, names[outcome]);
        }
    }

    function test_ReceiptThatProvesNothingIsNotAnswered() public {
        Receipt memory receipt = _receipt(1);
        _request(receipt, AGENT_ID);
        receipt.historyBefore ^= 1;
        bytes memory call = abi.encodeCall(ERC8004RunValidator.respond, (AGENT_ID, SALT, receipt));
        assertReverts(address(_validator), call, Receipts.HistoryWrong.selector);
    }

    function test_RunOfAnotherAgentIsNotAnswered() public {
        Receipt memory receipt = _receipt(1);
        _request(receipt, AGENT_ID + 1);
        uint256 expected = _validator.externalIdOf(AGENT_ID + 1);
        vm.expectRevert(abi.encodeWithSelector(ERC8004RunValidator.OtherAgent.selector, expected, externalId));
        _validator.respond(AGENT_ID + 1, SALT, receipt);
    }

    /// @dev Somebody took the hash for an agent of their own.
    function test_RequestForAnotherAgentIsNotAnswered() public {
        Receipt memory receipt = _receipt(1);
        Run memory run = receipts.verifyRecord(receipt);
        bytes32 request = _validator.requestHashOf(AGENT_ID, run.runHash, SALT);
        _registry.validationRequest(address(_validator), AGENT_ID + 1, request);
        vm.expectRevert(abi.encodeWithSelector(ERC8004RunValidator.RequestForOther.selector, AGENT_ID, AGENT_ID + 1));
        _validator.respond(AGENT_ID, SALT, receipt);
    }

    /// @dev Another run of the agent's, or one asked for with another salt, has no request.
    function test_RunThatNobodyAskedForIsNotAnswered() public {
        Receipt memory receipt = _receipt(1);
        _request(receipt, AGENT_ID);
        vm.expectRevert(abi.encodeWithSignature("Error(string)", "unknown"));
        _validator.respond(AGENT_ID, "other", receipt);
        Receipt memory other = receiptOf(20, 4, 0);
        vm.expectRevert(abi.encodeWithSignature("Error(string)", "unknown"));
        _validator.respond(AGENT_ID, SALT, other);
    }

    function _receipt(uint256 outcome) private returns (Receipt memory receipt) {
        receipt = receiptOf(20, 3, 0);
        receipt.words[15] = receipt.words[15] & ((1 << 192) - 1) | outcome << 192;
        seal(receipt);
    }

    function _request(Receipt memory receipt, uint256 agentId) private returns (bytes32 request) {
        request = _validator.requestHashOf(agentId, receipts.verifyRecord(receipt).runHash, SALT);
        _registry.validationRequest(address(_validator), agentId, request);
    }

    function assertEq(string memory left, string memory right) private pure {
        assertTrue(keccak256(bytes(left)) == keccak256(bytes(right)), right);
    }
}

contract ERC7992RunVerifierTest is ReceiptWorld {
    uint256 private constant MODEL = 5;

    ModelRegistry private _registry;
    ERC7992RunVerifier private _verifier;
    bytes private _proof;
    bytes private _output;
    bytes32 private _input;

    function setUp() public override {
        super.setUp();
        _registry = new ModelRegistry();
        _verifier = new ERC7992RunVerifier(_registry, receipts);
        _registry.set(_verifier.commitmentOf(externalId), false);
        _use(receiptOf(20, 3, 1));
    }

    function test_ProvenRunIsVerified() public {
        vm.expectEmit();
        emit IERC7992Verifier.InferenceVerified(MODEL, _input, _output, address(this));
        _verify();
    }

    function test_ReceiptThatProvesNothingIsRefused() public {
        Receipt memory receipt = receiptOf(20, 3, 1);
        receipt.historyBefore ^= 1;
        _proof = abi.encode(receipt);
        bytes memory call = abi.encodeCall(IERC7992Verifier.verifyInference, (MODEL, _input, _output, _proof));
        assertReverts(address(_verifier), call, Receipts.HistoryWrong.selector);
    }

    function test_AnotherModelIsRefused() public {
        _refused(_verifier.commitmentOf(externalId + 1), IERC7992Verifier.ModelMismatch.selector);
        IERC7992Registry.ModelCommitment memory model = _verifier.commitmentOf(externalId);
        model.circuitHash ^= bytes32(uint256(1));
        _refused(model, IERC7992Verifier.ModelMismatch.selector);
        model = _verifier.commitmentOf(externalId);
        model.vkHash ^= bytes32(uint256(1));
        _refused(model, IERC7992Verifier.ModelMismatch.selector);
    }

    /// @dev A model with the hash 0 is not every agent that names itself nowhere.
    function test_AgentWithoutExternalIdIsRefused() public {
        externalId = 0;
        _use(receiptOf(20, 3, 1));
        _refused(_verifier.commitmentOf(0), IERC7992Verifier.ModelMismatch.selector);
    }

    function test_AnotherProofSystemIsRefused() public {
        IERC7992Registry.ModelCommitment memory model = _verifier.commitmentOf(externalId);
        model.proofSystemId = 0xabcdabcd;
        _registry.set(model, false);
        vm.expectRevert(abi.encodeWithSelector(IERC7992Verifier.UnsupportedProofSystem.selector, bytes4(0xabcdabcd)));
        _verify();
    }

    function test_DeprecatedModelIsRefused() public {
        _registry.set(_verifier.commitmentOf(externalId), true);
        vm.expectRevert(abi.encodeWithSelector(IERC7992Verifier.VerificationRefused_ModelDeprecated.selector, MODEL));
        _verify();
    }

    function test_AnotherTaskIsRefused() public {
        _input = _verifier.inputCommitmentOf(1);
        vm.expectRevert(abi.encodeWithSelector(IERC7992Verifier.InputCommitmentMismatch.selector));
        _verify();
    }

    function test_AnotherOutputIsRefused() public {
        _output[31] ^= bytes1(uint8(1));
        vm.expectRevert(abi.encodeWithSelector(IERC7992Verifier.OutputMismatch.selector));
        _verify();
    }

    /// @dev The draft's interface, by its selectors.
    function test_InterfaceIsTheDrafts() public view {
        assertTrue(_verifier.supportsInterface(0x01ffc9a7), "ERC-165");
        bytes4 drafts = bytes4(keccak256("verifyInference(uint256,bytes32,bytes,bytes)"))
            ^ bytes4(keccak256("proofSystemOf(uint256)")) ^ bytes4(keccak256("registry()"));
        assertTrue(_verifier.supportsInterface(drafts), "ERC-7992");
        assertTrue(!_verifier.supportsInterface(0xffffffff), "nothing else");
        assertTrue(_verifier.proofSystemOf(MODEL) == _verifier.PROOF_SYSTEM(), "the model's proof system");
        assertTrue(_verifier.registry() == address(_registry), "the registry");
    }

    function _use(Receipt memory receipt) private {
        Run memory run = receipts.verifyRecord(receipt);
        _proof = abi.encode(receipt);
        _output = _verifier.outputOf(run);
        _input = _verifier.inputCommitmentOf(run.task());
    }

    function _refused(IERC7992Registry.ModelCommitment memory model, bytes4 expected) private {
        _registry.set(model, false);
        vm.expectRevert(abi.encodeWithSelector(expected));
        _verify();
    }

    function _verify() private {
        _verifier.verifyInference(MODEL, _input, _output, _proof);
    }
}
