"""Processes measured from outside: wall-clock and processor seconds, and the most memory they held.

Only the standard library is imported, by whoever starts a measured process too: Linux counts the memory of the process
that forked as the child's until it executes its program, so a large parent would show as the child's peak.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence


def spread(values: Sequence[float], digits: int = 3) -> dict[str, float]:
    """Median, least and most."""
    return {
        "median": round(statistics.median(values), digits),
        "min": round(min(values), digits),
        "max": round(max(values), digits),
    }
