"""Powers of a known tau as arrays, the way a ceremony would leave them."""

from __future__ import annotations

import struct

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.limbs import Limbs, to_limbs
from aitbc_rollup.prover.cpu import fixed_base
from aitbc_rollup.prover.cpu.ntt import root_of_unity
from aitbc_rollup.prover.formats.ptau import LAGRANGE, LISTS, Contribution, Part, PowersArrays, PowersOfTau

TAU, ALPHA, BETA = 0x1234567890ABCDEF << 130, 987654321987654321, R - 5


def lagrange(values: list[int], tau: int, scale: int) -> list[int]:
    """scale·L(tau) for the bases of domains of 1, 2, 4 … points; ``values`` counts the largest."""
    out, size = [], 1
    while size <= len(values):
        root = root_of_unity(size.bit_length() - 1)
        points = [pow(root, i, R) for i in range(size)]
        for point in points:
            others = [other for other in points if other != point]
            value = scale
            for other in others:
                value = value * (tau - other) * pow(point - other, -1, R) % R
            out.append(value)
        size *= 2
    return out


def multiples(group: int, scalars: list[int]) -> Limbs:
    return fixed_base.multiples(group, to_limbs(scalar % R for scalar in scalars))


def make_powers(
    power: int = 2, *, prepared: bool = True, tau: int = TAU, alpha: int = ALPHA, beta: int = BETA, parties: int = 1
) -> PowersOfTau:
    scales = {Part.TAU_G1: 1, Part.TAU_G2: 1, Part.ALPHA_G1: alpha, Part.BETA_G1: beta}
    body = PowersArrays({Part.BETA_G2: multiples(2, [beta])})
    for part, scale in scales.items():
        body[part] = multiples(part.group, [scale * pow(tau, i, R) for i in range(part.n_points(power))])
    if prepared:
        for part, form in zip(LISTS, LAGRANGE, strict=True):
            largest = (form.n_points(power) + 1) // 2
            scalars = lagrange(list(range(largest)), tau, scales[part])
            if part is Part.TAU_G1:
                # snarkjs takes the list for the last domain, which it is one point short of, to end with infinity.
                scalars[largest - 1 :] = truncated(largest, tau)
            body[form] = multiples(form.group, scalars)
    firsts = (
        body[Part.TAU_G1][1],
        body[Part.TAU_G2][1],
        body[Part.ALPHA_G1][0],
        body[Part.BETA_G1][0],
        body[Part.BETA_G2][0],
    )
    left = Contribution(*firsts, name="party", beacon=False)
    record = (
        b"".join(point.tobytes() for point in firsts) + bytes(768 + 216 + 64) + struct.pack("<II", 0, 7) + b"\1\5party"
    )
    transcript = struct.pack("<I", parties) + parties * record
    return PowersOfTau(power, power, prepared, transcript, parties * (left,), body)


def truncated(size: int, tau: int) -> list[int]:
    """1/n · Σⱼ tauʲ·ω^(−ij) for j < n − 1."""
    back = pow(root_of_unity(size.bit_length() - 1), -1, R)
    return [sum(pow(tau, j, R) * pow(back, i * j, R) for j in range(size - 1)) * pow(size, -1, R) for i in range(size)]
