"""A field element in every lane, with the bounds that the generator knows of it, and what a path must provide."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from llvmlite import ir


class Element:
    """Field elements, one a lane, in registers of the function being written; ``+ - *`` write code.

    ``limbs`` are LLVM values. Every lane's value is at least 0 and less than ``below``, in the Montgomery form it was
    loaded in; every limb is less than ``limb_below``.
    """

    __slots__ = ("below", "lanes", "limb_below", "limbs")

    def __init__(self, lanes: Lanes, limbs: Sequence[Any], below: int, limb_below: int) -> None:
        self.lanes = lanes
        self.limbs = list(limbs)
        self.below = below
        self.limb_below = limb_below

    def __add__(self, other: Element) -> Element:
        """Sum, not reduced: the bounds add up."""
        return self.lanes.add(self, other)

    def __sub__(self, other: Element) -> Element:
        """Difference plus the least multiple of the modulus that keeps every limb from going below 0."""
        return self.lanes.sub(self, other)

    def __mul__(self, other: Element) -> Element:
        """Montgomery product, below 2·modulus for factors whose bounds multiply to less than radix·modulus."""
        return self.lanes.mul(self, other)

    def square(self) -> Element:
        """Montgomery square; cheaper than a product."""
        return self.lanes.square(self)

    def times(self, factor: int) -> Element:
        """The value times a small positive number, not reduced."""
        return self.lanes.times(self, factor)

    def reduced(self) -> Element:
        """The value less a multiple of the modulus: below 1.3·modulus."""
        return self.lanes.reduced(self)

    def canonical(self) -> Element:
        """The value mod the modulus."""
        return self.lanes.canonical(self)


class Lanes(ABC):
    """Writes code for one field, by one path, into one function.

    Elements lie in memory in three ways. *Rows*: 32 bytes each, anywhere; :meth:`gather` and :meth:`scatter` take one
    address a lane. *Blocks*: the elements of all lanes side by side, first all lowest 64-bit words, then all second
    ones …, 32 bytes a lane. *Registers*: as the path computes, ``register_bytes`` in all: scratch. Addresses are
    ``i64``, a multiple of 8. Rows and blocks hold values below 2^256, in Montgomery form with radix 2^``radix``.
    """

    #: Lanes of a register.
    count: int
    #: log2 of the Montgomery radix.
    radix: int
    #: Bytes of a register as :meth:`store` leaves it.
    register_bytes: int

    def __init__(self, builder: ir.IRBuilder, modulus: int) -> None:
        self.builder = builder
        self.modulus = modulus

    @abstractmethod
    def constant(self, value: int) -> Element:
        """The integer ``value``, in Montgomery form, in every lane."""

    @abstractmethod
    def add(self, x: Element, y: Element) -> Element:
        """See :class:`Element` for this and the next."""

    @abstractmethod
    def sub(self, x: Element, y: Element) -> Element:
        """x − y."""

    @abstractmethod
    def mul(self, x: Element, y: Element) -> Element:
        """x·y·2^-radix."""

    @abstractmethod
    def square(self, x: Element) -> Element:
        """x²·2^-radix."""

    @abstractmethod
    def times(self, x: Element, factor: int) -> Element:
        """x·factor."""

    @abstractmethod
    def reduced(self, x: Element) -> Element:
        """x mod the modulus, nearly."""

    @abstractmethod
    def canonical(self, x: Element) -> Element:
        """x mod the modulus."""

    @abstractmethod
    def select(self, mask: Any, x: Element, y: Element) -> Element:
        """x in the lanes of the mask, y in the others."""

    @abstractmethod
    def may_be_zero(self, x: Element) -> Any:
        """A mask: every lane with a multiple of the modulus, and others with a chance of about 2^-50 each."""

    @abstractmethod
    def all_null(self, *elements: Element) -> Any:
        """A mask of the lanes in which all these elements are the integer 0."""

    @abstractmethod
    def bits(self, mask: Any) -> Any:
        """A mask as an ``i64``, lane 0 in bit 0."""

    @abstractmethod
    def mask(self, bits: Any) -> Any:
        """The mask in the lowest bits of an ``i64``."""

    @abstractmethod
    def odd(self, address: Any) -> Any:
        """A mask of the lanes whose ``i64``, of those side by side at an address, is odd."""

    def norm(self, x: Element) -> Element:
        """What to invert in the prime field to have 1/x; of this field, x itself."""
        return x

    def inverse(self, x: Element, norm_inverse: Element) -> Element:
        """1/x from the inverse of its norm."""
        return norm_inverse

    @abstractmethod
    def gather(self, rows: Sequence[Any], below: int) -> Element:
        """The rows at these addresses, one a lane, whose values are below ``below``."""

    @abstractmethod
    def scatter(self, rows: Sequence[Any], x: Element) -> None:
        """Write each lane's value to its row; reduces only as far as 256 bits ask for."""

    @abstractmethod
    def load_block(self, address: Any, below: int) -> Element:
        """A block whose values are below ``below``."""

    @abstractmethod
    def store_block(self, address: Any, x: Element) -> None:
        """Write a block; reduces only as far as 256 bits ask for."""

    @abstractmethod
    def load(self, address: Any, below: int) -> Element:
        """What :meth:`store` left there, whose values are below ``below``."""

    @abstractmethod
    def store(self, address: Any, x: Element) -> None:
        """Write registers, without reducing."""

    @abstractmethod
    def broadcast(self, address: Any) -> Element:
        """One reduced element as :func:`~.paths.spread` lays it out, in every lane."""
