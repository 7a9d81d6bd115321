// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title Binding of a batch's bytes to the commitment that its circuit computes
/// @notice The data are 32-byte big-endian words w₀, w₁, …, each below r. With C fixed, the point
/// ζ = keccak256(tag ‖ C ‖ keccak256(data)) mod r is drawn, and y = Σ wᵢ·ζⁱ mod r computed here; the circuit computes
/// C and y from its own words. Two lists of n words that differ agree at a random point with probability below n / r.
library BatchDataV1 {
    /// @notice The word at `index` is not below r, so it would stand for two values.
    error WordNotInField(uint256 index);

    /// @dev Order of BN254's groups.
    uint256 internal constant R = 21888242871839275222246405745257275088548364400416034343698204186575808495617;
    uint256 internal constant HEADER_BYTES = 13 * 32;
    uint256 internal constant SESSION_BYTES = 3 * 32;
    bytes20 private constant TAG = "aitbc-rollup/data/v1";

    /// @dev Word `index` of the data; the caller has checked that it is there.
    function word(bytes calldata data, uint256 index) internal pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := calldataload(add(data.offset, shl(5, index)))
        }
    }

    /// @dev ζ for a commitment and the hash of the data.
    function challenge(uint256 commitment, bytes32 dataHash) internal pure returns (uint256) {
        return uint256(keccak256(abi.encodePacked(TAG, commitment, dataHash))) % R;
    }

    /// @dev y at ζ, by Horner's rule from the last word down; reverts if a word is not below r. The data are a header
    /// and whole sessions: 1 + 3·k words. About 45 gas a word.
    function evaluate(bytes calldata data, uint256 zeta) internal pure returns (uint256 y) {
        bool allInField;
        assembly ("memory-safe") {
            allInField := 1
            let end := add(data.offset, data.length)
            for {} gt(end, add(data.offset, 32)) {} {
                // mulmod < r and a word < r, so their sum does not overflow, and the next mulmod reduces it.
                let a := calldataload(sub(end, 32))
                let b := calldataload(sub(end, 64))
                end := sub(end, 96)
                let c := calldataload(end)
                allInField := and(allInField, and(lt(a, R), and(lt(b, R), lt(c, R))))
                y := add(mulmod(y, zeta, R), a)
                y := add(mulmod(y, zeta, R), b)
                y := add(mulmod(y, zeta, R), c)
            }
            let first := calldataload(data.offset)
            allInField := and(allInField, lt(first, R))
            y := addmod(mulmod(y, zeta, R), first, R)
        }
        if (!allInField) _revertAtFirstOutside(data);
    }

    function _revertAtFirstOutside(bytes calldata data) private pure {
        uint256 index = 0;
        while (word(data, index) < R) ++index;
        revert WordNotInField(index);
    }
}
