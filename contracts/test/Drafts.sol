// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AitbcRollup} from "../src/AitbcRollup.sol";
import {BatchData} from "../src/BatchData.sol";
import {BlobVector} from "./BlobVector.sol";
import {Test} from "./Test.sol";

/// @dev A batch before it is posted: its words, those of the queue items that it takes, and C.
struct Draft {
    uint256 kind;
    uint256 number;
    BatchData.Sections used;
    uint256[] words;
    uint256[] items;
    uint256 commitment;
}

/// @dev Batches of any kind with random words, and their statement worked out the plain way.
abstract contract Drafts is Test {
    uint256 internal constant R = BatchData.R;
    uint256 internal constant GENESIS_ROOT = 7;
    uint256 internal constant SHARD = 3;
    uint256 internal constant MAX_AGE = 1 days;

    AitbcRollup internal rollup;
    /// @dev Of the circuit of each kind.
    bytes4[4] internal selectors;

    function _sections(uint256 queue, uint256 registrations, uint256 transfers, uint256 sessions)
        internal
        pure
        returns (BatchData.Sections memory)
    {
        return BatchData.Sections(queue, registrations, transfers, sessions);
    }

    /// @dev The circuits' room in these tests.
    function _room() internal pure virtual returns (BatchData.Sections memory) {
        return _sections(4, 3, 5, 7);
    }

    /// @dev That of a kind: full batches have no registrations.
    function _room(uint256 kind) internal pure returns (BatchData.Sections memory room) {
        room = _room();
        if (kind == BatchData.FULL) room.registrations = 0;
    }

    /// @dev What batches have where a test does not care: everything but queue items.
    function _some(uint256 kind) internal pure returns (BatchData.Sections memory) {
        return _sections(0, kind == BatchData.FULL ? 0 : 1, 2, 2);
    }

    /// @dev Root after batch n where a test does not care; the genesis is batch 0.
    function _root(uint256 n) internal pure returns (uint256) {
        return GENESIS_ROOT + n;
    }

    function _commitment(uint256 number) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode("C", number))) % R;
    }

    function _counts(uint256 kind, BatchData.Sections memory used) internal pure returns (uint256) {
        uint256 records = kind == BatchData.FULL ? 0 : 16 * used.sessions;
        return
            used.queue | used.registrations << 16 | used.transfers << 32 | used.sessions << 48 | records << 80 | 9
                << 112;
    }

    /// @dev How many words of each section are posted, in the order of the polynomial; none of the queue items.
    function _posted(uint256 kind, BatchData.Sections memory used) internal pure returns (uint256[6] memory) {
        if (kind == BatchData.FULL) {
            return [10, 0, used.queue, used.transfers, 4 * used.transfers, 5 * used.sessions];
        }
        bool here = kind == BatchData.CALLDATA;
        return [10, 0, used.queue, here ? 5 * used.registrations : 0, 2 * used.transfers, here ? 3 * used.sessions : 0];
    }

    function _draft(uint256 number) internal view returns (Draft memory) {
        return _draft(BatchData.CALLDATA, number);
    }

    function _draft(uint256 kind, uint256 number) internal view returns (Draft memory) {
        return _draft(kind, number, _some(kind));
    }

    /// @dev The next batch or one after it; queue items it can only have if the batch before is committed.
    function _draft(uint256 kind, uint256 number, BatchData.Sections memory used)
        internal
        view
        returns (Draft memory draft)
    {
        (draft.kind, draft.number, draft.used, draft.commitment) = (kind, number, used, _commitment(number));
        uint256[6] memory posted = _posted(kind, used);
        uint256 length = 0;
        for (uint256 i = 0; i < 6; ++i) {
            length += posted[i];
        }
        uint256[] memory words = new uint256[](length);
        words[0] = 2;
        words[1] = block.chainid;
        words[2] = uint160(address(rollup));
        words[3] = SHARD;
        words[4] = number;
        words[5] = _counts(kind, used);
        words[6] = kind << 1;
        words[7] = block.timestamp - 100 + number;
        words[8] = _root(number - 1);
        words[9] = _root(number);
        for (uint256 i = 10; i < length; ++i) {
            words[i] = uint256(keccak256(abi.encode(number, i))) % R;
            // Within every packed word of a full batch.
            if (kind == BatchData.FULL && i >= 10 + used.queue + used.transfers) words[i] >>= 256 - 128;
        }
        draft.words = words;
        draft.items = _items(number, used.queue);
    }

    function _items(uint256 number, uint256 count) internal view returns (uint256[] memory) {
        if (count == 0) return new uint256[](0);
        uint256 first = rollup.batch(number - 1).lastItem + 1;
        return first + count - 1 <= rollup.queuedItems() ? rollup.queueWords(first, count) : new uint256[](0);
    }

    function _data(Draft memory draft) internal pure returns (bytes memory) {
        return abi.encodePacked(draft.words);
    }

    /// @dev keccak256 of a full batch's new root, queue results and transfer results.
    function _outcome(Draft memory draft) internal pure returns (bytes32) {
        uint256[] memory words = new uint256[](1 + draft.used.queue + draft.used.transfers);
        for (uint256 i = 0; i < words.length; ++i) {
            words[i] = draft.words[9 + i];
        }
        return keccak256(abi.encodePacked(words));
    }

    /// @dev The words in which claims stand: queue results, and then the transfers or their results.
    function _section(Draft memory draft) internal pure returns (bytes memory section) {
        uint256[6] memory posted = _posted(draft.kind, draft.used);
        bool full = draft.kind == BatchData.FULL;
        uint256 transfers = full ? 10 + posted[2] : 10 + posted[2] + posted[3];
        uint256 count = full ? posted[3] : posted[4];
        for (uint256 i = 0; i < posted[2]; ++i) {
            section = bytes.concat(section, bytes32(draft.words[10 + i]));
        }
        for (uint256 i = 0; i < count; ++i) {
            section = bytes.concat(section, bytes32(draft.words[transfers + i]));
        }
    }

    // -- the statement, the plain way ---------------------------------------------------------------------------------

    /// @dev C, ζ, y, and of a blob batch the blob's value at ζ in two halves.
    function _statement(Draft memory draft) internal pure returns (uint256[] memory statement) {
        bool blob = draft.kind == BatchData.BLOB;
        statement = new uint256[](blob ? 5 : 3);
        bytes memory hashed = bytes.concat(
            "aitbc-rollup/data/v2",
            bytes32(draft.commitment),
            keccak256(_data(draft)),
            keccak256(abi.encodePacked(draft.items))
        );
        if (blob) hashed = bytes.concat(hashed, BlobVector.VERSIONED_HASH);
        uint256 zeta = uint256(keccak256(hashed)) % R;
        (statement[0], statement[1], statement[2]) = (draft.commitment, zeta, _y(draft, zeta));
        if (blob) {
            uint256 value = _blobValue(zeta);
            (statement[3], statement[4]) = (value % 2 ** 128, value / 2 ** 128);
        }
    }

    /// @dev All words of the room, unused and unposted ones as zeros, times powers of ζ.
    function _y(Draft memory draft, uint256 zeta) internal pure returns (uint256 y) {
        BatchData.Sections memory room = _room(draft.kind);
        bool full = draft.kind == BatchData.FULL;
        uint256[6] memory posted = _posted(draft.kind, draft.used);
        uint256[6] memory rooms = full
            ? [10, 2 * room.queue, room.queue, room.transfers, 4 * room.transfers, 5 * room.sessions]
            : [10, 2 * room.queue, room.queue, 5 * room.registrations, 2 * room.transfers, 3 * room.sessions];
        uint256 power = 1;
        uint256 next = 0;
        for (uint256 section = 0; section < 6; ++section) {
            uint256 has = section == 1 ? draft.items.length : posted[section];
            for (uint256 i = 0; i < rooms[section]; ++i) {
                uint256 word = 0;
                if (i < has) word = section == 1 ? draft.items[i] : draft.words[next++];
                y = addmod(y, mulmod(word, power, R), R);
                power = mulmod(power, zeta, R);
            }
        }
    }

    /// @dev The tests' blob has two coefficients, so its opening proof is the same at every point.
    function _blobValue(uint256 zeta) internal pure returns (uint256) {
        uint256 m = BlobVector.MODULUS;
        return addmod(BlobVector.CONSTANT, mulmod(BlobVector.SLOPE, zeta, m), m);
    }

    /// @dev What `MockVerifier` takes for a statement and a payout.
    function _proof(uint256[] memory statement, address payout) internal pure returns (uint256[] memory proof) {
        proof = new uint256[](8);
        proof[0] = uint256(keccak256(abi.encodePacked(statement, uint256(uint160(payout)))));
    }

    /// @dev A queue item's two words, as docs/protocol.md packs them.
    function _item(uint256 kind, uint256 a, uint256 b, uint256 amount, address sender)
        internal
        pure
        returns (uint256[] memory words)
    {
        words = new uint256[](2);
        words[0] = kind + a * 2 ** 8 + b * 2 ** 40 + amount * 2 ** 72;
        words[1] = uint160(sender);
    }

    /// @dev An amount and the address that has a claim on it.
    function _claimWord(address to, uint256 amount) internal pure returns (uint256) {
        return amount | uint256(uint160(to)) << 88;
    }
}
