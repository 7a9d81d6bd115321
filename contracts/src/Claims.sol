// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Parameters} from "./Parameters.sol";
import {Treasury} from "./Treasury.sol";

/// @title What final batches owe on L1
/// @notice A queue result or a transfer that names an address is a claim of that address. Some time after its batch became
/// final, which nobody can shorten, anybody turns it into a debt of the rollup to that address, once.
/// @dev Of a batch's queue results and transfers only the hash is kept: who asks shows the words.
abstract contract Claims is Treasury {
    /// @notice A claim is owed to its address from now on.
    event Claimed(uint256 indexed batchNumber, uint256 indexed word, address indexed to, uint256 amount);

    /// @notice Only final batches pay.
    error BatchNotFinal(uint256 finalized, uint256 got);
    /// @notice The batch pays from `from` on, in unix seconds.
    error ClaimTooEarly(uint256 from);
    /// @notice These are not the queue results and transfers of the batch; an expected hash of 0 says it has none.
    error SectionWrong(bytes32 expected, bytes32 got);
    /// @notice There is no such word, or it is none in which a claim stands, or it names no address.
    error NotAClaim(uint256 word);
    /// @notice The claim was made before.
    error AlreadyClaimed(uint256 batchNumber, uint256 word);

    /// @notice From a batch's finalization until what it owes can be claimed, in seconds.
    uint256 public immutable withdrawalDelay;
    /// @dev A bit for each word of a batch, 256 to a slot. Final batches are never rolled back, so no bit is ever
    /// that of another batch with the same number.
    mapping(uint256 batchNumber => mapping(uint256 slot => uint256)) private _claimed;

    constructor(Parameters memory p) {
        withdrawalDelay = p.withdrawalDelay;
    }

    /// @notice Makes a claim of a final batch a debt to the address that the claim names, which `withdraw` pays.
    /// @param batchNumber The batch.
    /// @param section Its queue results and then its transfers (of a full batch, their results), as they were posted.
    /// @param word Which word of these: a queue result, the second word of a transfer, or a transfer's result.
    function claim(uint256 batchNumber, bytes calldata section, uint256 word) external {
        (bytes32 expected, uint256 results, uint256 width, uint256 finalizedAt) = _finalSection(batchNumber);
        // forge-lint: disable-next-line(block-timestamp)
        if (block.timestamp < finalizedAt + withdrawalDelay) revert ClaimTooEarly(finalizedAt + withdrawalDelay);
        bytes32 got = keccak256(section);
        if (got != expected) revert SectionWrong(expected, got);
        if (word >= section.length / 32) revert NotAClaim(word);
        // Queue results first; then `width` words a transfer, in the last of which a claim stands.
        // slither-disable-next-line weak-prng (a remainder, no randomness)
        if (word >= results && (word - results) % width != width - 1) revert NotAClaim(word);
        (address to, uint256 amount) = _parse(uint256(bytes32(section[32 * word:])));
        if (to == address(0)) revert NotAClaim(word);

        // forge-lint: disable-next-line(incorrect-shift)
        (uint256 slot, uint256 bit) = (word >> 8, 1 << (word & 0xff)); // a shifted one is meant
        if (_claimed[batchNumber][slot] & bit != 0) revert AlreadyClaimed(batchNumber, word);
        _claimed[batchNumber][slot] |= bit;
        owed[to] += amount;
        emit Claimed(batchNumber, word, to, amount);
    }

    /// @notice Whether the claim in this word of a batch's queue results and transfers was made.
    function isClaimed(uint256 batchNumber, uint256 word) external view returns (bool) {
        return _claimed[batchNumber][word >> 8] >> (word & 0xff) & 1 == 1;
    }

    /// @dev Hash of a final batch's queue results and transfers, 0 if it has none, the number of queue results, words a
    /// transfer, and when the batch became final; reverts if it is not.
    function _finalSection(uint256 batchNumber)
        internal
        view
        virtual
        returns (bytes32 hash, uint256 results, uint256 width, uint256 finalizedAt);

    /// @dev amount (88) + address (160), lowest bits first; a queue result has its valid bit above.
    function _parse(uint256 value) private pure returns (address to, uint256 amount) {
        // forge-lint: disable-next-line(unsafe-typecast)
        return (address(uint160(value >> 88)), value & type(uint88).max); // the 160 bits of the address
    }
}
