"""The moduli as the kernels want them: the header ``constants.cuh``, written from ``algebra.bn254``."""

from __future__ import annotations

from aitbc_rollup.algebra.bn254 import FR_GENERATOR, P, R

_LIMBS = 8
_FIELD = """\
struct {name} {{
    // The modulus m; 2m; 2^256 mod m, which is 1 in Montgomery form; 2^512 mod m, whose product leads into it.
    DEVICE constexpr u32 modulus(int i) {{ return limb(i, {modulus}); }}
    DEVICE constexpr u32 twice(int i) {{ return limb(i, {twice}); }}
    DEVICE constexpr u32 one(int i) {{ return limb(i, {one}); }}
    DEVICE constexpr u32 square(int i) {{ return limb(i, {square}); }}
    // −1/m mod 2^32.
    static constexpr u32 INVERSE = {inverse:#010x};
}};
"""
_QUARTER_ROOT = "\n// The root of unity of order 4 in Fr, 5^((r − 1)/4), in Montgomery form.\n"
_QUARTER_ROOT += "DEVICE constexpr u32 fr_quarter_root(int i) {{ return limb(i, {}); }}\n"


def _limbs(value: int) -> str:
    return ", ".join(f"{value >> (32 * i) & 0xFFFFFFFF:#010x}" for i in range(_LIMBS))


def constants_header() -> str:
    """Text of ``constants.cuh``."""
    fields = [
        _FIELD.format(
            name=name,
            modulus=_limbs(m),
            twice=_limbs(2 * m),
            one=_limbs((1 << 256) % m),
            square=_limbs((1 << 512) % m),
            inverse=pow(-m, -1, 1 << 32),
        )
        for name, m in (("FrModulus", R), ("FqModulus", P))
    ]
    chosen = "DEVICE constexpr u32 limb(int i, " + ", ".join(f"u32 w{i}" for i in range(_LIMBS)) + ") {\n    return "
    chosen += " : ".join(f"i == {i} ? w{i}" for i in range(_LIMBS - 1)) + f" : w{_LIMBS - 1};\n}}\n"
    root = _QUARTER_ROOT.format(_limbs((pow(FR_GENERATOR, (R - 1) >> 2, R) << 256) % R))
    return "\n".join(["#pragma once\n", '#include "arch.cuh"\n', chosen, *fields, root])
