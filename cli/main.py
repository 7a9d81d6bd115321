"""Entry point: the commands, and what a person sees when one fails.

Exit codes: 0 done, 1 a proof or state does not verify, 2 usage, 3 bad input, 4 the L1, 5 resources, 99 a defect of
this program, 130 interrupted. A command's module is imported when the command runs: ``--help`` needs none.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import traceback
from typing import Any

import click

from aitbc_rollup import __version__
from aitbc_rollup.algebra.compilation import once, watching
from aitbc_rollup.errors import AitbcError

from .completion import VARIABLE, answer
from .config import load_defaults

#: Each command: where it is, and its line in the list.
COMMANDS = {
    "demo": ("demo:demo", "Real LLM requests to a finalized state root on an embedded L1."),
    "init": ("init:init", "Make a state folder and say which contract agents sign for."),
    "prove-batch": ("prove_batch:prove_batch", "Turn records into sealed and proven batches."),
    "verify": ("verify:verify", "Check a proven batch, from its files alone."),
    "submit": ("submit:submit", "Commit, prove and finalize a batch on an L1."),
    "status": ("status:status", "What the chain and the state folder say, and whether they agree."),
    "receipt": ("receipt:receipt", "Proof that one record is in a final state: make, verify, encode, deploy."),
    "l1": ("l1:l1", "A rollup's queue and claims on its chain: deposit, exit, transfer, claim."),
    "challenger": ("challenger:challenger", "Recompute what a rollup's chain accepts, and object."),
    "session": ("session:session", "Keys, and signatures over sessions: keygen, sign, countersign."),
    "transfer": ("transfer:transfer", "Transfers between accounts and out to the L1: sign."),
    "groth16": ("groth16:groth16", "snarkjs's words: setup, prove, fullprove, verify."),
    "circom": ("circom:circom", "circom's circuits: compile, prove."),
    "r1cs": ("r1cs:r1cs", "Constraint systems: info, stats."),
    "wtns": ("wtns:wtns", "Witnesses in .wtns files: calculate, check, export."),
    "zkey": ("zkey:zkey", "Proving keys in .zkey files: export, verify."),
    "powersoftau": ("powersoftau:powersoftau", "Powers of tau in .ptau files: info, verify."),
    "doctor": ("doctor:doctor", "What this installation can do, and what to do about the rest."),
    "warmup": ("warmup:warmup", "Compile all kernels ahead of their use."),
    "completion": ("completion:completion", "The script for a shell's tab key: bash, zsh or fish."),
}

INTERRUPTED = 130
INTERNAL = 99


class LazyGroup(click.Group):
    """A group whose commands are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names, in the order of a first use."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name, imported now."""
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name][0].split(":")
        command: click.Command = getattr(importlib.import_module(f"{__package__}.{module}"), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list in ``--help``, without importing anything."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100, "auto_envvar_prefix": "AITBC"},
)
@click.version_option(__version__, prog_name="aitbc-rollup")
@click.option("--debug", is_flag=True, envvar="AITBC_DEBUG", help="Show the traceback of a failure.")
@click.pass_context
def cli(ctx: click.Context, debug: bool) -> None:
    """A zk-rollup toolkit for AI agents' work: records in, Groth16 proofs out, state roots on an L1.

    Options may also stand in the environment (AITBC_STATE for --state) or in ./aitbc.toml; flags count most.
    """
    ctx.default_map = load_defaults(COMMANDS)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: list[str]) -> int:
    """Run the command line; returns the exit code, after saying what went wrong."""
    as_json = "--json" in arguments

    def say(text: str) -> None:
        click.echo(json.dumps({"say": text}) if as_json else text, err=True)

    try:
        if VARIABLE in os.environ:
            return answer()
        with watching(once(say)):
            result = cli.main(args=arguments, prog_name="aitbc-rollup", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        if as_json:
            _emit({"error": "UsageError", "message": error.format_message(), "exit_code": error.exit_code})
        error.show()
        return error.exit_code
    except AitbcError as error:
        if as_json:
            _emit(error.as_dict())
        click.echo(error.render(), err=True)
        _show_traceback(arguments)
        return error.exit_code
    except (KeyboardInterrupt, click.exceptions.Abort):
        click.echo("interrupted, run the same command again to continue", err=True)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader went away: nobody is left to tell, and the interpreter must not try at exit.
        sys.stdout = open("/dev/null", "w")  # noqa: SIM115, PTH123
        return 0
    except Exception as error:  # noqa: BLE001 (the one place where everything ends)
        return _internal(error, arguments, as_json)


def _internal(error: Exception, arguments: list[str], as_json: bool) -> int:
    """A defect: short for a person, everything with ``--debug``."""
    message = f"{type(error).__name__}: {error}".splitlines()[0][:300]
    if as_json:
        _emit({"error": "internal", "message": message, "exit_code": INTERNAL})
    click.echo(f"This is a defect in aitbc-rollup: {message}", err=True)
    if not _show_traceback(arguments):
        click.echo("  next: `aitbc-rollup --debug …` shows where; please report it with that text", err=True)
    return INTERNAL


def _show_traceback(arguments: list[str]) -> bool:
    context = click.get_current_context(silent=True)
    shown = "--debug" in arguments or bool(context and context.params.get("debug"))
    if shown:
        traceback.print_exc()
    return shown


def _emit(value: dict[str, Any]) -> None:
    click.echo(json.dumps(value))


if __name__ == "__main__":
    main()
