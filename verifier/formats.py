"""Proofs, verifying keys and public inputs as snarkjs writes them, and as the EVM takes them.

The JSON is that of snarkjs's ``proof.json``, ``verification_key.json`` and ``public.json``: numbers as decimal strings,
points as projective triples whose last coordinate is 1, infinity as (0, 1, 0). Functions go between those *parsed*
documents (dicts, lists, strings) and our types; ``strict_json`` reads text.

Decoding is strict, so that one value has one spelling: no sign, no leading zero, no exponent, every coordinate below p
and every input below r, every point in its group. The calldata order is EIP-197's, imaginary parts first.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from aitbc_rollup.algebra import g2, pairing
from aitbc_rollup.algebra.bn254 import P, R, U
from aitbc_rollup.algebra.reference import curve
from aitbc_rollup.algebra.reference.curve import G1Point, G2Point
from aitbc_rollup.algebra.reference.tower import fq12_pow
from aitbc_rollup.errors import BadInputError, next_step

from .groth16 import check_key
from .types import CHALLENGE_HASHES, CommitmentKey, Proof, VerifyingKey

_PLAIN, _COMMITTED = "groth16", "groth16-commitment"
_CURVE = "bn128"
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,77}", re.ASCII)
_G1_INFINITY = ["0", "1", "0"]
_G2_INFINITY = [["0", "0"], ["1", "0"], ["0", "0"]]
#: snarkjs's pairing is ours to this power: its final exponentiation is Fuentes-Castañeda's (SAC 2011), a multiple.
_SNARKJS_PAIRING_POWER = 2 * U * (6 * U * U + 3 * U + 1)


# -- proof ----------------------------------------------------------------------------------------------------


def proof_to_json(proof: Proof) -> dict[str, Any]:
    """A proof as snarkjs's ``proof.json``; one with a commitment has ``commitment`` and ``commitment_pok`` besides."""
    document = {"pi_a": _g1_to_json(proof.a), "pi_b": _g2_to_json(proof.b), "pi_c": _g1_to_json(proof.c)}
    if proof.is_committed:
        document |= {"commitment": _g1_to_json(proof.commitment), "commitment_pok": _g1_to_json(proof.knowledge)}
    return {**document, "protocol": _COMMITTED if proof.is_committed else _PLAIN, "curve": _CURVE}


@next_step("make the proof again, or get its file again")
def proof_from_json(document: Any, place: str = "proof") -> Proof:
    """A proof from a parsed ``proof.json``; ``curve`` may be left out, as rapidsnark does.

    Raises:
        BadInputError: it breaks the format, or a point is not in its group.
    """
    fields = _object(document, place)
    names = ("commitment", "commitment_pok")
    committed = _is_committed(fields, place, names, curve_needed=False)
    return Proof(
        _g1_from_json(_field(fields, "pi_a", place), f"{place}.pi_a"),
        _g2_from_json(_field(fields, "pi_b", place), f"{place}.pi_b"),
        _g1_from_json(_field(fields, "pi_c", place), f"{place}.pi_c"),
        *(
            _not_infinity(_g1_from_json(fields[name], f"{place}.{name}"), f"{place}.{name}")
            for name in names
            if committed
        ),
    )


# -- verifying key --------------------------------------------------------------------------------------------


def verification_key_to_json(vk: VerifyingKey) -> dict[str, Any]:
    """A key as snarkjs's ``verification_key.json``; a development key has one key more, ``"development": true``.

    One with a commitment has ``vk_kappa_2``, ``challenge_hash`` and ``IC_commitment``, whose last point is the
    challenge's; ``nPublic`` does not count the challenge.
    """
    gt = fq12_pow(pairing.pairing(vk.alpha_g1, vk.beta_g2), _SNARKJS_PAIRING_POWER)
    ic = [_g1_to_json(point) for point in vk.ic]
    document: dict[str, Any] = {
        "protocol": _PLAIN if vk.commitment is None else _COMMITTED,
        "curve": _CURVE,
        "nPublic": vk.n_public,
        "vk_alpha_1": _g1_to_json(vk.alpha_g1),
        "vk_beta_2": _g2_to_json(vk.beta_g2),
        "vk_gamma_2": _g2_to_json(vk.gamma_g2),
        "vk_delta_2": _g2_to_json(vk.delta_g2),
        "vk_alphabeta_12": [[[str(c) for c in pair] for pair in half] for half in gt],
    }
    if vk.commitment is None:
        document["IC"] = ic
    else:
        kappa = _g2_to_json(vk.commitment.kappa_g2)
        document |= {"vk_kappa_2": kappa, "challenge_hash": vk.commitment.hash, "IC_commitment": ic}
    if vk.development:
        document["development"] = True
    return document


@next_step("export the key again: `aitbc-rollup zkey export verificationkey` (or snarkjs)")
def verification_key_from_json(document: Any, place: str = "verification key") -> VerifyingKey:
    """A key from a parsed ``verification_key.json``, checked; ``vk_alphabeta_12``, which follows from it, is not read.

    Raises:
        BadInputError: it breaks the format, or ``groth16.check_key`` refuses it.
    """
    fields = _object(document, place)
    commitment = None
    if _is_committed(fields, place, ("vk_kappa_2", "challenge_hash", "IC_commitment")):
        commitment = _commitment_key(fields, place)
    n_public = _field(fields, "nPublic", place)
    if type(n_public) is not int or not 0 <= n_public < 1 << 32:
        raise BadInputError("not a count", place=f"{place}.nPublic", expected="0 to 2^32 − 1", got=_short(n_public))
    name = "IC" if commitment is None else "IC_commitment"
    ic = _field(fields, name, place)
    if not isinstance(ic, list):
        raise BadInputError("not a list", place=f"{place}.{name}", expected="a list of points", got=_short(ic))
    development = fields.get("development", False)
    if type(development) is not bool:
        raise BadInputError(
            "not a flag", place=f"{place}.development", expected="true or false", got=_short(development)
        )
    vk = VerifyingKey(
        alpha_g1=_g1_from_json(_field(fields, "vk_alpha_1", place), f"{place}.vk_alpha_1"),
        beta_g2=_g2_from_json(_field(fields, "vk_beta_2", place), f"{place}.vk_beta_2"),
        gamma_g2=_g2_from_json(_field(fields, "vk_gamma_2", place), f"{place}.vk_gamma_2"),
        delta_g2=_g2_from_json(_field(fields, "vk_delta_2", place), f"{place}.vk_delta_2"),
        ic=tuple(_g1_from_json(point, f"{place}.{name}[{i}]") for i, point in enumerate(ic)),
        development=development,
        commitment=commitment,
    )
    check_key(vk, n_public=n_public)
    return vk


def _commitment_key(fields: Mapping[str, Any], place: str) -> CommitmentKey:
    found = fields["challenge_hash"]
    for name in CHALLENGE_HASHES:
        if found == name:
            return CommitmentKey(_g2_from_json(fields["vk_kappa_2"], f"{place}.vk_kappa_2"), name)
    raise BadInputError(
        "not a hash", place=f"{place}.challenge_hash", expected=" or ".join(CHALLENGE_HASHES), got=_short(found)
    )


# -- public inputs --------------------------------------------------------------------------------------------


def public_to_json(public_inputs: Sequence[int]) -> list[str]:
    """Public inputs as snarkjs's ``public.json``."""
    return [str(value) for value in public_inputs]


@next_step("make the proof again, or get its public inputs again")
def public_from_json(document: Any, place: str = "public inputs") -> list[int]:
    """Public inputs from a parsed ``public.json``, each below r.

    Raises:
        BadInputError: it breaks the format.
    """
    if not isinstance(document, list):
        raise BadInputError("not a list", place=place, expected="a list of decimal strings", got=_short(document))
    return [_number(value, R, "r", f"{place}[{i}]") for i, value in enumerate(document)]


# -- calldata -------------------------------------------------------------------------------------------------


def proof_to_calldata(proof: Proof) -> list[int]:
    """A proof as words: a.x, a.y, b.x.c1, b.x.c0, b.y.c1, b.y.c0, c.x, c.y; then D and PoK; infinity is all zero."""
    return proof.words


def proof_from_calldata(words: Sequence[int], place: str = "calldata") -> Proof:
    """A proof from its eight words, or its twelve if it has a commitment.

    Raises:
        BadInputError: the number of words is wrong, or a point is not in its group.
    """
    if len(words) not in (8, 12):
        raise BadInputError("wrong length", place=place, expected="8 or 12 words", got=f"{len(words)}")
    for i, word in enumerate(words):
        if type(word) is not int or not 0 <= word < P:
            raise BadInputError(
                "not a coordinate", place=f"{place}[{i}]", expected="an integer in [0, p)", got=_short(word)
            )

    def in_g1(at: int) -> G1Point:
        x, y = words[at : at + 2]
        return _checked_g1((x, y) if x or y else None, f"{place}[{at}:{at + 2}]")

    bx1, bx0, by1, by0 = words[2:6]
    b = _checked_g2(((bx0, bx1), (by0, by1)) if any(words[2:6]) else None, f"{place}[2:6]")
    committed = (_not_infinity(in_g1(at), f"{place}[{at}:{at + 2}]") for at in range(8, len(words), 2))
    return Proof(in_g1(0), b, in_g1(6), *committed)


# -- parts ----------------------------------------------------------------------------------------------------


def _g1_to_json(point: G1Point) -> list[str]:
    return [*_G1_INFINITY] if point is None else [str(point[0]), str(point[1]), "1"]


def _g2_to_json(point: G2Point) -> list[list[str]]:
    if point is None:
        return [[*part] for part in _G2_INFINITY]
    return [[str(c) for c in point[0]], [str(c) for c in point[1]], ["1", "0"]]


def _g1_from_json(value: Any, place: str) -> G1Point:
    if value == _G1_INFINITY:
        return None
    if not (isinstance(value, list) and len(value) == 3 and value[2] == "1"):
        raise BadInputError("not a point of G1", place=place, expected='[x, y, "1"]', got=_short(value))
    x, y = (_number(value[i], P, "p", f"{place}[{i}]") for i in range(2))
    return _checked_g1((x, y), place)


def _g2_from_json(value: Any, place: str) -> G2Point:
    if value == _G2_INFINITY:
        return None
    is_triple = isinstance(value, list) and len(value) == 3 and value[2] == ["1", "0"]
    if not (is_triple and all(isinstance(part, list) and len(part) == 2 for part in value)):
        expected = '[[x0, x1], [y0, y1], ["1", "0"]]'
        raise BadInputError("not a point of G2", place=place, expected=expected, got=_short(value))
    x0, x1, y0, y1 = (_number(value[i][j], P, "p", f"{place}[{i}][{j}]") for i in range(2) for j in range(2))
    return _checked_g2(((x0, x1), (y0, y1)), place)


def _not_infinity(point: G1Point, place: str) -> G1Point:
    if point is None:
        raise BadInputError("the point at infinity", place=place, expected="any other point: a mask is in it")
    return point


def _checked_g1(point: G1Point, place: str) -> G1Point:
    if not curve.g1_is_on_curve(point):
        raise BadInputError("not on the curve", place=place, expected="a point of G1", got=f"{point}")
    return point


def _checked_g2(point: G2Point, place: str) -> G2Point:
    if not curve.g2_is_on_curve(point):
        raise BadInputError("not on the curve", place=place, expected="a point of G2", got=f"{point}")
    if g2.first_outside(g2.to_array([point])) is not None:
        raise BadInputError("not in the prime-order subgroup", place=place, expected="a point of G2", got=f"{point}")
    return point


def _number(value: Any, modulus: int, name: str, place: str) -> int:
    if not isinstance(value, str) or not _DECIMAL.fullmatch(value):
        raise BadInputError("not a number", place=place, expected="a decimal string, canonical", got=_short(value))
    number = int(value)
    if number >= modulus:
        raise BadInputError("not a field element", place=place, expected=f"a number below {name}", got=value)
    return number


def _object(document: Any, place: str) -> Mapping[str, Any]:
    if not isinstance(document, dict):
        raise BadInputError("not an object", place=place, expected="a JSON object", got=_short(document))
    return document


def _field(fields: Mapping[str, Any], name: str, place: str) -> Any:
    if name not in fields:
        raise BadInputError("a key is missing", place=place, expected=name)
    return fields[name]


def _is_committed(fields: Mapping[str, Any], place: str, names: Sequence[str], *, curve_needed: bool = True) -> bool:
    """Which protocol a document says it is of, and whether the fields that one of them has are there, or are not."""
    protocol = _field(fields, "protocol", place)
    if protocol not in (_PLAIN, _COMMITTED):
        expected = f"{_PLAIN} or {_COMMITTED}"
        raise BadInputError("another proof system", place=f"{place}.protocol", expected=expected, got=_short(protocol))
    if (curve_needed or "curve" in fields) and (found := _field(fields, "curve", place)) != _CURVE:
        raise BadInputError("another proof system", place=f"{place}.curve", expected=_CURVE, got=_short(found))
    for name in names:
        if protocol == _COMMITTED:
            _field(fields, name, place)
        elif name in fields:
            raise BadInputError(
                "a field of another protocol", place=f"{place}.{name}", expected=f"none in {_PLAIN}", got=name
            )
    return bool(protocol == _COMMITTED)


def _short(value: Any) -> str:
    try:
        text = repr(value)
    except ValueError:  # Python prints no integer of more than 4300 digits
        return "a number too long to print"
    return text if len(text) <= 100 else text[:100] + "…"
