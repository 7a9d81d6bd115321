"""The kernels' sources, and machine code from them for one architecture, kept on disk.

Each ``kernels/*.cu`` is one module, compiled by itself: a change to one leaves the others' code in the cache, and only
what is used is compiled. Code goes straight to the device's architecture, so the driver has nothing left to translate.
The name of a cached file is a hash of all that it was made from: source, headers it includes, options, compiler.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from aitbc_rollup.algebra import compilation
from aitbc_rollup.cache import CodeFolder

from . import nvrtc
from .constants import constants_header

OPTIONS = ("--std=c++17", "--ptxas-options=-v")

#: Where machine code is kept.
FOLDER = CodeFolder("gpu")


@cache
def headers() -> dict[str, str]:
    """What the modules include, by name."""
    folder = files("aitbc_rollup.gpu").joinpath("kernels")
    texts = {item.name: item.read_text() for item in folder.iterdir() if item.name.endswith(".cuh")}
    return {"constants.cuh": constants_header(), **texts}


@cache
def modules() -> list[str]:
    """The modules by name; each one's first lines say what it is for."""
    folder = files("aitbc_rollup.gpu").joinpath("kernels")
    return sorted(item.name.removesuffix(".cu") for item in folder.iterdir() if item.name.endswith(".cu"))


def source(module: str) -> str:
    """Text of a module."""
    return files("aitbc_rollup.gpu").joinpath("kernels", f"{module}.cu").read_text()


def included(text: str, known: Mapping[str, str] | None = None) -> dict[str, str]:
    """The headers that a text includes, directly or not, by name in order; ``known`` are the kernels' or others."""
    known = headers() if known is None else known
    found: dict[str, str] = {}
    waiting = [text]
    while waiting:
        for name in re.findall(r'^#include "([^"]+)"', waiting.pop(), re.MULTILINE):
            if name not in found:
                found[name] = known[name]
                waiting.append(known[name])
    return dict(sorted(found.items()))


def compile_module(
    module: str, architecture: str, text: str | None = None, known: Mapping[str, str] | None = None
) -> nvrtc.Compiled:
    """Compile a module for an architecture such as ``sm_90``, from scratch; or another text and headers in its place.

    For ``compute_90`` the assembler is left out, and there is PTX alone.

    Raises:
        ResourceError: there is no compiler, or it refuses the source.
    """
    text = text or source(module)
    options = (f"-arch={architecture}", *OPTIONS)
    return nvrtc.compile_source(text, f"{module}.cu", included(text, known), options)


def cubin(module: str, architecture: str) -> bytes:
    """Machine code of a module, from the cache if it is there.

    Raises:
        ResourceError: as :func:`compile_module`.
    """
    text = source(module)
    made_from = [text, *included(text).values(), *OPTIONS, str(nvrtc.version())]
    digest = hashlib.sha256("\0".join(made_from).encode()).hexdigest()[:24]
    name = f"{module}-{architecture}-{digest}.cubin"
    code = FOLDER.find(name)
    if code is None:
        with FOLDER.claimed(name):
            code = FOLDER.find(name)
            if code is None:
                compilation.begins(f"GPU kernels {module}")
                code = compile_module(module, architecture).cubin
                FOLDER.keep(name, code)
    return code
