"""Circuits named on the command line: ``package.module:name`` or ``file.py:name``."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

from aitbc_rollup.circuits.compiler import CompiledCircuit
from aitbc_rollup.errors import BadInputError, next_step


@next_step("name what Circuit.compile() returns, or a function that returns it")
def load_circuit(name: str) -> CompiledCircuit:
    """The compiled circuit of this name, calling it if it is a function. Runs the module's code.

    Raises:
        BadInputError: no such module or attribute, or it is no circuit.
    """
    where, separator, attribute = name.rpartition(":")
    if not separator or not where or not attribute:
        raise BadInputError("names no circuit", place=name, expected="package.module:name or file.py:name")
    module = _from_file(Path(where), name) if where.endswith(".py") else _from_package(where, name)
    try:
        found: Any = getattr(module, attribute)
    except AttributeError:
        raise BadInputError(
            "no such name in the module", place=name, expected="a compiled circuit", got=attribute
        ) from None
    if callable(found):
        found = found()
    if not isinstance(found, CompiledCircuit):
        raise BadInputError(
            "is no compiled circuit", place=name, expected="what Circuit.compile() returns", got=type(found).__name__
        )
    return found


def _from_file(path: Path, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise BadInputError(
            "cannot be read", place=name, expected="a Python file", got=str(path), hint="check the path"
        )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _from_package(where: str, name: str) -> ModuleType:
    try:
        return importlib.import_module(where)
    except ModuleNotFoundError as error:
        raise BadInputError(
            "no such module", place=name, expected="an installed module, or file.py:name", got=str(error.name)
        ) from None
