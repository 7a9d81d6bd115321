"""circom's files. The .r1cs and .wasm of the node tests come with circom_runtime (a dependency of snarkjs 0.7.6)."""

import os
import struct
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aitbc_rollup.algebra.bn254 import P, R
from aitbc_rollup.algebra.limbs import from_limbs, to_limbs
from aitbc_rollup.circuits.api import Circuit, Variable
from aitbc_rollup.circuits.check import check
from aitbc_rollup.circuits.formats import sections
from aitbc_rollup.circuits.formats.r1cs import R1csFile, decode_r1cs, encode_r1cs, read_r1cs, write_r1cs
from aitbc_rollup.circuits.formats.sym import Symbol, decode_sym, encode_sym, read_sym, write_sym
from aitbc_rollup.circuits.formats.wtns import decode_wtns, encode_wtns, read_wtns, write_wtns
from aitbc_rollup.circuits.template import template
from aitbc_rollup.errors import BadInputError


@template
def step(circuit: Circuit, x: Variable, k: Variable) -> Variable:
    return (x + k) * (x + 5) - k


def example():
    circuit = Circuit("example")
    k = circuit.public_input("k")
    x, y = circuit.private_inputs("x", 2)
    for _ in range(4):
        x = step(circuit, x, k)
    circuit.assert_boolean(y)
    circuit.public_output("o", x)
    return circuit.compile()


COMPILED = example()
WITNESS = COMPILED.witness({"k": 3, "x": [10, 1]})


def u32(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}I", *values)


def element(value: int) -> bytes:
    return value.to_bytes(32, "little")


def join(magic: bytes, version: int, parts: list[tuple[int, bytes]]) -> bytes:
    return sections.join(magic, version, [(kind, [content]) for kind, content in parts])


def container(magic: bytes = b"r1cs", version: int = 1, **changes: bytes | None) -> bytes:
    """The smallest system worth having, w1 · w1 = w2, with sections replaced."""
    parts: dict[str, bytes | None] = {
        "s2": 2 * (u32(1, 1) + element(1)) + u32(1, 2) + element(1),
        "s1": u32(32) + element(R) + u32(3, 1, 0, 1) + struct.pack("<Q", 3) + u32(1),
        "s3": struct.pack("<3Q", 0, 1, 2),
    }
    parts.update(changes)
    return join(magic, version, [(int(name[1:]), content) for name, content in parts.items() if content is not None])


# -- there and back ---------------------------------------------------------------------------------------------


def test_a_system_survives_its_file(tmp_path):
    write_r1cs(tmp_path / "x.r1cs", COMPILED.r1cs)
    back = read_r1cs(tmp_path / "x.r1cs")
    assert back.structure_hash == COMPILED.structure_hash
    assert back.table.flags.c_contiguous
    assert (back.n_public_outputs, back.n_public_inputs, back.n_private_inputs) == (1, 1, 2)
    assert check(back, WITNESS) is None
    assert encode_r1cs(back) == (tmp_path / "x.r1cs").read_bytes()


def test_labels_survive():
    labels = np.arange(COMPILED.r1cs.n_wires, dtype=np.uint64) * 7
    back = decode_r1cs(encode_r1cs(R1csFile(COMPILED.r1cs, labels, 12345)))
    assert back.n_labels == 12345
    assert (back.labels == labels).all()


def test_the_bytes_are_those_of_the_specification():
    circuit = Circuit()
    x = circuit.private_input("x")
    out = x * x
    circuit.assert_product(x - 2, 3 * out + 1, 0)
    term = lambda wire, value: u32(wire) + element(value % R)  # noqa: E731
    constraints = (
        u32(1) + term(1, 1) + u32(1) + term(1, 1) + u32(1) + term(2, 1)
        + u32(2) + term(1, 1) + term(0, -2) + u32(2) + term(2, 3) + term(0, 1) + u32(0)
    )  # fmt: skip
    header = u32(32) + element(R) + u32(3, 0, 0, 1) + struct.pack("<Q", 3) + u32(2)
    expected = b"r1cs" + u32(1, 3)
    for kind, content in ((2, constraints), (1, header), (3, struct.pack("<3Q", 0, 1, 2))):
        expected += struct.pack("<IQ", kind, len(content)) + content
    assert encode_r1cs(circuit.compile().r1cs) == expected


def test_sections_of_other_numbers_are_skipped_as_are_empty_lists_of_custom_gates():
    """ "If the file contain other types, the format is valid, but they MUST be ignored" (the specification)."""
    plain = decode_r1cs(container()).r1cs
    for extra in ({"s9": b"anything"}, {"s4": u32(0), "s5": u32(0)}, {"s4": b""}):
        assert decode_r1cs(container(**extra)).r1cs.structure_hash == plain.structure_hash


def test_sections_may_lie_anywhere():
    """A content that begins at an odd byte, sections in another order."""
    known = {1: header(), 2: 2 * (u32(1) + TERM) + u32(1, 2) + element(1), 3: struct.pack("<3Q", 0, 1, 2)}
    data = join(b"r1cs", 1, [(7, b"odd"), *known.items()])
    assert decode_r1cs(data).r1cs.structure_hash == decode_r1cs(container()).r1cs.structure_hash


def test_a_pipe_is_read_like_a_file(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=[container()])
    writer.start()
    assert read_r1cs(pipe).n_constraints == 1
    writer.join()


def test_a_witness_survives_its_file(tmp_path):
    write_wtns(tmp_path / "x.wtns", WITNESS)
    assert (read_wtns(tmp_path / "x.wtns") == WITNESS).all()
    data = (tmp_path / "x.wtns").read_bytes()
    n = len(WITNESS)
    header = struct.pack("<IQ", 1, 40) + u32(32) + element(R) + u32(n)
    values = struct.pack("<IQ", 2, 32 * n) + b"".join(map(element, from_limbs(WITNESS)))
    assert data == b"wtns" + u32(2, 2) + header + values


def test_names_survive_their_file(tmp_path):
    write_sym(tmp_path / "x.sym", COMPILED)
    symbols = read_sym(tmp_path / "x.sym")
    assert symbols == decode_sym(encode_sym(COMPILED))
    assert symbols[:5] == [
        Symbol(1, 1, 0, "main.o"), Symbol(2, 2, 0, "main.k"), Symbol(3, 3, 0, "main.x[0]"),
        Symbol(4, 4, 0, "main.x[1]"), Symbol(5, 5, 1, "main.step[0].w3"),
    ]  # fmt: skip
    assert len({symbol.name for symbol in symbols}) == len(symbols) == COMPILED.r1cs.n_wires - 1
    assert [symbol.name for symbol in symbols] == [COMPILED.wire_name(w) for w in range(1, COMPILED.r1cs.n_wires)]
    assert decode_sym("1,-1,0,main.gone\n") == [Symbol(1, -1, 0, "main.gone")]


# -- hostile files ----------------------------------------------------------------------------------------------


def test_the_smallest_system_is_read():
    r1cs = decode_r1cs(container()).r1cs
    assert (r1cs.n_wires, r1cs.n_constraints) == (3, 1)
    assert check(r1cs, to_limbs([1, 5, 25])) is None
    assert check(r1cs, to_limbs([1, 5, 26])) is not None


TERM = u32(1) + element(1)


def header(n_wires: int = 3, outputs: int = 1, n_constraints: int = 1, prime: int = R, size: int = 32) -> bytes:
    return u32(size) + element(prime) + u32(n_wires, outputs, 0, 1) + struct.pack("<Q", 3) + u32(n_constraints)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "the file ends in its header"),
        (container(magic=b"zkey"), "not a .r1cs file"),
        (container(version=2), "unknown version"),
        (container()[:-1], "longer than the file"),
        (container() + b"\0", "bytes after the last section"),
        (container()[:8] + u32(0xFFFFFFFF) + container()[12:], "the file ends in its table of sections"),
        (container()[:8] + u32(2) + container()[12:], "bytes after the last section"),
        (container()[:16] + struct.pack("<Q", 1 << 63) + container()[24:], "longer than the file"),
        (join(b"r1cs", 1, [(1, header()), (1, header())]), r"section 1 \(header\) is there twice"),
        (container(s1=None), r"section 1 \(header\) is missing"),
        (container(s2=None), r"section 2 \(constraints\) is missing"),
        (container(s3=None), r"section 3 \(wire2label\) is missing"),
        (container(s4=u32(1) + b"gate"), "custom gates"),
        (container(s4=u32(1)), "custom gates"),
        (container(s5=u32(0, 0)), "custom gates"),
        (container(s1=header(prime=P)), "not the field of BN254"),
        (container(s1=header(size=48)), "not the field of BN254"),
        (container(s1=header() + b"\0"), "bytes after the last field"),
        (container(s1=header()[:-1]), "the section is too short"),
        (container(s1=header(outputs=2)), "more inputs and outputs than wires"),
        (container(s1=header(n_wires=4)), "wrong length"),
        (container(s1=header(n_wires=0xFFFFFFFF)), "wrong length"),
        (container(s1=header(n_wires=2, outputs=0)), "wrong length"),
        (container(s1=header(n_constraints=2)), "constraint 1: the constraints are cut off"),
        (container(s1=header(n_constraints=0xFFFFFFFF)), "constraint 1: the constraints are cut off"),
        (container(s1=header(n_constraints=0)), "words after the last constraint"),
        (container(s2=u32(0xFFFFFFFF) + TERM + u32(0, 0)), "constraint 0: the constraints are cut off"),
        (container(s2=2 * (u32(1) + TERM) + u32(2) + TERM), "constraint 0: the constraints are cut off"),
        (container(s2=2 * (u32(1) + TERM) + u32(1) + TERM + b"\0"), "no whole number of 32-bit words"),
        (container(s2=2 * (u32(1) + TERM) + u32(1) + TERM + u32(0)), "words after the last constraint"),
        (container(s2=u32(0, 0, 1, 3) + element(1)), "a wire is out of range"),
        (container(s2=u32(0, 0, 1, 2) + element(R)), "a coefficient is not below r"),
        (container(s2=u32(0, 0, 1, 2) + element((1 << 256) - 1)), "a coefficient is not below r"),
        (container(s2=u32(0, 0, 2) + 2 * TERM), "constraint 0: a wire occurs twice"),
    ],
)
def test_a_hostile_r1cs_is_refused(data, problem):
    with pytest.raises(BadInputError, match=problem):
        decode_r1cs(data)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (encode_wtns(WITNESS)[:-1], "longer than the file"),
        (encode_wtns(WITNESS) + b"\0", "bytes after the last section"),
        (b"r1cs" + encode_wtns(WITNESS)[4:], "not a .wtns file"),
        (b"wtns" + u32(1) + encode_wtns(WITNESS)[8:], "unknown version"),
        (join(b"wtns", 2, [(1, u32(32) + element(R) + u32(2)), (2, element(1))]), "wrong length"),
        (join(b"wtns", 2, [(1, u32(32) + element(R) + u32(0)), (2, element(1))]), "wrong length"),
        (join(b"wtns", 2, [(1, u32(32) + element(P) + u32(1)), (2, element(1))]), "not the field"),
        (join(b"wtns", 2, [(1, u32(32) + element(R) + u32(1)), (2, element(R))]), "not below r"),
        (join(b"wtns", 2, [(1, u32(32) + element(R) + u32(1))]), r"section 2 \(values\) is missing"),
        (join(b"wtns", 2, [(1, u32(32) + element(R) + u32(1)), (2, element(1)), (3, b"")]), "unknown section 3"),
    ],
)
def test_a_hostile_wtns_is_refused(data, problem):
    with pytest.raises(BadInputError, match=problem):
        decode_wtns(data)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("1,2,3", "not a signal"),
        ("1,2,3,4,5", "not a signal"),
        ("\n", "not a signal"),
        ("1,1,0," + "x" * 70_000, "not a signal"),
        ("a,1,0,x", "not a number"),
        ("1,-2,0,x", "not a number"),
        ("²,1,0,x", "not a number"),
        ("1" * 21 + ",1,0,x", "not a number"),
        ("1,1,0,\ud800", "not text"),
    ],
)
def test_a_hostile_sym_is_refused(text, problem):
    with pytest.raises(BadInputError, match=problem) as caught:
        decode_sym("1,1,0,main.x\n" + text)
    assert caught.value.place == "sym:2"


def test_files_that_cannot_be_read(tmp_path):
    for read in (read_r1cs, read_wtns, read_sym):
        with pytest.raises(BadInputError, match="cannot be read"):
            read(tmp_path / "missing")
    for read in (read_r1cs, read_wtns):
        for place in (tmp_path, "/dev/zero"):
            with pytest.raises(BadInputError, match="cannot be read"):
                read(place)
    (tmp_path / "binary.sym").write_bytes(b"1,1,0,\xff\xfe")
    with pytest.raises(BadInputError, match="not text"):
        read_sym(tmp_path / "binary.sym")


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_damaged_file_is_refused_or_read_never_a_crash(data):
    """Whatever is still accepted is well-formed: it can be written, and checked against any witness."""
    good = data.draw(st.sampled_from([encode_r1cs(COMPILED.r1cs), container(), encode_wtns(WITNESS)]))
    damaged = bytearray(good)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.one_of(st.integers(0, len(damaged) - 1), st.integers(0, min(150, len(damaged) - 1))))
        damaged[at] = data.draw(st.integers(0, 255))
    cut = data.draw(st.one_of(st.just(len(damaged)), st.integers(0, len(damaged))))
    content = bytes(damaged[:cut])
    try:
        if good[:4] == b"wtns":
            witness = decode_wtns(content)
            assert decode_wtns(encode_wtns(witness)).tolist() == witness.tolist()
            return
        file = decode_r1cs(content)
    except BadInputError:
        return
    again = decode_r1cs(encode_r1cs(file))
    assert again.r1cs.structure_hash == file.r1cs.structure_hash
    check(file.r1cs, to_limbs([1] * file.r1cs.n_wires))


# -- the other side ---------------------------------------------------------------------------------------------


def snarkjs(node_bin: Callable[[str], str], *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([node_bin("snarkjs"), *map(str, arguments)], capture_output=True, text=True, timeout=120)


@pytest.mark.node
def test_snarkjs_reads_our_files(node_bin, tmp_path):
    write_r1cs(tmp_path / "x.r1cs", COMPILED.r1cs)
    write_sym(tmp_path / "x.sym", COMPILED)
    write_wtns(tmp_path / "good.wtns", WITNESS)
    forged = WITNESS.copy()
    forged[-1, 0] += 1
    write_wtns(tmp_path / "bad.wtns", forged)
    info = snarkjs(node_bin, "r1cs", "info", tmp_path / "x.r1cs").stdout
    for name, value in {"Wires": 12, "Constraints": 9, "Private Inputs": 2, "Public Inputs": 1, "Outputs": 1}.items():
        assert f"# of {name}: {value}" in info
    printed = snarkjs(node_bin, "r1cs", "print", tmp_path / "x.r1cs", tmp_path / "x.sym").stdout
    assert "main.x[1]" in printed and "main.step[3].w3" in printed
    good, bad = (
        snarkjs(node_bin, "wtns", "check", tmp_path / "x.r1cs", tmp_path / name) for name in ("good.wtns", "bad.wtns")
    )
    assert good.returncode == 0 and "WITNESS IS CORRECT" in good.stdout
    violation = check(COMPILED, forged)
    assert violation is not None
    assert bad.returncode == 1 and f"at constraint {violation.constraint}\n" in bad.stdout


@pytest.mark.node
def test_we_read_circoms_files(node_bin, tmp_path):
    folder = Path(node_bin("snarkjs")).parent.parent / "circom_runtime" / "test" / "circuit"
    data = (folder / "circuit.r1cs").read_bytes()
    file = decode_r1cs(data)
    assert encode_r1cs(file) == data
    assert (file.r1cs.n_wires, file.r1cs.n_constraints, file.r1cs.n_public) == (1004, 1000, 4)
    program = folder / "circuit_js" / "circuit.wasm"
    made = snarkjs(node_bin, "wtns", "calculate", program, folder / "input.json", tmp_path / "x.wtns")
    assert made.returncode == 0, made.stdout + made.stderr
    witness = read_wtns(tmp_path / "x.wtns")
    assert encode_wtns(witness) == (tmp_path / "x.wtns").read_bytes()
    assert check(file.r1cs, witness) is None
    witness[500] = witness[501]
    violation = check(file.r1cs, witness)
    assert violation is not None and violation.n_violations >= 1
