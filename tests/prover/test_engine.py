"""Every operation of every engine: against the definitions in plain integers, edge cases first."""

from __future__ import annotations

import random
from collections.abc import Callable
from types import SimpleNamespace

import gpu_world
import numpy as np
import pytest

from aitbc_rollup.algebra import g1, g2
from aitbc_rollup.algebra.bn254 import FR_GENERATOR, G1_GENERATOR, G2_GENERATOR, R
from aitbc_rollup.algebra.limbs import from_limbs, from_montgomery, to_limbs, to_montgomery
from aitbc_rollup.algebra.reference import curve
from aitbc_rollup.errors import ResourceError, UsageError
from aitbc_rollup.prover.cpu import ntt
from aitbc_rollup.prover.engine import Engine, load_engine
from aitbc_rollup.prover.keys import Matrix

GROUPS = {
    1: SimpleNamespace(arrays=g1, add=curve.g1_add, neg=curve.g1_neg, mul=curve.g1_mul, base=G1_GENERATOR),
    2: SimpleNamespace(arrays=g2, add=curve.g2_add, neg=curve.g2_neg, mul=curve.g2_mul, base=G2_GENERATOR),
}


@pytest.fixture(scope="module", params=["cpu", "reference", "gpu"])
def engine(request: pytest.FixtureRequest) -> Engine:
    return gpu_world.engine() if request.param == "gpu" else load_engine(request.param)


@pytest.fixture
def rng() -> random.Random:
    return random.Random(1)


def elements(rng: random.Random, count: int) -> list[int]:
    return [rng.randrange(R) for _ in range(count)]


def evaluate(coefficients: list[int], point: int) -> int:
    return sum(c * pow(point, j, R) for j, c in enumerate(coefficients)) % R


# -- transforms -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("power", [0, 1, 2, 5])
@pytest.mark.parametrize("shift", [1, 7, R - 1])
def test_ntt_is_evaluation(engine: Engine, rng: random.Random, power: int, shift: int) -> None:
    coefficients = elements(rng, 1 << power)
    root = pow(FR_GENERATOR, (R - 1) >> power, R)
    got = from_montgomery(engine.ntt(to_montgomery(coefficients, R), shift), R)
    assert got == [evaluate(coefficients, shift * pow(root, i, R)) for i in range(1 << power)]
    assert from_montgomery(engine.intt(to_montgomery(got, R), shift), R) == coefficients


def test_transforms_leave_their_arguments_alone(engine: Engine, rng: random.Random) -> None:
    values = to_montgomery(elements(rng, 8), R)
    kept = values.copy()
    engine.ntt(values, 5), engine.intt(values, 5), engine.quotient(values, values, 5)
    assert (values == kept).all()


@pytest.mark.parametrize("length", [0, 3, 12])
def test_a_length_that_is_no_power_of_two_is_refused(engine: Engine, length: int) -> None:
    with pytest.raises(ValueError, match="power of two"):
        engine.ntt(np.zeros((length, 4), np.uint64))


def test_the_root_is_primitive_and_is_circoms() -> None:
    # ffjavascript's Fr.w[28] for bn128 (ffjavascript 0.3.1).
    assert ntt.root_of_unity(28) == 19103219067921713944291392827692070036145651957329286315305642004821462161904
    assert pow(ntt.root_of_unity(28), 1 << 27, R) == R - 1
    with pytest.raises(ValueError, match="no root of unity"):
        ntt.root_of_unity(29)


@pytest.mark.parametrize("power", [12, 13, 14, 15])
def test_large_transforms_agree_with_evaluation_at_some_points(rng: random.Random, power: int) -> None:
    """Around the size of a cache block, where the schedule changes."""
    coefficients = elements(rng, 1 << power)
    values = ntt.ntt(to_montgomery(coefficients, R), 3)
    assert (ntt.intt(values, 3) == to_montgomery(coefficients, R)).all()
    for i in (0, 1, (1 << power) - 1, rng.randrange(1 << power)):
        (got,) = from_montgomery(values[i : i + 1], R)
        point = 3 * pow(ntt.root_of_unity(power), i, R) % R
        expected = 0
        for coefficient in reversed(coefficients):
            expected = (expected * point + coefficient) % R
        assert got == expected


@pytest.mark.parametrize("power", [1, 4])
def test_quotient_is_the_product_minus_its_interpolation(engine: Engine, rng: random.Random, power: int) -> None:
    """Against another way: schoolbook product, reduced mod x^n − 1, both evaluated on the coset."""
    n, shift = 1 << power, 5
    a, b = elements(rng, n), elements(rng, n)
    product = [sum(a[i] * b[k - i] for i in range(n) if 0 <= k - i < n) % R for k in range(2 * n - 1)]
    folded = [(product[k] + (product[k + n] if k + n < len(product) else 0)) % R for k in range(n)]
    root = pow(FR_GENERATOR, (R - 1) >> power, R)
    points = [shift * pow(root, i, R) % R for i in range(n)]
    expected = [(evaluate(product, x) - evaluate(folded, x)) % R for x in points]
    on_domain = [to_montgomery([evaluate(p, pow(root, i, R)) for i in range(n)], R) for p in (a, b)]
    assert from_limbs(engine.quotient(*on_domain, shift)) == expected


# -- sparse products ------------------------------------------------------------------------------------------


def test_sparse_product(engine: Engine, rng: random.Random) -> None:
    dense = [[rng.choice([0, 0, 1, R - 1, rng.randrange(R)]) for _ in range(9)] for _ in range(6)]
    dense[2] = [0] * 9
    entries = [(i, j, c) for i, row in enumerate(dense) for j, c in enumerate(row) if c]
    counts = [sum(1 for c in row if c) for row in dense]
    matrix = Matrix(
        np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        np.array([j for _, j, _ in entries], np.uint32),
        to_limbs((c << 512) % R for _, _, c in entries),
    )
    vector = [1, 0, R - 1, *elements(rng, 6)]
    expected = [sum(c * x for c, x in zip(row, vector, strict=True)) % R for row in dense]
    assert from_montgomery(engine.sparse_product(matrix, to_limbs(vector)), R) == expected


# -- multi-scalar multiplication ------------------------------------------------------------------------------


def multiples(group: int, factors: list[int]) -> np.ndarray:
    g = GROUPS[group]
    return g.arrays.to_array(g.mul(g.base, factor) if factor else None for factor in factors)


def check_msm(engine: Engine, group: int, factors: list[int], scalars: list[int]) -> None:
    """Points are known multiples of the generator, so the sum is one multiplication."""
    g = GROUPS[group]
    operation = engine.msm_g1 if group == 1 else engine.msm_g2
    got = operation(multiples(group, factors), to_limbs(scalars).reshape(-1, 4))
    total = sum(f * s for f, s in zip(factors, scalars, strict=True)) % R
    assert got.shape == (8 * group,)
    assert g.arrays.from_array(got.reshape(1, -1)) == [g.mul(g.base, total) if total else None]


@pytest.mark.parametrize("group", [1, 2])
@pytest.mark.parametrize(
    ("factors", "scalars"),
    [
        pytest.param([], [], id="nothing"),
        pytest.param([5], [0], id="zero"),
        pytest.param([5], [1], id="one"),
        pytest.param([5], [R - 1], id="minus one"),
        pytest.param([0], [12345], id="infinity"),
        pytest.param([0, 7, 0], [3, R - 2, R - 1], id="infinities among points"),
        pytest.param([7] * 6, [9] * 6, id="one point, one scalar"),
        pytest.param([7] * 6, [9, 9, R - 9, 2**128, 1, 0], id="one point"),
        pytest.param([7, R - 7], [9, 9], id="opposite points"),
        pytest.param([7, R - 7, 7], [9, 9, R - 9], id="opposite points and scalars"),
        pytest.param([7, 14, 28], [4, 2, R - 4], id="doublings inside buckets"),
        pytest.param([3, 5, 8, 9], [1, 1, 0, 1], id="bits"),
    ],
)
def test_msm_edge_cases(engine: Engine, group: int, factors: list[int], scalars: list[int]) -> None:
    check_msm(engine, group, factors, scalars)


@pytest.mark.parametrize("group", [1, 2])
def test_msm_of_every_bit_length(group: int) -> None:
    """2^k − 1 carries through every window; 2^k sits alone in one; both at each width the length leads to."""
    engine, arrays = load_engine("cpu"), GROUPS[group].arrays
    operation = engine.msm_g1 if group == 1 else engine.msm_g2
    points = multiples(group, [3, 4])
    scalars = [
        [low, high] for bits in range(1, 254) for low, high in (((1 << bits) - 1, 0), (1 << bits, (1 << bits) - 1))
    ]
    got = np.stack([operation(points, to_limbs(pair)) for pair in scalars])
    totals = to_limbs((3 * low + 4 * high) % R for low, high in scalars)
    base = np.repeat(multiples(group, [1]), len(totals), axis=0)
    assert (got == arrays.multiply(base, totals)).all()


@pytest.mark.parametrize("group", [1, 2])
@pytest.mark.parametrize("length", [2, 17, 300, 9000])
@pytest.mark.parametrize("kind", ["witness", "full", "skewed"])
@pytest.mark.parametrize("few_points", [False, True], ids=["points differ", "points repeat"])
def test_msm_of_many(group: int, length: int, kind: str, few_points: bool, rng: random.Random) -> None:
    """Up to lengths that fill rounds of additions and are cut into tasks, with every exception: P = ±Q, infinity."""
    engine = load_engine("cpu")
    known = [0, 1, R - 1, 2, R - 2, 3] if few_points else elements(rng, length)
    factors = [rng.choice(known) for _ in range(length)] if few_points else known
    draw: dict[str, Callable[[], int]] = {
        "witness": lambda: rng.choice([0, 1, 1, rng.randrange(1 << 64), rng.randrange(R), R - 1]),
        "full": lambda: rng.randrange(R),
        "skewed": lambda: rng.choice([1, 1, 1, 2, 3 << 200]),
    }
    scalars = [draw[kind]() for _ in range(length)]
    points = (engine.fixed_base_g1 if group == 1 else engine.fixed_base_g2)(to_limbs(factors))
    g = GROUPS[group]
    got = (engine.msm_g1 if group == 1 else engine.msm_g2)(points, to_limbs(scalars))
    total = sum(f * s for f, s in zip(factors, scalars, strict=True)) % R
    assert g.arrays.from_array(got.reshape(1, -1)) == [g.mul(g.base, total) if total else None]


@pytest.mark.parametrize("group", [1, 2])
def test_fixed_base(engine: Engine, group: int, rng: random.Random) -> None:
    g = GROUPS[group]
    scalars = [0, 1, 2, R - 1, *((1 << k) - 1 for k in (64, 128, 253)), *elements(rng, 3)]
    got = (engine.fixed_base_g1 if group == 1 else engine.fixed_base_g2)(to_limbs(scalars))
    assert g.arrays.from_array(got) == [g.mul(g.base, k) if k else None for k in scalars]


def test_a_matrix_that_would_read_foreign_memory_is_refused() -> None:
    engine, one = load_engine("cpu"), to_limbs([1, 1])

    def matrix(indptr: list[int], wires: list[int]) -> Matrix:
        return Matrix(np.array(indptr, np.int64), np.array(wires, np.uint32), one)

    engine.sparse_product(matrix([0, 1, 2], [0, 1]), one)
    for indptr, wires in (([0, 1, 3], [0, 1]), ([0, 5, 2], [0, 1]), ([1, 1, 2], [0, 1]), ([0, 1, 2], [0, 2])):
        with pytest.raises(ValueError, match=r"expected a C-contiguous|offsets|the vector 2 entries"):
            engine.sparse_product(matrix(indptr, wires), one)


def test_arrays_that_do_not_fit_are_refused() -> None:
    engine = load_engine("cpu")
    points, scalars = multiples(1, [1, 2]), to_limbs([1, 2])
    with pytest.raises(ValueError, match="expected a C-contiguous"):
        engine.msm_g1(points, scalars[:1])
    with pytest.raises(ValueError, match="expected a C-contiguous"):
        engine.msm_g2(points, scalars)
    with pytest.raises(ValueError, match="expected a C-contiguous"):
        engine.msm_g1(points[::2], scalars[:1].astype(np.int64))


# -- the loader -----------------------------------------------------------------------------------------------


def test_engines_by_name() -> None:
    assert load_engine("cpu").name == "cpu"
    assert load_engine("reference").name == "reference"
    with pytest.raises(UsageError, match="no such engine"):
        load_engine("fpga")


def test_without_a_gpu_the_name_is_an_error_and_auto_is_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "aitbc_rollup.gpu.engine", None)
    with pytest.raises(ResourceError, match="there is no GPU engine here"):
        load_engine("gpu")
    assert load_engine("auto").name == "cpu"
