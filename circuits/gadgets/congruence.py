"""Σ vᵢ·wᵢ ≡ 0 modulo a constant m, as integers, in a field where those integers do not fit.

The weights are constants, so they are reduced modulo m beforehand. What is left is an equation of integers,
Σ vᵢ·wᵢ = q·m, with a quotient not much larger than the values themselves. Weights and m are cut into *columns* of C
bits, wᵢ = Σⱼ wᵢⱼ·2^(C·j), and the equation is held column by column:

    Σᵢ vᵢ·wᵢⱼ − q·mⱼ + carryⱼ = carryⱼ₊₁ · 2^C        with carry₀ = 0, and no carry out of the last column

The difference of the two sides is an integer between −r and r, by the known ranges of the values and the checked ones
of q and of the carries, so what holds in the field holds for integers; multiplied by 2^(C·j) and added up, the columns
are the equation. q is the only thing hinted, and the equation has one q: this gadget leaves no choice. The fewest
columns that fit are taken; what fits in no way is refused while the circuit is built. ``docs/spec/emulated.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import NamedTuple, NoReturn

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.limbs import Limbs, from_limbs, to_limbs
from aitbc_rollup.errors import BadInputError

from ..api import Circuit, Variable
from ..places import user_place
from ..variable import Bounds, plus, scaled
from .ranges import MAX_BITS, uint

__all__ = ["assert_multiple", "hint_of_sum", "known_bounds", "refuse_width"]


class Span(NamedTuple):
    """The range low … low + 2^bits − 1."""

    low: int
    bits: int

    @property
    def bounds(self) -> Bounds:
        """Least and greatest value."""
        return self.low, self.low + (1 << self.bits) - 1


class Plan(NamedTuple):
    """How a sum is held: columns of so many bits, ranges of the quotient and of the carry out of each but the last."""

    column_bits: int
    quotient: Span
    carries: tuple[Span, ...]

    def digits(self, value: int) -> list[int]:
        """A weight, or the modulus, cut into columns."""
        mask = (1 << self.column_bits) - 1
        return [value >> self.column_bits * j & mask for j in range(len(self.carries) + 1)]


def assert_multiple(
    circuit: Circuit, values: Sequence[Variable], weights: Sequence[int], modulus: int, message: str = ""
) -> None:
    """Constrain Σ valueᵢ·weightᵢ ≡ 0 mod ``modulus``, for values of known ranges and any integers as weights.

    Constraints: the range checks of the quotient and of one carry less than there are columns, each a little wider than
    the widest value, and 1.

    Raises:
        BadInputError: a value's range is not known, or the ranges are so wide that a column could wrap around r.
    """
    bounds = tuple(known_bounds(value) for value in values)
    reduced = tuple(weight % modulus for weight in weights)
    plan = _plan(bounds, reduced, modulus, circuit.limb_bits or 1)
    if plan is None:
        refuse_width(f"values of up to {max(high - low for low, high in bounds).bit_length()} bits")
    least = plan.quotient.low
    # Of a sum that is no multiple this is no quotient, and the columns fail.
    (hinted,) = hint_of_sum(circuit, lambda total: [(total // modulus - least) % R], values, reduced, 1)
    quotient = _checked(circuit, hinted, plan.quotient)
    carry = circuit.constant(0)
    columns = zip(*(plan.digits(weight) for weight in reduced), strict=True)
    for j, (weights_here, digit) in enumerate(zip(columns, plan.digits(modulus), strict=True)):
        total = circuit.inner_product(weights_here, values) - quotient * digit + carry
        if j == len(plan.carries):
            _require_exact(total.bounds)
            circuit.assert_zero(total, message)
        else:
            carry = _carry(circuit, total, plan.carries[j], plan.column_bits)


def known_bounds(value: Variable) -> Bounds:
    """The range of a value; within it, no two integers are one field element.

    Raises:
        BadInputError: it is not known.
    """
    if value.bounds is None:
        refuse_width("nothing known of a value's range, or r values and more")
    return value.bounds


def hint_of_sum(
    circuit: Circuit,
    function: Callable[[int], list[int]],
    values: Sequence[Variable],
    weights: Sequence[int],
    n_outputs: int,
) -> list[Variable]:
    """What a function makes of the integer Σ valueᵢ·weightᵢ: so many integers in [0, r). Unconstrained.

    Raises:
        BadInputError: a value's range is not known.
    """
    lows = [known_bounds(value)[0] for value in values]
    inputs = [value - low for value, low in zip(values, lows, strict=True)]
    hint = partial(_of_sums, function=function, lows=lows, weights=list(weights))
    return circuit.hint(hint, inputs, n_outputs, batch=True)


def _of_sums(
    inputs: Limbs, *, function: Callable[[int], list[int]], lows: Sequence[int], weights: Sequence[int]
) -> Limbs:
    """The batched hint: inputs are values less their least, so none of them is negative."""
    least = sum(low * weight for low, weight in zip(lows, weights, strict=True))
    read, n = from_limbs(inputs), len(weights)
    outputs: list[int] = []
    for i in range(0, len(read), n):
        outputs += function(least + sum(x * weight for x, weight in zip(read[i : i + n], weights, strict=True)))
    return to_limbs(outputs).reshape(len(inputs), -1, 4)


def _checked(circuit: Circuit, offset: Variable, span: Span) -> Variable:
    """low + offset, constrained to the span."""
    return uint(circuit, offset, span.bits) + span.low


def _carry(circuit: Circuit, total: Variable, span: Span, column_bits: int) -> Variable:
    """total / 2^column_bits, exactly: a combination of wires that is checked to be an integer of the span."""
    quotient = Variable(circuit, (total * pow(1 << column_bits, -1, R)).terms)
    carry = _checked(circuit, quotient - span.low, span)
    _require_exact(plus(total.bounds, scaled(carry.bounds, -(1 << column_bits))))
    return carry


def _require_exact(bounds: Bounds | None) -> None:
    """Go on only if a field element of this range that is 0 mod r is the integer 0."""
    if not _is_exact(bounds):
        refuse_width("a column that could be a multiple of r, or never 0")


def _is_exact(bounds: Bounds | None) -> bool:
    """Whether 0 is in the range and no other multiple of r is (known ranges hold fewer than r integers)."""
    return bounds is not None and bounds[0] <= 0 <= bounds[1]


@lru_cache(maxsize=4096)
def _plan(bounds: tuple[Bounds, ...], weights: tuple[int, ...], modulus: int, step: int) -> Plan | None:
    """The fewest columns that fit, ranges being multiples of ``step`` bits; none if no number of them does."""
    low = sum(min(weight * x for x in pair) for weight, pair in zip(weights, bounds, strict=True))
    high = sum(max(weight * x for x in pair) for weight, pair in zip(weights, bounds, strict=True))
    quotient = _span(-(-low // modulus), high // modulus, step)
    for n_columns in range(1, modulus.bit_length() + 1):
        plan = _columns(bounds, weights, modulus, quotient, -(-modulus.bit_length() // n_columns), step)
        if plan is not None:
            return plan
    return None


def _columns(
    bounds: tuple[Bounds, ...], weights: tuple[int, ...], modulus: int, quotient: Span, column_bits: int, step: int
) -> Plan | None:
    """A plan with columns of so many bits, unless a column of it is not exact: see :func:`_is_exact`."""
    carries: list[Span] = []
    n_columns = -(-modulus.bit_length() // column_bits)
    mask = (1 << column_bits) - 1
    carry: Bounds | None = (0, 0)
    for j in range(n_columns):
        total = plus(carry, scaled(quotient.bounds, -(modulus >> column_bits * j & mask)))
        for weight, pair in zip(weights, bounds, strict=True):
            total = plus(total, scaled(pair, weight >> column_bits * j & mask))
        if total is None or quotient.bits > MAX_BITS:
            return None
        if j < n_columns - 1:
            span = _span(-(-total[0] >> column_bits), total[1] >> column_bits, step)
            if span.bits > MAX_BITS or not _is_exact(plus(total, scaled(span.bounds, -(1 << column_bits)))):
                return None
            carries.append(span)
            carry = span.bounds
        elif not _is_exact(total):
            return None
    return Plan(column_bits, quotient, tuple(carries))


def _span(low: int, high: int, step: int) -> Span:
    """The span from low on that holds high, in steps of bits."""
    bits = max(high - low, 1).bit_length()
    return Span(low, -(-bits // step) * step)


def refuse_width(got: str) -> NoReturn:
    """Raise the error for values whose known ranges are too wide."""
    raise BadInputError(
        "a sum modulo a constant could wrap around the field",
        place=str(user_place(traced=False)),
        expected="values whose known ranges leave room for columns",
        got=got,
        hint="check their ranges, or reduce an operand first",
    )
