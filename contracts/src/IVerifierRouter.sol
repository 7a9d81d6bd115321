// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IAttesters} from "./IAttesters.sol";
import {IVerifier} from "./IVerifier.sol";

/// @title Which circuits a rollup takes proofs of
/// @notice A selector names a circuit for good: its verifier and key, its kind, its room. A batch pins one at commit.
interface IVerifierRouter {
    /// @notice A circuit.
    /// @param verifier Verifier with the circuit's key.
    /// @param kind How a batch's data are posted: 0 calldata, 1 blob, 2 attested, 3 full (docs/protocol.md, "Kinds").
    /// @param attesters Who must have the data of an attested batch; 0 for every other kind.
    /// @param queue Room for queue items.
    /// @param registrations Room for registrations.
    /// @param transfers Room for transfers.
    /// @param sessions Room for sessions.
    struct Route {
        IVerifier verifier;
        uint8 kind;
        IAttesters attesters;
        uint16 queue;
        uint16 registrations;
        uint16 transfers;
        uint32 sessions;
    }

    /// @notice The circuit of a selector; reverts if it is unknown, not usable yet, frozen, or has a development key on a
    /// chain that is not listed for them.
    function live(bytes4 selector) external view returns (Route memory);

    /// @notice Returns if a proof holds for these public inputs under the circuit of a selector, which is live; reverts
    /// otherwise.
    function verify(bytes4 selector, uint256[] calldata proof, uint256[] calldata inputs) external view;

    /// @notice Whether a guardian has frozen the selector.
    function isFrozen(bytes4 selector) external view returns (bool);

    /// @notice Seconds from an announcement until the circuit can be used.
    function delay() external view returns (uint64);

    /// @notice The chain on which development keys are allowed: the one of deployment if it was listed, otherwise 0.
    function developmentChainId() external view returns (uint256);
}
