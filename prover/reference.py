"""The engine again, in plain integers and by the definitions: what the fast ones are compared with.

Slow on purpose: transforms are evaluated point by point, multi-scalar multiplications term by term.
"""

from __future__ import annotations

from aitbc_rollup.algebra import g1, g2
from aitbc_rollup.algebra.bn254 import FR_GENERATOR, G1_GENERATOR, G2_GENERATOR, R
from aitbc_rollup.algebra.limbs import Limbs, from_limbs, from_montgomery, to_limbs, to_montgomery
from aitbc_rollup.algebra.reference import curve

from .engine import HostKey, LoadedKey
from .keys import Matrix, ProvingKey


def _root(length: int) -> int:
    if length < 1 or length & (length - 1):
        raise ValueError(f"a transform needs a power of two values, got {length}")
    return pow(FR_GENERATOR, (R - 1) // length, R)


class ReferenceEngine:
    """Implements ``prover.engine.Engine``."""

    name = "reference"

    def describe(self) -> str:
        """Where it is."""
        return "plain integers"

    def ntt(self, values: Limbs, shift: int = 1) -> Limbs:
        """Horner's rule at every point."""
        root, coefficients = _root(len(values)), from_montgomery(values, R)
        results = []
        for i in range(len(values)):
            point, total = shift * pow(root, i, R) % R, 0
            for coefficient in reversed(coefficients):
                total = (total * point + coefficient) % R
            results.append(total)
        return to_montgomery(results, R)

    def intt(self, values: Limbs, shift: int = 1) -> Limbs:
        """Coefficient j is shift^−j/n · Σᵢ vᵢ·ω^(−ij)."""
        n, root, known = len(values), _root(len(values)), from_montgomery(values, R)
        back = pow(root, -1, R)
        sums = [sum(value * pow(back, i * j, R) for i, value in enumerate(known)) for j in range(n)]
        return to_montgomery((total * pow(n * pow(shift, j, R), -1, R) for j, total in enumerate(sums)), R)

    def quotient(self, a: Limbs, b: Limbs, shift: int) -> Limbs:
        """Through the coefficients of a, b and c."""
        products = [x * y for x, y in zip(from_montgomery(a, R), from_montgomery(b, R), strict=True)]
        on_domain = (a, b, to_montgomery(products, R))
        on_coset = [from_montgomery(self.ntt(self.intt(values), shift), R) for values in on_domain]
        return to_limbs((x * y - z) % R for x, y, z in zip(*on_coset, strict=True))

    def sparse_product(self, matrix: Matrix, vector: Limbs) -> Limbs:
        """Row by row."""
        known, values = from_limbs(vector), from_limbs(matrix.values)
        undo = pow(2, -512, R)
        rows = [range(start, stop) for start, stop in zip(matrix.indptr, matrix.indptr[1:], strict=False)]
        return to_montgomery((undo * sum(values[k] * known[matrix.wires[k]] for k in row) for row in rows), R)

    def msm_g1(self, points: Limbs, scalars: Limbs) -> Limbs:
        """Term by term."""
        total: curve.G1Point = None
        for point, scalar in zip(g1.from_array(points), from_limbs(scalars), strict=True):
            total = curve.g1_add(total, curve.g1_mul(point, scalar))
        return g1.to_array([total]).reshape(-1)

    def msm_g2(self, points: Limbs, scalars: Limbs) -> Limbs:
        """Term by term."""
        total: curve.G2Point = None
        for point, scalar in zip(g2.from_array(points), from_limbs(scalars), strict=True):
            total = curve.g2_add(total, curve.g2_mul(point, scalar))
        return g2.to_array([total]).reshape(-1)

    def fixed_base_g1(self, scalars: Limbs) -> Limbs:
        """Multiple by multiple."""
        return g1.to_array(curve.g1_mul(G1_GENERATOR, scalar) for scalar in from_limbs(scalars))

    def fixed_base_g2(self, scalars: Limbs) -> Limbs:
        """Multiple by multiple."""
        return g2.to_array(curve.g2_mul(G2_GENERATOR, scalar) for scalar in from_limbs(scalars))

    def load(self, key: ProvingKey) -> LoadedKey:
        """The key where it is."""
        return HostKey(self, key)


def open_engine() -> ReferenceEngine:
    """The engine; see ``prover.engine.load_engine``."""
    return ReferenceEngine()
