"""Further challenges from the one that the verifier draws: independent hashes of it, never its powers.

With powers, rows of a lookup in several columns can be made to cancel; two forgeries are known, and
``tests/circuits/test_bus_forgeries.py`` plays them.
"""

from __future__ import annotations

from ..api import Circuit, Variable
from .poseidon import poseidon_ex

#: Initial states of the hashes below: "challenge" in ASCII, then which hash it is.
_TAG = int.from_bytes(b"challenge", "big") << 32


def expand(circuit: Circuit, challenge: Variable, ordinal: int, count: int) -> list[Variable]:
    """``count`` (1 to 15) single wires, PoseidonEx of the challenge with the initial state (tag, ordinal, count).

    One permutation of width max(2, count + 1), of whose outputs at least one stays hidden, and one constraint for each
    challenge but the first.

    Raises:
        ValueError: the count is not in 1 … 15.
    """
    if not 1 <= count <= 15:
        raise ValueError(f"1 to 15 challenges at once, not {count}")
    inputs: list[Variable | int] = [challenge, *[0] * (count - 1)]
    outputs = poseidon_ex(circuit, inputs, count, _TAG + (ordinal << 8) + count)
    return [circuit.materialise(output) for output in outputs]
