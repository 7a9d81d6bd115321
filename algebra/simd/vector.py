"""Elements in vector registers: five limbs of 52 bits in 64-bit lanes, Montgomery radix 2^260.

The twelve spare bits of a lane take sums of limbs without carries; the six spare bits of 260 take sums of values
without reductions. Nothing ever goes below zero, so carries are plain shifts, on every instruction set.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from functools import cache
from typing import Any

from llvmlite import ir

from .element import Element, Lanes

I64 = ir.IntType(64)
I32 = ir.IntType(32)

LIMBS = 5
BITS = 52
RADIX = LIMBS * BITS
LIMB = 1 << BITS
MASK = LIMB - 1
_TOP = BITS * (LIMBS - 1)
#: Rows and blocks hold this much.
_PACKED = 1 << 256


def split(value: int) -> list[int]:
    """Limbs of an integer; the highest takes what is left."""
    return [value >> BITS * i & MASK for i in range(LIMBS - 1)] + [value >> _TOP]


@cache
def _cover(modulus: int, below: int, limb_below: int) -> tuple[int, list[int]]:
    """A multiple k·modulus, and it in limbs none of which is less than the same limb of any value within the bounds.

    A limb borrows ``lent`` times 2^52 from the next one.
    """
    top = min(limb_below - 1, (below - 1) >> _TOP)
    lent = -(-(limb_below - 1) // (LIMB - limb_below // LIMB - 1)) if limb_below > LIMB else 1
    k = -(-below // modulus)
    while True:
        digits = split(k * modulus)
        limbs = [digits[0] + lent * LIMB]
        limbs += [digit + lent * LIMB - lent for digit in digits[1:-1]]
        limbs.append(digits[-1] - lent)
        if limbs[-1] < top:
            k += 1
        elif min(limbs[:-1]) < limb_below - 1:
            lent += 1
        else:
            return k, limbs


@cache
def _quotient_estimate(modulus: int, below: int, limb_below: int) -> tuple[int, int, int, int]:
    """How to estimate q ≤ x / modulus from x's highest limb: (shift, factor, exponent, bound of x − q·modulus).

    q = ⌊⌊limb / 2^(shift − 208)⌋·factor / 2^exponent⌋. The bound is over all x within the bounds, by trying every top
    part; what limbs that are not carried hold for the next ones comes on top of it.
    """
    shift = modulus.bit_length() - 4
    exponent = 16
    factor = (1 << shift + exponent) // modulus
    tops = range((below - 1 >> shift) + 1)
    excess = sum(limb_below - 1 << BITS * i for i in range(LIMBS - 1)) >> _TOP << _TOP
    largest = max((top + 1 << shift) - (top * factor >> exponent) * modulus for top in tops)
    return shift, factor, exponent, largest + excess


class Vector(Lanes):
    """What the vector paths share: everything but products."""

    radix = RADIX
    #: Part of the names of this path's functions.
    path: str

    def __init__(self, builder: ir.IRBuilder, modulus: int) -> None:
        if modulus.bit_length() != 254:
            raise ValueError("the bounds of these lanes are made for a modulus of 254 bits")
        super().__init__(builder, modulus)
        self.type = ir.VectorType(I64, self.count)

    # -- products -----------------------------------------------------------------------------------------------

    @abstractmethod
    def write_product(self, builder: ir.IRBuilder, x: list[Any], y: list[Any] | None) -> list[Any]:
        """Columns 5 to 9, not carried, of the Montgomery product of carried limbs (of the square, without ``y``)."""

    def mul(self, x: Element, y: Element) -> Element:
        """x·y·2^-260."""
        return self.square(x) if x is y else self._product(x, y)

    def square(self, x: Element) -> Element:
        """x²·2^-260."""
        return self._product(x, None)

    def _product(self, x: Element, y: Element | None) -> Element:
        factors = [self.carried(x)] if y is None else [self.carried(x), self.carried(y)]
        aggregate = self.builder.call(self._function(len(factors)), [limb for f in factors for limb in f.limbs])
        limbs = [self.builder.extract_value(aggregate, i) for i in range(LIMBS)]
        largest = (factors[0].below - 1) * (factors[-1].below - 1)
        return Element(self, limbs, ((largest + ((1 << RADIX) - 1) * self.modulus) >> RADIX) + 1, LIMB)

    def _function(self, factors: int) -> Any:
        """The product as a function: written once a module, since inlined everywhere it would take long to compile."""
        symbol = f"aitbc_{self.path}_{'square' if factors == 1 else 'mul'}_{self.modulus:x}"
        found = self.builder.module.globals.get(symbol)
        if found is not None:
            return found
        result = ir.LiteralStructType([self.type] * LIMBS)
        function = ir.Function(self.builder.module, ir.FunctionType(result, [self.type] * (LIMBS * factors)), symbol)
        function.linkage = "linkonce_odr"
        function.calling_convention = "x86_regcallcc"
        function.attributes.add("noinline")
        builder = ir.IRBuilder(function.append_basic_block())
        arguments = list(function.args)
        columns = self.write_product(builder, arguments[:LIMBS], arguments[LIMBS:] or None)
        aggregate = ir.Constant(result, ir.Undefined)
        for i, limb in enumerate(_carry(builder, self.type, columns)):
            aggregate = builder.insert_value(aggregate, limb, i)
        builder.ret(aggregate)
        return function

    # -- sums ---------------------------------------------------------------------------------------------------

    def splat(self, word: int) -> Any:
        """A word in every lane."""
        return splat(self.type, word)

    def constant(self, value: int) -> Element:
        """An integer in Montgomery form, in every lane."""
        number = (value << RADIX) % self.modulus
        return Element(self, [self.splat(limb) for limb in split(number)], number + 1, LIMB)

    def carried(self, x: Element) -> Element:
        """The same values in limbs of 52 bits."""
        if x.limb_below <= LIMB:
            return x
        if x.below > 1 << RADIX or x.limb_below > 1 << 63:
            raise OverflowError(f"a value below 2^{x.below.bit_length()} has no place in {LIMBS} limbs")
        return Element(self, _carry(self.builder, self.type, x.limbs), x.below, LIMB)

    def add(self, x: Element, y: Element) -> Element:
        """x + y."""
        limbs = [self.builder.add(a, b) for a, b in zip(x.limbs, y.limbs, strict=True)]
        return Element(self, limbs, x.below + y.below - 1, x.limb_below + y.limb_below - 1)

    def sub(self, x: Element, y: Element) -> Element:
        """x − y + k·modulus."""
        k, cover = _cover(self.modulus, y.below, y.limb_below)
        b = self.builder
        limbs = [b.sub(b.add(a, self.splat(word)), c) for a, word, c in zip(x.limbs, cover, y.limbs, strict=True)]
        return Element(self, limbs, x.below + k * self.modulus, x.limb_below + max(cover))

    def times(self, x: Element, factor: int) -> Element:
        """x·factor, by shifts and additions."""
        result = None
        for shift in range(factor.bit_length()):
            if factor >> shift & 1:
                limbs = [self.builder.shl(limb, self.splat(shift)) for limb in x.limbs] if shift else x.limbs
                term = Element(self, limbs, (x.below - 1 << shift) + 1, (x.limb_below - 1 << shift) + 1)
                result = term if result is None else self.add(result, term)
        if result is None:
            raise ValueError("the factor is not positive")
        return result

    def reduced(self, x: Element) -> Element:
        """x − q·modulus for a q that falls short of the true one by little."""
        shift, factor, exponent, below = _quotient_estimate(self.modulus, x.below, x.limb_below)
        if x.below <= below:
            return self.carried(x)
        b = self.builder
        top = b.lshr(x.limbs[-1], self.splat(shift - _TOP))
        q = b.lshr(b.mul(top, self.splat(factor)), self.splat(exponent))
        complement = self._complement(q, (x.below - 1 >> shift) * factor >> exponent)
        limbs = _carry(b, self.type, [b.add(a, c) for a, c in zip(x.limbs, complement, strict=True)])
        # The complement is one of 2^260.
        limbs[-1] = b.and_(limbs[-1], self.splat(MASK))
        return Element(self, limbs, below, LIMB)

    def _complement(self, q: Any, largest: int) -> list[Any]:
        """−q·modulus mod 2^260 in limbs, up to multiples of 2^260, for q from 0 to ``largest``."""
        limbs = split((1 << RADIX) - self.modulus)
        half = BITS // 2
        b = self.builder
        if largest * LIMB > 1 << 62:
            raise OverflowError("the quotient is too large")
        products = []
        for limb in limbs:
            # Two products of 32-bit numbers, which every instruction set has.
            low, high = limb & (1 << half) - 1, limb >> half
            upper = b.shl(b.mul(q, self.splat(high)), self.splat(half))
            products.append(b.add(b.mul(q, self.splat(low)), upper))
        return products

    def canonical(self, x: Element) -> Element:
        """x mod the modulus."""
        x = self.carried(x) if x.below <= 2 * self.modulus else self.reduced(x)
        if x.below <= self.modulus:
            return x
        b = self.builder
        limbs = _carry(
            b,
            self.type,
            [b.add(a, self.splat(c)) for a, c in zip(x.limbs, split((1 << RADIX) - self.modulus), strict=True)],
        )
        enough = b.icmp_unsigned(">=", limbs[-1], self.splat(LIMB))
        limbs[-1] = b.and_(limbs[-1], self.splat(MASK))
        less = Element(self, limbs, self.modulus, LIMB)
        return Element(self, self.select(enough, less, x).limbs, self.modulus, LIMB)

    # -- masks --------------------------------------------------------------------------------------------------

    def select(self, mask: Any, x: Element, y: Element) -> Element:
        """x where the mask is set, y elsewhere."""
        limbs = [self.builder.select(mask, a, b) for a, b in zip(x.limbs, y.limbs, strict=True)]
        return Element(self, limbs, max(x.below, y.below), max(x.limb_below, y.limb_below))

    def may_be_zero(self, x: Element) -> Any:
        """By the lowest limb alone."""
        b, x = self.builder, self.carried(x)
        found = None
        for multiple in range(0, x.below, self.modulus):
            same = b.icmp_unsigned("==", x.limbs[0], self.splat(multiple & MASK))
            found = same if found is None else b.or_(found, same)
        return found

    def all_null(self, *elements: Element) -> Any:
        """Whether every limb is 0."""
        limbs = [limb for x in elements for limb in x.limbs]
        union = limbs[0]
        for limb in limbs[1:]:
            union = self.builder.or_(union, limb)
        return self.builder.icmp_unsigned("==", union, self.splat(0))

    def bits(self, mask: Any) -> Any:
        """Lane 0 in bit 0."""
        return self.builder.zext(self.builder.bitcast(mask, ir.IntType(self.count)), I64)

    def mask(self, bits: Any) -> Any:
        """Lane 0 from bit 0."""
        narrow = self.builder.trunc(bits, ir.IntType(self.count))
        return self.builder.bitcast(narrow, ir.VectorType(ir.IntType(1), self.count))

    def odd(self, address: Any) -> Any:
        """Of one word a lane."""
        lowest = self.builder.and_(self._load(self.type, address), self.splat(1))
        return self.builder.icmp_unsigned("!=", lowest, self.splat(0))

    # -- memory -------------------------------------------------------------------------------------------------

    def gather(self, rows: Sequence[Any], below: int) -> Element:
        """Four-word rows, transposed."""
        loaded = [self._load(ir.VectorType(I64, 4), row) for row in rows]
        if self.count == 8:
            join = list(range(8))
            loaded = [_shuffle(self.builder, low, high, join) for low, high in zip(loaded[:4], loaded[4:], strict=True)]
        return self._unpacked(self._transposed(loaded), below)

    def scatter(self, rows: Sequence[Any], x: Element) -> None:
        """Transposed back."""
        vectors = self._transposed(self._packed(x))
        if self.count == 8:
            vectors = [_shuffle(self.builder, v, v, range(at, at + 4)) for at in (0, 4) for v in vectors]
        for row, vector in zip(rows, vectors, strict=True):
            self._store(row, vector)

    def load_block(self, address: Any, below: int) -> Element:
        """Four registers, one a word."""
        return self._unpacked([self._load(self.type, address, 8 * self.count * i) for i in range(4)], below)

    def store_block(self, address: Any, x: Element) -> None:
        """Four registers, one a word."""
        for i, word in enumerate(self._packed(x)):
            self._store(address, word, 8 * self.count * i)

    def load(self, address: Any, below: int) -> Element:
        """Five registers, one a limb."""
        return Element(self, [self._load(self.type, address, 8 * self.count * i) for i in range(LIMBS)], below, LIMB)

    def store(self, address: Any, x: Element) -> None:
        """Five registers, one a limb."""
        for i, limb in enumerate(self.carried(x).limbs):
            self._store(address, limb, 8 * self.count * i)

    def broadcast(self, address: Any) -> Element:
        """Five words, each to all lanes."""
        zeros = ir.Constant(ir.VectorType(I32, self.count), [0] * self.count)
        limbs = []
        for i in range(LIMBS):
            one = self.builder.insert_element(
                ir.Constant(self.type, ir.Undefined), self._load(I64, address, 8 * i), ir.Constant(I32, 0)
            )
            limbs.append(self.builder.shuffle_vector(one, one, zeros))
        return Element(self, limbs, self.modulus, LIMB)

    def _load(self, kind: Any, address: Any, offset: int = 0) -> Any:
        return self.builder.load(self._pointer(kind, address, offset), align=8)

    def _store(self, address: Any, value: Any, offset: int = 0) -> None:
        self.builder.store(value, self._pointer(value.type, address, offset), align=8)

    def _pointer(self, kind: Any, address: Any, offset: int) -> Any:
        at = self.builder.add(address, ir.Constant(I64, offset)) if offset else address
        return self.builder.inttoptr(at, kind.as_pointer())

    def _transposed(self, v: list[Any]) -> list[Any]:
        """4 × 4 words, in each half of the registers."""
        b = self.builder
        halves = range(0, self.count, 4)

        def pick(x: Any, y: Any, pattern: tuple[int, ...]) -> Any:
            # A number below 4 is a place in x, one from 4 on in y.
            return _shuffle(b, x, y, [h + (i if i < 4 else self.count + i - 4) for h in halves for i in pattern])

        even, odd = (0, 4, 2, 6), (1, 5, 3, 7)
        low, high = (0, 1, 4, 5), (2, 3, 6, 7)
        t = [pick(v[0], v[1], even), pick(v[0], v[1], odd), pick(v[2], v[3], even), pick(v[2], v[3], odd)]
        return [pick(t[0], t[2], low), pick(t[1], t[3], low), pick(t[0], t[2], high), pick(t[1], t[3], high)]

    def _unpacked(self, words: list[Any], below: int) -> Element:
        """Limbs from four words a lane."""
        if below > _PACKED:
            raise OverflowError("a row or block holds values below 2^256")
        b = self.builder
        limbs = []
        for i in range(LIMBS):
            word, shift = divmod(BITS * i, 64)
            limb = b.lshr(words[word], self.splat(shift)) if shift else words[word]
            if shift + BITS > 64 and word < 3:
                limb = b.or_(limb, b.shl(words[word + 1], self.splat(64 - shift)))
            limbs.append(b.and_(limb, self.splat(MASK)) if i < LIMBS - 1 else limb)
        return Element(self, limbs, below, LIMB)

    def _packed(self, x: Element) -> list[Any]:
        """Four words a lane from limbs."""
        x = self.carried(x) if x.below <= _PACKED else self.reduced(x)
        b, words = self.builder, []
        for i in range(4):
            limb, shift = divmod(64 * i, BITS)
            word = b.lshr(x.limbs[limb], self.splat(shift)) if shift else x.limbs[limb]
            words.append(b.or_(word, b.shl(x.limbs[limb + 1], self.splat(BITS - shift))))
        return words


def splat(kind: Any, word: int) -> Any:
    """A 64-bit word, or the double of this value, in every lane."""
    value = word % (1 << 64) if kind.element == I64 else float(word)
    return ir.Constant(kind, [ir.Constant(kind.element, value)] * kind.count)


def _shuffle(b: ir.IRBuilder, x: Any, y: Any, places: Sequence[int]) -> Any:
    kind = ir.VectorType(I32, len(places))
    return b.shuffle_vector(x, y, ir.Constant(kind, [ir.Constant(I32, place) for place in places]))


def _carry(b: ir.IRBuilder, kind: Any, limbs: Sequence[Any]) -> list[Any]:
    """Carries moved up, to the highest limb, which keeps all it gets."""
    out = list(limbs)
    for i in range(LIMBS - 1):
        out[i + 1] = b.add(out[i + 1], b.lshr(out[i], splat(kind, BITS)))
        out[i] = b.and_(out[i], splat(kind, MASK))
    return out
