"""A state folder and the contract it belongs to, which is known before either has seen a batch."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from eth_utils.address import to_checksum_address

from aitbc_rollup.circuits.statements.batch.layout import Kind
from aitbc_rollup.circuits.statements.batch.shape import Shape
from aitbc_rollup.errors import BadInputError
from aitbc_rollup.prover.engine import load_engine
from aitbc_rollup.verifier.formats import verification_key_from_json, verification_key_to_json
from aitbc_rollup.verifier.types import VerifyingKey

from .checks import format_address, parse_address
from .genesis import Genesis
from .keys import CircuitKeys, load_or_make
from .l1.parameters import Parameters, defaults
from .l1.plan import Committee, Deployment, Roles, Route
from .reporting import Reporter, Silent, stage
from .store import Identity, Store
from .transactions import Domain


def initialise(
    state: Path,
    found: Genesis,
    shape: Shape,
    keys: Path,
    engine: str,
    reporter: Reporter | None = None,
    terms: Terms | None = None,
    *,
    fallback: bool = False,
) -> Domain:
    """Make a state folder without a batch, so that agents know which contract they sign for.

    A folder made before is checked to be for the same genesis, shape and terms, and left as it is. With ``fallback``
    the circuit of full batches in the same room is one of the rollup's from the start.

    Raises:
        AitbcError: the folder is another's, or cannot be made.
    """
    reporter = reporter or Silent()
    with Store(state) as store:
        full = _full_key(store, shape.fallback, keys, engine, reporter) if fallback else None
        if full is not None:
            given = terms or Terms()
            terms = replace(given, routes=(*given.routes, Route.of(full, shape.fallback)))
        if store.meta:
            domain = store.domain()
            if terms is not None:
                key = verification_key_from_json(store.verification_key_json())
                domain = Domain(found.chain_id, int(deployment_of(found, shape, key, terms).rollup, 16), found.shard)
            store.check(Identity(found.digest(), domain, shape))
            return domain
        with stage(reporter, "keys") as running:
            made = load_or_make(shape, keys, load_engine(engine), reporter)
            running.note = key_note(made)
        if full is not None:
            store.keep_verification_key(shape.fallback, verification_key_to_json(full))
        return bind(store, found, shape, made.proving_key.verifying_key, terms)


def _full_key(store: Store, shape: Shape, keys: Path, engine: str, reporter: Reporter) -> VerifyingKey:
    """The verifying key of a full circuit: the one that the folder keeps, or that of the folder of proving keys."""
    kept = store.verification_key_json(shape)
    if kept is not None:
        return verification_key_from_json(kept)
    with stage(reporter, "keys") as running:
        made = load_or_make(shape, keys, load_engine(engine), reporter)
        running.note = key_note(made)
    return made.proving_key.verifying_key


@dataclass(frozen=True, slots=True)
class Terms:
    """What a rollup is deployed with beside genesis and circuit; left out, what suits the chain and the operator.

    Args:
        parameters: delays and amounts.
        roles: who may do what; anyone left out is the operator.
        routes: further circuits usable from the start.
        committees: attesters; the first keep the data of batches that are theirs.
    """

    parameters: Parameters | None = None
    roles: Mapping[str, str] = field(default_factory=dict)
    routes: tuple[Route, ...] = ()
    committees: tuple[Committee, ...] = ()

    @classmethod
    def of(
        cls,
        chain_id: int,
        parameters: Mapping[str, str],
        roles: Mapping[str, str],
        attesters: Collection[int] = (),
        threshold: int | None = None,
    ) -> Terms:
        """Terms as people give them.

        Args:
            chain_id: of the chain, from which what is not given follows.
            parameters: by name, as text.
            roles: addresses by the roles' names.
            attesters: addresses; together they are a committee.
            threshold: how many of them must sign; all if left out.

        Raises:
            BadInputError: an unknown name, a value that does not fit it, or more to sign than there are.
        """
        names = Roles.__slots__
        for name in roles:
            if name not in names:
                raise BadInputError("unknown role", place="--role", expected=", ".join(names), got=name)
        needed = threshold or len(attesters)
        if needed > len(set(attesters)):
            raise BadInputError(
                "more signatures than attesters", place="--threshold", expected=f"at most {len(set(attesters))}",
                got=str(needed),
            )  # fmt: skip
        committee = Committee(tuple(map(_checksummed, sorted(set(attesters)))), needed)
        return cls(
            parameters=defaults(chain_id).changed(parameters),
            roles={name: _checksummed(parse_address(text, field=name)) for name, text in roles.items()},
            committees=(committee,) if attesters else (),
        )


def bind(store: Store, found: Genesis, shape: Shape, key: VerifyingKey, terms: Terms | None = None) -> Domain:
    """Bind a new store to a genesis and the contract that follows from it, a circuit's key and terms.

    Raises:
        BadInputError: an account of the genesis lies beyond the circuit's, or the circuit takes no queue items.
    """
    if found.last_index >> shape.index_bits:
        raise BadInputError(
            "an account lies beyond the circuit's",
            place=f"genesis, account {found.last_index}",
            expected=f"an index below 2^{shape.index_bits} (shape {shape})",
            got=str(found.last_index),
            hint="give a --shape with more index bits",
        )
    made = deployment_of(found, shape, key, terms or Terms())
    domain = Domain(found.chain_id, int(made.rollup, 16), found.shard)
    store.bind(Identity(found.digest(), domain, shape), found, verification_key_to_json(key), made.to_json())
    return domain


def deployment_of(found: Genesis, shape: Shape, key: VerifyingKey, terms: Terms) -> Deployment:
    """The contracts of a genesis under a circuit's key and terms.

    Raises:
        BadInputError: a circuit has no room for queue items, so that nobody could force their way out; or its data lie
            with attesters, and there are none.
    """
    routes = (_route_of(key, shape, terms), *terms.routes)
    for route in routes:
        if route.queue == 0:
            raise BadInputError(
                "the circuit takes no queue items",
                place=f"circuit 0x{route.selector.hex()}",
                expected="room for one or more, so that exits can be forced",
                got="none",
                hint="give a --shape with a queue",
            )
    base = terms.parameters or defaults(found.chain_id)
    parameters = replace(base, shard=found.shard, queue_room=min(route.queue for route in routes))
    if found.balance and int(parameters.asset, 16):
        raise BadInputError(
            "a rollup of a token begins without balances", place="genesis", expected="accounts with nothing",
            got=str(found.balance), hint="have them deposited once the rollup is there",
        )  # fmt: skip
    return Deployment(
        genesis_root=found.root,
        genesis_balance=found.balance,
        parameters=parameters,
        roles=Roles.all(_checksummed(found.operator_address), **terms.roles),
        routes=routes,
        keys=(key,),
        committees=terms.committees,
    )


def _route_of(key: VerifyingKey, shape: Shape, terms: Terms) -> Route:
    if shape.kind != Kind.ATTESTED:
        return Route.of(key, shape)
    if not terms.committees:
        raise BadInputError(
            "the circuit's data lie with attesters, and there are none",
            place=f"shape {shape}",
            expected="a committee",
            got="none",
            hint="make the folder with `aitbc-rollup init --attester`",
        )
    return Route.of(key, shape, terms.committees[0].piece.address)


def _checksummed(address: int) -> str:
    return to_checksum_address(format_address(address))


def key_note(keys: CircuitKeys) -> str:
    """Where a circuit's key comes from, in a few words."""
    return "made, development key" if keys.made else f"from {keys.path}"
