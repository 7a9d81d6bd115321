"""Blobs of EIP-4844 and back: a batch's words are the coefficients of the polynomial whose evaluations a blob holds.

A blob is 4096 big-endian elements of BLS12-381's scalar field: element i is the polynomial's value at ω^brev(i), ω
being the consensus specification's 4096th root of unity and brev reversing 12 bits (consensus-specs,
``deneb/polynomial-commitments``). With words as coefficients the precompile's y = p(z) is a sum that a circuit can
recompute (``circuits.statements.blob``), and words that are not used are zeros at the end, which cost it nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from aitbc_rollup.algebra.bls12_381 import SCALAR_MODULUS, root_of_unity
from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.circuits.statements.batch.layout import BLOB_WORDS, WORD_BYTES
from aitbc_rollup.errors import BadInputError

#: Length of a blob.
BLOB_BYTES = BLOB_WORDS * WORD_BYTES


def blob_of_words(words: Sequence[int]) -> bytes:
    """The blob of at most 4096 words, each in [0, r); words after the last are 0.

    Raises:
        BadInputError: too many words, or one that is not below r.
    """
    if len(words) > BLOB_WORDS:
        expected, got = f"at most {BLOB_WORDS}", str(len(words))
        raise BadInputError("the words do not fit one blob", place="blob", expected=expected, got=got)
    _check_words(words)
    values = _transform([*words, *[0] * (BLOB_WORDS - len(words))], root_of_unity(BLOB_WORDS))
    return b"".join(values[i].to_bytes(WORD_BYTES, "big") for i in _bit_reversed(BLOB_WORDS))


def words_of_blob(blob: bytes) -> list[int]:
    """The 4096 words of a blob, those after the last one used being 0.

    Raises:
        BadInputError: not a blob's length, an element that is not canonical, or a coefficient that is no word.
    """
    if len(blob) != BLOB_BYTES:
        expected, got = f"{BLOB_BYTES} bytes", str(len(blob))
        raise BadInputError("a blob has another length", place="blob", expected=expected, got=got)
    values = [0] * BLOB_WORDS
    for i, place in enumerate(_bit_reversed(BLOB_WORDS)):
        values[place] = int.from_bytes(blob[WORD_BYTES * i : WORD_BYTES * (i + 1)], "big")
        if values[place] >= SCALAR_MODULUS:
            raise BadInputError(
                "a blob's element is not canonical",
                place=f"blob, element {i}",
                expected="below BLS12-381's group order",
                got=hex(values[place]),
            )
    inverse = pow(BLOB_WORDS, -1, SCALAR_MODULUS)
    words = _transform(values, pow(root_of_unity(BLOB_WORDS), -1, SCALAR_MODULUS))
    words = [word * inverse % SCALAR_MODULUS for word in words]
    _check_words(words)
    return words


def evaluate(words: Sequence[int], z: int) -> int:
    """Σ wordᵢ·zⁱ modulo BLS12-381's group order: what the point-evaluation precompile says of the blob."""
    value = 0
    for word in reversed(words):
        value = (value * z + word) % SCALAR_MODULUS
    return value


def _check_words(words: Sequence[int]) -> None:
    for i, word in enumerate(words):
        if not 0 <= word < R:
            raise BadInputError(
                "a blob's word is no field element", place=f"word {i}", expected="0 … r − 1", got=hex(word)
            )


def _transform(values: Sequence[int], root: int) -> list[int]:
    """The values at 1, root, root² … of the polynomial with these coefficients (Cooley and Tukey)."""
    if len(values) == 1:
        return list(values)
    square = root * root % SCALAR_MODULUS
    even, odd = _transform(values[::2], square), _transform(values[1::2], square)
    low, high, power = [], [], 1
    for x, y in zip(even, odd, strict=True):
        term = power * y % SCALAR_MODULUS
        low.append((x + term) % SCALAR_MODULUS)
        high.append((x - term) % SCALAR_MODULUS)
        power = power * root % SCALAR_MODULUS
    return low + high


def _bit_reversed(n: int) -> list[int]:
    """0 … n − 1, each with its bits reversed, n being a power of two."""
    bits = n.bit_length() - 1
    return [int(f"{i:0{bits}b}"[::-1], 2) for i in range(n)]
