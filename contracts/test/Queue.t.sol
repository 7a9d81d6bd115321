// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {BatchData} from "../src/BatchData.sol";
import {Batches} from "../src/Batches.sol";
import {Queue} from "../src/Queue.sol";
import {Treasury} from "../src/Treasury.sol";
import {Draft} from "./Drafts.sol";
import {RollupTest} from "./RollupTest.sol";

contract QueueTest is RollupTest {
    uint256 private constant LIMIT = 1 << 88;

    function _three() private returns (uint256[] memory words) {
        _deposit(ALICE, 7, 5);
        _forceExit(ANYONE, 8, 6);
        _do(ALICE, FEE, abi.encodeCall(rollup.forceTransfer, (9, 10, 11)));
        return rollup.queueWords(1, 3);
    }

    function _equal(uint256[] memory words, uint256 place, uint256[] memory item) private pure {
        assertEq(words[place], item[0]);
        assertEq(words[place + 1], item[1]);
    }

    function _taking(uint256 number, uint256 items) private view returns (Draft memory) {
        return _draft(BatchData.CALLDATA, number, _sections(items, 0, 0, 0));
    }

    function test_ItemsAreNumberedAndKept() public {
        uint64 deadline = uint64(NOW + QUEUE_DELAY);
        vm.expectEmit();
        emit Queue.ItemQueued(1, 1, ALICE, 7, 0, 5, deadline);
        _deposit(ALICE, 7, 5);
        vm.expectEmit();
        emit Queue.ItemQueued(2, 2, ANYONE, type(uint32).max, 0, type(uint88).max, deadline + uint64(INTERVAL));
        _forceExit(ANYONE, type(uint32).max, type(uint88).max);
        vm.expectEmit();
        emit Queue.ItemQueued(3, 3, ALICE, 0, type(uint32).max, 11, deadline + 2 * uint64(INTERVAL));
        _do(ALICE, FEE, abi.encodeCall(rollup.forceTransfer, (0, type(uint32).max, 11)));

        assertEq(rollup.queuedItems(), 3);
        assertEq(rollup.holdings(), 5);
        assertEq(address(rollup).balance, 5 + 3 * FEE);
        uint256[] memory words = rollup.queueWords(1, 3);
        assertEq(words.length, 6);
        _equal(words, 0, _item(1, 7, 0, 5, ALICE));
        _equal(words, 2, _item(2, type(uint32).max, 0, type(uint88).max, ANYONE));
        _equal(words, 4, _item(3, 0, type(uint32).max, 11, ALICE));
        _equal(rollup.queueWords(3, 1), 0, _item(3, 0, type(uint32).max, 11, ALICE));
        Queue.Item memory second = rollup.item(2);
        assertEq(second.word, words[2]);
        assertEq(second.sender, ANYONE);
        assertEq(second.deadline, NOW + QUEUE_DELAY + INTERVAL);
        assertTrue(!second.refunded, "not refunded");
    }

    function test_ItemsThatAreNotThere() public {
        _three();
        uint256[2][6] memory ranges = [
            [uint256(0), 1], [uint256(0), 0], [uint256(4), 1], [uint256(3), 2], [uint256(1), 4], [type(uint256).max, 1]
        ];
        bytes4 why = Queue.ItemUnknown.selector;
        for (uint256 i = 0; i < ranges.length; ++i) {
            bytes memory call = abi.encodeCall(rollup.queueWords, (ranges[i][0], ranges[i][1]));
            _refused(call, abi.encodeWithSelector(why, 3, ranges[i][0]));
        }
        _refused(abi.encodeCall(rollup.queueWords, (1, type(uint256).max)), abi.encodeWithSelector(why, 3, 1));
        assertEq(rollup.queueWords(4, 0).length, 0);
        _refused(abi.encodeCall(rollup.item, (0)), abi.encodeWithSelector(why, 3, 0));
        _refused(abi.encodeCall(rollup.item, (4)), abi.encodeWithSelector(why, 3, 4));
    }

    function test_NothingIsNoAmount() public {
        bytes memory why = _error(Queue.AmountZero.selector);
        _refused(ALICE, FEE, abi.encodeCall(rollup.deposit, (7, 0)), why);
        _refused(ALICE, FEE, abi.encodeCall(rollup.forceExit, (7, 0)), why);
        _refused(ALICE, FEE, abi.encodeCall(rollup.forceTransfer, (7, 8, 0)), why);
    }

    function test_TheFeeIsExact() public {
        bytes4 why = Treasury.ValueWrong.selector;
        bytes[2] memory calls =
            [abi.encodeCall(rollup.forceExit, (7, 1)), abi.encodeCall(rollup.forceTransfer, (7, 8, 1))];
        for (uint256 i = 0; i < 2; ++i) {
            _refused(ALICE, FEE - 1, calls[i], abi.encodeWithSelector(why, FEE, FEE - 1));
            _refused(ALICE, FEE + 1, calls[i], abi.encodeWithSelector(why, FEE, FEE + 1));
        }
        bytes memory deposit = abi.encodeCall(rollup.deposit, (7, 5));
        _refused(ALICE, FEE - 1, deposit, abi.encodeWithSelector(why, FEE, FEE - 1));
        _refused(ALICE, FEE + 4, deposit, abi.encodeWithSelector(why, 5, 4));
        _refused(ALICE, FEE + 6, deposit, abi.encodeWithSelector(why, 5, 6));
        assertEq(address(rollup).balance, 0);
    }

    function test_OneDepositIsBelow2To88() public {
        _deposit(ALICE, 7, LIMIT - 1);
        _equal(rollup.queueWords(1, 1), 0, _item(1, 7, 0, LIMIT - 1, ALICE));
    }

    function test_AllDepositsTogetherAreBelow2To95() public {
        rollup = _deploy(_parameters(), (1 << 95) - 2);
        assertEq(rollup.holdings(), (1 << 95) - 2);
        _deposit(ALICE, 7, 1);
        bytes memory why = abi.encodeWithSelector(Treasury.HoldingsTooLarge.selector, 1 << 95, 1 << 95);
        _refused(ALICE, FEE + 1, abi.encodeCall(rollup.deposit, (7, 1)), why);
        _forceExit(ALICE, 7, 1); // nothing comes in with it
    }

    function test_NoValueComesInAnotherWay() public {
        uint256[] memory none;
        bytes[7] memory calls = [
            bytes(""),
            abi.encodeCall(rollup.withdraw, (ALICE)),
            abi.encodeCall(rollup.finalize, (1)),
            abi.encodeCall(rollup.prove, (1, none, ALICE, none)),
            abi.encodeCall(rollup.openFallback, ()),
            abi.encodeCall(rollup.upgrade, (ALICE, "")),
            hex"12345678"
        ];
        for (uint256 i = 0; i < calls.length; ++i) {
            _refused(ALICE, 1, calls[i], "");
        }
        assertEq(address(rollup).balance, 0);
    }

    function test_ArgumentsWiderThanTheirFieldsAreRefused() public {
        bytes4[2] memory functions = [rollup.forceExit.selector, rollup.deposit.selector];
        for (uint256 i = 0; i < 2; ++i) {
            _refused(ALICE, FEE + 1, abi.encodePacked(functions[i], uint256(1 << 32), uint256(1)), "");
            _refused(ALICE, FEE + 1, abi.encodePacked(functions[i], uint256(1), LIMIT), "");
        }
    }

    // -- deadlines ----------------------------------------------------------------------------------------------------

    /// @dev D after it was queued, and no sooner than an interval after the item before.
    function testFuzz_Deadlines(uint24[8] memory waits) public {
        uint256 last = 0;
        for (uint256 i = 0; i < waits.length; ++i) {
            vm.warp(block.timestamp + uint256(waits[i]) % (2 * INTERVAL));
            _forceExit(ALICE, 1, 1);
            uint256 expected = block.timestamp + QUEUE_DELAY;
            if (last != 0 && last + INTERVAL > expected) expected = last + INTERVAL;
            last = rollup.item(i + 1).deadline;
            assertEq(last, expected);
        }
    }

    function test_AnOverdueItemIsInTheNextBatch() public {
        _three();
        vm.warp(NOW + QUEUE_DELAY);
        _commit(1); // not overdue: may leave them
        _do(OPERATOR, abi.encodeCall(rollup.rollback, (1)));
        vm.warp(NOW + QUEUE_DELAY + 1);
        bytes4 why = Batches.ItemOverdue.selector;
        _expectCommitRevert(_draft(1), abi.encodeWithSelector(why, 1, NOW + QUEUE_DELAY));
        _commit(_taking(1, 1)); // the second is due an hour later
        vm.warp(NOW + QUEUE_DELAY + 2 * INTERVAL + 1);
        _expectCommitRevert(_taking(2, 0), abi.encodeWithSelector(why, 2, NOW + QUEUE_DELAY + INTERVAL));
        _expectCommitRevert(_taking(2, 1), abi.encodeWithSelector(why, 3, NOW + QUEUE_DELAY + 2 * INTERVAL));
        _commit(_taking(2, 2));
    }

    /// @dev Nobody has to take more than there is room for.
    function test_ABatchThatTookItsRoomsWorthMayLeaveOverdueItems() public {
        for (uint256 i = 0; i < 6; ++i) {
            _deposit(ALICE, 7, 1);
        }
        vm.warp(NOW + 30 days);
        uint256 due = rollup.item(4).deadline;
        _expectCommitRevert(_taking(1, 3), abi.encodeWithSelector(Batches.ItemOverdue.selector, 4, due));
        _commit(_taking(1, 4));
        _expectCommitRevert(
            _taking(2, 1), abi.encodeWithSelector(Batches.ItemOverdue.selector, 6, rollup.item(6).deadline)
        );
        _commit(_taking(2, 2));
        _commit(_taking(3, 0));
    }

    /// @dev A proposal in the fallback too.
    function test_AProposalTakesOverdueItems() public {
        _three();
        _openFallback();
        vm.warp(NOW + QUEUE_DELAY + 2 * INTERVAL + 1);
        Draft memory none = _draft(BatchData.FULL, 1);
        _refused(
            BOB, BOND, _proposeCall(none), abi.encodeWithSelector(Batches.ItemOverdue.selector, 1, NOW + QUEUE_DELAY)
        );
        _propose(BOB, _draft(BatchData.FULL, 1, _sections(3, 0, 0, 0)));
        _pointers(3, 0, 0);
    }

    // -- items and batches --------------------------------------------------------------------------------------------

    /// @dev Words of the queue that are not the contract's give other public inputs, whatever the change is.
    function test_AlteredOmittedOrReorderedItemsAreNotProven() public {
        _three();
        Draft memory draft = _draft(BatchData.CALLDATA, 1, _sections(3, 0, 0, 1));
        _commit(draft);
        uint256[] memory items = rollup.queueWords(1, 3);
        for (uint256 i = 0; i < 6; ++i) {
            draft.items = rollup.queueWords(1, 3);
            draft.items[i] ^= 1;
            _notProven(draft);
        }
        draft.items = rollup.queueWords(1, 3);
        for (uint256 i = 0; i < 4; ++i) {
            draft.items[i] = items[i + 2];
        }
        (draft.items[4], draft.items[5]) = (0, 0);
        _notProven(draft);
        (draft.items[0], draft.items[1], draft.items[2], draft.items[3]) = (items[2], items[3], items[0], items[1]);
        (draft.items[4], draft.items[5]) = (items[4], items[5]);
        _notProven(draft);
        draft.items = items;
        _prove(draft);
        _pointers(3, 3, 0);
    }

    /// @dev Neither with ζ drawn for these items, nor with the contract's ζ and y of these items there.
    function _notProven(Draft memory draft) private {
        uint256[] memory statement = _statement(draft);
        Draft memory right = _draft(BatchData.CALLDATA, 1, _sections(3, 0, 0, 1));
        for (uint256 i = 0; i < 2; ++i) {
            bytes32 got = keccak256(abi.encodePacked(statement));
            _refused(
                abi.encodeCall(rollup.prove, (1, statement, PAYOUT, _proof(statement, PAYOUT))),
                abi.encodeWithSelector(Batches.BindingWrong.selector, rollup.batch(1).binding, got)
            );
            statement[1] = _statement(right)[1];
            statement[2] = _y(draft, statement[1]);
        }
    }

    function test_BatchesTakeItemsInOrder() public {
        _three();
        Draft memory first = _taking(1, 2);
        _commit(first);
        Draft memory second = _taking(2, 1);
        _commit(second);
        _pointers(3, 0, 0);
        assertEq(rollup.batch(1).lastItem, 2);
        assertEq(rollup.batch(2).lastItem, 3);
        _prove(first);
        _pointers(3, 2, 0);
        _prove(second);
        rollup.finalize(1);
        _pointers(3, 3, 2);
        rollup.finalize(2);
        _pointers(3, 3, 3);
    }

    function test_RollbackGivesItemsBack() public {
        _three();
        _commit(_taking(1, 1));
        _commit(_taking(2, 2));
        _do(OPERATOR, abi.encodeCall(rollup.rollback, (2)));
        _pointers(1, 0, 0);
        _do(OPERATOR, abi.encodeCall(rollup.rollback, (1)));
        _pointers(0, 0, 0);
        _deposit(ALICE, 7, 12);
        assertEq(rollup.queuedItems(), 4);
        Draft memory draft = _taking(1, 3);
        _commit(draft);
        _prove(draft);
        _pointers(3, 3, 0);
    }

    function test_ProveWithDataReadsTheItemsOfItsBatch() public {
        _three();
        Draft memory draft = _draft(BatchData.CALLDATA, 1, _sections(3, 1, 1, 1));
        draft.commitment = 12345;
        _commit(draft);
        _deposit(ALICE, 7, 1); // waits behind
        draft.commitment = _commitment(1);
        uint256[] memory proof = _proof(_statement(draft), PAYOUT);
        rollup.proveWithData(1, _data(draft), 12345, draft.commitment, PAYOUT, proof);
        _pointers(3, 3, 0);
    }

    function test_ABatchNeedsToTakeNone() public {
        _three();
        _commit(1);
        _prove(_draft(1));
        _pointers(0, 0, 0);
    }

    /// @dev The fees of a batch's items are its proof's maker's when it is final, not before.
    function test_FeesGoToTheProofsPayout() public {
        _three();
        Draft memory first = _taking(1, 2);
        _commit(first);
        Draft memory second = _taking(2, 1);
        _commit(second);
        _prove(first);
        _do(ANYONE, _proveCall(second, BOB));
        assertEq(rollup.ethOwed(PAYOUT) + rollup.ethOwed(BOB), 0);
        rollup.finalize(2);
        assertEq(rollup.ethOwed(PAYOUT), 2 * FEE);
        assertEq(rollup.ethOwed(BOB), FEE);
        uint256 before = PAYOUT.balance;
        vm.expectEmit();
        emit Treasury.Collected(PAYOUT, 2 * FEE);
        rollup.collect(PAYOUT);
        assertEq(PAYOUT.balance, before + 2 * FEE);
    }
}
