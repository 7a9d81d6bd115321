"""Poseidon over Fr with circomlib's parameters, in plain integers.

The permutation of width t adds round constants, raises to the fifth power (all of the state in the R_F full rounds,
its first element in the R_P partial rounds between) and multiplies by a t × t MDS matrix. The first element of the
state is the capacity: 0 for circomlib's ``Poseidon``, ``initialState`` for its ``PoseidonEx``.

Constants and matrix come from the Grain LFSR of the paper's appendix, seeded with the parameters themselves:
nothing is pasted. The first matrix candidate of every width is the one circomlib uses (it passes the paper's checks
against invariant subspaces), which the tests confirm against circomlibjs.

Sources: Grassi, Khovratovich, Rechberger, Roy, Schofnegger, "Poseidon: A New Hash Function for Zero-Knowledge Proof
Systems", USENIX Security 2021 (ePrint 2019/458), section 2, appendices E and F, and its script
``generate_parameters_grain``; circomlib 2.0.5 for the numbers of rounds; ``docs/protocol.md`` for :func:`sponge`.

Not constant-time. Not sponge-padded: hashes of different lengths differ by width, not by padding.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import compress, islice
from operator import mul
from typing import NamedTuple

from ..bn254 import R

FULL_ROUNDS = 8
#: Partial rounds of widths 2, 3 … 17: 128-bit security with x⁵, as circomlib rounds them.
PARTIAL_ROUNDS = (56, 57, 56, 60, 60, 63, 64, 63, 60, 66, 60, 65, 70, 60, 64, 68)
#: Most inputs of one call (width 17); also the words :func:`sponge` absorbs at a time.
MAX_INPUTS = 16

_BITS = 254


class Parameters(NamedTuple):
    """One width's round constants, flattened round by round, and its matrix by rows."""

    width: int
    partial_rounds: int
    constants: tuple[int, ...]
    matrix: tuple[tuple[int, ...], ...]


@cache
def parameters(width: int) -> Parameters:
    """Parameters of a width in 2 … 17.

    Raises:
        ValueError: another width.
    """
    if not 2 <= width <= MAX_INPUTS + 1:
        raise ValueError(f"Poseidon has widths 2 to {MAX_INPUTS + 1}, not {width}")
    partial_rounds = PARTIAL_ROUNDS[width - 2]
    count = (FULL_ROUNDS + partial_rounds) * width
    # Three candidates of four are below r: half again as many as needed is ample.
    elements = _grain_elements(width, partial_rounds, 3 * count // 2 + 2 * width + 40)
    constants: list[int] = []
    while len(constants) < count:  # rejection sampling, unlike the matrix below
        element = next(elements)
        if element < R:
            constants.append(element)
    xy = [next(elements) % R for _ in range(2 * width)]
    if len(set(xy)) != 2 * width:
        raise AssertionError("the Cauchy matrix needs distinct elements")
    xs, ys = xy[:width], xy[width:]
    matrix = tuple(tuple(pow(x + y, -1, R) for y in ys) for x in xs)
    return Parameters(width, partial_rounds, tuple(constants), matrix)


def permute(state: Sequence[int]) -> list[int]:
    """The permutation of a state of 2 to 17 elements in [0, r)."""
    width = len(state)
    _, partial_rounds, constants, matrix = parameters(width)
    half = FULL_ROUNDS // 2
    for round_index in range(FULL_ROUNDS + partial_rounds):
        offset = round_index * width
        state = [(x + c) % R for x, c in zip(state, constants[offset : offset + width], strict=True)]
        is_full = round_index < half or round_index >= half + partial_rounds
        state = [pow(x, 5, R) if is_full or i == 0 else x for i, x in enumerate(state)]
        state = [sum(map(mul, row, state)) % R for row in matrix]
    return list(state)


def poseidon_ex(inputs: Sequence[int], n_outputs: int, initial_state: int = 0) -> list[int]:
    """circomlib's ``PoseidonEx``: the first outputs of the permuted state (initial_state, inputs …).

    Args:
        inputs: 1 to 16 integers in [0, r).
        n_outputs: 1 to ``len(inputs) + 1``.
        initial_state: the capacity element, in [0, r).

    Raises:
        ValueError: a count or an element out of range.
    """
    check_arguments(inputs, n_outputs, initial_state)
    return permute([initial_state, *inputs])[:n_outputs]


def poseidon(inputs: Sequence[int], *, initial_state: int = 0) -> int:
    """circomlib's ``Poseidon(n)`` of 1 to 16 integers in [0, r).

    Raises:
        ValueError: no input, more than 16, or an element out of range.
    """
    return poseidon_ex(inputs, 1, initial_state)[0]


def sponge(tag: int, words: Sequence[int]) -> int:
    """Hash of any number of field elements: see the head of ``docs/protocol.md``.

    A Merkle–Damgård chain: h₀ = tag + 2^64·number of words, then one ``PoseidonEx(16, 1)`` for 16 words, the last
    ones padded with zeros. Without words the result is h₀.

    Raises:
        ValueError: the tag or the number of words is not in [0, 2^64), or a word not in [0, r).
    """
    state = sponge_start(tag, len(words))
    for i in range(0, len(words), MAX_INPUTS):
        block = list(words[i : i + MAX_INPUTS])
        state = poseidon(block + [0] * (MAX_INPUTS - len(block)), initial_state=state)
    return state


def sponge_start(tag: int, count: int) -> int:
    """h₀ of :func:`sponge`.

    Raises:
        ValueError: the tag is not in [0, 2^64).
    """
    if not 0 <= tag < 1 << 64:
        raise ValueError(f"a tag is in [0, 2^64), not {tag}")
    return tag + (count << 64)


def check_arguments(inputs: Sequence[int], n_outputs: int, initial_state: int) -> None:
    """Refuse what :func:`poseidon_ex` does not take.

    Raises:
        ValueError: a count or an element out of range.
    """
    if not 1 <= len(inputs) <= MAX_INPUTS:
        raise ValueError(f"Poseidon takes 1 to {MAX_INPUTS} inputs, not {len(inputs)}")
    if not 1 <= n_outputs <= len(inputs) + 1:
        raise ValueError(f"{len(inputs)} inputs give 1 to {len(inputs) + 1} outputs, not {n_outputs}")
    for i, value in enumerate((initial_state, *inputs)):
        if not 0 <= value < R:
            raise ValueError(f"{'initial state' if i == 0 else f'input {i - 1}'} is not in [0, r): {value}")


# -- Grain ----------------------------------------------------------------------------------------------------


def _grain_elements(width: int, partial_rounds: int, at_most: int) -> Iterator[int]:
    """Integers of 254 bits, first bit highest, from the self-shrinking Grain LFSR (the paper's appendix E).

    The seed is the parameters' own description: a prime field (1), the power map (0), then field bits, width
    and rounds, then thirty ones.
    """
    seed = f"{1:02b}{0:04b}{_BITS:012b}{width:012b}{FULL_ROUNDS:010b}{partial_rounds:010b}" + "1" * 30
    # A pair keeps its second bit when its first is 1: four clocks a bit on average.
    bits = _lfsr(seed, 80 + 160 + at_most * _BITS * 4)[80 + 160 :]
    selectors = bits[0::2].encode().translate(bytes.maketrans(b"01", b"\x00\x01"))
    kept = compress(bits[1::2], selectors)
    while len(element := "".join(islice(kept, _BITS))) == _BITS:
        yield int(element, 2)


def _lfsr(seed: str, length: int) -> str:
    """The bits s with s[i+80] = s[i+62] ^ s[i+51] ^ s[i+38] ^ s[i+23] ^ s[i+13] ^ s[i], seed first.

    Squaring a recurrence over GF(2) doubles its distances, so a sequence of 80·2^k bits grows by 18·2^k bits
    in six exclusive ors of long integers, instead of one bit at a time.
    """
    bits, known = int(seed[::-1], 2), 80  # bit i of the integer is s[i]
    while known < length:
        scale = 1 << (known // 80).bit_length() - 1
        start, step = known - 80 * scale, 18 * scale
        grown = 0
        for tap in (62, 51, 38, 23, 13, 0):
            grown ^= bits >> start + tap * scale
        bits |= (grown & (1 << step) - 1) << known
        known += step
    return f"{bits:0{known}b}"[::-1][:length]
