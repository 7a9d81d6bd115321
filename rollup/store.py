"""The node's memory on disk: accounts, tree, sealed batches, billed records, jobs. LMDB, one folder.

Sealing a job's batches is one LMDB transaction: state, batches, record identities and job advance together or not at
all, and are on disk when :meth:`Store.seal` returns. With each batch goes what it overwrote, so that :meth:`Store.undo`
steps back as exactly, in one transaction too. A process killed at any moment leaves the last sealed state. A lock file
keeps a second process out of the folder; the kernel drops it with the process.

The folder belongs to one genesis, contract and circuit shape; opening it for others is refused. Only the shape's kind
may be another from batch to batch: each kind has a circuit and a key of its own, and one state.
"""

from __future__ import annotations

import fcntl
import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import lmdb

from aitbc_rollup.circuits.statements.batch.shape import Shape
from aitbc_rollup.errors import BadInputError, ResourceError

from .accounts import Account
from .batch import Batch
from .batch_codec import batch_from_json, batch_to_json, sessions_from_json
from .checks import format_address
from .data import BatchContext, Head
from .genesis import Genesis
from .state import State
from .transactions import Domain, SignedSession
from .undo import Writer, overwrite, restore, rewind, shorten_job, text

SCHEMA = 3
#: Address space set aside for the file; it grows only as it is written.
MAP_BYTES = 1 << 36
_TABLES = ("meta", "accounts", "nodes", "batches", "billed", "jobs")
#: Of the folder's meta data, what a batch advances.
_ADVANCED = ("batches", "queue_items", "l1_time")


@dataclass(frozen=True, slots=True)
class Identity:
    """What a state folder is bound to."""

    genesis: str
    domain: Domain
    shape: Shape

    def as_dict(self) -> dict[str, str]:
        """By name, as text, in the order in which they are compared."""
        return {
            "genesis": self.genesis,
            "chain id": str(self.domain.chain_id),
            "shard": str(self.domain.shard),
            "shape": str(self.shape),
            "contract": format_address(self.domain.contract),
        }


@dataclass(frozen=True, slots=True)
class _Sealed:
    """A batch as it is written: roots before and after, how many queue items, its body, job, and records billed."""

    context: BatchContext
    roots: tuple[int, int]
    queue_items: int
    body: Any
    job: str
    billed: list[str]


class Store:
    """An open state folder; use as a context manager. It is also the ``Source`` of a :class:`State`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = _lock(folder)
        try:
            self._env = lmdb.open(str(folder / "state.lmdb"), map_size=MAP_BYTES, max_dbs=len(_TABLES), subdir=True)
            self._tables = {name: self._env.open_db(name.encode()) for name in _TABLES}
        except lmdb.Error as error:
            self._lock.close()
            raise ResourceError(
                "the state folder cannot be opened",
                place=str(folder),
                expected="an LMDB environment of this program's",
                got=str(error),
                hint="put a backup back, or name another folder with --state",
            ) from None

    @classmethod
    def existing(cls, folder: Path) -> Store:
        """Open a folder that must be there already.

        Raises:
            BadInputError: it is not.
        """
        if not (folder / "state.lmdb").is_dir():
            raise BadInputError(
                "no state folder",
                place=str(folder),
                expected="one that init or prove-batch has made",
                got="none",
                hint="--state names it",
            )
        return cls(folder)

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the files and let the next process in."""
        self._env.close()
        self._lock.close()

    # -- meta --------------------------------------------------------------------------------------------

    @property
    def meta(self) -> dict[str, Any]:
        """What the folder is bound to; empty for a new one."""
        raw = self._get("meta", b"meta")
        return {} if raw is None else dict(json.loads(raw))

    def bind(self, identity: Identity, genesis: Genesis, verification_key: Any, plan: Any = None) -> None:
        """Bind a new folder to an identity and write the genesis state; or :meth:`check` that it is bound to this one.

        Args:
            identity: what the folder belongs to from now on.
            genesis: the accounts it begins with.
            verification_key: JSON of the circuit's verifying key; kept for a new folder.
            plan: JSON of the contract's deployment; kept for a new folder.

        Raises:
            BadInputError: it is bound to another.
        """
        if self.meta:
            self.check(identity)
            return
        state = genesis.state()
        root = state.root
        meta = {"schema": SCHEMA, "batches": 0, "queue_items": 0} | identity.as_dict()
        with self._write() as write:
            overwrite(write, state)
            write.put("batches", b"root" + bytes(8), root.to_bytes(32, "big") + bytes(8))
            write.put("meta", b"genesis", text(genesis.to_json()))
            write.put("meta", _key_of(identity.shape), text(verification_key))
            write.put("meta", b"plan", text(plan))
            write.put("meta", b"meta", text(meta))

    def check(self, identity: Identity) -> None:
        """Check that the folder is bound to this identity.

        Raises:
            BadInputError: it is bound to another.
        """
        meta = self.meta
        for name, value in ({"schema": SCHEMA} | identity.as_dict()).items():
            if meta[name] != value:
                raise BadInputError(
                    f"the state folder belongs to another {name}",
                    place=str(self._folder),
                    expected=str(value),
                    got=str(meta[name]),
                    hint="give the options it was made with, or another folder with --state",
                )

    def shape(self) -> Shape:
        """The circuit shape the folder is bound to."""
        return Shape.parse(self.meta["shape"])

    def domain(self) -> Domain:
        """Chain, contract and shard the folder is bound to."""
        meta = self.meta
        return Domain(int(meta["chain id"]), int(meta["contract"], 16), int(meta["shard"]))

    def verification_key_json(self, shape: Shape | None = None) -> Any:
        """The verifying key, as JSON, of a circuit that proves batches of the folder; or nothing.

        Args:
            shape: the circuit's; the one the folder is bound to if left out.
        """
        if shape is None and not self.meta:
            return None
        raw = self._get("meta", _key_of(shape or self.shape()))
        return None if raw is None else json.loads(raw)

    def keep_verification_key(self, shape: Shape, verification_key: Any) -> None:
        """Keep the key of one circuit more; on disk on return."""
        with self._write() as write:
            write.put("meta", _key_of(shape), text(verification_key))

    def plan_json(self) -> Any:
        """The deployment of the folder's contract, as JSON, or nothing."""
        raw = self._get("meta", b"plan")
        return None if raw is None else json.loads(raw)

    def genesis_json(self) -> Any:
        """The genesis file's content that the folder was made from, or nothing."""
        raw = self._get("meta", b"genesis")
        return None if raw is None else json.loads(raw)

    # -- state -------------------------------------------------------------------------------------------

    def account(self, index: int) -> Account | None:
        """The account at this index, if there is one."""
        raw = self._get("accounts", index.to_bytes(4, "big"))
        return None if raw is None else Account.from_words([int(word) for word in raw.split()])

    def node(self, level: int, index: int) -> int | None:
        """The tree's node, if its subtree is not empty."""
        raw = self._get("nodes", bytes([level]) + index.to_bytes(4, "big"))
        return None if raw is None else int.from_bytes(raw, "big")

    def state(self) -> State:
        """The state as last sealed; changes to it stay in memory until sealed."""
        return State(self)

    # -- batches and jobs --------------------------------------------------------------------------------

    @property
    def last_l1_time(self) -> int:
        """L1 time of the last sealed batch, unix seconds; 0 without one."""
        return int(self.meta.get("l1_time", 0))

    @property
    def queue_items(self) -> int:
        """Number of items of the L1's queue that sealed batches have taken."""
        return int(self.meta.get("queue_items", 0))

    def root_after(self, number: int) -> int:
        """The state root after a sealed batch; 0 means genesis.

        Raises:
            BadInputError: there is no such batch.
        """
        return self._after(number)[0]

    def queue_items_after(self, number: int) -> int:
        """Number of the last item of the L1's queue that a sealed batch or one before it has taken.

        Raises:
            BadInputError: there is no such batch.
        """
        return self._after(number)[1]

    def _after(self, number: int) -> tuple[int, int]:
        raw = self._get("batches", b"root" + number.to_bytes(8, "big"))
        if raw is None:
            raise self._no_batch(number)
        return int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")

    @property
    def batch_count(self) -> int:
        """Number of sealed batches; also the number of the last one."""
        return int(self.meta.get("batches", 0))

    def batch(self, number: int) -> Batch:
        """A sealed batch.

        Raises:
            BadInputError: there is none of this number.
        """
        value = self._body(number)
        if "adopted" in value:
            raise BadInputError(
                "the batch is the chain's, not this node's",
                place=f"batch {number} of {self._folder}",
                expected="a batch that was sealed here",
                got="one that was taken over, without its signed transactions",
            )
        return batch_from_json(value)

    def sessions(self, number: int) -> tuple[SignedSession, ...]:
        """The sessions of a batch, without folding it; none if it was taken over from the chain.

        Raises:
            BadInputError: there is none of this number.
        """
        value = self._body(number)
        return () if "adopted" in value else sessions_from_json(value)

    def is_adopted(self, number: int) -> bool:
        """Whether a batch was taken over from the chain.

        Raises:
            BadInputError: there is none of this number.
        """
        return "adopted" in self._body(number)

    def _body(self, number: int) -> dict[str, Any]:
        raw = self._get("batches", number.to_bytes(8, "big"))
        if raw is None:
            raise self._no_batch(number)
        return dict(json.loads(zlib.decompress(raw)))

    def job(self, name: str) -> dict[str, Any] | None:
        """What is kept of a job, by its identity."""
        raw = self._get("jobs", name.encode())
        return None if raw is None else dict(json.loads(raw))

    def job_of_batch(self, number: int) -> dict[str, Any]:
        """The job that sealed a batch."""
        name = self._get("batches", b"job" + number.to_bytes(8, "big"))
        job = None if name is None else self.job(name.decode())
        if job is None:
            raise self._no_batch(number)
        return job

    def last_job(self) -> tuple[str, dict[str, Any]] | None:
        """Identity and content of the job that sealed the last batch, or nothing."""
        name = self._get("batches", b"job" + self.batch_count.to_bytes(8, "big"))
        job = None if name is None else self.job(name.decode())
        return None if name is None or job is None else (name.decode(), job)

    def update_job(self, name: str, job: dict[str, Any]) -> None:
        """Replace what is kept of a job; on disk on return."""
        with self._write() as write:
            write.put("jobs", name.encode(), text(job))

    def billed_in(self, identity: bytes) -> int | None:
        """The batch that billed the record of this identity, 32 bytes; nothing if none did."""
        raw = self._get("billed", identity)
        return None if raw is None else int.from_bytes(raw, "big")

    def check_unbilled(self, identities: Iterable[tuple[bytes, str]]) -> None:
        """Refuse records that an earlier batch billed.

        Args:
            identities: of each record its identity (32 bytes) and its place for the message.

        Raises:
            BadInputError: naming the first such record and its batch.
        """
        for identity, place in identities:
            number = self.billed_in(identity)
            if number is not None:
                raise BadInputError(
                    "the record is already billed",
                    place=place,
                    expected="records of no earlier batch",
                    got=f"a record of batch {number}",
                    hint="leave out what is billed, with --skip and --limit",
                )

    def seal(
        self,
        batches: Sequence[tuple[Batch, State]],
        identities: Iterable[tuple[bytes, int]],
        name: str,
        job: dict[str, Any],
    ) -> None:
        """Advance the state by batches that follow one another, in one transaction; on disk on return.

        Args:
            batches: the next ones, each with the overlay after it on the one before, the first on this store.
            identities: of the records they bill, 32 bytes each, and the number of the batch that bills it.
            name: the job's identity.
            job: what is kept of the job.

        Raises:
            BadInputError: the batches are not the next ones.
            ResourceError: the disk is full.
        """
        billed: dict[int, list[str]] = {}
        meta = self.meta
        with self._write() as write:
            for identity, number in identities:
                write.put("billed", identity, number.to_bytes(8, "big"))
                billed.setdefault(number, []).append(identity.hex())
            for batch, state in batches:
                data = batch.data
                mine = billed.get(data.context.batch_number, [])
                roots, taken = (data.old_root, data.new_root), len(data.queue_items)
                sealed = _Sealed(data.context, roots, taken, batch_to_json(batch), name, mine)
                meta = self._advance(write, meta, sealed, state)
            write.put("jobs", name.encode(), text(job))
            write.put("meta", b"meta", text(meta))

    def adopt(self, head: Head, posted: bytes, state: State) -> None:
        """Advance the state by a batch that somebody else put on the chain; on disk on return.

        Args:
            head: what its header says.
            posted: what the chain has of it.
            state: the overlay after it, on this store.

        Raises:
            BadInputError: it is not the next one.
            ResourceError: the disk is full.
        """
        number, roots = head.context.batch_number, (head.old_root, head.new_root)
        name = f"batch {number}, adopted as 0x{head.new_root:064x}"
        job = {"batches": [number, number], "payout": 0, "provenance": {"source": "chain"}, "proofs": {}}
        body = {"adopted": posted.hex()}
        with self._write() as write:
            sealed = _Sealed(head.context, roots, head.counts["queue_items"], body, name, [])
            meta = self._advance(write, self.meta, sealed, state)
            write.put("jobs", name.encode(), text(job))
            write.put("meta", b"meta", text(meta))

    def _advance(self, write: Writer, meta: dict[str, Any], sealed: _Sealed, state: State) -> dict[str, Any]:
        """Write one batch, what it changes, and how that is undone; returns the meta data after it."""
        number, (old_root, new_root) = sealed.context.batch_number, sealed.roots
        before = write.get("batches", b"root" + int(meta["batches"]).to_bytes(8, "big")) or b""
        if number != meta["batches"] + 1 or old_root.to_bytes(32, "big") != before[:32]:
            raise BadInputError(
                "not the next batch", place=str(self._folder), expected=str(meta["batches"] + 1), got=str(number)
            )
        key = number.to_bytes(8, "big")
        undo = {
            "meta": {name: meta[name] for name in _ADVANCED if name in meta},
            "billed": sealed.billed,
            "old": overwrite(write, state),
        }
        write.put("batches", key, zlib.compress(text(sealed.body), 1))
        write.put("batches", b"undo" + key, zlib.compress(text(undo), 1))
        write.put("batches", b"job" + key, sealed.job.encode())
        taken = meta["queue_items"] + sealed.queue_items
        write.put("batches", b"root" + key, new_root.to_bytes(32, "big") + taken.to_bytes(8, "big"))
        return meta | {"batches": number, "queue_items": taken, "l1_time": sealed.context.l1_time}

    def state_after(self, number: int) -> State:
        """The state after a sealed batch, 0 being the genesis; nothing is written.

        Raises:
            BadInputError: there is no such batch.
        """
        if not 0 <= number <= self.batch_count:
            raise self._no_batch(number)
        state = self.state()
        for later in range(self.batch_count, number, -1):
            raw = self._get("batches", b"undo" + later.to_bytes(8, "big")) or b""
            rewind(state, json.loads(zlib.decompress(raw))["old"])
        return state

    def undo(self, last: int) -> list[int]:
        """Step back to the state after batch ``last``, in one transaction; on disk on return.

        Records that the batches behind it billed may be billed again. A job loses these batches, and its name if it
        keeps others: the same input then makes a new job.

        Returns:
            the numbers of the batches undone, the last one first.

        Raises:
            BadInputError: there is no such batch.
            ResourceError: the disk is full.
        """
        if not 0 <= last <= self.batch_count:
            raise self._no_batch(last)
        meta = self.meta
        undone = list(range(self.batch_count, last, -1))
        with self._write() as write:
            for number in undone:
                key = number.to_bytes(8, "big")
                kept = json.loads(zlib.decompress(write.get("batches", b"undo" + key) or b""))
                restore(write, kept["old"])
                for identity in kept["billed"]:
                    write.put("billed", bytes.fromhex(identity), None)
                gone = set(_ADVANCED).difference(kept["meta"])
                meta = {name: value for name, value in (meta | kept["meta"]).items() if name not in gone}
                shorten_job(write, number)
                for name in (b"", b"undo", b"job", b"root"):
                    write.put("batches", name + key, None)
            write.put("meta", b"meta", text(meta))
        return undone

    # -- the chain ---------------------------------------------------------------------------------------

    @property
    def checkpoints(self) -> list[tuple[int, bytes]]:
        """Number and hash of blocks of the chain up to which it was read, the oldest first."""
        raw = self._get("meta", b"checkpoints")
        return [] if raw is None else [(number, bytes.fromhex(text)) for number, text in json.loads(raw)]

    def keep_checkpoints(self, blocks: Sequence[tuple[int, bytes]]) -> None:
        """Replace these; on disk on return."""
        with self._write() as write:
            write.put("meta", b"checkpoints", text([[number, block.hex()] for number, block in blocks]))

    def _no_batch(self, number: int) -> BadInputError:
        return BadInputError(
            "no such batch", place=str(self._folder), expected=f"1 to {self.batch_count}", got=str(number)
        )

    # -- LMDB --------------------------------------------------------------------------------------------

    def _get(self, table: str, key: bytes) -> bytes | None:
        with self._env.begin(db=self._tables[table]) as transaction:
            found = transaction.get(key)
            return None if found is None else bytes(found)

    @contextmanager
    def _write(self) -> Iterator[Writer]:
        """One write transaction; commits, and reaches the disk, when the block ends without an exception."""
        try:
            with self._env.begin(write=True) as transaction:
                yield Writer(transaction, self._tables)
        except lmdb.Error as error:
            raise ResourceError(
                "the state folder cannot be written",
                place=str(self._folder),
                got=str(error),
                hint="make room on the disk",
            ) from None


def _key_of(shape: Shape) -> bytes:
    return f"verification_key {shape}".encode()


def _lock(folder: Path) -> IO[bytes]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / "lock").open("ab")
    except OSError as error:
        raise ResourceError(
            "the state folder cannot be made",
            place=str(folder),
            expected="a path to write to",
            got=error.strerror or str(error),
            hint="check the path, or name another with --state",
        ) from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise ResourceError(
            "the state folder is in use",
            place=str(folder),
            expected="one process at a time",
            got="another one holds its lock",
            hint="wait until it ends, or give another folder with --state",
        ) from None
    return file
