// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {BatchData} from "./BatchData.sol";
import {BatchReader} from "./BatchReader.sol";
import {Batches} from "./Batches.sol";
import {Claims} from "./Claims.sol";
import {Escape} from "./Escape.sol";
import {IAccountProofs} from "./IAccountProofs.sol";
import {Managed} from "./Managed.sol";
import {IVerifierRouter} from "./IVerifierRouter.sol";
import {OptimisticFallback} from "./OptimisticFallback.sol";
import {Parameters} from "./Parameters.sol";
import {Queue} from "./Queue.sol";
import {IAuthority} from "@openzeppelin/contracts/access/manager/IAuthority.sol";
import {ERC1967Utils} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Utils.sol";
import {Initializable} from "@openzeppelin/contracts/proxy/utils/Initializable.sol";

/// @title One shard of the rollup: its batches, its queue, its money, and the ways on when operator or prover stop
/// @notice To be read in this order, each file one matter: `Treasury` (what is held and owed), `Queue` (what people put in
/// front of it), `Claims` (what batches owe), `Batches` (committed → proven → finalized), `OptimisticFallback` (when no
/// proofs come), `Escape` (when nothing moves), and here what is fixed at deployment, and upgrades.
/// @dev Behind an ERC1967Proxy. Everything fixed stands in the implementation's code, everything that moves in the proxy's
/// storage. The constructor refuses delays with which people could be overtaken.
contract AitbcRollup is Escape, Initializable {
    /// @notice From `from` on, in unix seconds, anyone can make this implementation the rollup's.
    event UpgradeAnnounced(address indexed implementation, bytes data, uint256 from);
    /// @notice The announced upgrade is withdrawn.
    event UpgradeCancelled();

    /// @notice A parameter with which the rollup could not keep its promises, by its position among `Parameters`.
    error ParameterInvalid(uint256 position);
    /// @notice The router's delay is not longer than leaving takes.
    error RouterTooFast(uint256 exitDelay, uint256 routerDelay);
    /// @notice The genesis root is not below r.
    error RootNotInField(uint256 root);
    /// @notice Another upgrade was announced, or none.
    error UpgradeUnknown(bytes32 expected, bytes32 got);
    /// @notice The upgrade can take effect from `from` on, in unix seconds.
    error UpgradeTooEarly(uint256 from);

    /// @notice How long leaving takes at most, in seconds, whatever operator and prover do.
    uint256 public immutable exitDelay;
    uint256 private immutable UPGRADE_DELAY;

    /// @notice keccak256 of the announced implementation and its call; 0 if none is.
    bytes32 public announcedUpgrade;
    /// @notice When it can take effect, in unix seconds.
    uint256 public upgradeAt;

    /// @param authority_ AccessManager that says who is operator and who announces upgrades.
    /// @param reader_ Who reads data.
    /// @param router_ The circuits.
    /// @param accountProofs_ Who checks Merkle proofs of accounts.
    /// @param p What is fixed.
    constructor(
        IAuthority authority_,
        BatchReader reader_,
        IVerifierRouter router_,
        IAccountProofs accountProofs_,
        Parameters memory p
    )
        Managed(authority_)
        Queue(p)
        Claims(p)
        Batches(reader_, router_, p)
        OptimisticFallback(p)
        Escape(accountProofs_, p)
    {
        if (p.shard >= BatchData.R) revert ParameterInvalid(0);
        if (p.maxAge == 0) revert ParameterInvalid(2);
        if (p.queueRoom == 0) revert ParameterInvalid(3);
        if (uint256(p.proveWindow) + p.challengeWindow + p.disputeCap >= p.escapeDelay) revert ParameterInvalid(10);
        exitDelay = uint256(p.queueDelay) + p.escapeDelay + p.disputeCap + p.withdrawalDelay;
        UPGRADE_DELAY = p.upgradeDelay;
        if (p.upgradeDelay <= exitDelay) revert ParameterInvalid(12);
        if (p.bond < 2) revert ParameterInvalid(13);
        if (p.rateFloor == 0) revert ParameterInvalid(14);
        if (p.rateBps > 10_000) revert ParameterInvalid(15);
        if (router_.delay() <= exitDelay) revert RouterTooFast(exitDelay, router_.delay());
        _disableInitializers();
    }

    /// @notice Gives a new proxy its first root, and takes what backs the balances of the genesis.
    /// @dev The backing is an argument, and so part of what a CREATE2 address is made of: otherwise anybody could create the
    /// rollup at its known address first, with no value.
    /// @param genesisRoot State root before the first batch.
    /// @param backing Sum of the balances of the genesis: sent with this call, or of a token allowed by the caller.
    function initialize(uint256 genesisRoot, uint256 backing) external payable initializer {
        if (genesisRoot >= BatchData.R) revert RootNotInField(genesisRoot);
        _batches[0].newRoot = genesisRoot;
        _take(backing, msg.value);
    }

    /// @notice Announces another implementation, to be called with `data` when it takes effect.
    function announceUpgrade(address implementation, bytes calldata data) external whenLive restricted {
        announcedUpgrade = keccak256(abi.encode(implementation, data));
        upgradeAt = block.timestamp + UPGRADE_DELAY;
        emit UpgradeAnnounced(implementation, data, upgradeAt);
    }

    /// @notice Withdraws the announcement.
    function cancelUpgrade() external restricted {
        announcedUpgrade = 0;
        emit UpgradeCancelled();
    }

    /// @notice Makes the announced implementation the rollup's.
    function upgrade(address implementation, bytes calldata data) external whenLive {
        bytes32 got = keccak256(abi.encode(implementation, data));
        if (got != announcedUpgrade) revert UpgradeUnknown(announcedUpgrade, got);
        // forge-lint: disable-next-line(block-timestamp)
        if (block.timestamp < upgradeAt) revert UpgradeTooEarly(upgradeAt);
        announcedUpgrade = 0;
        ERC1967Utils.upgradeToAndCall(implementation, data);
    }
}
