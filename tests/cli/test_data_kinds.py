"""Batches with their data in a blob, or with attesters: proven, verified and read again by the command line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from cli_world import Cli, Proven, run_cli
from eth_account import Account

from aitbc_rollup.algebra.bls12_381 import SCALAR_MODULUS
from aitbc_rollup.circuits.statements.batch.layout import Kind
from aitbc_rollup.cli import submit as submit_command
from aitbc_rollup.rollup import bundle, genesis
from aitbc_rollup.rollup.binding import to_data, to_words
from aitbc_rollup.rollup.data import Head, words_in_blob
from aitbc_rollup.rollup.kzg import Blob
from aitbc_rollup.rollup.l1 import client as l1_client
from aitbc_rollup.rollup.l1.client import connect
from aitbc_rollup.rollup.rebuild import rebuild


@pytest.fixture(scope="module")
def kinds(proven: Proven, tmp_path_factory: pytest.TempPathFactory) -> dict[Kind, Path]:
    """One folder's batches: the first in calldata, then one in a blob, then one with attesters."""
    home = tmp_path_factory.mktemp("kinds")
    folders = {Kind.CALLDATA: proven.out}
    shutil.copytree(proven.state, home / "state")
    moved = {proven.state: home / "state", proven.keys: home / "keys"}
    arguments = [
        moved.get(argument, argument) if isinstance(argument, Path) else argument for argument in proven.arguments
    ]
    for kind, skip in ((Kind.BLOB, 5), (Kind.ATTESTED, 10)):
        folders[kind] = home / kind.name
        said = run_cli(*arguments, "--skip", skip, "--data", kind.name.lower(), "--out", folders[kind], "--json")
        assert said.code == 0, said.err
        assert said.json["data"] == kind.name.lower()
        assert (said.json["data_bytes"], said.json["elsewhere_bytes"]) == (32 * 10, 32 * 3)
        again = run_cli(*arguments, "--skip", skip, "--data", kind.name.lower(), "--out", folders[kind], "--json")
        assert (again.code, again.json["changed"]) == (0, False)
    return folders


def test_each_has_its_statement_and_verifies(kinds: dict[Kind, Path], cli: Cli) -> None:
    inputs = {}
    for kind, folder in kinds.items():
        said = cli("verify", folder, "--json")
        assert (said.code, said.json["data"]) == (0, kind.name.lower()), said.err
        found = bundle.load(folder)
        assert found.shape.kind == found.data.context.kind == kind
        inputs[kind] = len(found.public)
    assert inputs == {Kind.CALLDATA: 4, Kind.BLOB: 6, Kind.ATTESTED: 4}


def test_the_state_from_what_each_left(kinds: dict[Kind, Path]) -> None:
    """Calldata from the transaction, a blob's words from its bytes on L1, an attested batch's from whoever keeps it."""
    found = {number: bundle.load(folder) for number, folder in enumerate(kinds.values(), start=1)}
    in_blob = found[2].data.blob(found[2].shape)
    assert in_blob is not None

    def elsewhere(head: Head, posted: bytes) -> bytes:
        if head.context.batch_number == 3:
            return found[3].data.elsewhere
        blob = Blob.of_data(in_blob.data)
        blob.check(in_blob.versioned_hash, "blob")
        return to_data(words_in_blob(blob, head.counts, found[2].shape.registrations, "blob"))

    batches = [(batch.data.posted, batch.data.queue_items) for batch in found.values()]
    state = rebuild(genesis.development(31337, 1).state(), 31337, 0, batches, elsewhere)
    assert state.root == found[3].data.new_root


@pytest.mark.parametrize("kind", [Kind.BLOB, Kind.ATTESTED])
@pytest.mark.parametrize(
    ("altered", "code", "message"),
    [
        (lambda words: [], 3, "the length does not fit the counts"),
        (lambda words: [*words, 0], 3, "the length does not fit the counts"),
        (lambda words: [words[0] ^ 1, *words[1:]], 1, "public input C does not follow from the data"),
    ],
)
def test_files_with_other_words_elsewhere(
    kinds: dict[Kind, Path], cli: Cli, tmp_path: Path, kind: Kind, altered: Any, code: int, message: str
) -> None:
    folder = shutil.copytree(kinds[kind], tmp_path / "altered")
    value = json.loads((folder / "batch.json").read_text())
    words = to_words(bytes.fromhex(value["elsewhere"][2:]), "elsewhere")
    value["elsewhere"] = "0x" + to_data(altered(words)).hex()
    (folder / "batch.json").write_text(json.dumps(value))
    said = cli("verify", folder, "--json")
    assert (said.code, said.json["message"]) == (code, message)


def test_files_with_another_value_of_the_blob(kinds: dict[Kind, Path], cli: Cli, tmp_path: Path) -> None:
    """Halves that are another integer of the same residue, and halves of another value."""
    for change in (SCALAR_MODULUS, 1):
        folder = shutil.copytree(kinds[Kind.BLOB], tmp_path / str(change))
        public = [int(text) for text in json.loads((folder / "public.json").read_text())]
        value = public[3] + (public[4] << 128) + change
        public[3:5] = value % 2**128, value >> 128
        (folder / "public.json").write_text(json.dumps([str(word) for word in public]))
        said = cli("verify", folder, "--json")
        assert (said.code, said.json["message"]) == (1, "public input b₀ does not follow from the data")


def test_a_kind_that_the_shape_has_no_room_for(cli: Cli, proven: Proven) -> None:
    said = cli("prove-batch", proven.trace, "--shape", "32768", "--data", "blob", "--json")
    assert (said.code, said.json["message"]) == (3, "no blob batch has such room")


@pytest.mark.node
def test_blobs_go_onto_a_chain_and_come_back(
    kinds: dict[Kind, Path], proven: Proven, anvil: str, cli: Cli, tmp_path: Path
) -> None:
    """In one transaction with the proof, in either wrapper; the state again from L1 and a beacon node alone."""
    state, kept = ["--state", tmp_path / "state"], tmp_path / "archive"
    kept.mkdir()
    made = [*state, "--keys", kinds[Kind.BLOB].parent / "keys", "--dev-agents", 1, "--data", "blob", "--engine", "cpu"]
    for wrapper in (0, 1):
        records, out = ["--skip", 5 * wrapper, "--limit", 5], tmp_path / f"out-{wrapper}"
        said = cli("prove-batch", proven.trace, *records, *made, "--out", out, "--json")
        assert said.code == 0, said.err
        sent = [cli("submit", out, "--l1", anvil, "--blob-wrapper", wrapper, "--json") for _ in range(2)]
        assert [one.code for one in sent] == [0, 0], sent[0].err
        assert (sent[1].json["transactions_sent"], sent[1].json["state_root"]) == (0, said.json["new_root"])
    for more in (["--beacon", anvil, "--archive", kept], ["--archive", kept]):
        again = cli("status", *state, "--rebuild", "--l1", anvil, *more, "--json")
        assert again.code == 0, again.err
        assert again.json["rebuilt_root"] == said.json["new_root"]
    lost = cli("status", *state, "--rebuild", "--l1", anvil, "--json")
    assert (lost.code, lost.json["message"]) == (4, "the batch's data are missing: withheld")


def test_attesters_sign_what_they_keep(
    kinds: dict[Kind, Path], proven: Proven, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A committee of three of which two must sign; the state again from L1 and an archive of one of them."""
    client = connect()
    for module in (submit_command, l1_client):
        monkeypatch.setattr(module, "connect", lambda url, **_: client)
    shape = bundle.load(kinds[Kind.ATTESTED]).shape
    state, out, kept = ["--state", tmp_path / "state"], tmp_path / "out", tmp_path / "archive"
    made = [*state, "--keys", kinds[Kind.ATTESTED].parent / "keys", "--engine", "cpu"]
    (tmp_path / "genesis.json").write_text(json.dumps(genesis.development(31337, 1).to_json()))
    attesters = [Account.from_key(bytes([number]) * 32) for number in (1, 2, 3)]
    named = [word for attester in attesters for word in ("--attester", attester.address)]
    terms = [*named, "--threshold", 2, "--parameter", "bond=5", "--role", f"guardian={attesters[0].address}"]
    folder = ["init", "--genesis", tmp_path / "genesis.json", "--shape", str(shape), *made, "--json"]
    first = cli(*folder, *terms)
    assert first.code == 0, first.err
    assert cli(*folder, *terms).json == first.json
    other = cli(*folder, *named)
    assert (other.code, other.json["message"]) == (3, "the state folder belongs to another contract")
    said = cli("prove-batch", proven.trace, "--limit", 5, "--data", "attested", *made, "--out", out, "--json")
    assert said.code == 0, said.err

    def attest(attester: Any) -> None:
        monkeypatch.setenv("AITBC_ATTESTER_PRIVATE_KEY", attester.key.hex())
        signed = cli("l1", "attest", out, "--archive", kept, "--json")
        assert (signed.code, signed.json["attester"]) == (0, attester.address.lower())

    attest(attesters[0])
    few = cli("submit", out, "--dev-key", "--json")
    assert (few.code, few.json["message"].split(":")[0]) == (4, "TooFewSignatures")
    attest(attesters[2])
    sent = cli("submit", out, "--dev-key", "--json")
    assert sent.code == 0, sent.err
    again = cli("status", *state, "--rebuild", "--archive", kept, "--json")
    assert (again.code, again.json["rebuilt_root"]) == (0, said.json["new_root"]), again.err
    silent = cli("status", *state, "--rebuild", "--archive", tmp_path, "--json")
    assert (silent.code, silent.json["message"]) == (4, "the batch's data are missing: attester silent")
    words = next(kept.iterdir())
    words.unlink()
    assert cli("l1", "archive", out, "--archive", kept, "--json").json["file"] == str(words)
    assert cli("l1", "archive", kinds[Kind.CALLDATA], "--archive", kept, "--json").json["file"] is None


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        (["--parameter", "bound=5"], "unknown parameter"),
        (["--parameter", "bond=x"], "bond is no number"),
        (["--parameter", "rate_bps=70000"], "rate_bps does not fit"),
        (["--role", "king=0x" + "11" * 20], "unknown role"),
        (["--role", "admin=me"], "admin is no address"),
        (["--attester", "0x" + "11" * 20, "--threshold", 2], "more signatures than attesters"),
    ],
    ids=str,
)
def test_what_are_no_terms(cli: Cli, tmp_path: Path, terms: list[object], message: str) -> None:
    (tmp_path / "genesis.json").write_text(json.dumps(genesis.development(31337, 1).to_json()))
    said = cli("init", "--genesis", "genesis.json", *terms, "--json")
    assert (said.code, said.json["message"]) == (3, message)
    assert cli("init", "--genesis", "genesis.json", "--parameter", "bond").code == 2
