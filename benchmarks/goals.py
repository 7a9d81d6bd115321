"""What the CPU prover is held to, against peers on the same machine in the same run."""

from __future__ import annotations

from typing import Any, NamedTuple

from peers import OURS

#: What is measured, and how; in words.
QUANTITIES = {"cpu_s": "processor time", "wall_s": "time", "peak_mib": "peak memory"}
KINDS = {"process": "whole process", "hot": "key loaded"}


class Goal(NamedTuple):
    """At most ``limit`` times the peer's median, for the dense chain of 2^power."""

    power: int
    peer: str
    kind: str
    quantity: str
    limit: float
    prover: str = OURS


def _times(power: int, peer: str, kind: str, limit: float) -> list[Goal]:
    return [Goal(power, peer, kind, quantity, limit) for quantity in ("cpu_s", "wall_s")]


GOALS = [
    *_times(16, "rapidsnark", "process", 0.75),
    *_times(16, "rapidsnark", "hot", 0.55),
    *_times(18, "rapidsnark", "process", 0.45),
    *_times(20, "rapidsnark", "process", 0.45),
    Goal(20, "rapidsnark", "process", "peak_mib", 1.2),
    # By name, for a processor whose fastest path is another.
    Goal(18, "rapidsnark", "process", "cpu_s", 0.45, f"{OURS} avx512"),
    Goal(20, "rapidsnark", "process", "cpu_s", 0.45, f"{OURS} avx512"),
    Goal(18, "rapidsnark", "process", "cpu_s", 0.8, f"{OURS} avx2"),
    Goal(16, "snarkjs", "process", "cpu_s", 0.15),
    Goal(18, "snarkjs", "process", "cpu_s", 0.15),
    Goal(18, "gnark", "hot", "cpu_s", 0.8),
    Goal(20, "gnark", "hot", "cpu_s", 0.8),
]
#: Seconds by the clock from process start to proof, the second time on a machine, 2^14.
SECOND_START_S, SECOND_START_POWER = 1.5, 14


def ratio(size: dict[str, Any], prover: str, peer: str, kind: str, quantity: str) -> float | None:
    """A prover's median over another's, if both were measured."""
    try:
        mine, theirs = (size["provers"][name][kind][quantity]["median"] for name in (prover, peer))
    except KeyError:
        return None
    return round(mine / theirs, 3)


def ratios(size: dict[str, Any], prover: str, peer: str) -> dict[str, dict[str, float]]:
    """All of them, by kind and quantity."""
    found = {
        kind: {q: value for q in QUANTITIES if (value := ratio(size, prover, peer, kind, q)) is not None}
        for kind in KINDS
    }
    return {kind: values for kind, values in found.items() if values}


def judged(result: dict[str, Any]) -> list[dict[str, Any]]:
    """Every goal with what was measured of it; ``met`` is ``None`` where nothing was."""
    chains = {size["power"]: size for size in result["sizes"] if size["workload"] == "chain"}
    rows = []
    for goal in GOALS:
        prover = OURS if goal.prover == f"{OURS} {result['machine']['path']}" else goal.prover
        found = ratio(chains.get(goal.power, {}), prover, goal.peer, goal.kind, goal.quantity)
        rows.append({"goal": describe(goal), "at_most": goal.limit, "measured": found})
    start = result["start"]
    second = start["second"]["wall_s"]["median"] if start and start["power"] == SECOND_START_POWER else None
    text = f"second start, 2^{SECOND_START_POWER}, seconds by the clock"
    rows.append({"goal": text, "at_most": SECOND_START_S, "measured": second})
    return [row | {"met": None if row["measured"] is None else row["measured"] <= row["at_most"]} for row in rows]


def describe(goal: Goal) -> str:
    """A goal in words."""
    return f"2^{goal.power}, {goal.prover} / {goal.peer}: {QUANTITIES[goal.quantity]}, {KINDS[goal.kind]}"
