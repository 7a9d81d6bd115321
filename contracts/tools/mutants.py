"""Mutants of a Solidity source, all in one: each changed place asks ``block.coinbase`` which mutant is tried.

Compiling takes a minute and a test run a second, so the contracts are compiled once with every mutant inside ("mutant
schemata": R. Untch, A. Offutt, M. J. Harrold, "Mutation analysis using mutant schemata", ISSTA 1993). What a run of the
tests gets to see is chosen by Foundry's setting ``block_coinbase``; with another address every place is as written.

Places come from the compiler's syntax tree, so offsets are in bytes. Mutants are made of:

- conditions: an ``if`` or ``?:`` never, and the other way; ``<`` and ``<=``, ``>`` and ``>=``, ``==`` and ``!=`` for
  each other, and turned round; ``&&`` and ``||`` for each other, and with one side alone; ``!`` left out;
- arithmetic: the operator for its counterpart, and the result plus one; also in assembly;
- statements: an assignment, a deletion or a call left out; ``+=`` and ``-=``, ``++`` and ``--`` for each other; of a
  tuple each part left out;
- modifiers of this project left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

#: Where the mutants' addresses begin: no precompile, and nobody's in the tests.
FIRST = 0x6D757400000000
_COMPARISONS = {"<": ("<=", ">="), "<=": ("<", ">"), ">": (">=", "<="), ">=": (">", "<"), "==": ("!=",), "!=": ("==",)}
_ARITHMETIC = {"+": "-", "-": "+", "*": "/", "/": "*", "%": "*", "<<": ">>", ">>": "<<", "&": "|", "|": "&", "^": "&"}
_YUL = {
    "add": "sub",
    "sub": "add",
    "mul": "add",
    "mulmod": "addmod",
    "shl": "shr",
    "shr": "shl",
    "and": "or",
    "or": "and",
}
_YUL_NOT = {"lt": "gt", "gt": "lt"}
_YUL_HELPER = b" function mutant(id, a, b) -> c { c := b if eq(coinbase(), id) { c := a } } "


@dataclass(frozen=True)
class Mutant:
    """One change.

    Attributes:
        name: file, function and change; the same as long as the function's text around it is.
        address: block.coinbase with which it is tried.
        line: of the source, from 1.
    """

    name: str
    address: int
    line: int


@dataclass
class _Place:
    """A range of the source with its alternatives; the kind says how they are chosen."""

    start: int
    end: int
    kind: str  # expression, statement, yul
    alternatives: list[tuple[str, bytes]] = field(default_factory=list)


class Schema:
    """A source and its mutants.

    Args:
        path: of the source, for names.
        source: its text.
        tree: its syntax tree, as solc gives it.
        modifiers: ids of the modifiers that can be left out.
        first: number of its first mutant.

    Attributes:
        mutants: in the order of their places.
        text: the source with all of them inside.
    """

    def __init__(self, path: str, source: bytes, tree: dict[str, Any], modifiers: set[int], first: int) -> None:
        self.path, self._source, self._modifiers, self._next = path, source, modifiers, first
        self.mutants: list[Mutant] = []
        self._places: dict[tuple[int, int, str], _Place] = {}
        self._names: dict[str, int] = {}
        self._edits: list[tuple[int, int, bytes]] = []
        self._visit(tree, [])
        self._render()

    def _text(self, node: dict[str, Any]) -> bytes:
        start, length, _ = map(int, node["src"].split(":"))
        return self._source[start : start + length]

    def _range(self, node: dict[str, Any]) -> tuple[int, int]:
        start, length, _ = map(int, node["src"].split(":"))
        return start, start + length

    def _offer(self, where: tuple[int, int], kind: str, why: str, alternative: bytes) -> None:
        place = self._places.setdefault((*where, kind), _Place(*where, kind))
        place.alternatives.append((why, alternative))

    # -- what can be changed -------------------------------------------------------------------------------------------

    def _visit(self, node: Any, above: list[dict[str, Any]]) -> None:
        if isinstance(node, list):
            for child in node:
                self._visit(child, above)
            return
        if not isinstance(node, dict):
            return
        kind = node.get("nodeType", "")
        # Constants need constant values; an error's arguments are not what anyone is paid by.
        if kind in ("RevertStatement", "EmitStatement", "ErrorDefinition", "EventDefinition", "UsingForDirective"):
            return
        if kind == "VariableDeclaration" and node.get("stateVariable"):
            return
        visit: Callable[[dict[str, Any], list[dict[str, Any]]], None] | None = getattr(self, f"_{kind}", None)
        if visit is not None:
            visit(node, above)
        if kind == "ModifierDefinition":  # left out where it is used
            return
        if kind:
            above = [*above, node]
        for key, child in node.items():
            if key != "typeDescriptions":
                self._visit(child, above)

    def _IfStatement(self, node: dict[str, Any], above: list[dict[str, Any]]) -> None:
        where, text = self._range(node["condition"]), self._text(node["condition"])
        self._offer(where, "expression", "never", b"false")
        if node["condition"]["nodeType"] != "BinaryOperation" or node["condition"]["operator"] not in _COMPARISONS:
            self._offer(where, "expression", "not", b"!(" + text + b")")

    def _Conditional(self, node: dict[str, Any], above: list[dict[str, Any]]) -> None:
        self._offer(self._range(node["condition"]), "expression", "never", b"false")
        self._offer(self._range(node["condition"]), "expression", "always", b"true")

    def _BinaryOperation(self, node: dict[str, Any], above: list[dict[str, Any]]) -> None:
        if node["typeDescriptions"]["typeString"].startswith(("int_const", "rational_const")):
            return
        where, operator = self._range(node), node["operator"]
        left, right = self._text(node["leftExpression"]), self._text(node["rightExpression"])
        if operator in ("&&", "||"):
            swapped = b"||" if operator == "&&" else b"&&"
            self._offer(where, "expression", f"{operator} other", left + swapped + right)
            self._offer(where, "expression", f"{operator} left", left)
            self._offer(where, "expression", f"{operator} right", right)
        elif operator in _COMPARISONS:
            for other in _COMPARISONS[operator]:
                self._offer(where, "expression", f"{operator} to {other}", left + other.encode() + right)
        elif operator in _ARITHMETIC:
            other = _ARITHMETIC[operator]
            self._offer(where, "expression", f"{operator} to {other}", b"(%b) %b (%b)" % (left, other.encode(), right))
            if operator in "+-*/":
                self._offer(where, "expression", f"{operator} plus 1", self._text(node) + b" + 1")

    def _UnaryOperation(self, node: dict[str, Any], above: list[dict[str, Any]]) -> None:
        operand = self._text(node["subExpression"])
        if node["operator"] == "!":
            self._offer(self._range(node), "expression", "! left out", operand)
        elif node["operator"] in ("++", "--") and above[-1]["nodeType"] not in ("ExpressionStatement", "ForStatement"):
            other = b"--" if node["operator"] == "++" else b"++"
            self._offer(
                self._range(node), "expression", "other", other + operand if node["prefix"] else operand + other
            )

    def _ExpressionStatement(self, node: dict[str, Any], above: list[dict[str, Any]]) -> None:
        if above[-1]["nodeType"] == "ForStatement":
            return
        start, end = self._range(node)
        where = (start, self._source.index(b";", end) + 1)
        text, expression = self._text(node), node["expression"]
        if "storage pointer" not in json.dumps(expression.get("leftHandSide")):  # one unset does not compile
            self._offer(where, "statement", "left out", b"")
        if expression["nodeType"] == "UnaryOperation" and expression["operator"] in ("++", "--"):
            other = text.replace(b"++", b"\0").replace(b"--", b"++").replace(b"\0", b"--")
            self._offer(where, "statement", "other", other + b";")
        if expression["nodeType"] != "Assignment":
            return
        left, right = expression["leftHandSide"], self._text(expression["rightHandSide"])
        if expression["operator"] in ("+=", "-="):
            other = b"-=" if expression["operator"] == "+=" else b"+="
            self._offer(
                where, "statement", f"{expression['operator']} to other", self._text(left) + other + right + b";"
            )
        if left["nodeType"] == "TupleExpression":
            parts = [self._text(part) if part else b"" for part in left["components"]]
            for i, (part, component) in enumerate(zip(parts, left["components"], strict=True)):
                if part and "storage pointer" not in component["typeDescriptions"]["typeString"]:
                    kept = b", ".join(b"" if j == i else other for j, other in enumerate(parts))
                    self._offer(where, "statement", f"part {i} left out", b"(%b) = %b;" % (kept, right))

    def _ModifierInvocation(self, node: dict[str, Any], above: list[dict[str, Any]]) -> None:
        name = node["modifierName"]["name"]
        if node["modifierName"]["referencedDeclaration"] in self._modifiers:
            self._offer(self._range(node), "modifier", "left out", name.encode())

    def _ModifierDefinition(self, node: dict[str, Any], above: list[dict[str, Any]]) -> None:
        _, end = self._range(node)
        head, body = f"modifier {node['name']}Unless(address off)".encode(), self._text(node["body"])
        self._edits.append((end, end, b"\n" + head + b" { if (block.coinbase == off) { _; } else " + body + b" }\n"))

    def _InlineAssembly(self, node: dict[str, Any], above: list[dict[str, Any]]) -> None:
        opened = self._source.index(b"{", self._range(node)[0]) + 1
        self._edits.append((opened, opened, _YUL_HELPER))

    def _YulFunctionCall(self, node: dict[str, Any], above: list[dict[str, Any]]) -> None:
        name, text = node["functionName"]["name"], self._text(node)
        arguments = b", ".join(map(self._text, node["arguments"]))
        if re.search(rb"call\(|addScaled", text):  # both alternatives are worked out, so none may do anything
            return
        if name in _YUL:
            call = b"%b(%b)" % (_YUL[name].encode(), arguments)
            self._offer(self._range(node), "yul", f"{name} to {_YUL[name]}", call)
        elif name in _YUL_NOT:
            call = b"iszero(%b(%b))" % (_YUL_NOT[name].encode(), arguments)
            self._offer(self._range(node), "yul", f"{name} or equal", call)
        elif name in ("mod", "eq"):
            self._offer(self._range(node), "yul", f"{name} left out", self._text(node["arguments"][0]))

    # -- the changed source --------------------------------------------------------------------------------------------

    def _render(self) -> None:
        places = sorted(self._places.values(), key=lambda place: (place.start, -place.end, place.kind != "statement"))
        functions = list(_functions(self._source))
        self.text = self._pure(self._inside(0, len(self._source), places, functions))

    def _inside(self, start: int, end: int, places: list[_Place], functions: list[tuple[int, str]]) -> bytes:
        """The text of a range, with what lies in it changed; takes its places off the front of the list."""
        out, at = b"", start
        while places and places[0].start < end:
            place = places.pop(0)
            out += self._plain(at, place.start)
            addresses = [self._number(place, why, functions) for why, _ in place.alternatives]
            original = self._inside(place.start, place.end, places, functions)
            out += _choose(place, addresses, original)
            at = place.end
        return out + self._plain(at, end)

    def _plain(self, start: int, end: int) -> bytes:
        out, at = b"", start
        for where, _, text in sorted(self._edits):
            if start <= where < end:
                out, at = out + self._source[at:where] + text, where
        return out + self._source[at:end]

    def _number(self, place: _Place, why: str, functions: list[tuple[int, str]]) -> bytes:
        function = next((name for start, name in reversed(functions) if start <= place.start), "")
        text = " ".join(self._source[place.start : place.end].decode().split())
        name = f"{self.path}: {function}: {text}: {why}"
        self._names[name] = self._names.get(name, 0) + 1
        if self._names[name] > 1:
            name += f" ({self._names[name]})"
        line = self._source.count(b"\n", 0, place.start) + 1
        address = FIRST + self._next
        self._next += 1
        self.mutants.append(Mutant(name, address, line))
        return b"%d" % address

    @staticmethod
    def _pure(text: bytes) -> bytes:
        """What asks for block.coinbase is no longer pure."""
        return re.sub(rb"\bpure\b(?=[^;]*?\{)", b"view", text)


def _choose(place: _Place, addresses: list[bytes], original: bytes) -> bytes:
    for address, (_, alternative) in zip(addresses, place.alternatives, strict=True):
        if place.kind == "expression":
            original = b"(block.coinbase == address(uint160(%b)) ? (%b) : (%b))" % (address, alternative, original)
        elif place.kind == "statement":
            test = b"if (block.coinbase == address(uint160(%b)))" % address
            original = b"{ %b { %b } else { %b } }" % (test, alternative, original)
        elif place.kind == "yul":
            original = b"mutant(%b, %b, %b)" % (address, alternative, original)
        else:
            original = alternative + b"Unless(address(uint160(%b)))" % address
    return original


def modifiers(tree: Any) -> Iterator[int]:
    """Ids of the modifiers that a syntax tree defines."""
    if isinstance(tree, list):
        for child in tree:
            yield from modifiers(child)
    elif isinstance(tree, dict):
        if tree.get("nodeType") == "ModifierDefinition":
            yield tree["id"]
        for child in tree.values():
            yield from modifiers(child)


def _functions(source: bytes) -> Iterator[tuple[int, str]]:
    """Where functions begin, and their names."""
    for match in re.finditer(rb"\b(?:function (\w+)|(constructor)\b|modifier (\w+))", source):
        yield match.start(), (match[1] or match[2] or match[3]).decode()
