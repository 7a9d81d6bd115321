"""States made again from genesis and what the L1 has alone: nobody who runs the rollup is asked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from aitbc_rollup.errors import UsageError
from aitbc_rollup.rollup import genesis as genesis_file
from aitbc_rollup.rollup.genesis import Genesis
from aitbc_rollup.rollup.l1.elsewhere import Elsewhere
from aitbc_rollup.rollup.l1.rollup_contract import RollupContract
from aitbc_rollup.rollup.rebuild import rebuild
from aitbc_rollup.rollup.state import State
from aitbc_rollup.rollup.store import Store

from .. import common

#: Where the genesis comes from, and who is asked for data that are not on the L1.
history = common.options(
    click.option("--genesis", type=common.PATH, envvar="AITBC_GENESIS", help="Genesis file of the rollup."),
    click.option("--state", type=common.PATH, help="A state folder in place of the genesis file."),
    common.beacon,
    common.archive,
)


def genesis_of(path: Path | None, state: Path | None) -> Genesis:
    """The genesis of a file, or of a state folder.

    Raises:
        UsageError: neither is given, or both.
        BadInputError: what is given is none.
    """
    if (path is None) == (state is None):
        raise UsageError(
            "which genesis?", expected="one of --genesis and --state", got="neither" if path is None else "both"
        )
    if path is not None:
        return genesis_file.load(path)
    assert state is not None
    with Store.existing(state) as store:
        return genesis_file.from_json(store.genesis_json(), str(state))


def state_after(
    rollup: RollupContract, number: int, found: Genesis, beacons: Sequence[str], archive: Path | None
) -> State:
    """The state after a batch of the chain, 0 being the genesis.

    Raises:
        L1Error: the chain does not answer, or data are missing.
        BadInputError, InvalidError: a batch up to there is wrong.
    """
    elsewhere = Elsewhere(rollup.bound, beacons, archive)
    return rebuild(found.state(), found.chain_id, found.shard, rollup.history(number), elsewhere)
