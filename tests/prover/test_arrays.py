"""Named arrays in a file: what was written, aligned, or nothing."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aitbc_rollup.prover.formats import arrays


def test_arrays_come_back_where_a_cache_line_begins(tmp_path: Path) -> None:
    known = {
        "a": np.arange(7, dtype=np.uint32),
        "b": np.arange(24, dtype=np.uint64).reshape(-1, 8),
        "none": np.empty((0, 4), np.uint64),
        "signed": np.array([-1, 5]),
        "last": np.empty(0, np.uint32),
    }
    arrays.write(tmp_path / "file", ["a note", 5], ((name, [array[:1], array[1:]]) for name, array in known.items()))
    found = arrays.read(tmp_path / "file")
    assert found is not None and found.note == ["a note", 5]
    assert list(found.arrays) == list(known)
    for name, array in known.items():
        again = found.arrays[name]
        assert again.dtype == array.dtype and again.shape == array.shape and (again == array).all()
        assert again.ctypes.data % 64 == 0 and again.flags.c_contiguous and not again.flags.writeable


def described(path: Path, description: Any) -> None:
    """A file with a description of its own, its hash right."""
    text = description if isinstance(description, bytes) else json.dumps(description).encode()
    head = b"aitbcarr" + len(text).to_bytes(8, "little") + hashlib.sha256(text).digest()
    path.write_bytes((head + text).ljust(arrays._ROOM, b"\0") + bytes(64))


GOOD: dict[str, Any] = {"note": 0, "size": arrays._ROOM + 64, "arrays": {"a": ["<u8", [8], arrays._ROOM]}}


def test_the_descriptions_below_are_wrong_in_one_thing(tmp_path: Path) -> None:
    described(tmp_path / "file", GOOD)
    assert arrays.read(tmp_path / "file").arrays["a"].tolist() == [0] * 8


@pytest.mark.parametrize(
    "description",
    [
        b"", b"{", b"\xff", b"[]", b"1", b"null", b'"text"', b"[" * 9000,
        {}, {**GOOD, "size": 1}, {**GOOD, "size": "x"}, {**GOOD, "arrays": []}, {**GOOD, "arrays": {"a": []}},
        *(
            {**GOOD, "arrays": {"a": entry}}
            for entry in (
                ["<u8", [9], arrays._ROOM], ["<u8", [-8], arrays._ROOM], ["<u8", [8], arrays._ROOM + 8],
                ["<u8", [8], -64], ["<u8", [8], 1 << 70], ["<u8", [1 << 40, 1 << 40], arrays._ROOM],
                ["<u8", [8.0], arrays._ROOM], ["<u8", "8", arrays._ROOM], ["<f8", [8], arrays._ROOM],
                ["O", [8], arrays._ROOM], [[], [8], arrays._ROOM], ["<u8", [8], "x"], ["<u8", [8], None],
            )
        ),
    ],
)  # fmt: skip
def test_a_description_that_does_not_fit_counts_as_no_file(tmp_path: Path, description: Any) -> None:
    described(tmp_path / "file", description)
    assert arrays.read(tmp_path / "file") is None


def test_no_file(tmp_path: Path) -> None:
    assert arrays.read(tmp_path / "missing") is None
    assert arrays.read(tmp_path) is None
    (tmp_path / "empty").touch()
    assert arrays.read(tmp_path / "empty") is None
