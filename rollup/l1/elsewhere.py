"""Data of batches that do not stand in their transactions: blobs from beacon nodes, and what an archive folder keeps.

An archive is a folder of files named by what the chain says of them, so that anybody can fill it and nobody needs to be
believed::

    <versioned hash>.blob      a blob, 131,072 bytes; checked against the hash
    <data hash>.words          what an attested batch left to its attesters; checked by who applies it, by the root

What is missing is an error of its own, :class:`DataMissingError`, which says how: docs/security.md, "When data are
missing".
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import Any

import requests
from eth_hash.auto import keccak

from aitbc_rollup.circuits.statements.batch.layout import Kind
from aitbc_rollup.circuits.statements.batch.shape import Shape
from aitbc_rollup.errors import AitbcError, BadInputError, L1Error

from ..binding import to_data
from ..data import BatchData, Head, words_in_blob
from ..files import make_folder, write_whole
from ..kzg import Blob
from .artifacts import artifact
from .bound import BoundContract

#: How long beacon nodes must serve blobs: MIN_EPOCHS_FOR_BLOB_SIDECARS_REQUESTS of 32 slots (consensus-specs, deneb).
BLOB_EPOCHS = 4096
SLOTS_AN_EPOCH = 32
SECONDS_A_SLOT = 12
BLOB_SECONDS = BLOB_EPOCHS * SLOTS_AN_EPOCH * SECONDS_A_SLOT
_TIMEOUT_S = 20.0


class Missing(Enum):
    """How data are missing."""

    WITHHELD = "withheld"
    PRUNED = "pruned"
    SILENT = "attester silent"


class DataMissingError(L1Error):
    """A committed batch's data cannot be had; ``how`` says in which sense, ``batch`` of which."""

    def __init__(self, how: Missing, batch: int, expected: str, got: str) -> None:
        super().__init__(
            f"the batch's data are missing: {how.value}",
            place=f"batch {batch}",
            expected=expected,
            got=got,
            hint="ask other beacon nodes with --beacon, or somebody's archive with --archive",
        )
        self.how = how
        self.batch = batch


class Elsewhere:
    """What batches of a rollup left elsewhere, by header and posted data: fits :data:`rebuild.Elsewhere`.

    Args:
        contract: the rollup.
        beacons: URLs of beacon nodes, asked in this order.
        archive: a folder, looked into first; blobs that are found elsewhere are kept there.
    """

    def __init__(self, contract: BoundContract, beacons: Sequence[str] = (), archive: Path | None = None) -> None:
        self._contract = contract
        self._beacons = tuple(beacons)
        self._archive = archive

    def __call__(self, head: Head, posted: bytes) -> bytes:
        """The words, in the order of ``layout.ELSEWHERE``.

        Raises:
            DataMissingError: nobody who was asked has them.
            L1Error: the chain does not have the commit's log any more.
        """
        if head.context.kind == Kind.BLOB:
            return self._from_blob(posted, head)
        return self._attested(head.context.batch_number, posted)

    def _from_blob(self, posted: bytes, head: Head) -> bytes:
        number = head.context.batch_number
        log = self._log(number, posted)
        expected = bytes(log["args"]["blobHash"])
        route = self._route(bytes(log["args"]["selector"]))
        blob = self._kept(expected)
        if blob is None:
            blob = self._served(number, expected, int(log["blockNumber"]))
        return to_data(words_in_blob(blob, head.counts, route["registrations"], f"batch {number}, blob"))

    def _served(self, number: int, expected: bytes, block: int) -> Blob:
        """The blob from the first beacon node that serves it."""
        timestamp = int(self._contract.client.web3.eth.get_block(block)["timestamp"])
        answers = []
        for url in self._beacons:
            try:
                blob = _of_hash(beacon_blobs(url, block, timestamp, expected), expected)
            except AitbcError as error:
                answers.append(f"{url}: {error.message}")
                continue
            if self._archive is not None:
                write_whole(self._archive / _blob_name(expected), blob.data)
            return blob
        old = self._contract.client.time() - timestamp > BLOB_SECONDS
        raise DataMissingError(
            Missing.PRUNED if old else Missing.WITHHELD,
            number,
            f"blob 0x{expected.hex()}",
            "; ".join(answers) or "no beacon node was given to ask, and the archive does not have it",
        )

    def _kept(self, expected: bytes) -> Blob | None:
        """The archive's, if it is the one: what lies in a folder is nobody's word."""
        found = self._file(_blob_name(expected))
        try:
            return None if found is None else _of_hash([found], expected)
        except L1Error:
            return None

    def _attested(self, number: int, posted: bytes) -> bytes:
        name = _words_name(posted)
        found = self._file(name)
        if found is None:
            got = "no archive was given" if self._archive is None else f"no such file in {self._archive}"
            raise DataMissingError(Missing.SILENT, number, name, got)
        return found

    def _file(self, name: str) -> bytes | None:
        if self._archive is None or not (self._archive / name).is_file():
            return None
        return (self._archive / name).read_bytes()

    def _log(self, number: int, posted: bytes) -> Any:
        """The log of the commit of these data: the number of a batch is used again after a rollback."""
        for log in reversed(self._contract.logs("BatchCommitted", batchNumber=number)):
            if bytes(log["args"]["dataHash"]) == keccak(posted):
                return log
        raise L1Error(
            "the chain has no log of this commit", place=f"batch {number} of {self._contract.address}",
            hint="ask a node that keeps old logs, with --l1",
        )  # fmt: skip

    def _route(self, selector: bytes) -> dict[str, Any]:
        client = self._contract.client
        router = client.contract(self._contract.view("router"), artifact("VerifierRouter")["abi"])
        names = ("verifier", "kind", "attesters", "queue", "registrations", "transfers", "sessions")
        return dict(zip(names, client.call(router.functions.live(selector)), strict=True))


def keep(archive: Path, data: BatchData, shape: Shape) -> Path | None:
    """Keep in an archive what a batch left elsewhere; returns the file, or nothing if all is in its transaction.

    Raises:
        BadInputError: the circuit has no room for the data.
        ResourceError: the file cannot be written.
    """
    if shape.kind not in (Kind.BLOB, Kind.ATTESTED):
        return None
    make_folder(archive)
    blob = data.blob(shape)
    content = data.elsewhere if blob is None else blob.data
    path = archive / (_words_name(data.posted) if blob is None else _blob_name(blob.versioned_hash))
    write_whole(path, content)
    return path


def _words_name(posted: bytes) -> str:
    return f"0x{keccak(posted).hex()}.words"


def _blob_name(versioned_hash: bytes) -> str:
    return f"0x{versioned_hash.hex()}.blob"


def beacon_blobs(url: str, block: int, timestamp: int, versioned_hash: bytes) -> list[bytes]:
    """The blobs that a beacon node serves for the slot of an execution block.

    Beacon API, ``getBlobs``. The slot follows from the block's time; a development node without a beacon chain's
    configuration goes by block numbers.

    Args:
        url: of the node.
        block: number of the execution block.
        timestamp: of the block, unix seconds.
        versioned_hash: 32 bytes.

    Raises:
        L1Error: the node does not answer, or answers what is no answer.
    """
    try:
        spec = _get(url, "/eth/v1/config/spec")
        slot = block
        if spec is not None:
            genesis = int(_get(url, "/eth/v1/beacon/genesis")["data"]["genesis_time"])  # type: ignore[index]
            slot = (timestamp - genesis) // int(spec["data"]["SECONDS_PER_SLOT"])
        answer = _get(url, f"/eth/v1/beacon/blobs/{slot}?versioned_hashes=0x{versioned_hash.hex()}")
        return [bytes.fromhex(blob.removeprefix("0x")) for blob in (answer or {"data": []})["data"]]
    except (requests.RequestException, ValueError, KeyError, TypeError, AttributeError) as error:
        raise L1Error(
            "the beacon node does not answer", place=url, expected="the beacon API", got=f"{type(error).__name__}"
        ) from error


def _get(url: str, path: str) -> dict[str, Any] | None:
    """The JSON of an answer; nothing if the node does not know the path."""
    response = requests.get(url.rstrip("/") + path, timeout=_TIMEOUT_S)
    if response.status_code == requests.codes.not_found:
        return None
    response.raise_for_status()
    content: dict[str, Any] = response.json()
    return content


def _of_hash(blobs: Sequence[bytes], expected: bytes) -> Blob:
    """The one of these whose versioned hash it is.

    Raises:
        L1Error: none of them is.
    """
    for data in blobs:
        try:
            blob = Blob.of_data(data)
        except BadInputError:
            continue
        if blob.versioned_hash == expected:
            return blob
    raise L1Error("serves no blob of this hash", expected=f"0x{expected.hex()}", got=f"{len(blobs)} others")
