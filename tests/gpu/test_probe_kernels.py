"""The microbenchmarks compute what they say and consist of what they say, and what is made of times is right."""

from __future__ import annotations

import importlib
from collections import Counter
from collections.abc import Callable
from functools import cache, partial
from typing import Any, NamedTuple

import numpy as np
import pytest
from repository import REPOSITORY
from sass import loops

from aitbc_rollup.algebra.bn254 import P, R
from aitbc_rollup.algebra.limbs import from_limbs
from aitbc_rollup.gpu import nvrtc, program
from aitbc_rollup.gpu.device import Device

LOOPS = 3
THREADS = 32
MASK = (1 << 32) - 1


@pytest.fixture
def probe(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(REPOSITORY / "benchmarks")
    return importlib.import_module("gpu_probe")


# -- what the operations compute ---------------------------------------------------------------------------------------


class Model(NamedTuple):
    """An operation in plain integers: seed to value, value and other operand to value, value to 64 bits."""

    first: Callable[[int], Any]
    next: Callable[[Any, int], Any]
    digest: Callable[[Any], int]
    steps: int
    chains: int


def limb(value: int, i: int) -> int:
    return value >> 32 * i & MASK


def folded(value: int) -> int:
    return value & (1 << 64) - 1 ^ value >> 64 & (1 << 64) - 1 ^ value >> 128 & (1 << 64) - 1 ^ value >> 192


def same(value: int) -> int:
    return value


def double_bits(value: int) -> int:
    return int(np.float64(value).view(np.uint64))


def row(x: int, y: int) -> int:
    return (x + sum(limb(y, j) * limb(y, 1) << 32 * j for j in range(0, 8, 2))) % (1 << 256)


def wide(x: int, y: int) -> int:
    return (x + (x >> 32) * limb(y, 0)) % (1 << 64)


def iadd3(x: tuple[int, int], y: int) -> tuple[int, int]:
    a = (x[0] + x[1] + limb(y, 0)) & MASK
    return a, (x[1] + a + limb(y, 1)) & MASK


def both(first: Model, second: Model, times: int, steps: int, chains: int) -> Model:
    def step(x: Any, y: int) -> Any:
        b = x[1]
        for _ in range(times):
            b = second.next(b, y)
        return first.next(x[0], y), b

    return Model(
        lambda seed: (first.first(seed), second.first(seed)),
        step,
        lambda x: first.digest(x[0]) ^ second.digest(x[1]),
        steps,
        chains,
    )


def field(m: int, steps: int, chains: int, step: Callable[[int, int], int]) -> Model:
    return Model(lambda seed: seed % m, lambda x, y: step(x, y) % m, folded, steps, chains)


def product(m: int, chains: int = 1) -> Model:
    return field(m, 1, chains, lambda x, y: x * y * pow(1 << 256, -1, m))


def fq2_product(x: tuple[int, int], y: int) -> tuple[int, int]:
    inverse, a, b = pow(1 << 256, -1, P), y, y ^ 1
    return (x[0] * a - x[1] * b) * inverse % P, (x[0] * b + x[1] * a) * inverse % P


def point_sum(point: tuple[int, int, int, int], y: int, sign: int = 1) -> tuple[int, int, int, int]:
    """The Explicit-Formulas Database's madd-2008-s, on Montgomery's representatives; or with P and R negated."""

    def mul(a: int, b: int) -> int:
        return a * b * pow(1 << 256, -1, P) % P

    x1, y1, zz, zzz = point
    p, r = sign * (mul(y, zz) - x1), sign * (mul(y ^ 1, zzz) - y1)
    pp = mul(p, p)
    ppp, q = mul(p, pp), mul(x1, pp)
    x3 = (mul(r, r) - sign * ppp - 2 * q) % P
    return x3, (mul(r, q - x3) - mul(y1, ppp)) % P, mul(zz, pp), mul(zzz, ppp)


def shifted(values: tuple[int, ...]) -> int:
    result = 0
    for i, value in enumerate(values):
        result ^= folded(value) << i & (1 << 64) - 1
    return result


def model(kernel: str) -> Model:
    imad = Model(lambda s: limb(s, 0), lambda x, y: (x * limb(y, 0) + limb(y, 1)) & MASK, same, 16, 8)
    high = imad._replace(next=lambda x, y: ((x * limb(y, 0) >> 32) + limb(y, 1)) & MASK)
    imad_wide = Model(lambda s: s & (1 << 64) - 1, wide, same, 16, 8)
    add = Model(lambda s: (limb(s, 0), limb(s, 1)), iadd3, lambda x: x[1] << 32 | x[0], 16, 4)
    dfma = Model(lambda s: s & 0xFFFF, lambda x, _: x + 1, double_bits, 16, 8)
    rows = Model(same, row, folded, 16, 2)
    square = field(P, 1, 1, lambda x, _: x * x * pow(1 << 256, -1, P))
    one = (1 << 256) % P
    point = Model(lambda s: (s, s ^ 1, one, one), point_sum, shifted, 1, 1)
    return {
        "imad": imad,
        "imad_chain": imad._replace(steps=64, chains=1),
        "imad_high": high,
        "imad_wide": imad_wide,
        "imad_wide_chain": imad_wide._replace(steps=64, chains=1),
        "wide_row": rows,
        "wide_row_chain": rows._replace(chains=1),
        "iadd3": add,
        "iadd3_chain": add._replace(steps=32, chains=1),
        "dfma": dfma,
        "dfma_chain": dfma._replace(steps=64, chains=1),
        "wide_and_dfma": both(imad_wide, dfma, 2, 16, 4),
        "wide_and_iadd3": both(imad_wide, add, 1, 16, 4),
        "fr_mul": product(R),
        "fr_mul_pair": product(R, 2),
        "fq_mul": product(P),
        "fr_double_mul": product(R),
        "fq_double_mul": product(P),
        "fr_sqr": field(R, 1, 1, lambda x, _: x * x * pow(1 << 256, -1, R)),
        "fq_sqr": square,
        "fq_double_sqr": square,
        "fr_add": field(R, 4, 2, lambda x, y: x + y),
        "fq_add": field(P, 4, 2, lambda x, y: x + y),
        "fq2_mul": Model(lambda s: (s % P, (s ^ 1) % P), fq2_product, shifted, 1, 1),
        "g1_add": point,
        "g1_double_add": point._replace(next=partial(point_sum, sign=-1)),
    }[kernel]


def expected(model: Model, seeds: list[int], loops: int) -> list[int]:
    y, results = seeds[-1], []
    for thread in range(THREADS):
        result = 0
        for chain in range(model.chains):
            x = model.first(seeds[(thread + chain) % (len(seeds) - 1)])
            for _ in range(loops * model.steps):
                x = model.next(x, y)
            result ^= model.digest(x)
        results.append(result)
    return results


def test_the_loops_compute_what_they_say(device: Device, probe: Any) -> None:
    given = probe.seeds()
    values = from_limbs(given)
    arrays = device.upload(given), np.uint32(LOOPS)
    out, ticks = device.empty(THREADS, np.uint64), device.empty(1, np.uint64)
    for kernel in probe.PROBES:
        device.launch("probe", kernel, 1, THREADS, out, ticks, *arrays)
        assert device.download(out).tolist() == expected(model(kernel), values, LOOPS), kernel
        assert device.download(ticks)[0] > 0


def test_half_the_warps_multiply_in_doubles(device: Device, probe: Any) -> None:
    given = probe.seeds()
    out, ticks = device.empty(256, np.uint64), device.empty(1, np.uint64)
    device.launch("probe", "fr_mixed_mul", 1, 256, out, ticks, device.upload(given), np.uint32(1), np.uint32(2))
    got = device.download(out).tolist()
    values = from_limbs(given)
    for start, count in ((0, 1), (128, 2)):
        rotated = values[start % 15 : -1] + values[: start % 15] + values[-1:]
        assert got[start : start + THREADS] == expected(product(R), rotated, count)


# -- what they are compiled to -----------------------------------------------------------------------------------------


@cache
def compiled() -> nvrtc.Compiled:
    return program.compile_module("probe", "sm_90")


@cache
def bodies() -> dict[str, list[Counter[str]]]:
    return loops(compiled().cubin, follow="Fq2")


#: What a loop without a field consists of, all but the counting and a few moves.
LOOP_OF = {
    "imad": {"IMAD": 128},
    "imad_chain": {"IMAD": 64},
    "imad_high": {"IMAD.HI.U32": 128},
    "imad_wide": {"IMAD.WIDE.U32": 128},
    "imad_wide_chain": {"IMAD.WIDE.U32": 64},
    "wide_row": {"IMAD.WIDE.U32": 32, "IMAD.WIDE.U32.X": 96},
    "wide_row_chain": {"IMAD.WIDE.U32": 16, "IMAD.WIDE.U32.X": 48},
    "iadd3": {"IADD3": 128},
    "iadd3_chain": {"IADD3": 64},
    "dfma": {"DFMA.RZ": 128},
    "dfma_chain": {"DFMA.RZ": 64},
    "wide_and_dfma": {"IMAD.WIDE.U32": 64, "DFMA.RZ": 128},
    "wide_and_iadd3": {"IMAD.WIDE.U32": 64, "IADD3": 128},
}


@pytest.mark.usefixtures("compiler")
def test_a_loop_is_the_instruction_it_measures(probe: Any) -> None:
    for kernel, wanted in LOOP_OF.items():
        (body,) = bodies()[kernel]
        assert {name: body[name] - body[name] % 16 for name in wanted} == wanted, kernel
        assert body.total() - sum(wanted.values()) <= 16, (kernel, body)
        operations = probe.PROBES[kernel].operations
        assert sum(wanted.values()) % operations == 0, kernel


@pytest.mark.usefixtures("compiler")
def test_multiply_adds_of_an_operation(probe: Any) -> None:
    for kernel, said in probe.PROBES.items():
        (body,) = bodies()[kernel]
        found = {
            "IMAD.WIDE": body["IMAD.WIDE.U32"] + body["IMAD.WIDE.U32.X"],
            "IMAD.HI": body["IMAD.HI.U32"],
            "IMAD": body["IMAD"],
        }
        assert found == {kind: said.operations * said.mix.get(kind, 0) for kind in found}, (
            f"{kernel} is compiled to something else now. Next: mend its mix in benchmarks/gpu_probe.py"
        )


@pytest.mark.usefixtures("compiler")
def test_what_doubles_take_of_each_pipe() -> None:
    """The counts that docs/gpu.md argues with: all, FP64, IADD3 and its like, multiply-adds' pipe."""
    for kernel, wanted in {
        "fr_mul": (174, 0, 34, 136),
        "fr_double_mul": (338, 163, 147, 23),
        "fq_double_mul": (338, 163, 147, 23),
        "fq_double_sqr": (300, 133, 135, 27),
        "g1_double_add": (3188, 1547, 1510, 123),
    }.items():
        (body,) = bodies()[kernel]
        assert pipes(body) == wanted, kernel


def pipes(body: Counter[str]) -> tuple[int, int, int, int]:
    kinds: Counter[str] = Counter()
    for name, count in body.items():
        kinds[name.split(".")[0]] += count
    beside = sum(kinds[name] for name in ("IADD3", "LOP3", "SHF", "LEA", "SEL", "MOV", "ISETP", "VIADD", "P2R"))
    return body.total(), kinds["DFMA"] + kinds["DADD"], beside, kinds["IMAD"]


@pytest.mark.usefixtures("compiler")
def test_all_blocks_are_there_at_once(probe: Any) -> None:
    log = compiled().log
    for entry in log.split("Compiling entry function '")[1:]:
        kernel, text = entry.split("'", 1)
        if kernel in probe.PROBES:
            registers = int(text.split("Used ")[1].split()[0])
            said = probe.PROBES[kernel]
            assert -(-registers // 8) * 8 * said.threads * said.blocks <= 1 << 16, kernel
            assert "0 bytes spill stores" in text


# -- what is made of it ------------------------------------------------------------------------------------------------


def test_the_whole_runs_and_answers_every_question(device: Device, probe: Any) -> None:
    result = probe.measure(device, loops=1, memory=1 << 16)
    chains = {kernel for kernel in probe.PROBES if kernel.endswith("_chain")}
    assert set(result["lanes"]) == set(probe.PROBES) - chains | {"fr_mixed_mul"}
    assert set(result["latency_cycles"]) == chains
    integers = {"fr_mul", "fr_mul_pair", "fr_sqr", "fq_mul", "fq_sqr", "fq2_mul", "g1_add", "wide_row"}
    assert set(result["share"]) == integers
    assert set(result["bandwidth"]) == {"copy", "gather_64"}
    assert set(result["poseidon"]) == {"2", "4", "16"} and all(rate > 0 for rate in result["poseidon"].values())
    assert all(run["lanes"] > 0 and run["per_second"] > 0 for run in result["runs"].values())


def test_copy_and_gather(device: Device) -> None:
    rng = np.random.default_rng(1)
    records = rng.integers(0, 1 << 32, (64, 16), np.uint32)
    source, target = device.upload(records), device.zeros((64, 16), np.uint32)
    device.launch("probe", "copy", 3, 32, target, source, np.uint64(64 * 4))
    assert (device.download(target) == records).all()
    words = device.empty(64, np.uint64)
    device.launch("probe", "gather", 2, 32, words, source, np.uint32(63), np.uint32(10))
    assert device.download(words).tolist() == [gathered(records, index, 10) for index in range(64)]


def gathered(records: np.ndarray[Any, Any], index: int, loops: int) -> int:
    place, total = index // 4, 0
    for _ in range(loops):
        place = (place * 1664525 + 1013904223) & MASK
        mixed = (place ^ place >> 15) * 0x9E3779B1 & MASK
        quad = records[(mixed ^ mixed >> 16) % len(records)][index % 4 * 4 :][:4]
        total += int(np.bitwise_xor.reduce(quad))
    return total & MASK


def test_shares_and_overlaps(probe: Any) -> None:
    lanes = {"imad": 64.0, "imad_high": 32.0, "imad_wide": 32.0}
    assert probe.ceiling({"IMAD.WIDE": 120, "IMAD.HI": 8, "IMAD": 8}, lanes) == pytest.approx(64 / (2 * 128 + 8))
    assert probe.overlap(1 / 5, 1 / 2, 1 / 3) == pytest.approx(0)
    assert probe.overlap(1 / 3, 1 / 2, 1 / 3) == pytest.approx(1)
    assert probe.overlap(1 / 4, 1 / 2, 1 / 3) == pytest.approx(0.5)
