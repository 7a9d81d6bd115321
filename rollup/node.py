"""The whole job: an input's records become a sealed, proven batch and its files.

::

    ingest   read, select and check the input                             nothing kept
    sealed   state, batch, billed records, job: one LMDB transaction      durable
    witness  the circuit's wires                                          made again after a kill
    proof    Groth16, verified, kept with the job                         durable
    files    proof.json public.json verification_key.json batch.json      each whole or absent

A job's identity is a hash of what was selected and of every option that enters the batch. The same command again
finds the job and goes on after its last durable stage; a finished job changes nothing.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aitbc_rollup.circuits.check import assert_satisfied
from aitbc_rollup.circuits.statements.agent_runs import Shape
from aitbc_rollup.circuits.statements.protocol import Mode
from aitbc_rollup.errors import BadInputError, UsageError
from aitbc_rollup.prover.engine import load_engine
from aitbc_rollup.prover.groth16 import prove
from aitbc_rollup.verifier.formats import (
    proof_from_json,
    proof_to_json,
    verification_key_from_json,
    verification_key_to_json,
)
from aitbc_rollup.verifier.types import VerifyingKey

from . import bundle, genesis, ingest
from .batch import Batch, BatchContext, build, check_room, circuit_inputs
from .checks import check_width, format_address
from .dev_agents import DEFAULT_PRICES, Assignment, Prices, group, sign_rows
from .genesis import Genesis
from .ingest import Selection, azure
from .keys import CircuitKeys, load_or_make
from .records import Domain, SignedSession
from .reporting import Reporter, Silent, stage
from .sessions import check_domain
from .store import Identity, Store

#: Life of a session that a development key signs, seconds.
DEVELOPMENT_EXPIRY = 86_400
DEFAULT_DEVELOPMENT_AGENTS = 16
#: Most room that is made without being asked for; the prover needs some gigabytes for it.
AUTO_SHAPE = Shape(256, 256)


@dataclass(frozen=True, kw_only=True)
class JobOptions:
    """What a job does, and where; options left ``None`` have the default their comment names."""

    source: Path
    state: Path
    out: Path
    keys: Path
    chain_id: int = 31337
    form: str | None = None  # recognised
    skip: int = 0
    limit: int | None = None  # all
    genesis: Path | None = None  # development accounts
    dev_agents: int | None = None  # 16, or all that the genesis file marks
    prices: Prices = DEFAULT_PRICES
    operator_share_bps: int = 500
    payout: int | None = None  # the operator's L1 address
    l1_time: int | None = None  # now
    shape: Shape | None = None  # the state folder's, or just enough room
    engine: str = "auto"


@dataclass(frozen=True, kw_only=True)
class JobResult:
    """How a job ended.

    ``changed`` is false if it had been finished before, ``proved`` says whether the proof was made now; ``seconds`` are
    of witness and proof, whenever they were made.
    """

    job: str
    changed: bool
    resumed: bool
    proved: bool
    batch: Batch
    constraints: int
    seconds: dict[str, float]
    provenance: dict[str, Any]
    out: Path


def prove_batch(options: JobOptions, reporter: Reporter | None = None) -> JobResult:
    """Run a job, or what is left of it.

    Raises:
        AitbcError: whatever the input, the options, the folders or the proof give rise to.
    """
    with Store(options.state) as store:
        return Job(options, store, reporter or Silent()).run()


def initialise(
    state: Path, found: Genesis, shape: Shape, keys: Path, engine: str, reporter: Reporter | None = None
) -> Domain:
    """Make a state folder without a batch, so that agents know which contract they sign for.

    A folder made before is checked to be for the same genesis and shape, and left as it is.

    Raises:
        AitbcError: the folder is another's, or cannot be made.
    """
    reporter = reporter or Silent()
    with Store(state) as store:
        if store.meta:
            store.check(Identity(found.digest(), store.domain(), shape))
            return store.domain()
        with stage(reporter, "keys") as running:
            made = load_or_make(shape, keys, load_engine(engine), reporter)
            running.note = _key_note(made)
        return bind(store, found, shape, made.proving_key.verifying_key)


def bind(store: Store, found: Genesis, shape: Shape, key: VerifyingKey) -> Domain:
    """Bind a new store to a genesis and the contract that follows from it and a circuit's key."""
    domain = domain_of(found, key)
    store.bind(Identity(found.digest(), domain, shape), found, verification_key_to_json(key))
    return domain


def domain_of(found: Genesis, key: VerifyingKey) -> Domain:
    """Chain, contract and shard of a genesis under a circuit's key."""
    from .deployment import deployment  # web3 behind it takes a second to import

    plan = deployment(key, genesis_root=found.root, shard=found.shard, operator=found.operator_address)
    return Domain(found.chain_id, int(plan.rollup, 16), found.shard)


def _key_note(keys: CircuitKeys) -> str:
    return "made, development key" if keys.made else f"from {keys.path}"


class Job:
    """One run of a job over an open store."""

    def __init__(self, options: JobOptions, store: Store, reporter: Reporter) -> None:
        self.options = options
        self.store = store
        self.reporter = reporter
        self.genesis = self._genesis()
        self._keys: CircuitKeys | None = None

    def run(self) -> JobResult:
        """Every stage that is not done yet."""
        with stage(self.reporter, "ingest") as running:
            options = self.options
            selection = ingest.read(options.source, form=options.form, skip=options.skip, limit=options.limit)
            running.note = f"{len(selection.records)} records"
        assignment = self._assignment(selection)
        shape = self._shape(selection, assignment)
        domain = self._domain(shape)
        name = self._job_name(selection, assignment, domain, shape)
        job = self.store.job(name)
        found = job is not None
        if job is None:
            with stage(self.reporter, "sealed") as running:
                job = self._seal(name, selection, assignment, domain, shape)
                running.note = f"batch {job['batch']}"
        batch = self.store.batch(job["batch"])
        proven = "proof" in job
        if not proven:
            job = self._prove(name, job, batch)
        with stage(self.reporter, "files") as running:
            written = bundle.write(options.out, self._files(job, batch))
            running.note = str(options.out) if written else "unchanged"
        return JobResult(
            job=name,
            changed=not proven or written,
            resumed=found and not proven,
            proved=not proven,
            batch=batch,
            constraints=job["constraints"],
            seconds=job["seconds"],
            provenance=job["provenance"],
            out=options.out,
        )

    # -- before anything is written ----------------------------------------------------------------------

    def _genesis(self) -> Genesis:
        options = self.options
        if options.genesis is not None:
            found = genesis.load(options.genesis)
        elif (kept := self.store.genesis_json()) is not None and options.dev_agents is None:
            found = genesis.from_json(kept, str(options.state))
        else:
            found = genesis.development(options.chain_id, options.dev_agents or DEFAULT_DEVELOPMENT_AGENTS)
        if found.chain_id != options.chain_id:
            raise UsageError(
                "genesis is for another chain",
                place=str(options.genesis or options.state),
                expected=f"chain id {options.chain_id}, from --chain-id",
                got=str(found.chain_id),
            )
        return found

    def _assignment(self, selection: Selection) -> Assignment | None:
        """Who signs for a trace; nothing for sessions, which are signed."""
        if not selection.rows:
            return None
        operator = self.genesis.operator_index
        provider, *agents = sorted(self.genesis.development_indices - {operator}) or [operator]
        wanted = self.options.dev_agents or len(agents)
        if not agents or wanted > len(agents):
            raise BadInputError(
                "not enough development accounts to sign for a trace",
                place=str(self.options.genesis or self.options.state),
                expected=f'a provider and {max(wanted, 1)} agents marked "development": true',
                got=f"{len(agents)} agents",
                hint="traces carry no signatures: use --dev-agents, or give signed sessions",
            )
        return Assignment(tuple(agents[:wanted]), provider, self.options.prices, self.options.operator_share_bps)

    def _shape(self, selection: Selection, assignment: Assignment | None) -> Shape:
        """The shape asked for, or the state folder's, or the least powers of two with room enough."""
        if assignment is None:
            sessions = len(selection.sessions)
            providers = len({signed.session.provider_index for signed, _ in selection.sessions})
        else:
            sessions, providers = len(group(selection.rows, assignment.agents)), 1
        bound = bool(self.store.meta)
        shape = self.options.shape
        if shape is None and bound:
            shape = self.store.shape()
        if shape is None:
            check_room(sessions, providers, AUTO_SHAPE)
            shape = Shape(1 << (sessions - 1).bit_length(), 1 << (providers - 1).bit_length())
        if bound:
            self.store.check(Identity(self.genesis.digest(), self.store.domain(), shape))
        check_room(sessions, providers, shape)
        return shape

    def _domain(self, shape: Shape) -> Domain:
        """Chain, contract and shard; a new state folder is bound here, which needs the circuit's key."""
        if self.store.meta:
            return self.store.domain()
        return bind(self.store, self.genesis, shape, self._load_keys(shape).proving_key.verifying_key)

    def _load_keys(self, shape: Shape) -> CircuitKeys:
        if self._keys is None:
            with stage(self.reporter, "keys") as running:
                engine = load_engine(self.options.engine)
                self._keys = load_or_make(shape, self.options.keys, engine, self.reporter)
                running.note = _key_note(self._keys)
        return self._keys

    def _job_name(self, selection: Selection, assignment: Assignment | None, domain: Domain, shape: Shape) -> str:
        options = self.options
        parts = {
            "state": Identity(self.genesis.digest(), domain, shape).as_dict(),
            "format": selection.format,
            "records": [identity.hex() for identity, _ in selection.records],
            "signatures": [[*signed.signature.r8, signed.signature.s] for signed, _ in selection.sessions],
            "assignment": None if assignment is None else str(assignment),
            "payout": self._payout(),
            "l1_time": options.l1_time,
        }
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def _payout(self) -> int:
        return self.genesis.operator_address if self.options.payout is None else self.options.payout

    # -- the stages --------------------------------------------------------------------------------------

    def _seal(
        self, name: str, selection: Selection, assignment: Assignment | None, domain: Domain, shape: Shape
    ) -> dict[str, Any]:
        """Check, apply and seal the batch."""
        self.store.check_unbilled(selection.records)
        l1_time = self._l1_time()
        state = self.store.state()
        if assignment is None:
            for signed, found in selection.sessions:
                check_domain(found, domain, signed.place)
            sessions: Sequence[SignedSession] = [signed for signed, _ in selection.sessions]
        else:
            nonces = {agent: state.account(agent).nonce for agent in assignment.agents}
            sessions = sign_rows(selection.rows, assignment, nonces, domain, l1_time + DEVELOPMENT_EXPIRY)
        signers = {signed.session.agent_index for signed in sessions}
        context = BatchContext(
            domain=domain,
            batch_number=self.store.batch_count + 1,
            mode=Mode.DEVELOPMENT_KEYS if signers & self.genesis.development_indices else 0,
            l1_time=l1_time,
            operator_index=self.genesis.operator_index,
        )
        batch = build(state, sessions, context, shape)
        job = {
            "batch": context.batch_number,
            "payout": self._payout(),
            "provenance": _provenance(selection, assignment),
        }
        self.store.seal(batch, state, [identity for identity, _ in selection.records], name, job)
        return job

    def _l1_time(self) -> int:
        """The L1 time asked for, or now; never before the last batch's."""
        last = self.store.last_l1_time
        chosen = self.options.l1_time
        if chosen is None:
            return max(int(time.time()), last)
        check_width(chosen, 40, field="--l1-time")
        if chosen < last:
            raise BadInputError(
                "the L1 time lies before the last batch's",
                place="--l1-time",
                expected=f"at least {last}",
                got=str(chosen),
            )
        return chosen

    def _prove(self, name: str, job: dict[str, Any], batch: Batch) -> dict[str, Any]:
        """Witness and proof; the proof is kept with the job."""
        keys = self._load_keys(batch.shape)
        domain = domain_of(self.genesis, keys.proving_key.verifying_key)
        if domain != batch.context.domain:
            raise BadInputError(
                "the proving key is not the one this state folder was made with",
                place=str(keys.path),
                expected=f"a key whose contract is {format_address(batch.context.domain.contract)}",
                got=f"one whose contract is {format_address(domain.contract)}",
                hint="put the old key back, or begin again with a new --state folder",
            )
        with stage(self.reporter, "witness") as making:
            witness = keys.circuit.witness(circuit_inputs(batch, job["payout"]))
            assert_satisfied(keys.circuit, witness)
            seconds = {"witness": making.seconds}
            making.note = f"{keys.circuit.r1cs.n_constraints:,} constraints"
        with stage(self.reporter, "proof") as proving:
            proof = prove(
                keys.proving_key,
                witness,
                engine=load_engine(self.options.engine),
                progress=lambda detail, share: self.reporter.progress("proof", detail, share),
            )
            seconds["proof"] = proving.seconds
            constraints = keys.circuit.r1cs.n_constraints
            job = job | {"proof": proof_to_json(proof), "constraints": constraints, "seconds": seconds}
            self.store.update_job(name, job)
        return job

    def _files(self, job: dict[str, Any], batch: Batch) -> dict[str, bytes]:
        return bundle.contents(
            batch,
            proof=proof_from_json(job["proof"]),
            key=verification_key_from_json(self.store.verification_key_json()),
            payout=job["payout"],
            origin=bundle.Origin(self.genesis.digest(), self.genesis.root, self.genesis.operator_address),
            provenance=job["provenance"],
        )


def _provenance(selection: Selection, assignment: Assignment | None) -> dict[str, Any]:
    """Where a batch's records come from, and what nobody measured or signed."""
    if assignment is None:
        return {"source": selection.format, "signed_by": "agents"}
    return {
        "source": selection.format,
        "signed_by": "development keys",
        "unstated": list(azure.UNSTATED),
        "prices": {"input": assignment.prices.input, "output": assignment.prices.output},
        "operator_share_bps": assignment.operator_share_bps,
    }
