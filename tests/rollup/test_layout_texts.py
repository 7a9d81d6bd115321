"""The protocol's text, the circuits' layouts and the contracts' sources give the same fields, widths and places."""

from __future__ import annotations

import re

import pytest
from repository import REPOSITORY

from aitbc_rollup.circuits.statements.batch import layout
from aitbc_rollup.circuits.statements.batch.layout import Layout, QueueKind, Tag
from aitbc_rollup.rollup.genesis import HOLDINGS_BITS

PROTOCOL = (REPOSITORY / "docs" / "protocol.md").read_text()
READER, DATA, QUEUE, CLAIMS, TREASURY = (
    (REPOSITORY / "contracts" / "src" / f"{name}.sol").read_text()
    for name in ("BatchReader", "BatchData", "Queue", "Claims", "Treasury")
)

#: What the text calls fields that have a longer name in code, per layout: a session's agent is an ``agent_index``.
INDICES = {"agent": "agent_index", "provider": "provider_index", "from": "from_index", "to": "to_index"}
#: Where in the text a layout begins, and where it ends.
TEXTS: list[tuple[str, str, Layout]] = [
    ("owner   =", "\n", layout.OWNER),
    ("funds   =", "\n", layout.FUNDS),
    ("r₀ =", "\n", layout.RECORD_WORD_0),
    ("r₁ =", "\n", layout.RECORD_WORD_1),
    ("message      = H[SESSION](domain, records_root,", ",", layout.SESSION_TERMS),
    ("expiry (40),\n", ")\n", layout.SESSION_FEES),
    ("message = H[TRANSFER](domain,", ",", layout.TRANSFER_TERMS),
    ("exit (1) + expiry (40),", ")\n", layout.TRANSFER_AMOUNTS),
    ("What people put on L1 with the contract: `", "`", layout.QUEUE_ITEM),
    ("| 5 | counts:", "|", layout.COUNTS),
    ("| 6 | mode:", "|", layout.MODE),
    ("queue item     q₀ =", "q₁", layout.QUEUE_ITEM),
    ("queue result  ", " a claim", layout.QUEUE_RESULT),
    ("transfer result  ", " as a", layout.TRANSFER_RESULT),
    ("transfer       t₀ =", "\n", layout.TRANSFER),
    ("t₁ =", " a claim", layout.CLAIM),
    ("s₁ =", "s₂", layout.SESSION),
]


def fields(text: str) -> list[tuple[str, int]]:
    """``name (bits)`` wherever it stands, names as in code."""
    found = re.findall(r"([a-z][\w' ]*?) \((\d+)\)", text)
    return [(name.replace("'s account", "").replace(" ", "_"), int(bits)) for name, bits in found]


@pytest.mark.parametrize(("start", "end", "expected"), TEXTS, ids=[start.strip() for start, _, _ in TEXTS])
def test_the_protocols_layouts_are_the_codes(start: str, end: str, expected: Layout) -> None:
    assert start in PROTOCOL
    # Of several widths in parentheses the end is the one after the last.
    after = PROTOCOL.split(start, 1)[1]
    said = fields(re.split(rf"(?<!\d){re.escape(end)}" if end == ")\n" else re.escape(end), after, maxsplit=1)[0])
    names = {name for name, _ in expected}
    assert [(name if name in names else INDICES.get(name, name), bits) for name, bits in said] == list(expected)


@pytest.mark.parametrize(("name", "expected"), [("usage_a", layout.USAGE_A), ("usage_b", layout.USAGE_B)])
def test_the_protocols_lifetime_lanes(name: str, expected: Layout) -> None:
    line = re.search(rf"^{name} = (.*)", PROTOCOL, re.MULTILINE)
    assert line
    shifts = {part: int(power or 0) for part, power in re.findall(r"([a-z]\w+)(?: \(80\))?(?: · 2\^(\d+))?", line[1])}
    assert {part: shift for part, shift in shifts.items() if part in layout.USAGE} == layout.shifts(expected)


def test_the_protocols_tags_header_leaf_and_words() -> None:
    tags = re.findall(r"^\| `([A-Z]+)` \| (\d+) \|", PROTOCOL, re.MULTILINE)
    assert {name: int(value) for name, value in tags} == {tag.name: tag.value for tag in Tag}
    header = re.findall(r"^\| (\d) \| ([\w ]+?)(?: =| \(|:|, unix|; the first| \|)", PROTOCOL, re.MULTILINE)
    named = [(int(n), name.lower().replace(" ", "_")) for n, name in header]
    assert [entry for entry in named if entry[1] in layout.HEADER] == list(enumerate(layout.HEADER))
    leaf = re.search(r"leaf    = H\[ACCOUNT\]\((.*)\)", PROTOCOL)
    assert leaf and tuple(leaf[1].replace(".", "_").split(", ")) == layout.LEAF
    words = re.search(r"^registration   (.*)$", PROTOCOL, re.MULTILINE)
    assert words and tuple(re.sub(r" \(\d+\)", "", words[1]).replace(".", "_").split(", ")) == layout.REGISTRATION
    lanes = re.search(r"s₂ = usage: six totals of (\d+) bits: (.*)", PROTOCOL)
    assert lanes and [(name, int(lanes[1])) for name in lanes[2].split(", ")] == list(layout.SESSION_USAGE)


def constant(source: str, name: str) -> str:
    found = re.search(rf"constant {name} = (.*?);", source)
    assert found, name
    return found[1]


def test_the_contracts_constants() -> None:
    sizes = {
        "HEADER_WORDS": layout.HEADER_WORDS,
        "ITEM_WORDS": layout.QUEUE_ITEM_WORDS,
        "REGISTRATION_WORDS": layout.REGISTRATION_WORDS,
        "TRANSFER_WORDS": layout.TRANSFER_WORDS,
        "SESSION_WORDS": layout.SESSION_WORDS,
        "COUNTS_BITS": sum(bits for _, bits in layout.COUNTS),
    }
    assert {name: int(constant(DATA, name)) for name in sizes} == sizes
    assert constant(DATA, "TAG") == f'"{layout.DATA_TAG.decode()}"'
    assert (constant(READER, "VERSION"), constant(READER, "MODE_DEVELOPMENT")) == (
        str(layout.VERSION), str(1 << layout.shifts(layout.MODE)["development_keys"]),
    )  # fmt: skip
    assert {kind.name: kind.value for kind in QueueKind} == {
        kind.name: int(constant(QUEUE, kind.name)) for kind in QueueKind
    }
    assert constant(TREASURY, "HOLDINGS_LIMIT") == f"1 << {HOLDINGS_BITS}"


def test_the_contracts_places() -> None:
    """Fields are cut out of words where the layouts put them, and header words are read at their indices."""
    counts = {"queue": "queue_items"}
    cuts = re.findall(r"(\w+): counts(?: >> (\d+))? & 0x(f+)", DATA)
    assert [(counts.get(name, name), int(shift or 0), 4 * len(mask)) for name, shift, mask in cuts] == [
        (name, layout.shifts(layout.COUNTS)[name], bits) for name, bits in layout.COUNTS[:4]
    ]
    item = re.search(
        r"word: kind \| uint256\(a\) << (\d+) \| uint256\(b\) << (\d+) \| uint256\(amount\) << (\d+)", QUEUE
    )
    assert item and [0, *map(int, item.groups())] == list(layout.shifts(layout.QUEUE_ITEM).values())
    widths = dict(layout.QUEUE_ITEM)
    assert re.search(rf"uint{widths['a']} a, uint{widths['b']} b, uint{widths['amount']} amount\) private", QUEUE)
    claim = re.search(r"address\(uint(\d+)\(value >> (\d+)\)\), value & type\(uint(\d+)\).max", CLAIMS)
    assert claim and list(map(int, claim.groups())) == [
        layout.ADDRESS_BITS, layout.shifts(layout.CLAIM)["address"], layout.AMOUNT_BITS,
    ]  # fmt: skip
    read = re.findall(r"word\(data, (\d)\)[^;]*;\s*if \(got != .*?revert (\w+?)Wrong", READER)
    named = {"Contract": "contract", "ChainId": "chain_id", "BatchNumber": "batch_number", "OldRoot": "old_root"}
    assert {named.get(error, error.lower()): int(index) for index, error in read} == {
        name: layout.HEADER.index(name)
        for name in ("version", "chain_id", "contract", "shard", "batch_number", "old_root")
    }
    for name, pattern in (
        ("counts", r"counts = BatchData\.word\(data, (\d)\)"),
        ("mode", r"_checkMode\(BatchData\.word\(data, (\d)\), "),
        ("l1_time", r"_checkTime\(BatchData\.word\(data, (\d)\)"),
        ("new_root", r"newRoot = BatchData\.word\(data, (\d)\)"),
    ):
        assert set(re.findall(pattern, READER)) == {str(layout.HEADER.index(name))}, name
    packed = (layout.TRANSFER_TERMS, layout.TRANSFER_AMOUNTS, layout.SESSION_TERMS, layout.SESSION_FEES)
    limits = [int(shift) for shift in re.findall(r">> (\d+) != 0\) revert WordTooWide", DATA)]
    assert limits == [sum(bits for _, bits in word) for word in packed]
