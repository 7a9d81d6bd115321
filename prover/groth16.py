"""Groth16 proofs, each verified before it is handed out.

Jens Groth, "On the Size of Pairing-based Non-interactive Arguments", EUROCRYPT 2016, section 3.2::

    A = α + Σ wᵢ·Aᵢ + ρ·δ        in G1
    B = β + Σ wᵢ·Bᵢ + σ·δ        in G2, and once more in G1
    C = Σ wᵢ·Cᵢ + Σ pⱼ·Hⱼ + σ·A + ρ·B − ρσ·δ,      i over private wires, p the quotient's values (see ``qap``)

ρ and σ blind: without them a proof says something about the witness. They are drawn from the system's generator for
each proof, uniform below r, and forgotten. Running time depends on witness and blinding: do not prove where
somebody untrusted can time it.
"""

from __future__ import annotations

import secrets

import numpy as np

from aitbc_rollup.algebra import g1, g2
from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.limbs import Limbs, from_limbs, to_limbs
from aitbc_rollup.errors import BadInputError, InvalidError
from aitbc_rollup.verifier import groth16 as verifier
from aitbc_rollup.verifier.types import Proof

from .engine import Engine, Progress, Sums, load_engine, silent
from .keys import ProvingKey
from .limits import first_not_below


def prove(pk: ProvingKey, witness: Limbs, *, engine: Engine | None = None, progress: Progress = silent) -> Proof:
    """A proof that the prover knows a witness with these public inputs.

    Args:
        pk: the proving key of the circuit.
        witness: canonical limbs, uint64 ``(pk.n_wires, 4)``; wire 0 is 1.
        engine: what computes; ``load_engine("auto")`` if left out.
        progress: told each stage.

    Raises:
        BadInputError: the witness is not one for this key: wrong length, a value not below r, wire 0 not 1; or the key
            is in a file, and wrong.
        InvalidError: the proof does not verify, because the witness does not satisfy the circuit.
    """
    public = public_inputs(pk, witness)
    engine = engine or load_engine()
    progress("key", 0.0)
    sums = engine.load(pk).sums(np.ascontiguousarray(witness), progress)
    proof = _blind(engine, pk, sums)
    progress("verify", 0.99)
    if not verifier.verify(pk.verifying_key, public, proof):
        raise InvalidError(
            "the proof does not verify, so it is not handed out",
            place="Groth16 prover",
            expected="a witness that satisfies every constraint of the key's circuit",
            hint="check the witness (aitbc-rollup wtns check), and that key and circuit belong together; if they do,"
            " have the key prepared anew (AITBC_KEY_CACHE=0): its copy in the cache folder may be damaged",
        )
    progress("done", 1.0)
    return proof


def public_inputs(pk: ProvingKey, witness: Limbs) -> list[int]:
    """The public outputs and inputs in a canonical witness, in the verifier's order.

    Raises:
        BadInputError: the witness is not one for this key.
    """
    place = "witness"
    if witness.dtype != np.uint64 or witness.shape != (pk.n_wires, 4):
        raise BadInputError(
            "the witness does not fit the key",
            place=place,
            expected=f"{pk.n_wires} values of four 64-bit limbs",
            got=f"{witness.dtype} array of shape {witness.shape}",
            hint="use the key made for this circuit",
        )
    wrong = first_not_below(witness, R)
    if wrong is not None:
        raise BadInputError("the value is not below r", place=f"{place}, wire {wrong}", hint="reduce values modulo r")
    values = from_limbs(witness[: pk.n_public + 1])
    if values[0] != 1:
        raise BadInputError("the constant wire is not 1", place=f"{place}, wire 0", expected="1", got=str(values[0]))
    return values[1:]


def _blind(engine: Engine, pk: ProvingKey, sums: Sums) -> Proof:
    rho, sigma = secrets.randbelow(R), secrets.randbelow(R)
    header = pk.header
    a = engine.msm_g1(np.stack([header.alpha_g1, sums.a, header.delta_g1]), to_limbs([1, 1, rho]))
    b = engine.msm_g2(np.stack([header.beta_g2, sums.b_g2, header.delta_g2]), to_limbs([1, 1, sigma]))
    b_g1 = engine.msm_g1(np.stack([header.beta_g1, sums.b_g1, header.delta_g1]), to_limbs([1, 1, sigma]))
    terms = np.stack([sums.c, sums.h, a, b_g1, header.delta_g1])
    c = engine.msm_g1(terms, to_limbs([1, 1, sigma, rho, -rho * sigma % R]))
    return Proof(
        g1.from_array(a.reshape(1, -1))[0], g2.from_array(b.reshape(1, -1))[0], g1.from_array(c.reshape(1, -1))[0]
    )
