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
- A variable *knows* its range once a gadget has checked it (``gadgets.ranges.uint``); arithmetic carries that on, and
  gadgets that are right only for small values refuse others while the circuit is built.
- ``circuit.look_up(table, values)``, ``send`` and ``receive`` speak to a bus (see ``buses``): lookups, multisets and
  memories. The compiler gathers all messages, commits to what stands in them and draws the challenge; such a circuit is
  proved with the commitment extension. ``circuit.challenge()`` gives a gadget a challenge of its own.
- ``gadget.repeat(circuit, rows)`` puts a template to use many times at the price of once.
- Test a gadget on valid and invalid inputs, and let :mod:`~aitbc_rollup.circuits.testing` spoil its hints and wires.
- Messages of assertions say what is wrong when they fail; :mod:`~aitbc_rollup.circuits.check` shows them with the
  source line and the path of components. ``with circuit.component("session"):`` names a part by hand.

A constraint is a rank-1 equation (A·w)(B·w) = C·w over Fr. What is constant is folded; what is constantly false is
refused at once, with the line that says it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from math import prod
from typing import TYPE_CHECKING, Any, NoReturn

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.errors import BadInputError

from .buses import Bus, Table
from .interface import Input, Interface
from .ir import Block, Hint, Instances, Kind, Op, Recorder, Terms
from .places import Component, Source, caller_place, user_place
from .r1cs import Indices
from .variable import Bounds, Variable, plus, times

if TYPE_CHECKING:
    from .compiler import CompiledCircuit

__all__ = ["Circuit", "Input", "Variable"]

_ONE: Terms = {0: 1}


class Circuit:
    """A circuit under construction; see the module's docstring for its use.

    Args:
        name: for people.
        limb_bits: width of the tables by which ranges are checked, 2 to 16: a value of n bits costs about n over this
            many constraints, and the tables cost 2 to the power of it once. Without it a range is checked bit by
            bit, and the circuit needs no commitment for that.
    """

    def __init__(self, name: str = "main", *, limb_bits: int | None = None) -> None:
        if limb_bits is not None and not 2 <= limb_bits <= 16:
            raise ValueError(f"limb_bits is 2 to 16, not {limb_bits}")
        self.name = name
        self.limb_bits = limb_bits
        self.interface: Interface | None = Interface()
        self._recorder = Recorder(0, Component(None, "main"))
        self._component = self._recorder.root
        self._materialised: dict[tuple[tuple[int, int], ...], int] = {}

    @classmethod
    def _of_template(cls, name: str, n_inputs: int, limb_bits: int | None) -> Circuit:
        """The circuit a template is traced in: wires 1 … n_inputs are its arguments."""
        self = cls(name, limb_bits=limb_bits)
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
        """Publish a value: one wire and one constraint; returns the published wire. Not after the challenge."""
        self._refuse_if_drawn(f"the output {name!r}")
        terms = self._lift(value).terms
        output = self._one(self._declare("outputs", name, ()))
        row = self._row(terms, _ONE, output.terms, f"output {name}")
        self._recorder.add_instruction(Op.LINEAR, next(iter(output.terms)), row)
        return output

    def _declare(self, kind: str, name: str, shape: tuple[int, ...]) -> int:
        if self.interface is None:
            self._refuse(f"a template cannot declare {name!r}: only a circuit has inputs and outputs")
        interface = self.interface
        lists = {"outputs": interface.outputs, "public": interface.public, "private": interface.private}
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

    def _one(self, wire: int, bounds: Bounds | None = None) -> Variable:
        return Variable(self, {wire: 1}, bounds)

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
        bounds: Bounds | None = (0, 0)
        for value in values:
            lifted = self._lift(value)
            bounds = plus(bounds, lifted.bounds)
            for wire, coefficient in lifted.terms.items():
                terms[wire] = terms.get(wire, 0) + coefficient
        reduced = {wire: coefficient % R for wire, coefficient in terms.items()}
        return Variable(self, {wire: coefficient for wire, coefficient in reduced.items() if coefficient}, bounds)

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
        return self._one(out, times(a.bounds, b.bounds))

    def multiply_add(self, a: Variable | int, b: Variable | int, c: Variable | int) -> Variable:
        """a · b + c as one wire, bound by one constraint; if a or b is constant a combination, without constraint."""
        a, b, c = self._lift(a), self._lift(b), self._lift(c)
        if a.constant is not None or b.constant is not None:
            return a * b + c
        out = self._recorder.new_wires(1, self._component)
        row = self._row(a.terms, b.terms, (self._one(out) - c).terms, "")
        self._recorder.add_instruction(Op.MULTIPLY, out, row)
        return self._one(out, plus(times(a.bounds, b.bounds), c.bounds))

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
        return self._one(out, value.bounds)

    def fixed(self, value: int) -> Variable:
        """A wire bound to a constant, by one constraint: a number that repeated templates may differ in."""
        out = self._recorder.new_wires(1, self._component)
        row = self._row(self.constant(value).terms, _ONE, {out: 1}, "a fixed number")
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

    def hint_limbs(self, x: Variable | int, n: int, width: int, start: int = 0) -> list[Variable]:
        """``n`` digits of ``width`` bits (1 to 32) of x's canonical value from bit ``start`` up. Unconstrained."""
        if not (0 <= n <= 254 and 1 <= width <= 32 and 0 <= start <= 254):
            self._refuse(f"hint_limbs gives 0 to 254 limbs of 1 to 32 bits, not {n} of {width} from {start}")
        x = self._lift(x)
        if (value := x.constant) is not None:
            return [self.constant(value >> start + i * width & (1 << width) - 1) for i in range(n)]
        return self._native(Op.LIMBS, x, n | width << 8 | start << 16, n) if n else []

    def hint(
        self, function: Callable[..., Any], inputs: Sequence[Variable | int], n_outputs: int, *, batch: bool = False
    ) -> list[Variable]:
        """What a Python function makes of the inputs' values. Unconstrained.

        The function gets one integer in [0, r) an input and returns ``n_outputs`` integers (one alone may come bare),
        reduced mod r; it is called once per occurrence. With ``batch`` it gets *all* occurrences of one
        ``repeat`` at once, as canonical limbs, uint64 (occurrences, inputs, 4), and returns canonical limbs
        (occurrences, outputs, 4). Either way it must be a pure function.
        """
        if n_outputs < 1:
            self._refuse("a hint has at least one output")
        lifted = [self._lift(value) for value in inputs]
        first_operand = self._recorder.n_operands
        for value in lifted:
            self._recorder.add_operand(value.terms)
        out = self._recorder.new_wires(n_outputs, self._component)
        self._recorder.add_instruction(Op.PYTHON, out, first_operand, Hint(function, len(lifted), n_outputs, batch))
        return [self._one(out + i) for i in range(n_outputs)]

    def _native(self, op: Op, x: Variable, extra: int, n_outputs: int) -> list[Variable]:
        operand = self._recorder.add_operand(x.terms)
        out = self._recorder.new_wires(n_outputs, self._component)
        self._recorder.add_instruction(op, out, operand, extra)
        return [self._one(out + i) for i in range(n_outputs)]

    # -- buses, commitment and challenge ---------------------------------------------------------------------

    def send(self, bus: Bus, values: Sequence[Variable | int], count: Variable | int = 1) -> None:
        """Send a tuple on a bus, ``count`` times: what is sent must be received (see ``buses``).

        Counts are field elements, and what is balanced are their sums: one that may be −1 receives what it sends.
        """
        self._message(bus, Kind.SEND, values, count)

    def receive(self, bus: Bus, values: Sequence[Variable | int], count: Variable | int = 1) -> None:
        """Receive a tuple on a bus, ``count`` times."""
        self._message(bus, Kind.RECEIVE, values, count)

    def look_up(self, bus: Bus, values: Sequence[Variable | int], count: Variable | int = 1) -> None:
        """Constrain a tuple to be a row of a table (where ``count`` is 0, nothing); its first value is the row's key.

        The count is *known* to be below 2^32, a flag for example: counts free to be −1 would cancel others.

        In a :class:`~aitbc_rollup.circuits.buses.Table` the key is the row's number; on another bus rows are what
        :meth:`enter` puts there. Does not bind the key to anything else.
        """
        self._lift(count).require_bits(32, f"the count of a lookup on bus {bus.name!r}")
        self._message(bus, Kind.LOOKUP, values, count)

    def enter(self, bus: Bus, values: Sequence[Variable | int]) -> None:
        """Put a row into a table of the circuit's own; how often it is looked up, the witness knows.

        Its first value, the key, tells an honest prover the rows apart: none twice, and counted the faster if all are
        below 2^32. A row costs what a message costs.
        """
        times_read = self._one(self._recorder.new_wires(1, self._component))
        self._message(bus, Kind.ENTRY, values, times_read)

    def _message(self, bus: Bus, kind: Kind, values: Sequence[Variable | int], count: Variable | int) -> None:
        if len(values) != bus.columns:
            self._refuse(f"bus {bus.name!r} carries {bus.columns} values, not {len(values)}")
        if isinstance(bus, Table) and kind != Kind.LOOKUP:
            self._refuse(f"the rows of table {bus.name!r} are constant: look_up is all one can do")
        self._refuse_if_drawn(f"a message on bus {bus.name!r}")
        operands = [self._lift(value).terms for value in (*values, count)]
        self._recorder.add_message(bus, kind, operands, Source(user_place(), self._component, bus.name))

    def commit(self, values: Iterable[Variable | int]) -> None:
        """Commit to values, before the challenge is drawn; what stands in messages is committed to anyway.

        Only in a circuit, not in a template.
        """
        interface = self._whole("commit")
        self._refuse_if_drawn("a commitment")
        interface.committed.update(wire for value in values for wire in self._lift(value).terms)

    def challenge(self, count: int = 1) -> list[Variable]:
        """So many (1 to 15) independent random field elements, drawn after everything committed to and sent so far.

        They are hashes of the one challenge that the verifier draws, so a prover knows them only after fixing every
        value committed to. *What an argument depends on must have been committed*: nothing can be afterwards.
        """
        from .gadgets.challenge import expand

        interface = self._whole("draw a challenge")
        if interface.challenge is None:
            interface.late = self._recorder.n_instructions
            interface.challenge = self._recorder.new_wires(1, self._component)
        interface.drawn += 1
        return expand(self, self._one(interface.challenge), interface.drawn, count)

    def _whole(self, what: str) -> Interface:
        if self.interface is None:
            self._refuse(f"a template cannot {what}: only a circuit can")
        return self.interface

    def _refuse_if_drawn(self, what: str) -> None:
        if self.interface is not None and self.interface.challenge is not None:
            self._refuse(f"{what} after the challenge is drawn", hint="draw the challenge last")

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
        from .arguments import close
        from .compiler import compile_circuit

        if self.interface is None:
            self._refuse("a template is compiled by its use, not by itself")
        keys = close(self)
        return compile_circuit(self.name, self._recorder, self.interface, keys)

    def _instantiate(self, block: Block, inputs: Indices, name: str) -> Instances:
        """Put a traced template to use, once for each row of inputs."""
        if len(block.messages.kinds):
            self._refuse_if_drawn(f"messages on buses, by template {name},")
        component = Component(self._component, name)
        return self._recorder.add_instances(block, inputs, component, user_place())

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

    def refuse_narrowing(self, what: str, n_bits: int, got: str) -> NoReturn:
        """Raise the error for a variable that is not known to be as small as a gadget needs it."""
        limit, check = ("0 or 1", "boolean") if n_bits == 1 else (f"0 … 2^{n_bits} − 1", "uint")
        raise BadInputError(
            f"{what} is not known to be in its range",
            place=str(user_place(traced=False)),
            expected=limit,
            got=got,
            hint=f"check it first, and go on with what the check returns: gadgets.ranges.{check}",
        )

    def refuse_stranger(self) -> NoReturn:
        """Raise the error for a variable of another circuit."""
        self._refuse(
            "a Variable of another circuit or template",
            hint="pass it as an argument: a template sees only its own arguments",
        )

    def _refuse(self, problem: str, message: str = "", hint: str | None = None) -> NoReturn:
        raise BadInputError(f"{problem} ({message})" if message else problem, place=str(caller_place()), hint=hint)
