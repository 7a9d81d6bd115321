// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IVerifier} from "./IVerifier.sol";

/// @title Groth16 verifier on BN254 whose key lies behind its code
/// @notice Deployed through `Groth16VerifierInit`, which checks the key and makes the account's code
/// `runtime ‖ key ‖ length of the key`; reading it costs a code copy instead of storage reads.
/// @dev J. Groth, "On the size of pairing-based non-interactive arguments", EUROCRYPT 2016, section 3.2:
/// e(A, B) = e(alpha, beta) · e(Σ xᵢ·ICᵢ, gamma) · e(C, delta), with x₀ = 1. Points as in EIP-196 and EIP-197.
///
/// Of a circuit with a commitment (docs/spec/commitment.md) the last public wire is the challenge c, drawn here from D and
/// the inputs, and D = Σ wᵢ·Kᵢ stands with the public inputs. PoK = sigma·D is checked in the same pairing, multiplied by a
/// rho drawn from the whole proof:
/// e(A, B) = e(alpha, beta) · e(Σ xᵢ·ICᵢ + c·IC_last + D − rho·PoK, gamma) · e(C, delta) · e(rho·D, kappa).
///
/// Key, in 32-byte words: flags | alpha (2) | beta (4) | gamma (4) | delta (4) | with a commitment kappa (4) | IC (2 each:
/// one more than inputs, with a commitment two more). Flags: 1 a development key, 2 a commitment.
///
/// A proof is malleable: from one valid proof anyone makes others. Never use it as a replay key.
contract Groth16Verifier is IVerifier {
    /// @notice The public input at `index` is not below r, so it would stand for two values.
    error InputNotInField(uint256 index);
    /// @notice The key takes another number of public inputs.
    error WrongInputCount(uint256 expected, uint256 got);
    /// @notice The key takes proofs of another number of words: eight, or twelve with a commitment.
    error WrongProofLength(uint256 expected, uint256 got);
    /// @notice A precompile refused the proof: a coordinate not below p, a point off its curve or its group. Or D is the
    /// identity. Too little gas reads the same.
    error ProofMalformed();
    /// @notice Well-formed, but the pairing equation does not hold.
    error ProofInvalid();

    /// @dev Order of the groups: 36u⁴ + 36u³ + 18u² + 6u + 1, u = 4965661367192848881.
    uint256 private constant R = 21888242871839275222246405745257275088548364400416034343698204186575808495617;
    /// @dev Modulus of the coordinates: R + 6u².
    uint256 private constant P = 21888242871839275222246405745257275088696311157297823662689037894645226208583;
    /// @dev Limit for the pairing, 215,000 gas by EIP-1108: a precompile that refuses its input burns all it was given.
    uint256 private constant PAIRING_GAS = 1_000_000;
    /// @dev The same for a multiplication, 6,000 gas, or an addition: D and PoK are the proof's.
    uint256 private constant POINT_GAS = 50_000;
    /// @dev What begins the hashes that draw c and rho, 25 bytes each.
    bytes32 private constant CHALLENGE_TAG = "aitbc-rollup/challenge/v1";
    bytes32 private constant KNOWLEDGE_TAG = "aitbc-rollup/knowledge/v1";

    /// @inheritdoc IVerifier
    function verify(uint256[] calldata proof, uint256[] calldata inputs) external view {
        (uint256 key, uint256 count, uint256 committed) = _key();
        if (inputs.length != count) revert WrongInputCount(count, inputs.length);
        for (uint256 i = 0; i < count; ++i) {
            if (inputs[i] >= R) revert InputNotInField(i);
        }
        uint256 words = 8 + 4 * committed;
        if (proof.length != words) revert WrongProofLength(words, proof.length);
        // The y of A and of PoK is negated below: one of p or more would become another, valid coordinate.
        if (proof[1] >= P) revert ProofMalformed();
        if (committed == 1 && (proof[11] >= P || proof[8] | proof[9] == 0)) revert ProofMalformed();

        bool ok;
        bool holds;
        assembly ("memory-safe") {
            // At sum: accumulator, point, scalar. Adds scalar times the point, and leaves that at the point.
            function addScaled(sum) -> done {
                done := staticcall(POINT_GAS, 0x07, add(sum, 64), 96, add(sum, 64), 64)
                done := and(done, staticcall(POINT_GAS, 0x06, sum, 128, sum, 64))
            }

            // Five pairs of 192 bytes at m: (−A, B), (alpha, beta), (Σ, gamma), (C, delta), (rho·D, kappa), the last if
            // there is a commitment. Behind them 160 bytes for the sum. Nothing is kept, so the free pointer need not
            // move.
            let m := mload(0x40)
            let sum := add(m, 960)
            let a := proof.offset

            let c := 0
            if committed {
                mstore(m, CHALLENGE_TAG)
                calldatacopy(add(m, 25), add(a, 256), 64)
                calldatacopy(add(m, 89), inputs.offset, shl(5, count))
                c := mod(keccak256(m, add(89, shl(5, count))), R)
            }

            let ic := add(key, add(480, shl(7, committed)))
            codecopy(sum, ic, 64)
            ok := 1
            for { let i := 0 } lt(i, count) { i := add(i, 1) } {
                ic := add(ic, 64)
                codecopy(add(sum, 64), ic, 64)
                calldatacopy(add(sum, 128), add(inputs.offset, shl(5, i)), 32)
                ok := and(ok, addScaled(sum))
            }

            if committed {
                codecopy(add(sum, 64), add(ic, 64), 64)
                mstore(add(sum, 128), c)
                ok := and(ok, addScaled(sum))
                calldatacopy(add(sum, 64), add(a, 256), 64)
                ok := and(ok, staticcall(POINT_GAS, 0x06, sum, 128, sum, 64))

                mstore(m, KNOWLEDGE_TAG)
                calldatacopy(add(m, 25), a, 384)
                mstore(add(m, 409), c)
                let rho := add(and(keccak256(m, 441), sub(shl(128, 1), 1)), 1)

                calldatacopy(add(sum, 64), add(a, 320), 64)
                mstore(add(sum, 96), mod(sub(P, mload(add(sum, 96))), P))
                mstore(add(sum, 128), rho)
                ok := and(ok, addScaled(sum))

                calldatacopy(add(m, 768), add(a, 256), 64)
                mstore(add(m, 832), rho)
                ok := and(ok, staticcall(POINT_GAS, 0x07, add(m, 768), 96, add(m, 768), 64))
                codecopy(add(m, 832), add(key, 480), 128)
            }

            calldatacopy(m, a, 192)
            mstore(add(m, 32), mod(sub(P, mload(add(m, 32))), P))
            codecopy(add(m, 192), add(key, 32), 192)
            mcopy(add(m, 384), sum, 64)
            codecopy(add(m, 448), add(key, 224), 128)
            calldatacopy(add(m, 576), add(a, 192), 64)
            codecopy(add(m, 640), add(key, 352), 128)

            mstore(0, 0)
            ok := and(ok, staticcall(PAIRING_GAS, 0x08, m, add(768, mul(192, committed)), 0, 32))
            holds := eq(mload(0), 1)
        }
        if (!ok) revert ProofMalformed();
        if (!holds) revert ProofInvalid();
    }

    /// @inheritdoc IVerifier
    function isDevelopment() external pure returns (bool) {
        (uint256 key,,) = _key();
        return _flags(key) & 1 == 1;
    }

    /// @inheritdoc IVerifier
    function inputCount() external pure returns (uint256 count) {
        (, count,) = _key();
    }

    /// @inheritdoc IVerifier
    function keyHash() external pure returns (bytes32 hash) {
        (uint256 key,,) = _key();
        assembly ("memory-safe") {
            let m := mload(0x40)
            let length := sub(sub(codesize(), 32), key)
            codecopy(m, key, length)
            hash := keccak256(m, length)
        }
    }

    /// @dev Where in the code the key begins, how many public inputs it is for, and 1 if there is a commitment, else 0.
    function _key() private pure returns (uint256 key, uint256 count, uint256 committed) {
        uint256 length;
        assembly ("memory-safe") {
            let end := sub(codesize(), 32)
            codecopy(0, end, 32)
            length := mload(0)
            key := sub(end, length)
        }
        committed = (_flags(key) >> 1) & 1;
        // 15 words and 2 a point; kappa's 4 and the challenge's 2 with a commitment.
        count = (length - 544 - 192 * committed) / 64;
    }

    function _flags(uint256 key) private pure returns (uint256 flags) {
        assembly ("memory-safe") {
            codecopy(0, key, 32)
            flags := mload(0)
        }
    }
}

/// @title Creation code of `Groth16Verifier`: checks a key, then installs the verifier with it
/// @notice Deploy `creation code ‖ abi.encode(key)`. A key that proves nothing is refused, so that the address of a
/// verifier says that its key was checked.
/// @dev What cannot be checked on chain is that nobody knows alpha, beta, gamma, delta and sigma: that is the set-up's
/// part.
contract Groth16VerifierInit {
    /// @notice The length is not 32 · (15 + 2 · (inputs + 1)) bytes; with a commitment, 32 · (19 + 2 · (inputs + 2)).
    error KeyLengthWrong(uint256 got);
    /// @notice A bit of the flags is set that has no meaning.
    error KeyFlagsUnknown(uint256 flags);
    /// @notice The word at this index of the key, flags being word 0, is a coordinate not below p.
    error KeyCoordinateNotInField(uint256 word);
    /// @notice The point that begins at this word is the identity: it would leave its part of the statement unbound.
    error KeyPointIsIdentity(uint256 word);
    /// @notice The point of G1 that begins at this word is not on the curve.
    error KeyPointNotOnCurve(uint256 word);
    /// @notice beta, gamma, delta or kappa is not in G2, the subgroup of order r on the twist.
    error KeyPointNotInGroup();
    /// @notice Two of beta, gamma, delta and kappa, which begin at these words, are equal up to sign: then anyone proves
    /// anything. With delta = −gamma, for one, A = alpha, B = beta and C = Σ xᵢ·ICᵢ verify for every x.
    error KeyPointsDependent(uint256 first, uint256 second);

    uint256 private constant P = 21888242871839275222246405745257275088696311157297823662689037894645226208583;

    /// @param key Flags, points and IC points, as laid out at `Groth16Verifier`.
    constructor(bytes memory key) {
        _check(key);
        bytes memory code = bytes.concat(type(Groth16Verifier).runtimeCode, key, bytes32(key.length));
        assembly ("memory-safe") {
            return(add(code, 32), mload(code))
        }
    }

    function _check(bytes memory key) private view {
        uint256 words = key.length / 32;
        if (key.length % 64 != 32 || words < 17) revert KeyLengthWrong(key.length);
        uint256 flags = _word(key, 0);
        if (flags > 3) revert KeyFlagsUnknown(flags);
        // beta, gamma, delta and kappa begin at word 3, four words each, and the IC points after them.
        uint256 ic = flags & 2 == 2 ? 19 : 15;
        if (words < ic + (ic == 19 ? 4 : 2)) revert KeyLengthWrong(key.length);
        for (uint256 i = 1; i < words; ++i) {
            if (_word(key, i) >= P) revert KeyCoordinateNotInField(i);
        }
        _checkG1(key, 1);
        for (uint256 i = ic; i < words; i += 2) {
            _checkG1(key, i);
        }
        for (uint256 i = 3; i < ic; i += 4) {
            if (_word(key, i) | _word(key, i + 1) | _word(key, i + 2) | _word(key, i + 3) == 0) {
                revert KeyPointIsIdentity(i);
            }
            for (uint256 j = 3; j < i; j += 4) {
                _checkDifferent(key, j, i);
            }
        }
        _checkG2(key, ic);
    }

    /// @dev On y² = x³ + 3 and not the identity; the cofactor of G1 is 1.
    function _checkG1(bytes memory key, uint256 index) private pure {
        (uint256 x, uint256 y) = (_word(key, index), _word(key, index + 1));
        if (x | y == 0) revert KeyPointIsIdentity(index);
        if (mulmod(y, y, P) != addmod(mulmod(mulmod(x, x, P), x, P), 3, P)) revert KeyPointNotOnCurve(index);
    }

    /// @dev Points of G2 that are equal up to sign have the same x.
    function _checkDifferent(bytes memory key, uint256 first, uint256 second) private pure {
        if (_word(key, first) == _word(key, second) && _word(key, first + 1) == _word(key, second + 1)) {
            revert KeyPointsDependent(first, second);
        }
    }

    /// @dev The pairing precompile checks curve and subgroup of every point, also of those paired with the identity.
    function _checkG2(bytes memory key, uint256 ic) private view {
        bytes memory pairs = new bytes((ic - 3) * 48);
        for (uint256 i = 0; i < ic - 3; ++i) {
            uint256 word = _word(key, 3 + i);
            assembly ("memory-safe") {
                mstore(add(pairs, add(mul(shr(2, i), 192), add(96, shl(5, and(i, 3))))), word)
            }
        }
        (bool ok, bytes memory one) = address(8).staticcall{gas: 1_000_000}(pairs);
        if (!ok || one.length != 32 || abi.decode(one, (uint256)) != 1) revert KeyPointNotInGroup();
    }

    function _word(bytes memory key, uint256 index) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := mload(add(key, add(32, shl(5, index))))
        }
    }
}
