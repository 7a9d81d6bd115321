"""The error tree. Every error a user can cause is an :class:`AitbcError`; the CLI prints it and exits with its code.

::

    AitbcError                 99  internal: never raised bare
    ├── InvalidError            1  a proof, witness or state that does not verify
    ├── UsageError              2  flags that do not fit together
    ├── BadInputError           3  a file or value that breaks its format
    ├── L1Error                 4  the chain does not answer, is the wrong one, or refuses
    └── ResourceError           5  memory, disk or a missing program

A message names the place, what was expected, what was got, and the next step.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class AitbcError(Exception):
    """Root of every error this package raises on purpose.

    Args:
        message: what is wrong, in one sentence.
        place: file, line, field or command where it is wrong.
        expected: what would have been right.
        got: what was there instead.
        hint: the next step for the person who reads this.
    """

    exit_code = 99

    def __init__(
        self,
        message: str,
        *,
        place: str | None = None,
        expected: str | None = None,
        got: str | None = None,
        hint: str | None = None,
    ) -> None:
        self.message = message
        self.place = place
        self.expected = expected
        self.got = got
        self.hint = hint
        super().__init__(self.render())

    def render(self) -> str:
        """The message as shown to a person: one line, then one indented line a detail."""
        head = f"{self.place}: {self.message}" if self.place else self.message
        details = [("expected", self.expected), ("got", self.got), ("next", self.hint)]
        return "\n".join([head, *(f"  {name}: {text}" for name, text in details if text is not None)])

    def as_dict(self) -> dict[str, str | int]:
        """The same for ``--json``: only the parts that are set, and the exit code."""
        parts = {
            "error": type(self).__name__,
            "message": self.message,
            "place": self.place,
            "expected": self.expected,
            "got": self.got,
            "next": self.hint,
            "exit_code": self.exit_code,
        }
        return {key: value for key, value in parts.items() if value is not None}


class InvalidError(AitbcError):
    """A proof, witness or state that does not verify."""

    exit_code = 1


class UsageError(AitbcError):
    """Options that do not fit together."""

    exit_code = 2


class BadInputError(AitbcError):
    """A file or value that breaks its format."""

    exit_code = 3


class L1Error(AitbcError):
    """The L1 does not answer, is not the one expected, or refuses."""

    exit_code = 4


class ResourceError(AitbcError):
    """Memory, disk or a program that is needed and not there."""

    exit_code = 5


@contextmanager
def next_step(hint: str) -> Iterator[None]:
    """Give errors raised within, as far as they name no next step themselves, this one; also a decorator."""
    try:
        yield
    except AitbcError as error:
        if error.hint is None:
            error.hint = hint
            error.args = (error.render(),)
        raise


def unreadable(path: str | Path, expected: str, error: OSError) -> BadInputError:
    """The error of a file that the system does not open."""
    got = error.strerror or str(error)
    return BadInputError("cannot be read", place=str(path), expected=expected, got=got, hint="check the path")
