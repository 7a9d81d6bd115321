"""Results of ``prover_cpu.py`` as text."""

from __future__ import annotations

from typing import Any

import goals as held_to


def start(found: dict[str, Any]) -> str:
    """The first process and those after it."""
    first, second = found["first"], found["second"]["wall_s"]
    return (
        f"start, 2^{found['power']}: first {first['wall_s']:.1f} s ({first['cpu_s']:.1f} s of processor), "
        f"then {second['median']:.2f} s ({second['min']:.2f} … {second['max']:.2f})"
    )


def size(found: dict[str, Any]) -> str:
    """One row a prover and kind, then our ratios."""
    lines = [
        f"\n{found['workload']} 2^{found['power']}, {found['constraints']} constraints",
        f"  {'':36}{'processor s, least … most':>32}{'wall s':>9}{'MiB':>8}",
    ]
    for name, kinds in found["provers"].items():
        for kind, label in held_to.KINDS.items():
            if kind in kinds:
                lines.append(f"  {name + ', ' + label:36}{row(kinds[kind])}")
    for pair, kinds in found["ratios"].items():
        for kind, values in kinds.items():
            told = ", ".join(f"{held_to.QUANTITIES[quantity]} {value:.3f}" for quantity, value in values.items())
            lines.append(f"  {pair}, {held_to.KINDS[kind]}: {told}")
    return "\n".join(lines)


def row(figures: dict[str, Any]) -> str:
    """The figures of one prover and kind."""
    if "failed" in figures:
        return "  failed"
    cpu = figures["cpu_s"]
    wide = f"{cpu['median']:.2f} ({cpu['min']:.2f} … {cpu['max']:.2f})"
    return f"{wide:>32}{figures['wall_s']['median']:9.2f}{figures['peak_mib']['median']:8.0f}"


def goals(rows: list[dict[str, Any]]) -> str:
    """What is held and what is not."""
    words = {True: "held", False: "MISSED", None: "not measured"}
    lines = ["\ngoals"]
    for found in rows:
        measured = "" if found["measured"] is None else f"{found['measured']:.3f}"
        lines.append(f"  {found['goal']:76}{measured:>8}  at most {found['at_most']:<5} {words[found['met']]}")
    return "\n".join(lines)
