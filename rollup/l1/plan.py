"""The contracts of a rollup, known before any of them is there.

::

    AccessManager(admin)
    Groth16Verifier(key) …           one a circuit
    AttesterCommittee(…) …           for circuits whose data lie with attesters
    VerifierRouter(manager, delay, routes)
    BatchReader()
    Poseidon4()   Poseidon8()
    AccountProofs(both)
    AitbcRollup(manager, reader, router, account proofs, parameters)
    ERC1967Proxy(implementation, initialize(genesis root, balance))    ← the rollup's address

Each address is a hash over the creation code with the addresses above in it. So the last one, which sessions sign and
header word 2 holds, stands for all of them: verifying keys, genesis root, shard, parameters and admin. Who trusts it
need trust nothing that comes with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from eth_abi.abi import encode
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from aitbc_rollup.circuits.statements.batch.layout import Kind
from aitbc_rollup.circuits.statements.batch.shape import Shape
from aitbc_rollup.errors import BadInputError
from aitbc_rollup.verifier.types import VerifyingKey

from ..checks import Fields, format_address
from ..dev_agents import LOCAL_CHAIN_IDS
from .account_proofs import account_proofs
from .artifacts import abi_type, artifact, key_hash
from .parameters import Parameters
from .piece import Piece

FORMAT = "aitbc-rollup/deployment-plan/v1"
NOBODY = "0x" + "0" * 40


@dataclass(frozen=True, slots=True)
class Committee:
    """Attesters, so many of which must sign for the data of a batch."""

    attesters: tuple[str, ...]
    threshold: int

    @property
    def piece(self) -> Piece:
        """Its contract."""
        ordered = sorted(self.attesters, key=lambda address: int(address, 16))
        return Piece.of("committee", "AttesterCommittee", [ordered, self.threshold])


@dataclass(frozen=True, slots=True)
class Route:
    """A circuit as the router knows it: verifier, the hash of its key, kind, attesters, and the circuit's room."""

    verifier: str
    key_hash: bytes
    kind: Kind
    attesters: str
    queue: int
    registrations: int
    transfers: int
    sessions: int

    @classmethod
    def of(cls, vk: VerifyingKey, shape: Shape, attesters: str = NOBODY) -> Route:
        """The route of a circuit and its key."""
        verifier = Piece.verifier(vk).address
        room = (shape.queue, shape.registrations, shape.transfers, shape.sessions)
        return cls(verifier, key_hash(vk), shape.kind, attesters, *room)

    @property
    def words(self) -> tuple[Any, ...]:
        """The contract's struct."""
        room = (self.queue, self.registrations, self.transfers, self.sessions)
        return (self.verifier, int(self.kind), self.attesters, *room)

    @property
    def selector(self) -> bytes:
        """Four bytes that name it for good."""
        (announce,) = (one for one in artifact("VerifierRouter")["abi"] if one.get("name") == "announce")
        return keccak(encode(["bytes32", abi_type(announce["inputs"][0])], [self.key_hash, self.words]))[:4]

    def to_json(self) -> dict[str, Any]:
        """By name."""
        return {
            "verifier": format_address(int(self.verifier, 16)),
            "key_hash": f"0x{self.key_hash.hex()}",
            "kind": self.kind.name.lower(),
            "attesters": format_address(int(self.attesters, 16)),
            "queue": self.queue,
            "registrations": self.registrations,
            "transfers": self.transfers,
            "sessions": self.sessions,
        }

    @classmethod
    def from_json(cls, value: object, place: str) -> Route:
        """The way back.

        Raises:
            BadInputError: malformed.
        """
        read = Fields(value, place)
        names = {kind.name.lower(): kind for kind in Kind}
        text = read.text("kind")
        if text not in names:
            raise BadInputError("field 'kind' is wrong", place=place, expected=" or ".join(names), got=text)
        found = cls(
            _address(read, "verifier"), _bytes32(read, "key_hash"), names[text], _address(read, "attesters"),
            read.integer("queue", 16), read.integer("registrations", 16), read.integer("transfers", 16),
            read.integer("sessions", 32),
        )  # fmt: skip
        read.finish()
        return found


@dataclass(frozen=True, slots=True)
class Roles:
    """Who may do what; ``admin`` gives the others, and is part of the address."""

    admin: str
    operator: str
    guardian: str
    curator: str
    upgrader: str

    @classmethod
    def all(cls, address: str, **others: str) -> Roles:
        """One address in every role that is not given another."""
        return cls(**{name: others.get(name, address) for name in cls.__slots__})


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """A rollup and everything it stands on, as they are or will be deployed.

    Args:
        genesis_root: state root before the first batch.
        genesis_balance: sum of the accounts' balances in it, which the rollup is given at the start.
        parameters: what is fixed.
        roles: who may do what.
        routes: circuits usable from the start.
        keys: verifying keys of those among them that may have to be deployed.
        committees: attesters of routes.
        development_chain_ids: chains on which development keys are allowed.
        salt: 32 bytes; another one gives the rollup another address.
    """

    genesis_root: int
    genesis_balance: int
    parameters: Parameters
    roles: Roles
    routes: tuple[Route, ...]
    keys: tuple[VerifyingKey, ...] = field(default=(), compare=False)
    committees: tuple[Committee, ...] = ()
    development_chain_ids: tuple[int, ...] = tuple(sorted(LOCAL_CHAIN_IDS))
    salt: bytes = bytes(32)

    @cached_property
    def manager(self) -> Piece:
        """The AccessManager: each shard's own, because an operator of one is not another's."""
        salt = keccak(encode(["uint256", "uint256"], [self.parameters.shard, self.genesis_root]))
        return Piece.of("manager", "AccessManager", [self.roles.admin], salt)

    @cached_property
    def reader(self) -> Piece:
        """Who reads data."""
        return Piece.of("reader", "BatchReader", [])

    @cached_property
    def router(self) -> Piece:
        """The circuits."""
        routes = [route.words for route in self.routes]
        arguments = [self.manager.address, self.parameters.router_delay, list(self.development_chain_ids), routes]
        return Piece.of("router", "VerifierRouter", arguments)

    @cached_property
    def implementation(self) -> Piece:
        """The rollup's code."""
        above = (self.manager, self.reader, self.router, account_proofs()[-1])
        arguments = [*(piece.address for piece in above), self.parameters.words]
        return Piece.of("implementation", "AitbcRollup", arguments)

    @cached_property
    def proxy(self) -> Piece:
        """The rollup."""
        initialize = call_data("AitbcRollup", "initialize", [self.genesis_root, self.genesis_balance])
        value = self.genesis_balance if self.parameters.asset == NOBODY else 0
        return Piece.of("rollup", "ERC1967Proxy", [self.implementation.address, initialize], self.salt, value)

    @property
    def rollup(self) -> str:
        """The rollup's address: what sessions sign and header word 2 holds."""
        return self.proxy.address

    @property
    def pieces(self) -> Iterable[Piece]:
        """All contracts in the order of their creation; of the verifiers those whose keys are known."""
        yield self.manager
        yield from map(Piece.verifier, self.keys)
        yield from (committee.piece for committee in self.committees)
        yield from account_proofs()
        yield from (self.reader, self.router, self.implementation, self.proxy)

    def route(self, vk: VerifyingKey, shape: Shape) -> Route:
        """The route of a circuit.

        Raises:
            BadInputError: the rollup has none for this key and shape.
        """
        wanted = Route.of(vk, shape)
        for route in self.routes:
            if (route.verifier, route.kind, *route.words[3:]) == (wanted.verifier, wanted.kind, *wanted.words[3:]):
                return route
        raise BadInputError(
            "the rollup takes no proofs of this circuit",
            place=self.rollup,
            expected=" or ".join(f"0x{route.selector.hex()}" for route in self.routes),
            got=f"0x{wanted.selector.hex()} (shape {shape})",
        )

    def to_json(self) -> dict[str, Any]:
        """Everything but the keys, by name."""
        return {
            "format": FORMAT,
            "genesis_root": str(self.genesis_root),
            "genesis_balance": str(self.genesis_balance),
            "parameters": self.parameters.to_json(),
            "roles": {name: format_address(int(getattr(self.roles, name), 16)) for name in Roles.__slots__},
            "routes": [route.to_json() for route in self.routes],
            "committees": [
                {"attesters": [format_address(int(one, 16)) for one in made.attesters], "threshold": made.threshold}
                for made in self.committees
            ],
            "development_chain_ids": list(self.development_chain_ids),
            "salt": f"0x{self.salt.hex()}",
        }

    @classmethod
    def from_json(cls, value: object, place: str, keys: tuple[VerifyingKey, ...] = ()) -> Deployment:
        """The way back, with the keys that are known.

        Raises:
            BadInputError: malformed.
        """
        read = Fields(value, place)
        read.literal("format", FORMAT)
        roles = Fields(read.take("roles"), f"{place}, roles")
        made = cls(
            genesis_root=read.element("genesis_root"),
            genesis_balance=read.decimal("genesis_balance", 96),
            parameters=Parameters.from_json(read.take("parameters"), f"{place}, parameters"),
            roles=Roles(**{name: _address(roles, name) for name in Roles.__slots__}),
            routes=tuple(Route.from_json(one, f"{place}, route {n}") for n, one in enumerate(read.array("routes"))),
            keys=keys,
            committees=tuple(
                _committee(one, f"{place}, committee {n}") for n, one in enumerate(read.array("committees"))
            ),
            development_chain_ids=tuple(
                Fields({"chain_id": one}, place).integer("chain_id", 64) for one in read.array("development_chain_ids")
            ),
            salt=_bytes32(read, "salt"),
        )
        roles.finish()
        read.finish()
        return made


def _committee(value: object, place: str) -> Committee:
    read = Fields(value, place)
    addresses = tuple(_address(Fields({"attester": one}, place), "attester") for one in read.array("attesters"))
    made = Committee(addresses, read.integer("threshold", 16))
    read.finish()
    return made


def _address(read: Fields, name: str) -> str:
    return to_checksum_address(format_address(read.address(name)))


def _bytes32(read: Fields, name: str) -> bytes:
    text = read.text(name)
    try:
        found = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        found = b""
    if len(found) != 32:
        raise BadInputError(
            f"field {name!r} is wrong", place=read.place, expected="0x and 64 hexadecimal digits", got=text
        )
    return found


def call_data(contract: str, function: str, arguments: list[Any]) -> bytes:
    """Calldata of a contract's function, by its name."""
    (entry,) = (one for one in artifact(contract)["abi"] if (one["type"], one.get("name")) == ("function", function))
    kinds = [abi_type(one) for one in entry["inputs"]]
    return keccak(f"{function}({','.join(kinds)})".encode())[:4] + encode(kinds, arguments)
