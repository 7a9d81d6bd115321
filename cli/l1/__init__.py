"""``l1``: a rollup on its chain, for whoever runs it, proves for it, watches it or has money in it."""

from __future__ import annotations

import click

from . import admin, batches, claims, deploy, escape, fallback, queue, source, standing

#: In the order of ``--help``.
_COMMANDS: tuple[click.Command, ...] = (
    deploy.deploy,
    standing.status,
    standing.sync,
    batches.commit,
    batches.prove,
    batches.finalize,
    batches.rollback,
    batches.attest,
    batches.archive_batch,
    queue.deposit,
    queue.force_exit,
    queue.force_transfer,
    queue.queue,
    claims.claims,
    claims.claim,
    claims.withdraw,
    claims.collect,
    fallback.fallback,
    fallback.challenge,
    escape.freeze,
    escape.leave,
    admin.router,
    admin.upgrade,
    admin.role,
    source.standard_json,
)


class _Ordered(click.Group):
    """A group that lists its commands as they were added."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names, in the order of a first use."""
        return list(self.commands)


@click.group("l1", cls=_Ordered)
def l1() -> None:
    """A rollup on its chain: its batches, queue, money, fallback, escape and roles.

    Amounts are in the asset's smallest unit, as wei. The key that signs comes from AITBC_PRIVATE_KEY or AITBC_KEYSTORE,
    or for the power a command asks for from AITBC_OPERATOR_KEYSTORE, AITBC_GUARDIAN_PRIVATE_KEY and so on; on a local
    chain it is anvil's first account if none is set.
    """


for _command in _COMMANDS:
    l1.add_command(_command)
