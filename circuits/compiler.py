"""From a circuit to what is proved (:class:`~aitbc_rollup.circuits.r1cs.R1CS`) and how the witness is computed.

Wires get circom's order here: the constant 1, public outputs, public inputs (the challenge, if there is one, after
them), private inputs, then the rest as made. Compilation is deterministic: one source gives one ``structure_hash``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from aitbc_rollup.algebra.limbs import Limbs, from_limbs, to_limbs

from .arguments import Argued, Keys, Ledger, Lookups, argue, room
from .assemble import assemble
from .ir import Hint, Located, Op, Recorder, SourceMap
from .r1cs import R1CS, Commitment, Indices, Offsets, SparseMatrix

if TYPE_CHECKING:
    from .interface import Input, Interface
    from .witness import WitnessRun


#: Entries renumbered at a time: what fits a cache.
_CHUNK = 1 << 16


@dataclass(frozen=True, eq=False)
class Program:
    """The witness program (see ``ir`` for the operations); it reads A, B and C of its R1CS and ``operands``.

    It runs in two parts: instructions before ``late``; then ``lookups`` are counted, everything committed to is known
    and the challenge is drawn; then the rest. Without a commitment nothing is late.
    """

    ops: NDArray[np.uint8]
    outs: Indices
    arguments: Indices
    extras: Indices
    operands: SparseMatrix
    divisors: Limbs
    hints: tuple[Hint, ...]
    batches: Offsets
    stretches: Offsets
    lookups: tuple[Lookups, ...]
    late: int

    @cached_property
    def widths(self) -> NDArray[np.int64]:
        """How many wires each instruction writes."""
        widths = np.ones(len(self.ops), np.int64)
        widths[self.ops == Op.DIVMOD] = 2
        bits, python = np.isin(self.ops, (Op.BITS, Op.QUOTIENTS)), self.ops == Op.PYTHON
        widths[bits] = self.extras[bits]
        limbs = self.ops == Op.LIMBS
        widths[limbs] = self.extras[limbs] & 0xFF
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
    """Constraints, witness program, names and source places of one circuit; the ledger of its buses, if it has any."""

    name: str
    r1cs: R1CS
    program: Program
    outputs: tuple[Input, ...]
    public: tuple[Input, ...]
    private: tuple[Input, ...]
    ledger: Ledger | None
    _sources: SourceMap
    _n_recorded: int
    _original_wires: Indices

    @property
    def inputs(self) -> tuple[Input, ...]:
        """Everything an assignment must name: public inputs, then private ones."""
        return self.public + self.private

    @property
    def structure_hash(self) -> str:
        """Hash of shape and matrices; proving keys are found again by it."""
        return self.r1cs.structure_hash

    def begin(self, assignment: Mapping[str, Any], *, overrides: Mapping[int, int] | None = None) -> WitnessRun:
        """A witness up to where the challenge is drawn; arguments as for :meth:`witness`."""
        from .witness import WitnessRun

        return WitnessRun(self, assignment, overrides or {})

    def witness(self, assignment: Mapping[str, Any], *, overrides: Mapping[int, int] | None = None) -> Limbs:
        """All wires' values for these inputs: canonical limbs, uint64 (n_wires, 4).

        ``assignment`` maps every input's name to an integer in [0, r), to nested sequences of them, or to canonical
        limbs, uint64 (shape of the input …, 4). Constraints are not checked here: see
        :func:`~aitbc_rollup.circuits.check.check`. ``overrides`` is for dishonest ones: a wire takes the value given
        and what follows is computed from it (see ``testing``).

        With a commitment, the mask is 0 and the challenge a hash of the values committed to: the witness satisfies the
        circuit, but no proof can be made of it. A prover uses :meth:`begin`.

        Raises:
            BadInputError: an input is missing, unknown, of the wrong shape, not an integer or out of range.
        """
        run = self.begin(assignment, overrides=overrides)
        return run.finish(run.stand_in_challenge())

    @property
    def n_public_inputs(self) -> int:
        """Number of public outputs and inputs, the challenge not counted."""
        return self.r1cs.n_public - (self.r1cs.commitment is not None)

    def public_inputs(self, witness: Limbs) -> list[int]:
        """Public outputs and inputs of a witness, in the verifier's order; the challenge is not among them."""
        return from_limbs(witness[1 : 1 + self.n_public_inputs])

    def locate(self, constraint: int) -> Located:
        """Source line, component and message of a constraint."""
        if self.ledger is not None and constraint >= self.ledger.first:
            owner = self.ledger.owner(constraint)
            return self.ledger.locate(constraint) if owner is None else self._sources.message(owner)
        return self._sources.constraint(constraint)

    def is_total(self, constraint: int) -> bool:
        """Whether this is the sum over all buses."""
        return self.ledger is not None and len(self.ledger.messages.kinds) > 0 and constraint == self.ledger.total

    def locate_message(self, message: int) -> Located:
        """Source line and component of a message to a bus."""
        return self._sources.message(message)

    def wire_name(self, wire: int) -> str:
        """Name of a wire, as a .sym file would give it: ``main.root``, ``main.path[3][1]``, ``main.poseidon.w12``."""
        if wire == 0:
            return "one"
        named = self._named.get(wire)
        if named is not None:
            return named
        original = int(self._original_wires[wire])
        return f"main.buses.w{original}" if self.is_of_argument(wire) else self._sources.wire(original)

    def is_of_argument(self, wire: int) -> bool:
        """Whether the argument of the buses made this wire: a count of a constant table, a product, a fraction."""
        return int(self._original_wires[wire]) >= self._n_recorded

    def wire_names(self) -> list[str]:
        """As :meth:`wire_name`, of every wire at once."""
        made = self._sources.wires(self._n_recorded)
        made += [f"main.buses.w{number}" for number in range(self._n_recorded, self.r1cs.n_wires)]
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
        if self.r1cs.commitment is not None:
            names[self.r1cs.n_public] = "main.challenge"
        return names

    def stats(self) -> Stats:
        """Sizes, and constraints by component: deterministic, fit for committing."""
        r1cs = self.r1cs
        components = self._sources.count()
        if self.ledger is not None:
            for path, number in self.ledger.count().items():
                components[path] = components.get(path, 0) + number
            components["main"] = r1cs.n_constraints
        return Stats(
            n_constraints=r1cs.n_constraints,
            n_wires=r1cs.n_wires,
            n_public=r1cs.n_public,
            n_private=r1cs.n_private_inputs,
            n_entries=r1cs.n_entries,
            n_hints=len(self.program.hints),
            components=dict(sorted(components.items())),
        )


def compile_circuit(name: str, recorder: Recorder, interface: Interface, keys: Keys | None) -> CompiledCircuit:
    """Expand what was recorded, add the argument of its buses, and bring the wires into order."""
    block = assemble(recorder, room(recorder) if keys is not None else 0)
    argued = argue(block, keys) if keys is not None else None
    block = argued.block if argued is not None else block
    kinds = (interface.outputs, interface.public, interface.private)
    outputs, public, private = (
        [wire for item in kind for wire in range(item.wire, item.wire + item.size)] for kind in kinds
    )
    if interface.challenge is not None:
        public.append(interface.challenge)
    front = [0, *outputs, *public, *private]
    is_rest = np.ones(block.n_wires, np.bool_)
    is_rest[front] = False
    original = np.concatenate([front, np.flatnonzero(is_rest)]).astype(np.uint32)
    final = np.empty_like(original)
    final[original] = np.arange(block.n_wires, dtype=np.uint32)
    # Nobody holds the block's matrices but this function, so they are renumbered where they are.
    for matrix in block.matrices:
        for start in range(0, matrix.n_entries, _CHUNK):
            part = matrix.wires[start : start + _CHUNK]
            part[:] = final[part]

    def moved(items: list[Input]) -> tuple[Input, ...]:
        return tuple(type(item)(item.name, item.shape, int(final[item.wire])) for item in items)

    commitment = None
    if argued is not None and keys is not None:
        chosen = final[np.union1d(argued.committed, [*interface.committed, keys.mask]).astype(np.uint32)]
        private_ones = np.sort(chosen[chosen > len(outputs) + len(public)])
        commitment = Commitment(private_ones, int(final[keys.mask]))
    sizes = block.n_wires, len(outputs), len(public), len(private)
    return CompiledCircuit(
        name=name,
        r1cs=R1CS(*sizes, block.a, block.b, block.c, to_limbs(block.table), commitment),
        program=Program(
            block.ops, final[block.outs], block.arguments, block.extras, block.operands, to_limbs(block.divisors),
            block.hints, block.batches, block.stretches, _moved_lookups(argued, final),
            len(block.ops) if interface.challenge is None else interface.late,
        ),
        outputs=moved(interface.outputs),
        public=moved(interface.public),
        private=moved(interface.private),
        ledger=argued.ledger if argued is not None else None,
        _sources=block.sources,
        _n_recorded=recorder.n_wires,
        _original_wires=original,
    )  # fmt: skip


def _moved_lookups(argued: Argued | None, final: Indices) -> tuple[Lookups, ...]:
    return tuple(replace(lookups, outs=final[lookups.outs]) for lookups in argued.lookups) if argued else ()
