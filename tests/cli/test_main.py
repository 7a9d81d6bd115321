from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from cli_world import Cli

from aitbc_rollup import __version__
from aitbc_rollup.cli import main as entry
from aitbc_rollup.errors import AitbcError, BadInputError, InvalidError, L1Error, ResourceError, UsageError, next_step


def commands(group: click.Group, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = [path] if path else []
    context = click.Context(group)
    for name in group.list_commands(context):
        child = group.get_command(context, name)
        if isinstance(child, click.Group):
            found += commands(child, (*path, name))
        else:
            found.append((*path, name))
    return found


def test_every_command_has_help(cli: Cli) -> None:
    found = commands(entry.cli)
    assert len(found) > 15
    for path in [(), *found]:
        said = cli(*path, "--help")
        assert said.code == 0
        assert "Usage: aitbc-rollup" in said.out and said.err == ""


def test_the_list_names_every_command(cli: Cli) -> None:
    said = cli("--help")
    for name, (_, text) in entry.COMMANDS.items():
        assert f"  {name} " in said.out
        assert text.split()[0] in said.out


def test_version(cli: Cli) -> None:
    assert cli("--version").out == f"aitbc-rollup, version {__version__}\n"


@pytest.mark.parametrize(
    "arguments", [["nothing"], ["status", "--nothing"], ["verify"], ["session", "nothing"], ["groth16", "prove"]]
)
def test_usage(cli: Cli, arguments: list[str]) -> None:
    said = cli(*arguments, "--json")
    assert (said.code, said.json["exit_code"], said.json["error"]) == (2, 2, "UsageError")
    assert "Usage:" in said.err


def failing(error: BaseException) -> click.Command:
    @click.command("verify")
    @click.option("--json", "as_json", is_flag=True)
    def verify(as_json: bool) -> None:
        raise error

    return verify


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InvalidError("no"), 1),
        (UsageError("no"), 2),
        (BadInputError("no"), 3),
        (L1Error("no"), 4),
        (ResourceError("no"), 5),
        (AitbcError("no"), 99),
        (KeyboardInterrupt(), 130),
        (click.exceptions.Abort(), 130),
        (RuntimeError("no"), 99),
        (MemoryError(), 99),
    ],
)
def test_exit_codes(cli: Cli, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int) -> None:
    monkeypatch.setattr(entry.LazyGroup, "get_command", lambda *_: failing(error))
    said = cli("verify")
    assert said.code == code
    assert "Traceback" not in said.err and said.err != ""


def test_an_error_as_json(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    error = BadInputError("is wrong", place="file:3", expected="one", got="two", hint="do this")
    monkeypatch.setattr(entry.LazyGroup, "get_command", lambda *_: failing(error))
    said = cli("verify", "--json")
    assert said.json == {
        "error": "BadInputError", "message": "is wrong", "place": "file:3", "expected": "one", "got": "two",
        "next": "do this", "exit_code": 3,
    }  # fmt: skip
    assert said.err == "file:3: is wrong\n  expected: one\n  got: two\n  next: do this\n"


def test_a_defect_is_short_and_debug_is_long(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entry.LazyGroup, "get_command", lambda *_: failing(RuntimeError("inside")))
    said = cli("verify", "--json")
    assert said.json == {"error": "internal", "message": "RuntimeError: inside", "exit_code": 99}
    assert said.err.splitlines()[0] == "This is a defect in aitbc-rollup: RuntimeError: inside"
    assert "--debug" in said.err
    assert "Traceback" in cli("--debug", "verify").err


def test_interruption_says_what_to_do(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entry.LazyGroup, "get_command", lambda *_: failing(KeyboardInterrupt()))
    assert cli("verify").err.strip() == "interrupted, run the same command again to continue"


# -- aitbc.toml, environment, flags --------------------------------------------------------------------------


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the status command is given, instead of running it."""
    from aitbc_rollup.cli.status import status

    given: dict[str, Any] = {}
    monkeypatch.setattr(status, "callback", lambda **options: given.update(options))
    return given


def test_flags_over_environment_over_file(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seen: dict[str, Any]
) -> None:
    assert cli("status").code == 0
    assert (seen["state"], seen["l1"]) == (Path("aitbc-state"), "http://127.0.0.1:8545")
    (tmp_path / "aitbc.toml").write_text('state = "from-file"\nl1 = "http://file"\n[status]\nl1 = "http://table"\n')
    assert cli("status").code == 0
    assert (seen["state"], seen["l1"]) == (Path("from-file"), "http://table")
    monkeypatch.setenv("AITBC_STATE", "from-environment")
    assert cli("status").code == 0
    assert (seen["state"], seen["l1"]) == (Path("from-environment"), "http://table")
    assert cli("status", "--state", "from-flag").code == 0
    assert seen["state"] == Path("from-flag")


def test_a_file_named_by_the_environment(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seen: dict[str, Any]
) -> None:
    (tmp_path / "other.toml").write_text("[status]\noffline = true\n")
    monkeypatch.setenv("AITBC_CONFIG", "other.toml")
    assert cli("status").code == 0
    assert seen["offline"] is True


@pytest.mark.parametrize(
    ("text", "message", "got"),
    [
        ("colour = 1", "unknown option", "colour"),
        ("[paint]\nx = 1", "unknown command", "paint"),
        ("[status]\ncolour = 1", "unknown option", "colour"),
        ("[session.paint]\nx = 1", "unknown command", "paint"),
        ("state = ", "not TOML", None),
    ],
)
def test_a_bad_file(cli: Cli, tmp_path: Path, text: str, message: str, got: str | None) -> None:
    (tmp_path / "aitbc.toml").write_text(text)
    said = cli("status", "--json")
    assert (said.code, said.json["message"]) == (3, message)
    assert got is None or said.json["got"] == got


def test_a_value_of_the_wrong_kind(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "aitbc.toml").write_text('chain-id = "many"')
    said = cli("prove-batch", "x", "--json")
    assert (said.code, said.json["message"][:34]) == (2, "Invalid value for '--chain-id': 'm")


def test_a_configuration_that_is_not_there(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AITBC_CONFIG", "none.toml")
    said = cli("status", "--json")
    assert (said.code, said.json["message"], said.json["place"]) == (3, "cannot be read", "none.toml")


# -- a real process ------------------------------------------------------------------------------------------


def process(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    program = [sys.executable, "-m", "aitbc_rollup.cli.main", *arguments]
    return subprocess.run(program, capture_output=True, text=True, cwd=cwd, env=environment, check=False)


def test_the_process_exits_with_the_code(tmp_path: Path) -> None:
    missing = process("prove-batch", "none.csv", "--json", cwd=tmp_path)
    assert missing.returncode == 3
    assert json.loads(missing.stdout)["message"] == "cannot be read"
    assert missing.stderr.splitlines() == [
        "none.csv: cannot be read",
        "  expected: a readable file",
        "  got: No such file or directory",
        "  next: check the path",
    ]
    assert process("nothing", cwd=tmp_path).returncode == 2
    assert process("--version", cwd=tmp_path).returncode == 0


def test_a_reader_that_goes_away(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = f"{sys.executable} -m aitbc_rollup.cli.main --help | true; exit ${{PIPESTATUS[0]}}"
    said = subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert "Traceback" not in said.stderr


def test_a_next_step_is_given_where_there_is_none() -> None:
    with pytest.raises(BadInputError, match="is wrong") as caught, next_step("mend it"):
        raise BadInputError("is wrong")
    assert (caught.value.hint, str(caught.value)) == ("mend it", "is wrong\n  next: mend it")
    with pytest.raises(BadInputError) as caught, next_step("mend it"):
        raise BadInputError("is wrong", hint="turn it")
    assert caught.value.hint == "turn it"


@pytest.mark.parametrize(
    ("arguments", "code", "place", "expected", "step"),
    [
        (["verify", "nowhere"], 3, "nowhere/batch.json", "a JSON file", "check the path"),
        (["verify", "."], 3, "batch.json", "one JSON value", "make them with `aitbc-rollup prove-batch`"),
        (["r1cs", "info", "nowhere"], 3, "nowhere", "a readable file", "check the path"),
        (["r1cs", "info", "empty"], 3, "empty, byte 0", "12 bytes", "compile the circuit again"),
        (["groth16", "verify", "nowhere"], 3, "nowhere", "a JSON file", "check the path"),
        (["groth16", "verify", "list"], 3, "list", "a JSON object", "zkey export verificationkey"),
        (["prove-batch", "nowhere"], 3, "nowhere", "a readable file", "check the path"),
        (["prove-batch", "empty"], 3, "empty", "at least a first line", "docs/howto-operators.md"),
        (
            ["prove-batch", "header"],
            3,
            "header:1",
            "TIMESTAMP,ContextTokens,GeneratedTokens",
            "docs/howto-operators.md",
        ),
        (["status", "--state", "nowhere"], 3, "nowhere", "one that init or prove-batch has made", "--state names it"),
        (["session", "sign", "list", "--key", "list"], 3, "list", "a JSON object", "session keygen"),
        (["init", "--genesis", "list"], 3, "list", "a JSON object", "examples/genesis.json"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_errors_say_place_expected_got_and_next_step(
    cli: Cli, arguments: list[str], code: int, place: str, expected: str, step: str
) -> None:
    for name, content in {"batch.json": "{", "empty": "", "list": "[]", "header": "TIMESTAMP,Tokens\n"}.items():
        Path(name).write_text(content)
    said = cli(*arguments)
    head, *details = said.err.strip().splitlines()
    parts = dict(line.strip().split(": ", 1) for line in details)
    assert said.code == code and head.startswith(f"{place}: ")
    assert parts["expected"] == expected and parts["got"] and step in parts["next"]
