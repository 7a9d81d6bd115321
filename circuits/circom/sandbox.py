"""circom's WebAssembly inside wasmtime: what it exports, what it may call, and loops that feed it fast.

A program may come from anybody. It gets no file, no clock and no network: the four methods of :class:`Host` are all it
can call, and what they keep is bounded. Its memory is bounded by the store, its time by the engine's epoch. Only the
compilation to machine code cannot be stopped; wasmtime keeps its result in the cache folder, which is this user's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import numpy as np
import wasmtime
from wasmtime import Caller, Func, FuncType, Instance, Memory, Module, Store, ValType, WasmtimeError

from aitbc_rollup.algebra.limbs import Limbs
from aitbc_rollup.cache import cache_root
from aitbc_rollup.errors import BadInputError

FIELD_BYTES = 32
_PAGE = 1 << 16
#: Values that fit into the memory of :data:`_LOOPS`, 1 MiB.
_CHUNK = 1 << 15
#: Entries of its table of functions: circom has one a template.
_MAX_TABLE = 1 << 20
#: Characters of a message, and messages kept: enough for every circuit that is meant well.
_MAX_MESSAGE, _MAX_MESSAGES = 4096, 256

#: Functions that circom 2 exports. Source: ``witness_calculator.js``, which circom writes beside a .wasm.
_EXPORTS = {
    "init": "(param i32)",
    "getFieldNumLen32": "(result i32)",
    "getRawPrime": "",
    "getSharedRWMemoryStart": "(result i32)",
    "getInputSize": "(result i32)",
    "getInputSignalSize": "(param i32 i32) (result i32)",
    "setInputSignal": "(param i32 i32 i32)",
    "getWitnessSize": "(result i32)",
    "getWitness": "(param i32)",
    "getMessageChar": "(result i32)",
}
#: The first versions, 2.0.3 for one, do without.
_OPTIONAL = {"getInputSignalSize"}

#: A call from Python takes microseconds, one from here nanoseconds. ``set`` hands values of a signal over, from its
#: position ``first`` on; ``get`` fetches wires from ``first`` on. A value lies at ``shared`` when it changes hands.
#:
#: All of circom's functions are imported, so that wasmtime compares their types when it links. To look at them from
#: here would end this process: the C interface of wasmtime aborts on types that it has no word for.
_LOOPS = """
(module
  {imports}
  (import "circom" "memory" (memory $circom 0))
  (memory $values (export "values") 16 16)
  (func (export "set")
    (param $shared i32) (param $msb i32) (param $lsb i32) (param $first i32) (param $count i32) (local $i i32)
    (loop $next
      (memory.copy $circom $values (local.get $shared) (i32.shl (local.get $i) (i32.const 5)) (i32.const 32))
      (call $setInputSignal (local.get $msb) (local.get $lsb) (i32.add (local.get $first) (local.get $i)))
      (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $count)))))
  (func (export "get") (param $shared i32) (param $first i32) (param $count i32) (local $i i32)
    (loop $next
      (call $getWitness (i32.add (local.get $first) (local.get $i)))
      (memory.copy $values $circom (i32.shl (local.get $i) (i32.const 5)) (local.get $shared) (i32.const 32))
      (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $count))))))
"""


class ReportedError(Exception):
    """Leaves WebAssembly from within the :class:`Host`."""


class Host:
    """What a program may call: it reports an error, or prints.

    ``code`` and ``trace`` hold the error: circom's number for it, and its lines about where. Before ``linked`` is set,
    the program's exports are not known to be circom's, and every call ends it.
    """

    def __init__(self, log: Callable[[str], None]) -> None:
        self.linked = False
        self.code: int | None = None
        self.trace: list[str] = []
        self._log = log
        self._line: list[str] = []

    def function(self, name: str, store: Store) -> Func:
        """The function that circom imports under this name."""
        parameters, method = _IMPORTS[name]

        def call(caller: Caller, *arguments: int) -> None:
            if not self.linked:
                raise ReportedError("a program that calls before it is called")
            method(self, caller, *arguments)

        return Func(store, FuncType(parameters, []), call, access_caller=True)

    def fail(self, caller: Caller, code: int) -> None:
        """The end of a calculation that does not work out."""
        self.code = code
        raise ReportedError

    def explain(self, caller: Caller) -> None:
        """One more line about the error that will come."""
        if len(self.trace) < _MAX_MESSAGES:
            self.trace.append(_message(caller).strip())

    def write(self, caller: Caller) -> None:
        """A piece of a line that the circuit's ``log()`` prints, or its end."""
        text = _message(caller)
        if text == "\n":
            self._log(" ".join(self._line))
            self._line.clear()
        elif len(self._line) < _MAX_MESSAGES:
            self._line.append(text)

    def show(self, caller: Caller) -> None:
        """A number of such a line."""
        if len(self._line) < _MAX_MESSAGES:
            start = _call(caller["getSharedRWMemoryStart"], caller)
            self._line.append(str(_field_element(caller["memory"], caller, start)))


#: The methods by the name circom imports them under, with their arguments.
_IMPORTS: dict[str, tuple[list[ValType], Callable[..., None]]] = {
    "exceptionHandler": ([ValType.i32()], Host.fail),
    "printErrorMessage": ([], Host.explain),
    "writeBufferMessage": ([], Host.write),
    "showSharedRWMemory": ([], Host.show),
}


class Program:
    """A calculator compiled to machine code.

    Args:
        wasm: the content of a .wasm.
        place: names it in errors.

    Raises:
        BadInputError: it is no WebAssembly, or not a calculator of circom 2.
    """

    def __init__(self, wasm: bytes, place: str) -> None:
        self.place = place
        self.engine = wasmtime.Engine(_configuration())
        try:
            self.module = Module(self.engine, wasm)
        except WasmtimeError as error:
            raise self.refusal(last_line(error)) from None
        exports = {item.name: item for item in self.module.exports}
        missing = [name for name in _EXPORTS if name not in exports and name not in _OPTIONAL]
        if missing:
            raise self.refusal(f"a program without circom's function {missing[0]}")
        memory = exports["memory"].type if "memory" in exports else None
        if not isinstance(memory, wasmtime.MemoryType):
            raise self.refusal("a program without a memory")
        #: Bytes that it starts with.
        self.memory = memory.limits.min * _PAGE
        #: What of circom's functions it has.
        self.functions = [name for name in _EXPORTS if name in exports]
        imports = "".join(f'(import "circom" "{name}" (func ${name} {_EXPORTS[name]}))' for name in self.functions)
        self.loops = Module(self.engine, _LOOPS.format(imports=imports))
        self.imports: list[str] = []
        for item in self.module.imports:
            if item.module != "runtime" or item.name not in _IMPORTS:
                raise self.refusal(f"a program that wants {item.module}.{item.name}")
            self.imports.append(item.name)

    def store(self, memory: int) -> Store:
        """A place for one instance: no memory of more bytes than this, and no time beyond the engine's next epoch."""
        store = Store(self.engine)
        store.set_epoch_deadline(1)
        store.set_limits(memory_size=memory, table_elements=_MAX_TABLE, memories=2, instances=2)
        return store

    def refusal(self, got: str) -> BadInputError:
        """The error of a program that is none of circom's, or does not act like one."""
        return BadInputError(
            "not a witness calculator of circom 2",
            place=self.place,
            expected="the .wasm that circom writes",
            got=got,
            hint="compile the circuit again: aitbc-rollup circom compile",
        )


class Running:
    """An instance of a program, and beside it the loops.

    Raises:
        wasmtime.WasmtimeError, wasmtime.Trap: it cannot be started, or it stops; so do the methods.
        ReportedError: it reports an error; so do the methods.
    """

    def __init__(self, program: Program, host: Host, store: Store) -> None:
        self._store = store
        self._functions = program.functions
        functions = [host.function(name, store) for name in program.imports]
        self._circom = Instance(store, program.module, functions).exports(store)
        linked = [self._circom[name] for name in (*program.functions, "memory")]
        self._loops = Instance(store, program.loops, linked).exports(store)
        host.linked = True
        self._shared = self.call("getSharedRWMemoryStart")

    def offers(self, name: str) -> bool:
        """Whether the program exports this."""
        return name in self._functions

    def call(self, name: str, *arguments: int) -> int:
        """An exported function's result as an unsigned number; 0 if it has none."""
        return _call(self._circom[name], self._store, *arguments)

    @property
    def memory(self) -> int:
        """Bytes of memory that the program has now."""
        return _memory(self._circom["memory"]).data_len(self._store)

    def shared(self) -> int:
        """The field element that the program holds out."""
        return _field_element(self._circom["memory"], self._store, self._shared)

    def give(self, name_hash: tuple[int, int], values: Limbs) -> None:
        """Hand over all values of a signal, canonical limbs ``(n, 4)``."""
        for first in range(0, len(values), _CHUNK):
            part = values[first : first + _CHUNK]
            _memory(self._loops["values"]).write(self._store, part.astype("<u8").tobytes())
            _call(self._loops["set"], self._store, self._shared, *name_hash, first, len(part))

    def take(self, n_wires: int) -> Limbs:
        """The wires' values, limbs ``(n_wires, 4)``, as the program gives them."""
        out = np.empty((n_wires, 4), np.uint64)
        for first in range(0, n_wires, _CHUNK):
            part = out[first : first + _CHUNK]
            _call(self._loops["get"], self._store, self._shared, first, len(part))
            data = _memory(self._loops["values"]).read(self._store, 0, part.nbytes)
            part[:] = np.frombuffer(data, "<u8").reshape(-1, 4)
        return out


def last_line(error: Exception) -> str:
    """The cause in an error of wasmtime, which comes last, after a trace of addresses."""
    lines = str(error).strip().splitlines()
    return re.sub(r"^\d+: ", "", lines[-1].strip()) if lines else type(error).__name__


def _configuration() -> wasmtime.Config:
    """Stoppable, without threads, and with a cache of machine code if its folder can be written."""
    config = wasmtime.Config()
    config.epoch_interruption = True
    config.wasm_threads = False
    folder = cache_root().absolute() / "wasmtime"
    settings = folder / "config.toml"
    text = f"[cache]\ndirectory = {json.dumps(str(folder))}\n"
    try:
        if not settings.exists() or settings.read_text("utf-8") != text:
            folder.mkdir(parents=True, exist_ok=True)
            settings.write_text(text, "utf-8")
        config.cache = str(settings)
    except (OSError, WasmtimeError):
        pass  # only slower
    return config


def _call(function: object, store: Store | Caller, *arguments: int) -> int:
    assert isinstance(function, Func)  # so it has been linked
    result = function(store, *arguments)
    return 0 if result is None else int(result) & 0xFFFFFFFF


def _memory(memory: object) -> Memory:
    assert isinstance(memory, Memory)
    return memory


def _field_element(memory: object, store: Store | Caller, start: int) -> int:
    return int.from_bytes(_memory(memory).read(store, start, start + FIELD_BYTES), "little")


def _message(caller: Caller) -> str:
    """The text that the program holds out, byte by byte up to a zero; nothing in it moves a terminal's cursor."""
    data = bytearray()
    while len(data) < _MAX_MESSAGE and (byte := _call(caller["getMessageChar"], caller)):
        data.append(byte & 0xFF)
    return "".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in data.decode(errors="replace"))
