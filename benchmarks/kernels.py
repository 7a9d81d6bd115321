"""Measures the prover's kernels alone: field product and square, NTT, quotient, MSM in G1 and G2.

    python benchmarks/kernels.py [--kernels mul msm-g1 …] [--powers 14 16] [--repeats 5] [--cores 1] [--peer-lib PATH]

With ``--peer-lib``, a shared library that wraps another implementation (its functions: :class:`Peer`) is measured in
the same run, in turn with ours, on the same numbers; results that differ are an error. Times are processor time of all
threads per element, in nanoseconds, after one run that is not counted; ``AITBC_CPU`` chooses our vector path.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numba
import numpy as np
from processes import spread

from aitbc_rollup.algebra import cpu, simd
from aitbc_rollup.algebra.bn254 import P
from aitbc_rollup.algebra.jit import address
from aitbc_rollup.algebra.limbs import Limbs
from aitbc_rollup.prover import qap
from aitbc_rollup.prover.cpu import ntt
from aitbc_rollup.prover.cpu.msm import msm_packed
from aitbc_rollup.prover.cpu.points import pack
from aitbc_rollup.prover.engine import load_engine

KERNELS = ("mul", "square", "ntt", "quotient", "msm-g1", "msm-g2")
#: Elements of a field benchmark: what a second-level cache holds.
FIELD_ELEMENTS = 4096
FIELD_ROUNDS = 256
SEED = 254


class Case(NamedTuple):
    """One kernel on one input, and the same by the peer; both return what they computed, to be compared."""

    kernel: str
    elements: int
    ours: Callable[[], Limbs | None]
    peer: Callable[[], Limbs | None] | None


class Peer:
    """The functions expected of a peer library: arrays of 64-bit words, Montgomery form with radix 2^256.

    ``ff_mul(c, a, b, n)``, ``ff_sqr(c, a, n)`` over Fq; ``fr_mul(c, a, b, n)``; ``ff_fft_prepare(n)``; ``ff_fft(data,
    n, inverse)`` over Fr, in place, natural order; ``ff_msm_g1(out, points, scalars, n)`` and ``ff_msm_g2``, affine
    points and canonical scalars.
    """

    def __init__(self, path: Path) -> None:
        self._library = ctypes.CDLL(str(path.resolve()))

    def call(self, name: str, *arguments: Limbs | int) -> None:
        """Call a function; arrays go by address, numbers as 64 bits."""
        words = (ctypes.c_uint64(a.ctypes.data if isinstance(a, np.ndarray) else a) for a in arguments)
        getattr(self._library, name)(*words)

    def on(self, name: str, out: Limbs, *arguments: Limbs | int) -> Callable[[], Limbs]:
        """A call that writes to its first argument, later; returns that argument."""

        def run() -> Limbs:
            self.call(name, out, *arguments)
            return out

        return run


def random_elements(count: int) -> Limbs:
    """Numbers below 2^252, the same in every run."""
    limbs = np.random.default_rng(SEED + count).integers(0, 1 << 64, (count, 4), np.uint64)
    limbs[:, 3] >>= np.uint64(12)
    return limbs


def field_cases(peer: Peer | None, kernels: set[str]) -> Iterator[Case]:
    """Product and square in Fq, lanes in the form kernels keep them in between."""

    @simd.operation
    def enter(builder: Any, out: Any, block: Any) -> None:
        f = simd.lanes(builder, P)
        f.store(out, f.load_block(block, P))

    @simd.operation
    def mul(builder: Any, out: Any, x: Any, y: Any) -> None:
        f = simd.lanes(builder, P)
        f.store(out, f.load(x, 2 * P) * f.load(y, 2 * P))

    @simd.operation
    def square(builder: Any, out: Any, x: Any, y: Any) -> None:
        f = simd.lanes(builder, P)
        f.store(out, f.load(x, 2 * P).square())

    block, register, groups = 32 * simd.LANES, simd.REGISTER_BYTES, FIELD_ELEMENTS // simd.LANES

    @numba.njit
    def fill(out: Limbs, blocks: Limbs) -> None:
        for i in range(groups):
            enter(address(out) + register * i, address(blocks) + block * i)

    def loop(step: Any) -> Any:
        @numba.njit
        def rounds(out: Limbs, x: Limbs, y: Limbs) -> None:
            for _ in range(FIELD_ROUNDS):
                for i in range(groups):
                    step(address(out) + register * i, address(x) + register * i, address(y) + register * i)

        return rounds

    elements = random_elements(FIELD_ELEMENTS)
    x, out = np.zeros((2, groups, register // 8), np.uint64)
    simd.run(fill, x, elements)
    theirs = np.empty_like(elements)
    for name, step, function, count in (("mul", mul, "ff_mul", 2), ("square", square, "ff_sqr", 1)):
        if name in kernels:
            rounds = loop(step)
            yield Case(
                name,
                FIELD_ELEMENTS * FIELD_ROUNDS,
                lambda rounds=rounds: simd.run(rounds, out, x, x),
                peer and rounds_of(peer, function, theirs, *[elements] * count, FIELD_ELEMENTS),
            )


def rounds_of(peer: Peer, function: str, out: Limbs, *arguments: Limbs | int) -> Callable[[], None]:
    """A peer's field operation over the array, as often as ours."""

    def run() -> None:
        for _ in range(FIELD_ROUNDS):
            peer.call(function, out, *arguments)

    return run


def transform_cases(peer: Peer | None, kernels: set[str], power: int) -> Iterator[Case]:
    """One NTT of 2^power values, and a proof's quotient: six of them, and products."""
    length, engine = 1 << power, load_engine("cpu")
    values, other = random_elements(length), random_elements(2 * length)[length:]
    if peer:
        peer.call("ff_fft_prepare", length)
    if "ntt" in kernels:
        yield Case("ntt", length, lambda: engine.ntt(values), peer and (lambda: peer_ntt(peer, values)))
    if "quotient" in kernels:
        shift = qap.coset_shift(power)
        powers = ntt.powers(shift, length)
        yield Case(
            "quotient",
            length,
            lambda: engine.quotient(values, other, shift),
            peer and (lambda: peer_quotient(peer, values, other, powers)),
        )


def peer_ntt(peer: Peer, values: Limbs) -> Limbs:
    """A copy, transformed; ours copies too."""
    out = values.copy()
    peer.call("ff_fft", out, len(out), 0)
    return out


def peer_quotient(peer: Peer, a: Limbs, b: Limbs, powers: Limbs) -> None:
    """The steps of a quotient but for its last subtraction, which the library does not offer."""
    length, c = len(a), np.empty_like(a)
    peer.call("fr_mul", c, a, b, length)
    a, b = a.copy(), b.copy()
    for values in (a, b, c):
        peer.call("ff_fft", values, length, 1)
        peer.call("fr_mul", values, values, powers, length)
        peer.call("ff_fft", values, length, 0)
    peer.call("fr_mul", a, a, b, length)
    peer.call("fr_mul", a, a, c, length)


def scalars_of(kind: str, count: int) -> Limbs:
    """``full``: random; ``bits``: 0 and 1, as most wires are; ``mixed``: half and half."""
    scalars, ones = random_elements(count), np.random.default_rng(SEED).integers(0, 2, count, np.uint64)
    small = {"full": slice(0), "bits": slice(None), "mixed": slice(None, None, 2)}[kind]
    scalars[small] = 0
    scalars[small, 0] = ones[small]
    return scalars


def msm_cases(peer: Peer | None, kernels: set[str], power: int, kind: str) -> Iterator[Case]:
    """A multi-scalar multiplication over 2^power points, in each group."""
    length = 1 << power
    engine, scalars = load_engine("cpu"), scalars_of(kind, length)
    for group, multiples in ((1, engine.fixed_base_g1), (2, engine.fixed_base_g2)):
        if f"msm-g{group}" not in kernels:
            continue
        points = multiples(random_elements(length))
        packed, out = pack(group, points), np.zeros(8 * group, np.uint64)
        yield Case(
            f"msm-g{group}",
            length,
            lambda group=group, packed=packed: msm_packed(group, packed, scalars),
            peer and peer.on(f"ff_msm_g{group}", out, points, scalars, length),
        )


def measured(case: Case, repeats: int) -> dict[str, Any]:
    """Nanoseconds per element of both, in turn."""
    mine = case.ours()
    theirs = case.peer() if case.peer else None
    if mine is not None and theirs is not None and not np.array_equal(mine, theirs):
        raise ValueError(f"{case.kernel} over {case.elements} elements: ours and the peer's results differ")
    runs: dict[str, list[float]] = {"ours": [], "peer": []}
    for _ in range(repeats):
        for name, work in (("ours", case.ours), ("peer", case.peer)):
            if work is not None:
                start = time.process_time()
                work()
                runs[name].append((time.process_time() - start) / case.elements * 1e9)
    result: dict[str, Any] = {"kernel": case.kernel, "elements": case.elements}
    result |= {f"{name}_ns": spread(times, 2) for name, times in runs.items() if times}
    if "peer_ns" in result:
        result["ratio"] = round(result["ours_ns"]["median"] / result["peer_ns"]["median"], 3)
    return result


def cases(options: argparse.Namespace, peer: Peer | None) -> Iterator[Case]:
    """What was asked for; each is made when it is its turn, so that only one size is in memory."""
    kernels = set(options.kernels)
    if kernels & {"mul", "square"}:
        yield from field_cases(peer, kernels)
    for power in options.powers:
        yield from transform_cases(peer, kernels, power)
        yield from msm_cases(peer, kernels, power, options.scalars)


def main() -> None:
    """Measure, print, and write where asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kernels", nargs="+", choices=KERNELS, default=KERNELS)
    parser.add_argument("--powers", type=int, nargs="+", default=[14, 16])
    parser.add_argument("--scalars", choices=("full", "bits", "mixed"), default="full", help="of the MSMs")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--cores", type=int, help="use this many cores, both sides; default: all")
    parser.add_argument("--peer-lib", type=Path, metavar="PATH", help="shared library of the peer")
    parser.add_argument("--out", type=Path, help="write JSON here")
    options = parser.parse_args()
    if options.cores:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.cores])
    try:
        peer = Peer(options.peer_lib) if options.peer_lib else None
    except OSError as error:
        parser.error(f"--peer-lib: {error}")
    print(f"path {cpu.chosen()}, scalars {options.scalars}; ns of processor time per element, median (least … most)")
    results = []
    for case in cases(options, peer):
        result = measured(case, options.repeats)
        results.append(result)
        print(line(result), flush=True)
    if options.out:
        from machine import machine

        document = {"generated_by": "benchmarks/kernels.py", "machine": machine(), "path": cpu.chosen()}
        document |= {"scalars": options.scalars, "kernels": results}
        options.out.write_text(json.dumps(document, indent=2) + "\n")


def line(result: dict[str, Any]) -> str:
    """One row of the table."""
    cells = [f"{result['kernel']:9}{result['elements']:9}"]
    for name in ("ours", "peer"):
        if times := result.get(f"{name}_ns"):
            cells.append(f"{name} {times['median']:9.2f} ({times['min']:.2f} … {times['max']:.2f})".ljust(40))
    if "ratio" in result:
        cells.append(f"ratio {result['ratio']:.3f}")
    return "  ".join(cells)


if __name__ == "__main__":
    main()
