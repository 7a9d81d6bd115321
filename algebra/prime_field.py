"""What ``fq`` and ``fr`` are made of: the kernels of one prime field, written once for both.

Every kernel writes its first argument; all values are in Montgomery form (x·2^256 mod the modulus), fully reduced.
See ``field_kernels`` for the method, ``inversion`` for 1/x, ``jit`` for the rules of addresses and for templates.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from . import field_kernels
from .field_kernels import copy, equal, is_zero, set_zero
from .inversion import ROUNDS, build_mix, divsteps, mix_integers
from .jit import Templates, address, checked, load, stack, store
from .limbs import MONTGOMERY_RADIX, Limbs, to_limbs

# Filled in by build(); named here so that the templates read, and check, like ordinary code.
mul: Any = None
neg: Any = None
from_montgomery: Any = None
mix: Any = None
MODULUS: Limbs = np.empty(0, dtype=np.uint64)
ONE: Limbs = MODULUS
RADIX_SQUARED: Limbs = MODULUS
START: Limbs = MODULUS

template = Templates()


class PrimeField(NamedTuple):
    """The operations of one field; kernels take ``intp`` addresses of four limbs, ``batch_…`` arrays (n, 4)."""

    mul: Any
    sqr: Any
    add: Any
    sub: Any
    neg: Any
    double: Any
    invert: Any
    copy: Any
    equal: Any
    is_zero: Any
    set_zero: Any
    set_one: Any
    to_montgomery: Any
    from_montgomery: Any
    #: Montgomery form of canonical limbs, shape (n, 4).
    batch_to_montgomery: Callable[[Limbs], Limbs]
    #: Canonical limbs, shape (n, 4), of Montgomery form.
    batch_from_montgomery: Callable[[Limbs], Limbs]
    #: 1 in Montgomery form, and the radix squared (what ``mul`` takes to enter Montgomery form): limbs, shape (4,).
    one: Limbs
    radix_squared: Limbs


def build(name: str, modulus: int) -> PrimeField:
    """Kernels of the integers mod ``modulus``, a prime between 2^192 and 2^254."""
    arithmetic = field_kernels.build(name, modulus)
    constants = {
        "MODULUS": modulus,
        "ONE": MONTGOMERY_RADIX % modulus,
        "RADIX_SQUARED": MONTGOMERY_RADIX**2 % modulus,
        # Where e starts in invert(): 12 rounds leave a factor 4^-12, and x·2^256 is inverted, not x.
        "START": MONTGOMERY_RADIX**2 * 4**ROUNDS % modulus,
    }
    limbs = {label: to_limbs([value])[0] for label, value in constants.items()}
    made = template.build(name, {**globals(), **arithmetic._asdict(), "mix": build_mix(modulus), **limbs})
    return PrimeField(
        **arithmetic._asdict(),
        invert=made["invert"],
        copy=copy,
        equal=equal,
        is_zero=is_zero,
        set_zero=set_zero,
        set_one=made["set_one"],
        to_montgomery=made["to_montgomery"],
        batch_to_montgomery=_on_arrays(made["_batch_to_montgomery"]),
        batch_from_montgomery=_on_arrays(made["_batch_from_montgomery"]),
        one=limbs["ONE"],
        radix_squared=limbs["RADIX_SQUARED"],
    )


def _on_arrays(batch: Any) -> Callable[[Limbs], Limbs]:
    def convert(values: Limbs) -> Limbs:
        out = np.empty_like(checked(values, None, 4))
        batch(out, values)
        return out

    return convert


@template
def set_one(out: int) -> None:
    """Write 1."""
    copy(out, address(ONE))


@template
def to_montgomery(out: int, x: int) -> None:
    """Montgomery form of a canonical value."""
    mul(out, x, address(RADIX_SQUARED))


@template
def invert(out: int, x: int) -> None:
    """1/x by divsteps (see ``inversion``); 0 goes to 0."""
    f, g, mixed, d, e, matrix = stack(5), stack(5), stack(5), stack(4), stack(4), stack(4)
    copy(f, address(MODULUS))
    store(f + 32, 0)
    copy(g, x)
    store(g + 32, 0)
    set_zero(d)
    copy(e, address(START))
    eta = np.intp(-1)
    for _ in range(ROUNDS):
        eta = divsteps(matrix, eta, load(f), load(g))
        mix_integers(mixed, f, g, matrix)
        mix_integers(g, f, g, matrix + 16)
        copy(f, mixed)
        store(f + 32, load(mixed + 32))
        mix(mixed, d, e, matrix)
        mix(e, d, e, matrix + 16)
        copy(d, mixed)
    if load(f + 32) != 0:
        neg(out, d)
    else:
        copy(out, d)


@template
def _batch_to_montgomery(out: Limbs, x: Limbs) -> None:
    for i in range(x.shape[0]):
        to_montgomery(address(out) + 32 * i, address(x) + 32 * i)


@template
def _batch_from_montgomery(out: Limbs, x: Limbs) -> None:
    for i in range(x.shape[0]):
        from_montgomery(address(out) + 32 * i, address(x) + 32 * i)
