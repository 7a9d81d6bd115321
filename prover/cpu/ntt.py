"""Number-theoretic transforms over Fr: between coefficients and values on a power-of-two domain or a coset of it.

Radix 2. Decimation in frequency takes natural order to bit-reversed, decimation in time takes it back (Gentleman and
Sande 1966; Cooley and Tukey 1965), so the chain values → coefficients → values on a coset needs no permutation. Blocks
that fit in the cache run all their stages at once. The root of unity of order 2^k is 5^((r − 1)/2^k), snarkjs's.

All arrays are in Montgomery form, shape ``(2^k, 4)``.
"""

from __future__ import annotations

from functools import lru_cache, partial

import numpy as np

from aitbc_rollup.algebra import fr
from aitbc_rollup.algebra.bn254 import FR_GENERATOR, FR_TWO_ADICITY, R
from aitbc_rollup.algebra.jit import address, checked, kernel, stack
from aitbc_rollup.algebra.limbs import Limbs, to_montgomery

from . import threads

#: Elements of a block that stays in a core's second-level cache, with its twiddles.
_BLOCK = 1 << 13


def root_of_unity(power: int) -> int:
    """The root of unity of order 2^power that the domain uses.

    Raises:
        ValueError: Fr has none, ``power`` is above 28.
    """
    if not 0 <= power <= FR_TWO_ADICITY:
        raise ValueError(f"Fr has no root of unity of order 2^{power}")
    return pow(FR_GENERATOR, (R - 1) >> power, R)


@kernel
def _powers(out: Limbs, base: Limbs, first: Limbs, start: int, stop: int) -> None:
    """``out[i] = first·base^(i − start)`` for start ≤ i < stop."""
    at = address(out)
    if start < stop:
        fr.copy(at + 32 * start, address(first))
    for i in range(start + 1, stop):
        fr.mul(at + 32 * i, at + 32 * (i - 1), address(base))


def powers(base: int, length: int, first: int = 1) -> Limbs:
    """``first·base^i`` for i below ``length``, in Montgomery form."""
    out = np.empty((length, 4), np.uint64)
    step = to_montgomery([base], R)
    threads.run(
        partial(_powers, out, step, to_montgomery([first * pow(base, start, R)], R), start, stop)
        for start, stop in threads.ranges(length, 1024)
    )
    return out


@kernel
def _halve(table: Limbs, largest: int) -> None:
    """Fill the shorter rows of a twiddle table from its longest."""
    at = address(table)
    half = largest >> 1
    while half >= 1:
        for j in range(half):
            fr.copy(at + 32 * (half + j), at + 32 * (2 * half + 2 * j))
        half >>= 1


@lru_cache(maxsize=6)
def _twiddles(power: int, inverse: bool) -> Limbs:
    """Row ``half``, entries half … 2·half − 1: the powers of the root of order 2·half, or of its inverse."""
    root = root_of_unity(power)
    length = 1 << power
    table = np.zeros((length, 4), np.uint64)
    if power:
        table[length // 2 :] = powers(pow(root, -1, R) if inverse else root, length // 2)
        _halve(table, length // 2)
    return table


@kernel
def _decimate_frequency(values: Limbs, twiddles: Limbs, largest: int, smallest: int, start: int, stop: int) -> None:
    """Butterflies start ≤ k < stop of the stages with half-lengths from ``largest`` down to ``smallest``."""
    a, w = address(values), address(twiddles)
    difference = stack(4)
    half = largest
    while half >= smallest:
        for k in range(start, stop):
            j = k & (half - 1)
            left = a + 32 * (2 * k - j)
            right = left + 32 * half
            fr.sub(difference, left, right)
            fr.add(left, left, right)
            fr.mul(right, difference, w + 32 * (half + j))
        half >>= 1


@kernel
def _decimate_time(values: Limbs, twiddles: Limbs, smallest: int, largest: int, start: int, stop: int) -> None:
    """Butterflies start ≤ k < stop of the stages with half-lengths from ``smallest`` up to ``largest``."""
    a, w = address(values), address(twiddles)
    product = stack(4)
    half = smallest
    while half <= largest:
        for k in range(start, stop):
            j = k & (half - 1)
            left = a + 32 * (2 * k - j)
            right = left + 32 * half
            fr.mul(product, right, w + 32 * (half + j))
            fr.sub(right, left, product)
            fr.add(left, left, product)
        half <<= 1


def _blocks(length: int) -> list[tuple[int, int]]:
    """Ranges of butterflies, each of one block that its stages do not leave."""
    size = min(length, _BLOCK)
    return [(start // 2, (start + size) // 2) for start in range(0, length, size)]


def to_bit_reversed(values: Limbs, inverse: bool) -> None:
    """Transform in place, natural to bit-reversed order; the inverse is not yet divided by the length."""
    length = len(values)
    twiddles = _twiddles(length.bit_length() - 1, inverse)
    half = length // 2
    while half >= _BLOCK:
        parts = threads.ranges(length // 2, _BLOCK)
        threads.run(partial(_decimate_frequency, values, twiddles, half, half, *part) for part in parts)
        half //= 2
    threads.run(partial(_decimate_frequency, values, twiddles, half, 1, *part) for part in _blocks(length))


def from_bit_reversed(values: Limbs, inverse: bool) -> None:
    """Transform in place, bit-reversed to natural order; the inverse is not yet divided by the length."""
    length = len(values)
    twiddles = _twiddles(length.bit_length() - 1, inverse)
    inside = min(length, _BLOCK) // 2
    threads.run(partial(_decimate_time, values, twiddles, 1, inside, *part) for part in _blocks(length))
    half = _BLOCK
    while half <= length // 2:
        parts = threads.ranges(length // 2, _BLOCK)
        threads.run(partial(_decimate_time, values, twiddles, half, half, *part) for part in parts)
        half *= 2


@kernel
def _reverse_bits(values: Limbs, power: int) -> None:
    a = address(values)
    kept = stack(4)
    for i in range(values.shape[0]):
        j = 0
        for bit in range(power):
            j |= ((i >> bit) & 1) << (power - 1 - bit)
        if i < j:
            fr.copy(kept, a + 32 * i)
            fr.copy(a + 32 * i, a + 32 * j)
            fr.copy(a + 32 * j, kept)


@kernel
def _multiply(out: Limbs, left: Limbs, right: Limbs, start: int, stop: int) -> None:
    for i in range(start, stop):
        fr.mul(address(out) + 32 * i, address(left) + 32 * i, address(right) + 32 * i)


def multiply(left: Limbs, right: Limbs, out: Limbs | None = None) -> Limbs:
    """Product entry by entry, into ``out`` (which may be one of the two) or a new array."""
    target = np.empty_like(left) if out is None else out
    threads.run(partial(_multiply, target, left, right, *part) for part in threads.ranges(len(left), 1024))
    return target


def _power_of(values: Limbs) -> int:
    length = len(checked(values, None, 4))
    if length == 0 or length & (length - 1) or length > 1 << FR_TWO_ADICITY:
        raise ValueError(f"a transform needs a power of two up to 2^{FR_TWO_ADICITY} values, got {length}")
    return length.bit_length() - 1


def ntt(values: Limbs, shift: int = 1) -> Limbs:
    """Values at shift·ωⁱ, in order of i, of the polynomial with these coefficients."""
    power = _power_of(values)
    out = multiply(values, powers(shift, len(values))) if shift != 1 else values.copy()
    _reverse_bits(out, power)
    from_bit_reversed(out, inverse=False)
    return out


def intt(values: Limbs, shift: int = 1) -> Limbs:
    """Coefficients of the polynomial with these values at shift·ωⁱ."""
    power = _power_of(values)
    out = values.copy()
    to_bit_reversed(out, inverse=True)
    _reverse_bits(out, power)
    return multiply(out, powers(pow(shift, -1, R), len(values), pow(len(values), -1, R)), out)


@lru_cache(maxsize=2)
def _coset_factors(power: int, shift: int) -> Limbs:
    """shiftⁱ/2^power in bit-reversed order: what lies between the two transforms of :func:`to_coset`."""
    out = powers(shift, 1 << power, pow(1 << power, -1, R))
    _reverse_bits(out, power)
    return out


def to_coset(values: Limbs, shift: int) -> None:
    """In place, from values at ωⁱ to values at shift·ωⁱ."""
    power = _power_of(values)
    to_bit_reversed(values, inverse=True)
    multiply(values, _coset_factors(power, shift), values)
    from_bit_reversed(values, inverse=False)


@kernel
def _join(a: Limbs, b: Limbs, c: Limbs, start: int, stop: int) -> None:
    for i in range(32 * start, 32 * stop, 32):
        at = address(a) + i
        fr.mul(at, at, address(b) + i)
        fr.sub(at, at, address(c) + i)
        fr.from_montgomery(at, at)


def quotient(a: Limbs, b: Limbs, shift: int) -> Limbs:
    """a·b − c at shift·ωⁱ, canonical, for polynomials given by values at ωⁱ, where c has the values a·b there.

    Everything is overwritten but the arguments.
    """
    if _power_of(a) != _power_of(b):
        raise ValueError(f"values on different domains: {len(a)} and {len(b)}")
    a, b, c = a.copy(), b.copy(), multiply(a, b)
    for values in (a, b, c):
        to_coset(values, shift)
    threads.run(partial(_join, a, b, c, *part) for part in threads.ranges(len(a), 1024))
    return a
