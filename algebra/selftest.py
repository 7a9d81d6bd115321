"""Whether field products come out right on the chosen vector path: the kernels' own against Python's integers.

Run it as a program, ``python -m aitbc_rollup.algebra.selftest``: an instruction that the processor does not have ends
the process.
"""

from __future__ import annotations

import random
from typing import Any

import numpy as np

from . import fq, fr
from .jit import Templates, address
from .limbs import Limbs, from_limbs, to_limbs
from .simd import LANES, RADIX, lanes, operation, run

#: Products tried in each field.
_COUNT = 4096

# Filled in for each field.
lane_product: Any = None
mul: Any = None

template = Templates()


def check() -> None:
    """Try both fields on the chosen path.

    Raises:
        ArithmeticError: a product is wrong.
    """
    for name, modulus, kernel in (("Fq", fq.MODULUS, _KERNELS["fq"]), ("Fr", fr.MODULUS, _KERNELS["fr"])):
        xs, ys = _factors(modulus)
        by_lanes, alone = (np.empty((_COUNT // LANES, 4, LANES), np.uint64) for _ in range(2))
        run(kernel, by_lanes, _blocks(xs), _blocks(ys), alone, to_limbs(xs), to_limbs(ys))
        for what, got, radix in (
            ("lanes", _numbers(by_lanes), RADIX),
            ("scalar", from_limbs(alone.reshape(-1, 4)), 256),
        ):
            scale = pow(2, -radix, modulus)
            wrong = [i for i, (x, y) in enumerate(zip(xs, ys, strict=True)) if got[i] != x * y * scale % modulus]
            if wrong:
                x, y = xs[wrong[0]], ys[wrong[0]]
                raise ArithmeticError(
                    f"{len(wrong)} of {_COUNT} products in {name} are wrong ({what}): {x:#x} * {y:#x}"
                )


def _factors(modulus: int) -> tuple[list[int], list[int]]:
    """Every pair of edge values, then random ones; all below the modulus."""
    edges = [0, 1, 2, modulus - 1, modulus - 2, modulus // 2, (1 << 52) - 1, 1 << 52, (1 << 208) - 1, (1 << 253) - 1]
    pairs = [(x, y) for x in edges for y in edges]
    source = random.Random(254)
    pairs += [(source.randrange(modulus), source.randrange(modulus)) for _ in range(_COUNT - len(pairs))]
    xs, ys = zip(*pairs, strict=True)
    return list(xs), list(ys)


def _blocks(numbers: list[int]) -> Limbs:
    """As ``Lanes.load_block`` takes them, ``(n / LANES, 4, LANES)``."""
    return np.ascontiguousarray(to_limbs(numbers).reshape(-1, LANES, 4).transpose(0, 2, 1))


def _numbers(blocks: Limbs) -> list[int]:
    return from_limbs(np.ascontiguousarray(blocks.transpose(0, 2, 1)).reshape(-1, 4))


@template
def products(by_lanes: Limbs, x: Limbs, y: Limbs, alone: Limbs, flat_x: Limbs, flat_y: Limbs) -> None:
    """Products of blocks, and of single elements."""
    size = 8 * x.shape[1] * x.shape[2]
    for i in range(x.shape[0]):
        lane_product(address(by_lanes) + size * i, address(x) + size * i, address(y) + size * i)
    for i in range(flat_x.shape[0]):
        mul(address(alone) + 32 * i, address(flat_x) + 32 * i, address(flat_y) + 32 * i)


def _build(name: str, field: Any) -> Any:
    @operation
    def step(builder: Any, out: Any, x: Any, y: Any) -> None:
        f = lanes(builder, field.MODULUS)
        f.store_block(out, (f.load_block(x, field.MODULUS) * f.load_block(y, field.MODULUS)).canonical())

    return template.build(name, {**globals(), "lane_product": step, "mul": field.mul})["products"]


_KERNELS = {"fq": _build("fq", fq), "fr": _build("fr", fr)}


if __name__ == "__main__":
    check()
