import random

import numpy as np
import pytest

from aitbc_rollup.algebra import sparse
from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.limbs import from_montgomery, to_montgomery


def test_products_agree_with_integers():
    rng = random.Random(7)
    table = [1, R - 1, 0, 2, *(rng.randrange(R) for _ in range(4))]
    vector = [0, 1, R - 1, *(rng.randrange(R) for _ in range(20))]
    lengths = [0, 1, 5, 0, 40, 3]
    wires = [rng.randrange(len(vector)) for _ in range(sum(lengths))]
    coefficients = [rng.randrange(len(table)) for _ in wires]
    indptr = np.cumsum([0, *lengths])
    product = sparse.multiply(
        indptr, np.array(wires, np.uint32), np.array(coefficients, np.uint32), to_montgomery(table, R),
        to_montgomery(vector, R),
    )  # fmt: skip
    expected = [
        sum(table[coefficients[i]] * vector[wires[i]] for i in range(indptr[row], indptr[row + 1])) % R
        for row in range(len(lengths))
    ]
    assert from_montgomery(product, R) == expected


def test_pointwise_products_agree_with_integers():
    rng = random.Random(8)
    x, y = ([rng.randrange(R) for _ in range(9)] for _ in range(2))
    product = sparse.multiply_pointwise(to_montgomery(x, R), to_montgomery(y, R))
    assert from_montgomery(product, R) == [a * b % R for a, b in zip(x, y, strict=True)]


GOOD = {
    "indptr": np.array([0, 1, 2]),
    "wires": np.array([0, 1], np.uint32),
    "coefficients": np.array([0, 0], np.uint32),
    "table": to_montgomery([5], R),
    "vector": to_montgomery([1, 2], R),
}


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("indptr", np.array([0, 2, 1]), "must rise"),
        ("indptr", np.array([0, 1, 3]), "must rise"),
        ("indptr", np.array([-1, 1, 2]), "must rise"),
        ("indptr", np.zeros(0, np.int64), "must rise"),
        ("indptr", np.array([0, 1, 2], np.uint32), "expected a C-contiguous int64"),
        ("wires", np.array([0, 2], np.uint32), "outside the vector"),
        ("wires", np.array([0], np.uint32), "expected a C-contiguous uint32"),
        ("coefficients", np.array([0, 1], np.uint32), "outside the vector or the table"),
        ("vector", np.zeros((2, 3), np.uint64), "expected a C-contiguous uint64"),
    ],
)
def test_a_matrix_that_points_outside_is_refused(name, value, problem):
    assert from_montgomery(sparse.multiply(**GOOD), R) == [5, 10]
    with pytest.raises(ValueError, match=problem):
        sparse.multiply(**{**GOOD, name: value})
