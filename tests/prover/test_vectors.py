"""Sparse products of the CPU engine against plain sums, at the ends of chunks, of lanes and of threads' shares."""

from __future__ import annotations

import random
from itertools import pairwise

import numpy as np
import pytest

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.limbs import from_montgomery, to_limbs
from aitbc_rollup.prover.cpu import vectors
from aitbc_rollup.prover.keys import Matrix

RNG = random.Random(33)
EDGES = [0, 1, 2, R - 1, R - 2]


@pytest.mark.parametrize(
    "lengths",
    [
        [],
        [0, 0, 0],
        [1],
        [7, 0, 0, 1],
        [0, 8, 9],
        [vectors._CHUNK, 0, 3],
        [1, 3 * vectors._CHUNK + 5, 0],
        [RNG.choice([0, 1, 2, 3, 40]) for _ in range(3000)],
    ],
    ids=lambda lengths: f"{len(lengths)} rows, {sum(lengths)} entries",
)
def test_sparse_product_agrees_with_plain_sums(lengths: list[int]) -> None:
    vector = [*EDGES, *(RNG.randrange(R) for _ in range(200))]
    wires = [RNG.randrange(len(vector)) for _ in range(sum(lengths))]
    factors = [RNG.choice([*EDGES, RNG.randrange(R)]) for _ in wires]
    ends = np.cumsum([0, *lengths])
    values = to_limbs((factor << 512) % R for factor in factors)
    product = vectors.sparse_product(Matrix(ends, np.array(wires, np.uint32), values), to_limbs(vector))
    terms = [factor * vector[wire] for factor, wire in zip(factors, wires, strict=True)]
    expected = [sum(terms[start:stop]) % R for start, stop in pairwise(ends)]
    assert from_montgomery(product, R) == expected
    assert (product == to_limbs((value << 256) % R for value in expected)).all()
