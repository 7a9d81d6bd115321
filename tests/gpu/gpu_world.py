"""Where tests of the GPU's code run, with ``AITBC_GPU=1`` on this machine's card, else on the CPU; and a system."""

from __future__ import annotations

import os
from functools import cache

from shim_device import ShimDevice

from aitbc_rollup.algebra.limbs import Limbs
from aitbc_rollup.circuits.api import Circuit
from aitbc_rollup.circuits.r1cs import R1CS
from aitbc_rollup.gpu.device import Device
from aitbc_rollup.gpu.engine import GpuEngine

ON_CARD = os.environ.get("AITBC_GPU") == "1"


@cache
def card() -> Device:
    """The card, opened once for all tests."""
    from aitbc_rollup.gpu.cupy_device import CupyDevice

    return CupyDevice()


def device() -> Device:
    """The card, or a fresh device on the CPU."""
    return card() if ON_CARD else ShimDevice()


@cache
def engine() -> GpuEngine:
    """The engine on such a device, one for all tests: a device's tables are used again."""
    return GpuEngine(device())


def powers(steps: int) -> tuple[R1CS, Limbs]:
    """x ↦ x^(2^steps), with bits of x among the wires and a wire that no constraint mentions."""
    circuit = Circuit("powers")
    x = circuit.private_input("x")
    circuit.private_input("unused")
    for bit in circuit.hint_bits(x, 8):
        circuit.assert_equal(bit * bit, bit)
    for _ in range(steps):
        x = x * x
    circuit.public_output("y", x)
    compiled = circuit.compile()
    return compiled.r1cs, compiled.witness({"x": 201, "unused": 5})
