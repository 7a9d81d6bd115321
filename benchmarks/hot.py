"""A prover with its key loaded, for ``processes.Worker``: proves once for each line on standard input.

    python benchmarks/hot.py ours KEY.zkey WITNESS.wtns
    python benchmarks/hot.py rapidsnark KEY.zkey WITNESS.wtns LIBRARY

rapidsnark is called through its C interface, in its shared library.
"""

from __future__ import annotations

import ctypes
import json
import mmap
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from processes import PEAK_UNIT

Prove = Callable[[], dict[str, Any]]

#: rapidsnark's own sizes: its proof takes 810 bytes, a public number 82.
BUFFER_BYTES = 1 << 20


class Stages:
    """A progress hook that measures the wall-clock time between its calls."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._open: tuple[str, float] | None = None

    def __call__(self, stage: str, done: float) -> None:
        """Close the stage before and open this one."""
        now = time.perf_counter()
        if self._open:
            self.seconds[self._open[0]] = now - self._open[1]
        self._open = (stage, now)


def ours(key: Path, witness: Path) -> Prove:
    """This package in process; the proof is verified, and that is part of its time."""
    from aitbc_rollup.circuits.formats.wtns import read_wtns
    from aitbc_rollup.prover.engine import load_engine
    from aitbc_rollup.prover.keys import ProvingKey

    engine, proving_key, values = load_engine("cpu"), ProvingKey.load(key), read_wtns(witness)
    engine.load(proving_key)

    def prove() -> dict[str, Any]:
        stages = Stages()
        proving_key.prove(values, engine=engine, progress=stages)
        return {"stages_s": stages.seconds}

    return prove


def rapidsnark(key: Path, witness: Path, library: Path) -> Prove:
    """rapidsnark's prover object on a mapped key."""
    lib = ctypes.CDLL(str(library.resolve()))
    with key.open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ | mmap.PROT_WRITE, flags=mmap.MAP_PRIVATE)
    buffer = ctypes.c_char.from_buffer(mapped)
    message = ctypes.create_string_buffer(1024)
    prover = ctypes.c_void_p()

    def call(function: str, *arguments: Any) -> None:
        if getattr(lib, function)(*arguments, message, ctypes.c_ulonglong(len(message))):
            raise RuntimeError(f"{function}: {message.value.decode()}")

    size = ctypes.c_ulonglong(len(mapped))
    call("groth16_prover_create", ctypes.byref(prover), ctypes.byref(buffer), size)
    values = witness.read_bytes()
    proof, public = ctypes.create_string_buffer(BUFFER_BYTES), ctypes.create_string_buffer(BUFFER_BYTES)

    def prove(key_stays_mapped: object = buffer) -> dict[str, Any]:
        sizes = [ctypes.c_ulonglong(BUFFER_BYTES) for _ in range(2)]
        length = ctypes.c_ulonglong(len(values))
        call(
            "groth16_prover_prove",
            prover, values, length, proof, ctypes.byref(sizes[0]), public, ctypes.byref(sizes[1]),
        )  # fmt: skip
        return {}

    return prove


def main() -> None:
    """Load, say so, and answer each line."""
    prover, *paths = sys.argv[1:]
    prove: Prove = {"ours": ours, "rapidsnark": rapidsnark}[prover](*map(Path, paths))
    print(json.dumps({}), flush=True)
    for _ in sys.stdin:
        wall, cpu = time.perf_counter(), time.process_time()
        told = prove()
        took = {"wall_s": time.perf_counter() - wall, "cpu_s": time.process_time() - cpu}
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / PEAK_UNIT
        print(json.dumps(took | {"peak_mib": peak} | told), flush=True)


if __name__ == "__main__":
    main()
