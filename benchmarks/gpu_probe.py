"""Microbenchmarks that settle the GPU kernels' design on a card: what its instructions cost, alone and side by side.

    python benchmarks/gpu_probe.py

Needs a card, numpy and CuPy, and takes seconds. ``gpu/kernels/probe.cu`` has the loops; here is how many are run and
what follows from the time. *Lanes* are operations of single threads that one multiprocessor completes in one of its
clock cycles, measured with its own clock, so that they do not depend on how fast that clock is: 64 are a pipe that
takes a warp's instruction on each of the four schedulers every other cycle. The questions, and where the answers stand
in the result:

- Does ``IMAD.WIDE`` take twice as long as ``IMAD``, with and without carry? ``lanes``.
- Do additions hide behind products? Does FP64 run beside them? ``overlap``: 1 if the slower hides the other entirely,
  0 if they take turns.
- How near the ceiling of their own multiply-adds are products, squares and point additions? ``share``.
- Is a product or a point addition in FP64 faster than one in integers, or half of the warps on each faster than
  either? ``lanes`` of ``fr_double_mul`` and ``fr_mixed_mul`` beside ``fr_mul``, of ``g1_double_add`` beside ``g1_add``
  (docs/gpu.md, "FP64 path").
- How long does each instruction keep a dependent one waiting? ``latency_cycles``.
- What do copies reach, and reads of 64 bytes at random places? ``bandwidth``.
- How many Poseidon hashes of 2, 4 and 16 inputs are made in a second? ``poseidon``.
"""

from __future__ import annotations

import json
import random
import statistics
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aitbc_rollup.algebra.limbs import to_limbs
from aitbc_rollup.gpu.device import Array, Device
from aitbc_rollup.gpu.poseidon import hash_many

#: As ``probe.cu`` has it.
N_SEEDS = 16
#: Loops of the mixed products: so many in FP64 for one in integers.
RATIOS = (0.5, 1.0, 1.5, 2.0)
REPEATS = 3
_QUAD, _RECORD = 16, 64
_GATHER_LOOPS = 64


class Probe(NamedTuple):
    """A kernel that repeats an operation.

    ``operations`` are those of a thread in one loop; ``mix`` the integer multiply-adds among the instructions of one,
    as compiled for sm_90: with carry or without they count as one kind. ``threads`` and ``blocks`` (of a
    multiprocessor) are such that all blocks are there at once.
    """

    operations: int
    loops: int
    mix: Mapping[str, int]
    threads: int = 256
    blocks: int = 4


def _chain(operations: int, instruction: str) -> Probe:
    """One warp for each scheduler, each operation waiting for the one before."""
    return Probe(operations, 4096, {instruction: 1} if instruction.startswith("IMAD") else {}, threads=128, blocks=1)


PROBES: dict[str, Probe] = {
    "imad": Probe(128, 2048, {"IMAD": 1}),
    "imad_high": Probe(128, 2048, {"IMAD.HI": 1}),
    "imad_wide": Probe(128, 2048, {"IMAD.WIDE": 1}),
    "wide_row": Probe(32, 2048, {"IMAD.WIDE": 4}),
    "iadd3": Probe(64, 2048, {}),
    "dfma": Probe(128, 2048, {}),
    "imad_chain": _chain(64, "IMAD"),
    "imad_wide_chain": _chain(64, "IMAD.WIDE"),
    "wide_row_chain": Probe(16, 4096, {"IMAD.WIDE": 4}, threads=128, blocks=1),
    "iadd3_chain": _chain(32, "IADD3"),
    "dfma_chain": _chain(64, "DFMA"),
    "wide_and_dfma": Probe(64, 2048, {"IMAD.WIDE": 1}),
    "wide_and_iadd3": Probe(64, 2048, {"IMAD.WIDE": 1}),
    "fr_mul": Probe(1, 1024, {"IMAD.WIDE": 120, "IMAD.HI": 8, "IMAD": 8}),
    "fr_mul_pair": Probe(2, 512, {"IMAD.WIDE": 120, "IMAD.HI": 8, "IMAD": 8}),
    "fr_sqr": Probe(1, 1024, {"IMAD.WIDE": 90, "IMAD.HI": 10, "IMAD": 10}),
    "fr_add": Probe(8, 1024, {}),
    "fq_mul": Probe(1, 1024, {"IMAD.WIDE": 120, "IMAD.HI": 8, "IMAD": 8}),
    "fq_sqr": Probe(1, 1024, {"IMAD.WIDE": 90, "IMAD.HI": 10, "IMAD": 10}),
    "fq_add": Probe(8, 1024, {}),
    "fq2_mul": Probe(1, 512, {"IMAD.WIDE": 300, "IMAD.HI": 20, "IMAD": 24}, blocks=2),
    "g1_add": Probe(1, 256, {"IMAD.WIDE": 1082, "IMAD.HI": 78, "IMAD": 80}, threads=128, blocks=3),
    "fr_double_mul": Probe(1, 1024, {}, blocks=3),
    "fq_double_mul": Probe(1, 1024, {}, blocks=3),
    "fq_double_sqr": Probe(1, 1024, {}, blocks=3),
    "g1_double_add": Probe(1, 256, {}, threads=128, blocks=3),
}
#: What runs beside the first: the second, so many of its operations to one of the first's.
PAIRS = {"wide_and_dfma": ("imad_wide", "dfma", 2), "wide_and_iadd3": ("imad_wide", "iadd3", 2)}
#: One of each kind of multiply-add, alone.
CEILINGS = {"IMAD": "imad", "IMAD.HI": "imad_high", "IMAD.WIDE": "imad_wide"}


def seeds() -> NDArray[np.uint64]:
    """First values and, last, every operation's other operand: (16, 4), below both moduli, the same on every run."""
    rng = random.Random(254)
    values = [rng.randrange(1 << 253) for _ in range(N_SEEDS - 1)]
    # The floating-point chains multiply by limb 6 and add limb 7.
    return to_limbs([*values, 1 << 224 | 1 << 192 | rng.randrange(1 << 191) * 2 + 1])


def measure(device: Device, *, loops: int | None = None, memory: int = 1 << 30) -> dict[str, Any]:
    """Run everything on a device; see the module for what the figures say.

    Args:
        device: where.
        loops: loops of every kernel, to try it where it is slow; enough for milliseconds of a card if not given.
        memory: bytes that are copied, and gathered from; a power of two. Twice as much is allocated. A row is hashed
            for every 1,024.

    Raises:
        ResourceError: the memory budget does not allow it.
    """
    given = device.upload(seeds())
    runs = {kernel: _run(device, kernel, probe, given, loops) for kernel, probe in PROBES.items()}
    lanes = {kernel: run["lanes"] for kernel, run in runs.items()}
    mixed = {f"{ratio:g}": _mixed(device, given, ratio, loops) for ratio in RATIOS}
    chains = [kernel for kernel in PROBES if kernel.endswith("_chain")]
    composed = [kernel for kernel in PROBES if kernel not in chains and sum(PROBES[kernel].mix.values()) > 1]
    return {
        "device": device.describe(),
        "multiprocessors": device.multiprocessors,
        "runs": runs,
        "lanes": {k: v for k, v in lanes.items() if k not in chains} | {"fr_mixed_mul": mixed},
        "latency_cycles": {k: PROBES[k].threads / lanes[k] for k in chains},
        "share": {k: lanes[k] / ceiling(PROBES[k].mix, lanes) for k in composed},
        "overlap": {k: overlap(lanes[k], lanes[a], lanes[b] / times) for k, (a, b, times) in PAIRS.items()},
        "bandwidth": _bandwidth(device, memory),
        "poseidon": {str(k): _hashes(device, k, memory // 1024) for k in (2, 4, 16)},
    }


def ceiling(mix: Mapping[str, int], lanes: Mapping[str, float]) -> float:
    """Lanes of an operation that does nothing but its multiply-adds, at the measured lanes of each kind."""
    return 1 / sum(count / lanes[CEILINGS[kind]] for kind, count in mix.items())


def overlap(both: float, first: float, second: float) -> float:
    """How much of the faster one's time is hidden behind the slower's, from lanes together and alone."""
    apart, behind = 1 / first + 1 / second, max(1 / first, 1 / second)
    return (apart - 1 / both) / (apart - behind)


def _run(device: Device, kernel: str, probe: Probe, given: Array, loops: int | None) -> dict[str, float]:
    count = loops or probe.loops
    blocks = probe.blocks * device.multiprocessors
    cycles, seconds = _launched(device, kernel, blocks, probe.threads, given, np.uint32(count))
    each = probe.threads * probe.operations * count
    return {
        "lanes": probe.blocks * each / cycles,
        "per_second": blocks * each / seconds,
        "clock_hz": cycles / seconds,
    }


def _mixed(device: Device, given: Array, ratio: float, loops: int | None) -> float:
    """Lanes of products of both kinds together."""
    count = loops or 1024
    doubles = max(1, round(ratio * count))
    blocks, threads = 3, 256
    arguments = given, np.uint32(count), np.uint32(doubles)
    cycles, _ = _launched(device, "fr_mixed_mul", blocks * device.multiprocessors, threads, *arguments)
    return blocks * threads // 2 * (count + doubles) / cycles


def _launched(device: Device, kernel: str, blocks: int, threads: int, *arguments: Any) -> tuple[float, float]:
    """Median cycles of the last block to be done, and seconds, after a launch that does not count."""
    out, ticks = device.empty(blocks * threads, np.uint64), device.empty(blocks, np.uint64)

    def work() -> None:
        device.launch("probe", kernel, blocks, threads, out, ticks, *arguments)

    work()
    taken = [(device.time(work), float(device.download(ticks).max())) for _ in range(REPEATS)]
    return statistics.median(cycles for _, cycles in taken), statistics.median(ms for ms, _ in taken) / 1e3


def _bandwidth(device: Device, memory: int) -> dict[str, float]:
    """Bytes in a second: read and written by a copy; read by gathering records of 64 bytes."""
    source, target = (device.zeros(memory // 8, np.uint64) for _ in range(2))
    blocks, threads = 8 * device.multiprocessors, 256
    words = device.empty(blocks * threads, np.uint64)

    def copy() -> None:
        device.launch("probe", "copy", blocks, threads, target, source, np.uint64(memory // _QUAD))

    def gather() -> None:
        mask = np.uint32(memory // _RECORD - 1)
        device.launch("probe", "gather", blocks, threads, words, source, mask, np.uint32(_GATHER_LOOPS))

    gathered = blocks * threads * _GATHER_LOOPS * _QUAD
    return {"copy": 2 * memory / _seconds(device, copy), "gather_64": gathered / _seconds(device, gather)}


def _hashes(device: Device, inputs: int, rows: int) -> float:
    """In a second; what is hashed does not matter, as no branch depends on it."""
    values = device.zeros((rows, inputs, 4), np.uint64)
    return rows / _seconds(device, lambda: hash_many(device, values))


def _seconds(device: Device, work: Callable[[], object]) -> float:
    """Median, after a time that does not count."""
    work()
    return statistics.median(device.time(work) for _ in range(REPEATS)) / 1e3


if __name__ == "__main__":
    from aitbc_rollup.gpu.cupy_device import CupyDevice

    print(json.dumps(measure(CupyDevice()), indent=1))
