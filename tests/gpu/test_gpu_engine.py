"""The GPU engine as a prover meets it: whole proofs, keys that come and go with the memory, a card that errs."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import committed_world
import gpu_world
import numpy as np
import pytest
from numpy.typing import DTypeLike
from shim_device import ShimDevice

from aitbc_rollup.algebra.limbs import Limbs
from aitbc_rollup.circuits.r1cs import R1CS
from aitbc_rollup.errors import InvalidError
from aitbc_rollup.gpu.device import DeviceMemoryError
from aitbc_rollup.gpu.engine import GpuEngine
from aitbc_rollup.gpu.key import GpuKey
from aitbc_rollup.gpu.ntt import Transforms
from aitbc_rollup.prover.engine import STAGES, load_engine
from aitbc_rollup.prover.groth16 import prove, prove_circuit, public_inputs
from aitbc_rollup.prover.keys import ProvingKey
from aitbc_rollup.prover.setup import setup
from aitbc_rollup.verifier.groth16 import verify

CPU = load_engine("cpu")


@pytest.fixture(scope="module", params=["on-card" if gpu_world.ON_CARD else "shim"])
def engine(request: pytest.FixtureRequest) -> GpuEngine:
    return gpu_world.engine()


@pytest.fixture(scope="module")
def system() -> tuple[R1CS, Limbs]:
    return gpu_world.powers(20)


@pytest.fixture
def key(system: tuple[R1CS, Limbs]) -> ProvingKey:
    return setup(system[0], engine=CPU)


def test_a_proof_from_setup_to_verification(engine: GpuEngine, system: tuple[R1CS, Limbs]) -> None:
    r1cs, witness = system
    key = setup(r1cs, engine=engine)
    told: list[tuple[str, float]] = []
    proof = prove(key, witness, engine=engine, progress=lambda stage, done: told.append((stage, done)))
    assert verify(key.verifying_key, public_inputs(key, witness), proof)
    assert [stage for stage, _ in told] == ["key", *STAGES, "verify", "done"]
    assert [done for _, done in told] == sorted(done for _, done in told)


def test_the_sums_are_the_cpus(engine: GpuEngine, key: ProvingKey, system: tuple[R1CS, Limbs]) -> None:
    got, expected = (which.load(key).sums(system[1]) for which in (engine, CPU))
    for name in expected._fields:
        assert (getattr(got, name) == getattr(expected, name)).all(), name


def test_a_setup_with_the_same_entropy_makes_the_same_key(engine: GpuEngine, system: tuple[R1CS, Limbs]) -> None:
    ours, theirs = (setup(system[0], entropy=b"same", engine=which) for which in (engine, CPU))
    for name, points in theirs.arrays._asdict().items():
        assert all((a == b).all() for a, b in zip(getattr(ours.arrays, name), points, strict=True)), name


def test_a_proof_with_a_commitment(engine: GpuEngine) -> None:
    pytest.importorskip("eth_hash", reason="keccak, which a machine that only checks its card may lack")
    key = setup(committed_world.SYSTEM, engine=engine)
    proof, public = prove_circuit(key, committed_world.Circuit(), {"x": 3, "y": 5, "swap": True}, engine=engine)
    assert verify(key.verifying_key, public, proof) and proof.is_committed
    with pytest.raises(ValueError, match="no commitment"):
        engine.load(setup(gpu_world.powers(3)[0], engine=CPU)).commit(np.zeros((3, 4), np.uint64))


class Erring(ShimDevice):
    """A card on which a bit of every small download tips over."""

    def download(self, array: Any) -> Any:
        host = super().download(array)
        host.reshape(-1).view(np.uint8)[0] ^= 1
        return host


def test_a_wrong_proof_is_not_handed_out(key: ProvingKey, system: tuple[R1CS, Limbs]) -> None:
    with pytest.raises(InvalidError, match="engine 'gpu': the proof does not verify") as caught:
        prove(key, system[1], engine=GpuEngine(Erring()))
    assert "--engine cpu" in (caught.value.hint or "")


# -- memory -------------------------------------------------------------------------------------------------------


class Small(ShimDevice):
    """A card with so much memory, which counts what is in use and how often lanes were begun."""

    def __init__(self, budget: int) -> None:
        super().__init__()
        self.free = budget
        self.most = 0
        self.budget = budget
        self.lanes = 0

    def empty(self, shape: int | tuple[int, ...], dtype: DTypeLike) -> Any:
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        if size > self.free:
            raise DeviceMemoryError("the GPU's memory does not suffice", got=f"{self.free} bytes")
        array = super().empty(shape, dtype)
        self._fences.clear()  # they would keep the array
        self._give(-size)
        # The last array in the chain of views is what all slices keep.
        weakref.finalize(array.base if array.base is not None else array, self._give, size)
        self.most = max(self.most, self.budget - self.free)
        return array

    def _give(self, size: int) -> None:
        self.free += size

    def lane(self, number: int) -> Any:
        self.lanes += 1
        return super().lane(number)


class Serial(Small):
    """One on which nothing can be had in a lane; it counts how often lanes were joined."""

    inside, joined = False, 0

    def empty(self, shape: int | tuple[int, ...], dtype: DTypeLike) -> Any:
        if self.inside:
            raise DeviceMemoryError("no room in a lane")
        return super().empty(shape, dtype)

    @contextmanager
    def lane(self, number: int) -> Iterator[None]:
        self.lanes += 1
        self.inside = True
        try:
            yield
        finally:
            self.inside = False

    def join(self) -> None:
        self.joined += 1


def room(key: ProvingKey) -> int:
    """About the least that is free where a key is loaded so that all its sums can be under way at once."""
    transforms = Transforms(ShimDevice())
    for size in range(1 << 20, 1 << 24, 1 << 14):
        with suppress(DeviceMemoryError):
            GpuKey(Small(size), transforms, lambda work: work(), key, tight=False)
            return size
    raise AssertionError


def test_a_key_gives_its_memory_back() -> None:
    device = Small(1 << 30)
    engine, key = GpuEngine(device), setup(gpu_world.powers(2)[0], engine=CPU)
    before = device.free
    loaded = engine.load(key)
    assert engine.load(key) is loaded
    assert isinstance(loaded, GpuKey) and 0 < loaded.nbytes <= before - device.free
    del loaded, key
    assert device.free == before


def test_the_key_that_was_not_used_for_longest_goes_first() -> None:
    device, (r1cs, _) = Small(1 << 30), gpu_world.powers(2)
    engine = GpuEngine(device)
    first, second, third = (setup(r1cs, engine=CPU) for _ in range(3))
    there = [weakref.ref(engine.load(key)) for key in (first, second)]
    engine.load(first)
    device.free = room(first) - (1 << 14)
    engine.load(third)
    assert [loaded() is None for loaded in there] == [False, True]


def test_a_proof_may_have_the_memory_of_keys_that_are_not_used(system: tuple[R1CS, Limbs]) -> None:
    device = Small(1 << 30)
    engine, (r1cs, witness) = GpuEngine(device), system
    first, second = (setup(r1cs, engine=CPU) for _ in range(2))
    loaded, other = engine.load(first), weakref.ref(engine.load(second))
    device.free = 1 << 14
    got = loaded.sums(witness)
    assert other() is None
    assert all((a == b).all() for a, b in zip(got, CPU.load(first).sums(witness), strict=True))


def test_tables_of_transforms_go_before_keys(key: ProvingKey) -> None:
    device = Small(1 << 30)
    engine = GpuEngine(device)
    loaded = engine.load(key)
    values = np.ones((1 << 12, 4), np.uint64)
    expected = engine.intt(values, 5)
    device.free = 10 * values.nbytes - (1 << 12)
    assert (engine.ntt(expected, 5) == values).all()
    assert engine.load(key) is loaded


def test_sums_that_do_not_fit_beside_one_another_are_made_in_turn(key: ProvingKey, system: tuple[R1CS, Limbs]) -> None:
    device = Serial(1 << 30)
    told: list[str] = []
    got = GpuEngine(device).load(key).sums(system[1], lambda stage, done: told.append(stage))
    assert device.lanes == 1 and told == ["constraints"]
    # Lanes that were begun may still be at work.
    assert device.joined == 2
    assert all((a == b).all() for a, b in zip(got, CPU.load(key).sums(system[1]), strict=True))


def test_a_key_with_little_room_has_no_tables(key: ProvingKey, system: tuple[R1CS, Limbs]) -> None:
    device = Small(room(key) - (1 << 20))
    loaded = GpuEngine(device).load(key)
    assert isinstance(loaded, GpuKey)
    assert loaded.nbytes < GpuEngine(Small(1 << 30)).load(key).nbytes // 4  # type: ignore[attr-defined]
    assert all((a == b).all() for a, b in zip(loaded.sums(system[1]), CPU.load(key).sums(system[1]), strict=True))


def test_a_key_larger_than_the_memory_is_refused_with_its_size(key: ProvingKey) -> None:
    engine = GpuEngine(Small(1 << 20))
    with pytest.raises(DeviceMemoryError, match="no room for the proving key") as caught:
        engine.load(key)
    assert "MiB" in (caught.value.expected or "") and "MiB" in (caught.value.got or "")
