// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {BatchData} from "../src/BatchData.sol";
import {Claims} from "../src/Claims.sol";
import {Escape} from "../src/Escape.sol";
import {Queue} from "../src/Queue.sol";
import {Draft} from "./Drafts.sol";
import {RollupTest} from "./RollupTest.sol";

/// @dev Accounts, and proofs of them that `MockAccountProofs` takes.
abstract contract EscapeTest is RollupTest {
    function _freezeCall() internal view returns (bytes memory) {
        return abi.encodeCall(rollup.freeze, ());
    }

    function _freezeRefused() internal {
        assertTrue(!rollup.isFreezable(), "no clock has run out");
        _refused(_freezeCall(), _error(Escape.FreezeTooEarly.selector));
    }

    function _freeze() internal {
        assertTrue(rollup.isFreezable(), "a clock has run out");
        _do(ANYONE, _freezeCall());
        assertTrue(rollup.frozen(), "frozen");
    }

    /// @dev owner = l1_owner (160) + permissions, funds = balance (96) + nonce.
    function _leaf(address owner, uint256 balance) internal pure returns (uint256[8] memory leaf) {
        leaf = [uint256(1), 2, uint160(owner) | 5 << 160, balance | 77 << 96, 5, 6, 7, 8];
    }

    function _escapeCall(uint256 root, uint32 index, uint256[8] memory leaf) internal view returns (bytes memory) {
        uint256[48] memory siblings;
        siblings[0] = uint256(keccak256(abi.encode(root, index, leaf)));
        return abi.encodeCall(rollup.escape, (index, leaf, siblings));
    }

    function _escape(uint32 index, address owner, uint256 balance) internal {
        _do(ANYONE, _escapeCall(rollup.stateRoot(), index, _leaf(owner, balance)));
    }
}

contract ClockTest is EscapeTest {
    /// @dev Nothing committed, nothing queued: nobody is kept waiting.
    function test_AnIdleRollupIsNeverFrozen() public {
        vm.warp(NOW + 3650 days);
        _freezeRefused();
        _final(_draft(1));
        vm.warp(block.timestamp + 3650 days);
        _freezeRefused();
    }

    function test_NothingFinalForSoLong() public {
        _commit(1);
        vm.warp(NOW + 1 days);
        _commit(2);
        vm.warp(NOW + ESCAPE_DELAY);
        _freezeRefused();
        vm.warp(NOW + ESCAPE_DELAY + 1);
        vm.expectEmit();
        emit Escape.RollupFrozen(0, GENESIS_ROOT);
        _freeze();
    }

    /// @dev Proven is not final; every finalization starts the clock anew.
    function test_FinalizationStartsTheClockAnew() public {
        Draft memory first = _draft(1);
        _commit(first);
        _commit(2);
        _prove(first);
        vm.warp(NOW + ESCAPE_DELAY);
        rollup.finalize(1);
        assertEq(rollup.pendingSince(), block.timestamp);
        vm.warp(NOW + 2 * ESCAPE_DELAY);
        _freezeRefused();
        vm.warp(NOW + 2 * ESCAPE_DELAY + 1);
        vm.expectEmit();
        emit Escape.RollupFrozen(1, _root(1));
        _freeze();
    }

    /// @dev What was taken back is not waiting; the next commit starts the clock.
    function test_RollbackOfEverythingStopsTheClock() public {
        _commit(1);
        vm.warp(NOW + 1 days);
        _do(OPERATOR, abi.encodeCall(rollup.rollback, (1)));
        vm.warp(NOW + ESCAPE_DELAY + 1);
        _freezeRefused();
        _commit(1);
        vm.warp(block.timestamp + ESCAPE_DELAY);
        _freezeRefused();
        vm.warp(block.timestamp + 1);
        _freeze();
    }

    /// @dev A part taken back leaves the rest waiting.
    function test_RollbackOfAPartDoesNot() public {
        Draft memory first = _draft(1);
        _commit(first);
        _prove(first);
        _commit(2);
        _do(OPERATOR, abi.encodeCall(rollup.rollback, (2)));
        vm.warp(NOW + ESCAPE_DELAY + 1);
        _freeze();
    }

    /// @dev Opening the fallback does not stop the clock, nor does it start it anew.
    function test_TheFallbackHasTheRestOfTheTime() public {
        _openFallback(); // its batch was committed NOW
        vm.warp(NOW + ESCAPE_DELAY);
        _freezeRefused();
        vm.warp(NOW + ESCAPE_DELAY + 1);
        _freeze();
    }

    /// @dev T + W < E: an honest batch proposed at once is final in time, and then the clock starts anew, also with
    /// nothing proposed: the fallback is open because something is amiss.
    function test_AnHonestProposalIsInTime() public {
        _openFallback();
        _propose(BOB, _draft(BatchData.FULL, 1));
        vm.warp(block.timestamp + CHALLENGE_WINDOW + 1);
        _freezeRefused();
        rollup.finalize(1);
        uint256 since = block.timestamp;
        assertEq(rollup.pendingSince(), since);
        vm.warp(since + ESCAPE_DELAY);
        _freezeRefused();
        vm.warp(since + ESCAPE_DELAY + 1);
        _freeze();
    }

    /// @dev From the first challenge on the clock stands, for the cap at most.
    function test_ADisputePausesTheClock() public {
        _openFallback();
        _propose(BOB, _draft(BatchData.FULL, 1));
        uint256 disputed = block.timestamp + 1 days;
        vm.warp(disputed);
        _challenge(ALICE, 1, bytes32(uint256(1)));
        vm.warp(NOW + ESCAPE_DELAY + DISPUTE_CAP);
        _freezeRefused();
        // Another challenge is no other pause.
        _challenge(ALICE, 1, bytes32(uint256(2)));
        vm.warp(NOW + ESCAPE_DELAY + DISPUTE_CAP + 1);
        _freeze();
        // Bonds of what is undecided go back.
        _do(ANYONE, abi.encodeCall(rollup.claimProposal, (1)));
        _do(ANYONE, abi.encodeCall(rollup.claimChallenge, (1, 0)));
        _do(ANYONE, abi.encodeCall(rollup.claimChallenge, (1, 1)));
        assertEq(rollup.ethOwed(BOB), BOND);
        assertEq(rollup.ethOwed(ALICE), 2 * BOND);
    }

    /// @dev A dispute that began late pauses for as long as it has lasted.
    function test_ALateDisputePausesSinceItBegan() public {
        _openFallback();
        _propose(BOB, _draft(BatchData.FULL, 1));
        vm.warp(NOW + ESCAPE_DELAY);
        _challenge(ALICE, 1, bytes32(uint256(1)));
        vm.warp(NOW + ESCAPE_DELAY + 1);
        _freezeRefused();
        vm.warp(NOW + ESCAPE_DELAY + DISPUTE_CAP);
        _freezeRefused();
        vm.warp(NOW + ESCAPE_DELAY + DISPUTE_CAP + 1);
        _freeze();
    }

    /// @dev A settled dispute pauses no more once something is final.
    function test_AFinalizationEndsThePause() public {
        _openFallback();
        Draft memory draft = _draft(BatchData.FULL, 1);
        _propose(BOB, draft);
        _challenge(ALICE, 1, bytes32(uint256(1)));
        _prove(draft);
        rollup.finalize(1);
        assertEq(rollup.disputedSince(), 0);
        vm.warp(block.timestamp + ESCAPE_DELAY + 1);
        _freeze();
    }

    // -- the queue's clock --------------------------------------------------------------------------------------------

    function test_AnItemThatNoBatchTakes() public {
        _forceExit(ALICE, 7, 1 ether);
        vm.warp(NOW + QUEUE_DELAY + ESCAPE_DELAY);
        _freezeRefused();
        vm.warp(NOW + QUEUE_DELAY + ESCAPE_DELAY + 1);
        _freeze();
    }

    /// @dev Taken is not final: a batch must take the item and become final.
    function test_AnItemIsServedWhenItsBatchIsFinal() public {
        _forceExit(ALICE, 7, 1 ether);
        vm.warp(NOW + QUEUE_DELAY + ESCAPE_DELAY);
        Draft memory draft = _draft(BatchData.CALLDATA, 1, _sections(1, 0, 0, 0));
        _commit(draft);
        _prove(draft);
        uint256 before = vm.snapshotState();
        vm.warp(block.timestamp + 1);
        _freeze();
        vm.revertToState(before);
        rollup.finalize(1);
        vm.warp(block.timestamp + 3650 days);
        _freezeRefused();
    }

    /// @dev The oldest one counts; and a batch that becomes final without it does not help.
    function test_OtherBatchesDoNotServeIt() public {
        _forceExit(ALICE, 7, 1 ether);
        _final(_draft(1));
        vm.warp(NOW + QUEUE_DELAY + ESCAPE_DELAY + 1);
        _freeze();
    }

    /// @dev One that changes nothing, here an exit of somebody else's account, is a proven no-op: its result says
    /// invalid, it counts as served, it pays nobody, and it stops neither queue nor rollup.
    function test_AnUnserviceableExitIsServedAsANoOp() public {
        _deposit(ALICE, 7, 1 ether);
        _forceExit(BOB, 7, 1 ether); // the account is Alice's
        _forceExit(ALICE, 7, 1 ether);
        Draft memory draft = _draft(BatchData.CALLDATA, 1, _sections(3, 0, 0, 0));
        (draft.words[10], draft.words[11], draft.words[12]) = (1 << 248, 0, 1 << 248 | _claimWord(ALICE, 1 ether));
        _final(draft);
        _pointers(3, 3, 3);
        vm.warp(NOW + 3650 days);
        _freezeRefused();
        bytes memory section = _section(draft);
        _refused(abi.encodeCall(rollup.claim, (1, section, 1)), abi.encodeWithSelector(Claims.NotAClaim.selector, 1));
        rollup.claim(1, section, 2);
        assertEq(rollup.owed(ALICE), 1 ether);
        assertEq(rollup.owed(BOB), 0);
        assertEq(rollup.ethOwed(PAYOUT), 3 * FEE); // served items are paid for
    }

    function test_ADisputePausesTheQueuesClockToo() public {
        _commit(1);
        vm.warp(NOW + 22 hours);
        _forceExit(ALICE, 7, 1 ether);
        uint256 due = NOW + 22 hours + QUEUE_DELAY;
        vm.warp(NOW + PROVE_WINDOW + 1);
        _do(ANYONE, abi.encodeCall(rollup.openFallback, ()));
        _propose(BOB, _draft(BatchData.FULL, 1));
        vm.warp(block.timestamp + CHALLENGE_WINDOW + 1);
        rollup.finalize(1); // the batches' clock is behind the item's now
        _propose(BOB, _draft(BatchData.FULL, 2, _sections(1, 0, 0, 0)));
        _challenge(ALICE, 2, bytes32(uint256(1)));
        vm.warp(due + ESCAPE_DELAY + DISPUTE_CAP);
        _freezeRefused();
        vm.warp(due + ESCAPE_DELAY + DISPUTE_CAP + 1);
        assertTrue(block.timestamp < rollup.pendingSince() + ESCAPE_DELAY + DISPUTE_CAP, "by the item alone");
        _freeze();
    }
}

contract FrozenTest is EscapeTest {
    function setUp() public override {
        super.setUp();
        rollup = _deploy(_parameters(), 60 ether);
        _deposit(ALICE, 7, 40 ether);
        // The deposit is taken, and 10 ether are owed to Bob.
        Draft memory draft = _draft(BatchData.CALLDATA, 1, _sections(1, 0, 1, 0));
        (draft.words[10], draft.words[11], draft.words[12]) = (1 << 248, 0, _claimWord(BOB, 10 ether));
        _final(draft);
        _section1 = _section(draft);
        // These are taken by none that is final.
        _deposit(BOB, 8, 3 ether);
        _forceExit(ALICE, 7, 5 ether);
        _deposit(ALICE, 9, 2 ether);
        _commit(_draft(BatchData.CALLDATA, 2, _sections(2, 0, 0, 0)));
        vm.warp(block.timestamp + 30 days);
    }

    bytes private _section1;

    function test_NothingBefore() public {
        bytes memory why = _error(Escape.NotFrozen.selector);
        _refused(_escapeCall(_root(1), 7, _leaf(ALICE, 1)), why);
        _refused(abi.encodeCall(rollup.refund, (2)), why);
    }

    function test_ItIsForGood() public {
        _freeze();
        _refused(_freezeCall(), _error(Queue.Frozen.selector));
        vm.warp(block.timestamp + 3650 days);
        assertTrue(rollup.frozen(), "for good");
    }

    function test_AnAccountLeavesOnce() public {
        _freeze();
        assertTrue(!rollup.hasEscaped(7), "not yet");
        vm.expectEmit();
        emit Escape.Escaped(7, ALICE, 90 ether);
        _escape(7, ALICE, 90 ether);
        assertEq(rollup.owed(ALICE), 90 ether);
        assertTrue(rollup.hasEscaped(7), "left");
        _refused(
            _escapeCall(_root(1), 7, _leaf(ALICE, 90 ether)), abi.encodeWithSelector(Escape.AlreadyEscaped.selector, 7)
        );
        // With another leaf too: an index is an account.
        _refused(_escapeCall(_root(1), 7, _leaf(ALICE, 1)), abi.encodeWithSelector(Escape.AlreadyEscaped.selector, 7));
        // All at once: no rate holds who leaves.
        uint256 before = ALICE.balance;
        assertEq(rollup.withdrawable(), type(uint256).max);
        rollup.withdraw(ALICE);
        assertEq(ALICE.balance - before, 90 ether);
    }

    function test_IndicesAreApart() public {
        _freeze();
        uint32[5] memory indices = [uint32(0), 255, 256, 1 << 31, type(uint32).max];
        for (uint256 i = 0; i < 5; ++i) {
            for (uint256 j = i; j < 5; ++j) {
                assertTrue(!rollup.hasEscaped(indices[j]), "another");
            }
            _escape(indices[i], ALICE, i + 1);
            assertTrue(rollup.hasEscaped(indices[i]), "this one");
        }
        assertEq(rollup.owed(ALICE), 15);
    }

    /// @dev The last final root alone counts: not that of a batch before, nor of one that was committed only.
    function test_OnlyUnderTheLastFinalRoot() public {
        _freeze();
        bytes memory why = abi.encodeWithSelector(Escape.AccountWrong.selector, 7);
        _refused(_escapeCall(GENESIS_ROOT, 7, _leaf(ALICE, 1)), why);
        _refused(_escapeCall(_root(2), 7, _leaf(ALICE, 1)), why);
        assertTrue(!rollup.hasEscaped(7), "nothing happened");
        _escape(7, ALICE, 1);
    }

    function testFuzz_EveryWordOfTheAccountCounts(uint256 word, uint256 change) public {
        _freeze();
        uint256[8] memory leaf = _leaf(ALICE, 1);
        uint256[48] memory siblings;
        siblings[0] = uint256(keccak256(abi.encode(_root(1), uint32(7), leaf)));
        leaf[word % 8] ^= change == 0 ? 1 : change;
        _refused(
            abi.encodeCall(rollup.escape, (7, leaf, siblings)), abi.encodeWithSelector(Escape.AccountWrong.selector, 7)
        );
    }

    function test_AnAccountWithoutOwner() public {
        _freeze();
        _refused(
            _escapeCall(_root(1), 7, _leaf(address(0), 1)),
            abi.encodeWithSelector(Escape.AccountWithoutOwner.selector, 7)
        );
        assertTrue(!rollup.hasEscaped(7), "nothing happened");
    }

    function test_TheWidestBalance() public {
        _freeze();
        _escape(7, ALICE, type(uint96).max);
        assertEq(rollup.owed(ALICE), type(uint96).max);
    }

    /// @dev Fee and deposit of what no final batch took, whether a batch that is void had taken it or none.
    function test_Refunds() public {
        _freeze();
        bytes4 why = Escape.NotRefundable.selector;
        _refused(abi.encodeCall(rollup.refund, (0)), abi.encodeWithSelector(why, 0));
        _refused(abi.encodeCall(rollup.refund, (1)), abi.encodeWithSelector(why, 1));
        _refused(abi.encodeCall(rollup.refund, (5)), abi.encodeWithSelector(why, 5));
        vm.expectEmit();
        emit Escape.Refunded(2, BOB);
        rollup.refund(2);
        assertEq(rollup.owed(BOB), 3 ether);
        assertEq(rollup.ethOwed(BOB), FEE);
        rollup.refund(3); // an exit: the fee alone
        assertEq(rollup.owed(ALICE), 0);
        assertEq(rollup.ethOwed(ALICE), FEE);
        rollup.refund(4);
        assertEq(rollup.owed(ALICE), 2 ether);
        assertEq(rollup.ethOwed(ALICE), 2 * FEE);
        for (uint256 i = 2; i <= 4; ++i) {
            assertTrue(rollup.item(i).refunded, "refunded");
            _refused(abi.encodeCall(rollup.refund, (i)), abi.encodeWithSelector(why, i));
        }
    }

    /// @dev Everybody has everything: accounts, claims, deposits under way, fees.
    function test_EveryoneIsPaidToTheLastWei() public {
        _freeze();
        _escape(7, ALICE, 50 ether);
        _escape(0, BOB, 40 ether);
        for (uint256 i = 2; i <= 4; ++i) {
            rollup.refund(i);
        }
        rollup.claim(1, _section1, 2);
        rollup.withdraw(ALICE);
        rollup.withdraw(BOB);
        assertEq(rollup.holdings(), 0);
        rollup.collect(ALICE);
        rollup.collect(BOB);
        rollup.collect(PAYOUT);
        assertEq(address(rollup).balance, 0);
    }

    /// @dev Everything that would move batches, queue or roles is over.
    function test_AllElseIsOver() public {
        _freeze();
        Draft memory draft = _draft(3);
        uint256[] memory none;
        bytes[15] memory calls = [
            _commitCall(draft),
            _commitAndProveCall(draft, PAYOUT),
            _proveCall(draft, PAYOUT),
            abi.encodeCall(rollup.proveWithData, (2, "", 1, 1, PAYOUT, none)),
            abi.encodeCall(rollup.finalize, (2)),
            abi.encodeCall(rollup.rollback, (2)),
            abi.encodeCall(rollup.openFallback, ()),
            _proposeCall(_draft(BatchData.FULL, 2)),
            abi.encodeCall(rollup.challenge, (1, bytes32(0))),
            _settleCall(_draft(BatchData.FULL, 2), PAYOUT),
            abi.encodeCall(rollup.deposit, (7, 1)),
            abi.encodeCall(rollup.forceExit, (7, 1)),
            abi.encodeCall(rollup.forceTransfer, (7, 8, 1)),
            abi.encodeCall(rollup.announceUpgrade, (ALICE, "")),
            abi.encodeCall(rollup.upgrade, (ALICE, ""))
        ];
        bytes memory why = _error(Queue.Frozen.selector);
        for (uint256 i = 0; i < calls.length; ++i) {
            uint256 value = i == 7 || i == 8 ? BOND : i == 10 ? FEE + 1 : i > 10 && i < 13 ? FEE : 0;
            _refused(i == 13 ? UPGRADER : OPERATOR, value, calls[i], why);
        }
    }
}
