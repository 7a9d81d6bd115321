// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {BatchData} from "./BatchData.sol";
import {IAttesters} from "./IAttesters.sol";
import {IVerifier} from "./IVerifier.sol";
import {IVerifierRouter} from "./IVerifierRouter.sol";
import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";

/// @title Circuits that a rollup takes proofs of: announced, then usable, perhaps frozen
/// @notice A circuit added can prove whatever it was made to, so everyone has `delay` seconds to leave before it counts;
/// rollups refuse a router whose delay is not longer than leaving takes. Freezing takes effect at once, is for good,
/// and only takes away: what a frozen circuit has not brought to a final batch never becomes final by it.
contract VerifierRouter is IVerifierRouter, AccessManaged {
    /// @dev Two storage slots.
    struct Entry {
        IVerifier verifier;
        uint8 kind;
        uint64 since;
        bool frozen;
        bool development;
        IAttesters attesters;
        uint16 queue;
        uint16 registrations;
        uint16 transfers;
        uint32 sessions;
    }

    /// @notice A circuit will be usable from `since`, in unix seconds.
    event RouteAnnounced(bytes4 indexed selector, Route route, uint64 since);
    /// @notice An announcement is withdrawn.
    event RouteCancelled(bytes4 indexed selector);
    /// @notice A circuit is frozen for good.
    event RouteFrozen(bytes4 indexed selector);

    /// @notice No such circuit.
    error RouteUnknown(bytes4 selector);
    /// @notice The circuit was announced before.
    error RouteExists(bytes4 selector);
    /// @notice The circuit is not usable yet.
    error RouteNotYetUsable(bytes4 selector, uint256 since);
    /// @notice The circuit is usable already: it can be frozen, not cancelled.
    error RouteUsable(bytes4 selector);
    /// @notice A guardian has frozen the circuit.
    error RouteIsFrozen(bytes4 selector);
    /// @notice The kind is unknown, or its attesters or room are not what the kind has.
    error RouteInvalid(bytes4 selector);
    /// @notice The verifier takes another number of public inputs than a batch of this kind has.
    error VerifierInputsWrong(uint256 expected, uint256 got);
    /// @notice Development keys are refused on a chain that is not listed for them.
    error DevelopmentKeyRefused(uint256 chainId);

    /// @inheritdoc IVerifierRouter
    uint64 public immutable delay;
    /// @inheritdoc IVerifierRouter
    uint256 public immutable developmentChainId;
    mapping(bytes4 selector => Entry) private _entries;

    /// @param authority AccessManager that says who announces, cancels and freezes.
    /// @param delay_ Seconds from an announcement until the circuit can be used.
    /// @param developmentChainIds Chains on which development keys are allowed.
    /// @param initial Circuits usable at once: whoever uses the router has seen them.
    constructor(address authority, uint64 delay_, uint256[] memory developmentChainIds, Route[] memory initial)
        AccessManaged(authority)
    {
        uint256 listed = 0;
        for (uint256 i = 0; i < developmentChainIds.length; ++i) {
            if (developmentChainIds[i] == block.chainid) listed = block.chainid;
        }
        (delay, developmentChainId) = (delay_, listed);
        for (uint256 i = 0; i < initial.length; ++i) {
            _add(initial[i], uint64(block.timestamp), listed);
        }
    }

    /// @notice Announces a circuit, to be usable after `delay`.
    function announce(Route calldata route) external restricted returns (bytes4) {
        return _add(route, uint64(block.timestamp) + delay, developmentChainId);
    }

    /// @notice Withdraws an announcement before the circuit is usable. One that is frozen stays: otherwise it could be
    /// announced again, and freezing is for good.
    function cancel(bytes4 selector) external restricted {
        Entry storage entry = _known(selector);
        if (entry.frozen) revert RouteIsFrozen(selector);
        // forge-lint: disable-next-line(block-timestamp)
        if (block.timestamp >= entry.since) revert RouteUsable(selector);
        delete _entries[selector];
        emit RouteCancelled(selector);
    }

    /// @notice Freezes a circuit for good.
    function freeze(bytes4 selector) external restricted {
        _known(selector).frozen = true;
        emit RouteFrozen(selector);
    }

    /// @inheritdoc IVerifierRouter
    function live(bytes4 selector) external view returns (Route memory) {
        Entry storage entry = _live(selector);
        return Route(
            entry.verifier,
            entry.kind,
            entry.attesters,
            entry.queue,
            entry.registrations,
            entry.transfers,
            entry.sessions
        );
    }

    /// @inheritdoc IVerifierRouter
    function verify(bytes4 selector, uint256[] calldata proof, uint256[] calldata inputs) external view {
        _live(selector).verifier.verify(proof, inputs);
    }

    /// @inheritdoc IVerifierRouter
    function isFrozen(bytes4 selector) external view returns (bool) {
        return _entries[selector].frozen;
    }

    /// @notice From when on a circuit is usable, in unix seconds; 0 if it is unknown.
    function since(bytes4 selector) external view returns (uint256) {
        return _entries[selector].since;
    }

    /// @notice The selector of a circuit.
    function selectorOf(Route memory route) public view returns (bytes4) {
        // slither-disable-next-line calls-loop (as in `_add`)
        return bytes4(keccak256(abi.encode(route.verifier.keyHash(), route)));
    }

    function _add(Route memory route, uint64 from, uint256 listed) private returns (bytes4 selector) {
        selector = selectorOf(route);
        if (address(_entries[selector].verifier) != address(0)) revert RouteExists(selector);
        bool attested = route.kind == BatchData.ATTESTED;
        bool full = route.kind == BatchData.FULL;
        if (
            route.kind > BatchData.FULL || attested != (address(route.attesters) != address(0))
                || (full && route.registrations != 0)
        ) revert RouteInvalid(selector);
        uint256 expected = BatchData.statementLength(route.kind) + 1;
        // slither-disable-start calls-loop (the deployer's own circuits, in the constructor)
        uint256 inputs = route.verifier.inputCount();
        if (inputs != expected) revert VerifierInputsWrong(expected, inputs);
        bool development = route.verifier.isDevelopment();
        // slither-disable-end calls-loop
        if (development && listed == 0) revert DevelopmentKeyRefused(block.chainid);
        _entries[selector] = Entry({
            verifier: route.verifier,
            kind: route.kind,
            since: from,
            frozen: false,
            development: development,
            attesters: route.attesters,
            queue: route.queue,
            registrations: route.registrations,
            transfers: route.transfers,
            sessions: route.sessions
        });
        emit RouteAnnounced(selector, route, from);
    }

    function _live(bytes4 selector) private view returns (Entry storage entry) {
        entry = _known(selector);
        if (entry.frozen) revert RouteIsFrozen(selector);
        // forge-lint: disable-next-line(block-timestamp)
        if (block.timestamp < entry.since) revert RouteNotYetUsable(selector, entry.since);
        // The chain's id is read anew: a fork that takes another id leaves the list.
        if (entry.development && block.chainid != developmentChainId) revert DevelopmentKeyRefused(block.chainid);
    }

    function _known(bytes4 selector) private view returns (Entry storage entry) {
        entry = _entries[selector];
        if (address(entry.verifier) == address(0)) revert RouteUnknown(selector);
    }
}
