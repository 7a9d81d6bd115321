"""Which of the processor's vector instructions the kernels use.

A *path* is one way to compute with field elements; all give the same results. ``AITBC_CPU`` names one, else the fastest
this processor has is taken:

===========  =====  ========================================================================
avx512ifma       8  52-bit multiply-add on integers (Ice Lake, Sapphire Rapids, Zen 4 …)
avx512           8  52-bit products by fused multiply-add on doubles (AVX-512F and DQ)
avx2             4  the same on 256-bit registers (Haswell, Zen …)
scalar           1  64-bit integer products, on any processor
===========  =====  ========================================================================

The number is that of elements in a register's lanes. With ``avx2`` or ``scalar`` chosen on a larger processor, AVX-512
is kept out of all generated code, so that what runs is what such a processor would run.
"""

from __future__ import annotations

import os
from functools import cache

import llvmlite.binding as llvm

from aitbc_rollup.errors import ResourceError, UsageError

_PREFIX = "avx512"

#: Each path with the processor features it needs, fastest first.
PATHS: dict[str, frozenset[str]] = {
    "avx512ifma": frozenset({"avx512f", "avx512dq", "avx512ifma"}),
    "avx512": frozenset({"avx512f", "avx512dq"}),
    "avx2": frozenset({"avx2", "fma"}),
    "scalar": frozenset(),
}


@cache
def features() -> frozenset[str]:
    """LLVM's names of the features of this processor."""
    return frozenset(name for name, present in llvm.get_host_cpu_features().items() if present)


@cache
def available() -> tuple[str, ...]:
    """The paths this processor can run, fastest first."""
    return tuple(path for path, needed in PATHS.items() if needed <= features())


@cache
def chosen() -> str:
    """The path in use: ``AITBC_CPU``, or the fastest one.

    Raises:
        UsageError: ``AITBC_CPU`` names no path.
        ResourceError: this processor cannot run the path it names.
    """
    asked = os.environ.get("AITBC_CPU") or available()[0]
    place = f"AITBC_CPU={asked}"
    if asked not in PATHS:
        raise UsageError("no such path", place=place, expected=", ".join(PATHS))
    if asked not in available():
        missing = ", ".join(sorted(PATHS[asked] - features()))
        raise ResourceError(
            "this processor cannot run that path",
            place=place,
            expected=f"one of {', '.join(available())}",
            got=f"a processor without {missing}",
            hint="leave AITBC_CPU unset to have the fastest path chosen",
        )
    return asked


def llvm_features() -> str | None:
    """The feature string that keeps code to the chosen path, or ``None`` where the host's own features are right."""
    if chosen().startswith(_PREFIX) or not any(name.startswith(_PREFIX) for name in features()):
        return None
    host = llvm.get_host_cpu_features()
    return ",".join(
        f"{'+' if present and not name.startswith(_PREFIX) else '-'}{name}" for name, present in sorted(host.items())
    )
