// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title A batch's words, and their binding to the commitment that its circuit computes
/// @notice The words of the polynomial are, section after section with the shape's room for each: header, queue
/// items, queue results, registrations, transfers, sessions. Posted are the used ones, without the queue items, which
/// the contract has itself; room that is not used is zero. With the commitment C fixed, the point
/// ζ = keccak256(tag ‖ C ‖ keccak256(posted data) ‖ keccak256(queue items)) mod r is drawn, and y = Σ wordᵢ·ζⁱ mod r
/// computed here; the circuit computes C and y from its own words. Two lists of n words that differ agree at a random
/// point with probability below n / r. docs/protocol.md, "Data" and "Binding the data".
library BatchData {
    /// @notice How many of each there are in a batch, or for how many a shape has room.
    struct Sections {
        uint256 queue;
        uint256 registrations;
        uint256 transfers;
        uint256 sessions;
    }

    /// @dev A batch's data taken apart: counts, words of the queue items it takes, hashes of data and items.
    struct Content {
        Sections used;
        uint256[] items;
        bytes32 dataHash;
        bytes32 itemsHash;
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

    /// @dev Order of BN254's groups.
    uint256 internal constant R = 21888242871839275222246405745257275088548364400416034343698204186575808495617;
    uint256 internal constant HEADER_WORDS = 10;
    uint256 internal constant HEADER_BYTES = 32 * HEADER_WORDS;
    uint256 internal constant ITEM_WORDS = 2;
    uint256 internal constant REGISTRATION_WORDS = 5;
    uint256 internal constant TRANSFER_WORDS = 2;
    uint256 internal constant SESSION_WORDS = 3;
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

    /// @dev Whether header word 5 could say so many.
    function areCounts(Sections memory room) internal pure returns (bool) {
        return (room.queue | room.registrations | room.transfers) >> 16 == 0 && room.sessions >> 32 == 0;
    }

    /// @dev Bytes of the posted data of a batch.
    function length(Sections memory used) internal pure returns (uint256) {
        uint256 words = HEADER_WORDS + used.queue + REGISTRATION_WORDS * used.registrations;
        return 32 * (words + TRANSFER_WORDS * used.transfers + SESSION_WORDS * used.sessions);
    }

    /// @dev keccak256 of the words in which claims stand, queue results and then transfers; 0 if there are none.
    function claimsHash(bytes calldata data, Sections memory used) internal pure returns (bytes32) {
        if (used.queue + used.transfers == 0) return 0;
        uint256 results = HEADER_BYTES + 32 * used.queue;
        uint256 transfers = results + 32 * REGISTRATION_WORDS * used.registrations;
        return keccak256(
            bytes.concat(data[HEADER_BYTES:results], data[transfers:transfers + 32 * TRANSFER_WORDS * used.transfers])
        );
    }

    /// @dev ζ for a commitment and what it is about.
    function challenge(uint256 commitment, Content memory content) internal pure returns (uint256) {
        return uint256(keccak256(abi.encodePacked(TAG, commitment, content.dataHash, content.itemsHash))) % R;
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
        _take(h, SESSION_WORDS * used.sessions);
        _skip(h, TRANSFER_WORDS * (room.transfers - used.transfers));
        _take(h, TRANSFER_WORDS * used.transfers);
        _skip(h, REGISTRATION_WORDS * (room.registrations - used.registrations));
        _take(h, REGISTRATION_WORDS * used.registrations);
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
        assembly ("memory-safe") {
            let begin := sub(end, shl(5, count))
            // mulmod < r and a word < r, so their sum does not overflow, and the next mulmod reduces it.
            for {} mod(sub(end, begin), 96) {} {
                end := sub(end, 32)
                let a := calldataload(end)
                allInField := and(allInField, lt(a, R))
                y := add(mulmod(y, zeta, R), a)
            }
            for {} lt(begin, end) {} {
                end := sub(end, 96)
                let c := calldataload(end)
                let b := calldataload(add(end, 32))
                let a := calldataload(add(end, 64))
                allInField := and(and(and(lt(a, R), lt(b, R)), lt(c, R)), allInField)
                y := add(mulmod(add(mulmod(add(mulmod(y, zeta, R), a), zeta, R), b), zeta, R), c)
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
