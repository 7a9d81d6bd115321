import pytest
from machine import Machine, words

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.contracts.poseidon.assembler import Assembler
from aitbc_rollup.contracts.poseidon.field import FieldAssembler, Item, Slot, products, reductions


def answer(code: Assembler, data: bytes = b"") -> int:
    """What the code leaves on top, when it is run."""
    code.store(0)
    code.push(32)
    code.push(0)
    code.op("RETURN")
    machine = Machine()
    found, _ = machine.call(machine.put(code.assemble()), data)
    assert found is not None
    return int.from_bytes(found, "big")


@pytest.mark.parametrize(
    ("value", "expected"), [(0, "5f"), (1, "6001"), (0xFF, "60ff"), (0x100, "610100"), (2**256 - 1, "7f" + "ff" * 32)]
)
def test_a_push_is_as_short_as_can_be(value, expected):
    code = Assembler()
    code.push(value)
    assert code.assemble().hex() == expected


def test_a_kept_constant_is_copied_while_it_is_in_reach():
    code = Assembler()
    code.keep(2**200)
    for _ in range(16):
        code.constant(2**200)
    assert code.assemble()[27:] == bytes(range(0x80, 0x90))
    code.constant(2**200)
    assert code.assemble()[43:].hex() == f"79{2**200:052x}"


def test_a_name_is_found_on_the_stack_or_at_home():
    code = Assembler()
    code.push(7, "seven")
    code.push(0)
    code.load("seven")
    assert code.assemble()[-1] == 0x81
    for _ in range(16):
        code.push(0)
    with pytest.raises(ValueError, match="seven is out of reach"):
        code.load("seven")
    code.push(9)
    code.store(64)
    code.homes["seven"] = 64
    code.load("seven")
    assert answer(code) == 9


def test_names_go_where_their_items_go():
    code = Assembler()
    code.push(1, "one")
    code.push(2, "two")
    code.push(3)
    code.swap(2)
    assert code.stack == ["", "two", "one"]
    code.load("two")
    assert answer(code) == 2


@pytest.mark.parametrize(
    "wrong",
    [lambda code: code.dup(2), lambda code: code.swap(1), lambda code: code.op("ADD"), lambda code: code.dup(17)],
)
def test_what_is_not_on_the_stack_is_not_used(wrong):
    code = Assembler()
    code.push(1)
    with pytest.raises(ValueError, match=r"on 1 items|the stack has 1"):
        wrong(code)


def test_a_loop_must_leave_the_stack_as_it_found_it():
    code = Assembler()
    code.place("loop")
    code.push(1)
    code.push(1)
    code.jump_if("loop")
    with pytest.raises(ValueError, match=r"loop is reached with \[0, 1\] items"):
        code.assemble()


def test_a_loop_runs():
    code = Assembler()
    code.push(5, "n")
    code.place("loop")
    code.push(2**256 - 1)
    code.op("ADD")
    code.dup(1)
    code.push(2)
    code.op("XOR")
    code.jump_if("loop")
    assert answer(code) == 2


def test_code_beyond_the_reach_of_jumps_is_refused():
    code = Assembler()
    code.push_place("end")
    code.data("much", bytes(2**16))
    code.data("end", b"")
    with pytest.raises(OverflowError):
        code.assemble()


@pytest.mark.parametrize("count", range(1, 20))
def test_sums_of_the_largest_elements_are_right(count):
    for reduced in (False, True):
        code = FieldAssembler()
        code.push(R - 1, "x")
        bound = code.sum([Item(None, "x")] * count, reduced=reduced)
        found = answer(code)
        assert found % R == -count % R
        assert found <= bound < 2**256
        assert not reduced or found < R


def test_products_skip_ones_and_zeros():
    assert products([0, 1, 2, Slot(1)], ["a", "b", "c", "d"]) == [Item(None, "b"), Item(2, "c"), Item(Slot(1), "d")]


def test_a_sum_of_products_constants_and_words_in_memory():
    code = FieldAssembler()
    code.push(0)
    code.op("CALLDATALOAD")
    code.store(96)
    code.push(R - 2, "x")
    items = [Item(5), *products([1, 3, Slot(96), R - 1], ["x"] * 4), *[Item(None, "x")] * 4]
    code.sum(items, reduced=True)
    assert answer(code, words(R - 7)) == (5 + (R - 2) * (1 + 3 + R - 7 + R - 1 + 4)) % R


def test_reductions_come_as_late_as_they_can():
    assert reductions([R - 1] * 5) == ([False] * 4, 5 * (R - 1))
    assert reductions([R - 1] * 7) == ([False] * 4 + [True, False], 2 * (R - 1))
    assert reductions([2**256 - R, R - 1, 1]) == ([False, True], R - 1)
    assert reductions([7]) == ([], 7)
