"""The vectors of docs/spec/emulated.md: what their generator writes, and what the gadget says of them."""

from __future__ import annotations

import json
from typing import Any

import emulated_vectors
import numpy as np
import pytest

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.limbs import from_limbs
from aitbc_rollup.circuits.api import Circuit
from aitbc_rollup.circuits.check import check
from aitbc_rollup.circuits.compiler import CompiledCircuit
from aitbc_rollup.circuits.gadgets import emulated
from aitbc_rollup.circuits.gadgets.emulated import EmulatedField
from aitbc_rollup.circuits.ir import Op


@pytest.fixture(scope="module")
def document() -> Any:
    return json.loads(emulated_vectors.FILE.read_text())


def product(modulus: int) -> tuple[EmulatedField, CompiledCircuit]:
    """x·y + z of native values, canonical."""
    field, circuit = EmulatedField(modulus), Circuit(limb_bits=11)
    x, y, z = (emulated.from_native(circuit, wire, field=field) for wire in circuit.private_inputs("x", 3))
    result = emulated.multiply_add(circuit, x, y, z, field=field)
    for name, half in emulated.canonical(circuit, result, field=field)._asdict().items():
        circuit.public_output(name, half)
    return field, circuit.compile()


def test_the_file_is_what_its_generator_writes() -> None:
    assert emulated_vectors.FILE.read_text() == emulated_vectors.render()


def test_products(document: Any) -> None:
    for entry in document["fields"]:
        _, circuit = product(int(entry["modulus"]))
        for case in entry["products"]:
            witness = circuit.witness({"x": [int(case[name]) for name in "xyz"]})
            assert check(circuit, witness) is None
            low, high = circuit.public_inputs(witness)
            assert low + (high << 128) == int(case["result"])


def test_what_holds_modulo_r_alone_is_refused(document: Any) -> None:
    for case in document["refused"]:
        modulus = int(case["modulus"])
        x, y, remainder, quotient = (int(case[name]) for name in ("x", "y", "remainder", "quotient"))
        assert (x * y - remainder - quotient * modulus) % R == 0
        assert (x * y - remainder) % modulus
        field, circuit = product(modulus)
        program, honest = circuit.program, circuit.witness({"x": [x, y, 0]})
        remainders, quotients = (
            range(int(program.outs[at]), int(program.outs[at]) + int(program.widths[at]))
            for at in np.flatnonzero(program.ops == Op.PYTHON)[3:5]
        )
        # What is hinted is the quotient less its least value; honestly the quotient is 0 here.
        (zero,) = from_limbs(honest[list(quotients)])
        limbs = field.residue(Circuit(limb_bits=11))(12)
        assert from_limbs(honest[list(remainders)]) == limbs
        width = field.limb_bits(Circuit(limb_bits=11))
        forged = [remainder >> width * k & (1 << width) - 1 for k in range(len(limbs))]
        overrides = dict(zip([*remainders, *quotients], [*forged, (quotient + zero) % R], strict=True))
        assert check(circuit, circuit.witness({"x": [x, y, 0]}, overrides=overrides)) is not None, case["name"]


def test_native_values(document: Any) -> None:
    for entry in document["native"]:
        step, bits = entry["step"], entry["plain_bits"]
        weight, bit_weight = int(entry["weight"]), int(entry["bit_weight"])
        assert (1 << bits) - 1 + ((1 << step) - 1) * weight + bit_weight == R - 1
        for value in map(int, entry["values"]):
            tops = [value // weight, value // weight - 1, (1 << step) - 1]
            rests = [value - top * weight - bit * bit_weight for top in tops if 0 <= top < 1 << step for bit in (0, 1)]
            assert any(0 <= rest < 1 << bits for rest in rests)
