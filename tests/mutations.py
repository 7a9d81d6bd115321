"""Damage to files, decided by a seed: what faulty disks, careless tools and attackers do to bytes and to JSON."""

from __future__ import annotations

import json
import random
import struct
from collections.abc import Callable
from typing import Any

from aitbc_rollup.algebra.bn254 import P, R

_WORDS = (0, 1, 2, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_NUMBERS = (P, R, P - 1, R - 1, R + 1, 2 * P, 0, 1, (1 << 256) - 1, 1 << 255)


def _spot(rng: random.Random, data: bytes) -> int:
    """A place in the file: often near the front, where the counts are, else anywhere."""
    return rng.randrange(min(len(data), 200) if rng.random() < 0.3 else len(data))


def _put(data: bytes, at: int, new: bytes) -> bytes:
    return data[:at] + new + data[at + len(new) :]


def _flip(rng: random.Random, data: bytes) -> bytes:
    at = _spot(rng, data)
    return _put(data, at, bytes([data[at] ^ 1 << rng.randrange(8)]))


def _word(rng: random.Random, data: bytes) -> bytes:
    at = _spot(rng, data)
    size = rng.choice((4, 8))
    old = int.from_bytes(data[at : at + size], "little")
    new = rng.choice((*_WORDS, old + 1, old - 1, old * 2, old ^ 1 << rng.randrange(8 * size)))
    return _put(data, at, (new % (1 << 8 * size)).to_bytes(size, "little"))[: len(data) + size]


def _number(rng: random.Random, data: bytes) -> bytes:
    at = _spot(rng, data)
    return _put(data, at, rng.choice(_NUMBERS).to_bytes(32, "little"))


def _cut(rng: random.Random, data: bytes) -> bytes:
    return data[: _spot(rng, data)]


def _remove(rng: random.Random, data: bytes) -> bytes:
    at = _spot(rng, data)
    return data[:at] + data[at + rng.choice((1, 4, 8, 32, 64)) :]


def _insert(rng: random.Random, data: bytes) -> bytes:
    at = _spot(rng, data)
    return data[:at] + rng.randbytes(rng.choice((1, 4, 12, 32, 64))) + data[at:]


def _move(rng: random.Random, data: bytes) -> bytes:
    size = rng.choice((4, 32, 44, 64, 128))
    source, target = _spot(rng, data), _spot(rng, data)
    return _put(data, target, data[source : source + size])


def _swap(rng: random.Random, data: bytes) -> bytes:
    size = rng.choice((32, 64))
    first, second = sorted((_spot(rng, data), _spot(rng, data)))
    one, two = data[first : first + size], data[second : second + size]
    return _put(_put(data, first, two), second, one)[: len(data)]


def _noise(rng: random.Random, data: bytes) -> bytes:
    return rng.randbytes(rng.randrange(200))


_BYTE_MUTATIONS: tuple[Callable[[random.Random, bytes], bytes], ...] = (
    _flip, _flip, _word, _word, _number, _cut, _remove, _insert, _move, _swap, _noise,
)  # fmt: skip


def damaged(rng: random.Random, data: bytes) -> bytes:
    """The file after one to three mutations; never the same file."""
    out = data
    while out == data:
        for _ in range(rng.choice((1, 1, 1, 2, 3))):
            out = rng.choice(_BYTE_MUTATIONS)(rng, out) or b"\0"
    return out


#: Of a .zkey: sections of points with a point's size, and the coefficients' records with their count before them.
_POINTS = {3: 64, 5: 64, 6: 64, 7: 128, 8: 64, 9: 64, 0xA17D: 64, 0xA17E: 64}
_COEFFICIENTS, _RECORD = 4, 44


def wrong_key(rng: random.Random, key: bytes) -> bytes:
    """A .zkey that is well formed and not the same: points moved, negated or gone, coefficients changed."""
    sections, at = {}, 12
    while at < len(key):
        number, length = struct.unpack_from("<IQ", key, at)
        sections[number] = (at + 12, length)
        at += 12 + length
    out = key
    while out == key:
        number = rng.choice([number for number in (*_POINTS, _COEFFICIENTS) if number in sections])
        start, length = sections[number]
        if number == _COEFFICIENTS:
            record = start + 4 + _RECORD * rng.randrange(length // _RECORD)
            value = rng.randrange(R).to_bytes(32, "little")
            (wire,) = struct.unpack_from("<I", out, record + 8)
            out = rng.choice((_put(out, record + 12, value), _put(out, record + 8, struct.pack("<I", wire // 2))))
            continue
        size = _POINTS[number]
        one, other = (start + size * rng.randrange(length // size) for _ in range(2))
        y = [int.from_bytes(out[i : i + 32], "little") for i in range(one + size // 2, one + size, 32)]
        negative = b"".join((-c % P).to_bytes(32, "little") for c in y)
        out = rng.choice(
            (
                _put(out, one, out[other : other + size]),
                _put(out, one, bytes(size)),
                _put(out, one + size // 2, negative),
            )
        )
    return out


def damaged_json(rng: random.Random, document: Any) -> str:
    """The document as text, after damage to its text or to one of its values."""
    if rng.random() < 0.3:
        return damaged(rng, json.dumps(document).encode()).decode("utf-8", "surrogateescape")
    copy = json.loads(json.dumps(document))
    places: list[tuple[Any, Any]] = []

    def collect(node: Any) -> None:
        for key in list(node) if isinstance(node, dict) else range(len(node)):
            places.append((node, key))
            if isinstance(node[key], (dict, list)):
                collect(node[key])

    collect(copy)
    if not places:
        return "[null]"
    node, key = rng.choice(places)
    old = node[key]
    number = int(old) if isinstance(old, str) and old.isdecimal() else 0
    choices: list[Any] = [
        None, True, -1, 0, 1.5, "", "-1", "0x1", "01", "1e3", [], {}, [old], {"a": old}, "9" * 5000,
        str(number + 1), str(number + P), str(number + R), str((P - number) % P), str((R - number) % R), f" {number}",
    ]  # fmt: skip
    other_node, other_key = rng.choice(places)
    action = rng.randrange(4)
    if action == 0 and isinstance(node, dict):
        del node[key]
    elif action == 1:
        node[key], other_node[other_key] = other_node[other_key], node[key]
    elif action == 2 and isinstance(node, list):
        node.insert(key, old)
    else:
        node[key] = rng.choice(choices)
    try:
        return json.dumps(copy)
    except (ValueError, RecursionError):  # a swap has put a list into itself
        return "[[]]"
