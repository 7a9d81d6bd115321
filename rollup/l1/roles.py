"""Who may do what: the roles that a rollup's AccessManager gives, set and read.

The admin gives and takes roles, and so changes the keys behind them: a key is rotated by granting its role to the new
address and revoking it from the old one. What a function is restricted to until a role is set is the admin.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .artifacts import artifact, selector
from .client import L1Client, Receipt
from .plan import Deployment, call_data
from .signer import Signer


@dataclass(frozen=True, slots=True)
class Role:
    """A role by name, its number, the contract it is about (a piece's name) and the functions it may call."""

    name: str
    number: int
    piece: str
    functions: tuple[str, ...]


ROLES = (
    Role("operator", 1, "rollup", ("commit", "commitAndProve", "rollback")),
    Role("guardian", 2, "router", ("freeze",)),
    Role("curator", 3, "router", ("announce", "cancel")),
    Role("upgrader", 4, "rollup", ("announceUpgrade", "cancelUpgrade")),
)
_ADMIN = 0


class Manager:
    """A deployed rollup's AccessManager.

    Args:
        client: the chain.
        deployment: the rollup.
    """

    def __init__(self, client: L1Client, deployment: Deployment) -> None:
        self._client = client
        self._plan = deployment
        self._contract = client.contract(deployment.manager.address, artifact("AccessManager")["abi"])

    def has(self, role: Role | None, address: str) -> bool:
        """Whether an address has a role, or without one is admin.

        Raises:
            L1Error: the chain does not answer.
        """
        number = _ADMIN if role is None else role.number
        return bool(self._client.call(self._contract.functions.hasRole(number, address), "hasRole")[0])

    def missing(self) -> list[bytes]:
        """Calls that make the roles those of the deployment, as far as they are not.

        Raises:
            L1Error: the chain does not answer.
        """
        calls = []
        for role in ROLES:
            target = self._target(role)
            kind = "VerifierRouter" if role.piece == "router" else "AitbcRollup"
            selectors = [selector(kind, function) for function in role.functions]
            unset = [one for one in selectors if self._role_of(target, one) != role.number]
            if unset:
                calls.append(_manager("setTargetFunctionRole", target, unset, role.number))
                calls.append(_manager("labelRole", role.number, role.name))
            holder = getattr(self._plan.roles, role.name)
            if not self.has(role, holder):
                calls.append(_manager("grantRole", role.number, holder, 0))
        return calls

    def complete(self, signer: Signer) -> list[Receipt]:
        """Set what is missing in one transaction, if the signer is admin; returns its receipt, if one was sent.

        Raises:
            L1Error: refused, or the chain does not answer.
        """
        calls = self.missing()
        if not calls or not self.has(None, signer.address):
            return []
        return [self._send(signer, _manager("multicall", calls), "roles")]

    def grant(self, signer: Signer, role: Role, address: str) -> Receipt:
        """Give a role to one more address.

        Raises:
            L1Error: refused: the signer is not admin.
        """
        return self._send(signer, _manager("grantRole", role.number, address, 0), f"role {role.name}")

    def revoke(self, signer: Signer, role: Role, address: str) -> Receipt:
        """Take a role from an address.

        Raises:
            L1Error: refused: the signer is not admin.
        """
        return self._send(signer, _manager("revokeRole", role.number, address), f"role {role.name}")

    def holders(self, addresses: Iterable[str]) -> dict[str, list[str]]:
        """Of each role, and the admin's, those of these addresses that have it."""
        wanted = sorted(set(addresses))
        roles: list[tuple[str, Role | None]] = [("admin", None), *((role.name, role) for role in ROLES)]
        return {name: [one for one in wanted if self.has(role, one)] for name, role in roles}

    def _target(self, role: Role) -> str:
        return self._plan.router.address if role.piece == "router" else self._plan.rollup

    def _role_of(self, target: str, function: bytes) -> int:
        asked = self._contract.functions.getTargetFunctionRole(target, function)
        return int(self._client.call(asked, "getTargetFunctionRole"))

    def _send(self, signer: Signer, data: bytes, place: str) -> Receipt:
        return self._client.send(signer, self._plan.manager.address, data, place=place)


def _manager(function: str, *arguments: object) -> bytes:
    return call_data("AccessManager", function, list(arguments))
