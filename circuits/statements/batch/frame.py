"""What the circuits of all kinds of batches have around their items: the header, and how data words are bound."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...api import Circuit, Variable
from ...gadgets.poseidon import poseidon, sponge
from ...gadgets.ranges import pack, uint
from .layout import COUNTS, HEADER, INDEX_BITS, TIME_BITS, VERSION, Tag
from .shape import Shape

#: Header words and parts of them that are private inputs.
HEADER_INPUTS = (
    "chain_id", "contract", "shard", "batch_number", "mode", "l1_time", "old_root", "new_root", "operator_index",
)  # fmt: skip


def limb_bits(shape: Shape) -> int:
    """Width of the range tables: larger ones pay from about 512 records on."""
    return 11 if shape.records >= 512 else 8


def read_header(circuit: Circuit) -> tuple[dict[str, Variable], Variable]:
    """The header's parts, declared as ``HEADER_INPUTS``, and the domain of what is signed."""
    header = {name: circuit.private_input(name) for name in HEADER_INPUTS}
    header["l1_time"] = uint(circuit, header["l1_time"], TIME_BITS)
    header["operator_index"] = uint(circuit, header["operator_index"], INDEX_BITS)
    domain = poseidon(circuit, [header[name] for name in ("chain_id", "contract", "shard")], int(Tag.DOMAIN))
    return header, domain


def header_words(
    circuit: Circuit, header: Mapping[str, Variable], counts: Mapping[str, Variable | int]
) -> list[Variable]:
    """The header's words; ``counts`` are those of ``COUNTS`` but the operator's index."""
    packed = pack(circuit, COUNTS, {**counts, "operator_index": header["operator_index"]})
    words = {**header, "version": circuit.constant(VERSION), "counts": packed}
    return [words[name] for name in HEADER]


def commit(circuit: Circuit, words: Sequence[Variable], commitment: Variable) -> list[Variable]:
    """C is the words' sponge; returns each word as a wire of its own."""
    wires = [circuit.materialise(word) for word in words]
    circuit.assert_equal(sponge(circuit, Tag.BATCH, wires), commitment, "C is not the commitment to the data words")
    return wires


def value_of_posted(circuit: Circuit, shape: Shape, words: Sequence[Variable], zeta: Variable) -> Variable:
    """Σ wordᵢ·ζⁱ, those that lie elsewhere counting as 0 (Horner: one constraint a word, none for zeros at the end)."""
    posted = list(words)
    for start, count in shape.elsewhere:
        posted[start : start + count] = [circuit.constant(0)] * count
    while posted[-1].constant == 0:
        del posted[-1]
    value = posted[-1]
    for word in reversed(posted[:-1]):
        value = circuit.multiply_add(value, zeta, word)
    return value
