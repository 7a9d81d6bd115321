"""The whole job: what waits becomes sealed, proven batches and their files.

::

    ingest   read, select and check the input                             nothing kept
    sealed   state, batches, billed records, job: one LMDB transaction    durable
    witness  the inputs of a batch's circuit                              made again after a kill
    proof    Groth16, verified, kept with the job                         durable
    files    proof.json public.json verification_key.json batch.json      each whole or absent

The last three once a batch: an input that is more than the circuit has room for takes several. A job's identity is a
hash of what was selected and of every option that enters its batches. The same command again finds the job and goes on
after its last durable stage; a finished job changes nothing.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from typing import Any

from aitbc_rollup.circuits.statements.batch.layout import INDEX_BITS, PAGE_RECORDS, TIME_BITS
from aitbc_rollup.circuits.statements.batch.shape import Shape
from aitbc_rollup.errors import BadInputError, UsageError
from aitbc_rollup.prover.engine import load_engine
from aitbc_rollup.verifier.formats import (
    proof_from_json,
    proof_to_json,
    verification_key_from_json,
    verification_key_to_json,
)
from aitbc_rollup.verifier.types import Proof

from . import bundle, genesis, ingest
from .batch import Batch
from .checks import check_width
from .dev_agents import Assignment, group
from .genesis import Genesis
from .ingest import Selection, azure
from .job import BatchResult, JobOptions, JobResult
from .keys import CircuitKeys, load_or_make
from .l1.plan import Deployment
from .plan import Terms, billed, cut, offers_of_signed, offers_of_trace, plan
from .proving import prove_batch as prove
from .reporting import Reporter, Silent, stage
from .room import needed, of_kind, shape_for
from .shard import bind, key_note
from .store import Identity, Store
from .transactions import Domain, QueueItem, Registration, SignedSession, SignedTransfer, Transactions

#: Life of a session that a development key signs, seconds.
DEVELOPMENT_EXPIRY = 86_400
DEFAULT_DEVELOPMENT_AGENTS = 16
#: Source of a batch of nothing but queue items.
_QUEUE = "queue"


def prove_batch(options: JobOptions, reporter: Reporter | None = None) -> JobResult:
    """Run a job, or what is left of it.

    Raises:
        AitbcError: whatever the input, the options, the folders or the proof give rise to.
    """
    with Store(options.state) as store:
        return Job(options, store, reporter or Silent()).run()


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
            selection, registrations = self._read()
            running.note = self._read_note(selection, registrations)
        assignment = self._assignment(selection)
        shape = self._shape(selection, assignment)
        domain = self._domain(shape)
        name = self._job_name(selection, registrations, assignment, domain, shape)
        job = self.store.job(name)
        found = job is not None
        if job is None:
            with stage(self.reporter, "sealed") as running:
                job = self._seal(name, selection, registrations, assignment, domain, shape)
                first, last = job["batches"]
                running.note = f"batch {first}" if first == last else f"batches {first} to {last}"
        resumed = found and not self._is_done(job)
        first, last = job["batches"]
        results = tuple(self._finish(name, job, number) for number in range(first, last + 1))
        return JobResult(job=name, batches=results, resumed=resumed, provenance=job["provenance"])

    # -- before anything is written ----------------------------------------------------------------------

    def _read(self) -> tuple[Selection, list[Registration]]:
        options = self.options
        if options.source is None and options.registrations is None and options.queue is None:
            raise UsageError(
                "there is nothing to prove",
                expected="an INPUT, --registrations or --queue",
                got="none of them",
                hint="`aitbc-rollup prove-batch --help` shows them",
            )
        selection = ingest.NOTHING
        if options.source is not None:
            selection = ingest.read(options.source, form=options.form, skip=options.skip, limit=options.limit)
        registrations = [] if options.registrations is None else ingest.read_registrations(options.registrations)
        return selection, registrations

    @staticmethod
    def _read_note(selection: Selection, registrations: Sequence[Registration]) -> str:
        sessions = [signed.session for signed, _ in selection.signed if isinstance(signed, SignedSession)]
        counts = {
            "records": len(selection.rows) + sum(session.count for session in sessions),
            "transfers": len(selection.signed) - len(sessions),
            "registrations": len(registrations),
        }
        return ", ".join(f"{count} {name}" for name, count in counts.items() if count or name == "records")

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
        """Who signs for a trace; nothing for what is signed."""
        if not selection.rows:
            return None
        options = self.options
        operator = self.genesis.operator_index
        provider, *agents = sorted(self.genesis.development_indices - {operator}) or [operator]
        wanted = options.dev_agents or len(agents)
        if not agents or wanted > len(agents):
            raise BadInputError(
                "not enough development accounts to sign for a trace",
                place=str(options.genesis or options.state),
                expected=f'a provider and {max(wanted, 1)} agents marked "development": true',
                got=f"{len(agents)} agents",
                hint="traces carry no signatures: use --dev-agents, or give signed sessions",
            )
        return Assignment(
            tuple(agents[:wanted]), provider, options.prices, options.operator_share_bps, options.session_records
        )

    def _shape(self, selection: Selection, assignment: Assignment | None) -> Shape:
        """The shape asked for, or the state folder's, or the least powers of two with room enough.

        A batch's kind is its job's: the folder's contract takes every kind that its router has a circuit for.
        """
        bound = bool(self.store.meta)
        shape = self.options.shape or (self.store.shape() if bound else self._auto_shape(selection, assignment))
        shape = of_kind(shape, self.options.data)
        if bound:
            same_kind = of_kind(shape, self.store.shape().kind)
            self.store.check(Identity(self.genesis.digest(), self.store.domain(), same_kind))
        return shape

    def _auto_shape(self, selection: Selection, assignment: Assignment | None) -> Shape:
        operator = self.genesis.operator_index
        if assignment is None:
            sessions = tuple(signed for signed, _ in selection.signed if isinstance(signed, SignedSession))
            pages = [signed.session.pages for signed in sessions]
            accounts = needed(Transactions(sessions=sessions), operator)["accounts"]
            countersigned = any(signed.countersignature for signed in sessions)
        else:
            groups = group(selection.rows, assignment)
            pages = [-(-len(rows) // PAGE_RECORDS) for _, rows in groups]
            accounts, countersigned = len({agent for agent, _ in groups}) + 2, False
        levels = -(-self.genesis.last_index.bit_length() // 2) + 1  # of the tree, for four times as many accounts
        return shape_for(
            pages,
            accounts,
            countersigned=countersigned,
            most_pages=self.options.most_pages,
            index_bits=min(INDEX_BITS, 2 * levels),
        )

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
                running.note = key_note(self._keys)
        return self._keys

    def _job_name(
        self,
        selection: Selection,
        registrations: Sequence[Registration],
        assignment: Assignment | None,
        domain: Domain,
        shape: Shape,
    ) -> str:
        """The job's identity.

        Items of the queue are not in it: more may come between a kill and the command's repetition. A job of nothing
        else goes on with the last such one if that is unfinished, and is a new one otherwise.
        """
        options = self.options
        parts = {
            "state": Identity(self.genesis.digest(), domain, shape).as_dict(),
            "format": selection.format,
            "rows": [row.identity.hex() for row in selection.rows],
            "signed": [_signature(signed) for signed, _ in selection.signed],
            "registrations": [str(registration) for registration in registrations],
            "assignment": None if assignment is None else str(assignment),
            "payout": self._payout(),
            "l1_time": options.l1_time,
        }
        if not (selection.rows or selection.signed or registrations):
            last = self.store.last_job()
            if last is not None and last[1]["provenance"]["source"] == _QUEUE and not self._is_done(last[1]):
                return last[0]
            parts["queue items before"] = self.store.queue_items
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    @staticmethod
    def _is_done(job: dict[str, Any]) -> bool:
        first, last = (int(number) for number in job["batches"])
        proofs: dict[str, Any] = job["proofs"]
        return len(proofs) == last - first + 1

    def _payout(self) -> int:
        return self.genesis.operator_address if self.options.payout is None else self.options.payout

    # -- sealing -----------------------------------------------------------------------------------------

    def _seal(
        self,
        name: str,
        selection: Selection,
        registrations: Sequence[Registration],
        assignment: Assignment | None,
        domain: Domain,
        shape: Shape,
    ) -> dict[str, Any]:
        """Check, apply and seal all batches of the job."""
        l1_time = self._l1_time()
        state = self.store.state()
        if assignment is None:
            offers = offers_of_signed(selection, domain)
        else:
            offers = offers_of_trace(selection, assignment, state, domain, l1_time + DEVELOPMENT_EXPIRY)
        self.store.check_unbilled(record for offer in offers for record in offer.records)
        terms = Terms(domain, shape, l1_time, self.genesis.operator_index, self.genesis.development_indices)
        queue: Sequence[QueueItem] = ()
        if self.options.queue is not None:
            without = cut(offers, (), registrations, terms)
            queue = self.options.queue(domain, self.store.queue_items, shape.queue * max(1, len(without)))
        planned = plan(state, self.store.batch_count + 1, offers, queue, registrations, terms)
        if not planned:
            raise BadInputError(
                "nothing to take", place="--queue", expected="items that wait in the contract's queue", got="none"
            )
        numbers = [batch.data.context.batch_number for batch, _ in planned]
        job = {
            "batches": [numbers[0], numbers[-1]],
            "payout": self._payout(),
            "provenance": _provenance(selection, registrations, assignment),
            "proofs": {},
        }
        self.store.seal(planned, billed(offers, [batch for batch, _ in planned]), name, job)
        return job

    def _l1_time(self) -> int:
        """The L1 time asked for, or now; never before the last batch's."""
        last = self.store.last_l1_time
        chosen = self.options.l1_time
        if chosen is None:
            return max(int(time.time()), last)
        check_width(chosen, TIME_BITS, field="--l1-time")
        if chosen < last:
            raise BadInputError(
                "the L1 time lies before the last batch's",
                place="--l1-time",
                expected=f"at least {last}",
                got=str(chosen),
            )
        return chosen

    # -- proving -----------------------------------------------------------------------------------------

    def _finish(self, name: str, job: dict[str, Any], number: int) -> BatchResult:
        """Prove one batch of the job if it is not, and write its files."""
        batch = self.store.batch(number)
        proved = str(number) not in job["proofs"]
        if proved:
            self._prove(name, job, batch)
        first, last = job["batches"]
        out = self.options.out if first == last else self.options.out / f"batch-{number}"
        kept = job["proofs"][str(number)]
        with stage(self.reporter, "files") as running:
            files = bundle.contents(
                batch,
                proof=proof_from_json(kept["proof"]),
                key=verification_key_from_json(self.store.verification_key_json(batch.shape)),
                payout=job["payout"],
                origin=bundle.Origin(self.genesis.digest(), Deployment.from_json(self.store.plan_json(), "plan")),
                provenance=job["provenance"],
            )
            written = bundle.write(out, files)
            running.note = str(out) if written else "unchanged"
        return BatchResult(
            batch=batch,
            proved=proved,
            changed=proved or written,
            constraints=kept["constraints"],
            seconds=kept["seconds"],
            out=out,
        )

    def _prove(self, name: str, job: dict[str, Any], batch: Batch) -> None:
        """Prove a batch, and keep proof, constraints and seconds with its job."""
        keys = self._load_keys(batch.shape)
        key = keys.proving_key.verifying_key
        known = self.store.verification_key_json(batch.shape)
        if known is None:
            self.store.keep_verification_key(batch.shape, verification_key_to_json(key))
        elif verification_key_from_json(known) != key:
            raise BadInputError(
                "the proving key is not the one this state folder was made with",
                place=str(keys.path),
                expected="a key that goes with the verifying key kept there",
                got="another one's",
                hint="put the old key back, or begin again with a new --state folder",
            )

        def keep(proof: Proof, seconds: dict[str, float]) -> None:
            constraints = keys.circuit.r1cs.n_constraints
            kept = {"proof": proof_to_json(proof), "constraints": constraints, "seconds": seconds}
            job["proofs"][str(batch.data.context.batch_number)] = kept
            self.store.update_job(name, job)

        prove(batch, job["payout"], keys, load_engine(self.options.engine), self.reporter, keep)


def _signature(signed: SignedSession | SignedTransfer) -> list[int]:
    first = [*signed.signature.r8, signed.signature.s]
    second = signed.countersignature if isinstance(signed, SignedSession) else None
    return first if second is None else [*first, *second.r8, second.s]


def _provenance(
    selection: Selection, registrations: Sequence[Registration], assignment: Assignment | None
) -> dict[str, Any]:
    """Where a batch's records come from, and what nobody measured or signed."""
    if selection.signed:
        return {"source": selection.format, "signed_by": "agents"}
    if assignment is None:
        return {"source": "registrations" if registrations else _QUEUE}
    return {
        "source": selection.format,
        "signed_by": "development keys",
        "unstated": list(azure.UNSTATED),
        "prices": {"input": assignment.prices.input, "output": assignment.prices.output},
        "operator_share_bps": assignment.operator_share_bps,
    }
