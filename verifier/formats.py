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
from .types import Proof, VerifyingKey

_PROTOCOL = {"protocol": "groth16", "curve": "bn128"}
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,77}", re.ASCII)
_G1_INFINITY = ["0", "1", "0"]
_G2_INFINITY = [["0", "0"], ["1", "0"], ["0", "0"]]
#: snarkjs's pairing is ours to this power: its final exponentiation is Fuentes-Castañeda's (SAC 2011), a multiple.
_SNARKJS_PAIRING_POWER = 2 * U * (6 * U * U + 3 * U + 1)


# -- proof ----------------------------------------------------------------------------------------------------


def proof_to_json(proof: Proof) -> dict[str, Any]:
    """A proof as snarkjs's ``proof.json``."""
    return {"pi_a": _g1_to_json(proof.a), "pi_b": _g2_to_json(proof.b), "pi_c": _g1_to_json(proof.c), **_PROTOCOL}


@next_step("make the proof again, or get its file again")
def proof_from_json(document: Any, place: str = "proof") -> Proof:
    """A proof from a parsed ``proof.json``; ``curve`` may be left out, as rapidsnark does.

    Raises:
        BadInputError: it breaks the format, or a point is not in its group.
    """
    fields = _object(document, place)
    _check_names(fields, place, optional=("curve",))
    return Proof(
        a=_g1_from_json(_field(fields, "pi_a", place), f"{place}.pi_a"),
        b=_g2_from_json(_field(fields, "pi_b", place), f"{place}.pi_b"),
        c=_g1_from_json(_field(fields, "pi_c", place), f"{place}.pi_c"),
    )


# -- verifying key --------------------------------------------------------------------------------------------


def verification_key_to_json(vk: VerifyingKey) -> dict[str, Any]:
    """A key as snarkjs's ``verification_key.json``; a development key has one key more, ``"development": true``."""
    gt = fq12_pow(pairing.pairing(vk.alpha_g1, vk.beta_g2), _SNARKJS_PAIRING_POWER)
    document: dict[str, Any] = {
        **_PROTOCOL,
        "nPublic": vk.n_public,
        "vk_alpha_1": _g1_to_json(vk.alpha_g1),
        "vk_beta_2": _g2_to_json(vk.beta_g2),
        "vk_gamma_2": _g2_to_json(vk.gamma_g2),
        "vk_delta_2": _g2_to_json(vk.delta_g2),
        "vk_alphabeta_12": [[[str(c) for c in pair] for pair in half] for half in gt],
        "IC": [_g1_to_json(point) for point in vk.ic],
    }
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
    _check_names(fields, place)
    n_public = _field(fields, "nPublic", place)
    if type(n_public) is not int or not 0 <= n_public < 1 << 32:
        raise BadInputError("not a count", place=f"{place}.nPublic", expected="0 to 2^32 − 1", got=_short(n_public))
    ic = _field(fields, "IC", place)
    if not isinstance(ic, list):
        raise BadInputError("not a list", place=f"{place}.IC", expected="a list of points", got=_short(ic))
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
        ic=tuple(_g1_from_json(point, f"{place}.IC[{i}]") for i, point in enumerate(ic)),
        development=development,
    )
    check_key(vk, n_public=n_public)
    return vk


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
    """A proof as eight words: a.x, a.y, b.x.c1, b.x.c0, b.y.c1, b.y.c0, c.x, c.y; infinity is all zero."""
    (bx, by) = proof.b or ((0, 0), (0, 0))
    return [*(proof.a or (0, 0)), bx[1], bx[0], by[1], by[0], *(proof.c or (0, 0))]


def proof_from_calldata(words: Sequence[int], place: str = "calldata") -> Proof:
    """A proof from its eight words.

    Raises:
        BadInputError: the number of words is wrong, or a point is not in its group.
    """
    if len(words) != 8:
        raise BadInputError("wrong length", place=place, expected="8 words", got=f"{len(words)}")
    for i, word in enumerate(words):
        if type(word) is not int or not 0 <= word < P:
            raise BadInputError(
                "not a coordinate", place=f"{place}[{i}]", expected="an integer in [0, p)", got=_short(word)
            )
    ax, ay, bx1, bx0, by1, by0, cx, cy = words
    return Proof(
        a=_checked_g1((ax, ay) if ax or ay else None, f"{place}[0:2]"),
        b=_checked_g2(((bx0, bx1), (by0, by1)) if any(words[2:6]) else None, f"{place}[2:6]"),
        c=_checked_g1((cx, cy) if cx or cy else None, f"{place}[6:8]"),
    )


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


def _check_names(fields: Mapping[str, Any], place: str, optional: tuple[str, ...] = ()) -> None:
    for name, expected in _PROTOCOL.items():
        if name in optional and name not in fields:
            continue
        if (got := _field(fields, name, place)) != expected:
            raise BadInputError("another proof system", place=f"{place}.{name}", expected=expected, got=_short(got))


def _short(value: Any) -> str:
    try:
        text = repr(value)
    except ValueError:  # Python prints no integer of more than 4300 digits
        return "a number too long to print"
    return text if len(text) <= 100 else text[:100] + "…"
