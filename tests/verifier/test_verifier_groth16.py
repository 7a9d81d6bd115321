"""Groth16 verification of proofs completed from known secrets (``trapdoor``), and of everything next to them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from trapdoor import Trapdoor, g1, g2

from aitbc_rollup.algebra.bn254 import G1_GENERATOR, G2_GENERATOR, P, R
from aitbc_rollup.algebra.reference.curve import (
    g1_add,
    g1_mul,
    g1_neg,
    g2_is_in_subgroup,
    g2_is_on_curve,
    g2_neg,
)
from aitbc_rollup.errors import BadInputError
from aitbc_rollup.verifier.groth16 import check_key, verify
from aitbc_rollup.verifier.types import Proof, VerifyingKey

INPUTS = [100, R - 1]
# On the twist with x = i, and not of order r: both are asserted below.
TWIST_POINT_OUTSIDE_G2 = (
    (0, 1),
    (
        5857410223677516958241855868975604786906559121396168184066542210254491971240,
        3499505209057624827709920819629410982529044040404494099368353913743455207650,
    ),
)


TRAPDOOR = Trapdoor("verifier", inputs=2, development=False)
KEY, prove = TRAPDOOR.key, TRAPDOOR.prove
PROOF = prove(INPUTS)
reference = pytest.mark.parametrize("reference", [False, True], ids=["kernels", "reference"])


@reference
def test_a_true_statement_verifies(reference: bool) -> None:
    assert verify(KEY, INPUTS, PROOF, reference=reference) is True


@reference
def test_another_input_does_not(reference: bool) -> None:
    assert verify(KEY, [INPUTS[0] + 1, INPUTS[1]], PROOF, reference=reference) is False


@pytest.mark.parametrize("inputs", [[0, 0], [1, 0], [R - 1, R - 1], [2**128, 1]])
def test_edges_of_inputs(inputs: list[int]) -> None:
    assert verify(KEY, inputs, prove(inputs))


def test_a_key_without_public_inputs() -> None:
    key = replace(KEY, ic=KEY.ic[:1])
    assert verify(key, [], prove([0, 0]))
    assert not verify(key, [0], prove([0, 0]))


def test_infinity_in_a_proof_counts_as_one() -> None:
    # a = 0 makes A infinity and leaves the equation to C.
    assert verify(KEY, INPUTS, prove(INPUTS, a=0))
    assert not verify(KEY, INPUTS, Proof(None, None, None))


def test_proofs_are_malleable_as_documented() -> None:
    assert verify(KEY, INPUTS, Proof(g1_neg(PROOF.a), g2_neg(PROOF.b), PROOF.c))
    assert verify(KEY, INPUTS, prove(INPUTS, blinding="another"))


def test_the_order_of_inputs_is_bound() -> None:
    assert not verify(KEY, INPUTS[::-1], PROOF)


@pytest.mark.parametrize("index", [0, 1])
@pytest.mark.parametrize("change", [lambda x: (x + 1) % R, lambda x: -x % R, lambda x: 0])
def test_each_input_is_bound(index: int, change: Any) -> None:
    inputs = list(INPUTS)
    inputs[index] = change(inputs[index])
    assert not verify(KEY, inputs, PROOF)


@reference
@pytest.mark.parametrize(
    "inputs",
    [
        [],
        INPUTS[:1],
        [*INPUTS, 0],
        [INPUTS[0] + R, INPUTS[1]],
        [INPUTS[0], -1],
        ["100", R - 1],
        [100.0, R - 1],
        [None, R - 1],
    ],
    ids=str,
)
def test_malformed_inputs_are_answered_false(inputs: Any, reference: bool) -> None:
    assert verify(KEY, inputs, PROOF, reference=reference) is False


def test_true_is_no_input_even_where_one_is() -> None:
    assert verify(KEY, [1, 5], prove([1, 5]))
    assert not verify(KEY, [True, 5], prove([1, 5]))


@pytest.mark.parametrize("element", ["a", "b", "c"])
def test_each_element_of_the_proof_is_bound(element: str) -> None:
    group, negative = (g2, g2_neg) if element == "b" else (g1, g1_neg)
    good: Any = getattr(PROOF, element)
    for other in (negative(good), group(1), None):
        assert not verify(KEY, INPUTS, replace(PROOF, **{element: other}))


def _bad_points() -> list[tuple[str, Any]]:
    return [
        ("g1", (1, 3)),
        ("g1", (0, 0)),
        ("g1", (1 + P, 2)),
        ("g1", (1, 2 - P)),
        ("g1", (1,)),
        ("g1", [1, 2]),
        ("g1", ("1", "2")),
        ("g1", 7),
        ("g1", G2_GENERATOR),
        ("g2", "outside"),
        ("g2", (G2_GENERATOR[0], G2_GENERATOR[0])),
        ("g2", ((0, 0), (0, 0))),
        ("g2", ((G2_GENERATOR[0][0] + P, G2_GENERATOR[0][1]), G2_GENERATOR[1])),
        ("g2", (G2_GENERATOR[0][::-1], G2_GENERATOR[1][::-1])),
        ("g2", G1_GENERATOR),
        ("g2", ((1.0, 0), (1, 0))),
    ]


def test_the_point_outside_g2_is_on_the_twist() -> None:
    assert g2_is_on_curve(TWIST_POINT_OUTSIDE_G2)
    assert not g2_is_in_subgroup(TWIST_POINT_OUTSIDE_G2)


@reference
@pytest.mark.parametrize(("group", "point"), _bad_points(), ids=lambda v: str(v)[:24])
def test_points_outside_their_group_in_a_proof_are_answered_false(group: str, point: Any, reference: bool) -> None:
    point = TWIST_POINT_OUTSIDE_G2 if point == "outside" else point
    for element in ("b",) if group == "g2" else ("a", "c"):
        assert verify(KEY, INPUTS, replace(PROOF, **{element: point}), reference=reference) is False


def _with(field: str, point: Any) -> VerifyingKey:
    if field.startswith("ic"):
        ic: list[Any] = list(KEY.ic)
        ic[int(field[3])] = point
        return replace(KEY, ic=tuple(ic))
    changed: dict[str, Any] = {field: point}
    return replace(KEY, **changed)


G1_FIELDS = ("alpha_g1", "ic[0]", "ic[1]", "ic[2]")
G2_FIELDS = ("beta_g2", "gamma_g2", "delta_g2")


@pytest.mark.parametrize("field", [*G1_FIELDS, *G2_FIELDS])
def test_each_element_of_the_key_is_bound(field: str) -> None:
    other = g2(987654321) if field in G2_FIELDS else g1(987654321)
    assert not verify(_with(field, other), INPUTS, PROOF)


@reference
@pytest.mark.parametrize(("group", "point"), _bad_points(), ids=lambda v: str(v)[:24])
def test_keys_with_points_outside_their_group_are_refused(group: str, point: Any, reference: bool) -> None:
    point = TWIST_POINT_OUTSIDE_G2 if point == "outside" else point
    for field in G2_FIELDS if group == "g2" else G1_FIELDS:
        with pytest.raises(BadInputError, match="unusable verifying key") as caught:
            verify(_with(field, point), INPUTS, PROOF, reference=reference)
        assert caught.value.place == field
        assert caught.value.expected is not None and "[0, p)" in caught.value.expected


@pytest.mark.parametrize("field", [*G1_FIELDS, *G2_FIELDS])
def test_keys_with_infinity_are_refused(field: str) -> None:
    with pytest.raises(BadInputError) as caught:
        check_key(_with(field, None))
    assert (caught.value.place, caught.value.got) == (field, "the point at infinity")


@pytest.mark.parametrize(
    ("first", "second"), [("gamma_g2", "delta_g2"), ("beta_g2", "delta_g2"), ("beta_g2", "gamma_g2")]
)
@pytest.mark.parametrize("negative", [False, True])
def test_keys_with_two_g2_points_equal_up_to_sign_are_refused(first: str, second: str, negative: bool) -> None:
    point = getattr(KEY, first)
    with pytest.raises(BadInputError, match="lets anyone forge") as caught:
        check_key(_with(second, g2_neg(point) if negative else point))
    assert (caught.value.place, caught.value.got) == (second, f"{first} up to sign")


def test_what_those_keys_would_allow() -> None:
    """The forgeries, in public terms only, against the bare equation."""
    from aitbc_rollup.algebra.pairing import pairing_check

    statement = g1_add(KEY.ic[0], g1_add(g1_mul(KEY.ic[1], INPUTS[0]), g1_mul(KEY.ic[2], INPUTS[1])))

    def holds(key: VerifyingKey, proof: Proof) -> bool:
        return pairing_check(
            [
                (g1_neg(proof.a), proof.b),
                (key.alpha_g1, key.beta_g2),
                (statement, key.gamma_g2),
                (proof.c, key.delta_g2),
            ]
        )

    assert holds(KEY, PROOF)
    alpha, beta, gamma = KEY.alpha_g1, KEY.beta_g2, KEY.gamma_g2
    assert holds(_with("delta_g2", gamma), Proof(alpha, beta, g1_neg(statement)))
    assert holds(_with("delta_g2", g2_neg(gamma)), Proof(alpha, beta, statement))
    assert holds(_with("delta_g2", beta), Proof(statement, gamma, g1_neg(alpha)))
    assert holds(_with("gamma_g2", beta), Proof(g1_add(alpha, statement), beta, None))


def test_keys_of_the_wrong_length_are_refused() -> None:
    check_key(KEY, n_public=2)
    with pytest.raises(BadInputError, match="3 points") as caught:
        check_key(KEY, n_public=3)
    assert caught.value.place == "ic"
    with pytest.raises(BadInputError, match="no points"):
        check_key(replace(KEY, ic=()))
