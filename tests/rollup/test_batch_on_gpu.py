"""A small batch of agent runs, proven by the GPU's kernels end to end."""

from __future__ import annotations

from pathlib import Path

import gpu_world
import pytest
from batch_world import new_state, run, session
from shim_device import ShimDevice

from aitbc_rollup.circuits.statements.batch.shape import Shape
from aitbc_rollup.gpu.engine import GpuEngine
from aitbc_rollup.prover.groth16 import prove_circuit
from aitbc_rollup.rollup.keys import load_or_make
from aitbc_rollup.rollup.witness_inputs import circuit_inputs
from aitbc_rollup.verifier.groth16 import verify

SHAPE = Shape(pages=1, sessions=1, accounts=3, queue=0, registrations=0, transfers=0, signatures=1, index_bits=17)


def without_tables() -> GpuEngine:
    """On the CPU: to make tables takes it longer than they save in one proof."""
    device = ShimDevice()
    device.free = 80 << 20
    return GpuEngine(device)


@pytest.mark.heavy
def test_a_batch_of_agent_runs(tmp_path: Path) -> None:
    engine = gpu_world.engine() if gpu_world.ON_CARD else without_tables()
    keys = load_or_make(SHAPE, tmp_path, engine)
    batch = run(new_state(), SHAPE, sessions=[session()])
    proof, public = prove_circuit(keys.proving_key, keys.circuit, circuit_inputs(batch, 1), engine=engine)
    assert verify(keys.proving_key.verifying_key, public, proof)
