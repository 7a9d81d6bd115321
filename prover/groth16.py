"""Groth16 proofs, each verified before it is handed out.

Jens Groth, "On the Size of Pairing-based Non-interactive Arguments", EUROCRYPT 2016, section 3.2::

    A = α + Σ wᵢ·Aᵢ + ρ·δ        in G1
    B = β + Σ wᵢ·Bᵢ + σ·δ        in G2, and once more in G1
    C = Σ wᵢ·Cᵢ + Σ pⱼ·Hⱼ + σ·A + ρ·B − ρσ·δ,      i over private wires, p the quotient's values (see ``qap``)

ρ and σ blind: without them a proof says something about the witness. They are drawn from the system's generator for
each proof, uniform below r, and forgotten. Running time depends on witness and blinding: do not prove where
somebody untrusted can time it.

Of a circuit with a commitment (docs/spec/commitment.md) the proof has D = Σ wᵢ·Kᵢ over the committed wires and a proof
of knowledge of it besides, and the witness depends on D: the challenge in it is a hash. :func:`prove_circuit` goes that
way in order, with a fresh mask; :func:`prove` takes a witness for which somebody else has.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from functools import partial, reduce
from types import ModuleType
from typing import Any, Protocol

import numpy as np

from aitbc_rollup.algebra import g1, g2
from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.limbs import Limbs, from_limbs, to_limbs
from aitbc_rollup.algebra.reference import curve
from aitbc_rollup.circuits.r1cs import R1CS
from aitbc_rollup.errors import BadInputError, InvalidError
from aitbc_rollup.verifier import groth16 as verifier
from aitbc_rollup.verifier.transcript import challenge
from aitbc_rollup.verifier.types import G1Point, Proof

from .consistency import same_commitment
from .engine import Engine, LoadedKey, Progress, Sums, load_engine, silent
from .keys import ProvingKey
from .limits import first_not_below


class WitnessRun(Protocol):
    """A witness half made: up to the commitment, which the rest depends on."""

    def commitment_values(self, mask: int) -> Limbs:
        """Canonical values of the committed wires, in their order, with this one for the mask."""
        ...

    def public_inputs(self) -> list[int]:
        """Public outputs and inputs, the challenge left out, in the verifier's order."""
        ...

    def finish(self, challenge: int) -> Limbs:
        """The whole witness, canonical; without a commitment the challenge is not looked at."""
        ...


class Provable(Protocol):
    """A compiled circuit, as far as a prover looks at it."""

    @property
    def r1cs(self) -> R1CS:
        """Its constraints."""
        ...

    def begin(self, assignment: Mapping[str, Any]) -> WitnessRun:
        """Begin a witness for these inputs."""
        ...


#: What else may be at fault, by engine.
_SUSPECTS = {
    "cpu": " have the key prepared anew (AITBC_KEY_CACHE=0): its copy in the cache folder may be damaged",
    "gpu": " the engine computed wrongly: use --engine cpu, run make gpu-check, and please report it",
}
#: D and PoK.
_Committed = tuple[G1Point, G1Point]


def prove(pk: ProvingKey, witness: Limbs, *, engine: Engine | None = None, progress: Progress = silent) -> Proof:
    """A proof that the prover knows a witness with these public inputs.

    Args:
        pk: the proving key of the circuit.
        witness: canonical limbs, uint64 ``(pk.n_wires, 4)``; wire 0 is 1. With a commitment its mask has to be drawn
            afresh for each proof: two proofs with one mask show whether what they commit to is the same.
        engine: what computes; ``load_engine("auto")`` if left out.
        progress: told each stage.

    Raises:
        BadInputError: the witness is not one for this key: wrong length, a value not below r, wire 0 not 1, another
            challenge than its commitment's, a mask of 0; or the key is in a file, and wrong.
        InvalidError: the proof does not verify, because the witness does not satisfy the circuit.
    """
    public = public_inputs(pk, witness)
    engine = engine or load_engine()
    progress("key", 0.0)
    loaded = engine.load(pk)
    if pk.commitment is None:
        return _prove(engine, pk, loaded, witness, public, progress)
    if not witness[pk.commitment.mask].any():
        hint = "draw it at random for each proof, or use prove_circuit (aitbc-rollup groth16 fullprove)"
        message = "the mask is 0: the commitment would show what it commits to"
        raise BadInputError(message, place=f"witness, wire {pk.commitment.mask}", hint=hint)
    progress("commitment", 0.0)
    committed = _commit(loaded, witness[pk.commitment.wires])
    return _prove(engine, pk, loaded, witness, public, progress, committed)


def prove_circuit(
    pk: ProvingKey,
    circuit: Provable,
    assignment: Mapping[str, Any],
    *,
    engine: Engine | None = None,
    progress: Progress = silent,
) -> tuple[Proof, list[int]]:
    """A proof for a circuit's inputs, and the public inputs it is for; with a commitment its mask is drawn here.

    Args:
        pk: the proving key of the circuit.
        circuit: the circuit, compiled.
        assignment: its inputs by name.
        engine: what computes; ``load_engine("auto")`` if left out.
        progress: told each stage.

    Raises:
        BadInputError: the inputs, or the key, are not the circuit's; or the key is in a file, and wrong.
        InvalidError: the proof does not verify, because the inputs do not satisfy the circuit.
    """
    if not same_commitment(circuit.r1cs.commitment, pk.commitment):
        message, hint = "the key commits to other wires than the circuit", "use the key made for this circuit"
        raise BadInputError(message, place="proving key", hint=hint)
    engine = engine or load_engine()
    progress("key", 0.0)
    loaded = engine.load(pk)
    progress("witness", 0.0)
    run, committed, drawn = circuit.begin(assignment), None, 0
    if pk.commitment is not None:
        values = run.commitment_values(1 + secrets.randbelow(R - 1))
        progress("commitment", 0.0)
        committed = _commit(loaded, values)
        drawn = challenge(pk.commitment.hash, committed[0], run.public_inputs())
    witness = run.finish(drawn)
    public = public_inputs(pk, witness)
    return _prove(engine, pk, loaded, witness, public, progress, committed), public


def _commit(loaded: LoadedKey, values: Limbs) -> _Committed:
    commitment, knowledge = g1.from_array(np.stack(loaded.commit(np.ascontiguousarray(values))))
    return commitment, knowledge


def _prove(
    engine: Engine,
    pk: ProvingKey,
    loaded: LoadedKey,
    witness: Limbs,
    public: list[int],
    progress: Progress,
    committed: _Committed | None = None,
) -> Proof:
    if pk.commitment is not None and committed is not None:
        expected = challenge(pk.commitment.hash, committed[0], public)
        (got,) = from_limbs(witness[pk.n_public : pk.n_public + 1])
        if got != expected:
            raise BadInputError(
                "the challenge is not the hash of commitment and public inputs",
                place=f"witness, wire {pk.n_public}",
                expected=str(expected),
                got=str(got),
                hint="use prove_circuit (aitbc-rollup groth16 fullprove), which makes the witness in the right order",
            )
    sums = loaded.sums(np.ascontiguousarray(witness), progress)
    proof = _blind(pk, sums, committed or (None, None))
    progress("verify", 0.99)
    if not verifier.verify(pk.verifying_key, public, proof):
        raise InvalidError(
            "the proof does not verify, so it is not handed out",
            place=f"Groth16 prover, engine {engine.name!r}",
            expected="a witness that satisfies every constraint of the key's circuit",
            hint="check the witness (aitbc-rollup wtns check), and that key and circuit belong together; if they do,"
            + _SUSPECTS.get(engine.name, " please report it"),
        )
    progress("done", 1.0)
    return proof


def public_inputs(pk: ProvingKey, witness: Limbs) -> list[int]:
    """The public outputs and inputs in a canonical witness, in the verifier's order; a challenge is none of them.

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
    values = from_limbs(witness[: pk.n_inputs + 1])
    if values[0] != 1:
        raise BadInputError("the constant wire is not 1", place=f"{place}, wire 0", expected="1", got=str(values[0]))
    return values[1:]


def _blind(pk: ProvingKey, sums: Sums, committed: _Committed) -> Proof:
    """The proof that these sums make with fresh ρ and σ."""
    rho, sigma = secrets.randbelow(R), secrets.randbelow(R)
    header = pk.header
    in_g1 = partial(_combination, g1, curve.g1_add)
    a = in_g1([header.alpha_g1, sums.a, header.delta_g1], [1, 1, rho])
    b_g1 = in_g1([header.beta_g1, sums.b_g1, header.delta_g1], [1, 1, sigma])
    b = _combination(g2, curve.g2_add, [header.beta_g2, sums.b_g2, header.delta_g2], [1, 1, sigma])
    terms = [sums.c, sums.h, *g1.to_array([a, b_g1]), header.delta_g1]
    return Proof(a, b, in_g1(terms, [1, 1, sigma, rho, -rho * sigma % R]), *committed)


def _combination(group: ModuleType, add: Callable[[Any, Any], Any], points: list[Limbs], scalars: list[int]) -> Any:
    """Σ scalars[i]·points[i] of a few flat points: sooner done here than by an engine, which gets ready for many."""
    return reduce(add, group.from_array(group.multiply(np.stack(points), to_limbs(scalars))))
