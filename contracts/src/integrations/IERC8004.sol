// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title What of ERC-8004's Validation Registry a validator uses
/// @dev As the draft of January 2026 and the registries' version 1.1.0 have it: https://eips.ethereum.org/EIPS/eip-8004.
interface IERC8004ValidationRegistry {
    /// @notice The registry whose tokens are the agents.
    function getIdentityRegistry() external view returns (address);

    /// @notice What is known of a request; its validator alone may answer it, again and again.
    function getValidationStatus(bytes32 requestHash)
        external
        view
        returns (
            address validatorAddress,
            uint256 agentId,
            uint8 response,
            bytes32 responseHash,
            string memory tag,
            uint256 lastUpdate
        );

    /// @notice Answers a request.
    /// @param requestHash The request.
    /// @param response 0 to 100.
    /// @param responseURI Where evidence is, or nothing.
    /// @param responseHash Commitment to it.
    /// @param tag To group answers by.
    function validationResponse(
        bytes32 requestHash,
        uint8 response,
        string calldata responseURI,
        bytes32 responseHash,
        string calldata tag
    ) external;
}
