"""BLAKE-512, the SHA-3 finalist, for EdDSA keys and nonces as circomlibjs makes them (it is not BLAKE2b).

Plain Python, about half a millisecond a block of 128 bytes. The constants are derived: the words c are the
fraction of π, the initial value is SHA-512's, fractions of the square roots of the first primes.

Source: Aumasson, Henzen, Meier, Phan, "SHA-3 proposal BLAKE", version 1.3, 2010, sections 2.2 and 2.3, without salt.
No branch and no index depends on the data; Python's integers still leak time.
"""

from __future__ import annotations

from math import isqrt
from struct import pack, unpack

_MASK = (1 << 64) - 1
_ROUNDS = 16
_BLOCK = 128

#: The permutations σ₀ … σ₉ (RFC 7693, section 2.7, has the same ten), a hexadecimal digit an index.
_SIGMA = tuple(
    tuple(int(digit, 16) for digit in row)
    for row in (
        "0123456789abcdef", "ea489fd61c02b753", "b8c052fdae367194", "7931dcbe265a40f8", "905724afe1bc683d",
        "2c6a0b834d75fe19", "c51fed4a0763928b", "db7ec13950f4862a", "6fe9b308c2d714a5", "a2847615fb9e3cd0",
    )
)  # fmt: skip
_COLUMNS_THEN_DIAGONALS = (
    (0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
    (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14),
)  # fmt: skip


def blake512(data: bytes) -> bytes:
    """The 64-byte digest of any bytes."""
    state = list(_INITIAL)
    bits = 8 * len(data)
    # A one bit, zeros, a one bit, then the length: a multiple of a block in all.
    padding = bytearray(-(len(data) + 17) % _BLOCK + 1)
    padding[0] |= 0x80
    padding[-1] |= 0x01
    padded = data + bytes(padding) + bits.to_bytes(16, "big")
    for start in range(0, len(padded), _BLOCK):
        end = start + _BLOCK
        # The counter is of message bits so far; 0 for a block that holds none.
        counter = min(8 * end, bits) if 8 * start < bits else 0
        state = _compress(state, unpack(">16Q", padded[start:end]), counter)
    return pack(">8Q", *state)


def _compress(state: list[int], message: tuple[int, ...], counter: int) -> list[int]:
    low, high = counter & _MASK, counter >> 64
    v = [*state, *_PI[:8]]
    for i, word in zip(range(12, 16), (low, low, high, high), strict=True):
        v[i] ^= word
    for r in range(_ROUNDS):
        sigma = _SIGMA[r % 10]
        for i, (a, b, c, d) in enumerate(_COLUMNS_THEN_DIAGONALS):
            x, y = sigma[2 * i], sigma[2 * i + 1]
            _half(v, a, b, c, d, message[x] ^ _PI[y], 32, 25)
            _half(v, a, b, c, d, message[y] ^ _PI[x], 16, 11)
    return [h ^ v[i] ^ v[i + 8] for i, h in enumerate(state)]


def _half(v: list[int], a: int, b: int, c: int, d: int, word: int, turn: int, twist: int) -> None:
    """Half of the function G."""
    v[a] = (v[a] + v[b] + word) & _MASK
    v[d] = _rotate(v[d] ^ v[a], turn)
    v[c] = (v[c] + v[d]) & _MASK
    v[b] = _rotate(v[b] ^ v[c], twist)


def _rotate(word: int, by: int) -> int:
    return (word >> by | word << 64 - by) & _MASK


def _pi_fraction(bits: int) -> int:
    """⌊(π − 3)·2^bits⌋ by Machin's formula, π = 16·arctan(1/5) − 4·arctan(1/239)."""
    guard = 32

    def arctan_inverse(x: int) -> int:
        total, power, n = 0, (1 << bits + guard) // x, 1
        while power:
            total += power // n if n % 4 == 1 else -(power // n)
            power //= x * x
            n += 2
        return total

    pi = 16 * arctan_inverse(5) - 4 * arctan_inverse(239)
    return (pi >> guard) - (3 << bits)


_PI = tuple(_pi_fraction(1024) >> 64 * (15 - i) & _MASK for i in range(16))
_INITIAL = tuple(isqrt(prime << 128) & _MASK for prime in (2, 3, 5, 7, 11, 13, 17, 19))
