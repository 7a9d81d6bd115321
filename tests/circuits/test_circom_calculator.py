"""A calculator in WebAssembly text that behaves, and others, each with one thing changed, that do not."""

from __future__ import annotations

import random
import signal
import threading
from collections import Counter
from typing import Any

import mutations
import pytest
from wasmtime import wat2wasm

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.limbs import from_limbs
from aitbc_rollup.circuits.circom.calculator import WitnessCalculator
from aitbc_rollup.errors import AitbcError, BadInputError, InvalidError, ResourceError
from aitbc_rollup.verifier.strict_json import parse_json

#: The lower half of the 64-bit FNV-1a hash of "x".
X = 0x86021707

#: Knows one input, x, and the witness (1, x). Memory: the shared value at 0, the prime at 64, x at 96, a text at 128.
PARTS = {
    "imports": """
        (import "runtime" "exceptionHandler" (func $fail (param i32)))
        (import "runtime" "printErrorMessage" (func $explain))
        (import "runtime" "writeBufferMessage" (func $write))
        (import "runtime" "showSharedRWMemory" (func $show))""",
    "memory": '(memory (export "memory") 1)',
    "data": "".join(f"\\{byte:02x}" for byte in R.to_bytes(32, "little")),
    "text": "line one",
    "types": "",
    "start": "",
    "init": "",
    "getFieldNumLen32": "(i32.const 8)",
    "getRawPrime": "(memory.copy (i32.const 0) (i32.const 64) (i32.const 32))",
    "getSharedRWMemoryStart": "(i32.const 0)",
    "getInputSize": "(i32.const 1)",
    "getInputSignalSize": f"(select (i32.const 1) (i32.const 0) (i32.eq (local.get 1) (i32.const {X})))",
    "setInputSignal": "(memory.copy (i32.const 96) (i32.const 0) (i32.const 32))",
    "getWitnessSize": "(i32.const 2)",
    "getWitness": """
        (memory.fill (i32.const 0) (i32.const 0) (i32.const 32))
        (if (i32.eqz (local.get 0))
            (then (i32.store (i32.const 0) (i32.const 1)))
            (else (memory.copy (i32.const 0) (i32.const 96) (i32.const 32))))""",
    "getMessageChar": """
        (global.set $at (i32.add (global.get $at) (i32.const 1)))
        (i32.load8_u (i32.add (global.get $at) (i32.const 127)))""",
}  # fmt: skip
SIGNATURES = {
    "init": "(param i32)", "getFieldNumLen32": "(result i32)", "getRawPrime": "",
    "getSharedRWMemoryStart": "(result i32)", "getInputSize": "(result i32)",
    "getInputSignalSize": "(param i32 i32) (result i32)", "setInputSignal": "(param i32 i32 i32)",
    "getWitnessSize": "(result i32)", "getWitness": "(param i32)", "getMessageChar": "(result i32)",
}  # fmt: skip
FOREVER = "(loop $again (br $again))"


def program(signatures: dict[str, str] = SIGNATURES, **changes: str) -> bytes:
    """The calculator with these parts changed."""
    parts = PARTS | changes
    functions = [f'(func ${name} (export "{name}") {kind} {parts[name]})' for name, kind in signatures.items()]
    return bytes(
        wat2wasm(
            f"(module {parts['types']} {parts['imports']} {parts['memory']} (global $at (mut i32) (i32.const 0))"
            f'(data (i32.const 64) "{parts["data"]}") (data (i32.const 128) "{parts["text"]}")'
            f"{''.join(functions)} {parts['start']})"
        )
    )


def run(wasm: bytes, inputs: Any = None, **options: Any) -> list[int]:
    return from_limbs(WitnessCalculator(wasm, "c.wasm").calculate({"x": 5} if inputs is None else inputs, **options))


def refusal(wasm: bytes, **options: Any) -> AitbcError:
    with pytest.raises(AitbcError) as caught:
        run(wasm, **options)
    return caught.value


def test_the_calculator_calculates() -> None:
    assert run(program()) == [1, 5]
    assert run(program(), {"x": [-1]}) == [1, R - 1]


def test_one_calculator_makes_many_witnesses() -> None:
    calculator = WitnessCalculator(program())
    assert [from_limbs(calculator.calculate({"x": x}))[1] for x in (1, 2, 3)] == [1, 2, 3]


def test_more_wires_than_one_chunk_holds() -> None:
    number = "(i32.store (i32.const 0) (local.get 0))"
    large = '(memory (export "memory") 40)'
    wasm = program(memory=large, getWitnessSize="(i32.const 70000)", getWitness=number)
    assert run(wasm) == list(range(70000))


def test_a_signal_of_more_values_than_one_chunk_holds() -> None:
    """Each value is added to what lies at x's place, so that none may be lost or come twice."""
    add = "(i32.store (i32.const 96) (i32.add (i32.load (i32.const 96)) (i32.load (i32.const 0))))"
    size = "(i32.const 70000)"
    wasm = program(setInputSignal=add, getInputSize=size, getInputSignalSize=size)
    assert run(wasm, {"x": list(range(70000))}) == [1, sum(range(70000)) % 2**32]


def test_first_versions_do_not_name_sizes() -> None:
    signatures = {name: kind for name, kind in SIGNATURES.items() if name != "getInputSignalSize"}
    assert run(program(signatures)) == [1, 5]


# -- inputs -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("inputs", "message", "place", "got"),
    [
        ({}, "inputs are missing", "inputs", "none"),
        ({"x": []}, "the signal has another size", "inputs, signal x", "0 values"),
        ({"x": [1, 2]}, "the signal has another size", "inputs, signal x", "2 values"),
        ({"x": 1, "y": 1}, "the circuit has no such input", "inputs, signal y", "1 value"),
    ],
)
def test_inputs_that_do_not_fit(inputs: Any, message: str, place: str, got: str) -> None:
    with pytest.raises(BadInputError) as caught:
        run(program(), inputs)
    assert (caught.value.message, caught.value.place, caught.value.got) == (message, place, got)


# -- what circom reports ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "error", "message"),
    [
        (1, BadInputError, "no such signal"),
        (3, BadInputError, "a signal is given twice"),
        (4, InvalidError, "an assertion of the circuit fails"),
        (5, ResourceError, "the calculator has not enough memory"),
        (7, BadInputError, "an array is read beyond its end"),
        (99, BadInputError, "circom's error 99"),
    ],
)
def test_errors_that_circom_reports(code: int, error: type[AitbcError], message: str) -> None:
    found = refusal(program(setInputSignal=f"(call $explain) (call $fail (i32.const {code})) (unreachable)"))
    assert (type(found), found.message, found.place, found.got) == (error, message, "inputs", "line one")


def test_a_circuit_prints() -> None:
    lines: list[str] = []
    end = "(i32.store8 (i32.const 128) (i32.const 10)) (i32.store8 (i32.const 129) (i32.const 0))"
    log = f"(call $show) (call $write) {end} (global.set $at (i32.const 0)) (call $write)"
    assert run(program(setInputSignal=log), log=lines.append)
    assert lines == ["5 line one"]


def test_a_message_moves_no_cursor() -> None:
    fail = "(call $explain) (call $fail (i32.const 4))"
    assert refusal(program(setInputSignal=fail, text="\\1b[2J\\ff\\00")).got == "\ufffd[2J\ufffd"


@pytest.mark.parametrize("host", ["explain", "write"])
def test_a_message_without_an_end_is_cut(host: str) -> None:
    assert run(program(getMessageChar="(i32.const -1)", init=f"(call ${host})")) == [1, 5]


# -- programs that are none of circom's -------------------------------------------------------------------------


@pytest.mark.parametrize("wasm", [b"", b"\0asm", program()[:-9], b"r1cs" + bytes(100), wat2wasm("(module)")])
def test_no_calculator(wasm: bytes) -> None:
    found = refusal(bytes(wasm))
    assert (type(found), found.message, found.place) == (
        BadInputError,
        "not a witness calculator of circom 2",
        "c.wasm",
    )


@pytest.mark.parametrize("name", [name for name in SIGNATURES if name != "getInputSignalSize"])
def test_a_function_is_missing(name: str) -> None:
    without = {other: kind for other, kind in SIGNATURES.items() if other != name}
    assert refusal(program(without)).got == f"a program without circom's function {name}"


#: Those that wasmtime's C interface has no word for among them: to ask it would end the process.
TYPES = ("i64", "f64", "v128", "externref", "funcref", "anyref", "exnref", "(ref $init)", "(ref null struct)")


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("name", SIGNATURES)
def test_a_function_of_another_type(name: str, kind: str) -> None:
    kind = kind.replace("$init", "$kind")
    found = refusal(program(SIGNATURES | {name: f"(param {kind})"}, **{name: ""}, types="(type $kind (func))"))
    assert (found.message, found.place) == ("not a witness calculator of circom 2", "c.wasm")
    assert "types incompatible" in str(found.got)


@pytest.mark.parametrize("host", ["(call $explain)", "(call $write)", "(call $show)", "(call $fail (i32.const 4))"])
def test_a_program_that_calls_before_it_is_linked(host: str) -> None:
    """Its exports may be of any type yet."""
    found = refusal(program(start=f"(func $start {host}) (start $start)"))
    assert found.got == "a program that calls before it is called"


@pytest.mark.parametrize(
    ("changes", "got"),
    [
        ({"imports": PARTS["imports"] + '(import "env" "clock" (func))'}, "a program that wants env.clock"),
        (
            {"imports": PARTS["imports"] + '(import "wasi_snapshot_preview1" "fd_write" (func))'},
            "a program that wants wasi_snapshot_preview1.fd_write",
        ),
        ({"getWitnessSize": "(i32.const 2049)"}, "a witness of 2049 wires in 65536 bytes"),
        ({"memory": "(memory 1)"}, "a program without a memory"),
        ({"getWitnessSize": "(i32.const -1)"}, "a witness of 4294967295 wires in 65536 bytes"),
        ({"data": PARTS["data"], "getWitness": "(call $getRawPrime)"}, "a value that is not below r"),
        ({"init": "(unreachable)"}, "wasm trap: wasm `unreachable` instruction executed"),
        ({"init": "(call $init (local.get 0))"}, "wasm trap: call stack exhausted"),
        ({"setInputSignal": "(i32.store (i32.const -1) (local.get 0))"}, "wasm trap: out of bounds memory access"),
        ({"start": "(func $start (unreachable)) (start $start)"}, "wasm trap: wasm `unreachable` instruction executed"),
    ],
)
def test_a_program_that_misbehaves(changes: dict[str, str], got: str) -> None:
    found = refusal(program(**changes))
    assert (type(found), found.message, found.got) == (BadInputError, "not a witness calculator of circom 2", got)


def test_another_kind_of_import() -> None:
    found = refusal(program(imports=PARTS["imports"].replace("(param i32)", "(param f32)")))
    assert "types incompatible" in str(found.got)


@pytest.mark.parametrize(
    "changes",
    [
        {"getFieldNumLen32": "(i32.const 2)"},
        {"data": PARTS["data"].replace("\\01", "\\03", 1)},
        {"getSharedRWMemoryStart": "(i32.const -1)"},
    ],
)
def test_another_field(changes: dict[str, str]) -> None:
    found = refusal(program(**changes))
    assert (type(found), found.message) == (BadInputError, "not the field of BN254")


# -- bounds -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"start": f"(func $start {FOREVER}) (start $start)"},
        {"init": FOREVER},
        {"setInputSignal": FOREVER},
        {"getWitness": FOREVER},
        {"getMessageChar": FOREVER + "(i32.const 0)", "init": "(call $explain)"},
        {"init": "(loop $again (call $explain) (call $write) (br $again))"},
    ],
)
def test_a_loop_without_an_end_is_stopped(changes: dict[str, str]) -> None:
    found = refusal(program(**changes), seconds=0.05)
    assert (type(found), found.message) == (ResourceError, "the witness takes too long to calculate")


def test_a_stopped_calculator_is_as_good_as_new() -> None:
    loops = f"(if (i32.eq (i32.load (i32.const 0)) (i32.const 7)) (then {FOREVER}))"
    calculator = WitnessCalculator(program(setInputSignal=loops))
    with pytest.raises(ResourceError):
        calculator.calculate({"x": 7}, seconds=0.05)
    assert from_limbs(calculator.calculate({"x": 5})) == [1, 0]


def test_ctrl_c_stops_it() -> None:
    main = threading.main_thread().ident
    assert main is not None
    timer = threading.Timer(0.2, signal.pthread_kill, (main, signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        run(program(init=FOREVER), seconds=60)
    timer.join()


def test_memory_is_bounded() -> None:
    found = refusal(program(memory='(memory (export "memory") 100)'), memory=1 << 20)
    assert (type(found), found.message) == (ResourceError, "the calculator takes too much memory")
    grow = "(if (i32.ne (memory.grow (i32.const {pages})) (i32.const -1)) (then (unreachable)))"
    assert run(program(init=grow.format(pages=16)), memory=1 << 20) == [1, 5]
    assert "unreachable" in str(refusal(program(init=grow.format(pages=15)), memory=1 << 20).got)


def test_tables_are_bounded() -> None:
    assert "table" in str(refusal(program(start="(table 10000000 funcref)")).got)


def test_without_a_cache_folder_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AITBC_CACHE", "/dev/null/nowhere")
    assert run(program()) == [1, 5]


# -- damage -----------------------------------------------------------------------------------------------------


def attempt(seed: int) -> str:
    """A damaged program, or damaged inputs: refused, or it calculates field elements."""
    rng = random.Random(f"damaged calculators {seed}")
    wasm, text = program(), '{"x": ["5"]}'
    if rng.random() < 0.8:
        wasm = mutations.damaged(rng, wasm)
    else:
        text = mutations.damaged_json(rng, {"x": ["5"]})
    try:
        values = run(wasm, parse_json(text.encode("utf-8", "surrogateescape"), "input"), seconds=1, memory=1 << 26)
    except AitbcError as error:
        return error.message
    assert all(value < R for value in values)
    return "calculated"


def attempt_all(seeds: range) -> Counter[str]:
    outcomes: Counter[str] = Counter()
    for seed in seeds:
        try:
            outcomes[attempt(seed)] += 1
        except BaseException as error:
            error.add_note(f"seed {seed} of the damaged calculators")
            raise
    return outcomes


def test_damage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AITBC_CACHE", "/dev/null/nowhere")
    outcomes = attempt_all(range(400))
    assert min(outcomes[name] for name in ("calculated", "not a witness calculator of circom 2")) > 10
    assert len(outcomes) > 5


@pytest.mark.heavy
def test_much_damage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AITBC_CACHE", "/dev/null/nowhere")
    assert sum(attempt_all(range(400, 20_000)).values()) == 19_600
