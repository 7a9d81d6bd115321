"""Full batches for tests: valid ones of the small world's transactions, and whatever else the contract lets pass."""

from __future__ import annotations

import dataclasses
import random
from typing import Any, TypeVar

from batch_world import ALICE, BOB, L1_TIME, OPERATOR, PROVIDER, account, context, owner, private_key, queue_item

from aitbc_rollup.algebra import babyjubjub as curve
from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.eddsa import ShortSignature, shorten, sign
from aitbc_rollup.circuits.statements.batch import layout
from aitbc_rollup.circuits.statements.batch.layout import LAST_NONCE, Kind, QueueKind
from aitbc_rollup.circuits.statements.batch.shape import Shape
from aitbc_rollup.rollup.data import BatchContext
from aitbc_rollup.rollup.full.batch import inputs_of
from aitbc_rollup.rollup.full.data import FullInputs
from aitbc_rollup.rollup.full.posted import FullSession, FullTransfer
from aitbc_rollup.rollup.state import State
from aitbc_rollup.rollup.transactions import Domain, Transactions

Item = TypeVar("Item", FullSession, FullTransfer)
SHAPE = Shape.full(3, queue=3, transfers=3, index_bits=17)
L = curve.SUBGROUP_ORDER
END = 1 << 17
#: Indices of accounts in :func:`limits`, of none, and beyond the circuit's.
ACCOUNTS = (OPERATOR, PROVIDER, ALICE, BOB, END - 1)
EMPTY, BEYOND = (1, END // 2), (END, 2**32 - 1)


def full_context(number: int = 1, **changes: Any) -> BatchContext:
    mode = layout.pack(layout.MODE, {"development_keys": 1, "kind": Kind.FULL})
    return context(number, **{"mode": mode, **changes})


def full_inputs(state: State, number: int = 1, **items: Any) -> FullInputs:
    """The inputs of a full batch of signed transactions, each kind by its name in ``Transactions``."""
    made = Transactions(**{name: tuple(kind) for name, kind in items.items()})
    return inputs_of(state, made, full_context(number))


def limits(generator: random.Random) -> State:
    """Accounts at their limits; together they hold less than 2^96."""
    state = State()
    for index in ACCOUNTS:
        changes = {
            "l1_owner": generator.choice([0, owner(index), 2**160 - 1]),
            "permissions": generator.choice([0, 2**32 - 1]),
            "balance": generator.choice([0, 10_000, 2**64 - 1, 2**88, 2**92]),
            "nonce": generator.choice([0, 0, 0, 5, 5, LAST_NONCE - 1, LAST_NONCE]),
        }
        state.put(index, account(index, **changes))
    assert state.root  # sealed, so that others may lie over it
    return state


def hostile(generator: random.Random, state: State, number: int = 1, shape: Shape = SHAPE) -> FullInputs:
    """Inputs of which about half are valid, and the others whatever fits the words."""
    made = full_context(number, operator_index=_someone(generator))
    return FullInputs(
        context=made,
        old_root=state.root,
        queue_items=tuple(_item(generator, state) for _ in range(generator.randint(0, shape.queue))),
        transfers=tuple(_transfer(generator, state, made.domain) for _ in range(generator.randint(0, shape.transfers))),
        sessions=tuple(_session(generator, state, made.domain) for _ in range(generator.randint(0, shape.sessions))),
    )


def resigned(item: Item, signer: int, domain: Domain) -> Item:
    """The same with the signature of an account's key."""
    message, key = item.message(domain), private_key(signer)
    return dataclasses.replace(item, signature=shorten(account(signer).public_key, message, sign(key, message)))


def forgeries(item: FullSession | FullTransfer, domain: Domain) -> dict[str, ShortSignature]:
    """Signatures near a valid one, and such as try a circuit's corners."""
    (challenge, s), half = item.signature, pow(2, -1, L)
    return {
        "another challenge": ShortSignature((challenge + 1) % R, s),
        "the challenge and l": ShortSignature((challenge + L) % R, s),
        "another S": ShortSignature(challenge, (s + 1) % L),
        "S and l": ShortSignature(challenge, s + L),
        "S and 6·l": ShortSignature(challenge, s + 6 * L),
        "S of l": ShortSignature(challenge, L),
        "S of r − 1": ShortSignature(challenge, R - 1),
        "zeros": ShortSignature(0, 0),
        "the neutral point": ShortSignature(L, 0),
        "a challenge of 1": ShortSignature(1, s),
        "a challenge of 1/2": ShortSignature(half, 0),
        "a challenge of −1": ShortSignature(L - 1, 1),
        "the last challenge": ShortSignature(R - 1, L - 1),
    }


def _item(generator: random.Random, state: State) -> Any:
    a, b = _someone(generator), _someone(generator)
    kind = generator.choice(list(QueueKind))
    sender = generator.choice([state.account(a).l1_owner or 1, 1, 2**160 - 1])
    return queue_item(kind, a, generator.choice([1, 10_000, 2**88 - 1]), b=b, sender=sender)


def _mostly(generator: random.Random, right: Any, *others: Any) -> Any:
    """What is right, or one time of ten one of the others."""
    return generator.choice(others) if generator.random() < 0.1 else right


def _someone(generator: random.Random) -> int:
    return int(_mostly(generator, generator.choice(ACCOUNTS), *EMPTY, *BEYOND))


def _within(value: int, bits: int) -> int:
    return max(0, min((1 << bits) - 1, value))


def _signed(generator: random.Random, item: Item, signer: int, domain: Domain) -> Item:
    """Signed by who ought to, by another, or with something that is no signature."""
    signer = int(_mostly(generator, signer, *ACCOUNTS)) if signer in ACCOUNTS else generator.choice(ACCOUNTS)
    made = resigned(item, signer, domain)
    signature = _mostly(generator, made.signature, *forgeries(made, domain).values())
    return dataclasses.replace(made, signature=signature)


def _transfer(generator: random.Random, state: State, domain: Domain) -> FullTransfer:
    sender, to, leaves = _someone(generator), _someone(generator), generator.random() < 0.4
    found = state.account(sender)
    fee = _mostly(generator, generator.choice([0, 1]), 2**64 - 1)
    most = found.balance - fee
    made = FullTransfer(
        from_index=sender,
        to_index=_mostly(generator, 0, to) if leaves else to,
        nonce=_within(_mostly(generator, found.nonce, found.nonce + 1, found.nonce - 1), 32),
        exit=leaves,
        expiry=_mostly(generator, generator.choice([L1_TIME, 2**40 - 1]), L1_TIME - 1),
        amount=_within(_mostly(generator, generator.choice([0, 1, most]), most + 1), 88),
        fee=fee,
        signature=ShortSignature(0, 0),
    )
    return _signed(generator, made, sender, domain)


def _session(generator: random.Random, state: State, domain: Domain) -> FullSession:
    agent = _someone(generator)
    found = state.account(agent)
    most = found.balance
    fee = _within(_mostly(generator, generator.choice([0, min(499, most), most]), most + 1), 64)
    made = FullSession(
        agent_index=agent,
        provider_index=_someone(generator),
        nonce=_within(_mostly(generator, found.nonce, found.nonce + 1, found.nonce - 1), 32),
        count=generator.choice([0, 1, 2**16 - 1]),
        operator_share_bps=_mostly(generator, generator.choice([0, 500, 2000]), 2001, 2**16 - 1),
        expiry=_mostly(generator, generator.choice([L1_TIME, 2**40 - 1]), L1_TIME - 1),
        fee=fee,
        fee_cap=_mostly(generator, generator.choice([2**64 - 1, fee]), max(fee - 1, 0)),
        records_root=generator.choice([0, 1, R - 1]),
        signature=ShortSignature(0, 0),
    )
    return _signed(generator, made, agent, domain)
