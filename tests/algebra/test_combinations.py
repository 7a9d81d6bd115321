"""Linear combinations of .r1cs files: there and back, and nothing that is none."""

from __future__ import annotations

import random

import numpy as np
import pytest

from aitbc_rollup.algebra import combinations as module
from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.combinations import TERM, MalformedError, Rows, Words, read, write
from aitbc_rollup.algebra.limbs import from_limbs, to_limbs

Terms = list[tuple[int, int]]


def words_of(combinations: list[Terms]) -> Words:
    data = b""
    for terms in combinations:
        data += len(terms).to_bytes(4, "little")
        for wire, coefficient in terms:
            data += wire.to_bytes(4, "little") + coefficient.to_bytes(32, "little")
    return np.frombuffer(data, np.uint32).copy()


def combinations_of(rows: list[Rows], table: list[int]) -> list[Terms]:
    found = []
    for i in range(len(rows[0].indptr) - 1):
        for indptr, wires, coefficients in rows:
            part = slice(indptr[i], indptr[i + 1])
            pairs = zip(wires[part].tolist(), coefficients[part].tolist(), strict=True)
            found.append([(wire, table[index]) for wire, index in pairs])
    return found


def some(rng: random.Random, count: int, n_wires: int, values: list[int]) -> list[Terms]:
    sizes = (rng.choice([0, 1, 1, 2, 5]) for _ in range(count))
    return [[(wire, rng.choice(values)) for wire in rng.sample(range(n_wires), size)] for size in sizes]


@pytest.mark.parametrize("key", [(), (0, 0, 0, 0)], ids=["drawn key", "every hash the same"])
def test_there_and_back(key: tuple[int, ...]) -> None:
    rng = random.Random(6)
    values = [0, 1, R - 1, 1 << 64, 1 << 192, *(rng.randrange(R) for _ in range(40))]
    combinations = some(rng, 300, 50, values)
    words = words_of(combinations)
    rows, table = read(words, 300, 50, key)
    known = from_limbs(table)
    assert combinations_of(rows, known) == combinations
    used = [coefficient for terms in combinations for _, coefficient in terms]
    assert known == list(dict.fromkeys(used)), "distinct, in order of first appearance"
    assert (write(rows, table, 50) == words).all()


def test_no_combinations_at_all() -> None:
    rows, table = read(np.empty(0, np.uint32), 0, 5)
    assert len(table) == 0 and [len(matrix.indptr) for matrix in rows] == [1, 1, 1]
    assert len(write(rows, table, 5)) == 0


ONE = [(1, 1)]


@pytest.mark.parametrize(
    ("combinations", "message", "at"),
    [
        ([ONE, ONE, [(0, 1), (7, 1)]], "a wire is out of range", (2, 2 * (1 + TERM) + 1 + TERM)),
        ([ONE, [(2, R)], ONE], "a coefficient is not below r", (1, 1 + TERM + 1)),
        ([ONE, [(2, (1 << 256) - 1)], ONE], "a coefficient is not below r", (1, 1 + TERM + 1)),
        ([[(3, 1), (2, 1), (3, 5)], ONE, ONE], "a wire occurs twice in one combination", (0, 1 + 2 * TERM)),
        ([ONE, ONE, ONE, ONE], "words after the last constraint", (3, 3 * (1 + TERM))),
        ([ONE, ONE], "the constraints are cut off", (2, 2 * (1 + TERM))),
    ],
)
def test_what_is_no_combination_is_refused_and_placed(
    combinations: list[Terms], message: str, at: tuple[int, int]
) -> None:
    with pytest.raises(MalformedError, match=message) as caught:
        read(words_of(combinations), 3, 7)
    assert (caught.value.combination, caught.value.word) == at


@pytest.mark.parametrize("length", [0, 1, 5, 9])
def test_a_length_that_leaves_the_words_is_refused(length: int) -> None:
    words = np.full(length, 0xFFFFFFFF, np.uint32)
    with pytest.raises(MalformedError, match="cut off"):
        read(words, 3, 7)
    with pytest.raises(MalformedError, match="cut off"):
        read(words, 3 << 32, 7)


@pytest.mark.parametrize("totals", [(1, 1, 0), (0, 0, 1), (3, 0, 0)])
def test_words_that_change_after_they_were_measured_are_refused(
    totals: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file may be written to while it is mapped: no kernel may write where the arrays end."""

    def measure(words: Words, combinations: int, out: np.ndarray) -> int:
        out[:] = totals
        return len(words)

    monkeypatch.setattr(module, "_measure", measure)
    with pytest.raises(MalformedError, match="the words changed while they were read"):
        read(words_of([ONE, ONE, [(0, 1), (2, 1)]]), 3, 7)
    for words in ([0, 0, 1], [0, 0], [0xFFFFFFFF]):
        with pytest.raises(MalformedError, match="the words changed while they were read"):
            read(np.array(words, np.uint32), 3, 7)


def test_matrices_that_would_read_foreign_memory_are_refused() -> None:
    rows, table = read(words_of([ONE, ONE, ONE]), 3, 7)
    spoilt = [
        (rows, table, 1),
        ([rows[0]._replace(coefficients=rows[0].coefficients + np.uint32(1)), *rows[1:]], table, 7),
        ([rows[0]._replace(indptr=np.array([0, 2])), *rows[1:]], table, 7),
        ([rows[0]._replace(indptr=np.array([0, 1, 1])), *rows[1:]], table, 7),
        (rows, to_limbs([1]).astype(np.int64), 7),
    ]
    for matrices, coefficients, n_wires in spoilt:
        with pytest.raises(ValueError, match=r"C-contiguous|row offsets|points outside"):
            write(matrices, coefficients, n_wires)
