// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {BatchData} from "../src/BatchData.sol";
import {Claims} from "../src/Claims.sol";
import {Draft} from "./Drafts.sol";
import {RollupTest} from "./RollupTest.sol";

contract ClaimsTest is RollupTest {
    uint256 private constant VALID = 1 << 248;

    /// @dev Three queue results, of which the first two are claims; two transfers, of which the second is an exit.
    function _claims(uint256 kind, uint256 number) private view returns (Draft memory draft) {
        bool full = kind == BatchData.FULL;
        draft = _draft(kind, number, _sections(3, full ? 0 : 1, 2, 1));
        draft.words[10] = _claimWord(BOB, 30) | VALID;
        draft.words[11] = _claimWord(ALICE, 20);
        draft.words[12] = VALID;
        uint256 transfers = kind == BatchData.CALLDATA ? 18 : 13;
        if (full) {
            draft.words[13] = 77 | VALID; // a transfer inside: an amount and no address
            draft.words[14] = _claimWord(BOB, 10) | VALID;
        } else {
            draft.words[transfers] = _claimWord(ANYONE, 9); // t₀ of a transfer: no claim, whatever it says
            draft.words[transfers + 1] = 77; // t₁ of one inside: an amount and no address
            draft.words[transfers + 3] = _claimWord(BOB, 10);
        }
    }

    function _queueThree() private {
        for (uint256 i = 0; i < 3; ++i) {
            _deposit(ALICE, 7, 100);
        }
    }

    function _finalClaims(uint256 kind) private returns (bytes memory section) {
        _queueThree();
        Draft memory draft;
        if (kind == BatchData.FULL) {
            _openFallback();
            draft = _claims(kind, 1);
            _propose(BOB, draft);
            vm.warp(block.timestamp + CHALLENGE_WINDOW + 1);
            rollup.finalize(1);
        } else {
            draft = _claims(kind, 1);
            _final(draft);
        }
        vm.warp(block.timestamp + WITHDRAWAL_DELAY);
        return _section(draft);
    }

    function _final() private returns (bytes memory section) {
        return _finalClaims(BatchData.CALLDATA);
    }

    function _refusedClaim(uint256 number, bytes memory section, uint256 word, bytes memory why) private {
        _refused(abi.encodeCall(rollup.claim, (number, section, word)), why);
    }

    function _refusedClaim(bytes memory section, uint256 word, bytes memory why) private {
        _refusedClaim(1, section, word, why);
    }

    function test_EveryClaimIsOwedToItsAddressAndOnceInEveryKind() public {
        for (uint256 kind = 0; kind < 4; ++kind) {
            uint256 before = vm.snapshotState();
            bytes memory section = _finalClaims(kind);
            uint256[3] memory words = [uint256(0), 1, kind == 0 ? 6 : kind == BatchData.FULL ? 4 : 6];
            address[3] memory receivers = [BOB, ALICE, BOB];
            uint256[3] memory amounts = [uint256(30), 20, 10];
            for (uint256 i = 0; i < 3; ++i) {
                uint256 owed = rollup.owed(receivers[i]);
                assertTrue(!rollup.isClaimed(1, words[i]), "not yet");
                vm.expectEmit();
                emit Claims.Claimed(1, words[i], receivers[i], amounts[i]);
                vm.prank(ANYONE);
                rollup.claim(1, section, words[i]);
                assertEq(rollup.owed(receivers[i]), owed + amounts[i]);
                assertTrue(rollup.isClaimed(1, words[i]), "claimed");
                _refusedClaim(section, words[i], abi.encodeWithSelector(Claims.AlreadyClaimed.selector, 1, words[i]));
            }
            assertEq(rollup.owed(BOB), 40);
            assertEq(rollup.owed(ALICE), 20);
            assertEq(rollup.owed(ANYONE), 0);
            assertEq(rollup.holdings(), 300);
            vm.revertToState(before);
        }
    }

    function test_WordsThatAreNoClaims() public {
        bytes memory section = _final();
        // A result without an address, t₀ twice, t₁ inside, and beyond the end.
        uint256[7] memory words = [uint256(2), 3, 4, 5, 7, 1 << 250, type(uint256).max];
        for (uint256 i = 0; i < words.length; ++i) {
            _refusedClaim(section, words[i], abi.encodeWithSelector(Claims.NotAClaim.selector, words[i]));
            assertTrue(!rollup.isClaimed(1, words[i]), "nothing was claimed");
        }
    }

    function test_WordsOfAFullBatchThatAreNoClaims() public {
        bytes memory section = _finalClaims(BatchData.FULL);
        uint256[4] memory words = [uint256(2), 3, 5, type(uint256).max];
        for (uint256 i = 0; i < words.length; ++i) {
            _refusedClaim(section, words[i], abi.encodeWithSelector(Claims.NotAClaim.selector, words[i]));
        }
    }

    function test_OnlyFinalBatchesPay() public {
        bytes4 why = Claims.BatchNotFinal.selector;
        _refusedClaim("", 0, abi.encodeWithSelector(why, 0, 1));
        _queueThree();
        Draft memory draft = _claims(BatchData.CALLDATA, 1);
        bytes memory section = _section(draft);
        _commit(draft);
        _refusedClaim(section, 0, abi.encodeWithSelector(why, 0, 1));
        _prove(draft);
        _refusedClaim(section, 0, abi.encodeWithSelector(why, 0, 1));
        rollup.finalize(1);
        _refusedClaim(0, "", 0, abi.encodeWithSelector(why, 1, 0));
        _refusedClaim(2, section, 0, abi.encodeWithSelector(why, 1, 2));
        vm.warp(NOW + WITHDRAWAL_DELAY);
        rollup.claim(1, section, 0);
    }

    /// @dev From finalization on, and nobody shortens it: to the second.
    function test_TheDelayBeginsAtFinalization() public {
        _queueThree();
        Draft memory draft = _claims(BatchData.CALLDATA, 1);
        _commit(draft);
        _prove(draft);
        vm.warp(NOW + 3 days);
        rollup.finalize(1);
        uint256 from = NOW + 3 days + WITHDRAWAL_DELAY;
        bytes memory why = abi.encodeWithSelector(Claims.ClaimTooEarly.selector, from);
        _refusedClaim(_section(draft), 0, why);
        vm.warp(from - 1);
        _refusedClaim(_section(draft), 0, why);
        vm.warp(from);
        rollup.claim(1, _section(draft), 0);
    }

    function test_OnlyTheBatchsOwnSection() public {
        bytes memory section = _final();
        bytes32 right = keccak256(section);
        Draft memory other = _draft(BatchData.CALLDATA, 2, _sections(0, 0, 3, 0));
        bytes[4] memory others = [
            bytes(""),
            bytes.concat(section, hex"00"),
            _section(other),
            bytes.concat(section, bytes32(_claimWord(ANYONE, 300)))
        ];
        bytes4 why = Claims.SectionWrong.selector;
        for (uint256 i = 0; i < 4; ++i) {
            _refusedClaim(others[i], 0, abi.encodeWithSelector(why, right, keccak256(others[i])));
        }
    }

    function testFuzz_EveryByteOfTheSectionCounts(uint256 index, uint8 change) public {
        bytes memory section = _final();
        index = bound(index, 0, section.length - 1);
        bytes32 right = keccak256(section);
        section[index] ^= bytes1(uint8(bound(change, 1, 255)));
        _refusedClaim(section, 0, abi.encodeWithSelector(Claims.SectionWrong.selector, right, keccak256(section)));
    }

    function test_ABatchWithoutQueueItemsAndTransfersHasNoClaims() public {
        _final(_draft(BatchData.CALLDATA, 1, _sections(0, 2, 0, 2)));
        vm.warp(NOW + WITHDRAWAL_DELAY);
        assertEq(rollup.batch(1).claims, bytes32(0));
        _refusedClaim("", 0, abi.encodeWithSelector(Claims.SectionWrong.selector, bytes32(0), keccak256("")));
    }

    /// @dev Transfers alone: their words begin the section, and the second of each can be a claim.
    function test_TransfersAlone() public {
        Draft memory draft = _draft(BatchData.CALLDATA, 1, _sections(0, 1, 2, 1));
        (draft.words[15], draft.words[16], draft.words[18]) =
        (_claimWord(BOB, 1), _claimWord(BOB, 2), _claimWord(ALICE, 3));
        _final(draft);
        vm.warp(NOW + WITHDRAWAL_DELAY);
        bytes memory section = _section(draft);
        _refusedClaim(section, 0, abi.encodeWithSelector(Claims.NotAClaim.selector, 0));
        rollup.claim(1, section, 1);
        rollup.claim(1, section, 3);
        assertEq(rollup.owed(BOB), 2);
        assertEq(rollup.owed(ALICE), 3);
    }

    /// @dev The words' numbers and the batch's keep claims apart: the same section in two batches is owed twice.
    function test_TheSameClaimInTwoBatches() public {
        bytes memory section = _final();
        _queueThree();
        Draft memory draft = _claims(BatchData.CALLDATA, 2);
        Draft memory first = _claims(BatchData.CALLDATA, 1);
        for (uint256 i = 10; i < 22; ++i) {
            draft.words[i] = first.words[i];
        }
        _commit(draft);
        _prove(draft);
        rollup.claim(1, section, 0);
        _refusedClaim(2, section, 0, abi.encodeWithSelector(Claims.BatchNotFinal.selector, 1, 2));
        rollup.finalize(2);
        vm.warp(block.timestamp + WITHDRAWAL_DELAY);
        rollup.claim(2, section, 0);
        assertEq(rollup.owed(BOB), 60);
        // Which words are results follows from the items this batch took, not from all taken so far.
        _refusedClaim(2, section, 3, abi.encodeWithSelector(Claims.NotAClaim.selector, 3));
    }

    /// @dev More than one slot of the bitmap.
    function test_BitsOfDifferentWordsAreDifferent() public {
        bytes memory section = _final();
        rollup.claim(1, section, 0);
        uint256[4] memory words = [uint256(1), 255, 256, 512];
        for (uint256 i = 0; i < 4; ++i) {
            assertTrue(!rollup.isClaimed(1, words[i]), "another word");
        }
        assertTrue(!rollup.isClaimed(2, 0) && !rollup.isClaimed(0, 0), "another batch");
    }

    function test_ABatchRolledBackPaysNothing() public {
        _queueThree();
        Draft memory voided = _claims(BatchData.CALLDATA, 1);
        _commit(voided);
        _do(OPERATOR, abi.encodeCall(rollup.rollback, (1)));

        // Committed anew with nothing to claim: nothing of the voided batch is left.
        _final(_draft(1));
        vm.warp(NOW + WITHDRAWAL_DELAY);
        bytes memory section = _section(voided);
        bytes32 kept = rollup.batch(1).claims;
        assertTrue(kept != keccak256(section), "its own section");
        _refusedClaim(section, 0, abi.encodeWithSelector(Claims.SectionWrong.selector, kept, keccak256(section)));

        // And once more, with no section at all.
        _commit(_claims(BatchData.CALLDATA, 2));
        section = _section(_claims(BatchData.CALLDATA, 2));
        _do(OPERATOR, abi.encodeCall(rollup.rollback, (2)));
        _final(_draft(BatchData.CALLDATA, 2, _sections(0, 0, 0, 1)));
        vm.warp(NOW + 2 * WITHDRAWAL_DELAY);
        assertEq(rollup.batch(2).claims, bytes32(0));
        _refusedClaim(
            2, section, 0, abi.encodeWithSelector(Claims.SectionWrong.selector, bytes32(0), keccak256(section))
        );
        assertEq(rollup.owed(BOB), 0);
    }
}

/// @dev A section of more words than a slot of the bitmap has bits.
contract LongSectionTest is RollupTest {
    function _room() internal pure override returns (BatchData.Sections memory) {
        return _sections(4, 0, 300, 1);
    }

    function test_WordsOfDifferentSlots() public {
        Draft memory draft = _draft(BatchData.CALLDATA, 1, _sections(0, 0, 260, 0));
        for (uint256 i = 0; i < 260; ++i) {
            draft.words[11 + 2 * i] = _claimWord(BOB, 1);
        }
        _final(draft);
        vm.warp(NOW + WITHDRAWAL_DELAY);
        bytes memory section = _section(draft);
        for (uint256 word = 1; word < 520; word += 2) {
            rollup.claim(1, section, word);
        }
        assertEq(rollup.owed(BOB), 260);
        for (uint256 word = 1; word < 520; word += 128) {
            _refused(
                abi.encodeCall(rollup.claim, (1, section, word)),
                abi.encodeWithSelector(Claims.AlreadyClaimed.selector, 1, word)
            );
        }
    }
}
