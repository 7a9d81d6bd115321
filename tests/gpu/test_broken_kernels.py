"""Kernels broken on purpose: carries dropped, barriers taken out, guards off by one. Their tests must fail.

What only one module has, such as the boundaries of its buckets, its own tests break (``test_*_kernels.py``).
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import test_field_kernels as field_tests
import test_ntt_kernels as ntt_tests
import test_sort_kernels as sort_tests
from shim_device import CpuDevice, PtxDevice, ShimDevice

from aitbc_rollup.algebra.bn254 import FR_GENERATOR, R
from aitbc_rollup.gpu import program
from aitbc_rollup.gpu.ntt import Transforms
from aitbc_rollup.gpu.plan import DigitPlan

# -- arithmetic ------------------------------------------------------------------------------------------------------


def field(device: CpuDevice) -> None:
    field_tests.test_products(device, "fr")
    field_tests.test_sums(device, "fr")


def one_field() -> str:
    """The field's module without its second instance, to compile faster."""
    text = program.source("field").replace("AITBC_FIELD_KERNELS(Fq, fq)\n", "")
    assert "Fq" not in text
    return text


#: Where PTX and its twin take the flag, and where PTX begins to keep it; the multiplication that ends a chain is the
#: microbenchmarks' alone, and test_probe_kernels.py holds it.
ARCH = re.sub(r".*madc_hi_end.*\n", "", program.headers()["arch.cuh"])
TAKEN_IN_PTX = re.findall(r'"((?:addc|subc|madc)[.\w]*)"', ARCH)
LEFT_IN_PTX = re.findall(r'"((?:add|sub|mad)\.[.\w]*)"', ARCH)
TAKEN_IN_TWIN = re.findall(r"u32 \w+\(.*[+-] flag\)?; }", ARCH)


def arithmetic(right: str, wrong: str) -> dict[str, str]:
    """Sources with one text of arch.cuh replaced."""
    assert ARCH.count(right) == 1
    return {"field": one_field(), "arch.cuh": ARCH.replace(right, wrong)}


def test_all_carries_are_found() -> None:
    assert (len(TAKEN_IN_PTX), len(LEFT_IN_PTX), len(TAKEN_IN_TWIN)) == (6, 3, 6)


@pytest.mark.usefixtures("compiler")
@pytest.mark.parametrize("name", TAKEN_IN_PTX)
def test_a_carry_that_is_not_taken(name: str) -> None:
    broken = PtxDevice(sources=arithmetic(f'"{name}"', f'"{name[:3] + name[4:]}"'))
    with pytest.raises(AssertionError):
        field(broken)


@pytest.mark.usefixtures("compiler")
@pytest.mark.parametrize("name", LEFT_IN_PTX)
def test_a_carry_that_is_not_left(name: str) -> None:
    broken = PtxDevice(sources=arithmetic(f'"{name}"', f'"{name.replace(".cc", "")}"'))
    with pytest.raises(AssertionError):
        field(broken)


@pytest.mark.parametrize("line", TAKEN_IN_TWIN)
def test_a_carry_that_is_not_taken_on_a_cpu(line: str) -> None:
    broken = ShimDevice(sources=arithmetic(line, re.sub(" [+-] flag", "", line)))
    with pytest.raises(AssertionError):
        field(broken)


def test_a_limb_of_the_modulus() -> None:
    text = program.headers()["constants.cuh"]
    limb = f"{R >> 96 & 0xFFFFFFFF:#010x}"
    broken = ShimDevice(sources={"field": one_field(), "constants.cuh": text.replace(limb, f"{int(limb, 0) ^ 16:#x}")})
    with pytest.raises(AssertionError):
        field(broken)


@pytest.mark.parametrize("kind", [ShimDevice, PtxDevice])
def test_a_guard_off_by_one(kind: type[CpuDevice], request: pytest.FixtureRequest) -> None:
    if kind is PtxDevice:
        request.getfixturevalue("compiler")
    broken = kind(sources={"field": one_field().replace("INDEX < n", "INDEX <= n")})
    with pytest.raises(AssertionError, match=r"outside its array|within no array"):
        field(broken)


# -- barriers --------------------------------------------------------------------------------------------------------


def transforms(device: PtxDevice) -> None:
    assert ntt_tests.same(device, Transforms(device), *ntt_tests.vectors(7), FR_GENERATOR)


def sort(device: PtxDevice) -> None:
    device.multiprocessors = 1
    scalars = [8, R - 8] * 150 + sort_tests.random_scalars(330)
    sort_tests.check(device, scalars, DigitPlan.of(4, 4))
    sort_tests.check(device, sort_tests.random_scalars(200), DigitPlan.of(16, 16))


#: Modules whose threads wait for each other, a check of each, and how many barriers of its code may be missed: one of
#: the copies of a loop's body, which another barrier follows.
WAITING = {"ntt": (transforms, 0), "sort": (sort, 1)}


def test_all_that_waits_is_tried() -> None:
    texts = {
        module: "".join([text := program.source(module), *program.included(text).values()])
        for module in program.modules()
    }
    waiting = {module for module, text in texts.items() if re.search(r"__sync(threads|warp)\(\)|asm.*bar", text)}
    assert waiting == {*WAITING, "probe"}, "the probe's barriers are for its clock alone"


@pytest.mark.usefixtures("compiler")
@pytest.mark.parametrize("module", WAITING)
def test_every_barrier_taken_out_in_turn(module: str) -> None:
    check: Callable[[PtxDevice], None]
    check, superfluous = WAITING[module]
    whole = PtxDevice()
    check(whole)
    missed = []
    for barrier in range(whole.barriers(module)):
        broken = PtxDevice(without=barrier)
        try:
            check(broken)
            missed.append(barrier)
        except AssertionError:
            pass
        assert broken.reached
    assert len(missed) <= superfluous
