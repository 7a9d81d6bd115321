"""What the slots of every kind have in common: the ones in use come first, and each accesses accounts in its roles."""

from __future__ import annotations

from collections.abc import Sequence

from ...api import Circuit, Variable
from ...gadgets.boolean import assert_prefix
from .memory import Access, Clock, State, write


def in_use(circuit: Circuit, flags: Sequence[Variable]) -> Variable:
    """How many slots are in use; they come first. Each slot has constrained its own flag to 0 or 1."""
    known = [flag.within(0, 1) for flag in flags]
    assert_prefix(circuit, known)
    return circuit.sum(known)


class Roles:
    """The accounts that slots of one kind access, each in a role, and what is read of them.

    Declares, for each role: ``<kind>_<role>[n][9]`` (``memory.State``) and ``<kind>_<role>_previous[n]`` (the time
    that state was written).
    """

    def __init__(self, circuit: Circuit, clock: Clock, kind: str, roles: tuple[str, str], count: int) -> None:
        self._circuit = circuit
        self._clock = clock
        self._states = {role: circuit.private_inputs(f"{kind}_{role}", count, len(State._fields)) for role in roles}
        self._previous = {role: circuit.private_inputs(f"{kind}_{role}_previous", count) for role in roles}

    def columns(self) -> list[list[list[Variable]]]:
        """The states, role by role, slot by slot."""
        return list(self._states.values())

    def state(self, role: str, slot: int) -> State:
        """What a slot reads in a role."""
        return State(*self._states[role][slot])

    def write(
        self, role: str, slot: int, time: int, account: Variable, after: Sequence[Variable], active: Variable
    ) -> None:
        """Read that state of an account and write another one, where ``active``; see ``memory.write``."""
        access = Access(account, self.state(role, slot), self._previous[role][slot], active)
        write(self._circuit, self._clock, time, access, after)
