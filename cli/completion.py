"""Shell completion: the script a shell loads, and the outline of all commands that answers it.

A shell asks at every press of the tab key, so the answer must not wait for the modules of the commands, some of which
import half of what this package stands on. It comes from ``outline.json``: names, kinds and first sentences of all
commands and their parameters, written by docs/tools/cli_reference.py and compared in CI.
"""

from __future__ import annotations

import json
import os
from importlib.resources import files
from typing import Any

import click
from click.shell_completion import get_completion_class

from aitbc_rollup.errors import UsageError

PROGRAM = "aitbc-rollup"
#: Set by the script when the shell asks: the shell's name and ``_complete``.
VARIABLE = "_AITBC_ROLLUP_COMPLETE"
OUTLINE = "outline.json"


@click.command("completion")
@click.argument("shell", metavar="SHELL", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the script that completes this program's commands, options and files in SHELL: bash, zsh or fish.

    For bash, write it to ~/.local/share/bash-completion/completions/aitbc-rollup; for zsh, to _aitbc-rollup in a folder
    of $fpath; for fish, to ~/.config/fish/completions/aitbc-rollup.fish.
    """
    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(outlined(), {}, PROGRAM, VARIABLE).source())


def answer() -> int:
    """Answer the shell whose question stands in the environment; returns the exit code."""
    shell, _, instruction = os.environ[VARIABLE].partition("_")
    kind = get_completion_class(shell)
    if kind is None or instruction != "complete":
        raise UsageError(
            "no such question of a shell",
            place=VARIABLE,
            expected="bash_complete, zsh_complete or fish_complete",
            got=os.environ[VARIABLE][:60],
            hint=f"unset {VARIABLE}",
        )
    click.echo(kind(outlined(), {}, PROGRAM, VARIABLE).complete())
    return 0


def outlined() -> click.Group:
    """All commands and parameters, with nothing behind them."""
    known = json.loads(files(__package__).joinpath(OUTLINE).read_text("utf-8"))
    commands: dict[str, click.Command] = {}
    for path in sorted(known, key=len, reverse=True):  # those below a group before the group
        *_, name = path.split(" ")
        shared: dict[str, Any] = {
            "params": [_parameter(parameter) for parameter in known[path]["parameters"]],
            "short_help": known[path]["help"],
        }
        below = [commands[other] for other in commands if other.rpartition(" ")[0] == path and other]
        commands[path] = click.Group(name, commands=below, **shared) if below else click.Command(name, **shared)
    group = commands[""]
    assert isinstance(group, click.Group)
    return group


def outline(command: click.Command, path: str = "") -> dict[str, Any]:
    """What :func:`outlined` needs to know of a command and those below it, by path; imports them all."""
    context = click.Context(command)
    parameters = [_describe(parameter) for parameter in command.params]
    found = {path: {"help": command.get_short_help_str(limit=100), "parameters": parameters}}
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            if child is not None and not child.hidden:
                found |= outline(child, f"{path} {name}".strip())
    return found


def _describe(parameter: click.Parameter) -> dict[str, Any]:
    described: dict[str, Any] = {"names": [*parameter.opts, *parameter.secondary_opts], "kind": "text"}
    if isinstance(parameter.type, click.Path):
        described["kind"] = "path"
    elif isinstance(parameter.type, click.Choice):
        described["kind"] = [str(choice) for choice in parameter.type.choices]
    if isinstance(parameter, click.Option):
        described["help"] = (parameter.help or "").split(".  ")[0].split(". ")[0].rstrip(".")
        if parameter.is_flag:
            described["kind"] = "flag"
    if parameter.multiple or parameter.nargs != 1:
        described["many"] = True
    return described


def _parameter(described: dict[str, Any]) -> click.Parameter:
    names, kind, many = described["names"], described["kind"], described.get("many", False)
    typed: Any = click.Path() if kind == "path" else click.Choice(kind) if isinstance(kind, list) else None
    if not names[0].startswith("-"):
        return click.Argument(names, type=typed, nargs=-1 if many else 1, required=False)
    # A name of its own: some options are spelled like Python's keywords.
    name = names[0].lstrip("-").replace("-", "_") + "_"
    if kind == "flag":
        return click.Option([name, *names], is_flag=True, help=described["help"])
    return click.Option([name, *names], type=typed, multiple=many, help=described["help"])
