"""What the provers prove: constraint systems with a satisfying witness, and a key of our development setup.

    python benchmarks/workloads.py {chain,hashes} POWER FOLDER

writes POWER's ``.r1cs``, ``.wtns``, ``.zkey`` and verifying key (JSON) for a domain of 2^POWER, and prints what the
setup took. Two systems:

``chain``
    The worst case for its size: 2^POWER − 4 constraints of one multiplication, every wire a full-size field element,
    every wire in A and in B, so that no point of any query is infinity.
``hashes``
    An ordinary one: a Poseidon chain over words, each held to 64 bits. A fifth of the wires are bits, and combinations
    are long in A and short in B.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.limbs import Limbs, to_limbs
from aitbc_rollup.circuits.api import Circuit
from aitbc_rollup.circuits.formats.r1cs import write_r1cs
from aitbc_rollup.circuits.formats.wtns import write_wtns
from aitbc_rollup.circuits.gadgets import compare, poseidon
from aitbc_rollup.circuits.r1cs import R1CS, SparseMatrix
from aitbc_rollup.prover.engine import load_engine
from aitbc_rollup.prover.formats import zkey
from aitbc_rollup.prover.setup import setup
from aitbc_rollup.verifier.formats import verification_key_to_json

WORD_BITS = 64


def chain(n_constraints: int) -> tuple[R1CS, Limbs]:
    """w₁ public, w₂ = y₀, yᵢ₊₁ = (yᵢ + 1)·(yᵢ + w₁), as arrays, with a satisfying witness."""
    m = n_constraints
    step = np.arange(2, m + 2)
    pairs = np.arange(0, 2 * m + 1, 2)

    def matrix(indptr: Any, wires: Any) -> SparseMatrix:
        return SparseMatrix(indptr.astype(np.int64), wires.astype(np.uint32), np.zeros(len(wires), np.uint32))

    r1cs = R1CS(
        n_wires=m + 3,
        n_public_outputs=0,
        n_public_inputs=1,
        n_private_inputs=1,
        a=matrix(pairs, np.stack([np.zeros(m), step], 1).reshape(-1)),
        b=matrix(pairs, np.stack([np.ones(m), step], 1).reshape(-1)),
        c=matrix(np.arange(m + 1), step + 1),
        table=to_limbs([1]),
    )
    z = y = pow(7, 1 << 200, R)
    witness = [1, z, y]
    for _ in range(m):
        y = (y + 1) * (y + z) % R
        witness.append(y)
    return r1cs, to_limbs(witness)


def hashes(n_constraints: int) -> tuple[R1CS, Limbs]:
    """hᵢ₊₁ = Poseidon(hᵢ, wordᵢ), the words held to 64 bits: as many links as fit, one at least."""
    circuit = Circuit()
    link = poseidon.n_constraints(2) + WORD_BITS + 1
    words = circuit.private_inputs("word", max(1, n_constraints // link))
    state = circuit.public_input("start")
    for word in words:
        compare.num2bits(circuit, word, WORD_BITS)
        state = poseidon.poseidon(circuit, [state, word])
    circuit.public_output("end", state)
    compiled = circuit.compile()
    values = [pow(3, i, 1 << WORD_BITS) for i in range(len(words))]
    return compiled.r1cs, compiled.witness({"start": 1, "word": values})


WORKLOADS = {"chain": chain, "hashes": hashes}


def make(name: str, power: int, folder: Path) -> dict[str, Any]:
    """Write the files and say what they are; the time is that of the setup alone."""
    r1cs, witness = WORKLOADS[name]((1 << power) - 4)
    write_r1cs(folder / f"{name}-{power}.r1cs", r1cs)
    write_wtns(folder / f"{name}-{power}.wtns", witness)
    start, cpu = time.perf_counter(), time.process_time()
    key = setup(r1cs, engine=load_engine("cpu"))
    took = {"wall_s": round(time.perf_counter() - start, 3), "cpu_s": round(time.process_time() - cpu, 3)}
    made: dict[str, Any] = {"constraints": r1cs.n_constraints, "wires": r1cs.n_wires, "setup": took}
    for suffix, document in (("vk.json", verification_key_to_json(key.verifying_key)), ("json", made)):
        (folder / f"{name}-{power}.{suffix}").write_text(json.dumps(document))
    # Last, and whole or not at all: it stands for all the others.
    zkey.write(folder / f"{name}-{power}.zkey", key)
    return made


def main() -> None:
    """Make one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=WORKLOADS)
    parser.add_argument("power", type=int)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    print(json.dumps(make(options.name, options.power, options.folder)))


if __name__ == "__main__":
    main()
