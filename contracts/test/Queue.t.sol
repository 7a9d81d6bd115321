// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AitbcRollup} from "../src/AitbcRollup.sol";
import {BatchData} from "../src/BatchData.sol";
import {Queue} from "../src/Queue.sol";
import {RollupTest} from "./RollupTest.sol";

contract QueueTest is RollupTest {
    uint256 private constant LIMIT = 1 << 88;

    function _deposit(uint256 value) private {
        vm.prank(ALICE);
        rollup.deposit{value: value}(7);
    }

    function _three() private returns (uint256[] memory words) {
        _deposit(5);
        vm.prank(ANYONE);
        rollup.forceExit(8, 6);
        vm.prank(ALICE);
        rollup.forceTransfer(9, 10, 11);
        return rollup.queueWords(1, 3);
    }

    function _equal(uint256[] memory words, uint256 place, uint256[] memory item) private pure {
        assertEq(words[place], item[0]);
        assertEq(words[place + 1], item[1]);
    }

    function test_ItemsAreNumberedAndKept() public {
        vm.expectEmit();
        emit Queue.ItemQueued(1, 1, ALICE, 7, 0, 5);
        _deposit(5);
        vm.expectEmit();
        emit Queue.ItemQueued(2, 2, ANYONE, type(uint32).max, 0, type(uint88).max);
        vm.prank(ANYONE);
        rollup.forceExit(type(uint32).max, type(uint88).max);
        vm.expectEmit();
        emit Queue.ItemQueued(3, 3, ALICE, 0, type(uint32).max, 11);
        vm.prank(ALICE);
        rollup.forceTransfer(0, type(uint32).max, 11);

        assertEq(rollup.queuedItems(), 3);
        assertEq(address(rollup).balance, 5);
        uint256[] memory words = rollup.queueWords(1, 3);
        assertEq(words.length, 6);
        _equal(words, 0, _item(1, 7, 0, 5, ALICE));
        _equal(words, 2, _item(2, type(uint32).max, 0, type(uint88).max, ANYONE));
        _equal(words, 4, _item(3, 0, type(uint32).max, 11, ALICE));
        _equal(rollup.queueWords(3, 1), 0, _item(3, 0, type(uint32).max, 11, ALICE));
    }

    function test_QueueWordsOfItemsThatAreNotThere() public {
        _three();
        uint256[2][6] memory ranges = [
            [uint256(0), 1], [uint256(0), 0], [uint256(4), 1], [uint256(3), 2], [uint256(1), 4], [type(uint256).max, 1]
        ];
        for (uint256 i = 0; i < ranges.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(Queue.ItemUnknown.selector, 3, ranges[i][0]));
            rollup.queueWords(ranges[i][0], ranges[i][1]);
        }
        vm.expectRevert(abi.encodeWithSelector(Queue.ItemUnknown.selector, 3, 1));
        rollup.queueWords(1, type(uint256).max);
        assertEq(rollup.queueWords(4, 0).length, 0);
    }

    function test_NothingIsNoAmount() public {
        vm.expectRevert(abi.encodeWithSelector(Queue.AmountZero.selector));
        rollup.deposit(7);
        vm.expectRevert(abi.encodeWithSelector(Queue.AmountZero.selector));
        rollup.forceExit(7, 0);
        vm.expectRevert(abi.encodeWithSelector(Queue.AmountZero.selector));
        rollup.forceTransfer(7, 8, 0);
    }

    function test_OneDepositIsBelow2To88() public {
        vm.deal(ALICE, 1 << 90);
        vm.prank(ALICE);
        vm.expectRevert(abi.encodeWithSelector(Queue.AmountTooLarge.selector, LIMIT, LIMIT));
        rollup.deposit{value: LIMIT}(7);
        _deposit(LIMIT - 1);
        _equal(rollup.queueWords(1, 1), 0, _item(1, 7, 0, LIMIT - 1, ALICE));
    }

    function test_AllDepositsTogetherAreBelow2To95() public {
        vm.deal(address(rollup), (1 << 95) - 2);
        _deposit(1);
        vm.prank(ALICE);
        vm.expectRevert(abi.encodeWithSelector(Queue.HoldingsTooLarge.selector, 1 << 95, 1 << 95));
        rollup.deposit{value: 1}(7);
        rollup.forceExit(7, 1); // nothing comes in with it
    }

    function test_NoValueComesInAnotherWay() public {
        vm.deal(address(this), 10);
        bytes[4] memory calls = [
            bytes(""),
            abi.encodeCall(rollup.forceExit, (7, 1)),
            abi.encodeCall(rollup.forceTransfer, (7, 8, 1)),
            hex"12345678"
        ];
        for (uint256 i = 0; i < calls.length; ++i) {
            (bool ok,) = address(rollup).call{value: 1}(calls[i]);
            assertTrue(!ok, "not payable");
        }
        assertEq(address(rollup).balance, 0);
    }

    function test_ArgumentsWiderThanTheirFieldsAreRefused() public {
        bytes4[2] memory selectors = [rollup.forceExit.selector, rollup.deposit.selector];
        for (uint256 i = 0; i < 2; ++i) {
            (bool ok,) = address(rollup).call(abi.encodePacked(selectors[i], uint256(1 << 32), uint256(1)));
            assertTrue(!ok, "an index has 32 bits");
        }
        (bool done,) = address(rollup).call(abi.encodePacked(rollup.forceExit.selector, uint256(1), LIMIT));
        assertTrue(!done, "an amount has 88 bits");
    }

    /// @dev Words of the queue that are not the contract's give other public inputs, whatever the change is.
    function test_AlteredOmittedOrReorderedItemsAreNotProven() public {
        uint256[] memory items = _three();
        BatchData.Sections memory used = _sections(3, 0, 0, 1);
        bytes memory data = abi.encodePacked(_words(1, used));
        _commit(1, data);

        for (uint256 i = 0; i < 6; ++i) {
            uint256[] memory altered = rollup.queueWords(1, 3);
            altered[i] ^= 1;
            _notProven(data, altered, used);
        }
        uint256[] memory omitted = rollup.queueWords(1, 3);
        for (uint256 i = 0; i < 4; ++i) {
            omitted[i] = items[i + 2];
        }
        (omitted[4], omitted[5]) = (0, 0);
        _notProven(data, omitted, used);
        uint256[] memory reordered = rollup.queueWords(1, 3);
        (reordered[0], reordered[1], reordered[2], reordered[3]) = (items[2], items[3], items[0], items[1]);
        _notProven(data, reordered, used);

        _prove(1, data, items, used);
        assertEq(rollup.provenQueue(), 3);
    }

    /// @dev Neither with ζ drawn for these items, nor with the contract's ζ and y of these items there.
    function _notProven(bytes memory data, uint256[] memory items, BatchData.Sections memory used) private {
        uint256[] memory right = rollup.queueWords(1, 3);
        (uint256 c, uint256 zeta, uint256 y) = _inputs(1, data, items, used);
        for (uint256 i = 0; i < 2; ++i) {
            bytes32 got = keccak256(abi.encodePacked(c, zeta, y));
            vm.expectRevert(abi.encodeWithSelector(AitbcRollup.BindingWrong.selector, rollup.batch(1).binding, got));
            rollup.prove(1, c, zeta, y, PAYOUT, _proof(c, zeta, y, PAYOUT));
            zeta = _zeta(data, right, c);
            y = _y(data, items, used, zeta);
        }
    }

    function test_BatchesTakeItemsInOrder() public {
        uint256[] memory items = _three();
        BatchData.Sections memory two = _sections(2, 0, 0, 0);
        BatchData.Sections memory one = _sections(1, 0, 0, 0);
        bytes memory first = abi.encodePacked(_words(1, two));
        bytes memory second = abi.encodePacked(_words(2, one));
        uint256[] memory last = rollup.queueWords(3, 1);
        _commit(1, first);
        _commit(2, second);
        _pointers(3, 0, 0);
        assertEq(rollup.batch(1).lastItem, 2);
        assertEq(rollup.batch(2).lastItem, 3);
        (items[4], items[5]) = (0, 0);
        assembly ("memory-safe") {
            mstore(items, 4)
        }
        _prove(1, first, items, two);
        _pointers(3, 2, 0);
        _prove(2, second, last, one);
        rollup.finalize(1);
        _pointers(3, 3, 2);
        rollup.finalize(2);
        _pointers(3, 3, 3);
    }

    function test_RollbackGivesItemsBack() public {
        uint256[] memory items = _three();
        _commit(1, abi.encodePacked(_words(1, _sections(1, 0, 0, 0))));
        _commit(2, abi.encodePacked(_words(2, _sections(2, 0, 0, 0))));
        vm.prank(OPERATOR);
        rollup.rollback(2);
        _pointers(1, 0, 0);
        vm.prank(OPERATOR);
        rollup.rollback(1);
        _pointers(0, 0, 0);
        _deposit(12);
        assertEq(rollup.queuedItems(), 4);

        BatchData.Sections memory used = _sections(3, 0, 0, 0);
        bytes memory data = abi.encodePacked(_words(1, used));
        _commit(1, data);
        _prove(1, data, items, used);
        _pointers(3, 3, 0);
    }

    function test_ProveWithDataReadsTheItemsOfItsBatch() public {
        uint256[] memory items = _three();
        BatchData.Sections memory used = _sections(3, 1, 1, 1);
        bytes memory data = abi.encodePacked(_words(1, used));
        vm.prank(OPERATOR);
        rollup.commit(data, 12345);
        _deposit(1); // waits behind
        (uint256 c, uint256 zeta, uint256 y) = _inputs(1, data, items, used);
        rollup.proveWithData(1, data, 12345, c, PAYOUT, _proof(c, zeta, y, PAYOUT));
        _pointers(3, 3, 0);
    }

    function test_ABatchNeedsToTakeNone() public {
        _three();
        _commit(1);
        _prove(1);
        _pointers(0, 0, 0);
    }

    function _pointers(uint256 committed, uint256 proven, uint256 finalized) private view {
        assertEq(rollup.committedQueue(), committed);
        assertEq(rollup.provenQueue(), proven);
        assertEq(rollup.finalizedQueue(), finalized);
    }
}

contract NoQueueTest is RollupTest {
    function _room() internal pure override returns (BatchData.Sections memory) {
        return _sections(0, 3, 5, 7);
    }

    function test_NothingIsQueuedThatNoBatchCouldTake() public {
        vm.prank(ALICE);
        vm.expectRevert(abi.encodeWithSelector(Queue.NoQueue.selector));
        rollup.deposit{value: 1}(7);
        vm.expectRevert(abi.encodeWithSelector(Queue.NoQueue.selector));
        rollup.forceExit(7, 1);
        vm.expectRevert(abi.encodeWithSelector(Queue.NoQueue.selector));
        rollup.forceTransfer(7, 8, 1);
    }
}
