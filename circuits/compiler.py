"""From a circuit to what is proved (:class:`~aitbc_rollup.circuits.r1cs.R1CS`) and how the witness is computed.

Wires get circom's order here: the constant 1, public outputs, public inputs, private inputs, then the rest as made.
Compilation is deterministic: one source gives one ``structure_hash``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from aitbc_rollup.algebra.limbs import Limbs, from_limbs, to_limbs

from .assemble import assemble
from .ir import Hint, Located, Op, Recorder, SourceMap
from .r1cs import R1CS, Indices, SparseMatrix

if TYPE_CHECKING:
    from .api import Input, Interface


@dataclass(frozen=True, eq=False)
class Program:
    """The witness program (see ``ir`` for the operations); it reads A and B of its R1CS and ``operands``."""

    ops: NDArray[np.uint8]
    outs: Indices
    arguments: Indices
    extras: Indices
    operands: SparseMatrix
    divisors: Limbs
    hints: tuple[Hint, ...]

    @cached_property
    def widths(self) -> NDArray[np.int64]:
        """How many wires each instruction writes."""
        widths = np.ones(len(self.ops), np.int64)
        widths[self.ops == Op.DIVMOD] = 2
        bits, python = self.ops == Op.BITS, self.ops == Op.PYTHON
        widths[bits] = self.extras[bits]
        widths[python] = np.array([hint.n_outputs for hint in self.hints], np.int64)[self.extras[python]]
        return widths


@dataclass(frozen=True)
class Stats:
    """Sizes of a compiled circuit; ``components`` counts constraints by component path, indices dropped."""

    n_constraints: int
    n_wires: int
    n_public: int
    n_private: int
    n_entries: int
    n_hints: int
    components: dict[str, int]


@dataclass(frozen=True, eq=False)
class CompiledCircuit:
    """Constraints, witness program, names and source places of one circuit."""

    name: str
    r1cs: R1CS
    program: Program
    outputs: tuple[Input, ...]
    public: tuple[Input, ...]
    private: tuple[Input, ...]
    _sources: SourceMap
    _original_wires: Indices

    @property
    def inputs(self) -> tuple[Input, ...]:
        """Everything an assignment must name: public inputs, then private ones."""
        return self.public + self.private

    @property
    def structure_hash(self) -> str:
        """Hash of shape and matrices; proving keys are found again by it."""
        return self.r1cs.structure_hash

    def witness(self, assignment: Mapping[str, Any], *, overrides: Mapping[int, int] | None = None) -> Limbs:
        """All wires' values for these inputs: canonical limbs, uint64 (n_wires, 4).

        ``assignment`` maps every input's name to an integer in [0, r), or to nested sequences of them. Constraints
        are not checked here: see :func:`~aitbc_rollup.circuits.check.check`. ``overrides`` is for dishonest ones: a
        wire takes the value given and what follows is computed from it (see ``testing``).

        Raises:
            BadInputError: an input is missing, unknown, of the wrong shape, not an integer or out of range.
        """
        from .witness import calculate

        return calculate(self, assignment, overrides)

    def public_inputs(self, witness: Limbs) -> list[int]:
        """Public outputs and inputs of a witness, in the verifier's order."""
        return from_limbs(witness[1 : 1 + self.r1cs.n_public])

    def locate(self, constraint: int) -> Located:
        """Source line, component and message of a constraint."""
        return self._sources.constraint(constraint)

    def wire_name(self, wire: int) -> str:
        """Name of a wire, as a .sym file would give it: ``main.root``, ``main.path[3][1]``, ``main.poseidon.w12``."""
        if wire == 0:
            return "one"
        named = self._named.get(wire)
        return named if named is not None else self._sources.wire(int(self._original_wires[wire]))

    def wire_names(self) -> list[str]:
        """As :meth:`wire_name`, of every wire at once."""
        made = self._sources.wires(self.r1cs.n_wires)
        names = [made[number] for number in self._original_wires.tolist()]
        for wire, name in self._named.items():
            names[wire] = name
        return ["one", *names[1:]]

    @cached_property
    def _named(self) -> dict[int, str]:
        names: dict[int, str] = {}
        for item in self.outputs + self.inputs:
            for offset, index in enumerate(product(*map(range, item.shape))):
                names[item.wire + offset] = f"main.{item.name}" + "".join(f"[{i}]" for i in index)
        return names

    def stats(self) -> Stats:
        """Sizes, and constraints by component: deterministic, fit for committing."""
        r1cs = self.r1cs
        return Stats(
            n_constraints=r1cs.n_constraints,
            n_wires=r1cs.n_wires,
            n_public=r1cs.n_public,
            n_private=r1cs.n_private_inputs,
            n_entries=r1cs.n_entries,
            n_hints=len(self.program.hints),
            components=dict(sorted(self._sources.count().items())),
        )


def compile_circuit(name: str, recorder: Recorder, interface: Interface) -> CompiledCircuit:
    """Expand what was recorded and bring the wires into order."""
    block = assemble(recorder)
    kinds = (interface.outputs, interface.public, interface.private)
    front = [wire for kind in kinds for item in kind for wire in range(item.wire, item.wire + item.size)]
    is_rest = np.ones(block.n_wires, np.bool_)
    is_rest[[0, *front]] = False
    original = np.concatenate([[0], front, np.flatnonzero(is_rest)]).astype(np.uint32)
    final = np.empty_like(original)
    final[original] = np.arange(block.n_wires, dtype=np.uint32)

    def reorder(matrix: SparseMatrix) -> SparseMatrix:
        return SparseMatrix(matrix.indptr, final[matrix.wires], matrix.coefficients)

    def moved(items: list[Input]) -> tuple[Input, ...]:
        return tuple(type(item)(item.name, item.shape, int(final[item.wire])) for item in items)

    a, b, c, operands = map(reorder, block.matrices)
    n_outputs, n_public, n_private = (sum(item.size for item in kind) for kind in kinds)
    return CompiledCircuit(
        name=name,
        r1cs=R1CS(block.n_wires, n_outputs, n_public, n_private, a, b, c, to_limbs(block.table)),
        program=Program(
            block.ops, final[block.outs], block.arguments, block.extras, operands, to_limbs(block.divisors), block.hints
        ),
        outputs=moved(interface.outputs),
        public=moved(interface.public),
        private=moved(interface.private),
        _sources=block.sources,
        _original_wires=original,
    )
