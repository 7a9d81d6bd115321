"""Where things come from: source lines and component paths, kept so that a failing constraint can be named.

A component is a part of a circuit that has a name: an instance of a template, or a ``with circuit.component(...)``
block. Its path reads like a circom signal, ``main.session[3].range``; the index is shown where siblings share a name.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import FrameType
from typing import NamedTuple

_ROOM = Path(__file__).resolve().parent
#: Modules that act for the user: a place inside them would help nobody.
_TRANSPARENT = {str(_ROOM / name) for name in ("api.py", "places.py", "template.py", "variable.py")}
#: Where templates are traced.
_TEMPLATE, _TRACE = str(_ROOM / "template.py"), "_trace"
_GADGETS = str(_ROOM / "gadgets") + os.sep
_PACKAGE_ROOT = str(_ROOM.parent) + os.sep


class Place(NamedTuple):
    """A line of source."""

    file: str
    line: int

    def __str__(self) -> str:
        file = self.file
        for root in (_PACKAGE_ROOT, str(Path.cwd()) + os.sep):
            file = file.removeprefix(root)
        return f"{file}:{self.line}"


class Component:
    """A node of the tree of components; the root of a circuit is ``main``, that of a template has no name."""

    __slots__ = ("_counts", "name", "ordinal", "parent")

    def __init__(self, parent: Component | None, name: str) -> None:
        self.parent = parent
        self.name = name
        self.ordinal = 0 if parent is None else parent._next(name)
        self._counts: dict[str, int] | None = None

    def _next(self, name: str) -> int:
        if self._counts is None:
            self._counts = {}
        ordinal = self._counts.get(name, 0)
        self._counts[name] = ordinal + 1
        return ordinal

    def path(self) -> tuple[str, ...]:
        """Names from the root down, with an index where siblings share a name."""
        if self.parent is None:
            return (self.name,) if self.name else ()
        alone = self.parent._counts is None or self.parent._counts.get(self.name, 0) < 2
        return (*self.parent.path(), self.name if alone else f"{self.name}[{self.ordinal}]")


class Source(NamedTuple):
    """What is known about one constraint besides its coefficients."""

    place: Place
    component: Component
    message: str


def caller_place() -> Place:
    """The innermost line that is not in the modules that build circuits: a gadget's, or the user's."""
    frame = sys._getframe(1)
    while frame.f_back is not None and _real(frame.f_code.co_filename) in _TRANSPARENT:
        frame = frame.f_back
    return Place(_real(frame.f_code.co_filename), frame.f_lineno)


def user_place(*, traced: bool = True) -> Place:
    """The innermost line that is not a gadget's of this package either; a gadget's if only such led here.

    A template that is ``traced`` now is recorded for all its uses, so who happens to use it first is not who led here.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        file = _real(frame.f_code.co_filename)
        if file not in _TRANSPARENT and not file.startswith(_GADGETS):
            return Place(file, frame.f_lineno)
        if traced and file == _TEMPLATE and frame.f_code.co_name == _TRACE:
            break
        frame = frame.f_back
    return caller_place()


_REAL: dict[str, str] = {}


def _real(filename: str) -> str:
    """The file's real path; rooms are also reached through relative links."""
    known = _REAL.get(filename)
    if known is None:
        known = _REAL[filename] = os.path.realpath(filename) if not filename.startswith("<") else filename
    return known
