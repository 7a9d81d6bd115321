import pytest

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.circuits.api import Circuit, Variable
from aitbc_rollup.circuits.buses import range_table
from aitbc_rollup.circuits.check import check
from aitbc_rollup.circuits.testing import Survivor, forgeries, hint_wires, survivors, unused_wires
from aitbc_rollup.errors import InvalidError


def is_zero(circuit: Circuit, x: Variable, *, bound: bool) -> Variable:
    result = 1 - x * circuit.hint_inverse(x)
    if bound:
        circuit.assert_product(x, result, 0)
    return result


@pytest.mark.parametrize("x", [1, 5, R - 1])
def test_the_forgotten_constraint_of_is_zero_is_found(x):
    for bound in (True, False):
        circuit = Circuit()
        circuit.public_output("zero", is_zero(circuit, circuit.private_input("x"), bound=bound))
        compiled = circuit.compile()
        found = survivors(compiled, {"x": x})
        assert bool(found) == (not bound)
        for survivor in found:
            assert (survivor.kind, survivor.wire, survivor.honest) == ("hint", "main.w2", pow(x, -1, R))
            (wire,) = hint_wires(compiled)
            forged = compiled.witness({"x": x}, overrides={wire: survivor.spoilt})
            assert check(compiled, forged) is None
            assert compiled.public_inputs(forged) != [0]


def test_a_proof_of_what_is_false_is_found():
    def statement(n_checked: int):
        circuit = Circuit()
        x = circuit.private_input("x")
        bits = circuit.hint_bits(x, 4)
        for bit in bits[:n_checked]:
            circuit.assert_boolean(bit)
        circuit.assert_equal(circuit.inner_product([1, 2, 4, 8], bits), x, "more than four bits")
        return circuit.compile()

    assert forgeries(statement(4), {"x": 16}) == []
    # The bits of 16 are 0000; a free top "bit" may be 2, and 2·8 = 16.
    assert forgeries(statement(3), {"x": 16}) == [Survivor("hint", "main.w5", 0, 2)]
    with pytest.raises(ValueError, match="it must refuse"):
        forgeries(statement(4), {"x": 15})
    with pytest.raises(InvalidError, match="more than four bits"):
        survivors(statement(4), {"x": 16})


def test_a_sample_of_lies_is_mostly_about_the_circuits_own_hints():
    """A table of 256 rows has 512 counts and fractions; the one hint beside it must not be lost among them."""
    circuit = Circuit()
    x = circuit.private_input("x")
    circuit.look_up(range_table(8), [x])
    low, _ = circuit.hint_divmod(x, 16)  # neither is constrained
    compiled = circuit.compile()
    assert len(hint_wires(compiled)) == 2 + 257 + 256
    assert compiled.r1cs.commitment is not None and compiled.r1cs.commitment.mask not in hint_wires(compiled)
    found = [survivor for survivor in survivors(compiled, {"x": 77}, max_lies=20) if survivor.kind == "hint"]
    assert {survivor.wire for survivor in found} == {f"main.w{low.wire}", f"main.w{(low.wire or 0) + 1}"}
    assert len(found) == 14
    lies = [survivor for survivor in survivors(compiled, {"x": 77}, max_lies=4) if survivor.kind == "hint"]
    assert len(lies) == 3


def test_wires_no_constraint_reads_are_listed():
    circuit = Circuit()
    x, y = circuit.private_input("x"), circuit.private_input("y")
    circuit.hint_inverse(x)
    circuit.assert_boolean(y)
    assert unused_wires(circuit.compile().r1cs) == [1, 3]
