"""Sizes of memory and disk as people write them in settings: bytes, or such as 500MiB or 16GiB."""

from __future__ import annotations

import os
import re

from aitbc_rollup.errors import UsageError

_UNITS = " kmgt"


def size_setting(name: str, what_zero_means: str) -> int | None:
    """Bytes that an environment variable says, ``None`` if it is not set.

    Raises:
        UsageError: it is no size.
    """
    text = os.environ.get(name, "").strip()
    if not text:
        return None
    size = re.fullmatch(r"(\d{1,18}) ?(?:([kmgt])(?:ib)?)?", text.lower(), re.ASCII)
    if size is None:
        expected = f"bytes, or such as 500MiB or 16GiB; 0 {what_zero_means}"
        raise UsageError("no size", place=f"{name}={text}", expected=expected)
    return int(size[1]) << 10 * _UNITS.index(size[2] or " ")
