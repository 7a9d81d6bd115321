"""Witnesses by the calculator that circom compiled: inputs in, values of all wires out.

The protocol is that of ``witness_calculator.js``, which circom 2 writes beside its .wasm: a signal goes by the FNV-1a
hash of its name, and the last input starts the calculation. ``sandbox`` runs the program. What it answers is checked to
be field elements; whether they are a witness, only the constraints say (``check.assert_satisfied``).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from wasmtime import Store, Trap, WasmtimeError

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.limbs import Limbs, is_below, to_limbs
from aitbc_rollup.errors import AitbcError, BadInputError, InvalidError, ResourceError, next_step
from aitbc_rollup.verifier.strict_json import shorten

from ..formats.files import MappedFile
from .inputs import signals
from .sandbox import FIELD_BYTES, Host, Program, ReportedError, Running, last_line

#: How long a calculation may take, in seconds, and how much memory, in bytes: all that a 32-bit program can have.
TIME_LIMIT, MEMORY_LIMIT = 600.0, 1 << 32
#: Sizes that circom names for a signal that is not there: −1, or from 2.0.8 on 0.
_NO_SIZES = {0xFFFFFFFF, 0}
_ASSERTION, _MEMORY = 4, 5
#: What the other numbers mean that circom ends with. Source: ``witness_calculator.js``.
_CODES = {
    1: "no such signal",
    2: "too many values for a signal",
    3: "a signal is given twice",
    6: "an input array is read beyond its end",
    7: "an array is read beyond its end",
}


class WitnessCalculator:
    """A circuit's calculator, compiled to machine code: as many witnesses as wanted, one at a time.

    Args:
        wasm: the content of the .wasm that circom 2 made.
        place: names it in errors.

    Raises:
        BadInputError: it is no WebAssembly, or not a calculator of circom 2.
    """

    def __init__(self, wasm: bytes, place: str = "wasm") -> None:
        self._program = Program(wasm, place)
        # An engine has one epoch, by which a calculation is stopped: two at a time would be stopped together.
        self._one_at_a_time = threading.Lock()

    @classmethod
    def load(cls, path: str | Path) -> WitnessCalculator:
        """The calculator in a file.

        Raises:
            BadInputError: the file cannot be read, or what the constructor refuses.
        """
        return cls(bytes(MappedFile(path).data), str(path))

    def calculate(
        self,
        inputs: Any,
        *,
        place: str = "inputs",
        seconds: float = TIME_LIMIT,
        memory: int = MEMORY_LIMIT,
        log: Callable[[str], None] = lambda line: None,
    ) -> Limbs:
        """The witness for these inputs: canonical limbs, uint64 ``(n_wires, 4)``.

        Args:
            inputs: values by signal, as in an ``input.json`` (see ``inputs.signals``).
            place: names the inputs in errors.
            seconds: the calculation is stopped after this time.
            memory: bytes that the program may take.
            log: told each line that the circuit prints with ``log()``, from another thread.

        Raises:
            BadInputError: the inputs are not the circuit's, or the program is over another field or none of circom's.
            InvalidError: an assertion of the circuit fails on these inputs.
            ResourceError: it takes too long, or too much memory.
        """
        values = signals(inputs, place)
        if self._program.memory > memory:
            raise ResourceError(
                "the calculator takes too much memory",
                place=self._program.place,
                expected=f"at most {memory} bytes",
                got=f"{self._program.memory} to start with",
                hint="allow it more, up to 4 GiB",
            )
        with self._one_at_a_time, ThreadPoolExecutor(1, "witness") as thread:
            # Made here: an epoch that ended before the thread began would not end the calculation.
            store = self._program.store(memory)
            try:
                return thread.submit(self._calculate, store, values, place, Host(log)).result(seconds)
            except BaseException as error:
                # The deadline, or Ctrl-C, which a thread inside WebAssembly does not hear.
                self._program.engine.increment_epoch()
                if isinstance(error, TimeoutError):
                    raise ResourceError(
                        "the witness takes too long to calculate",
                        place=self._program.place,
                        expected=f"at most {seconds:g} seconds",
                        hint="allow more time, or look for a loop without an end",
                    ) from None
                raise

    def _calculate(self, store: Store, values: Mapping[str, list[int]], place: str, host: Host) -> Limbs:
        try:
            running = Running(self._program, host, store)
            self._check_field(running)
            running.call("init", 0)
            _give(running, values, place)
            n_wires = running.call("getWitnessSize")
            # Each is a signal of its own, and all signals lie in memory: so the limit on that is one on the witness.
            if n_wires * FIELD_BYTES > running.memory:
                raise self._program.refusal(f"a witness of {n_wires} wires in {running.memory} bytes")
            witness = running.take(n_wires)
        except (WasmtimeError, Trap, ReportedError) as error:
            if host.code is None:
                raise self._program.refusal(last_line(error)) from None
            raise _reported(host.code, host.trace, place) from None
        if not is_below(witness, R).all():
            raise self._program.refusal("a value that is not below r")
        return witness

    def _check_field(self, running: Running) -> None:
        running.call("getRawPrime")
        words = running.call("getFieldNumLen32")
        if words != 8 or running.shared() != R:
            raise BadInputError(
                "not the field of BN254",
                place=self._program.place,
                expected=f"prime {R}",
                got=f"prime {running.shared()}" if words == 8 else f"{4 * words} bytes an element",
                hint="compile with circom's default prime, bn128",
            )


@next_step("compare with the `signal input`s of the circuit's main component")
def _give(running: Running, values: Mapping[str, list[int]], place: str) -> None:
    """Hand over all inputs.

    Raises:
        BadInputError: a signal is unknown or has another size, or not all are there.
    """
    total = running.call("getInputSize")
    for name, numbers in values.items():
        name_hash = _fnv1a(name)
        where = f"{place}, signal {shorten(name)}"
        size = running.call("getInputSignalSize", *name_hash) if running.offers("getInputSignalSize") else len(numbers)
        if size in _NO_SIZES and numbers:
            raise BadInputError("the circuit has no such input", place=where, got=_count(len(numbers)))
        if size != len(numbers):
            raise BadInputError(
                "the signal has another size", place=where, expected=_count(size), got=_count(len(numbers))
            )
    given = sum(map(len, values.values()))
    if given != total:
        sizes = ", ".join(f"{name} {len(numbers)}" for name, numbers in values.items())
        raise BadInputError(
            "inputs are missing" if given < total else "too many inputs",
            place=place,
            expected=_count(total),
            got=f"{given} ({shorten(sizes, 300)})" if sizes else "none",
        )
    for name, numbers in values.items():
        running.give(_fnv1a(name), to_limbs(numbers))


def _reported(code: int, trace: list[str], place: str) -> AitbcError:
    """The error that circom gave up with."""
    text = "; ".join(line for message in trace for line in message.splitlines() if line.strip())
    got = shorten(text, 1000) or None
    if code == _ASSERTION:
        return InvalidError(
            "an assertion of the circuit fails",
            place=place,
            got=got,
            hint="look at that line of the template: it refuses these inputs",
        )
    if code == _MEMORY:
        return ResourceError(
            "the calculator has not enough memory", place=place, got=got, hint="allow it more, up to 4 GiB"
        )
    return BadInputError(_CODES.get(code, f"circom's error {code}"), place=place, got=got, hint="check the inputs")


def _fnv1a(name: str) -> tuple[int, int]:
    """The hash that a signal goes by, upper and lower 32 bits.

    Source: 64-bit FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/, over the characters of the name.
    """
    value = 0xCBF29CE484222325
    for character in name:
        value = (value ^ ord(character)) * 0x100000001B3 % (1 << 64)
    return value >> 32, value & 0xFFFFFFFF


def _count(values: int) -> str:
    return "1 value" if values == 1 else f"{values} values"
