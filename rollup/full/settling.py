"""Proofs of full batches, made when a dispute asks for one."""

from __future__ import annotations

from pathlib import Path

from aitbc_rollup.circuits.statements.batch.shape import Shape
from aitbc_rollup.prover.engine import load_engine
from aitbc_rollup.verifier.types import Proof

from ..binding import Binding
from ..checks import parse_address
from ..keys import CircuitKeys, load_or_make
from ..proving import prove_batch
from ..reporting import Reporter, Silent
from ..state import State
from .batch import build_full
from .data import FullData


class ProofSettler:
    """Makes proofs under the full circuit of a shape; its key is read, or made, with the first.

    Args:
        shape: of the circuit, as the router's route has it.
        keys: folder of proving keys.
        engine: name of the engine.
        reporter: told the stages.
    """

    def __init__(self, shape: Shape, keys: Path, engine: str, reporter: Reporter | None = None) -> None:
        self._shape = shape
        self._folder = keys
        self._engine = load_engine(engine)
        self._reporter = reporter or Silent()
        self._keys: CircuitKeys | None = None

    def prove(self, state: State, data: FullData, payout: str) -> tuple[Binding, Proof]:
        """C, ζ and y, and a proof that pays an address, of a full batch with its right outcome.

        Args:
            state: what the batch is applied to; left as it is.
            data: the batch.
            payout: the L1 address.

        Raises:
            InvalidError: the outcome is not that of the inputs: there is no proof.
            BadInputError: the circuit has no room for the batch.
        """
        if self._keys is None:
            self._keys = load_or_make(self._shape, self._folder, self._engine, self._reporter)
        batch = build_full(State(state), data.inputs, self._shape)
        made: list[Proof] = []
        prove_batch(
            batch, parse_address(payout, field="payout"), self._keys, self._engine, self._reporter,
            lambda proof, _: made.append(proof),
        )  # fmt: skip
        return batch.binding, made[0]
