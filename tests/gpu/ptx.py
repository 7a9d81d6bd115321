"""PTX to C++: what NVIDIA's compiler made of a kernel, run on a CPU.

The shim compiles the portable branch of ``arch.cuh``; the other branch, and all that the compiler does to it, is PTX.
Every instruction becomes a statement or two over variables named like the registers, labels stay labels, and
``shim/ptx.hpp`` supplies the rest: threads, barriers and exchanges, and memory whose accesses are checked. Only what
the kernels' PTX contains is here; anything else is refused by name. One instruction set, one class: hence the length.

Source: PTX ISA 9.0, sections "Instruction Set" and "Directives".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

TYPES = {
    **{f"{kind}{bits}": f"u{bits}" for kind in "bu" for bits in (8, 16, 32, 64)},
    **{f"s{bits}": f"i{bits}" for bits in (8, 16, 32, 64)},
    "f32": "float",
    "f64": "double",
    "pred": "bool",
}
BYTES = {name: int(name[1:]) // 8 for name in TYPES if name != "pred"}
SPECIAL = {
    **{f"%tid.{axis}": f"threadIdx.{axis}" for axis in "xyz"},
    **{f"%ntid.{axis}": f"blockDim.{axis}" for axis in "xyz"},
    **{f"%ctaid.{axis}": f"blockIdx.{axis}" for axis in "xyz"},
    **{f"%nctaid.{axis}": f"gridDim.{axis}" for axis in "xyz"},
    "%laneid": "shim::lane()",
    "%lanemask_lt": "((1u << shim::lane()) - 1)",
    "%lanemask_eq": "(1u << shim::lane())",
    "WARP_SZ": "32",
    "%clock64": "ptx::clock()",
}
COMPARE = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
COMPARE |= {"lo": "<", "ls": "<=", "hi": ">", "hs": ">=", "neu": "!="}
SPACES = ("global", "shared", "local", "param", "const")
#: Operators of C++ with the same meaning on unsigned numbers, where a result is cut to its width.
OPERATORS = {"add": "+", "sub": "-", "and": "&", "or": "|", "xor": "^"}
#: Instructions that a function of ptx.hpp with the same operands, of the instruction's type, carries out.
FUNCTIONS = {"min", "max", "shl", "shr", "div", "rem", "brev", "popc", "clz", "bfi", "lop3", "prmt", "bfe"}
ATOMICS = {"add", "and", "or", "xor", "min", "max", "exch", "inc", "cas"}
IGNORED = {"membar", "fence", "prefetch"}


class PtxError(Exception):
    """Something this translator does not know."""


class Instruction(NamedTuple):
    """``@guard opcode.modifiers operands``."""

    guard: str
    opcode: str
    modifiers: list[str]
    operands: list[str]
    text: str

    @property
    def type(self) -> str:
        """The last modifier that is a type."""
        return next(m for m in reversed(self.modifiers) if m in TYPES)

    def has(self, *modifiers: str) -> bool:
        return any(m in self.modifiers for m in modifiers)

    def unknown(self) -> PtxError:
        return PtxError(f"unknown instruction: {self.text}")


class Variable(NamedTuple):
    """``.space .align n .type name[count] = {initial}``."""

    space: str
    align: int
    type: str
    name: str
    count: int
    initial: str

    @property
    def size(self) -> int:
        return self.count * BYTES[self.type]


_VARIABLE = re.compile(
    r"(?:\.(?:visible|extern|weak)\s+)*\.(?P<space>global|const|shared|local|param)\s+(?:\.align\s+(?P<align>\d+)\s+)?"
    r"\.(?P<type>\w+)\s+(?P<name>[\w$]+)(?P<array>\[(?P<count>\d*)\])?\s*(?:=\s*(?P<initial>[^;]*))?$",
    re.DOTALL,
)
_FUNCTION = re.compile(
    r"(?:\.(?:visible|extern|weak)\s+)*\.(?P<kind>entry|func)\s+(?:\((?P<result>[^)]*)\)\s*)?(?P<name>[\w$]+)\s*"
    r"(?:\((?P<parameters>[^)]*)\))?(?P<rest>[^{};]*)"
)
_INSTRUCTION = re.compile(r"(?:@(!?)%?([\w$]+)\s+)?([a-z]\w*)((?:\.\w+)*(?:::\w+)*(?:\.\w+)*)\s*(.*)$", re.DOTALL)
_REGISTERS = re.compile(r"\.reg\s+\.(\w+)\s+(.*)$", re.DOTALL)


def _variable(text: str) -> Variable:
    match = _VARIABLE.match(text.strip())
    if not match:
        raise PtxError(f"unknown declaration: {text}")
    kind = match["type"]
    if kind not in BYTES:
        raise PtxError(f"unknown type: {text}")
    count = int(match["count"] or 0) if match["array"] else 1
    return Variable(
        match["space"], int(match["align"] or BYTES[kind]), kind, match["name"], count, match["initial"] or ""
    )


def _split(text: str) -> list[str]:
    """Operands: separated by commas outside braces and parentheses."""
    parts, depth, start = [], 0, 0
    for i, character in enumerate(text):
        depth += (character in "{([") - (character in "})]")
        if character == "," and depth == 0:
            parts.append(text[start:i].strip())
            start = i + 1
    return [*parts, text[start:].strip()] if text.strip() else []


def _matching(text: str, start: int) -> int:
    """Where the brace opened at ``start`` closes."""
    depth = 0
    for i in range(start, len(text)):
        depth += (text[i] == "{") - (text[i] == "}")
        if depth == 0:
            return i
    raise PtxError("a brace is never closed")


def _statements(body: str) -> Iterator[str]:
    """Blocks' braces, labels with their colon, and statements."""
    token = re.compile(r"\s*(?:([{}])|([\w$]+:(?!:))|([^;]*);)")
    position, end = 0, len(body.rstrip())
    while position < end:
        match = token.match(body, position)
        if not match:
            raise PtxError(f"unknown text: {body[position : position + 80]}")
        yield (match[1] or match[2] or match[3]).strip()
        position = match.end()


def instruction(text: str) -> Instruction:
    """Parse one."""
    match = _INSTRUCTION.match(text)
    if not match:
        raise PtxError(f"unknown statement: {text}")
    negated, guard, opcode, modifiers, operands = match.groups()
    return Instruction(
        f"{'!' if negated else ''}{guard}" if guard else "",
        opcode,
        [m for m in modifiers.split(".") if m],
        _split(operands),
        " ".join(text.split()),
    )


class Translator:
    """One module's text to C++."""

    def __init__(self, ptx: str) -> None:
        text = re.sub(r"//[^\n]*|/\*.*?\*/", "", ptx, flags=re.DOTALL)
        self._text = re.sub(r"^\s*\.(version|target|address_size|file|loc|section)\b.*$", "", text, flags=re.MULTILINE)
        self._shared: dict[str, int] = {}
        self._own: list[str] = []
        self._functions: dict[str, str] = {}
        self._entry_parameters: set[str] = set()
        self._sizes: dict[str, str] = {}
        self._static = 0
        self._barriers = 0

    def translate(self) -> str:
        """The C++, to be compiled after ``shim/ptx.hpp``."""
        variables, bodies, dynamic, position = [], [], [], 0
        while self._text[position:].strip():
            position += len(self._text[position:]) - len(self._text[position:].lstrip())
            match = _FUNCTION.match(self._text, position)
            if match:
                position = match.end()
                signature = self._signature(match)
                if self._text[position] == "{":
                    end = _matching(self._text, position)
                    bodies.append((signature, self._text[position + 1 : end]))
                    position = end
                position += 1
                continue
            end = self._text.index(";", position)
            variable = _variable(self._text[position:end])
            position = end + 1
            if variable.space != "shared":
                variables.append(self._definition(variable))
            elif variable.count:
                self._static = self._place(variable, self._static)
            else:
                dynamic.append(variable.name)
        # What only one kernel uses the compiler declares in its body: kernels' own lie over one another.
        self._static = max([self._static, *(self._place_own(body, self._static) for _, body in bodies)])
        self._static += -self._static % 16
        self._shared |= dict.fromkeys(dynamic, self._static)
        functions = [f"{signature} {{\n{self._body(body)}}}\n" for signature, body in bodies]
        own = ", ".join(f"{{(u64)&{name}, sizeof {name}}}" for name in self._own)
        return "\n".join(
            [
                *variables,
                f"static const ptx::Module module_({self._static}, {self._barriers}, {{{own}}});",
                *(f"{signature};" for signature in self._functions.values()),
                *self._sizes.values(),
                *functions,
            ]
        )

    # -- declarations ------------------------------------------------------------------------------------------------

    def _signature(self, match: re.Match[str]) -> str:
        """Of an entry: sixteen words, as the shim calls it. Of a function: where its parameters and result lie."""
        parameters = [_variable(text) for text in _split(match["parameters"] or "")]
        results = [_variable(text) for text in _split(match["result"] or "")]
        name = match["name"]
        if match["kind"] == "entry":
            if any(parameter.size > 8 for parameter in parameters):
                raise PtxError(f"{name} takes a structure")
            self._entry_parameters |= {parameter.name for parameter in parameters}
            sizes = ", ".join(str(parameter.size) for parameter in parameters)
            self._sizes[name] = f'extern "C" __global__ const u8 {name}_sizes[] = {{{sizes}{", " * bool(sizes)}0}};'
            words = [*(p.name for p in parameters), *(f"unused{i}" for i in range(len(parameters), 16))]
            signature = f'extern "C" __global__ void {name}({", ".join(f"u64 {word}" for word in words)})'
        else:
            places = ", ".join(f"u8* {place.name}" for place in [*results, *parameters])
            signature = f"static __attribute__((noinline)) void {name}({places})"
        self._functions[name] = signature
        return signature

    def _place(self, variable: Variable, offset: int) -> int:
        """Give a shared variable the first place from an offset on; where it ends."""
        offset += -offset % max(16, variable.align)
        self._shared[variable.name] = offset
        return offset + variable.size

    def _place_own(self, body: str, offset: int) -> int:
        for statement in _statements(body):
            if statement.startswith(".shared"):
                offset = self._place(_variable(statement), offset)
        return offset

    def _definition(self, variable: Variable) -> str:
        self._own.append(variable.name)
        return f"static {self._array(variable)}{' = ' if variable.initial else ''}{self._initial(variable)};"

    def _array(self, variable: Variable) -> str:
        return f"{TYPES[variable.type]} {variable.name}[{variable.count}] __attribute__((aligned({variable.align})))"

    def _initial(self, variable: Variable) -> str:
        if not variable.initial:
            return ""
        values = _split(variable.initial.strip().removeprefix("{").removesuffix("}"))
        return "{" + ", ".join(self._value(value, variable.type) for value in values) + "}"

    # -- operands ----------------------------------------------------------------------------------------------------

    def _raw(self, operand: str) -> str:
        """An operand as C++; of a symbol its address, of a shared one its place in the block's shared memory."""
        if operand in SPECIAL:
            return SPECIAL[operand]
        if re.fullmatch(r"%[\w$]+", operand):
            return operand[1:]
        if re.fullmatch(r"-?(0[xX][0-9a-fA-F]+|\d+)U?", operand):
            return f"{int(operand.removesuffix('U'), 0) & 0xFFFFFFFFFFFFFFFF:#x}ull"
        if re.fullmatch(r"0[df][0-9a-fA-F]+", operand):
            return f"ptx::{'f64' if operand[1] == 'd' else 'f32'}(0x{operand[2:]})"
        symbol = re.fullmatch(r"([A-Za-z_$][\w$]*)(?:\s*\+\s*(-?\d+))?", operand)
        if not symbol:
            raise PtxError(f"unknown operand: {operand}")
        name, offset = symbol[1], int(symbol[2] or 0)
        if name in self._shared:
            return f"{self._shared[name] + offset}ull"
        if name in self._scope:
            return name
        if name in self._entry_parameters:
            return f"((u64)&{name} + {offset})"
        return f"((u64){name} + {offset})"

    def _value(self, operand: str, kind: str) -> str:
        """An operand read as a value of a type; a predicate may be negated."""
        if kind == "pred":
            return "!" + self._raw(operand[1:]) if operand.startswith("!") else self._raw(operand)
        return f"({TYPES[kind]}){self._raw(operand)}"

    def _address(self, operand: str) -> str:
        match = re.fullmatch(r"\[\s*(%?[\w$]+)\s*(?:\+\s*(-?\d+))?\s*\]", operand)
        if not match:
            raise PtxError(f"unknown address: {operand}")
        return f"(u64)({self._raw(match[1])} + {int(match[2] or 0)})"

    def _pointer(self, i: Instruction, operand: str, size: int, access: str) -> str:
        space = next((m for m in i.modifiers if m in SPACES), "generic")
        space = "constant" if space == "const" else space
        return f"ptx::{space}<{size}>({self._address(operand)}, ptx::{access})"

    # -- bodies ------------------------------------------------------------------------------------------------------

    def _body(self, body: str) -> str:
        self._scope: set[str] = set()
        lines = ["u32 cf = 0; (void)cf;"]
        for statement in _statements(body):
            if statement in "{}":
                lines.append(statement)
            elif statement.endswith(":"):
                lines.append(f"{statement} ;")
            elif not statement or statement.startswith((".pragma", ".shared")):
                pass
            elif statement.startswith(".reg"):
                lines.append(self._registers(statement))
            elif statement.startswith("."):
                lines.append(f"{self._array(_variable(statement))};")
            else:
                parsed = instruction(statement)
                code = self._instruction(parsed)
                lines.append(f"if ({parsed.guard}) {{ {code} }}" if parsed.guard else code)
        return "".join(f"    {line}\n" for line in lines)

    def _registers(self, statement: str) -> str:
        match = _REGISTERS.match(statement)
        if not match or match[1] not in TYPES:
            raise PtxError(f"unknown registers: {statement}")
        names = []
        for name in _split(match[2]):
            many = re.fullmatch(r"%?([\w$]+)<(\d+)>", name)
            names += [f"{many[1]}{n}" for n in range(int(many[2]))] if many else [name.removeprefix("%")]
        self._scope |= set(names)
        return f"{TYPES[match[1]]} {', '.join(names)};"

    def _instruction(self, i: Instruction) -> str:
        """C++ of an instruction without its guard."""
        opcode = i.opcode
        if opcode in IGNORED:
            return ";"
        if opcode in ("addc", "subc", "madc") or i.has("cc"):
            return self._carry(i)
        if opcode in OPERATORS or opcode in FUNCTIONS:
            return self._plain(i)
        handler: Callable[[Instruction], str] | None = getattr(self, f"_op_{opcode}", None)
        if handler is None:
            raise i.unknown()
        return handler(i)

    def _set(self, i: Instruction, expression: str) -> str:
        return f"{self._raw(i.operands[0])} = {expression};"

    def _sources(self, i: Instruction) -> list[str]:
        return [self._value(operand, i.type) for operand in i.operands[1:]]

    def _plain(self, i: Instruction) -> str:
        kind, sources = i.type, self._sources(i)
        if kind in ("f32", "f64"):
            return self._rounded(i)
        if set(i.modifiers) != {kind}:
            raise i.unknown()
        if i.opcode in OPERATORS:
            unsigned = [self._value(operand, "u" + kind[1:] if kind[0] == "s" else kind) for operand in i.operands[1:]]
            return self._set(i, f" {OPERATORS[i.opcode]} ".join(unsigned))
        if i.opcode in ("shl", "shr"):
            sources[1] = self._value(i.operands[2], "u32")
        elif i.opcode in ("bfe", "bfi"):
            sources[-2:] = [self._value(operand, "u32") for operand in i.operands[-2:]]
        return self._set(i, f"ptx::{i.opcode}<{TYPES[kind]}>({', '.join(sources)})")

    def _rounded(self, i: Instruction) -> str:
        mode = next((m for m in i.modifiers if m in ("rn", "rz", "rm", "rp")), "rn")
        if set(i.modifiers) - {i.type, mode} or i.opcode not in ("add", "sub", "mul", "fma", "div"):
            raise i.unknown()
        return self._set(i, f"ptx::rounded_{i.opcode}(ptx::{mode}, {', '.join(self._sources(i))})")

    def _carry(self, i: Instruction) -> str:
        kind = i.type
        bits = 8 * BYTES[kind]
        wide, word = ("u64", "u32") if bits == 32 else ("u128", "u64")
        if (
            bits < 32
            or kind[0] == "f"
            or set(i.modifiers) - {kind, "cc", "lo", "hi"}
            or (kind[0] == "s" and i.has("hi"))
        ):
            raise i.unknown()
        a, b, *rest = [f"({word}){self._raw(operand)}" for operand in i.operands[1:]]
        carry = "cf" if i.opcode.endswith("c") else "0"
        operation = i.opcode.removesuffix("c")
        if operation == "mad":
            product = f"({wide}){a} * {b}"
            a, b = f"({word})({product}{f' >> {bits}' if i.has('hi') else ''})", rest[0]
        expression = f"({wide}){a} - {b} - {carry}" if operation == "sub" else f"({wide}){a} + {b} + {carry}"
        keep = f" cf = (u32)(w >> {bits}) & 1;" if i.has("cc") else ""
        return f"{{ {wide} w = {expression}; {self._set(i, f'({word})w')}{keep} }}"

    def _op_mul(self, i: Instruction) -> str:
        kind, sources = i.type, self._sources(i)
        if kind[0] == "f":
            return self._rounded(i)
        half = next((m for m in i.modifiers if m in ("lo", "hi", "wide")), "")
        if not half or set(i.modifiers) - {kind, half}:
            raise i.unknown()
        product = f"ptx::mul_{half}<{TYPES[kind]}>({', '.join(sources[:2])})"
        if i.opcode == "mul":
            return self._set(i, product)
        addend = kind if half != "wide" else f"{kind[0]}{2 * int(kind[1:])}"
        unsigned = f"u{addend[1:]}"
        return self._set(i, f"({TYPES[unsigned]}){product} + {self._value(i.operands[3], unsigned)}")

    _op_mad = _op_mul

    def _op_fma(self, i: Instruction) -> str:
        return self._rounded(i)

    def _op_not(self, i: Instruction) -> str:
        return self._set(i, ("!" if i.type == "pred" else "~") + self._sources(i)[0])

    def _op_neg(self, i: Instruction) -> str:
        if i.type[0] == "f":
            return self._set(i, f"-{self._sources(i)[0]}")
        return self._set(i, f"0 - {self._value(i.operands[1], 'u' + i.type[1:])}")

    def _op_abs(self, i: Instruction) -> str:
        return self._set(i, f"ptx::abs({self._sources(i)[0]})")

    def _op_bfind(self, i: Instruction) -> str:
        return self._set(i, f"ptx::bfind<{TYPES[i.type]}>({self._sources(i)[0]}, {str(i.has('shiftamt')).lower()})")

    def _op_shf(self, i: Instruction) -> str:
        _, low, high, by = i.operands
        direction, mode = ("l" if i.has("l") else "r"), ("wrap" if i.has("wrap") else "clamp")
        arguments = ", ".join(self._value(operand, "u32") for operand in (low, high, by))
        return self._set(i, f"ptx::shf_{direction}({arguments}, {31 if mode == 'wrap' else 32})")

    def _op_mov(self, i: Instruction) -> str:
        target, source = i.operands
        if target.startswith("{"):
            parts = _split(target.strip("{}"))
            return f"ptx::unpack({self._raw(source)}, {', '.join(self._raw(part) for part in parts)});"
        if source.startswith("{"):
            parts = _split(source.strip("{}"))
            return f"ptx::pack({self._raw(target)}, {', '.join(self._raw(part) for part in parts)});"
        typed = self._raw(source) if source.startswith("%") and source not in SPECIAL else self._value(source, i.type)
        return f"ptx::move({self._raw(target)}, {typed});"

    def _op_cvt(self, i: Instruction) -> str:
        to, source = [m for m in i.modifiers if m in TYPES]
        modes = [m for m in i.modifiers if m not in TYPES]
        value = self._value(i.operands[1], source)
        if not modes and "f" not in (to[0], source[0]):
            return self._set(i, f"({TYPES[to]}){value}")
        if modes == ["rn"] and to[0] == "f":
            return self._set(i, f"({TYPES[to]}){value}")
        if modes == ["rzi"] and to[0] != "f":
            return self._set(i, f"ptx::truncate<{TYPES[to]}>({value})")
        raise i.unknown()

    def _op_cvta(self, i: Instruction) -> str:
        value = self._value(i.operands[1], "u64")
        if i.has("shared"):
            value = f"ptx::{'to' if i.has('to') else 'from'}_shared({value})"
        return self._set(i, value)

    def _op_setp(self, i: Instruction) -> str:
        compare, *logic = [m for m in i.modifiers if m not in TYPES]
        if compare not in COMPARE or len(logic) > 1 or "|" in i.operands[0]:
            raise i.unknown()
        a, b = self._value(i.operands[1], i.type), self._value(i.operands[2], i.type)
        result = f"{a} {COMPARE[compare]} {b}"
        if logic:
            other = self._value(i.operands[3], "pred")
            result = f"({result}) {({'and': '&', 'or': '|', 'xor': '^'})[logic[0]]} {other}"
        return self._set(i, result)

    def _op_selp(self, i: Instruction) -> str:
        yes, no, predicate = i.operands[1:]
        values = f"{self._value(yes, i.type)} : {self._value(no, i.type)}"
        return self._set(i, f"{self._value(predicate, 'pred')} ? {values}")

    # -- memory ------------------------------------------------------------------------------------------------------

    def _op_ld(self, i: Instruction) -> str:
        targets = _split(i.operands[0].strip("{}"))
        kind = TYPES[i.type]
        pointer = self._pointer(i, i.operands[1], len(targets) * BYTES[i.type], "FIXED" if i.has("nc") else "READ")
        moves = " ".join(f"ptx::move({self._raw(target)}, at[{n}]);" for n, target in enumerate(targets))
        return f"{{ const {kind}* at = (const {kind}*){pointer}; {moves} }}"

    def _op_st(self, i: Instruction) -> str:
        sources = _split(i.operands[1].strip("{}"))
        kind = TYPES[i.type]
        pointer = self._pointer(i, i.operands[0], len(sources) * BYTES[i.type], "WRITE")
        moves = " ".join(
            f"ptx::move(at[{n}], {self._raw(source) if source.startswith('%') else self._value(source, i.type)});"
            for n, source in enumerate(sources)
        )
        return f"{{ {kind}* at = ({kind}*){pointer}; {moves} }}"

    def _op_atom(self, i: Instruction) -> str:
        target, address, *operands = i.operands if i.opcode == "atom" else ["", *i.operands]
        operation = next((m for m in i.modifiers if m in ATOMICS), None)
        if operation is None:
            raise i.unknown()
        kind = TYPES[i.type]
        values = ", ".join(self._value(operand, i.type) for operand in operands)
        old = f"ptx::atomic_{operation}(({kind}*){self._pointer(i, address, BYTES[i.type], 'ATOMIC')}, {values})"
        return f"ptx::move({self._raw(target)}, {old});" if target and target != "_" else f"{old};"

    _op_red = _op_atom

    # -- control -----------------------------------------------------------------------------------------------------

    def _op_bra(self, i: Instruction) -> str:
        return f"goto {i.operands[0]};"

    def _op_ret(self, i: Instruction) -> str:
        return "return;"

    def _op_trap(self, i: Instruction) -> str:
        return 'shim::fail("trap");'

    def _op_call(self, i: Instruction) -> str:
        groups = [_split(operand.strip("()")) if operand.startswith("(") else operand for operand in i.operands]
        name = next((group for group in groups if isinstance(group, str)), "")
        if name not in self._functions:
            raise i.unknown()
        return (
            f"{name}({', '.join(f'(u8*){place}' for group in groups if isinstance(group, list) for place in group)});"
        )

    def _op_bar(self, i: Instruction) -> str:
        if i.has("red") and i.has("or") and i.operands[1] == "0":
            return self._set(i, f"__syncthreads_or({self._value(i.operands[-1], 'pred')}) != 0")
        if i.has("warp"):
            wait = f"shim::meet({self._value(i.operands[0], 'u32')}, true)"
        elif i.has("sync") and i.operands == ["0"]:
            wait = "__syncthreads()"
        else:
            raise i.unknown()
        self._barriers += 1
        return f"if (ptx::stands({self._barriers - 1})) {wait};"

    _op_barrier = _op_bar

    def _op_shfl(self, i: Instruction) -> str:
        mode = next(m for m in i.modifiers if m in ("idx", "up", "down", "bfly"))
        target, _, predicate = i.operands[0].partition("|")
        inside = self._raw(predicate) if predicate else "ptx::ignored"
        operands = ", ".join(self._value(operand, "u32") for operand in i.operands[1:])
        return f"{self._raw(target)} = ptx::shfl_{mode}({inside}, {operands});"

    def _op_vote(self, i: Instruction) -> str:
        mode = next(m for m in i.modifiers if m in ("ballot", "any", "all"))
        return self._set(i, f"__{mode}_sync({self._value(i.operands[2], 'u32')}, {self._value(i.operands[1], 'pred')})")

    def _op_match(self, i: Instruction) -> str:
        if not i.has("any"):
            raise i.unknown()
        return self._set(
            i, f"__match_any_sync({self._value(i.operands[2], 'u32')}, {self._value(i.operands[1], i.type)})"
        )
