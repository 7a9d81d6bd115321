"""Keys and proofs as contracts take them, and a stand-alone Solidity verifier of one key.

Points are encoded as in EIP-196 and EIP-197: 32-byte big-endian coordinates, the imaginary part of an Fq2 element
before the real one, and the identity as zeros.

``contracts/src/Groth16Verifier.sol`` takes its key at deployment and is what the rollup uses. :func:`emit_verifier`
writes the same checks with the key as constants, for someone who wants one readable file to deploy and to audit.
"""

from __future__ import annotations

import re

from eth_hash.auto import keccak

from aitbc_rollup.algebra.bn254 import P, R
from aitbc_rollup.errors import BadInputError

from .groth16 import check_key
from .transcript import CHALLENGE_TAG, KNOWLEDGE_TAG
from .types import G2Point, VerifyingKey, g1_words, g2_words

_DEVELOPMENT, _COMMITTED = 1, 2


def verifying_key_blob(vk: VerifyingKey) -> bytes:
    """A key as ``Groth16VerifierInit`` takes it: flags, alpha, beta, gamma, delta, IC points; 32-byte words.

    Flags: bit 0 is set for a development key, bit 1 for one with a commitment, whose kappa then follows delta. The
    contract checks the points; nothing is checked here.

    Raises:
        BadInputError: the key's challenge is drawn with Poseidon, which is for proofs that a circuit verifies.
    """
    kappa: tuple[int, ...] = ()
    if vk.commitment is not None:
        if vk.commitment.hash != "keccak":
            raise BadInputError(
                "no contract draws this key's challenge",
                place="hash",
                expected="keccak",
                got=vk.commitment.hash,
                hint="make a key whose challenge is drawn with keccak",
            )
        kappa = g2_words(vk.commitment.kappa_g2)
    words = [
        _DEVELOPMENT * vk.development | _COMMITTED * (vk.commitment is not None),
        *g1_words(vk.alpha_g1),
        *g2_words(vk.beta_g2),
        *g2_words(vk.gamma_g2),
        *g2_words(vk.delta_g2),
        *kappa,
        *(coordinate for point in vk.ic for coordinate in g1_words(point)),
    ]
    return b"".join(word.to_bytes(32, "big") for word in words)


def emit_verifier(vk: VerifyingKey, name: str = "Verifier") -> str:
    """Source of a Solidity contract that verifies proofs of this one key, its points written out as constants.

    It has the functions and errors of ``contracts/src/IVerifier.sol``: ``verify`` returns nothing and reverts unless
    the proof holds. Beside it stands ``verifyProof`` with the ABI of snarkjs's verifiers, which answers true or false;
    not for a key with a commitment, whose proofs have two more points than that ABI has room for, nor for one without
    public inputs, for Solidity has no ``uint256[0]``. No imports; compiles from 0.8.24 on, for Cancun and later.

    Args:
        vk: the key, checked here: the contract does not check it again.
        name: the contract's name.

    Raises:
        BadInputError: the key is refused, its challenge is drawn with Poseidon, or the name is no identifier.
    """
    check_key(vk)
    if not re.fullmatch(r"[A-Z][A-Za-z0-9_]{0,63}", name):
        expected = "a capital letter, then letters, digits and underscores, 64 at most"
        raise BadInputError("not a contract's name", expected=expected, got=repr(name))
    named = {
        **dict(zip(("ALPHA_X", "ALPHA_Y"), g1_words(vk.alpha_g1), strict=True)),
        **_named_g2("BETA", vk.beta_g2),
        **_named_g2("GAMMA", vk.gamma_g2),
        **_named_g2("DELTA", vk.delta_g2),
    }
    if vk.commitment is not None:
        named |= _named_g2("KAPPA", vk.commitment.kappa_g2)
    for i, point in enumerate(vk.ic):
        named |= dict(zip((f"IC{i}_X", f"IC{i}_Y"), g1_words(point), strict=True))
    terms = [
        f"ok := and(ok, addScaled(sum, IC{i + 1}_X, IC{i + 1}_Y, calldataload(add(inputs, {32 * i}))))"
        for i in range(vk.n_public)
    ]
    blob = verifying_key_blob(vk)
    committed = vk.commitment is not None
    fields = {
        "NAME": name,
        "WORDS": str(12 if committed else 8),
        "BYTES": str(960 if committed else 768),
        "LAST": f"IC{len(vk.ic) - 1}",
        "INPUT_BYTES": str(32 * vk.n_public),
        "HASHED_BYTES": str(len(CHALLENGE_TAG) + 64 + 32 * vk.n_public),
        "CHALLENGE_TAG": CHALLENGE_TAG.decode(),
        "KNOWLEDGE_TAG": KNOWLEDGE_TAG.decode(),
        "COUNT": str(vk.n_public),
        "PAIRING_NEEDS": "220_000" if committed else "185_000",
        "DEVELOPMENT": "true" if vk.development else "false",
        "KEY_HASH": "0x" + keccak(blob).hex(),
        "R_VALUE": str(R),
        "P_VALUE": str(P),
        "CONSTANTS": "\n".join(f"    uint256 private constant {key} = {value};" for key, value in named.items()),
        "TERMS": "\n            ".join(terms or ["pop(inputs)  // there are none"]),
    }
    kinds = {"¦": committed, "†": not committed and vk.n_public > 0}
    text = re.sub(r"(?m)^([¦†])(.*\n)", lambda match: match[2] if kinds[match[1]] else "", _TEMPLATE)
    return re.sub(r"«(\w+)»", lambda match: fields[match.group(1)], text)


def _named_g2(name: str, point: G2Point) -> dict[str, int]:
    parts = ("X_IMAGINARY", "X_REAL", "Y_IMAGINARY", "Y_REAL")
    return dict(zip((f"{name}_{part}" for part in parts), g2_words(point), strict=True))


#: Lines that begin with ¦ are for keys with a commitment alone, those with † for keys to which snarkjs's ABI fits.
_TEMPLATE = """\
// SPDX-License-Identifier: Apache-2.0
// Generated by aitbc-rollup (verifier/solidity.py) from a checked key; do not edit.
pragma solidity ^0.8.24;

/// @title Groth16 verifier on BN254 of one key
/// @notice `verify` returns if the proof holds and reverts otherwise: no caller can forget to look at an answer.
†/// `verifyProof` has the ABI of snarkjs's verifiers, for contracts written for one: its answer must be looked at.
/// @dev J. Groth, EUROCRYPT 2016, section 3.2: e(A, B) = e(alpha, beta) e(IC0 + sum x_i ICi, gamma) e(C, delta).
¦/// The last public wire is the challenge c, drawn here from D and the inputs; PoK = sigma D is checked in the same
¦/// pairing, multiplied by a rho drawn from the whole proof: e(A, B) = e(alpha, beta)
¦/// e(IC0 + sum x_i ICi + c IC_last + D - rho PoK, gamma) e(C, delta) e(rho D, kappa).
/// Points as in EIP-196 and EIP-197. A proof is malleable: never use it as a replay key.
contract «NAME» {
    /// @notice The public input at `index` is not below r, so it would stand for two values.
    error InputNotInField(uint256 index);
    /// @notice The key takes another number of public inputs.
    error WrongInputCount(uint256 expected, uint256 got);
    /// @notice The key takes proofs of another number of words.
    error WrongProofLength(uint256 expected, uint256 got);
    /// @notice A precompile refused the proof: a coordinate not below p, a point off its curve or its group.
¦    /// Or D is the identity.
    error ProofMalformed();
    /// @notice Well-formed, but the pairing equation does not hold.
    error ProofInvalid();
    /// @notice The call has too little gas left for the pairing, so nothing can be said of the proof.
    error NotEnoughGas();

    /// @notice Number of public inputs.
    uint256 public constant inputCount = «COUNT»;
    /// @notice Whether the key comes from a development set-up, whose secrets someone may know.
    bool public constant isDevelopment = «DEVELOPMENT»;
    /// @notice keccak256 of flags and points in the order of the constants below, as 32-byte words.
    bytes32 public constant keyHash = «KEY_HASH»;

    /// @dev Order of the groups, and modulus of the coordinates.
    uint256 private constant R = «R_VALUE»;
    uint256 private constant P = «P_VALUE»;
    /// @dev Limit for the pairing, at most 215,000 gas by EIP-1108: a precompile that refuses its input burns all it
    /// was given.
    uint256 private constant PAIRING_GAS = 1_000_000;
    /// @dev What must be left before it: its price, of which EIP-150 keeps back a 64th, and a little. A precompile
    /// fails alike for want of gas and for a bad input: without this the one would be taken for the other.
    uint256 private constant PAIRING_NEEDS = «PAIRING_NEEDS»;
    /// @dev Limit for a multiplication, 6,000 gas, or an addition.
    uint256 private constant POINT_GAS = 50_000;
¦    /// @dev What begins the hashes that draw c and rho, 25 bytes each.
¦    bytes32 private constant CHALLENGE_TAG = "«CHALLENGE_TAG»";
¦    bytes32 private constant KNOWLEDGE_TAG = "«KNOWLEDGE_TAG»";

«CONSTANTS»

    /// @param proof A (x, y), B (x imaginary, x real, y imaginary, y real), C (x, y).
¦    /// Then D (x, y) and PoK (x, y).
    /// @param inputs The public inputs, each below r.
    function verify(uint256[] calldata proof, uint256[] calldata inputs) external view {
        if (inputs.length != inputCount) revert WrongInputCount(inputCount, inputs.length);
        for (uint256 i = 0; i < inputs.length; ++i) {
            if (inputs[i] >= R) revert InputNotInField(i);
        }
        if (proof.length != «WORDS») revert WrongProofLength(«WORDS», proof.length);
        uint256 words;
        uint256 signals;
        assembly ("memory-safe") {
            words := proof.offset
            signals := inputs.offset
        }
        (bool ok, bool holds) = _check(words, signals);
        if (!ok) revert ProofMalformed();
        if (!holds) revert ProofInvalid();
    }

†    /// @notice Whether the proof holds, asked as of a verifier that snarkjs made. False for a wrong proof, a malformed
†    /// one, an input not below r. `require` the answer: a call that ignores it verifies nothing.
†    /// @dev Reverts with `NotEnoughGas` where snarkjs's answers false: `eth_estimateGas` looks for the least gas with
†    /// which a call succeeds, and finds for those about 32,000, with which they "succeed" and nothing is verified.
†    /// @param a A (x, y); behind it, unnamed, B (x imaginary, x real, y imaginary, y real) and C (x, y).
†    /// @param pubSignals The public inputs.
†    function verifyProof(
†        uint256[2] calldata a,
†        uint256[2][2] calldata, /* b */
†        uint256[2] calldata, /* c */
†        uint256[«COUNT»] calldata pubSignals
†    ) external view returns (bool) {
†        for (uint256 i = 0; i < inputCount; ++i) {
†            if (pubSignals[i] >= R) return false;
†        }
†        uint256 words;
†        uint256 signals;
†        assembly ("memory-safe") {
†            words := a
†            signals := pubSignals
†        }
†        (bool ok, bool holds) = _check(words, signals);
†        return ok && holds;
†    }
†
    /// @dev The «WORDS» words of a proof and the «COUNT» public inputs, by their places in calldata.
    /// @return ok Whether it is well-formed.
    /// @return holds Whether it verifies, if it is.
    function _check(uint256 proof, uint256 inputs) private view returns (bool ok, bool holds) {
        assembly ("memory-safe") {
            // A's y is negated below: one of p or more would become another, valid coordinate.
            ok := lt(calldataload(add(proof, 32)), P)
¦            // So is PoK's. D is not the identity, for there is a mask in it.
¦            ok := and(ok, lt(calldataload(add(proof, 352)), P))
¦            ok := and(ok, iszero(iszero(or(calldataload(add(proof, 256)), calldataload(add(proof, 288))))))
        }
        if (!ok) return (false, false);

        bool enough;
        assembly ("memory-safe") {
            // At sum: the accumulator, and behind it the point and the scalar; adds scalar times the point.
            function addScaled(sum, x, y, scalar) -> done {
                mstore(add(sum, 64), x)
                mstore(add(sum, 96), y)
                mstore(add(sum, 128), scalar)
                done := staticcall(POINT_GAS, 0x07, add(sum, 64), 96, add(sum, 64), 64)
                done := and(done, staticcall(POINT_GAS, 0x06, sum, 128, sum, 64))
            }

            let m := mload(0x40)
            let sum := add(m, «BYTES»)
¦
¦            mstore(m, CHALLENGE_TAG)
¦            calldatacopy(add(m, 25), add(proof, 256), 64)
¦            calldatacopy(add(m, 89), inputs, «INPUT_BYTES»)
¦            let c := mod(keccak256(m, «HASHED_BYTES»), R)
¦
            mstore(sum, IC0_X)
            mstore(add(sum, 32), IC0_Y)
            ok := 1
            «TERMS»

¦            ok := and(ok, addScaled(sum, «LAST»_X, «LAST»_Y, c))
¦            calldatacopy(add(sum, 64), add(proof, 256), 64)
¦            ok := and(ok, staticcall(POINT_GAS, 0x06, sum, 128, sum, 64))
¦
¦            mstore(m, KNOWLEDGE_TAG)
¦            calldatacopy(add(m, 25), proof, 384)
¦            mstore(add(m, 409), c)
¦            let rho := add(and(keccak256(m, 441), sub(shl(128, 1), 1)), 1)
¦            let y := mod(sub(P, calldataload(add(proof, 352))), P)
¦            ok := and(ok, addScaled(sum, calldataload(add(proof, 320)), y, rho))
¦
            // (-A, B), (alpha, beta), (sum, gamma), (C, delta)
¦            // and (rho D, kappa)
            calldatacopy(m, proof, 192)
            mstore(add(m, 32), mod(sub(P, calldataload(add(proof, 32))), P))
            mstore(add(m, 192), ALPHA_X)
            mstore(add(m, 224), ALPHA_Y)
            mstore(add(m, 256), BETA_X_IMAGINARY)
            mstore(add(m, 288), BETA_X_REAL)
            mstore(add(m, 320), BETA_Y_IMAGINARY)
            mstore(add(m, 352), BETA_Y_REAL)
            mcopy(add(m, 384), sum, 64)
            mstore(add(m, 448), GAMMA_X_IMAGINARY)
            mstore(add(m, 480), GAMMA_X_REAL)
            mstore(add(m, 512), GAMMA_Y_IMAGINARY)
            mstore(add(m, 544), GAMMA_Y_REAL)
            calldatacopy(add(m, 576), add(proof, 192), 64)
            mstore(add(m, 640), DELTA_X_IMAGINARY)
            mstore(add(m, 672), DELTA_X_REAL)
            mstore(add(m, 704), DELTA_Y_IMAGINARY)
            mstore(add(m, 736), DELTA_Y_REAL)
¦            calldatacopy(add(m, 768), add(proof, 256), 64)
¦            mstore(add(m, 832), rho)
¦            ok := and(ok, staticcall(POINT_GAS, 0x07, add(m, 768), 96, add(m, 768), 64))
¦            mstore(add(m, 832), KAPPA_X_IMAGINARY)
¦            mstore(add(m, 864), KAPPA_X_REAL)
¦            mstore(add(m, 896), KAPPA_Y_IMAGINARY)
¦            mstore(add(m, 928), KAPPA_Y_REAL)

            enough := gt(gas(), PAIRING_NEEDS)
            mstore(0, 0)
            ok := and(ok, staticcall(PAIRING_GAS, 0x08, m, «BYTES», 0, 32))
            holds := eq(mload(0), 1)
        }
        if (!enough) revert NotEnoughGas();
    }
}
"""
