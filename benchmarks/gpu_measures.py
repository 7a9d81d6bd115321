"""What ``gpu.py`` measures: its stages, each a generator of rows. Its head says what the columns are."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import gpu_probe
from gpu_cases import Group, dense, inner_product, on_shim, open_device, same
from workloads import WORKLOADS

from aitbc_rollup.algebra import fr, g1, g2, poseidon
from aitbc_rollup.algebra.bn254 import G1_GENERATOR, G2_GENERATOR
from aitbc_rollup.algebra.limbs import Limbs, to_limbs
from aitbc_rollup.gpu import fixed_base, nvrtc, program
from aitbc_rollup.gpu.device import Array, Device
from aitbc_rollup.gpu.engine import GpuEngine
from aitbc_rollup.gpu.msm import Bases
from aitbc_rollup.gpu.ntt import Transforms
from aitbc_rollup.gpu.poseidon import hash_many
from aitbc_rollup.prover import qap
from aitbc_rollup.prover.engine import Engine, load_engine
from aitbc_rollup.prover.formats import zkey
from aitbc_rollup.prover.groth16 import prove
from aitbc_rollup.prover.keys import ProvingKey
from aitbc_rollup.prover.setup import setup

Row = dict[str, Any]

#: Slots of an operation's multiply-adds, the fewest its formula allows (docs/gpu.md): a product with a factor known
#: beforehand, an affine point added to a sum, a sum to a sum.
KNOWN_PRODUCT = 199
MIXED: dict[Group, int] = {1: 2392, 2: 6032}
FULL: dict[Group, int] = {1: 3448, 2: 8656}
#: Slots of an IMAD.WIDE.
_WIDE = 2
#: What is shorter is done several times in a row where the card's clock is read, at most so often.
_WHILE_MS, _MOST_IN_A_ROW = 20, 50
#: Sizes, logarithms, up to which the CPU engine does the same: beyond, it takes minutes.
_ON_CPU = {"transform": 24, 1: 22, 2: 20, "proof": 20}


class Settings(NamedTuple):
    """What a stage is given: runs of each measurement, sizes 2^k in place of its own, and what the probe found."""

    runs: int
    powers: list[int] | None
    probe: Row | None

    def sizes(self, own: list[int], small: list[int]) -> list[int]:
        """Those asked for, or the stage's own."""
        return self.powers or (small if on_shim() else own)

    def share(self, slots: float, figures: Row) -> Row:
        """The part of a time in which the card could have issued so many slots, if its rate is known."""
        if self.probe is None:
            return {}
        rate = _WIDE * self.probe["runs"]["imad_wide"]["per_second"]
        return {"share": round(1e3 * slots / rate / figures["median"], 4)}


@cache
def device() -> Device:
    """The one of this process."""
    return open_device()


def spread(values: list[float]) -> Row:
    """Median, least, most, and how many."""
    figures = {"median": statistics.median(values), "min": min(values), "max": max(values)}
    return {name: round(value, 4) for name, value in figures.items()} | {"runs": len(values)}


def on_device(work: Callable[[], object], settings: Settings) -> Row:
    """Milliseconds by the card's clock, after a run that does not count: each figure the mean of as many in a row as
    take a while, for the card waits for what the host queues first, some tens of microseconds."""
    work()
    row = max(1, min(_MOST_IN_A_ROW, round(_WHILE_MS / max(device().time(work), 1e-3))))

    def several() -> None:
        for _ in range(row):
            work()

    return spread([device().time(several) / row for _ in range(settings.runs)]) | {"in_a_row": row}


def seconds(work: Callable[[], object]) -> float:
    """By this machine's clock."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def on_host(work: Callable[[], object], runs: int) -> Row:
    """Milliseconds by this machine's clock, after a run that does not count."""
    work()
    return spread([1e3 * seconds(work) for _ in range(runs)])


# -- stages -------------------------------------------------------------------------------------------------------


def probe(settings: Settings) -> Iterator[Row]:
    """What the card's instructions cost: the ceiling of all that follows."""
    small = {"loops": 2, "memory": 1 << 16} if on_shim() else {}
    yield {"probe": gpu_probe.measure(device(), **small)}


def start(settings: Settings) -> Iterator[Row]:
    """A first use: the modules compiled from nothing, then found in the cache."""
    if on_shim():
        return
    architecture: str = device().architecture  # type: ignore[attr-defined]
    modules = program.modules()
    took = {module: round(seconds(partial(program.compile_module, module, architecture)), 3) for module in modules}
    yield {"what": "compile", "seconds": took, "total_s": round(sum(took.values()), 3), "nvrtc": nvrtc.version()}
    for module in modules:
        program.cubin(module, architecture)
    found = seconds(lambda: [program.cubin(module, architecture) for module in modules])
    yield {"what": "find what is compiled", "total_s": round(found, 4)}


def transforms(settings: Settings) -> Iterator[Row]:
    """NTT and quotient."""
    gpu, cpu, made = GpuEngine(device()), load_engine("cpu"), Transforms(device())
    for power in settings.sizes([16, 18, 20, 22, 24, 26], [4]):
        values = fr.batch_to_montgomery(dense(1 << power))
        there = device().upload(values)
        row: Row = {"what": "NTT", "power": power, "device_ms": on_device(partial(made.ntt, there), settings)}
        row |= settings.share(KNOWN_PRODUCT * (power << power) / 2, row["device_ms"])
        row["equal"] = same(gpu.ntt(values), cpu.ntt(values))
        row["host_ms"] = on_host(partial(gpu.ntt, values), min(settings.runs, 3))
        if power <= _ON_CPU["transform"]:
            row["cpu_ms"] = on_host(partial(cpu.ntt, values), 2)
        yield row
    for power in settings.sizes([16, 20, 22, 24], [4]):
        a, b = (fr.batch_to_montgomery(dense(1 << power, seed)) for seed in (1, 2))
        shift = qap.coset_shift(power)
        work = partial(made.quotient, device().upload(a), device().upload(b), shift)
        row = {"what": "quotient", "power": power, "device_ms": on_device(work, settings)}
        # Six transforms.
        row |= settings.share(KNOWN_PRODUCT * 3 * (power << power), row["device_ms"])
        row["equal"] = same(gpu.quotient(a, b, shift), cpu.quotient(a, b, shift))
        row["cpu_ms"] = on_host(partial(cpu.quotient, a, b, shift), 2)
        yield row


def sums_g1(settings: Settings) -> Iterator[Row]:
    """Sums in G1."""
    for power in settings.sizes([16, 18, 20, 22, 24, 26], [4]):
        yield from _sums(1, power, settings)


def sums_g2(settings: Settings) -> Iterator[Row]:
    """Sums in G2."""
    for power in settings.sizes([16, 18, 20, 22], [3]):
        yield from _sums(2, power, settings)


def _sums(group: Group, power: int, settings: Settings) -> Iterator[Row]:
    """With the points alone and with a table: random dense scalars, points that are known multiples."""
    cpu = load_engine("cpu")
    factors, scalars = dense(1 << power, 6), dense(1 << power)
    points = device().download(fixed_base.multiples(device(), group, device().upload(factors)))
    there = device().upload(scalars)
    expected = multiple(group, inner_product(cpu, factors, scalars))
    msm = partial(cpu.msm_g1 if group == 1 else cpu.msm_g2, points, scalars)
    on_cpu: Row = {}
    if power <= _ON_CPU[group]:
        on_cpu = {"cpu_ms": on_host(msm, 2), "cpu_equal": same(msm(), expected)}
    for levels in (1, None):
        bases = Bases(device(), group, [points], levels=levels)
        digits, parts = bases.plan
        row: Row = {"what": f"sum in G{group}{'' if levels else ', table'}", "power": power}
        row["plan"] = digits._asdict() | {"parts": parts, "bytes": bases.nbytes}
        row["device_ms"] = on_device(partial(bases.sum, there), settings)
        slots = MIXED[group] * (digits.windows << power) + FULL[group] * 2 * digits.keys * parts
        row |= settings.share(slots, row["device_ms"])
        row["equal"] = same(bases.finish(bases.sum(there)), expected)
        row["host_ms"] = on_host(partial(_from_host, bases, scalars), min(settings.runs, 5))
        del bases
        yield row | on_cpu


def _from_host(bases: Bases, scalars: Limbs) -> Limbs:
    return bases.finish(bases.sum(device().upload(scalars)))


def multiple(group: Group, factor: int) -> Limbs:
    """factor·generator, flat."""
    if group == 1:
        return g1.multiply(g1.to_array([G1_GENERATOR]), to_limbs([factor])).reshape(-1)
    return g2.multiply(g2.to_array([G2_GENERATOR]), to_limbs([factor])).reshape(-1)


def others(settings: Settings) -> Iterator[Row]:
    """Hashes, and multiples of the generators."""
    cpu = load_engine("cpu")
    for power in settings.sizes([16, 20], [3]):
        for inputs in (2, 4):
            values = dense(inputs << power).reshape(-1, inputs, 4)
            rows = device().upload(fr.batch_to_montgomery(values.reshape(-1, 4)).reshape(values.shape))
            hashed, expected = partial(hash_many, device(), rows), partial(poseidon.poseidon_batch, values)
            row = _beside(f"Poseidon of {inputs}", power, hashed, expected, settings)
            yield row | {"equal": same(fr.batch_from_montgomery(device().download(hashed())), expected())}
        groups: tuple[Group, ...] = (1, 2)
        for group in groups:
            scalars = dense(1 << power)
            made = partial(fixed_base.multiples, device(), group, device().upload(scalars))
            expected = partial(cpu.fixed_base_g1 if group == 1 else cpu.fixed_base_g2, scalars)
            row = _beside(f"multiples in G{group}", power, made, expected, settings)
            yield row | {"equal": same(device().download(made()), expected())}


def _beside(what: str, power: int, work: Callable[[], Array], cpu: Callable[[], Limbs], settings: Settings) -> Row:
    return {"what": what, "power": power, "device_ms": on_device(work, settings), "cpu_ms": on_host(cpu, 1)}


def proofs(settings: Settings) -> Iterator[Row]:
    """Groth16 from a key in a file of snarkjs's format, made here: a dense chain, the worst case, and hashes."""
    gpu, cpu = GpuEngine(device()), load_engine("cpu")
    for power in settings.sizes([16, 18, 20, 22], [5]):
        for name in ("chain", "hashes") if power <= _ON_CPU["proof"] and not on_shim() else ("chain",):
            yield _proof(name, power, gpu, cpu, settings)


def _proof(name: str, power: int, gpu: GpuEngine, cpu: Engine, settings: Settings) -> Row:
    """``setup_s`` makes the key, ``load_s`` checks its file and brings it to the card; ``first_ms`` is the proof after;
    ``host_ms`` whole proofs, witness to verified proof; ``sums_ms`` the card's part. ``prove`` verifies each."""
    r1cs, witness = WORKLOADS[name]((1 << power) - 4)
    row: Row = {"what": f"Groth16, {name}", "power": power, "constraints": r1cs.n_constraints, "wires": r1cs.n_wires}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "key.zkey"
        row["setup_s"] = round(seconds(lambda: zkey.write(path, setup(r1cs, engine=gpu))), 3)
        key = ProvingKey.load(path)
        row["load_s"] = round(seconds(partial(gpu.load, key)), 3)
        by_gpu = partial(prove, key, witness, engine=gpu)
        row["first_ms"] = round(1e3 * seconds(by_gpu), 3)
        row["host_ms"] = on_host(by_gpu, settings.runs)
        row["sums_ms"] = on_host(partial(gpu.load(key).sums, witness), settings.runs)
        if power <= _ON_CPU["proof"]:
            row["cpu_ms"] = on_host(partial(prove, key, witness, engine=cpu), 2)
    return row | {"equal": True}


STAGES: dict[str, Callable[[Settings], Iterator[Row]]] = {
    stage.__name__: stage for stage in (probe, start, transforms, sums_g1, sums_g2, others, proofs)
}
