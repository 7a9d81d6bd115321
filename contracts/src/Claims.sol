// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title Payment of what final batches owe on L1
/// @notice A queue result or a transfer that names an address is a claim of that address. Each is paid once, when
/// anybody asks for it, and always to the address it names. It is the only way in which value leaves.
/// @dev Of a batch's queue results and transfers only the hash is kept: who asks shows the words.
abstract contract Claims {
    /// @notice A claim was paid.
    event ClaimPaid(uint256 indexed batchNumber, uint256 indexed word, address indexed to, uint256 amount);

    /// @notice Only final batches pay.
    error BatchNotFinal(uint256 finalized, uint256 got);
    /// @notice These are not the queue results and transfers of the batch; an expected hash of 0 says it has none.
    error SectionWrong(bytes32 expected, bytes32 got);
    /// @notice There is no such word, or it is none in which a claim stands, or it names no address.
    error NotAClaim(uint256 word);
    /// @notice The claim has been paid.
    error AlreadyPaid(uint256 batchNumber, uint256 word);
    /// @notice The receiver did not take the amount, or the contract does not have it; the claim stands.
    error PaymentFailed(address to, uint256 amount);

    /// @dev A bit for each word of a batch, 256 to a slot. Final batches are never rolled back, so no bit is ever
    /// that of another batch with the same number.
    mapping(uint256 batchNumber => mapping(uint256 slot => uint256)) private _paid;

    /// @notice Pays a claim of a final batch to the address that the claim names.
    /// @param batchNumber The batch.
    /// @param section Its queue results and then its transfers, as they were posted.
    /// @param word Which word of these: a queue result, or the second word of a transfer.
    function claim(uint256 batchNumber, bytes calldata section, uint256 word) external {
        (bytes32 expected, uint256 results) = _finalSection(batchNumber);
        bytes32 got = keccak256(section);
        if (got != expected) revert SectionWrong(expected, got);
        if (word >= section.length / 32) revert NotAClaim(word);
        // Queue results first; then each transfer has two words, and a claim stands in the second.
        if (word >= results && (word - results) & 1 == 0) revert NotAClaim(word);
        (address to, uint256 amount) = _parse(uint256(bytes32(section[32 * word:])));
        if (to == address(0)) revert NotAClaim(word);

        // forge-lint: disable-next-line(incorrect-shift)
        (uint256 slot, uint256 bit) = (word >> 8, 1 << (word & 0xff)); // a shifted one is meant
        if (_paid[batchNumber][slot] & bit != 0) revert AlreadyPaid(batchNumber, word);
        _paid[batchNumber][slot] |= bit;
        emit ClaimPaid(batchNumber, word, to, amount);

        // What the receiver returns is not copied, so it cannot make the caller pay for memory.
        bool taken;
        assembly ("memory-safe") {
            taken := call(gas(), to, amount, 0, 0, 0, 0)
        }
        if (!taken) revert PaymentFailed(to, amount);
    }

    /// @notice Whether the claim in this word of a batch's queue results and transfers has been paid.
    function isPaid(uint256 batchNumber, uint256 word) external view returns (bool) {
        return _paid[batchNumber][word >> 8] >> (word & 0xff) & 1 == 1;
    }

    /// @dev Hash of a final batch's queue results and transfers, 0 if it has none, and the number of queue results;
    /// reverts if the batch is not final.
    function _finalSection(uint256 batchNumber) internal view virtual returns (bytes32 hash, uint256 results);

    /// @dev amount (88) + address (160), lowest bits first; a queue result has its valid bit above.
    function _parse(uint256 value) private pure returns (address to, uint256 amount) {
        // forge-lint: disable-next-line(unsafe-typecast)
        return (address(uint160(value >> 88)), value & type(uint88).max); // the 160 bits of the address
    }
}
