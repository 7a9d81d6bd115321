// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title A batch's words, and their binding to the commitment that its circuit computes
/// @notice The words of the polynomial are, section after section with the circuit's room for each, header, queue items,
/// and then what follows from the batch's kind (docs/protocol.md, "Data"):
///   calldata, blob, attested: queue results, registrations, transfers, sessions;
///   full: queue results, transfer results, transfers, sessions.
/// Posted are the used ones, without the queue items, which the contract has itself; of a blob or attested batch without
/// registrations and sessions too, which lie elsewhere and count as zero here. With the commitment C fixed, the point
/// ζ = keccak256(tag ‖ C ‖ keccak256(posted data) ‖ keccak256(queue items) [‖ versioned hash]) mod r is drawn, and
/// y = Σ wordᵢ·ζⁱ mod r computed here; the circuit computes C and y from its own words. Two lists of n words that differ
/// agree at a random point with probability below n / r.
library BatchData {
    /// @notice How many of each there are in a batch, or for how many a shape has room.
    struct Sections {
        uint256 queue;
        uint256 registrations;
        uint256 transfers;
        uint256 sessions;
    }

    /// @dev A batch's data taken apart: kind, counts, words of the queue items it takes, hashes of data and items, and the
    /// versioned hash of a blob batch's blob.
    struct Content {
        uint256 kind;
        Sections used;
        uint256[] items;
        bytes32 dataHash;
        bytes32 itemsHash;
        bytes32 blobHash;
    }

    /// @dev Horner's rule under way, from the last word down: the value so far, and where in the calldata the words
    /// end that are still to come.
    struct Horner {
        uint256 zeta;
        uint256 y;
        uint256 end;
        bool allInField;
    }

    /// @notice The word at `index` is not below r, so it would stand for two values.
    error WordNotInField(uint256 index);
    /// @notice The word at `index` of a full batch has bits above its layout, so it would say nothing.
    error WordTooWide(uint256 index);

    /// @dev Order of BN254's groups.
    uint256 internal constant R = 21888242871839275222246405745257275088548364400416034343698204186575808495617;
    uint256 internal constant HEADER_WORDS = 10;
    uint256 internal constant HEADER_BYTES = 32 * HEADER_WORDS;
    uint256 internal constant ITEM_WORDS = 2;
    uint256 internal constant REGISTRATION_WORDS = 5;
    uint256 internal constant TRANSFER_WORDS = 2;
    uint256 internal constant SESSION_WORDS = 3;
    uint256 internal constant FULL_TRANSFER_WORDS = 4;
    uint256 internal constant FULL_SESSION_WORDS = 5;
    /// @dev Kinds of batches, bits 1 and 2 of header word 6.
    uint256 internal constant CALLDATA = 0;
    uint256 internal constant BLOB = 1;
    uint256 internal constant ATTESTED = 2;
    uint256 internal constant FULL = 3;
    /// @dev Of a full batch the outcome begins here: new root, queue results, transfer results.
    uint256 internal constant OUTCOME = HEADER_BYTES - 32;
    /// @dev Bits of header word 5: four counts, the records, the operator's index.
    uint256 internal constant COUNTS_BITS = 144;
    bytes20 private constant TAG = "aitbc-rollup/data/v2";

    /// @dev Word `index` of the data; the caller has checked that it is there.
    function word(bytes calldata data, uint256 index) internal pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := calldataload(add(data.offset, shl(5, index)))
        }
    }

    /// @dev The counts of header word 5.
    function sections(uint256 counts) internal pure returns (Sections memory) {
        return Sections({
            queue: counts & 0xffff,
            registrations: counts >> 16 & 0xffff,
            transfers: counts >> 32 & 0xffff,
            sessions: counts >> 48 & 0xffffffff
        });
    }

    /// @dev Words of a kind's statement: C, ζ, y, and of a blob batch the blob's value in two halves.
    function statementLength(uint256 kind) internal pure returns (uint256) {
        return kind == BLOB ? 5 : 3;
    }

    /// @dev Bytes of the posted data of a batch.
    function length(Sections memory used, uint256 kind) internal pure returns (uint256 bytes_) {
        uint256 words = HEADER_WORDS + used.queue;
        if (kind == FULL) {
            words += (1 + FULL_TRANSFER_WORDS) * used.transfers + FULL_SESSION_WORDS * used.sessions;
        } else {
            words += TRANSFER_WORDS * used.transfers;
            if (kind == CALLDATA) words += REGISTRATION_WORDS * used.registrations + SESSION_WORDS * used.sessions;
        }
        return 32 * words;
    }

    /// @dev keccak256 of the words in which claims stand; 0 if there are none. Queue results, and then the transfers or, of
    /// a full batch, their results.
    function claimsHash(bytes calldata data, Sections memory used, uint256 kind) internal pure returns (bytes32) {
        if (used.queue + used.transfers == 0) return 0;
        uint256 results = HEADER_BYTES + 32 * used.queue;
        uint256 transfers = results + (kind == CALLDATA ? 32 * REGISTRATION_WORDS * used.registrations : 0);
        uint256 width = kind == FULL ? 32 : 32 * TRANSFER_WORDS;
        return keccak256(bytes.concat(data[HEADER_BYTES:results], data[transfers:transfers + width * used.transfers]));
    }

    /// @dev Where a full batch's outcome ends and its transfers and sessions begin.
    function outcomeEnd(Sections memory used) internal pure returns (uint256) {
        return HEADER_BYTES + 32 * (used.queue + used.transfers);
    }

    /// @dev keccak256 of a full batch's outcome, and of everything else that is posted: its inputs.
    function outcomeAndInputs(bytes calldata data, Sections memory used)
        internal
        pure
        returns (bytes32 outcome, bytes32 inputs)
    {
        uint256 end = outcomeEnd(used);
        outcome = keccak256(data[OUTCOME:end]);
        inputs = keccak256(bytes.concat(data[:OUTCOME], data[end:]));
    }

    /// @dev Reverts if a packed word of a full batch's transfers or sessions has bits above its layout: terms and amounts
    /// of a transfer have 137 and 152, terms and fees of a session 168 and 128.
    function checkWidths(bytes calldata data, Sections memory used) internal pure {
        uint256 index = outcomeEnd(used) / 32;
        for (uint256 i = 0; i < used.transfers; ++i) {
            if (word(data, index) >> 137 != 0) revert WordTooWide(index);
            if (word(data, index + 1) >> 152 != 0) revert WordTooWide(index + 1);
            index += FULL_TRANSFER_WORDS;
        }
        for (uint256 i = 0; i < used.sessions; ++i) {
            if (word(data, index + 1) >> 168 != 0) revert WordTooWide(index + 1);
            if (word(data, index + 2) >> 128 != 0) revert WordTooWide(index + 2);
            index += FULL_SESSION_WORDS;
        }
    }

    /// @dev ζ for a commitment and what it is about.
    function challenge(uint256 commitment, Content memory content) internal pure returns (uint256) {
        bytes memory hashed = abi.encodePacked(TAG, commitment, content.dataHash, content.itemsHash);
        if (content.kind == BLOB) hashed = bytes.concat(hashed, content.blobHash);
        return uint256(keccak256(hashed)) % R;
    }

    /// @dev y at ζ; reverts if a posted word is not below r. The data have the length that follows from the counts,
    /// and these fit in the room. About 65 gas a posted word.
    function evaluate(bytes calldata data, Content memory content, Sections memory room, uint256 zeta)
        internal
        pure
        returns (uint256)
    {
        (Sections memory used, uint256[] memory items) = (content.used, content.items);
        uint256 end;
        assembly ("memory-safe") {
            end := add(data.offset, data.length)
        }
        Horner memory h = Horner({zeta: zeta, y: 0, end: end, allInField: true});
        if (content.kind == FULL) {
            _take(h, FULL_SESSION_WORDS * used.sessions);
            _skip(h, FULL_TRANSFER_WORDS * (room.transfers - used.transfers));
            _take(h, FULL_TRANSFER_WORDS * used.transfers);
            _skip(h, room.transfers - used.transfers);
            _take(h, used.transfers);
        } else {
            bool here = content.kind == CALLDATA;
            if (here) _take(h, SESSION_WORDS * used.sessions);
            _skip(h, TRANSFER_WORDS * (room.transfers - used.transfers));
            _take(h, TRANSFER_WORDS * used.transfers);
            uint256 registrations = here ? used.registrations : 0;
            _skip(h, REGISTRATION_WORDS * (room.registrations - registrations));
            _take(h, REGISTRATION_WORDS * registrations);
        }
        _skip(h, room.queue - used.queue);
        _take(h, used.queue);
        _skip(h, ITEM_WORDS * (room.queue - used.queue));
        uint256 y = h.y;
        for (uint256 i = items.length; i != 0; --i) {
            y = addmod(mulmod(y, zeta, R), items[i - 1], R);
        }
        h.y = y;
        _take(h, HEADER_WORDS);
        if (!h.allInField) _revertAtFirstOutside(data);
        return h.y % R;
    }

    /// @dev The next `count` words of calldata, from the last one down.
    function _take(Horner memory h, uint256 count) private pure {
        (uint256 zeta, uint256 y, uint256 end, bool allInField) = (h.zeta, h.y, h.end, h.allInField);
        uint256 r = R; // a constant would be copied from the code at each of its places
        assembly ("memory-safe") {
            let begin := sub(end, shl(5, count))
            // mulmod < r and a word < r, so their sum does not overflow, and the next mulmod reduces it.
            for {} mod(sub(end, begin), 96) {} {
                end := sub(end, 32)
                let a := calldataload(end)
                allInField := and(allInField, lt(a, r))
                y := add(mulmod(y, zeta, r), a)
            }
            for {} lt(begin, end) {} {
                let a := calldataload(sub(end, 32))
                allInField := and(allInField, lt(a, r))
                y := add(mulmod(y, zeta, r), a)
                a := calldataload(sub(end, 64))
                allInField := and(allInField, lt(a, r))
                y := add(mulmod(y, zeta, r), a)
                end := sub(end, 96)
                a := calldataload(end)
                allInField := and(allInField, lt(a, r))
                y := add(mulmod(y, zeta, r), a)
            }
        }
        (h.y, h.end, h.allInField) = (y, end, allInField);
    }

    /// @dev `count` words of zero: a power of ζ, by squaring.
    function _skip(Horner memory h, uint256 count) private pure {
        (uint256 power, uint256 y) = (h.zeta, h.y);
        for (; count != 0; count >>= 1) {
            if (count & 1 == 1) y = mulmod(y, power, R);
            power = mulmod(power, power, R);
        }
        h.y = y;
    }

    function _revertAtFirstOutside(bytes calldata data) private pure {
        uint256 index = 0;
        while (word(data, index) < R) ++index;
        revert WordNotInField(index);
    }
}
