"""A small assembler for the EVM that knows what lies on the stack.

Stack items may have names; :meth:`Assembler.load` finds one by name, with DUP where DUP reaches, and otherwise in
memory, where the name may have a home. Large constants can be kept on the stack as well: DUP costs the gas of a PUSH32
and 32 bytes of code less.

Source of opcodes: the Ethereum yellow paper, appendix H; EIP-3855 (PUSH0), EIP-5656 (MCOPY), both in Cancun.
"""

from __future__ import annotations

from collections.abc import Sequence

#: Code, items taken, items put.
OPCODES: dict[str, tuple[int, int, int]] = {
    "ADD": (0x01, 2, 1),
    "ADDMOD": (0x08, 3, 1),
    "MULMOD": (0x09, 3, 1),
    "LT": (0x10, 2, 1),
    "EQ": (0x14, 2, 1),
    "ISZERO": (0x15, 1, 1),
    "AND": (0x16, 2, 1),
    "XOR": (0x18, 2, 1),
    "CALLDATALOAD": (0x35, 1, 1),
    "CALLDATASIZE": (0x36, 0, 1),
    "CODECOPY": (0x39, 3, 0),
    "EXTCODECOPY": (0x3C, 4, 0),
    "POP": (0x50, 1, 0),
    "MLOAD": (0x51, 1, 1),
    "MSTORE": (0x52, 2, 0),
    "JUMP": (0x56, 1, 0),
    "JUMPI": (0x57, 2, 0),
    "JUMPDEST": (0x5B, 0, 0),
    "MCOPY": (0x5E, 3, 0),
    "CREATE": (0xF0, 3, 1),
    "RETURN": (0xF3, 2, 0),
    "REVERT": (0xFD, 2, 0),
}
PUSH0, PUSH2, DUP1, SWAP1 = 0x5F, 0x61, 0x80, 0x90
#: The deepest item that DUP reaches, the top being 1.
REACH = 16


class Assembler:
    """Code under construction. ``stack`` has the names of what is on it, "" where there is none; the top is last."""

    def __init__(self) -> None:
        self._code = bytearray()
        self._labels: dict[str, int] = {}
        self._references: list[tuple[int, str, int]] = []
        self._heights: dict[str, set[int]] = {}
        self.stack: list[str] = []
        self.homes: dict[str, int] = {}

    def op(self, *names: str) -> None:
        """Append opcodes of the table."""
        for name in names:
            code, takes, puts = OPCODES[name]
            self._code.append(code)
            if takes > len(self.stack):
                raise ValueError(f"{name} takes {takes} items, the stack has {len(self.stack)}")
            del self.stack[len(self.stack) - takes :]
            self.stack += [""] * puts

    def push(self, value: int, name: str = "") -> None:
        """Push a number by the shortest opcode."""
        size = (value.bit_length() + 7) // 8
        self._code += bytes([PUSH0 + size]) + value.to_bytes(size, "big")
        self.stack.append(name)

    def push_place(self, label: str, offset: int = 0) -> None:
        """Push the place of a label in the code, and an offset from it."""
        self._references.append((len(self._code) + 1, label, offset))
        self._code += bytes([PUSH2, 0, 0])
        self.stack.append("")

    def push_blank(self, label: str) -> None:
        """Push a word of zeros, which is written into the code later; the label is its place."""
        self._labels[label] = len(self._code) + 1
        self._code += bytes([PUSH0 + 32, *bytes(32)])
        self.stack.append("")

    def constant(self, value: int) -> None:
        """Put a number on top: a copy of a kept one, if DUP reaches it."""
        depth = self.depth(_kept(value))
        if depth <= REACH:
            self.dup(depth)
        else:
            self.push(value)

    def keep(self, value: int) -> None:
        """Put a number on the stack for :meth:`constant` to copy."""
        self.constant(value)
        self.name(_kept(value))

    def name(self, name: str) -> None:
        """Name the top."""
        self.stack[-1] = name

    def depth(self, name: str) -> int:
        """How deep the item lies, the top being 1; beyond reach if there is none."""
        return next((i for i, item in enumerate(reversed(self.stack), 1) if item == name), REACH + 1)

    def load(self, name: str) -> None:
        """Put a copy of a named item on top, from the stack or from its home in memory.

        Raises:
            ValueError: it is out of reach and has no home.
        """
        depth = self.depth(name)
        if depth <= REACH:
            self.dup(depth)
        elif name in self.homes:
            self.push(self.homes[name])
            self.op("MLOAD")
        else:
            raise ValueError(f"{name} is out of reach on the stack {self.stack}")

    def store(self, address: int) -> None:
        """Move the top to memory."""
        self.push(address)
        self.op("MSTORE")

    def dup(self, depth: int) -> None:
        """DUP1 … DUP16: copy the item at this depth."""
        if not 1 <= depth <= min(REACH, len(self.stack)):
            raise ValueError(f"no DUP{depth} on {len(self.stack)} items")
        self._code.append(DUP1 + depth - 1)
        self.stack.append("")

    def swap(self, depth: int) -> None:
        """SWAP1 … SWAP16: exchange the top and the item this far below it."""
        if not 1 <= depth <= min(REACH, len(self.stack) - 1):
            raise ValueError(f"no SWAP{depth} on {len(self.stack)} items")
        self._code.append(SWAP1 + depth - 1)
        self.stack[-1], self.stack[-1 - depth] = self.stack[-1 - depth], self.stack[-1]

    def drop(self, count: int) -> None:
        """POP as many items."""
        self.op(*["POP"] * count)

    def place(self, label: str, stack: Sequence[str] | None = None) -> None:
        """A target of jumps; reached by jumps alone if ``stack`` says what is there then."""
        if stack is not None:
            self.stack = list(stack)
        self._labels[label] = len(self._code)
        self._heights.setdefault(label, set()).add(len(self.stack))
        self.op("JUMPDEST")

    def jump(self, label: str) -> None:
        """Jump; what follows is reached by jumps alone."""
        self.push_place(label)
        self.op("JUMP")
        self._heights.setdefault(label, set()).add(len(self.stack))

    def jump_if(self, label: str) -> None:
        """Jump if the top is not 0."""
        self.push_place(label)
        self.op("JUMPI")
        self._heights.setdefault(label, set()).add(len(self.stack))

    def data(self, label: str, data: bytes) -> None:
        """Bytes that are no code, after all of the code."""
        self._labels[label] = len(self._code)
        self._code += data

    def find(self, label: str) -> int:
        """The place of a label in the code."""
        return self._labels[label]

    def assemble(self) -> bytes:
        """The code, all labels resolved.

        Raises:
            ValueError: a place is reached with stacks of different heights.
            OverflowError: the code is longer than 64 KiB.
        """
        for label, heights in self._heights.items():
            if len(heights) > 1:
                raise ValueError(f"{label} is reached with {sorted(heights)} items on the stack")
        code = bytearray(self._code)
        for at, label, offset in self._references:
            code[at : at + 2] = (self._labels[label] + offset).to_bytes(2, "big")
        return bytes(code)


def _kept(value: int) -> str:
    return f"={value:x}"
