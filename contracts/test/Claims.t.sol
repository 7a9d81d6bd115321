// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AitbcRollup} from "../src/AitbcRollup.sol";
import {BatchData} from "../src/BatchData.sol";
import {Claims} from "../src/Claims.sol";
import {RollupTest} from "./RollupTest.sol";

/// @dev Takes value, and on the way asks for its claim again.
contract Reentrant {
    AitbcRollup private immutable ROLLUP;
    bytes public section;
    uint256 public asked;
    bytes4 public answer;

    constructor(AitbcRollup rollup) {
        ROLLUP = rollup;
    }

    function prepare(bytes calldata section_) external {
        section = section_;
    }

    receive() external payable {
        ++asked;
        try ROLLUP.claim(1, section, 0) {}
        catch (bytes memory reason) {
            answer = bytes4(reason);
        }
    }
}

/// @dev Takes value only after it was told to.
contract Choosy {
    bool public open;

    error NotNow(string why);

    function setOpen() external {
        open = true;
    }

    receive() external payable {
        if (!open) revert NotNow("a long answer that nobody has asked for");
    }
}

/// @dev Takes value and answers a megabyte.
contract Verbose {
    fallback() external payable {
        assembly {
            return(0, 1000000)
        }
    }
}

contract ClaimsTest is RollupTest {
    address private constant BOB = address(0xb0b);
    uint256 private constant VALID = 1 << 248;

    BatchData.Sections private _used = BatchData.Sections(3, 1, 2, 1);

    /// @dev Three queue results, of which the first two are claims; two transfers, of which the second is an exit.
    function _claimData(uint256 number, address first) private view returns (bytes memory) {
        uint256[] memory words = _words(number, _used);
        words[10] = _claimWord(first, 30) | VALID;
        words[11] = _claimWord(ALICE, 20);
        words[12] = VALID;
        words[18] = _claimWord(ANYONE, 9); // t₀ of a transfer: no claim, whatever it says
        words[19] = 77; // t₁ of one inside: an amount and no address
        words[21] = _claimWord(BOB, 10);
        return abi.encodePacked(words);
    }

    /// @dev Queue results and transfers of data with three results, one registration and two transfers.
    function _section(bytes memory data) private pure returns (bytes memory section) {
        uint256[] memory words = _toWords(data);
        section = abi.encodePacked(words[10], words[11], words[12], words[18], words[19], words[20], words[21]);
    }

    function _queueThree() private {
        for (uint256 i = 0; i < 3; ++i) {
            vm.prank(ALICE);
            rollup.deposit{value: 100}(7);
        }
    }

    function _proven(address first) private returns (bytes memory section) {
        _queueThree();
        bytes memory data = _claimData(1, first);
        _commit(1, data);
        _prove(1, data, rollup.queueWords(1, 3), _used);
        return _section(data);
    }

    function _final(address first) private returns (bytes memory section) {
        section = _proven(first);
        rollup.finalize(1);
    }

    function _refused(bytes memory section, uint256 word, bytes memory why) private {
        vm.expectRevert(why);
        rollup.claim(1, section, word);
    }

    function _holds(uint256 amount) private view {
        assertEq(address(rollup).balance, amount);
    }

    function test_EveryClaimIsPaidToItsAddressAndOnce() public {
        bytes memory section = _final(BOB);
        uint256[3] memory words = [uint256(0), 1, 6];
        address[3] memory receivers = [BOB, ALICE, BOB];
        uint256[3] memory amounts = [uint256(30), 20, 10];
        for (uint256 i = 0; i < 3; ++i) {
            uint256 before = receivers[i].balance;
            assertTrue(!rollup.isPaid(1, words[i]), "not yet");
            vm.expectEmit();
            emit Claims.ClaimPaid(1, words[i], receivers[i], amounts[i]);
            vm.prank(ANYONE);
            rollup.claim(1, section, words[i]);
            assertEq(receivers[i].balance, before + amounts[i]);
            assertTrue(rollup.isPaid(1, words[i]), "paid");
            _refused(section, words[i], abi.encodeWithSelector(Claims.AlreadyPaid.selector, 1, words[i]));
        }
        assertEq(ANYONE.balance, 0);
        _holds(240);
    }

    function test_WordsThatAreNoClaims() public {
        bytes memory section = _final(BOB);
        // A result without an address, t₀ twice, t₁ inside, and beyond the end.
        uint256[7] memory words = [uint256(2), 3, 4, 5, 7, 1 << 250, type(uint256).max];
        for (uint256 i = 0; i < words.length; ++i) {
            _refused(section, words[i], abi.encodeWithSelector(Claims.NotAClaim.selector, words[i]));
            assertTrue(!rollup.isPaid(1, words[i]), "nothing was paid");
        }
        _holds(300);
    }

    function test_OnlyFinalBatchesPay() public {
        bytes4 why = Claims.BatchNotFinal.selector;
        _refused("", 0, abi.encodeWithSelector(why, 0, 1));
        _queueThree();
        bytes memory data = _claimData(1, BOB);
        _commit(1, data);
        _refused(_section(data), 0, abi.encodeWithSelector(why, 0, 1));
        _prove(1, data, rollup.queueWords(1, 3), _used);
        _refused(_section(data), 0, abi.encodeWithSelector(why, 0, 1));
        rollup.finalize(1);
        vm.expectRevert(abi.encodeWithSelector(why, 1, 0));
        rollup.claim(0, "", 0);
        vm.expectRevert(abi.encodeWithSelector(why, 1, 2));
        rollup.claim(2, _section(data), 0);
        rollup.claim(1, _section(data), 0);
    }

    function test_OnlyTheBatchsOwnSection() public {
        bytes memory section = _final(BOB);
        bytes32 right = keccak256(section);
        bytes[4] memory others = [bytes(""), bytes.concat(section, hex"00"), _section(_claimData(1, ALICE)), section];
        others[3] = bytes.concat(section, bytes32(_claimWord(ANYONE, 300)));
        for (uint256 i = 0; i < 4; ++i) {
            _refused(others[i], 0, abi.encodeWithSelector(Claims.SectionWrong.selector, right, keccak256(others[i])));
        }
    }

    function testFuzz_EveryByteOfTheSectionCounts(uint256 index, uint8 change) public {
        bytes memory section = _final(BOB);
        index = bound(index, 0, section.length - 1);
        bytes32 right = keccak256(section);
        section[index] ^= bytes1(uint8(bound(change, 1, 255)));
        _refused(section, 0, abi.encodeWithSelector(Claims.SectionWrong.selector, right, keccak256(section)));
    }

    function test_ABatchWithoutQueueItemsAndTransfersHasNoClaims() public {
        BatchData.Sections memory used = _sections(0, 2, 0, 2);
        bytes memory data = abi.encodePacked(_words(1, used));
        _commit(1, data);
        _prove(1, data, new uint256[](0), used);
        rollup.finalize(1);
        assertEq(uint256(rollup.batch(1).claims), 0);
        _refused("", 0, abi.encodeWithSelector(Claims.SectionWrong.selector, bytes32(0), keccak256("")));
    }

    /// @dev Transfers alone: their words begin the section, and the second of each can be a claim.
    function test_TransfersAlone() public {
        _queueThree();
        BatchData.Sections memory used = _sections(0, 1, 2, 1);
        uint256[] memory words = _words(1, used);
        (words[15], words[16], words[18]) = (_claimWord(BOB, 1), _claimWord(BOB, 2), _claimWord(ALICE, 3));
        bytes memory data = abi.encodePacked(words);
        _commit(1, data);
        _prove(1, data, new uint256[](0), used);
        rollup.finalize(1);
        bytes memory section = abi.encodePacked(words[15], words[16], words[17], words[18]);
        _refused(section, 0, abi.encodeWithSelector(Claims.NotAClaim.selector, 0));
        rollup.claim(1, section, 1);
        rollup.claim(1, section, 3);
        assertEq(BOB.balance, 2);
        _holds(295);
    }

    /// @dev The words' numbers and the batch's keep claims apart: the same section in two batches is paid twice.
    function test_TheSameClaimInTwoBatches() public {
        bytes memory section = _final(BOB);
        _queueThree();
        uint256[] memory words = _toWords(_claimData(2, BOB));
        for (uint256 i = 10; i < 22; ++i) {
            words[i] = _toWords(_claimData(1, BOB))[i];
        }
        bytes memory data = abi.encodePacked(words);
        _commit(2, data);
        _prove(2, data, rollup.queueWords(4, 3), _used);
        rollup.claim(1, section, 0);
        vm.expectRevert(abi.encodeWithSelector(Claims.BatchNotFinal.selector, 1, 2));
        rollup.claim(2, section, 0);
        rollup.finalize(2);
        rollup.claim(2, section, 0);
        assertEq(BOB.balance, 60);
        // Which words are results follows from the items this batch took, not from all taken so far.
        vm.expectRevert(abi.encodeWithSelector(Claims.NotAClaim.selector, 3));
        rollup.claim(2, section, 3);
    }

    /// @dev More than one slot of the bitmap.
    function test_BitsOfDifferentWordsAreDifferent() public {
        bytes memory section = _final(BOB);
        rollup.claim(1, section, 0);
        uint256[4] memory words = [uint256(1), 255, 256, 512];
        for (uint256 i = 0; i < 4; ++i) {
            assertTrue(!rollup.isPaid(1, words[i]), "another word");
        }
        assertTrue(!rollup.isPaid(2, 0) && !rollup.isPaid(0, 0), "another batch");
    }

    function test_ABatchRolledBackPaysNothing() public {
        _queueThree();
        bytes memory voided = _claimData(1, BOB);
        _commit(1, voided);
        vm.prank(OPERATOR);
        rollup.rollback(1);

        // Committed anew with nothing to claim: nothing of the voided batch is left.
        _commit(1);
        bytes32 kept = rollup.batch(1).claims;
        _prove(1);
        rollup.finalize(1);
        bytes memory section = _section(voided);
        assertTrue(kept != keccak256(section), "its own section");
        _refused(section, 0, abi.encodeWithSelector(Claims.SectionWrong.selector, kept, keccak256(section)));

        // And once more, with no section at all.
        _commit(2, _claimData(2, BOB));
        vm.prank(OPERATOR);
        rollup.rollback(2);
        BatchData.Sections memory used = _sections(0, 0, 0, 1);
        bytes memory data = abi.encodePacked(_words(2, used));
        _commit(2, data);
        assertEq(uint256(rollup.batch(2).claims), 0);
        _prove(2, data, new uint256[](0), used);
        rollup.finalize(2);
        section = _section(_claimData(2, BOB));
        vm.expectRevert(abi.encodeWithSelector(Claims.SectionWrong.selector, bytes32(0), keccak256(section)));
        rollup.claim(2, section, 0);
        _holds(300);
    }

    function test_AReentrantReceiverIsPaidOnce() public {
        Reentrant receiver = new Reentrant(rollup);
        bytes memory section = _final(address(receiver));
        receiver.prepare(section);
        rollup.claim(1, section, 0);
        assertEq(receiver.asked(), 1);
        assertTrue(receiver.answer() == Claims.AlreadyPaid.selector, "refused on the way");
        assertEq(address(receiver).balance, 30);
        _holds(270);
    }

    function test_AReceiverThatRefusesBlocksNobodyAndMayAskAgain() public {
        Choosy receiver = new Choosy();
        bytes memory section = _final(address(receiver));
        _refused(section, 0, abi.encodeWithSelector(Claims.PaymentFailed.selector, address(receiver), 30));
        assertTrue(!rollup.isPaid(1, 0), "the claim stands");
        rollup.claim(1, section, 1);
        rollup.claim(1, section, 6);
        receiver.setOpen();
        rollup.claim(1, section, 0);
        assertEq(address(receiver).balance, 30);
        _holds(240);
    }

    function test_WhatTheReceiverAnswersIsNotCopied() public {
        bytes memory section = _final(address(new Verbose()));
        uint256 before = gasleft();
        rollup.claim{gas: 4_000_000}(1, section, 0); // the answer's memory costs the receiver 2.1 million
        assertTrue(before - gasleft() < 2_500_000, "and the caller nothing");
        assertTrue(rollup.isPaid(1, 0), "paid");
    }

    /// @dev A genesis with balances that nobody deposited could promise more than there is: then the claim waits.
    function test_MoreThanThereIsIsNotPaidYet() public {
        bytes memory section = _final(BOB);
        vm.deal(address(rollup), 29);
        _refused(section, 0, abi.encodeWithSelector(Claims.PaymentFailed.selector, BOB, 30));
        vm.deal(address(rollup), 30);
        rollup.claim(1, section, 0);
        _holds(0);
    }
}
