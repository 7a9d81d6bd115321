"""A state folder and the contract it belongs to, which is known before either has seen a batch."""

from __future__ import annotations

from pathlib import Path

from aitbc_rollup.circuits.statements.batch.shape import Shape
from aitbc_rollup.errors import BadInputError
from aitbc_rollup.prover.engine import load_engine
from aitbc_rollup.verifier.formats import verification_key_to_json
from aitbc_rollup.verifier.types import VerifyingKey

from .genesis import Genesis
from .keys import CircuitKeys, load_or_make
from .reporting import Reporter, Silent, stage
from .store import Identity, Store
from .transactions import Domain


def initialise(
    state: Path, found: Genesis, shape: Shape, keys: Path, engine: str, reporter: Reporter | None = None
) -> Domain:
    """Make a state folder without a batch, so that agents know which contract they sign for.

    A folder made before is checked to be for the same genesis and shape, and left as it is.

    Raises:
        AitbcError: the folder is another's, or cannot be made.
    """
    reporter = reporter or Silent()
    with Store(state) as store:
        if store.meta:
            store.check(Identity(found.digest(), store.domain(), shape))
            return store.domain()
        with stage(reporter, "keys") as running:
            made = load_or_make(shape, keys, load_engine(engine), reporter)
            running.note = key_note(made)
        return bind(store, found, shape, made.proving_key.verifying_key)


def bind(store: Store, found: Genesis, shape: Shape, key: VerifyingKey) -> Domain:
    """Bind a new store to a genesis and the contract that follows from it and a circuit's key.

    Raises:
        BadInputError: an account of the genesis lies beyond the circuit's.
    """
    if found.last_index >> shape.index_bits:
        raise BadInputError(
            "an account lies beyond the circuit's",
            place=f"genesis, account {found.last_index}",
            expected=f"an index below 2^{shape.index_bits} (shape {shape})",
            got=str(found.last_index),
            hint="give a --shape with more index bits",
        )
    domain = domain_of(found, shape, key)
    store.bind(Identity(found.digest(), domain, shape), found, verification_key_to_json(key))
    return domain


def domain_of(found: Genesis, shape: Shape, key: VerifyingKey) -> Domain:
    """Chain, contract and shard of a genesis under a circuit's key."""
    from .deployment import deployment  # web3 behind it takes a second to import

    made = deployment(key, shape, genesis_root=found.root, shard=found.shard, operator=found.operator_address)
    return Domain(found.chain_id, int(made.rollup, 16), found.shard)


def key_note(keys: CircuitKeys) -> str:
    """Where a circuit's key comes from, in a few words."""
    return "made, development key" if keys.made else f"from {keys.path}"
