"""Who is told that a kernel has to be compiled, so that a person learns what a wait of seconds is for.

Imports nothing of this package: the command line listens before it knows whether a kernel will be needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

#: Told the name of a kernel that is about to be compiled, in the thread that needs it; what it raises, the call raises.
Listener = Callable[[str], None]

_listeners: list[Listener] = []


@contextmanager
def watching(listener: Listener) -> Iterator[None]:
    """While the context lasts, ``listener`` is told, and those outside it are not."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


def begins(kernel: str) -> None:
    """Tell the innermost listener."""
    if _listeners:
        _listeners[-1](kernel)


def once(say: Callable[[str], None]) -> Listener:
    """A listener that says the same thing of any number of kernels, once."""
    said = False

    def listener(kernel: str) -> None:
        nonlocal said
        if not said:
            said = True
            say("compiling kernels, once on this machine; aitbc-rollup warmup does it ahead")

    return listener
