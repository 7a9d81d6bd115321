"""A rollup's contracts created where they belong, and compared with what this release would put there.

Anyone may deploy, and does it once however often it is asked for: an address is a hash of what is at it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from itertools import accumulate

from eth_utils.crypto import keccak

from aitbc_rollup.errors import L1Error, UsageError
from aitbc_rollup.verifier.groth16 import check_key
from aitbc_rollup.verifier.types import VerifyingKey

from .artifacts import (
    DEPLOYMENT_PROXY,
    DEPLOYMENT_PROXY_CODE,
    verifier_code,
)
from .client import L1Client, Receipt, connect
from .piece import Piece
from .plan import Deployment
from .roles import Manager
from .signer import DEVELOPMENT_CHAIN_IDS, Signer, development_signer

#: What a proxy keeps its implementation's address at (ERC-1967).
_IMPLEMENTATION_SLOT = 0x360894A13BA1A3210667C828492DB98DCA3E2076CC3735A920A3CA505D382BBC


def deploy(client: L1Client, signer: Signer, deployment: Deployment) -> list[Receipt]:
    """Create what is not there yet, compare what is, and set the roles if the signer is admin.

    Returns:
        the receipts of what was sent, possibly none.

    Raises:
        BadInputError: a key is refused.
        UsageError: a development key off the development chains.
        L1Error: the chain has no deployment proxy, refuses, or has other code at an address.
    """
    for vk in deployment.keys:
        check_key(vk)
    _check_chain(client, deployment.keys)
    receipts = []
    for piece in deployment.pieces:
        if piece == deployment.router:
            _check_verifiers(client, deployment)
        receipts += _create(client, signer, piece)
    check_deployed(client, deployment)
    receipts += Manager(client, deployment).complete(signer)
    for receipt in receipts:  # one waited for the one before only until it was mined
        client.confirm(receipt.tx_hash, "deployment")
    return receipts


def rehearse(deployment: Deployment, there: Collection[str] = ()) -> dict[str, int]:
    """Gas of each contract that a deployment would create, and of the roles: on a chain inside this process.

    Args:
        deployment: with the keys of all its verifiers.
        there: addresses of pieces that need not be created.

    Raises:
        L1Error: a contract refuses.
    """
    client, signer = connect(), development_signer()
    roles, value = replace(deployment.roles, admin=signer.address), min(deployment.genesis_balance, 1)
    rehearsed = replace(deployment, roles=roles, genesis_balance=value)  # whatever is paid in costs the same gas
    gas: dict[str, int] = {}
    for piece, made in zip(deployment.pieces, rehearsed.pieces, strict=True):
        used = sum(receipt.gas_used for receipt in _create(client, signer, made))
        if piece.address not in there:
            gas[piece.name] = gas.get(piece.name, 0) + used
    gas["roles"] = sum(receipt.gas_used for receipt in Manager(client, rehearsed).complete(signer))
    return gas


def create(client: L1Client, signer: Signer, pieces: Iterable[Piece]) -> list[Receipt]:
    """Create what is not there yet of contracts that stand on one another, in their order; compare what is.

    Raises:
        L1Error: the chain has no deployment proxy, refuses, or has other code at an address.
    """
    _check_chain(client, ())
    receipts = []
    for piece in pieces:
        receipts += _create(client, signer, piece)
        _check_code(client, piece, piece.code)
    return receipts


def deploy_verifier(client: L1Client, signer: Signer, vk: VerifyingKey) -> list[Receipt]:
    """Create the verifier of a key where it is not there yet; compare what is. Returns the receipt, if one was sent.

    Raises:
        UsageError: a development key, and the chain is none of ``DEVELOPMENT_CHAIN_IDS``.
        L1Error: the chain has no deployment proxy, refuses, or has other code at the address.
    """
    _check_chain(client, (vk,))
    piece = Piece.verifier(vk)
    receipts = _create(client, signer, piece)
    _check_code(client, piece, verifier_code(vk))
    return receipts


def check_deployed(client: L1Client, deployment: Deployment) -> None:
    """Compare the code at every address with the artifacts.

    Immutables are left out of the comparison: they follow from the creation code, which the address commits to. The
    rollup itself is a proxy; that it still runs the implementation it began with, :func:`implementation` says.

    Raises:
        L1Error: there is none, or it differs.
    """
    for piece in deployment.pieces:
        if piece.contract != "Groth16Verifier":
            _check_code(client, piece, piece.code)
    for vk in deployment.keys:
        _check_code(client, Piece.verifier(vk), verifier_code(vk))


def implementation(client: L1Client, deployment: Deployment) -> str:
    """Address of the code that a deployed rollup runs now: another than the deployment's after an upgrade.

    Raises:
        L1Error: the chain does not answer.
    """
    return client.storage_address(deployment.rollup, _IMPLEMENTATION_SLOT)


def _check_chain(client: L1Client, keys: tuple[VerifyingKey, ...]) -> None:
    """Refuse development keys off the development chains, and chains without the deployment proxy."""
    if any(vk.development for vk in keys) and client.chain_id not in DEVELOPMENT_CHAIN_IDS:
        raise UsageError(
            "a development key is deployed on development chains only: whoever made it could forge proofs",
            place=f"chain {client.chain_id}",
            expected=f"chain id {' or '.join(map(str, DEVELOPMENT_CHAIN_IDS))}",
            got=str(client.chain_id),
            hint="make the key in a ceremony",
        )
    if client.code(DEPLOYMENT_PROXY) != DEPLOYMENT_PROXY_CODE:
        raise L1Error(
            "the chain has no deterministic deployment proxy",
            place=f"chain {client.chain_id}",
            expected=f"code at {DEPLOYMENT_PROXY}",
            got="none, or other code",
            hint="https://github.com/Arachnid/deterministic-deployment-proxy has the one transaction that creates it",
        )


def _check_verifiers(client: L1Client, deployment: Deployment) -> None:
    """Refuse to go on without a verifier whose key is not known here: the router asks each of them."""
    for route in deployment.routes:
        if not client.code(route.verifier):
            raise L1Error(
                "a circuit's verifier is not deployed",
                place=f"circuit 0x{route.selector.hex()} on chain {client.chain_id}",
                expected=f"code at {route.verifier}",
                got="none",
                hint="`aitbc-rollup l1 deploy` knows the state folder's keys, and takes more with --verification-key",
            )


def _create(client: L1Client, signer: Signer, piece: Piece) -> list[Receipt]:
    """Create what belongs at an address, unless something is there."""
    if client.code(piece.address):
        return []
    client.run_creation(piece.init_code, sender=signer.address, value=piece.value, place=piece.name)
    pending = client.post(signer, DEPLOYMENT_PROXY, piece.salt + piece.init_code, value=piece.value, place=piece.name)
    return [client.wait(pending, deep=False)]


def create_and_call(init_code: bytes, calldata: bytes) -> bytes:
    """Creation code that creates a contract and calls it, for a node to run without sending it.

    So a contract answers on any chain before it is deployed there. What fails reverts with the contract's own bytes;
    otherwise what is returned is the word 1.
    """

    def push(value: int) -> bytes:
        return b"\x63" + value.to_bytes(4, "big")  # PUSH4: every push as long, so that places can be counted

    def assemble(fail: int, call: int, succeed: int, end: int) -> tuple[bytes, ...]:
        start = (
            push(len(init_code)) + push(end) + push(0) + b"\x39"  # CODECOPY: memory = creation code
            + push(len(init_code)) + push(0) + push(0) + b"\xf0"  # CREATE: address, or 0
            + b"\x80" + push(call) + b"\x57"  # DUP1, JUMPI
        )  # fmt: skip
        failed = b"\x5b\x3d" + push(0) + push(0) + b"\x3e\x3d" + push(0) + b"\xfd"  # revert with what was returned
        called = (
            b"\x5b" + push(len(calldata)) + push(end + len(init_code)) + push(0) + b"\x39"  # memory = calldata
            + push(0) + push(0) + push(len(calldata)) + push(0) + b"\x84\x5a\xfa"  # DUP5, GAS, STATICCALL
            + push(succeed) + b"\x57" + push(fail) + b"\x56"  # JUMPI, JUMP
        )  # fmt: skip
        succeeded = b"\x5b" + push(1) + push(0) + b"\x52" + push(32) + push(0) + b"\xf3"  # MSTORE, RETURN
        return start, failed, called, succeeded

    places = list(accumulate(map(len, assemble(0, 0, 0, 0))))
    return b"".join(assemble(*places)) + init_code + calldata


def _check_code(client: L1Client, piece: Piece, expected: bytes) -> None:
    got = bytearray(client.code(piece.address))
    if not got:
        raise L1Error(
            f"the {piece.name} is not deployed",
            place=f"chain {client.chain_id}",
            expected=f"code at {piece.address}",
            got="none",
        )
    for start, length in piece.immutables:
        got[start : start + length] = bytes(length)
    if bytes(got) != expected:
        raise L1Error(
            f"the {piece.name}'s code is not that of this release",
            place=f"{piece.address} on chain {client.chain_id}",
            expected=f"{len(expected)} bytes, hash 0x{keccak(expected).hex()[:16]}…",
            got=f"{len(got)} bytes, hash 0x{keccak(bytes(got)).hex()[:16]}…",
            hint="use the release of this program that deployed it",
        )
