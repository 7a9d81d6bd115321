"""What transactions take of a circuit's room, and how many batches they make (``docs/protocol.md``, "Batch")."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain

from aitbc_rollup.circuits.statements.batch.layout import Kind, QueueKind
from aitbc_rollup.circuits.statements.batch.shape import Shape
from aitbc_rollup.errors import BadInputError

from .transactions import QueueItem, Registration, SignedSession, SignedTransfer, Transactions

Signed = SignedSession | SignedTransfer
Item = QueueItem | Registration | Signed

_HINT = "take less into one batch, or a larger --shape with a new state folder"


class Tally:
    """The room that a batch takes, by the names of a shape's fields."""

    def __init__(self, operator_index: int) -> None:
        self._counts: Counter[str] = Counter()
        self._touched = {operator_index}

    @property
    def needed(self) -> dict[str, int]:
        """Everything that has a limit."""
        names = ("pages", "sessions", "queue", "registrations", "transfers", "signatures")
        return {name: self._counts[name] for name in names} | {"accounts": len(self._touched)}

    def add(self, item: Item) -> None:
        """Count a transaction."""
        counts, touched = _cost(item)
        self._counts.update(counts)
        self._touched |= touched

    def lacks(self, item: Item, shape: Shape) -> str | None:
        """The first thing of which the shape has no room for one transaction more, or nothing."""
        counts, touched = _cost(item)
        for name, count in counts.items():
            if self._counts[name] + count > getattr(shape, name):
                return name
        return "accounts" if len(self._touched | touched) > shape.accounts else None


def _cost(item: Item) -> tuple[dict[str, int], set[int]]:
    """The room that one transaction takes, and the accounts it touches."""
    match item:
        case QueueItem():
            return {"queue": 1}, {item.a, item.b} if item.kind == QueueKind.TRANSFER else {item.a}
        case Registration():
            return {"registrations": 1}, {item.index}
        case SignedTransfer():
            transfer = item.transfer
            touched = {transfer.from_index} if transfer.exit else {transfer.from_index, transfer.to_index}
            return {"transfers": 1, "signatures": 1}, touched
        case SignedSession():
            signatures = 1 + (item.countersignature is not None)
            return {"sessions": 1, "pages": item.session.pages, "signatures": signatures}, _parties(item)


def _parties(signed: SignedSession) -> set[int]:
    return {signed.session.agent_index, signed.session.provider_index}


def needed(items: Transactions, operator_index: int) -> dict[str, int]:
    """The room that a batch's transactions take, by the names of a shape's fields."""
    tally = Tally(operator_index)
    kinds: tuple[Sequence[Item], ...] = (items.queue, items.registrations, items.transfers, items.sessions)
    for item in chain.from_iterable(kinds):
        tally.add(item)
    return tally.needed


def check_room(items: Transactions, operator_index: int, shape: Shape) -> None:
    """Refuse what a circuit of this shape has no room for.

    Raises:
        BadInputError: naming what there is too much of.
    """
    for what, got in needed(items, operator_index).items():
        room = getattr(shape, what)
        if got > room:
            raise BadInputError(
                f"more {what} than the circuit has room for",
                expected=f"at most {room} (shape {shape})",
                got=str(got),
                hint=_HINT,
            )


def batches(
    signed: Sequence[Signed],
    queue: Sequence[QueueItem] = (),
    registrations: Sequence[Registration] = (),
    *,
    operator_index: int,
    shape: Shape,
) -> list[Transactions]:
    """All of these in as many batches as it takes, each kind in its order.

    A batch takes what fits; from the first of a kind that does not, the rest waits for the next. What is signed comes
    after all registrations, whose accounts it may name. A batch does its transfers before its sessions: one whose
    sender has to do with one of its sessions waits, too, so that every account sees things in the order given.

    Raises:
        BadInputError: a transaction needs more room than the circuit has at all.
    """
    waiting: list[list[Item]] = [list(queue), [*registrations, *signed]]
    made = []
    while any(waiting):
        made.append(_fill(waiting, operator_index, shape))
    return made


def _fill(waiting: list[list[Item]], operator_index: int, shape: Shape) -> Transactions:
    """Take the next batch off what waits."""
    tally = Tally(operator_index)
    busy: set[int] = set()  # accounts of sessions taken
    taken: list[Item] = []
    for kind in waiting:
        count = 0
        for item in kind:
            behind = isinstance(item, SignedTransfer) and item.transfer.from_index in busy
            if behind or tally.lacks(item, shape):
                break
            tally.add(item)
            if isinstance(item, SignedSession):
                busy |= _parties(item)
            count += 1
        taken += kind[:count]
        del kind[:count]
    if not taken:
        item = next(kind[0] for kind in waiting if kind)
        raise BadInputError(
            "a transaction is larger than the circuit",
            place=getattr(item, "place", None),
            expected=f"one that fits the shape {shape}",
            got=f"more {tally.lacks(item, shape)} than it has room for",
            hint=_HINT,
        )
    return Transactions(
        queue=tuple(item for item in taken if isinstance(item, QueueItem)),
        registrations=tuple(item for item in taken if isinstance(item, Registration)),
        transfers=tuple(item for item in taken if isinstance(item, SignedTransfer)),
        sessions=tuple(item for item in taken if isinstance(item, SignedSession)),
    )


def of_kind(shape: Shape, kind: Kind | None) -> Shape:
    """The same room in a circuit of another kind, or of its own.

    Raises:
        BadInputError: what such a batch may hold is less; or a full one, which no job makes.
    """
    if Kind.FULL in (kind, shape.kind):
        raise BadInputError(
            "a full batch is the fallback's",
            place=f"shape {shape}",
            expected="room in a batch of another kind",
            hint="leave out the f at the end of --shape",
        )
    try:
        return shape if kind is None else replace(shape, kind=kind)
    except ValueError as error:
        raise BadInputError(
            f"no {kind.name.lower()} batch has such room" if kind is not None else "no such room",
            place=f"shape {shape}",
            got=str(error),
            hint="give a smaller --shape, or another --data",
        ) from None


def shape_for(pages: Sequence[int], accounts: int, *, countersigned: bool, most_pages: int, index_bits: int) -> Shape:
    """A circuit with room for sessions in powers of two, and for some of everything else.

    Args:
        pages: of each session.
        accounts: that the sessions touch, and the operator's.
        countersigned: whether a session may be.
        most_pages: most pages that the circuit gets, if one session does not need more; the rest makes another batch.
        index_bits: account indices are below 2^index_bits.
    """
    room = max(_power_of_two(max(pages, default=1)), min(_power_of_two(sum(pages)), most_pages))
    sessions = min(_power_of_two(len(pages)), room)
    return Shape.for_sessions(
        sessions,
        pages=room,
        parties=min(_power_of_two(accounts), 2 * sessions + 1),
        countersigned=sessions if countersigned else 0,
        index_bits=index_bits,
    )


def _power_of_two(number: int) -> int:
    return 1 << max(number - 1, 0).bit_length()
