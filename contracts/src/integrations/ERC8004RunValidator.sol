// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC8004ValidationRegistry} from "./IERC8004.sol";
import {Receipt, Receipts} from "./Receipts.sol";
import {Run} from "./Run.sol";
import {Strings} from "@openzeppelin/contracts/utils/Strings.sol";

/// @title A validator of ERC-8004 that answers for runs of a rollup
/// @notice The owner of an agent asks the registry to have a run validated, by this contract and with `requestHashOf`. Anyone
/// who has the run's receipt makes this contract answer: 100, for a run that is in a final state. It never answers less: that
/// there is no receipt proves nothing. Whether the run went well is the agent's word, and stands in the answer's tag.
/// @dev The registry lets nobody but an agent's owner ask for it, and the account's external id is the operator's choice at
/// registration: so both name each other before anything is answered.
contract ERC8004RunValidator {
    /// @notice The rollup's account of this run is not that agent's: its external id is another.
    error OtherAgent(uint256 expected, uint256 got);
    /// @notice The request was made for another agent.
    error RequestForOther(uint256 expected, uint256 got);

    /// @notice What a proven run is answered with.
    uint8 public constant PROVEN = 100;
    /// @notice Where requests come from.
    IERC8004ValidationRegistry public immutable registry;
    /// @notice Who checks receipts.
    Receipts public immutable receipts;

    /// @param registry_ Where requests come from.
    /// @param receipts_ Who checks receipts.
    constructor(IERC8004ValidationRegistry registry_, Receipts receipts_) {
        (registry, receipts) = (registry_, receipts_);
    }

    /// @notice Answers the request for a run that the receipt proves.
    /// @param agentId The agent in the identity registry.
    /// @param salt As the request was made with.
    /// @param receipt The run's.
    function respond(uint256 agentId, bytes32 salt, Receipt calldata receipt) external {
        Run memory run = receipts.verifyRecord(receipt);
        uint256 externalId = externalIdOf(agentId);
        if (run.externalId != externalId) revert OtherAgent(externalId, run.externalId);
        bytes32 requestHash = requestHashOf(agentId, run.runHash, salt);
        // slither-disable-next-line unused-return (the registry itself holds who may answer, and keeps the answers)
        (, uint256 requested,,,,) = registry.getValidationStatus(requestHash);
        if (requested != agentId) revert RequestForOther(agentId, requested);
        registry.validationResponse(requestHash, PROVEN, "", keccak256(abi.encode(receipt)), _tag(run.outcome()));
    }

    /// @notice The hash under which a run's validation is to be requested. What is hashed, these words one after the other, is
    /// the request's whole payload.
    /// @param agentId The agent in the identity registry.
    /// @param runHash The run's.
    /// @param salt Any: another one, if somebody took the hash before.
    function requestHashOf(uint256 agentId, uint256 runHash, bytes32 salt) public view returns (bytes32) {
        return keccak256(abi.encode(block.chainid, receipts.rollup(), agentId, runHash, salt));
    }

    /// @notice External id of the agent's account in the rollup: the first 31 bytes of the SHA-256 digest of the text
    /// eip155:{chain id}:{identity registry, lower case}:{agentId}.
    function externalIdOf(uint256 agentId) public view returns (uint256) {
        bytes memory text = abi.encodePacked(
            "eip155:",
            Strings.toString(block.chainid),
            ":",
            Strings.toHexString(registry.getIdentityRegistry()),
            ":",
            Strings.toString(agentId)
        );
        return uint256(sha256(text)) >> 8;
    }

    /// @dev An outcome's name.
    function _tag(uint256 outcome) private pure returns (string memory) {
        return ["unstated", "success", "failure", "partial"][outcome];
    }
}
