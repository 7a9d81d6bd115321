"""``aitbc.toml``: defaults for options, under flags and environment.

Top-level keys hold for every command that has the option, a table ``[prove-batch]`` (or ``[session.sign]``) for one::

    state = "state"
    l1 = "http://127.0.0.1:8545"

    [prove-batch]
    limit = 256

The file is ``./aitbc.toml``, or the one that ``AITBC_CONFIG`` names. Unknown names are errors.
"""

from __future__ import annotations

import importlib
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from aitbc_rollup.errors import BadInputError, next_step, unreadable


@next_step("mend or move the file: it gives every command its defaults")
def load_defaults(commands: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    """Click's ``default_map`` from the file, or nothing without one.

    Raises:
        BadInputError: the file does not read, or names an unknown command or option.
    """
    named = os.environ.get("AITBC_CONFIG")
    path = Path(named or "aitbc.toml")
    if not named and not path.exists():
        return {}
    document = _read(path)
    common = {key: value for key, value in document.items() if not isinstance(value, dict)}
    tables = {key: value for key, value in document.items() if isinstance(value, dict)}
    unknown = sorted(set(tables) - set(commands))
    if unknown:
        raise BadInputError(
            "unknown command", place=str(path), expected="one of " + ", ".join(commands), got=unknown[0]
        )
    used: set[str] = set()
    defaults = {}
    for name, (where, _) in commands.items():
        module, attribute = where.split(":")
        command = getattr(importlib.import_module(f"{__package__}.{module}"), attribute)
        defaults[name] = _defaults(command, common, tables.get(name, {}), used, f"{path}, [{name}]")
    unused = sorted(set(common) - used)
    if unused:
        raise BadInputError("unknown option", place=str(path), got=unused[0], hint="`--help` of a command lists them")
    return defaults


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8"))
    except OSError as error:
        raise unreadable(path, "the file that AITBC_CONFIG names", error) from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadInputError("not TOML", place=str(path), expected="TOML 1.0 in UTF-8", got=str(error)) from None


def _defaults(
    command: click.Command, common: Mapping[str, Any], table: Mapping[str, Any], used: set[str], place: str
) -> dict[str, Any]:
    if isinstance(command, click.Group):
        children = command.commands
        unknown = sorted(set(table) - set(children))
        if unknown:
            raise BadInputError("unknown command", place=place, expected=", ".join(children), got=unknown[0])
        return {
            name: _defaults(child, common, table.get(name, {}), used, f"{place} {name}")
            for name, child in children.items()
        }
    # A flag is written --l1-time, its parameter may have another name: the file speaks of flags.
    names = {
        flag.lstrip("-"): option.name for option in command.params for flag in option.opts if flag.startswith("--")
    }
    unknown = sorted(set(table) - set(names))
    if unknown:
        raise BadInputError("unknown option", place=place, expected=", ".join(sorted(names)), got=unknown[0])
    shared = {key: value for key, value in common.items() if key in names}
    used |= set(shared)
    return {str(names[key]): value for key, value in {**shared, **table}.items()}
