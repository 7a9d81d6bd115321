"""Circuits, written as Python that runs once and leaves constraints behind.

How to write a gadget::

    @template
    def less_than(circuit: Circuit, a: Variable, b: Variable, *, n_bits: int) -> Variable:
        '''1 if a < b else 0, for a and b already known to have ``n_bits`` bits; n_bits + 2 constraints.'''
        shifted = a - b + (1 << n_bits)                  # linear: no constraint
        bits = circuit.hint_bits(shifted, n_bits + 1)    # a hint: the witness knows them, nothing binds them yet
        for bit in bits:
            circuit.assert_boolean(bit)                  # now each is a bit …
        recomposed = circuit.sum(bit * (1 << i) for i, bit in enumerate(bits))
        circuit.assert_equal(recomposed, shifted, "a − b does not fit")   # … and the right one
        return 1 - bits[-1]

- Values are :class:`~aitbc_rollup.circuits.variable.Variable`: ``+``, ``-`` and ``*`` with variables and integers.
  Only a product of two non-constant variables makes a wire and a constraint; ``multiply_add`` and ``divide`` make
  one constraint of what would be two.
- **A hint constrains nothing.** Whatever ``hint…`` returns, a dishonest prover chooses freely; the assertions after
  it must leave one choice. ``hint_inverse``, ``hint_bits`` and ``hint_divmod`` run inside the witness kernel;
  ``hint`` calls Python and is for the rare rest.
- Python's ``if`` and ``for`` see only static parameters and lengths, never values.
- ``@template`` (see ``template``) makes a gadget that is traced once and then repeated at the price of one object.
  Variables and nested lists of them come first, static parameters are keyword-only and hashable. Decorate whatever
  is used more than a few times. An argument that is not a single wire or a constant costs one constraint, which
  binds a wire to it (twice the same argument: once).
- Test a gadget on valid and invalid inputs, and let :mod:`~aitbc_rollup.circuits.testing` spoil its hints and wires.
- Messages of assertions say what is wrong when they fail; :mod:`~aitbc_rollup.circuits.check` shows them with the
  source line and the path of components. ``with circuit.component("session"):`` names a part by hand.

A constraint is a rank-1 equation (A·w)(B·w) = C·w over Fr. What is constant is folded; what is constantly false is
refused at once, with the line that says it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import prod
from typing import TYPE_CHECKING, Any, NoReturn

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.errors import BadInputError

from .ir import Block, Hint, Op, Recorder, Terms
from .places import Component, Source, caller_place
from .variable import Variable

if TYPE_CHECKING:
    from .compiler import CompiledCircuit

__all__ = ["Circuit", "Input", "Variable"]

_ONE: Terms = {0: 1}


@dataclass(frozen=True)
class Input:
    """A declared input or output: its shape (``()`` for one value) and first wire, those of an array being in a row."""

    name: str
    shape: tuple[int, ...]
    wire: int

    @property
    def size(self) -> int:
        """Number of wires."""
        return prod(self.shape)


@dataclass
class Interface:
    """What a circuit shows outside, each list in order of declaration."""

    outputs: list[Input] = field(default_factory=list)
    public: list[Input] = field(default_factory=list)
    private: list[Input] = field(default_factory=list)


class Circuit:
    """A circuit under construction; see the module's docstring for its use."""

    def __init__(self, name: str = "main") -> None:
        self.name = name
        self.interface: Interface | None = Interface()
        self._recorder = Recorder(0, Component(None, "main"))
        self._component = self._recorder.root
        self._materialised: dict[tuple[tuple[int, int], ...], int] = {}

    @classmethod
    def _of_template(cls, name: str, n_inputs: int) -> Circuit:
        """The circuit a template is traced in: wires 1 … n_inputs are its arguments."""
        self = cls(name)
        self.interface = None
        self._recorder = Recorder(n_inputs, Component(None, ""), n_wires=1 + n_inputs)
        self._component = self._recorder.root
        return self

    # -- inputs and outputs ---------------------------------------------------------------------------------

    def public_input(self, name: str) -> Variable:
        """Declare one public input."""
        return self._one(self._declare("public", name, ()))

    def private_input(self, name: str) -> Variable:
        """Declare one private input: known to the prover alone."""
        return self._one(self._declare("private", name, ()))

    def public_inputs(self, name: str, *shape: int) -> list[Any]:
        """Declare an array of public inputs: lists of variables, nested as ``shape`` says."""
        return self._nested(self._declare("public", name, shape), shape)

    def private_inputs(self, name: str, *shape: int) -> list[Any]:
        """Declare an array of private inputs: lists of variables, nested as ``shape`` says."""
        return self._nested(self._declare("private", name, shape), shape)

    def public_output(self, name: str, value: Variable | int) -> Variable:
        """Publish a value: one wire and one constraint; returns the published wire."""
        terms = self._lift(value).terms
        output = self._one(self._declare("outputs", name, ()))
        row = self._row(terms, _ONE, output.terms, f"output {name}")
        self._recorder.add_instruction(Op.LINEAR, next(iter(output.terms)), row)
        return output

    def _declare(self, kind: str, name: str, shape: tuple[int, ...]) -> int:
        if self.interface is None:
            self._refuse(f"a template cannot declare {name!r}: only a circuit has inputs and outputs")
        lists = vars(self.interface)
        self._check_name(name)
        if any(name == known.name for known_list in lists.values() for known in known_list):
            self._refuse(f"the name {name!r} is taken")
        if any(length < 1 for length in shape):
            self._refuse(f"{name!r} has an empty dimension: {shape}")
        first = self._recorder.new_wires(prod(shape), self._component)
        lists[kind].append(Input(name, shape, first))
        return first

    def _check_name(self, name: str) -> None:
        if not name or any(character in ".[]," or character.isspace() for character in name):
            self._refuse(f"{name!r} cannot be a name: no dots, brackets, commas or spaces")

    def _one(self, wire: int) -> Variable:
        return Variable(self, {wire: 1})

    def _nested(self, first: int, shape: tuple[int, ...]) -> list[Any]:
        if not shape:
            self._refuse("an array needs at least one dimension")
        if len(shape) == 1:
            return [self._one(first + i) for i in range(shape[0])]
        stride = prod(shape[1:])
        return [self._nested(first + i * stride, shape[1:]) for i in range(shape[0])]

    # -- values ---------------------------------------------------------------------------------------------

    def constant(self, value: int) -> Variable:
        """A constant, reduced mod r."""
        return Variable(self, {0: value % R} if value % R else {})

    def sum(self, values: Iterable[Variable | int]) -> Variable:
        """Sum of many values in linear time; no constraint."""
        terms: Terms = {}
        for value in values:
            for wire, coefficient in self._lift(value).terms.items():
                terms[wire] = terms.get(wire, 0) + coefficient
        reduced = {wire: coefficient % R for wire, coefficient in terms.items()}
        return Variable(self, {wire: coefficient for wire, coefficient in reduced.items() if coefficient})

    def inner_product(self, factors: Sequence[int], values: Sequence[Variable | int]) -> Variable:
        """Σ factorᵢ · valueᵢ with constant factors; no constraint."""
        return self.sum(self._lift(value) * factor for factor, value in zip(factors, values, strict=True))

    def multiply(self, a: Variable | int, b: Variable | int) -> Variable:
        """a · b, as the operator: one wire and one constraint unless a factor is constant."""
        a, b = self._lift(a), self._lift(b)
        if (factor := b.constant) is not None:
            return a * factor
        if (factor := a.constant) is not None:
            return b * factor
        out = self._recorder.new_wires(1, self._component)
        row = self._row(a.terms, b.terms, {out: 1}, "")
        self._recorder.add_instruction(Op.MULTIPLY, out, row)
        return self._one(out)

    def multiply_add(self, a: Variable | int, b: Variable | int, c: Variable | int) -> Variable:
        """a · b + c as one wire, bound by one constraint; if a or b is constant a combination, without constraint."""
        a, b, c = self._lift(a), self._lift(b), self._lift(c)
        if a.constant is not None or b.constant is not None:
            return a * b + c
        out = self._recorder.new_wires(1, self._component)
        row = self._row(a.terms, b.terms, (self._one(out) - c).terms, "")
        self._recorder.add_instruction(Op.MULTIPLY, out, row)
        return self._one(out)

    def divide(self, a: Variable | int, b: Variable | int, message: str = "") -> Variable:
        """The wire q of the one constraint q · b = a, *for b already known not to be zero*.

        At b = 0 the constraint fails unless a = 0 too, and then leaves q free.

        Raises:
            BadInputError: b is the constant 0.
        """
        a, b = self._lift(a), self._lift(b)
        if (divisor := b.constant) is not None:
            if divisor == 0:
                self._refuse("division by the constant 0", message)
            return a * pow(divisor, -1, R)
        out = self._recorder.new_wires(1, self._component)
        row = self._row({out: 1}, b.terms, a.terms, message)
        self._recorder.add_instruction(Op.DIVIDE, out, row)
        return self._one(out)

    def materialise(self, value: Variable | int) -> Variable:
        """A single wire bound to a linear combination by one constraint; wires and constants come back as they are.

        Cuts long combinations that would otherwise be repeated in many constraints. The same combination is
        bound once per circuit or template.
        """
        value = self._lift(value)
        if value.wire is not None or value.constant is not None:
            return value
        key = tuple(sorted(value.terms.items()))
        out = self._materialised.get(key)
        if out is None:
            out = self._materialised[key] = self._recorder.new_wires(1, self._component)
            row = self._row(value.terms, _ONE, {out: 1}, "materialised linear combination")
            self._recorder.add_instruction(Op.LINEAR, out, row)
        return self._one(out)

    # -- assertions -----------------------------------------------------------------------------------------

    def assert_equal(self, a: Variable | int, b: Variable | int, message: str = "") -> None:
        """Constrain a = b: one constraint, none if both are the same combination.

        Raises:
            BadInputError: both are constant and differ.
        """
        a, b = self._lift(a), self._lift(b)
        difference = (a - b).constant
        if difference == 0:
            return
        if difference is not None:
            self._refuse(f"asserted equal, but they always differ: {a!r} and {b!r}", message)
        if a.constant is not None:
            a, b = b, a
        self._row(a.terms, _ONE, b.terms, message)

    def assert_zero(self, a: Variable | int, message: str = "") -> None:
        """Constrain a = 0."""
        self.assert_equal(a, 0, message)

    def assert_product(self, a: Variable | int, b: Variable | int, c: Variable | int, message: str = "") -> None:
        """Constrain a · b = c: one constraint, no new wire.

        Raises:
            BadInputError: all are constant and it is false.
        """
        a, b, c = self._lift(a), self._lift(b), self._lift(c)
        if a.constant is not None or b.constant is not None:
            self.assert_equal(a * b, c, message)
        else:
            self._row(a.terms, b.terms, c.terms, message)

    def assert_boolean(self, a: Variable | int, message: str = "") -> None:
        """Constrain a to 0 or 1: one constraint."""
        a = self._lift(a)
        self.assert_product(a, a - 1, 0, message or "neither 0 nor 1")

    # -- hints: unconstrained -------------------------------------------------------------------------------

    def hint_inverse(self, x: Variable | int) -> Variable:
        """1/x, or 0 for x = 0. Unconstrained."""
        x = self._lift(x)
        if (value := x.constant) is not None:
            return self.constant(pow(value, R - 2, R))
        return self._native(Op.INVERSE, x, 0, 1)[0]

    def hint_bits(self, x: Variable | int, n: int) -> list[Variable]:
        """The low ``n`` bits (0 to 254) of x's canonical value, least significant first. Unconstrained."""
        if not 0 <= n <= 254:
            self._refuse(f"hint_bits gives 0 to 254 bits, not {n}")
        x = self._lift(x)
        if (value := x.constant) is not None:
            return [self.constant(value >> i & 1) for i in range(n)]
        return self._native(Op.BITS, x, n, n) if n else []

    def hint_divmod(self, x: Variable | int, divisor: int) -> tuple[Variable, Variable]:
        """Quotient and remainder of the canonical value of x by a constant in [1, r). Unconstrained."""
        if not 0 < divisor < R:
            self._refuse(f"hint_divmod divides by a constant in [1, r), not {divisor}")
        x = self._lift(x)
        if (value := x.constant) is not None:
            return self.constant(value // divisor), self.constant(value % divisor)
        quotient, remainder = self._native(Op.DIVMOD, x, divisor, 2)
        return quotient, remainder

    def hint(
        self, function: Callable[..., int | Sequence[int]], inputs: Sequence[Variable | int], n_outputs: int
    ) -> list[Variable]:
        """What a Python function makes of the inputs' values (integers in [0, r), one argument each). Unconstrained.

        The function returns ``n_outputs`` integers (one alone may come bare), reduced mod r. It must be a pure
        function; it is called once per occurrence.
        """
        if n_outputs < 1:
            self._refuse("a hint has at least one output")
        lifted = [self._lift(value) for value in inputs]
        first_operand = self._recorder.n_operands
        for value in lifted:
            self._recorder.add_operand(value.terms)
        out = self._recorder.new_wires(n_outputs, self._component)
        self._recorder.add_instruction(Op.PYTHON, out, first_operand, Hint(function, len(lifted), n_outputs))
        return [self._one(out + i) for i in range(n_outputs)]

    def _native(self, op: Op, x: Variable, extra: int, n_outputs: int) -> list[Variable]:
        operand = self._recorder.add_operand(x.terms)
        out = self._recorder.new_wires(n_outputs, self._component)
        self._recorder.add_instruction(op, out, operand, extra)
        return [self._one(out + i) for i in range(n_outputs)]

    # -- structure ------------------------------------------------------------------------------------------

    @contextmanager
    def component(self, name: str) -> Iterator[None]:
        """Name what is said inside the ``with`` block; siblings of one name are numbered."""
        self._check_name(name)
        outer = self._component
        self._component = Component(outer, name)
        try:
            yield
        finally:
            self._component = outer

    @property
    def n_constraints(self) -> int:
        """Constraints so far."""
        return self._recorder.n_constraints

    def compile(self) -> CompiledCircuit:
        """Arrays of everything said so far: constraints, witness program, names."""
        from .compiler import compile_circuit

        if self.interface is None:
            self._refuse("a template is compiled by its use, not by itself")
        return compile_circuit(self.name, self._recorder, self.interface)

    def _instantiate(self, block: Block, inputs: tuple[int, ...], name: str) -> int:
        """Put a traced template to use; the wire its internals begin at."""
        component = Component(self._component, name)
        return self._recorder.add_instance(block, inputs, component, caller_place()).wire

    def _lift(self, value: Variable | int) -> Variable:
        if isinstance(value, Variable):
            if value.circuit is not self:
                self.refuse_stranger()
            return value
        if isinstance(value, int):
            return self.constant(value)
        raise TypeError(f"expected a Variable or an int, got {type(value).__name__}")

    def _row(self, a: Terms, b: Terms, c: Terms, message: str) -> int:
        return self._recorder.add_row(a, b, c, Source(caller_place(), self._component, message))

    def refuse_stranger(self) -> NoReturn:
        """Raise the error for a variable of another circuit."""
        self._refuse(
            "a Variable of another circuit or template",
            hint="pass it as an argument: a template sees only its own arguments",
        )

    def _refuse(self, problem: str, message: str = "", hint: str | None = None) -> NoReturn:
        raise BadInputError(f"{problem} ({message})" if message else problem, place=str(caller_place()), hint=hint)
