"""Transforms on every device at hand, against their definition in plain integers and bit for bit against the CPU's."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from sass import loops
from shim_device import CpuDevice, ShimDevice

from aitbc_rollup.algebra.bn254 import FR_GENERATOR, R
from aitbc_rollup.algebra.limbs import Limbs, from_limbs, from_montgomery, to_montgomery
from aitbc_rollup.gpu import ntt, program
from aitbc_rollup.gpu.device import Device
from aitbc_rollup.gpu.ntt import Transforms, passes, root_of_unity
from aitbc_rollup.prover import qap
from aitbc_rollup.prover.engine import Engine, load_engine

SHIFTS = [1, FR_GENERATOR, R - 1]


def vectors(power: int) -> tuple[Limbs, Limbs]:
    rng = random.Random(power)
    first, second = ([rng.randrange(R) for _ in range(1 << power)] for _ in range(2))
    return to_montgomery(first, R), to_montgomery(second, R)


def same(device: Device, transforms: Transforms, a: Limbs, b: Limbs, shift: int) -> bool:
    """Whether all three operations give what the CPU's give, and leave their arguments as they were."""
    cpu = load_engine("cpu")
    on_device = device.upload(a), device.upload(b)
    results = [
        (transforms.ntt(on_device[0], shift), cpu.ntt(a, shift)),
        (transforms.intt(on_device[0], shift), cpu.intt(a, shift)),
        (transforms.quotient(*on_device, shift), cpu.quotient(a, b, shift)),
        (on_device[0], a),
        (on_device[1], b),
    ]
    return all(np.array_equal(device.download(got), expected) for got, expected in results)


@pytest.fixture(scope="module")
def cpu() -> Engine:
    return load_engine("cpu")


@pytest.mark.parametrize("power", range(4))
def test_small_transforms_are_what_they_are_defined_to_be(device: Device, power: int) -> None:
    transforms, n, root = Transforms(device), 1 << power, root_of_unity(power)
    values, other = (from_montgomery(vector, R) for vector in vectors(power))

    def evaluate(coefficients: list[int], x: int) -> int:
        return sum(c * pow(x, i, R) for i, c in enumerate(coefficients)) % R

    def interpolate(values: list[int]) -> list[int]:
        return [evaluate(values, pow(root, -i, R)) * pow(n, -1, R) % R for i in range(n)]

    for shift in SHIFTS:
        points = [shift * pow(root, i, R) % R for i in range(n)]
        given = [device.upload(vector) for vector in vectors(power)]
        got = from_montgomery(device.download(transforms.ntt(given[0], shift)), R)
        assert got == [evaluate(values, x) for x in points]
        got = from_montgomery(device.download(transforms.intt(given[0], shift)), R)
        assert [evaluate(got, x) for x in points] == values
        a, b, c = map(interpolate, (values, other, [x * y for x, y in zip(values, other, strict=True)]))
        got = from_limbs(device.download(transforms.quotient(*given, shift)))
        assert got == [(evaluate(a, x) * evaluate(b, x) - evaluate(c, x)) % R for x in points]


@pytest.mark.parametrize("power", range(13))
def test_every_size_in_as_few_passes_as_can_be(device: Device, power: int) -> None:
    transforms = Transforms(device)
    for shift in [1, qap.coset_shift(power)]:
        assert same(device, transforms, *vectors(power), shift)


@pytest.mark.parametrize(("longest", "powers"), [(3, range(4, 10)), (4, range(9, 12)), (5, [11])])
def test_every_size_in_three_passes_and_with_any_axis(device: Device, longest: int, powers: list[int]) -> None:
    transforms = Transforms(device, longest)
    for power in powers:
        assert same(device, transforms, *vectors(power), FR_GENERATOR), power


def edges(n: int) -> dict[str, list[int]]:
    """Values in Montgomery form, as residues."""
    return {
        "zeros": [0] * n,
        "ones": [(1 << 256) % R] * n,
        "largest": [R - 1] * n,
        "first alone": [R - 1] + [0] * (n - 1),
        "last alone": [0] * (n - 1) + [1],
        "alternating": [0, R - 1] * (n // 2),
    }


@pytest.mark.parametrize("longest", [3, ntt.TILE])
def test_edges(device: Device, longest: int) -> None:
    transforms, power = Transforms(device, longest), 7
    inverse = pow(1 << 256, -1, R)
    residues = {name: [value * inverse for value in values] for name, values in edges(1 << power).items()}
    given = {name: to_montgomery(values, R) for name, values in residues.items()}
    for name, a in given.items():
        for shift in SHIFTS:
            assert same(device, transforms, a, given["largest"], shift), (name, shift)


@pytest.mark.parametrize("seed", [0, 1, 5])
def test_any_order_of_a_blocks_threads(seed: int) -> None:
    device = ShimDevice(seed)
    assert same(device, Transforms(device), *vectors(9), FR_GENERATOR)
    assert same(device, Transforms(device, 4), *vectors(10), FR_GENERATOR)
    device.check_fences()


def test_there_and_back(device: Device) -> None:
    transforms = Transforms(device)
    for power in (1, 6, 11):
        values = vectors(power)[0]
        there = transforms.ntt(device.upload(values), R - 7)
        assert np.array_equal(device.download(transforms.intt(there, R - 7)), values)


@pytest.mark.parametrize(
    ("text", "broken"),
    [
        ("            __syncthreads();\n", ""),
        ("Fr::sub_lazy(s0, s1)", "Fr::add_lazy(s0, s1)"),
        ("1u << order >> 2", "1u << order >> 1"),
        ("(0 - i) &", "i &"),
        ("x[m] = Fr::canonical(x[m])", "x[m] = x[m]"),
        ("q << 2 | q >>", "q << 1 | q >>"),
    ],
)
def test_a_broken_kernel_is_noticed(text: str, broken: str) -> None:
    source = program.source("ntt")
    assert source.count(text) == 1
    device = ShimDevice(sources={"ntt": source.replace(text, broken)})
    assert not same(device, Transforms(device), *vectors(7), FR_GENERATOR)


def test_the_plan_covers_every_size() -> None:
    for power in range(29):
        planned = passes(power)
        assert [step.last for step in planned] == [False] * (len(planned) - 1) + [True]
        assert sum(step.points for step in planned) == power
        assert max(step.points for step in planned) <= ntt.TILE
        assert len(planned) == (1 if power <= 10 else 2 if power <= 20 else 3)
        behind = power
        for step in planned[:-1]:
            behind -= step.points
            assert step.low == behind
        assert planned[-1].low == (planned[0].points if len(planned) > 1 else 0)
    assert [step.points for step in passes(26)] == [9, 9, 8]


def test_tables_are_made_once_and_not_all_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    made, launch = [], CpuDevice.launch

    def counting(self: CpuDevice, module: str, kernel: str, *arguments: Any) -> None:
        made.extend([kernel] if kernel == "ntt_powers" else [])
        launch(self, module, kernel, *arguments)

    monkeypatch.setattr(CpuDevice, "launch", counting)
    device = ShimDevice()
    transforms, values = Transforms(device, 3), device.upload(vectors(5)[0])
    first = device.download(transforms.ntt(values, 3))
    assert len(made) == 2
    assert np.array_equal(device.download(transforms.ntt(values, 3)), first)
    assert len(made) == 2
    for shift in range(4, 4 + ntt.TABLES):
        transforms.ntt(values, shift)
    assert len(made) == 2 + ntt.TABLES, "the coupling is used each time, and so is kept"
    assert np.array_equal(device.download(transforms.ntt(values, 3)), first)
    assert len(made) == 3 + ntt.TABLES


#: Where each thread's elements lie in shared memory, told by the module's own functions.
PLACES = """
KERNEL ntt_places(u32* out, u32 points, u32 columns, u32 bits) {
    u32 first = first_element(threadIdx.x, {points, columns}, bits);
    for (u32 m = 0; m < 4; m++) out[m * blockDim.x + threadIdx.x] = place(first + (m << (bits + columns) >> 2));
}
"""


@pytest.mark.parametrize("points", range(2, ntt.TILE + 1))
def test_shared_memory_is_accessed_in_its_whole_width(points: int) -> None:
    device = ShimDevice(sources={"ntt": program.source("ntt") + PLACES})
    columns, bits = ntt.TILE - points, points
    while bits > 0:
        out = device.empty((4, 256), np.uint32)
        device.launch("ntt", "ntt_places", 1, 256, out, np.uint32(points), np.uint32(columns), np.uint32(bits))
        places = device.download(out)
        assert sorted(places.ravel()) == list(range(1 << ntt.TILE)), "every element has a place, and a thread"
        for eight in places.reshape(-1, 8):
            assert len({int(place) % 8 for place in eight}) == 8, bits
        bits -= 1 if bits % 2 else 2


@pytest.mark.parametrize("length", [0, 3, 12])
def test_other_lengths_are_refused(length: int) -> None:
    device = ShimDevice()
    values = device.zeros((length, 4), np.uint64)
    transforms = Transforms(device)
    for operation in (transforms.ntt, transforms.intt, lambda v: transforms.quotient(v, v, 1)):
        with pytest.raises(ValueError, match=r"power of two up to 2\^28 values, got"):
            operation(values)
    with pytest.raises(ValueError, match="different domains: 4 and 8"):
        transforms.quotient(device.zeros((4, 4), np.uint64), device.zeros((8, 4), np.uint64), 1)


@pytest.mark.usefixtures("compiler")
def test_two_stages_are_compiled_to_little_but_their_products() -> None:
    """The counts that docs/gpu.md argues with."""
    compiled = program.compile_module("ntt", "sm_90")
    (stages,) = loops(compiled.cubin, follow="ntt_")["ntt_pass"]
    wide = sum(count for name, count in stages.items() if name.startswith(("IMAD.WIDE", "IMAD.HI")))
    narrow = stages["IMAD"] + stages["IMAD.X"]
    known_factor = 2 * 92 + 15
    assert 4 * known_factor <= 2 * wide + narrow <= 4 * known_factor + 8
    assert stages.total() < 1100, "an instruction that is no multiply-add hides behind one: two are there for each"
    assert not {"LDL", "STL"} & {name.split(".")[0] for name in stages}
    entry = compiled.log.split("'ntt_pass'")[1]
    assert int(entry.split("Used ")[1].split()[0]) <= 80, "three blocks of 256 threads fit a multiprocessor"
