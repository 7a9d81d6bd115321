"""Where this package keeps what it can make again: machine code, proving keys."""

from __future__ import annotations

import os
from pathlib import Path


def cache_root() -> Path:
    """Folder of everything this package caches: ``AITBC_CACHE``, or the platform's cache folder."""
    chosen = os.environ.get("AITBC_CACHE")
    if chosen:
        return Path(chosen)
    from platformdirs import user_cache_path

    return user_cache_path("aitbc-rollup", appauthor=False)
