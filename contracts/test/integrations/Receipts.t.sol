// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Hashers, Receipt, Receipts} from "../../src/integrations/Receipts.sol";
import {Run} from "../../src/integrations/Run.sol";
import {ReceiptWorld, Roots} from "./ReceiptWorld.sol";

contract ReceiptsTest is ReceiptWorld {
    function test_RecordIsProven() public {
        Receipt memory receipt = receiptOf(20, 3, 2);
        Run memory run = receipts.verifyRecord(receipt);
        assertEq(run.agent, AGENT);
        assertEq(run.provider, PROVIDER);
        assertEq(run.nonce, NONCE);
        assertEq(run.place, 3);
        assertEq(run.externalId, externalId);
        uint256[5] memory words = run.words;
        assertEq(run.runHash, hash(hashers.five, abi.encodePacked(uint256(7), words)));
        for (uint256 i = 0; i < 5; ++i) {
            assertEq(words[i], receipt.words[15 + i]);
        }
        assertEq(run.outcome(), words[0] >> 192);
        assertEq(run.fee(), words[1] & type(uint64).max);
        assertEq(run.task(), words[2]);
        assertEq(run.metadata(), words[4]);
    }

    /// @dev Any record of any session is proven by its own receipt.
    function testFuzz_EveryRecordIsProven(uint256 count, uint256 place, uint256 later) public {
        count = bound(count, 1, 70);
        place = bound(place, 0, count - 1);
        Receipt memory receipt = receiptOf(count, place, bound(later, 0, 3));
        uint256[5] memory words = receipts.verifyRecord(receipt).words;
        for (uint256 i = 0; i < 5; ++i) {
            assertEq(words[i], receipt.words[5 * place % 16 + i]);
        }
    }

    function test_BatchIsNotFinal() public {
        Receipt memory receipt = receiptOf(20, 3, 0);
        receipt.batchNumber = BATCH + 1;
        vm.expectRevert(abi.encodeWithSelector(Roots.BatchNotFinal.selector, BATCH, BATCH + 1));
        receipts.verifyRecord(receipt);
    }

    function test_AnotherRootIsRefused() public {
        Receipt memory receipt = receiptOf(20, 3, 0);
        receipt.batchNumber = BATCH - 1;
        assertRefused(receipt, Receipts.AccountWrong.selector);
    }

    /// @dev The same roots at another address: the domain is another.
    function test_AnotherRollupIsRefused() public {
        Receipt memory receipt = receiptOf(20, 3, 0);
        Roots other = new Roots(rollup.shard(), accountProofs);
        other.set(BATCH, rollup.finalRoot(BATCH));
        other.finalize(BATCH);
        receipts = new Receipts(other, hashers);
        assertRefused(receipt, Receipts.HistoryWrong.selector);
    }

    function test_AnotherShardIsRefused() public {
        Receipt memory receipt = receiptOf(20, 3, 0);
        Roots other = new Roots(rollup.shard() + 1, accountProofs);
        other.set(BATCH, rollup.finalRoot(BATCH));
        other.finalize(BATCH);
        receipts = new Receipts(other, hashers);
        assertRefused(receipt, Receipts.HistoryWrong.selector);
    }

    function test_AnotherChainIsRefused() public {
        Receipt memory receipt = receiptOf(20, 3, 0);
        vm.chainId(block.chainid + 1);
        assertRefused(receipt, Receipts.HistoryWrong.selector);
    }

    /// @dev Beyond the count there are zeros on the last page, which are no record.
    function test_PlaceBeyondTheCountIsRefused() public {
        Receipt memory receipt = receiptOf(20, 19, 0);
        receipt.place = 20;
        vm.expectRevert(abi.encodeWithSelector(Receipts.NotARecord.selector, 20, 20));
        receipts.verifyRecord(receipt);
    }

    function test_PlaceInAnotherBlockIsRefused() public {
        Receipt memory receipt = receiptOf(20, 3, 0);
        receipt.place = 16;
        vm.expectRevert(abi.encodeWithSelector(Receipts.WordsWrong.selector, 80, 160));
        receipts.verifyRecord(receipt);
    }

    function test_WordsGoToTheEndOfTheLastPage() public {
        Receipt memory receipt = receiptOf(20, 3, 0);
        receipt.words = new uint256[](159);
        vm.expectRevert(abi.encodeWithSelector(Receipts.WordsWrong.selector, 160, 159));
        receipts.verifyRecord(receipt);
    }

    /// @dev A session signed with a count too small for its pages, as only a full batch could take it: its second page
    /// cannot pass for its first.
    function test_FirstBlockBeginsWithTheTag() public {
        Receipt memory receipt = receiptOf(32, 16, 0);
        receipt.terms = receipt.terms & ~(uint256(0xffff) << 96) | 16 << 96;
        receipt.place = 0;
        uint256 state = receipt.stateBefore;
        seal(receipt);
        vm.expectRevert(abi.encodeWithSelector(Receipts.StateWrong.selector, 4, state));
        receipts.verifyRecord(receipt);
    }

    /// @dev Signed, and in the history, but with something behind the last record.
    function test_UnusedPlacesAreZeros() public {
        Receipt memory receipt = receiptOf(20, 18, 0);
        receipt.words[79] = 1;
        seal(receipt);
        vm.expectRevert(abi.encodeWithSelector(Receipts.FillNotZero.selector, 79));
        receipts.verifyRecord(receipt);
    }

    /// @dev Signed by its agent in a full batch, and yet no record of this agent's.
    function test_RecordNamesItsAgent() public {
        Receipt memory receipt = receiptOf(20, 0, 0);
        receipt.words[1] = uint256(AGENT + 1) << 112;
        seal(receipt);
        assertRefused(receipt, Receipts.RecordMalformed.selector);
        receipt.words[1] = 1 << 144 | uint256(AGENT) << 112;
        seal(receipt);
        assertRefused(receipt, Receipts.RecordMalformed.selector);
    }

    function test_RecordHasTheProtocolsWidths() public {
        Receipt memory receipt = receiptOf(20, 0, 0);
        receipt.words[0] = 1 << 194;
        seal(receipt);
        assertRefused(receipt, Receipts.RecordMalformed.selector);
    }

    function test_TermsOfAnotherAgentAreRefused() public {
        Receipt memory receipt = receiptOf(20, 3, 0);
        receipt.terms ^= 1;
        assertRefused(receipt, Receipts.RecordMalformed.selector);
    }

    function test_SmallerCountIsRefused() public {
        Receipt memory receipt = receiptOf(20, 3, 0);
        receipt.terms -= 1 << 96;
        assertRefused(receipt, Receipts.FillNotZero.selector);
    }

    function test_MessageMissingOrInventedIsRefused() public {
        Receipt memory receipt = receiptOf(20, 3, 1);
        uint256 message = receipt.laterMessages[0];
        receipt.laterMessages = new uint256[](0);
        assertRefused(receipt, Receipts.HistoryWrong.selector);
        receipt.laterMessages = new uint256[](2);
        receipt.laterMessages[0] = message;
        assertRefused(receipt, Receipts.HistoryWrong.selector);
    }

    function test_HasherThatIsNotThereIsRefused() public {
        Receipt memory receipt = receiptOf(20, 3, 0);
        Hashers memory missing = hashers;
        missing.sixteen = address(0xdead);
        receipts = new Receipts(rollup, missing);
        vm.expectRevert(abi.encodeWithSelector(Receipts.HashRefused.selector, address(0xdead)));
        receipts.verifyRecord(receipt);
    }

    /// @dev A word and the same plus r would hash alike: the hashers stand before that.
    function test_WordPlusRIsRefused() public {
        Receipt memory receipt = receiptOf(20, 3, 1);
        receipt.words[2] += R;
        vm.expectRevert(abi.encodeWithSelector(Receipts.HashRefused.selector, hashers.sixteen));
        receipts.verifyRecord(receipt);
        receipt.words[2] -= R;
        receipt.laterMessages[0] += R;
        vm.expectRevert(abi.encodeWithSelector(Receipts.HashRefused.selector, hashers.two));
        receipts.verifyRecord(receipt);
        receipt.laterMessages[0] -= R;
        receipt.leaf[6] += R;
        assertRefused(receipt, Receipts.HistoryWrong.selector);
        receipt.leaf[6] -= R;
        receipt.leaf[7] += R;
        assertRefused(receipt, Receipts.AccountWrong.selector);
        receipt.leaf[7] -= R;
        receipts.verifyRecord(receipt);
    }

    /// @dev No word of the calldata, lengths and offsets included, can be another one. The record is alone in its block:
    /// with another place, another record of a block would be proven, and truly.
    function test_EveryChangedWordIsRefused() public {
        bytes memory call = abi.encodeCall(Receipts.verifyRecord, (receiptOf(17, 16, 1)));
        assertTrue(_accepts(call), "the receipt unchanged");
        for (uint256 place = 36; place <= call.length; place += 32) {
            uint256 word = _word(call, place);
            _put(call, place, word ^ 1);
            assertTrue(!_accepts(call), "a refusal");
            _put(call, place, word + R);
            assertTrue(!_accepts(call), "a refusal");
            _put(call, place, word);
        }
    }

    function testFuzz_ChangedBitIsRefused(uint256 place, uint256 bit) public {
        bytes memory call = abi.encodeCall(Receipts.verifyRecord, (receiptOf(17, 16, 1)));
        place = 36 + 32 * bound(place, 0, (call.length - 4) / 32 - 1);
        // forge-lint: disable-next-line(incorrect-shift)
        _put(call, place, _word(call, place) ^ 1 << bound(bit, 0, 255)); // a shifted one is meant
        assertTrue(!_accepts(call), "a refusal");
    }

    function _accepts(bytes memory call) private view returns (bool ok) {
        (ok,) = address(receipts).staticcall(call);
    }

    /// @dev The word that ends at this place of the bytes.
    function _word(bytes memory data, uint256 place) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := mload(add(data, place))
        }
    }

    function _put(bytes memory data, uint256 place, uint256 word) private pure {
        assembly ("memory-safe") {
            mstore(add(data, place), word)
        }
    }
}
