"""Keys prepared once and kept on disk: found again, made again when anything is wrong, and never in the way."""

from __future__ import annotations

import errno
import os
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from aitbc_rollup.algebra.limbs import Limbs
from aitbc_rollup.circuits.formats.files import MappedFile
from aitbc_rollup.circuits.r1cs import R1CS
from aitbc_rollup.errors import BadInputError, InvalidError, UsageError
from aitbc_rollup.prover.cpu import key_cache, prepared
from aitbc_rollup.prover.cpu.key import CpuKey, load
from aitbc_rollup.prover.engine import Sums
from aitbc_rollup.prover.formats import arrays, zkey
from aitbc_rollup.prover.keys import ProvingKey, Query

System = tuple[R1CS, Limbs]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of prepared keys, for this test alone; no key is too small for it."""
    monkeypatch.setattr(key_cache, "cache_root", lambda: tmp_path / "cache")
    monkeypatch.setattr(prepared, "_SMALL", 0)
    monkeypatch.delenv("AITBC_KEY_CACHE", raising=False)
    return tmp_path / "cache" / "prepared"


@pytest.fixture
def path(small_key: ProvingKey, tmp_path: Path) -> Path:
    zkey.write(tmp_path / "key.zkey", small_key)
    return tmp_path / "key.zkey"


def opened(path: Path) -> CpuKey:
    return load(ProvingKey.load(path))


def kept(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.exists() else []


def agree(ours: Sums, theirs: Sums) -> bool:
    return all((x == y).all() for x, y in zip(ours, theirs, strict=True))


@pytest.fixture
def expected(small: System, small_key: ProvingKey) -> Sums:
    return load(small_key).sums(small[1])


def test_the_second_time_nothing_is_read_checked_or_converted(
    path: Path, folder: Path, small: System, expected: Sums, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = opened(path)
    assert agree(first.sums(small[1]), expected)
    (file,) = kept(folder)
    assert file.stat().st_mode & 0o777 == 0o600 and folder.stat().st_mode & 0o777 == 0o700

    def fail(*_: object) -> None:
        raise AssertionError("the body is read")

    monkeypatch.setattr(zkey.ZkeyBody, "matrices", fail)
    monkeypatch.setattr(zkey.ZkeyBody, "points", fail)
    second = opened(path)
    assert second is not first and second.source is not None
    for array in (*second.a_matrix, second.b_g2.points, second.h.points):
        assert array.ctypes.data % 64 == 0
    for _ in range(2):
        assert agree(second.sums(small[1]), expected)
    assert ProvingKey.load(path).prove(small[1])


def test_another_state_of_the_file_is_another_key(
    path: Path, folder: Path, small: System, make_chain: Callable[[int], System]
) -> None:
    opened(path)
    (before,) = kept(folder)
    key = ProvingKey.load(path)
    zkey.write(path, ProvingKey.load(path))
    opened(path)
    (after,) = kept(folder)
    assert after != before, "the old one is gone"
    assert key.prove(small[1]), "a key that was loaded before still works"
    assert kept(folder) == [after]
    other = path.with_name("other.zkey")
    shutil.copy(path, other)
    opened(other)
    assert len(kept(folder)) == 2


def test_other_code_makes_the_file_again(path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened(path)
    (before,) = kept(folder)
    content = before.read_bytes()
    monkeypatch.setattr(prepared, "_definition", lambda: "other code")
    opened(path)
    (after,) = kept(folder)
    assert after != before
    # Even under the name it would have, a file says what it is.
    after.write_bytes(content)
    opened(path)
    assert arrays.read(after).note[1] == "other code"


def test_a_damaged_file_is_made_again(path: Path, folder: Path, small: System, expected: Sums) -> None:
    opened(path)
    (file,) = kept(folder)
    good = file.read_bytes()
    room, rng = arrays._ROOM, random.Random(7)
    damaged = [b"", b"x", good[:40], good[:-1], good + b"x", good[:room], bytes(len(good)), good[:8] + b"\xff" * 8]
    for at in [*range(0, 60, 7), *(rng.randrange(60, 2000) for _ in range(20))]:
        if good[at]:
            damaged.append(good[:at] + b"\0" + good[at + 1 :])
    for content in damaged:
        file.write_bytes(content)
        assert agree(opened(path).sums(small[1]), expected)
        (again,) = kept(folder)
        assert again == file and file.read_bytes() == good


@pytest.mark.parametrize("name", ["A.wires", "B.indptr", "A.values", "b_g2.wires", "a.points", "c.points"])
@pytest.mark.parametrize("spoil", ["gone", "longer", "another type", "large", "falling"])
def test_arrays_that_would_lead_a_kernel_astray_are_made_again(
    path: Path, folder: Path, small: System, expected: Sums, name: str, spoil: str
) -> None:
    opened(path)
    (file,) = kept(folder)
    good = file.read_bytes()
    found = arrays.read(file)
    parts = {key: array.copy() for key, array in found.arrays.items()}
    changes: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "longer": lambda array: np.concatenate([array, array[-1:]]),
        "another type": lambda array: array.astype(np.int64 if array.dtype != np.int64 else np.uint64),
        "large": lambda array: np.full_like(array, 1 << 31),
        "falling": lambda array: array[::-1].copy(),
    }
    if spoil == "gone":
        del parts[name]
    else:
        parts[name] = changes[spoil](parts[name])
    arrays.write(file, found.note, [(key, [array]) for key, array in parts.items()])
    harmless = spoil in ("large", "falling") and name.endswith(("points", "values"))
    if harmless or (name, spoil) == ("A.wires", "falling"):
        # Numbers that are nothing but wrong: no proof comes of them.
        with pytest.raises(InvalidError, match="does not verify"):
            ProvingKey.load(path).prove(small[1])
    else:
        assert agree(opened(path).sums(small[1]), expected)
        assert file.read_bytes() == good


def test_random_damage_crashes_nothing_and_proves_nothing_false(path: Path, folder: Path, small: System) -> None:
    opened(path)
    (file,) = kept(folder)
    good, rng = bytearray(file.read_bytes()), random.Random(8)
    outcomes = set()
    for _ in range(60):
        damaged = good.copy()
        for _ in range(rng.choice([1, 1, 8])):
            damaged[rng.choice([rng.randrange(2000), rng.randrange(arrays._ROOM, len(good))])] ^= 1 << rng.randrange(8)
        file.write_bytes(damaged)
        try:
            outcomes.add(ProvingKey.load(path).prove(small[1]) is not None)
        except InvalidError:
            outcomes.add(False)
    assert outcomes == {True, False}


def test_what_others_could_write_is_not_taken(
    path: Path, folder: Path, small: System, expected: Sums, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(path)
    (file,) = kept(folder)
    aside = file.with_name("aside")
    file.rename(aside)
    file.symlink_to(aside)
    assert agree(opened(path).sums(small[1]), expected)
    assert not file.is_symlink(), "the link is replaced"
    aside.unlink()
    file.chmod(0o620)
    opened(path)
    assert file.stat().st_mode & 0o777 == 0o600
    folder.chmod(0o770)
    assert opened(path).source is None
    folder.chmod(0o700)
    real = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: real + 1)
    assert opened(path).source is None
    assert agree(opened(path).sums(small[1]), expected)


@pytest.fixture(params=["no folder", "disk full", "no room", "file too large", "off", "written in vain"])
def hindered(request: pytest.FixtureRequest, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache that cannot keep anything."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    match request.param:
        case "no folder":
            folder.parent.write_text("a file where the cache folder should be")
        case "disk full":
            monkeypatch.setattr(os, "fsync", full)
        case "no room":
            usage = shutil.disk_usage("/")
            monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=100))
        case "file too large":
            monkeypatch.setenv("AITBC_KEY_CACHE", "1KiB")
        case "off":
            monkeypatch.setenv("AITBC_KEY_CACHE", "0")
        case "written in vain":
            monkeypatch.setattr(arrays, "read", lambda _: None)
    return folder


def test_where_nothing_can_be_kept_keys_work_all_the_same(
    path: Path, hindered: Path, small: System, expected: Sums
) -> None:
    key = opened(path)
    assert key.source is None
    assert agree(key.sums(small[1]), expected)
    if hindered.is_dir():
        assert not [file for file in kept(hindered) if file.name.startswith(".")], "no temporary file is left"


def test_small_keys_and_keys_in_memory_are_not_kept(
    path: Path, folder: Path, small_key: ProvingKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load(small_key).source is None
    monkeypatch.setattr(prepared, "_SMALL", path.stat().st_size + 1)
    assert opened(path).source is None
    assert kept(folder) == []


def test_a_key_from_a_pipe_is_not_kept(
    path: Path, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MappedFile, "identity", None)
    assert opened(path).source is None
    assert kept(folder) == []


@pytest.mark.parametrize("when", ["a", "h"])
def test_a_file_that_changes_while_it_is_read_is_not_kept(
    path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    real = zkey.ZkeyBody.points

    def change(body: zkey.ZkeyBody, query: Query) -> Iterator[Limbs]:
        yield from real(body, query)
        if query == when:
            os.utime(path, (1, 1))

    monkeypatch.setattr(zkey.ZkeyBody, "points", change)
    with pytest.raises(BadInputError, match="the file has changed since it was opened"):
        opened(path)
    assert kept(folder) == []


def test_what_was_unused_for_longest_goes_first(path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [path, *(path.with_name(f"{i}.zkey") for i in range(3))]
    for copy in paths[1:]:
        shutil.copy(path, copy)
    files: list[Path] = []
    for i, zkey_path in enumerate(paths[:3]):
        opened(zkey_path)
        (new,) = set(kept(folder)) - set(files)
        files.append(new)
        os.utime(new, (1000 + i, 1000 + i))
    opened(paths[0])
    left_over = folder / ".left.key.abc"
    left_over.write_bytes(b"x")
    os.utime(left_over, (1000, 1000))
    size = files[0].stat().st_size
    monkeypatch.setenv("AITBC_KEY_CACHE", str(3 * size + path.stat().st_size - size // 2))
    opened(paths[3])
    assert files[0] in kept(folder) and files[1] not in kept(folder) and files[2] in kept(folder)
    assert len(kept(folder)) == 3 and left_over not in kept(folder)


@pytest.mark.parametrize(
    ("text", "size"),
    [("", 16 << 30), (" ", 16 << 30), ("0", 0), ("17", 17), ("3k", 3 << 10), ("500MiB", 500 << 20), ("2 GiB", 2 << 30)],
)
def test_the_size_is_read(text: str, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AITBC_KEY_CACHE", text)
    assert key_cache.limit() == size


@pytest.mark.parametrize("text", ["-1", "1.5GiB", "many", "1GB", "٣", "9" * 30])
def test_what_is_no_size_is_refused(path: Path, folder: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AITBC_KEY_CACHE", text)
    with pytest.raises(UsageError, match="no size"):
        opened(path)
