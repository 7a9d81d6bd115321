// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IAccountProofs} from "../IAccountProofs.sol";
import {Run} from "./Run.sol";

/// @title What a receipt is checked against
interface IFinalRoots {
    /// @notice The root after a final batch; reverts if it is not final.
    function finalRoot(uint256 batchNumber) external view returns (uint256);
    /// @notice The shard whose roots these are.
    function shard() external view returns (uint256);
    /// @notice Who checks Merkle proofs of accounts.
    function accountProofs() external view returns (IAccountProofs);
}

/// @notice Where Poseidon with so many inputs is: a contract that takes the initial state and the inputs, 32 bytes each, and
/// returns one word; it reverts for a word that is not below r, and for calldata of another length.
struct Hashers {
    address two;
    address three;
    address four;
    address five;
    address sixteen;
}

/// @notice A record's way to a final root: docs/protocol.md, "Receipt". `aitbc-rollup receipt` makes one.
/// @param batchNumber A final batch, that of the record or a later one.
/// @param place Number of the record in its session, from 0.
/// @param stateBefore State of the fold over the session's words before the block of 16 in which the record begins.
/// @param words The words from that block to the end of the session's last page.
/// @param terms The session's packed terms: agent, provider, nonce, count, operator_share_bps, expiry.
/// @param fees The session's fee and fee cap, packed.
/// @param historyBefore The agent's history root before the session.
/// @param laterMessages Messages of the agent's sessions after it, up to the root.
/// @param leaf The eight words of the agent's account under the root.
/// @param siblings The three other children of each node on its way, from the leaf's level upwards, by ascending place.
struct Receipt {
    uint256 batchNumber;
    uint256 place;
    uint256 stateBefore;
    uint256[] words;
    uint256 terms;
    uint256 fees;
    uint256 historyBefore;
    uint256[] laterMessages;
    uint256[8] leaf;
    uint256[48] siblings;
}

/// @title Checks that an agent's run is in a final state of a rollup
/// @notice The run stands in a session, whose message stands in the history of the agent's account, which stands under a final
/// root. So its agent signed for it, and the rollup took the session as valid and moved the fee. What the run says of itself
/// (task, usage, outcome, metadata) is its agent's word.
/// @dev Every word goes through a hasher, which refuses what is not below r: no word passes as another one plus r. Nor can a
/// record be read off its place: words are counted from the end, their number follows from the count in the terms, and the
/// first block begins with the tag. Sessions of full batches are final without their records having been in a circuit: then
/// nothing but their agent's signature says that the records add up to what the session charged.
contract Receipts {
    uint256 private constant HISTORY = 2;
    uint256 private constant SESSION = 3;
    uint256 private constant RECORDS = 4;
    uint256 private constant RUN = 7;
    uint256 private constant DOMAIN = 8;
    uint256 private constant RECORD_WORDS = 5;
    uint256 private constant PAGE_RECORDS = 16;
    uint256 private constant PAGE_WORDS = 80;
    uint256 private constant BLOCK = 16;
    /// @dev Above the outcome of record word 0, and where the agent's index begins in word 1.
    uint256 private constant WORD_0_BITS = 194;
    uint256 private constant AGENT_SHIFT = 112;
    uint256 private constant HISTORY_ROOT = 6;
    uint256 private constant EXTERNAL_ID = 7;

    /// @notice The session has `count` records, numbered from 0.
    error NotARecord(uint256 count, uint256 place);
    /// @notice Not as many words as lie between the record's block and the end of the session's last page.
    error WordsWrong(uint256 expected, uint256 got);
    /// @notice The fold over a session's words begins with the tag.
    error StateWrong(uint256 expected, uint256 got);
    /// @notice Beyond the session's last record its last page is zeros; word `index` of those given is not.
    error FillNotZero(uint256 index);
    /// @notice Word 0 or 1 of the record is not of the protocol's layout, or of another agent.
    error RecordMalformed(uint256 agent, uint256 word0, uint256 word1);
    /// @notice The session does not lead to the account's history root: a word is wrong, or it was signed for another rollup.
    error HistoryWrong(uint256 expected, uint256 got);
    /// @notice The agent's account does not stand under the root like this.
    error AccountWrong(uint32 index);
    /// @notice A word is not below r, or there is no hasher.
    error HashRefused(address hasher);

    /// @notice The rollup whose runs these are.
    IFinalRoots public immutable rollup;
    /// @notice Its shard.
    uint256 public immutable shard;
    /// @notice Who checks Merkle proofs of its accounts.
    IAccountProofs public immutable accountProofs;
    address private immutable HASH2;
    address private immutable HASH3;
    address private immutable HASH4;
    address private immutable HASH5;
    address private immutable HASH16;

    /// @param rollup_ The rollup whose runs these are.
    /// @param hashers Poseidon.
    constructor(IFinalRoots rollup_, Hashers memory hashers) {
        (rollup, shard, accountProofs) = (rollup_, rollup_.shard(), rollup_.accountProofs());
        (HASH2, HASH3, HASH4) = (hashers.two, hashers.three, hashers.four);
        (HASH5, HASH16) = (hashers.five, hashers.sixteen);
    }

    /// @notice The run that a receipt proves; reverts if it proves none.
    function verifyRecord(Receipt calldata receipt) external view returns (Run memory run) {
        uint256 root = rollup.finalRoot(receipt.batchNumber);
        run = _run(receipt, _checkWords(receipt));
        uint256 history = _history(receipt);
        if (history != receipt.leaf[HISTORY_ROOT]) revert HistoryWrong(receipt.leaf[HISTORY_ROOT], history);
        if (!accountProofs.isAccount(root, run.agent, receipt.leaf, receipt.siblings)) revert AccountWrong(run.agent);
    }

    /// @notice What stands for chain, contract and shard in every signed message; hashed anew, as a fork takes another id.
    function domain() public view returns (uint256) {
        return _hash(HASH3, abi.encode(DOMAIN, block.chainid, rollup, shard));
    }

    /// @dev The place is that of a record, and the words are as many as there are from its block on, with zeros where no
    /// record is. Returns where the record begins.
    function _checkWords(Receipt calldata receipt) private pure returns (uint256 start) {
        // forge-lint: disable-next-line(unsafe-typecast)
        uint256 count = uint16(receipt.terms >> 96); // the field's width
        if (receipt.place >= count) revert NotARecord(count, receipt.place);
        start = receipt.place * RECORD_WORDS;
        uint256 before = start - start % BLOCK;
        start -= before;
        // slither-disable-next-line divide-before-multiply (whole pages are meant)
        uint256 length = (count + PAGE_RECORDS - 1) / PAGE_RECORDS * PAGE_WORDS - before;
        if (receipt.words.length != length) revert WordsWrong(length, receipt.words.length);
        if (before == 0 && receipt.stateBefore != RECORDS) revert StateWrong(RECORDS, receipt.stateBefore);
        for (uint256 i = count * RECORD_WORDS - before; i < length; ++i) {
            if (receipt.words[i] != 0) revert FillNotZero(i);
        }
    }

    /// @dev The record that begins at `start`, and what terms and leaf say of it.
    // forge-lint: disable-next-item(unsafe-typecast)
    function _run(Receipt calldata receipt, uint256 start) private view returns (Run memory run) {
        uint256[] calldata words = receipt.words[start:start + RECORD_WORDS];
        uint256 terms = receipt.terms;
        (run.agent, run.provider, run.nonce) = (uint32(terms), uint32(terms >> 32), uint32(terms >> 64));
        if (words[0] >> WORD_0_BITS != 0 || words[1] >> AGENT_SHIFT != run.agent) {
            revert RecordMalformed(run.agent, words[0], words[1]);
        }
        run.place = uint16(receipt.place); // below the count
        run.externalId = receipt.leaf[EXTERNAL_ID];
        run.words = [words[0], words[1], words[2], words[3], words[4]];
        run.runHash = _hash(HASH5, abi.encodePacked(RUN, words));
    }

    /// @dev The agent's history root after the session and those that came later.
    function _history(Receipt calldata receipt) private view returns (uint256 history) {
        uint256 state = receipt.stateBefore;
        for (uint256 i = 0; i < receipt.words.length; i += BLOCK) {
            state = _hash(HASH16, abi.encodePacked(state, receipt.words[i:i + BLOCK]));
        }
        uint256 message = _hash(HASH4, abi.encode(SESSION, domain(), state, receipt.terms, receipt.fees));
        history = _hash(HASH2, abi.encode(HISTORY, receipt.historyBefore, message));
        for (uint256 i = 0; i < receipt.laterMessages.length; ++i) {
            history = _hash(HASH2, abi.encode(HISTORY, history, receipt.laterMessages[i]));
        }
    }

    /// @dev Poseidon of an initial state and inputs.
    function _hash(address hasher, bytes memory words) private view returns (uint256) {
        (bool ok, bytes memory result) = hasher.staticcall(words);
        if (!ok || result.length != 32) revert HashRefused(hasher);
        return abi.decode(result, (uint256));
    }
}
