// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AitbcRollup} from "../src/AitbcRollup.sol";
import {BatchReader} from "../src/BatchReader.sol";
import {IAccountProofs} from "../src/IAccountProofs.sol";
import {IVerifierRouter} from "../src/IVerifierRouter.sol";
import {Parameters} from "../src/Parameters.sol";
import {Queue} from "../src/Queue.sol";
import {Treasury} from "../src/Treasury.sol";
import {Draft} from "./Drafts.sol";
import {RollupTest} from "./RollupTest.sol";
import {PlainToken} from "./Tokens.sol";
import {IAuthority} from "@openzeppelin/contracts/access/manager/IAuthority.sol";
import {ERC1967Proxy} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";
import {ERC1967Utils} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Utils.sol";
import {Initializable} from "@openzeppelin/contracts/proxy/utils/Initializable.sol";

/// @dev The next version: the same, and one thing more.
contract AnotherRollup is AitbcRollup {
    uint256 public more;

    constructor(
        IAuthority authority,
        BatchReader reader,
        IVerifierRouter router,
        IAccountProofs accountProofs,
        Parameters memory p
    ) AitbcRollup(authority, reader, router, accountProofs, p) {}

    function setMore(uint256 value) external reinitializer(2) {
        more = value;
    }
}

contract UpgradesTest is RollupTest {
    address private _next;

    function setUp() public override {
        super.setUp();
        Parameters memory p = _parameters();
        p.rateBps = 2_000;
        _next = address(new AnotherRollup(IAuthority(address(manager)), reader, router, accountProofs, p));
    }

    function _data() private pure returns (bytes memory) {
        return abi.encodeCall(AnotherRollup.setMore, (5));
    }

    function _hash(address implementation, bytes memory data) private pure returns (bytes32) {
        return keccak256(abi.encode(implementation, data));
    }

    function _announceCall() private view returns (bytes memory) {
        return abi.encodeCall(rollup.announceUpgrade, (_next, _data()));
    }

    function _upgradeCall(address implementation, bytes memory data) private view returns (bytes memory) {
        return abi.encodeCall(rollup.upgrade, (implementation, data));
    }

    function _upgradeCall() private view returns (bytes memory) {
        return _upgradeCall(_next, _data());
    }

    function _unknown(bytes32 expected) private view returns (bytes memory) {
        return abi.encodeWithSelector(AitbcRollup.UpgradeUnknown.selector, expected, _hash(_next, _data()));
    }

    function test_AnnouncedThenWaitedForThenAnyones() public {
        _refused(_upgradeCall(), _unknown(0));
        uint256 from = NOW + UPGRADE_DELAY;
        vm.expectEmit();
        emit AitbcRollup.UpgradeAnnounced(_next, _data(), from);
        _do(UPGRADER, _announceCall());
        assertEq(rollup.announcedUpgrade(), _hash(_next, _data()));
        assertEq(rollup.upgradeAt(), from);
        bytes memory early = abi.encodeWithSelector(AitbcRollup.UpgradeTooEarly.selector, from);
        _refused(_upgradeCall(), early);
        vm.warp(from - 1);
        _refused(UPGRADER, _upgradeCall(), early);
        vm.warp(from);
        _do(ANYONE, _upgradeCall());
        assertEq(AnotherRollup(address(rollup)).more(), 5);
        // Once: the announcement is used up.
        assertEq(rollup.announcedUpgrade(), bytes32(0));
        _refused(_upgradeCall(), _unknown(0));
    }

    function test_NothingElseThanWhatWasAnnounced() public {
        _do(UPGRADER, _announceCall());
        vm.warp(NOW + UPGRADE_DELAY);
        bytes32 right = _hash(_next, _data());
        bytes4 why = AitbcRollup.UpgradeUnknown.selector;
        bytes memory data = abi.encodeCall(AnotherRollup.setMore, (6));
        _refused(_upgradeCall(_next, data), abi.encodeWithSelector(why, right, _hash(_next, data)));
        _refused(_upgradeCall(_next, ""), abi.encodeWithSelector(why, right, _hash(_next, "")));
        _refused(_upgradeCall(ALICE, _data()), abi.encodeWithSelector(why, right, _hash(ALICE, _data())));
    }

    function test_Cancelled() public {
        _do(UPGRADER, _announceCall());
        vm.expectEmit();
        emit AitbcRollup.UpgradeCancelled();
        _do(UPGRADER, abi.encodeCall(rollup.cancelUpgrade, ()));
        vm.warp(NOW + UPGRADE_DELAY);
        _refused(_upgradeCall(), _unknown(0));
    }

    /// @dev Announced again, the same or another: the delay begins anew, and the one before is gone.
    function test_AnnouncingAgainStartsTheClockAnew() public {
        _do(UPGRADER, _announceCall());
        vm.warp(NOW + UPGRADE_DELAY - 1);
        _do(UPGRADER, _announceCall());
        vm.warp(NOW + UPGRADE_DELAY);
        uint256 from = NOW + 2 * UPGRADE_DELAY - 1;
        _refused(_upgradeCall(), abi.encodeWithSelector(AitbcRollup.UpgradeTooEarly.selector, from));
        _do(UPGRADER, abi.encodeCall(rollup.announceUpgrade, (ALICE, "")));
        vm.warp(NOW + 3 * UPGRADE_DELAY);
        _refused(_upgradeCall(), _unknown(_hash(ALICE, "")));
    }

    function test_AnImplementationHasCode() public {
        _do(UPGRADER, abi.encodeCall(rollup.announceUpgrade, (ALICE, "")));
        vm.warp(NOW + UPGRADE_DELAY);
        _refused(
            _upgradeCall(ALICE, ""), abi.encodeWithSelector(ERC1967Utils.ERC1967InvalidImplementation.selector, ALICE)
        );
        // And no other way leads to its slot.
        assertTrue(rollup.announcedUpgrade() != 0, "still announced");
    }

    /// @dev Everyone who wants to leave before can: the notice is longer than leaving takes.
    function test_TheNoticeIsLongerThanLeavingTakes() public view {
        assertEq(rollup.exitDelay(), EXIT_DELAY);
        assertTrue(UPGRADE_DELAY > rollup.exitDelay(), "longer");
    }

    /// @dev Who froze the rollup before it took effect is not overtaken by it.
    function test_NoneOfAFrozenRollup() public {
        _forceExit(ALICE, 7, 1);
        _do(UPGRADER, _announceCall());
        vm.warp(NOW + QUEUE_DELAY + ESCAPE_DELAY + 1);
        assertTrue(block.timestamp < NOW + UPGRADE_DELAY, "in time");
        rollup.freeze();
        vm.warp(NOW + UPGRADE_DELAY);
        _refused(_upgradeCall(), _error(Queue.Frozen.selector));
        _refused(UPGRADER, _announceCall(), _error(Queue.Frozen.selector));
        _do(UPGRADER, abi.encodeCall(rollup.cancelUpgrade, ())); // changes nothing for anyone
    }

    function test_StorageStays() public {
        _deposit(ALICE, 7, 50 ether);
        Draft memory draft = _draft(0, 1, _sections(1, 0, 1, 0));
        (draft.words[11], draft.words[12]) = (0, _claimWord(BOB, 20 ether));
        _final(draft);
        _deposit(BOB, 8, 1 ether);
        _commit(2);
        vm.warp(NOW + WITHDRAWAL_DELAY);
        rollup.claim(1, _section(draft), 2);
        _do(UPGRADER, _announceCall());
        vm.warp(block.timestamp + UPGRADE_DELAY);
        bytes32 batches = keccak256(abi.encode(rollup.batch(1), rollup.batch(2), rollup.item(1), rollup.item(2)));
        _do(ANYONE, _upgradeCall());
        assertEq(keccak256(abi.encode(rollup.batch(1), rollup.batch(2), rollup.item(1), rollup.item(2))), batches);
        _counters(2, 1, 1);
        assertEq(rollup.stateRoot(), _root(1));
        assertEq(rollup.holdings(), 51 ether);
        assertEq(rollup.owed(BOB), 20 ether);
        assertEq(rollup.ethOwed(PAYOUT), FEE);
        assertTrue(rollup.isClaimed(1, 2), "claimed");
        assertEq(rollup.withdrawable(), 10.2 ether); // the new parameters count
        rollup.withdraw(BOB);
        assertEq(rollup.owed(BOB), 9.8 ether);
    }
}

contract DeploymentTest is RollupTest {
    function _refusedParameter(Parameters memory p, uint256 position) private {
        vm.expectRevert(abi.encodeWithSelector(AitbcRollup.ParameterInvalid.selector, position));
        _implementation(p);
    }

    function test_Views() public view {
        assertEq(rollup.stateRoot(), GENESIS_ROOT);
        assertEq(rollup.batch(0).newRoot, GENESIS_ROOT);
        assertEq(rollup.shard(), SHARD);
        assertEq(rollup.maxAge(), MAX_AGE);
        assertEq(rollup.queueRoom(), 4);
        assertEq(rollup.queueFee(), FEE);
        assertEq(rollup.bond(), BOND);
        assertEq(rollup.withdrawalDelay(), WITHDRAWAL_DELAY);
        assertEq(rollup.exitDelay(), EXIT_DELAY);
        assertEq(address(rollup.asset()), address(0));
        assertEq(address(rollup.reader()), address(reader));
        assertEq(address(rollup.router()), address(router));
        assertEq(address(rollup.accountProofs()), address(accountProofs));
        assertEq(address(rollup.authority()), address(manager));
        assertEq(rollup.withdrawable(), RATE_FLOOR);
        assertEq(rollup.queuedItems() + rollup.proposals() + rollup.holdings() + rollup.pendingSince(), 0);
        assertTrue(!rollup.fallbackOpen() && !rollup.frozen() && !rollup.isFreezable(), "neither");
        _counters(0, 0, 0);
        _pointers(0, 0, 0);
    }

    function test_ParametersWithWhichPromisesCannotBeKept() public {
        Parameters memory p = _parameters();
        p.shard = R;
        _refusedParameter(p, 0);
        p = _parameters();
        p.maxAge = 0;
        _refusedParameter(p, 2);
        p = _parameters();
        p.queueRoom = 0;
        _refusedParameter(p, 3);
        p = _parameters();
        p.bond = 1;
        _refusedParameter(p, 13);
        p = _parameters();
        p.rateFloor = 0;
        _refusedParameter(p, 14);
        p = _parameters();
        p.rateBps = 10_001;
        _refusedParameter(p, 15);
        p.rateBps = 10_000;
        p.bond = 2;
        p.rateFloor = 1;
        p.queueRoom = 1;
        p.maxAge = 1;
        p.shard = R - 1;
        _implementation(p);
    }

    /// @dev T + W + cap < E, each of them to the second.
    function test_EscapeIsLongerThanADispute() public {
        uint64 sum = uint64(PROVE_WINDOW + CHALLENGE_WINDOW + DISPUTE_CAP);
        Parameters memory p = _parameters();
        p.escapeDelay = sum;
        _refusedParameter(p, 10);
        p.escapeDelay = sum + 1;
        _implementation(p);
        p.proveWindow += 1;
        _refusedParameter(p, 10);
        p = _parameters();
        p.escapeDelay = sum + 1;
        p.challengeWindow += 1;
        _refusedParameter(p, 10);
        p = _parameters();
        p.escapeDelay = sum + 1;
        p.disputeCap += 1;
        _refusedParameter(p, 10);
        // Not even by overflow.
        p = _parameters();
        p.challengeWindow = type(uint64).max;
        p.proveWindow = type(uint64).max;
        _refusedParameter(p, 10);
    }

    /// @dev Upgrade and router give longer notice than leaving takes, to the second.
    function test_NoticeIsLongerThanLeaving() public {
        Parameters memory p = _parameters();
        p.upgradeDelay = uint64(EXIT_DELAY);
        _refusedParameter(p, 12);
        p.upgradeDelay = uint64(EXIT_DELAY) + 1;
        _implementation(p);
        p = _parameters();
        p.withdrawalDelay = uint64(ROUTER_DELAY - EXIT_DELAY + WITHDRAWAL_DELAY);
        p.upgradeDelay = uint64(ROUTER_DELAY) + 1;
        vm.expectRevert(abi.encodeWithSelector(AitbcRollup.RouterTooFast.selector, ROUTER_DELAY, ROUTER_DELAY));
        _implementation(p);
        p.withdrawalDelay -= 1;
        assertEq(_implementation(p).exitDelay(), ROUTER_DELAY - 1);
    }

    function test_InitializedOnce() public {
        bytes memory call = abi.encodeCall(rollup.initialize, (GENESIS_ROOT, 0));
        bytes memory why = _error(Initializable.InvalidInitialization.selector);
        _refused(call, why);
        rollup = _implementation(_parameters());
        _refused(call, why); // nor the implementation itself
    }

    function test_TheGenesisRootIsInTheField() public {
        AitbcRollup implementation = _implementation(_parameters());
        vm.expectRevert(abi.encodeWithSelector(AitbcRollup.RootNotInField.selector, R));
        new ERC1967Proxy(address(implementation), abi.encodeCall(AitbcRollup.initialize, (R, 0)));
    }

    /// @dev The address says what backs the genesis; nobody takes it with another value.
    function test_TheGenesisIsBackedByWhatItSays() public {
        AitbcRollup implementation = _implementation(_parameters());
        vm.deal(address(this), 10);
        bytes memory call = abi.encodeCall(AitbcRollup.initialize, (GENESIS_ROOT, 5));
        vm.expectRevert(abi.encodeWithSelector(Treasury.ValueWrong.selector, 5, 4));
        new ERC1967Proxy{value: 4}(address(implementation), call);
        rollup = AitbcRollup(address(new ERC1967Proxy{value: 5}(address(implementation), call)));
        assertEq(rollup.holdings(), 5);
    }

    function test_AGenesisOfATokenIsBackedByTokens() public {
        PlainToken token = new PlainToken();
        token.mint(address(this), 10);
        Parameters memory p = _parameters();
        p.asset = address(token);
        address implementation = address(_implementation(p));
        bytes memory call = abi.encodeCall(AitbcRollup.initialize, (GENESIS_ROOT, 5));
        bytes memory code = abi.encodePacked(type(ERC1967Proxy).creationCode, abi.encode(implementation, call));
        bytes32 hash = keccak256(abi.encodePacked(hex"ff", address(this), uint256(0), keccak256(code)));
        token.approve(address(uint160(uint256(hash))), 5); // known before it is there
        vm.deal(address(this), 1);
        vm.expectRevert(abi.encodeWithSelector(Treasury.ValueWrong.selector, 0, 1));
        new ERC1967Proxy{salt: 0, value: 1}(implementation, call);
        rollup = AitbcRollup(address(new ERC1967Proxy{salt: 0}(implementation, call)));
        assertEq(rollup.holdings(), 5);
        assertEq(token.balanceOf(address(rollup)), 5);
    }
}
