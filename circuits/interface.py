"""What a circuit shows outside: its inputs and outputs, and what it commits to."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .arguments import Keys


@dataclass(frozen=True)
class Input:
    """A declared input or output: its shape (``()`` for one value) and first wire, those of an array being in a row."""

    name: str
    shape: tuple[int, ...]
    wire: int

    @property
    def size(self) -> int:
        """Number of wires."""
        return prod(self.shape)


@dataclass
class Interface:
    """What a circuit shows outside, each list in order of declaration.

    ``challenge`` is the wire of the commitment's challenge, if there is one, ``drawn`` how often it was expanded,
    ``committed`` are the wires that ``Circuit.commit`` was given, ``late`` is the first instruction that may depend on
    the challenge, and ``keys`` are what the argument of the buses uses, once the circuit is closed.
    """

    outputs: list[Input] = field(default_factory=list)
    public: list[Input] = field(default_factory=list)
    private: list[Input] = field(default_factory=list)
    challenge: int | None = None
    drawn: int = 0
    committed: set[int] = field(default_factory=set)
    late: int = 0
    keys: Keys | None = None
