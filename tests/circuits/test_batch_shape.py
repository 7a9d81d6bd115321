from __future__ import annotations

from dataclasses import replace

import pytest

from aitbc_rollup.circuits.statements.batch import layout
from aitbc_rollup.circuits.statements.batch.shape import Section, Shape

SHAPE = Shape(pages=3, sessions=2, accounts=9, queue=2, registrations=1, transfers=3, signatures=5, index_bits=5)

#: Every layout and the bits the protocol gives it.
WIDTHS = [
    (layout.RECORD_WORD_0, 194),
    (layout.RECORD_WORD_1, 144),
    (layout.OWNER, 192),
    (layout.FUNDS, 128),
    (layout.USAGE_A, 240),
    (layout.USAGE_B, 240),
    (layout.SESSION_TERMS, 168),
    (layout.SESSION_FEES, 128),
    (layout.TRANSFER_TERMS, 137),
    (layout.TRANSFER_AMOUNTS, 152),
    (layout.COUNTS, 144),
    (layout.MODE, 3),
    (layout.QUEUE_ITEM, 160),
    (layout.QUEUE_RESULT, 249),
    (layout.CLAIM, 248),
    (layout.TRANSFER, 162),
    (layout.SESSION, 194),
    (layout.SESSION_USAGE, 252),
]


@pytest.mark.parametrize(("fields", "bits"), WIDTHS)
def test_a_layout_fills_its_bits_and_nothing_above(fields: layout.Layout, bits: int) -> None:
    full = {name: (1 << width) - 1 for name, width in fields}
    assert layout.pack(fields, full) == (1 << bits) - 1
    assert layout.unpack(fields, (1 << bits) - 1) == full
    assert bits <= 253  # below r whatever the fields hold
    with pytest.raises(ValueError, match="above the last field"):
        layout.unpack(fields, 1 << bits)


def test_fields_lie_lowest_bits_first() -> None:
    assert layout.pack(layout.CLAIM, {"amount": 3, "address": 5}) == 3 + (5 << 88)
    assert layout.shifts(layout.QUEUE_RESULT) == {"amount": 0, "address": 88, "valid": 248}


@pytest.mark.parametrize("value", [-1, 1 << 88])
def test_a_field_that_does_not_fit_is_not_packed(value: int) -> None:
    with pytest.raises(ValueError, match=r"amount needs 0 <= value < 2\^88"):
        layout.pack(layout.CLAIM, {"amount": value, "address": 0})


def test_sections_follow_one_another() -> None:
    assert SHAPE.sections == {
        "header": Section(0, 10),
        "queue_items": Section(10, 4),
        "queue_results": Section(14, 2),
        "registrations": Section(16, 5),
        "transfers": Section(21, 6),
        "sessions": Section(27, 6),
    }
    assert SHAPE.n_words == 33


def test_room_for_nodes() -> None:
    # Indices of 5 bits are three levels of four: 16 families, four, one; above them only the path to the root.
    assert [SHAPE.rows(level) for level in range(1, 17)] == [9, 4, *[1] * 14]
    wide = Shape.for_records(4096)
    assert [wide.rows(level) for level in (1, 7, 8, 9, 11, 12, 16)] == [291, 291, 256, 64, 4, 1, 1]
    with pytest.raises(ValueError, match="levels are 1 to 16"):
        SHAPE.rows(0)


def test_the_worst_case_of_records() -> None:
    shape = Shape.for_records(4096, 16, countersigned=8)
    assert shape == Shape(256, 256, 256 + 16 + 1 + 8 + 2 + 8, 4, 2, 4, 256 + 4 + 8, 24)
    assert shape.records == 4096
    short = Shape.for_records(100, 40, agents=1, providers=1, queue=0, registrations=0, transfers=0)
    assert (short.pages, short.sessions, short.accounts, short.signatures) == (9, 3, 3, 3)


def test_text_and_back() -> None:
    assert str(SHAPE) == "3p2s9a2q1g3t5v5i"
    assert Shape.parse(str(SHAPE)) == SHAPE


@pytest.mark.parametrize(("kind", "letter"), [("BLOB", "b"), ("ATTESTED", "o")])
def test_the_text_ends_with_the_kind(kind: str, letter: str) -> None:
    shape = replace(SHAPE, kind=layout.Kind[kind])
    assert str(shape) == str(SHAPE) + letter
    assert Shape.parse(str(shape)) == shape != SHAPE


def test_a_full_batch_has_room_for_whatever_is_posted() -> None:
    shape = Shape.full(5, queue=2, transfers=3, index_bits=24)
    assert (shape.accounts, shape.signatures, shape.registrations) == (2 * (5 + 2 + 3) + 1, 5 + 3, 0)
    assert str(shape) == "5p5s21a2q0g3t8v24if"
    assert Shape.parse(str(shape)) == shape
    assert Shape.full(5, index_bits=4).accounts == 16
    assert shape.sections == {
        "header": Section(0, 10),
        "queue_items": Section(10, 4),
        "queue_results": Section(14, 2),
        "transfer_results": Section(16, 3),
        "transfers": Section(19, 12),
        "sessions": Section(31, 25),
    }


def test_the_fallback_of_a_shape() -> None:
    assert SHAPE.fallback == Shape.full(2, queue=2, transfers=3, index_bits=5)
    assert SHAPE.fallback.fallback == SHAPE.fallback


@pytest.mark.parametrize(("name", "value"), [("pages", 6), ("accounts", 20), ("registrations", 1), ("signatures", 7)])
def test_the_rest_of_a_full_shape_is_given(name: str, value: int) -> None:
    with pytest.raises(ValueError, match=f"the shape of a full batch needs {name} = "):
        replace(Shape.full(5, queue=2, transfers=3), **{name: value})


def test_what_lies_in_a_blob_fits_one() -> None:
    fits = Shape(1362, 1362, 3, 0, 2, 0, 1, kind=layout.Kind.BLOB)
    assert 5 * fits.registrations + 3 * fits.sessions == 4096
    for more in ({"registrations": 3}, {"pages": 1363, "sessions": 1363}):
        with pytest.raises(ValueError, match="a shape needs at most 4096 words of registrations and sessions, got 4"):
            replace(fits, **more)
        assert replace(fits, kind=layout.Kind.ATTESTED, **more)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "3p2s9a2q1g3t5v5ib ",
        "3p2s9a2q1g3t5v5ic",
        "3p2s9a2q1g3t5v5iB",
        "3p2s9a2q1g3t5v",
        "03p2s9a2q1g3t5v5i",
        "3p2s9a2q1g3t5v5i ",
        "0p2s9a2q1g3t5v5i",
    ],
)
def test_text_that_is_no_shape(text: str) -> None:
    with pytest.raises(ValueError, match="a shape "):
        Shape.parse(text)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("pages", 0),
        ("sessions", 4),
        ("sessions", 0),
        ("accounts", 33),
        ("accounts", 0),
        ("queue", -1),
        ("registrations", 1 << 16),
        ("transfers", 1 << 16),
        ("signatures", 8),
        ("index_bits", 33),
        ("index_bits", 0),
    ],
)
def test_numbers_out_of_range(name: str, value: int) -> None:
    good = {field: getattr(SHAPE, field) for field in SHAPE.__dataclass_fields__}
    with pytest.raises(ValueError, match=f"a shape needs .* <= {name} <= "):
        Shape(**good | {name: value})
