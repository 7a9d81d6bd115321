"""The demonstration: real requests down the whole road, on an L1 inside this process, and an altered batch refused.

Every run takes the same steps. What an earlier run left (keys, sealed batch, proof) is used again; the embedded chain
is new each time, so a batch that has become too old for it, or was made for other contracts, is begun again.
"""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path

from eth_utils.address import to_checksum_address

from aitbc_rollup.circuits.statements.batch.layout import PAGE_RECORDS, SESSION_WORDS, WORD_BYTES
from aitbc_rollup.errors import BadInputError, InvalidError, L1Error
from aitbc_rollup.verifier.formats import proof_to_calldata

from . import bundle
from .binding import to_words
from .bundle import Bundle
from .checks import format_address
from .data import decode
from .deployment import Submission, plan_of, submit
from .job import JobOptions, JobResult
from .l1.client import connect
from .l1.contracts import deploy
from .l1.rollup_contract import RollupContract
from .l1.signer import Signer, development_signer
from .node import prove_batch
from .posting import posting_of
from .reporting import Reporter, stage
from .store import Store

#: Agents that share the requests: a full batch of 256 is sixteen sessions of sixteen.
AGENTS = 16
#: Most records of the one batch: 256 pages.
MAX_RECORDS = 4096
#: A batch older than this is begun again, seconds; the contract's own limit is a day.
MAX_AGE = 12 * 60 * 60


@dataclass(frozen=True, slots=True)
class DemoResult:
    """What the demonstration did: the batch, its way over the L1, and how the L1 refused the altered one."""

    job: JobResult
    submission: Submission
    refusal: str
    proof_bytes: int


def example(name: str = "azure_llm/requests_256.csv") -> Path:
    """A file of ``examples/``, which the package carries."""
    return Path(str(files("aitbc_rollup"))) / "examples" / name


def run(source: Path, folder: Path, keys: Path, limit: int, engine: str, reporter: Reporter) -> DemoResult:
    """Records to a finalized root, then the altered batch.

    Args:
        source: a trace.
        folder: kept from run to run; one folder within it a limit.
        keys: folder of proving keys.
        limit: records to take.
        engine: what computes the proof.
        reporter: told each stage.

    Raises:
        AitbcError: any step failed, or the L1 accepted what it must refuse.
    """
    home = folder / f"{limit}-records"
    _drop_stale(home)
    options = JobOptions(
        source=source,
        state=home / "state",
        out=home / "batch",
        keys=keys,
        limit=limit,
        dev_agents=AGENTS,
        most_pages=MAX_RECORDS // PAGE_RECORDS,
        engine=engine,
    )
    job = prove_batch(options, reporter)
    found = bundle.load(options.out)
    bundle.verify(found)
    signer = development_signer()
    with stage(reporter, "chain"):
        client = connect()
    submission = submit(found, posting_of(found), client, signer, reporter)
    if submission.state_root != found.data.new_root:
        raise InvalidError(
            "the L1's root is not the batch's", expected=hex(found.data.new_root), got=hex(submission.state_root)
        )
    with stage(reporter, "tamper") as running:
        refusal = refused(found, signer)
        running.note = refusal
    return DemoResult(job, submission, refusal, len(proof_to_calldata(found.proof)) * WORD_BYTES)


def refused(found: Bundle, signer: Signer) -> str:
    """How a new L1 refuses the batch with one byte changed, in the contract's words.

    The byte is the lowest of the first session's fee. The operator here cheats as well as it can: it commits to the
    altered data, with the C that belongs to them, and brings the proof of the honest ones.

    Raises:
        InvalidError: the L1 did not refuse.
    """
    data = bytearray(found.data.posted)
    first_session = len(data) - WORD_BYTES * SESSION_WORDS * len(found.data.sessions)
    data[first_session + WORD_BYTES + 15] ^= 1
    place = "altered data"
    altered = decode(to_words(bytes(data), place), found.data.queue_items, place).binding(found.shape)
    posting = replace(posting_of(found), data=bytes(data), binding=altered)
    client = connect()
    plan = plan_of(found)
    deploy(client, signer, plan)
    contract = RollupContract(client, plan.rollup)
    contract.commit(signer, posting)
    try:
        payout = to_checksum_address(format_address(found.payout))
        contract.prove(signer, found.data.context.batch_number, altered, payout, found.proof)
    except L1Error as error:
        return error.message
    raise InvalidError("the L1 accepted a proof for altered data", expected="a refusal", got="a proven batch")


def _drop_stale(home: Path) -> None:
    """Remove what an earlier run left if the chain would not take it any more."""
    try:
        with Store.existing(home / "state") as store:
            stale = store.batch_count > 0 and time.time() - store.last_l1_time > MAX_AGE
        if not stale and (home / "batch" / bundle.BATCH).is_file():
            found = bundle.load(home / "batch")
            stale = int(plan_of(found).rollup, 16) != found.data.context.domain.contract
    except BadInputError:
        stale = home.exists()  # nothing there, or nothing that reads
    if stale:
        shutil.rmtree(home)
