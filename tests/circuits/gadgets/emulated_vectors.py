"""Writes ``docs/spec/vectors/emulated.json``: sums of products, digits of native values, and what must be refused.

``python tests/circuits/gadgets/emulated_vectors.py`` writes it; ``test_emulated_vectors.py`` holds it against the code.
Integers are decimal strings.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from aitbc_rollup.algebra.bls12_381 import SCALAR_MODULUS
from aitbc_rollup.algebra.bn254 import P, R
from aitbc_rollup.circuits.gadgets.emulated import capped_digits

FILE = Path(__file__).parents[3] / "docs" / "spec" / "vectors" / "emulated.json"
MODULI = {"BLS12-381 scalar field": SCALAR_MODULUS, "BN254 base field": P, "secp256k1": (1 << 256) - (1 << 32) - 977}
STEPS = (1, 11, 12, 16)


def drawn(name: str, below: int) -> int:
    """A number from a name."""
    return int.from_bytes(hashlib.sha512(name.encode()).digest(), "big") % below


def products(name: str, modulus: int) -> list[dict[str, str]]:
    """x·y + z ≡ result, ``result`` being below the modulus; operands are any integers below 2^253."""
    top = (1 << 253) - 1
    operands = [(top, top, top), (0, top, 1), (3, 4, 0)]
    operands += [tuple(drawn(f"{name} {i} {j}", 1 << 253) for j in range(3)) for i in range(3)]
    return [{"x": str(x), "y": str(y), "z": str(z), "result": str((x * y + z) % modulus)} for x, y, z in operands]


def native(step: int) -> dict[str, Any]:
    """The weights of a native value's digits, and the values where they turn."""
    plain_bits, weight, bit_weight = capped_digits(step)
    top = (1 << step) - 1
    turns = [0, 1, (1 << plain_bits) - 1, 1 << plain_bits, weight, weight * top, R - 1 - bit_weight, R - 1]
    return {
        "step": step,
        "plain_bits": plain_bits,
        "weight": str(weight),
        "bit_weight": str(bit_weight),
        "values": [str(value) for value in sorted({value for value in turns if value < R})],
    }


def vectors() -> dict[str, Any]:
    """The vectors as they stand in the file."""
    return {
        "generator": "tests/circuits/gadgets/emulated_vectors.py",
        "specification": "docs/spec/emulated.md",
        "native_modulus": str(R),
        "fields": [
            {"name": name, "modulus": str(modulus), "products": products(name, modulus)}
            for name, modulus in MODULI.items()
        ],
        "refused": [
            {
                "name": "a remainder that is right modulo r alone",
                "modulus": str(SCALAR_MODULUS), "x": "3", "y": "4", "remainder": str(12 + R), "quotient": "0",
            },
            {
                "name": "a quotient that is none",
                "modulus": str(SCALAR_MODULUS), "x": "3", "y": "4", "remainder": "13",
                "quotient": str(-pow(SCALAR_MODULUS, -1, R) % R),
            },
        ],
        "native": [native(step) for step in STEPS],
    }  # fmt: skip


def render() -> str:
    """The file's text."""
    return json.dumps(vectors(), indent=1) + "\n"


if __name__ == "__main__":
    FILE.write_text(render())
