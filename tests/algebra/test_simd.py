"""Lanes against Python integers, on every path of this processor; the bounds they carry; what they refuse."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import pytest
from llvmlite import ir

from aitbc_rollup.algebra import cpu
from aitbc_rollup.algebra.bn254 import P, R
from aitbc_rollup.algebra.jit import address
from aitbc_rollup.algebra.limbs import from_limbs, to_limbs
from aitbc_rollup.algebra.simd import operations, paths, vector
from aitbc_rollup.algebra.simd.element import Element, Lanes

RNG = random.Random(20)
PATHS = [paths._PATHS[name] for name in cpu.available()]
#: Limbs of all ones and all zeros, and values next to multiples of the modulus.
EDGES = [0, 1, 2**52 - 1, 2**52, 2**104 - 1, 2**208, 2**208 - 1, 2**253, 2**253 - 1, *(2**k for k in range(3, 254, 17))]


@pytest.fixture(autouse=True)
def rounding() -> Any:
    """What ``operations.run`` does for avx2; it changes no other path."""
    before = operations.exchange_control(operations._TOWARD_ZERO)
    yield
    operations.exchange_control(before)


def values(modulus: int, count: int, below: int) -> list[int]:
    """Edge cases below a bound, then random ones."""
    edges = [x for k in range(4) for x in (k * modulus - 1, k * modulus, k * modulus + 1) if 0 <= x < below]
    edges += [x for x in EDGES if x < below] + [below - 1]
    return (edges + [RNG.randrange(below) for _ in range(count)])[:count]


def blocks(numbers: list[int], lanes: int) -> np.ndarray[Any, Any]:
    """Integers as blocks, ``(n, 4, lanes)``."""
    return np.ascontiguousarray(to_limbs(numbers).reshape(-1, lanes, 4).transpose(0, 2, 1))


def numbers(array: np.ndarray[Any, Any]) -> list[int]:
    """The way back."""
    return from_limbs(np.ascontiguousarray(array.transpose(0, 2, 1)))


def run_binary(
    path: type[Lanes], modulus: int, below: int, formula: Callable[[Lanes, Element, Element], Element]
) -> tuple[list[int], list[int], list[int], int]:
    """x, y, the formula's values on them, and the bound it claims for those."""
    claimed = []

    @operations.operation
    def step(builder: ir.IRBuilder, out: Any, x: Any, y: Any) -> None:
        f = path(builder, modulus)
        result = formula(f, f.load_block(x, below), f.load_block(y, below))
        claimed.append(min(result.below, 1 << 256))
        f.store_block(out, result)

    size = 32 * path.count

    def loop(out: Any, x: Any, y: Any) -> None:
        for i in range(x.shape[0]):
            step(address(out) + size * i, address(x) + size * i, address(y) + size * i)

    xs, ys = values(modulus, 128, below), values(modulus, 128, below)
    RNG.shuffle(ys)
    x, y = blocks(xs, path.count), blocks(ys, path.count)
    out = np.zeros_like(x)
    numba.njit(loop)(out, x, y)
    return xs, ys, numbers(out), claimed[0]


FORMULAS: dict[str, tuple[Callable[[Lanes, Element, Element], Element], Callable[[int, int, int], int]]] = {
    "add": (lambda f, x, y: x + y, lambda x, y, inverse: x + y),
    "sub": (lambda f, x, y: x - y, lambda x, y, inverse: x - y),
    "sub of sums": (lambda f, x, y: (x - (y + y)) - (x + y + y + y), lambda x, y, inverse: -5 * y),
    "mul": (lambda f, x, y: x * y, lambda x, y, inverse: x * y * inverse),
    "mul of itself": (lambda f, x, y: x * x, lambda x, y, inverse: x * x * inverse),
    "square": (lambda f, x, y: (x + y).square(), lambda x, y, inverse: (x + y) ** 2 * inverse),
    "mul of sums": (lambda f, x, y: (x - y) * (x + y.times(3)), lambda x, y, inverse: (x - y) * (x + 3 * y) * inverse),
    "times": (lambda f, x, y: x.times(9) + y.times(8), lambda x, y, inverse: 9 * x + 8 * y),
    "reduced": (lambda f, x, y: (x.times(3) - y).reduced(), lambda x, y, inverse: 3 * x - y),
    "reduced product": (lambda f, x, y: (x * y - y - x.times(5)).reduced(), lambda x, y, i: x * y * i - y - 5 * x),
    "canonical": (lambda f, x, y: (x + y).canonical(), lambda x, y, inverse: x + y),
    "constant": (lambda f, x, y: f.constant(7) * x, lambda x, y, inverse: 7 * x),
    "select zeros": (lambda f, x, y: f.select(f.all_null(x), y, x), lambda x, y, inverse: x or y),
    "zeros": (
        lambda f, x, y: f.select(f.mask(f.bits(f.may_be_zero(x))), f.constant(1), f.constant(0)),
        lambda x, y, inverse: 0,
    ),
}


@pytest.mark.parametrize("modulus", [P, R], ids=["fq", "fr"])
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("name", FORMULAS)
def test_formula(path: type[Lanes], modulus: int, name: str) -> None:
    formula, expected = FORMULAS[name]
    below = modulus if name == "select zeros" else 2 * modulus
    xs, ys, got, claimed = run_binary(path, modulus, below, formula)
    inverse = pow(1 << path.radix, -1, modulus)
    for x, y, z in zip(xs, ys, got, strict=True):
        assert z < claimed
        if name == "zeros" and z:
            # Every multiple of the modulus is found; what else is found looks like one in its lowest limb.
            assert any((x - k * modulus) % vector.LIMB == 0 for k in range(2))
        else:
            assert (z - expected(x, y, inverse)) % modulus == 0
            assert name != "zeros" or x % modulus
    if name == "canonical":
        assert max(got) < modulus == claimed
    if name.startswith("reduced"):
        assert claimed < 1.3 * modulus


@pytest.mark.parametrize("path", PATHS)
def test_memory(path: type[Lanes]) -> None:
    """Rows, blocks, registers and spread constants hold what was put there, and touch nothing beside it."""
    lanes = path.count

    @operations.operation
    def step(builder: ir.IRBuilder, rows: Any, block: Any, scratch: Any, out: Any, one: Any) -> None:
        f = path(builder, P)

        def at(base: Any, stride: int) -> list[Any]:
            return [builder.add(base, ir.Constant(ir.IntType(64), stride * i)) for i in range(lanes)]

        x = f.gather(at(rows, 64), 1 << 256)
        f.store_block(block, x)
        f.store(scratch, x.reduced())
        f.scatter(at(out, 96), f.load(scratch, 2 * P) * f.broadcast(one))

    def loop(rows: Any, block: Any, scratch: Any, out: Any, one: Any) -> None:
        step(address(rows), address(block), address(scratch), address(out), address(one))

    numbers_in = [RNG.randrange(1 << 256) for _ in range(2 * lanes)]
    rows = to_limbs(numbers_in)
    block = np.full((1, 4, lanes), 77, np.uint64)
    scratch = np.full(path.register_bytes // 8 + 8, 77, np.uint64)
    out = np.full((3 * lanes, 4), 77, np.uint64)
    one = np.array(vector.split((1 << 260) % P) if path.radix == 260 else to_limbs([(1 << 256) % P])[0], np.uint64)
    numba.njit(loop)(rows, block, scratch, out, one)
    loaded = [x % P if lanes == 1 else x for x in numbers_in[::2]]
    assert numbers(block) == [x if x < 1 << 256 else x % P for x in loaded]
    assert (scratch[-8:] == 77).all()
    assert (out.reshape(lanes, 3, 4)[:, 1:] == 77).all()
    results = from_limbs(out.reshape(lanes, 3, 4)[:, 0])
    assert [x % P for x in results] == [x % P for x in numbers_in[::2]]


def code(path: type[Lanes]) -> Lanes:
    """Lanes that write into a function nobody runs."""
    function = ir.Function(ir.Module(), ir.FunctionType(ir.VoidType(), [ir.IntType(64)]), "f")
    return path(ir.IRBuilder(function.append_basic_block()), P)


@pytest.mark.parametrize("path", [path for path in PATHS if issubclass(path, vector.Vector)])
def test_overflow_is_refused_when_the_code_is_written(path: type[Lanes]) -> None:
    f = code(path)
    word = f.builder.function.args[0]
    x = f.load_block(word, 1 << 256)
    with pytest.raises(OverflowError):
        x.times(32) * x
    with pytest.raises(OverflowError):
        f.load_block(word, (1 << 256) + 1)


@pytest.mark.parametrize("modulus", [P, R])
@pytest.mark.parametrize("limbs_wide", [1, 2, 3, 7, 100])
@pytest.mark.parametrize("times_modulus", [1, 1.25, 2, 5, 40])
def test_the_cover_of_a_difference_is_never_less(modulus: int, limbs_wide: int, times_modulus: float) -> None:
    below, limb_below = int(times_modulus * modulus), limbs_wide * vector.LIMB
    k, cover = vector._cover(modulus, below, limb_below)
    assert sum(limb << 52 * i for i, limb in enumerate(cover)) == k * modulus
    assert min(cover[:-1]) >= limb_below - 1
    assert cover[-1] >= min(limb_below - 1, (below - 1) >> 208)
    assert k <= times_modulus + 2


@pytest.mark.parametrize("modulus", [P, R])
@pytest.mark.parametrize("limbs_wide", [1, 7, 100])
def test_the_quotient_estimate_never_overshoots(modulus: int, limbs_wide: int) -> None:
    below = 40 * modulus
    shift, factor, exponent, bound = vector._quotient_estimate(modulus, below, limbs_wide * vector.LIMB)
    for x in [RNG.randrange(below) for _ in range(2000)] + [k * modulus - 1 for k in range(1, 41)]:
        # As much as possible is in the lower limbs.
        highest = (x >> 208) - min(x >> 208, limbs_wide - 1)
        rest = x - ((highest >> shift - 208) * factor >> exponent) * modulus
        assert 0 <= rest < bound
    assert bound < 1.3 * modulus


def test_spread_is_what_broadcast_reads() -> None:
    table = paths.spread([1, 5], R)
    assert table.shape == (2, paths.SPREAD_WORDS)
    width = 52 if paths.RADIX == 260 else 64
    assert [sum(int(w) << width * i for i, w in enumerate(row)) for row in table] == [
        (v << paths.RADIX) % R for v in (1, 5)
    ]


def test_run_restores_the_rounding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpu, "chosen", lambda: "avx2")
    before = operations.exchange_control(0x1F80)
    seen = []
    operations.run(lambda: seen.append(operations.exchange_control(operations._TOWARD_ZERO)))
    with pytest.raises(ZeroDivisionError):
        operations.run(lambda: 1 // 0)
    assert seen == [operations._TOWARD_ZERO]
    assert operations.exchange_control(before) == 0x1F80
