"""Damaged keys, witnesses, systems, powers of tau and proofs: nothing crashes, and nothing false is proven.

Each seed decides one damaged file. 2,000 seeds run with every test run, 100,000 with the heavy ones; a seed that once
found a fault stays in ``KEPT``. A failure names its seed, and ``attempt(benches, seed)`` repeats it.
"""

from __future__ import annotations

import json
import random
import resource
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import committed_world
import mutations
import numpy as np
import pytest
from powers_world import make_powers

from aitbc_rollup.algebra import g1
from aitbc_rollup.algebra.limbs import Limbs
from aitbc_rollup.circuits.check import check
from aitbc_rollup.circuits.formats.r1cs import decode_r1cs, encode_r1cs
from aitbc_rollup.circuits.formats.wtns import decode_wtns, encode_wtns
from aitbc_rollup.circuits.r1cs import R1CS
from aitbc_rollup.errors import BadInputError, InvalidError
from aitbc_rollup.prover.engine import Engine, load_engine
from aitbc_rollup.prover.formats import ptau, zkey
from aitbc_rollup.prover.groth16 import prove, public_inputs
from aitbc_rollup.prover.keys import ProvingKey
from aitbc_rollup.prover.setup import setup
from aitbc_rollup.verifier import formats, strict_json
from aitbc_rollup.verifier.groth16 import verify
from aitbc_rollup.verifier.transcript import challenge
from aitbc_rollup.verifier.types import Proof

System = tuple[R1CS, Limbs]

#: Seeds that found a fault once.
KEPT: tuple[int, ...] = ()
COUNT, HEAVY_COUNT, PARTS = 2_000, 100_000, 10
#: What one damaged file of a few kilobytes may make the process take, in bytes.
MEMORY = 1 << 30


@dataclass(frozen=True)
class Bench:
    """A good file of each kind, and what they say; of a circuit without commitment, or with one."""

    engine: Engine
    r1cs: R1CS
    witness: Limbs
    #: The witness with its last private wire changed: it satisfies nothing.
    lie: Limbs
    key: ProvingKey
    proof: Proof
    public: list[int]
    key_bytes: bytes
    powers_bytes: bytes
    folder: Path


Benches = tuple[Bench, Bench]


@pytest.fixture(scope="module")
def benches(small: System, small_key: ProvingKey, tmp_path_factory: pytest.TempPathFactory) -> Benches:
    key = setup(committed_world.SYSTEM, entropy=b"tests", engine=load_engine("cpu"))
    return (
        prepare(*small, small_key, tmp_path_factory.mktemp("mutated")),
        prepare(committed_world.SYSTEM, committed_witness(key), key, tmp_path_factory.mktemp("mutated")),
    )


def committed_witness(key: ProvingKey) -> Limbs:
    """An honest one, its mask drawn once."""
    draft = committed_world.witness(challenge=0, mask=5)
    d, _ = g1.from_array(np.stack(load_engine("cpu").load(key).commit(draft[list(committed_world.COMMITTED)])))
    return committed_world.witness(challenge=challenge("keccak", d, public_inputs(key, draft)), mask=5)


def prepare(r1cs: R1CS, witness: Limbs, key: ProvingKey, folder: Path) -> Bench:
    engine = load_engine("cpu")
    zkey.write(folder / "good.zkey", key)
    ptau.write(folder / "good.ptau", make_powers(1))
    lie = witness.copy()
    lie[-1, 0] ^= np.uint64(1)
    assert check(r1cs, lie) is not None
    return Bench(
        engine=engine,
        r1cs=r1cs,
        witness=witness,
        lie=lie,
        key=key,
        proof=prove(key, witness, engine=engine),
        public=public_inputs(key, witness),
        key_bytes=(folder / "good.zkey").read_bytes(),
        powers_bytes=(folder / "good.ptau").read_bytes(),
        folder=folder,
    )


def attempt_key(bench: Bench, rng: random.Random) -> str:
    """A damaged key is refused, or proves only what verifies; the true key's verifier takes no lie from it.

    A key that is read whole is refused at once, one whose body stays in the file when it is to prove.
    """
    path = bench.folder / "damaged.zkey"
    path.write_bytes(rng.choice((mutations.damaged, mutations.damaged, mutations.wrong_key))(rng, bench.key_bytes))
    try:
        key = rng.choice((zkey.read, ProvingKey.load))(path)
    except BadInputError:
        return "refused"
    for witness in (bench.witness, bench.lie):
        try:
            proof = prove(key, witness, engine=bench.engine)
        except (BadInputError, InvalidError):
            continue
        claimed = public_inputs(key, witness)
        assert verify(key.verifying_key, claimed, proof)
        assert witness is bench.witness or not verify(bench.key.verifying_key, claimed, proof)
    return "read"


def attempt_witness(bench: Bench, rng: random.Random) -> str:
    """A damaged witness is refused, or satisfies the system after all."""
    try:
        witness = decode_wtns(mutations.damaged(rng, encode_wtns(bench.witness)))
        proof = prove(bench.key, witness, engine=bench.engine)
    except (BadInputError, InvalidError):
        return "refused"
    assert check(bench.r1cs, witness) is None
    assert verify(bench.key.verifying_key, public_inputs(bench.key, witness), proof)
    return "read"


def attempt_system(bench: Bench, rng: random.Random) -> str:
    """A damaged system is refused, or means one thing: it survives being written and read."""
    try:
        file = decode_r1cs(mutations.damaged(rng, encode_r1cs(bench.r1cs)))
    except BadInputError:
        return "refused"
    again = encode_r1cs(file)
    assert encode_r1cs(decode_r1cs(again)) == again
    try:
        check(file.r1cs, bench.witness)
    except BadInputError:
        return "refused"
    return "read"


def attempt_powers(bench: Bench, rng: random.Random) -> str:
    """Damaged powers of tau are refused, or mean one thing: they survive being written and read."""
    path = bench.folder / "damaged.ptau"
    path.write_bytes(mutations.damaged(rng, bench.powers_bytes))
    try:
        powers = ptau.load(path)
        ptau.write(path, powers)
    except BadInputError:
        return "refused"
    again = ptau.load(path)
    assert (again.power, again.prepared, again.transcript) == (powers.power, powers.prepared, powers.transcript)
    for part in again.parts:
        for mine, theirs in zip(again.body.points(part), powers.body.points(part), strict=True):
            assert (mine == theirs).all()
    return "read"


def attempt_documents(bench: Bench, rng: random.Random) -> str:
    """Of proof, public inputs and verifying key one is damaged: they verify only if they still say the same."""
    documents: dict[str, Any] = {
        "proof": formats.proof_to_json(bench.proof),
        "public": formats.public_to_json(bench.public),
        "key": formats.verification_key_to_json(bench.key.verifying_key),
    }
    texts = {name: json.dumps(document) for name, document in documents.items()}
    chosen = rng.choice(list(documents))
    texts[chosen] = mutations.damaged_json(rng, documents[chosen])
    try:
        data = {
            name: strict_json.parse_json(text.encode("utf-8", "surrogateescape"), name) for name, text in texts.items()
        }
        proof = formats.proof_from_json(data["proof"])
        public = formats.public_from_json(data["public"])
        vk = formats.verification_key_from_json(data["key"])
        accepted = verify(vk, public, proof)
    except BadInputError:
        return "refused"
    if accepted:
        original = bench.key.verifying_key
        points = [(k.alpha_g1, k.beta_g2, k.gamma_g2, k.delta_g2, k.ic, k.commitment) for k in (vk, original)]
        assert (proof, public, points[0]) == (bench.proof, bench.public, points[1])
    return "read" if accepted else "refused"


ATTEMPTS = {
    "key": attempt_key,
    "witness": attempt_witness,
    "system": attempt_system,
    "powers": attempt_powers,
    "documents": attempt_documents,
}


def attempt(benches: Benches, seed: int) -> tuple[str, str]:
    """One damaged file: its kind, and whether it was refused."""
    rng = random.Random(f"mutated files {seed}")
    kind = rng.choice(list(ATTEMPTS))
    return kind, ATTEMPTS[kind](rng.choice(benches), rng)


def attempt_all(benches: Benches, seeds: range | tuple[int, ...]) -> Counter[tuple[str, str]]:
    """Outcomes of many seeds; an unexpected exception says which seed it was."""
    outcomes: Counter[tuple[str, str]] = Counter()
    for seed in seeds:
        try:
            outcomes[attempt(benches, seed)] += 1
        except BaseException as error:
            error.add_note(f"seed {seed} of the mutated files")
            raise
    return outcomes


@pytest.mark.parametrize("part", range(PARTS))
def test_damaged_files(benches: Benches, part: int) -> None:
    size = COUNT // PARTS
    outcomes = attempt_all(benches, range(size * part, size * (part + 1)))
    assert set(ATTEMPTS) == {kind for kind, _ in outcomes}
    # The damage is not so coarse that readers alone see it.
    assert outcomes["key", "read"] > 0


def test_seeds_that_found_faults(benches: Benches) -> None:
    attempt_all(benches, KEPT)


@pytest.mark.heavy
def test_many_damaged_files(benches: Benches) -> None:
    scale = 1 if sys.platform == "darwin" else 1024
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale
    outcomes = attempt_all(benches, range(COUNT, COUNT + HEAVY_COUNT))
    assert sum(outcomes.values()) == HEAVY_COUNT
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale - before < MEMORY
