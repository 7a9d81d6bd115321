"""A batch's words as the coefficients of a blob's polynomial, evaluated over BLS12-381's scalar field.

EIP-4844's point-evaluation precompile says what a blob's polynomial is at a point, modulo m, the order of BLS12-381's
groups. A batch posted as a blob is tied to its proof by y = Σ wordᵢ·zⁱ mod m, which the circuit computes from its own
words, each the canonical integer below r < m. ``docs/spec/blob.md`` has the relation.

Horner's rule takes k words at a step: y ← y·z^k + Σⱼ wordⱼ·z^j, one inner product of k + 1 terms with one reduction.
With k about √n, the powers of z cost as much as the steps do, and a word comes to about 30 constraints: 23 for its
digits with tables of 12 bits, 7 for its product with a power.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isqrt

from aitbc_rollup.algebra.bls12_381 import SCALAR_MODULUS

from ..api import Circuit, Variable
from ..compiler import CompiledCircuit
from ..gadgets.emulated import (
    Element,
    EmulatedField,
    Halves,
    canonical,
    from_halves,
    from_native,
    inline_inner_product,
    multiply,
)
from ..gadgets.poseidon import sponge
from ..template import template
from .batch.layout import BLOB_WORDS, Tag

#: Long inner products: few limbs, so that a pair costs few products.
FIELD = EmulatedField(SCALAR_MODULUS, 4)


def evaluate_blob(circuit: Circuit, words: Sequence[Variable], z: Element) -> Halves:
    """Σ wordᵢ·zⁱ mod m as the integer below m; words as the canonical integers below r that they are.

    z is an element of ``FIELD``; what counts is its residue. Constraints: about 30 a word, fewer where it is known to
    be small, and some 80 for each of 2·√n steps.

    Raises:
        ValueError: there is no word.
    """
    if not words:
        raise ValueError("a blob has at least one word")
    stride = isqrt(len(words))
    powers = [z]
    while len(powers) < stride:
        powers.append(multiply(circuit, powers[-1], powers[0], field=FIELD))
    value: Element | None = None
    for start in reversed(range(0, len(words), stride)):
        value = _step(circuit, list(words[start : start + stride]), powers, value)
    assert value is not None
    return canonical(circuit, value, field=FIELD)


@template
def _step(circuit: Circuit, words: list[Variable], powers: list[Element], value: Element | None) -> Element:
    """value·z^k + Σ wordⱼ·z^j, k being the number of powers z¹ … z^k."""
    first, *others = _elements(circuit, words)
    pairs = list(zip(others, powers, strict=False))
    if value is not None:
        pairs.append((value, powers[-1]))
    return inline_inner_product(circuit, pairs, first, field=FIELD)


def _elements(circuit: Circuit, words: Sequence[Variable]) -> list[Element]:
    """The words' canonical integers; those of one range are one repetition, so their hints are one call."""
    alike: dict[object, list[int]] = {}
    for i, word in enumerate(words):
        alike.setdefault((word.constant, word.bits), []).append(i)
    found: dict[int, Element] = {}
    for places in alike.values():
        made = from_native.repeat(circuit, [[words[i]] for i in places], field=FIELD)
        found.update(zip(places, made, strict=True))
    return [found[i] for i in range(len(words))]


def compile_blob(n_words: int, *, limb_bits: int = 12) -> CompiledCircuit:
    """The circuit of a blob alone.

    Public inputs, in order: ``commitment`` = sponge(BATCH, words), ``z`` and ``y`` as two integers of 128 bits each,
    least first. Private: ``words``, of which there are ``n_words``.

    Raises:
        ValueError: the number of words is not in 1 … 4096.
    """
    if not 1 <= n_words <= BLOB_WORDS:
        raise ValueError(f"a blob has 1 to {BLOB_WORDS} words, not {n_words}")
    circuit = Circuit("blob", limb_bits=limb_bits)
    commitment = circuit.public_input("commitment")
    z = Halves(*circuit.public_inputs("z", 2))
    y = Halves(*circuit.public_inputs("y", 2))
    words = circuit.private_inputs("words", n_words)
    with circuit.component("commitment"):
        circuit.assert_equal(sponge(circuit, Tag.BATCH, words), commitment, "not the commitment of these words")
    with circuit.component("evaluation"):
        point = from_halves(circuit, *z, field=FIELD)
        for found, claimed in zip(evaluate_blob(circuit, words, point), y, strict=True):
            circuit.assert_equal(found, claimed, "not the value of these words at z")
    return circuit.compile()
