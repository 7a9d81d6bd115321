"""Are powers of tau what they say, as far as the points alone can tell.

For a list of points P₀ … Pₙ₋₁ and random factors rᵢ, Σ rᵢ·Pᵢ₊₁ = τ·Σ rᵢ·Pᵢ for i < n − 1 if each point is τ times the
one before, and else with probability 2^−120 at most; a pairing compares the two sums, with τ as the other group holds
it. That the Lagrange forms are those of the powers is a linear relation, and checked the same way: with Lᵢ the basis of
a domain at ωⁱ, Pⱼ = Σᵢ ω^(i·j)·Lᵢ(τ), so Σ rⱼ·Pⱼ = Σ NTT(r)ᵢ·Lᵢ(τ). The largest form of τ in G1 reaches one power
beyond its list. snarkjs takes that point for 0 when it prepares a file; in one that it has truncated it is the power.

Not checked: who contributed. Whether the transcript of the ceremony holds is another question, and while it is open, τ
may be known to whoever made the file.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, chain, pairwise

import numpy as np

from aitbc_rollup.algebra import fr
from aitbc_rollup.algebra.bn254 import FR_TWO_ADICITY
from aitbc_rollup.algebra.limbs import Limbs, to_limbs
from aitbc_rollup.errors import InvalidError

from .consistency import GENERATOR_G1, GENERATOR_G2, same_ratio
from .cpu.groups import Group
from .engine import Engine, Progress, load_engine, silent
from .formats.ptau import LAGRANGE, LISTS, Part, PowersOfTau


def check_powers(
    powers: PowersOfTau, place: str = "powers of tau", *, engine: Engine | None = None, progress: Progress = silent
) -> None:
    """Refuse what are no powers of one τ, nor α and β times them, and powers of a τ that everybody knows.

    The Lagrange form for 2^29, which only a file for 2^28 has, is not checked. Memory goes by the powers' number: some
    300 bytes a row.

    Raises:
        InvalidError: naming the section.
        BadInputError: a point in the file is not in its group.
    """
    check = _Check(powers, place, engine or load_engine("cpu"))
    progress("first points", 0.0)
    check.first_points()
    parts = [part for part in powers.parts if part is not Part.BETA_G2]
    for done, part in enumerate(parts):
        progress(part.title, done / len(parts))
        if part in LISTS:
            check.consecutive(part)
        else:
            check.lagrange(part)
    progress("done", 1.0)


class _Check:
    """The checks of one file; each raises :class:`InvalidError`."""

    def __init__(self, powers: PowersOfTau, place: str, engine: Engine) -> None:
        self._powers = powers
        self._place = place
        self._engine = engine
        self._first = {part: next(powers.body.points(part))[:2].copy() for part in (*LISTS, Part.BETA_G2)}
        self._last: dict[Part, Limbs] = {}

    def first_points(self) -> None:
        """The generators; τ, α and β are not 1, are as the last party left them, and β the same in both groups."""
        first = self._first
        for part, generator in ((Part.TAU_G1, GENERATOR_G1), (Part.TAU_G2, GENERATOR_G2)):
            if not np.array_equal(first[part][0], generator):
                raise self._wrong(part, "it does not begin with the generator")
        secret = {
            Part.TAU_G1: first[Part.TAU_G1][1],
            **{part: first[part][0] for part in (Part.ALPHA_G1, Part.BETA_G1)},
        }
        for part, point in secret.items():
            if not self._powers.contributions or np.array_equal(point, GENERATOR_G1):
                hint = "use a file to which somebody has contributed"
                raise self._wrong(part, "nobody has contributed, so everybody can forge", hint)
        left = self._powers.contributions[-1]
        for part, index, point in (
            (Part.TAU_G1, 1, left.tau_g1),
            (Part.TAU_G2, 1, left.tau_g2),
            (Part.ALPHA_G1, 0, left.alpha_g1),
            (Part.BETA_G1, 0, left.beta_g1),
            (Part.BETA_G2, 0, left.beta_g2),
        ):
            if not np.array_equal(first[part][index], point):
                raise self._wrong(part, "it is not what the last contribution left")
        if not same_ratio((GENERATOR_G1, first[Part.BETA_G1][0]), (GENERATOR_G2, first[Part.BETA_G2][0])):
            raise self._wrong(Part.BETA_G2, "it is not the β that G1 has")

    def consecutive(self, part: Part) -> None:
        """Each point of a list is τ times the one before."""
        total, at = part.n_points(self._powers.power), 0
        before = np.zeros((1, 4), np.uint64)
        low, high = [], []
        for points in self._powers.body.points(part):
            at += len(points)
            factors = _random(len(points))
            if at == total:
                factors[-1] = 0  # nothing comes after the last point
            low.append(self._msm(part.group, points, factors))
            high.append(self._msm(part.group, points, np.concatenate([before, factors[:-1]])))
            before = factors[-1:]
            self._last[part] = points[-1].copy()
        sums = self._total(part.group, low), self._total(part.group, high)
        tau_g1, tau_g2 = self._first[Part.TAU_G1], self._first[Part.TAU_G2]
        if not (same_ratio(sums, tau_g2) if part.group == 1 else same_ratio(tau_g1, sums)):
            raise self._wrong(part, "its points are not consecutive powers of τ")

    def lagrange(self, part: Part) -> None:
        """The Lagrange forms of a list, for one domain after the other, are its own."""
        source = LISTS[LAGRANGE.index(part)]
        largest = min((part.n_points(self._powers.power) + 1) // 2, 1 << FR_TWO_ADICITY)
        factors = _random(largest)
        if largest > source.n_points(self._powers.power):
            factors[-1] = 0
            self._beyond(part, largest)
        ends = [1 << level for level in range(largest.bit_length())]
        steps = (factors[start:end] for start, end in pairwise([0, *ends]))
        powers = accumulate(self._sums(source, steps), lambda *sums: self._total(part.group, sums))
        forms = self._sums(part, (self._values(factors[:end]) for end in ends))
        for end, expected, found in zip(ends, powers, forms, strict=True):
            if not np.array_equal(expected, found):
                raise self._wrong(part, f"the form for {end} points is not that of the powers")

    def _beyond(self, part: Part, size: int) -> None:
        """The point beyond the list that a form of this size has, Σᵢ ω^(i·(size − 1))·Lᵢ, is 0 or τ times the last."""
        zeros = np.zeros((size, 4), np.uint64)
        unit = zeros.copy()
        unit[-1, 0] = 1
        smaller = (zeros[: 1 << level] for level in range(size.bit_length() - 1))
        *_, point = self._sums(part, chain(smaller, [self._values(unit)]))
        if point.any() and not same_ratio((self._last[Part.TAU_G1], point), self._first[Part.TAU_G2]):
            raise self._wrong(part, f"the form for {size} points is not that of the powers")

    def _values(self, factors: Limbs) -> Limbs:
        return fr.batch_from_montgomery(self._engine.ntt(fr.batch_to_montgomery(factors)))

    def _sums(self, part: Part, weights: Iterable[Limbs]) -> Iterator[Limbs]:
        """For each array of weights, Σ weights[j]·Pⱼ over the next as many points, or those that are left."""
        waiting, parts = iter(weights), []
        current = next(waiting)
        for points in self._powers.body.points(part):
            rest = points
            while len(rest):
                head, rest = rest[: len(current)], rest[len(current) :]
                parts.append(self._msm(part.group, head, current[: len(head)]))
                current = current[len(head) :]
                if not len(current):
                    yield self._total(part.group, parts)
                    parts, current = [], next(waiting, np.empty((0, 4), np.uint64))
                    if not len(current):
                        return
        if parts:
            yield self._total(part.group, parts)

    def _total(self, group: Group, sums: Sequence[Limbs]) -> Limbs:
        return self._msm(group, np.stack(sums), to_limbs([1] * len(sums)))

    def _msm(self, group: Group, points: Limbs, scalars: Limbs) -> Limbs:
        return (self._engine.msm_g1 if group == 1 else self._engine.msm_g2)(points, scalars)

    def _wrong(self, part: Part, message: str, hint: str = "do not use this file: get it again") -> InvalidError:
        return InvalidError(message, place=f"{self._place}, section {part} ({part.title})", hint=hint)


def _random(count: int) -> Limbs:
    """Random factors of 120 bits, canonical, ``(count, 4)``."""
    out = np.zeros((count, 4), np.uint64)
    out.view(np.uint8).reshape(count, 32)[:, :15] = np.frombuffer(secrets.token_bytes(15 * count), np.uint8).reshape(
        -1, 15
    )
    return out
