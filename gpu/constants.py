"""The moduli as the kernels want them: the header ``constants.cuh``, written from ``algebra.bn254``."""

from __future__ import annotations

from aitbc_rollup.algebra.bn254 import FR_GENERATOR, P, R

_LIMBS = 8
_DOUBLES = 5
_FIELD = """\
struct {name} {{
    // The modulus m; 2m; 2^256 mod m, which is 1 in Montgomery form; 2^512 mod m, whose product leads into it.
    DEVICE constexpr u32 modulus(int i) {{ return limb(i, {modulus}); }}
    DEVICE constexpr u32 twice(int i) {{ return limb(i, {twice}); }}
    DEVICE constexpr u32 one(int i) {{ return limb(i, {one}); }}
    DEVICE constexpr u32 square(int i) {{ return limb(i, {square}); }}
    // −1/m mod 2^32.
    static constexpr u32 INVERSE = {inverse:#010x};
    // For limbs of 52 bits as floating-point numbers: m; (m·k + 1)/2^52 with k = −1/m mod 2^52; k.
    DEVICE constexpr double part(int i) {{ return double_limb(i, {parts}); }}
    DEVICE constexpr double friendly(int i) {{ return double_limb(i, {friendly}); }}
    static constexpr double DOUBLE_INVERSE = {double_inverse};
}};
"""
_QUARTER_ROOT = """
// The root of unity of order 4 in Fr, 5^((r − 1)/4), not in Montgomery form, and its quotient, ⌊root·2^256/r⌋.
DEVICE constexpr u32 fr_quarter_root(int i) {{ return limb(i, {root}); }}
DEVICE constexpr u32 fr_quarter_root_quotient(int i) {{ return limb(i, {quotient}); }}
"""


def _limbs(value: int) -> str:
    return ", ".join(f"{value >> (32 * i) & 0xFFFFFFFF:#010x}" for i in range(_LIMBS))


def _doubles(value: int) -> str:
    """Limbs of 52 bits, which a floating-point number holds exactly."""
    return ", ".join(f"{value >> (52 * i) & (1 << 52) - 1}.0" for i in range(_DOUBLES))


def constants_header() -> str:
    """Text of ``constants.cuh``."""
    fields = [_field("FrModulus", R), _field("FqModulus", P)]
    selectors = [_selector("limb", "u32", _LIMBS), _selector("double_limb", "double", _DOUBLES)]
    root = pow(FR_GENERATOR, (R - 1) >> 2, R)
    quarter = _QUARTER_ROOT.format(root=_limbs(root), quotient=_limbs((root << 256) // R))
    return "\n".join(["#pragma once\n", '#include "arch.cuh"\n', *selectors, *fields, quarter])


def _field(name: str, m: int) -> str:
    factor = pow(-m, -1, 1 << 52)
    return _FIELD.format(
        name=name,
        modulus=_limbs(m),
        twice=_limbs(2 * m),
        one=_limbs((1 << 256) % m),
        square=_limbs((1 << 512) % m),
        inverse=pow(-m, -1, 1 << 32),
        parts=_doubles(m),
        friendly=_doubles((m * factor + 1) >> 52),
        double_inverse=f"{factor}.0",
    )


def _selector(name: str, kind: str, count: int) -> str:
    """A function of an index known to the compiler, and of all that it chooses from."""
    parameters = "".join(f", {kind} w{i}" for i in range(count))
    chosen = " : ".join(f"i == {i} ? w{i}" for i in range(count - 1))
    return f"DEVICE constexpr {kind} {name}(int i{parameters}) {{\n    return {chosen} : w{count - 1};\n}}\n"
