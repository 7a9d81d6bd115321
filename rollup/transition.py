"""The state transition: the sequential fold that ``docs/protocol.md``, "Batch", defines.

::

    queue items → registrations → transfers → sessions → the operator's credit

A queue item, transfer or session that is not valid changes nothing; the fold says why not. An invalid registration has
no result at all: it raises. Effects stand apart from judgements, so that a state is rebuilt from posted data by the
same effects (``rebuild``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aitbc_rollup.algebra.eddsa import Signature, verify
from aitbc_rollup.circuits.statements.batch import layout
from aitbc_rollup.circuits.statements.batch.layout import QueueKind
from aitbc_rollup.circuits.statements.batch.memory import Clock
from aitbc_rollup.errors import BadInputError

from .accounts import Account, next_history_root
from .full.posted import FullSession, FullTransfer
from .journal import Journal
from .posted import PostedSession, PostedTransfer, QueueResult
from .transactions import (
    Domain,
    QueueItem,
    Registration,
    Session,
    SignedSession,
    SignedTransfer,
    Transactions,
    Transfer,
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a transaction is not valid, in the words of an error message."""

    reason: str
    expected: str
    got: str
    hint: str | None = None

    def error(self, place: str) -> BadInputError:
        """The error for whoever offered the transaction."""
        return BadInputError(self.reason, place=place, expected=self.expected, got=self.got, hint=self.hint)


@dataclass(frozen=True, slots=True)
class SignatureCheck:
    """A signature that a circuit looks at: under the key that its account had then, and whether it holds."""

    public_key: tuple[int, int]
    message: int
    signature: Signature
    holds: bool

    @classmethod
    def of(cls, signer: Account, message: int, signature: Signature) -> SignatureCheck:
        """The check of a signature by an account."""
        return cls(signer.public_key, message, signature, verify(signer.public_key, message, signature))


@dataclass(frozen=True, slots=True)
class Results:
    """What is posted of every transaction, each kind in its order; what the operator was credited.

    ``transfer_checks`` has one signature a transfer, ``session_checks`` the agent's and then, if it countersigned, the
    provider's. ``refusals`` has of each invalid transfer and session its place and why.
    """

    queue: tuple[QueueResult, ...]
    transfers: tuple[PostedTransfer, ...]
    sessions: tuple[PostedSession, ...]
    operator_credit: int
    transfer_checks: tuple[SignatureCheck, ...]
    session_checks: tuple[tuple[SignatureCheck, ...], ...]
    refusals: tuple[tuple[str, Refusal], ...]


def fold(
    journal: Journal, clock: Clock, items: Transactions, *, domain: Domain, l1_time: int, operator_index: int
) -> Results:
    """Apply a batch's transactions to a state.

    Args:
        journal: the state, changed in place.
        clock: when each slot visits its accounts.
        items: the transactions.
        domain: chain, contract and shard of the state.
        l1_time: the batch's L1 time, unix seconds.
        operator_index: who gets shares and fees.

    Raises:
        BadInputError: a registration is not valid, the operator has no account, or a balance would reach 2^96.
    """
    queue = tuple(apply_queue_item(journal, clock.queue_item(q), item) for q, item in enumerate(items.queue))
    for g, registration in enumerate(items.registrations):
        apply_registration(journal, clock.registration(g), registration)
    refusals, credit = [], 0
    transfers, transfer_checks = [], []
    for t, transfer in enumerate(items.transfers):
        check = _check_transfer(journal, transfer, domain)
        refusal = judge_transfer(journal, transfer.transfer, check.holds, l1_time)
        transfers.append(posted_transfer(journal, transfer.transfer, valid=refusal is None))
        transfer_checks.append(check)
        credit += apply_transfer(journal, clock.transfer(t), transfers[-1])
        refusals += [(transfer.place, refusal)] if refusal else []
    sessions, session_checks = [], []
    for s, session in enumerate(items.sessions):
        checks = _check_session(journal, session, domain)
        refusal = judge_session(journal, session.session, [check.holds for check in checks], l1_time)
        sessions.append(
            posted_session(
                journal,
                session.session,
                checks[0].message,
                countersigned=session.countersignature is not None,
                valid=refusal is None,
            )
        )
        session_checks.append(checks)
        credit += apply_session(journal, clock.session(s), sessions[-1])
        refusals += [(session.place, refusal)] if refusal else []
    apply_credit(journal, clock.operator, operator_index, credit)
    return Results(
        queue=queue,
        transfers=tuple(transfers),
        sessions=tuple(sessions),
        operator_credit=credit,
        transfer_checks=tuple(transfer_checks),
        session_checks=tuple(session_checks),
        refusals=tuple(refusals),
    )


def _check_transfer(journal: Journal, signed: SignedTransfer, domain: Domain) -> SignatureCheck:
    sender = journal.account(signed.transfer.from_index)
    return SignatureCheck.of(sender, signed.transfer.message(domain), signed.signature)


def _check_session(journal: Journal, signed: SignedSession, domain: Domain) -> tuple[SignatureCheck, ...]:
    session, message = signed.session, signed.session.message(domain)
    signers = [(session.agent_index, signed.signature)]
    if signed.countersignature is not None:
        signers.append((session.provider_index, signed.countersignature))
    return tuple(SignatureCheck.of(journal.account(index), message, signature) for index, signature in signers)


def posted_transfer(journal: Journal, transfer: Transfer | FullTransfer, *, valid: bool) -> PostedTransfer:
    """A transfer, judged, as it is posted."""
    return PostedTransfer(
        from_index=transfer.from_index,
        to_index=transfer.to_index,
        nonce=transfer.nonce,
        exit=transfer.exit,
        valid=valid,
        fee=transfer.fee if valid else 0,
        amount=transfer.amount,
        address=journal.account(transfer.from_index).l1_owner if valid and transfer.exit else 0,
    )


def posted_session(
    journal: Journal, session: Session | FullSession, message: int, *, countersigned: bool, valid: bool
) -> PostedSession:
    """A session with this message, judged, as it is posted."""
    history_root = journal.account(session.agent_index).history_root
    return PostedSession(
        agent_index=session.agent_index,
        provider_index=session.provider_index,
        nonce=session.nonce,
        count=session.count,
        operator_share_bps=session.operator_share_bps,
        fee=session.fee if valid else 0,
        countersigned=countersigned,
        valid=valid,
        history_root=next_history_root(history_root, message) if valid else 0,
        usage=session.usage if valid else (0,) * len(layout.USAGE),
    )


# -- effects -------------------------------------------------------------------------------------------------


def apply_queue_item(journal: Journal, times: tuple[int, int], item: QueueItem) -> QueueResult:
    """Judge and apply a queue item, at its times to account a and, if it is a transfer, to account b.

    L1 says who the sender is, so there is no signature; an account that does not exist has L1 owner 0, and no sender
    is 0.

    Raises:
        BadInputError: a balance would reach 2^96.
    """
    a, b = journal.account(item.a), journal.account(item.b)
    owned = a.l1_owner == item.sender
    result, to_a, to_b = QueueResult(False), 0, 0
    match item.kind:
        case QueueKind.DEPOSIT if a.exists:
            result, to_a = QueueResult(True), item.amount
        case QueueKind.DEPOSIT:
            result = QueueResult(False, item.amount, item.sender)
        case QueueKind.EXIT if owned:
            amount = min(item.amount, a.balance)
            result, to_a = QueueResult(True, amount, item.sender), -amount
        case QueueKind.TRANSFER if owned and b.exists and a.balance >= item.amount:
            result, to_a, to_b = QueueResult(True), -item.amount, item.amount
    journal.move(times[0], item.a, to_a)
    if item.kind == QueueKind.TRANSFER:
        journal.move(times[1], item.b, to_b)
    return result


def apply_registration(journal: Journal, time: int, registration: Registration) -> None:
    """Put a new account at its index.

    Raises:
        BadInputError: the index is taken, or the circuit's accounts end below it.
    """
    index = registration.index
    if journal.account(index).exists or index >= journal.end:
        raise BadInputError(
            "no account can be registered at this index",
            place=f"registration of account {index}",
            expected=f"an index without an account, below {journal.end}",
            got=str(index),
            hint="register under another index",
        )
    journal.visit(time, index, registration.account)


def apply_transfer(journal: Journal, times: tuple[int, int], posted: PostedTransfer) -> int:
    """Apply a transfer, at its times to the sender and, if there is one, to the receiver; returns the operator's part.

    Raises:
        BadInputError: a balance would leave its 96 bits.
    """
    amount = posted.amount if posted.valid else 0
    sender = journal.account(posted.from_index)
    journal.visit(times[0], posted.from_index, sender.after_transfer(amount + posted.fee) if posted.valid else None)
    if not posted.exit:
        journal.move(times[1], posted.to_index, amount)
    return posted.fee


def apply_session(journal: Journal, times: tuple[int, int], posted: PostedSession) -> int:
    """Apply a session, at its times to the agent and to the provider; returns the operator's part.

    Raises:
        BadInputError: a balance would leave its 96 bits.
    """
    after = None
    if posted.valid:
        agent = journal.account(posted.agent_index)
        after = agent.after_session(fee=posted.fee, usage=posted.usage, history_root=posted.history_root)
    journal.visit(times[0], posted.agent_index, after)
    journal.move(times[1], posted.provider_index, posted.fee - posted.operator_share)
    return posted.operator_share


def apply_credit(journal: Journal, time: int, operator_index: int, amount: int) -> None:
    """Credit the operator's account with a batch's shares and fees.

    Raises:
        BadInputError: it does not exist, or its balance would reach 2^96.
    """
    if not journal.account(operator_index).exists:
        raise _unknown("operator", operator_index).error("the operator's account")
    journal.move(time, operator_index, amount)


# -- judgements ----------------------------------------------------------------------------------------------


def judge_transfer(journal: Journal, transfer: Transfer | FullTransfer, signed: bool, l1_time: int) -> Refusal | None:
    """Why a transfer is not valid against the accounts as they are, or nothing; ``signed``: whether by its sender."""
    sender = journal.account(transfer.from_index)
    if not sender.exists:
        return _unknown("sender", transfer.from_index)
    if not transfer.exit and not journal.account(transfer.to_index).exists:
        return _unknown("receiver", transfer.to_index)
    return (
        _judge_nonce(sender, transfer.nonce)
        or _judge_expiry(transfer.expiry, l1_time)
        or _judge_balance(sender, transfer.amount + transfer.fee)
        or _judge_signature("sender", signed)
    )


def judge_session(
    journal: Journal, session: Session | FullSession, signed: Sequence[bool], l1_time: int
) -> Refusal | None:
    """Why a session is not valid against the accounts as they are, or nothing.

    ``signed`` says whether the agent's signature holds and then, if there is one, whether the provider's does.
    """
    agent, provider = journal.account(session.agent_index), journal.account(session.provider_index)
    if not agent.exists:
        return _unknown("agent", session.agent_index)
    if not provider.exists:
        return _unknown("provider", session.provider_index)
    refusal = (
        _judge_nonce(agent, session.nonce)
        or judge_terms(session)
        or _judge_expiry(session.expiry, l1_time)
        or _judge_balance(agent, session.fee)
    )
    for role, holds in zip(("agent", "provider"), signed, strict=False):
        refusal = refusal or _judge_signature(role, holds)
    return refusal


def _unknown(role: str, index: int) -> Refusal:
    return Refusal(
        f"unknown {role}",
        expected="the index of an account of this shard",
        got=str(index),
        hint="genesis and registrations make the accounts",
    )


def _judge_nonce(account: Account, nonce: int) -> Refusal | None:
    if nonce != account.nonce:
        return Refusal(
            "wrong nonce",
            expected=str(account.nonce),
            got=str(nonce),
            hint="what an account signs counts up from its nonce; a lower nonce was used before",
        )
    if nonce == layout.LAST_NONCE:
        return Refusal("the account's nonces are used up", expected=f"a nonce below {nonce}", got=str(nonce))
    return None


def judge_terms(session: Session | FullSession) -> Refusal | None:
    """The rules on what a session says of itself."""
    if session.fee > session.fee_cap:
        return Refusal("total fee is above the fee cap", expected=f"at most {session.fee_cap}", got=str(session.fee))
    if session.operator_share_bps > layout.MAX_OPERATOR_SHARE_BPS:
        return Refusal(
            "operator's share is above the protocol's cap",
            expected=f"at most {layout.MAX_OPERATOR_SHARE_BPS} basis points",
            got=str(session.operator_share_bps),
        )
    for name, total in zip(layout.USAGE, session.usage, strict=True):
        if total >> layout.SESSION_LANE_BITS:
            return Refusal(
                f"the total of {name} is too large",
                expected=f"below 2^{layout.SESSION_LANE_BITS}",
                got=str(total),
                hint="settle fewer records in one session",
            )
    return None


def _judge_expiry(expiry: int, l1_time: int) -> Refusal | None:
    if expiry >= l1_time:
        return None
    return Refusal(
        "the signature has expired",
        expected=f"an expiry of at least {l1_time}, the batch's L1 time",
        got=str(expiry),
        hint="sign again with a later expiry",
    )


def _judge_balance(account: Account, amount: int) -> Refusal | None:
    if amount <= account.balance:
        return None
    return Refusal("the balance does not cover it", expected=f"at most {account.balance}, the balance", got=str(amount))


def _judge_signature(role: str, holds: bool) -> Refusal | None:
    if holds:
        return None
    return Refusal(
        f"the signature is not the {role}'s",
        expected=f"a signature by the {role}'s key over the message for this chain, contract and shard",
        got="a signature that does not verify",
        hint="`aitbc-rollup status` shows chain and contract; sign again with the right key",
    )
