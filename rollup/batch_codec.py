"""A batch as JSON, whole: sessions, data words and every opened account, so that a witness can be made again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from aitbc_rollup.circuits.statements import protocol
from aitbc_rollup.circuits.statements.agent_runs import Shape

from .accounts import Account
from .batch import Batch, BatchContext
from .records import Domain
from .sessions import signed_from_line, signed_to_line
from .state import Step


def batch_to_json(batch: Batch) -> dict[str, Any]:
    """A batch as plain values; :func:`batch_from_json` is the way back."""
    context = batch.context
    return {
        "chain_id": context.domain.chain_id,
        "contract": context.domain.contract,
        "shard": context.domain.shard,
        "batch_number": context.batch_number,
        "mode": context.mode,
        "l1_time": context.l1_time,
        "operator_index": context.operator_index,
        "shape": [batch.shape.sessions, batch.shape.providers],
        "sessions": [[signed.place, signed_to_line(signed, context.domain)] for signed in batch.sessions],
        "words": _to_hex(batch.words),
        "session_steps": [_step_to_json(step) for step in batch.session_steps],
        "provider_steps": [_step_to_json(step) for step in batch.provider_steps],
        "operator_step": _step_to_json(batch.operator_step),
    }


def batch_from_json(value: dict[str, Any]) -> Batch:
    """The batch of :func:`batch_to_json`; trusts its input, which is this program's own."""
    context = BatchContext(
        domain=Domain(value["chain_id"], value["contract"], value["shard"]),
        batch_number=value["batch_number"],
        mode=value["mode"],
        l1_time=value["l1_time"],
        operator_index=value["operator_index"],
    )
    words = _from_hex(value["words"])
    header = dict(zip(protocol.HEADER, words, strict=False))
    return Batch(
        context=context,
        shape=Shape(*value["shape"]),
        sessions=tuple(signed_from_line(line, place)[0] for place, line in value["sessions"]),
        old_root=header["old_root"],
        new_root=header["new_root"],
        words=words,
        session_steps=tuple(_step_from_json(step) for step in value["session_steps"]),
        provider_steps=tuple(_step_from_json(step) for step in value["provider_steps"]),
        operator_step=_step_from_json(value["operator_step"]),
    )


def _step_to_json(step: Step) -> list[Any]:
    return [step.index, step.account.to_words(), _to_hex(node for family in step.children for node in family)]


def _step_from_json(value: list[Any]) -> Step:
    index, words, children = value
    nodes = _from_hex(children)
    arity = protocol.TREE_ARITY
    families = tuple(nodes[start : start + arity] for start in range(0, len(nodes), arity))
    return Step(index, Account.from_words(words), families)


def _to_hex(words: Iterable[int]) -> str:
    return " ".join(f"{word:x}" for word in words)


def _from_hex(text: str) -> tuple[int, ...]:
    return tuple(int(word, 16) for word in text.split())
