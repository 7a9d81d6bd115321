"""One batch's witness and proof, and how long each took."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from aitbc_rollup.algebra.limbs import Limbs
from aitbc_rollup.circuits.check import assert_satisfied
from aitbc_rollup.circuits.compiler import CompiledCircuit
from aitbc_rollup.circuits.r1cs import R1CS
from aitbc_rollup.circuits.witness import WitnessRun
from aitbc_rollup.errors import InvalidError
from aitbc_rollup.prover.engine import Engine
from aitbc_rollup.prover.groth16 import prove_circuit
from aitbc_rollup.verifier.types import Proof

from .batch import Batch
from .full.batch import FullBatch
from .full.witness_inputs import full_circuit_inputs
from .keys import CircuitKeys
from .reporting import Reporter, stage
from .witness_inputs import circuit_inputs


def prove_batch(
    batch: Batch | FullBatch,
    payout: int,
    keys: CircuitKeys,
    engine: Engine,
    reporter: Reporter,
    keep: Callable[[Proof, dict[str, float]], None],
) -> None:
    """Make a proof of a batch that pays an L1 address.

    The witness is computed within the proof, because the challenge in it depends on the proof's commitment; its time is
    taken apart.

    Args:
        batch: the batch.
        payout: the L1 address, as a number.
        keys: its circuit's.
        engine: what computes.
        reporter: told both stages.
        keep: given the proof and the seconds of ``witness`` and ``proof``, before the stage is reported as done.

    Raises:
        InvalidError: the batch does not satisfy the circuit, naming the constraint.
    """
    with stage(reporter, "witness") as making:
        inputs = full_circuit_inputs(batch, payout) if isinstance(batch, FullBatch) else circuit_inputs(batch, payout)
        making.note = f"{keys.circuit.r1cs.n_constraints:,} constraints"
        inputs_seconds = making.seconds
    circuit = _Timed(keys.circuit)
    with stage(reporter, "proof") as proving:
        try:
            proof, _ = prove_circuit(
                keys.proving_key,
                circuit,
                inputs,
                engine=engine,
                progress=lambda detail, share: reporter.progress("proof", detail, share),
            )
        except InvalidError:
            assert_satisfied(keys.circuit, keys.circuit.witness(inputs))
            raise
        keep(proof, {"witness": inputs_seconds + circuit.seconds, "proof": proving.seconds - circuit.seconds})


class _Timed:
    """A circuit that counts the seconds spent on its witness."""

    def __init__(self, circuit: CompiledCircuit) -> None:
        self._circuit = circuit
        self.seconds = 0.0

    @property
    def r1cs(self) -> R1CS:
        """The circuit's constraints."""
        return self._circuit.r1cs

    def begin(self, assignment: Mapping[str, Any]) -> _TimedRun:
        """Begin a witness."""
        start = time.perf_counter()
        run = self._circuit.begin(assignment)
        self.seconds += time.perf_counter() - start
        return _TimedRun(run, self)


class _TimedRun:
    """A witness half made, timed."""

    def __init__(self, run: WitnessRun, circuit: _Timed) -> None:
        self._run = run
        self._circuit = circuit

    def commitment_values(self, mask: int) -> Limbs:
        """As of the run."""
        return self._run.commitment_values(mask)

    def public_inputs(self) -> list[int]:
        """As of the run."""
        return self._run.public_inputs()

    def finish(self, challenge: int) -> Limbs:
        """As of the run, timed."""
        start = time.perf_counter()
        witness = self._run.finish(challenge)
        self._circuit.seconds += time.perf_counter() - start
        return witness
