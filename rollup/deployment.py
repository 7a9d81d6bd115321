"""Which contract a shard's sessions sign for, and how a proven batch gets onto it.

The rollup's address follows from circuit keys, genesis root, shard, parameters and admin, before the contract exists
(``l1.plan``). Submitting is done once however often it is asked for: each step looks at the chain first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from aitbc_rollup.errors import BadInputError, InvalidError, L1Error, next_step
from aitbc_rollup.verifier.formats import proof_to_calldata
from aitbc_rollup.verifier.types import Proof, VerifyingKey

from .bundle import Bundle
from .checks import format_address
from .l1.artifacts import artifact, create2_address, verifier_init_code
from .l1.bound import Step
from .l1.client import L1Client, Receipt
from .l1.contracts import create_and_call, deploy, deploy_verifier
from .l1.piece import Piece
from .l1.plan import Deployment
from .l1.rollup_contract import Posting, RollupContract
from .l1.signer import Signer
from .reporting import Reporter, Silent, stage
from .transactions import Domain, QueueItem

_NOT_MADE = "the contract's address does not follow from the batch's key and deployment"


@dataclass(frozen=True, slots=True)
class Submission:
    """Gas of each transaction that was sent now or found on the chain, and the state root it left.

    ``sent`` counts transactions sent now; a step found done by someone whose log the chain does not keep has no gas.
    """

    gas: dict[str, int]
    sent: int
    state_root: int


def plan_of(bundle: Bundle) -> Deployment:
    """The contracts that a proven batch's files say it is for; that their address is the data's is to be checked."""
    return replace(bundle.origin.deployment, keys=(bundle.key,))


def check_contract(bundle: Bundle, address: int) -> None:
    """Check that a batch is for the rollup at an address, and that this address is made of the batch's key.

    The address is a hash over the creation code, with verifying keys, genesis root and shard in it: who trusts it need
    not trust the key that came with the batch.

    Raises:
        InvalidError: the batch is for another rollup, the address is not made of what the batch says of it, or not of
            this key: then it may be one that was announced later, of which the chain's router knows.
    """
    plan = plan_of(bundle)
    found = int(plan.rollup, 16)
    for what, got in (("the batch is for another contract", bundle.data.context.domain.contract), (_NOT_MADE, found)):
        if got != address:
            raise InvalidError(
                what,
                place="--contract",
                expected=format_address(address),
                got=format_address(got),
                hint="do not use this batch, unless the address was mistyped",
            )
    try:
        plan.route(bundle.key, bundle.shape)
    except BadInputError as error:
        raise InvalidError(
            _NOT_MADE,
            place="--contract",
            expected=error.expected,
            got=error.got,
            hint="do not use this batch, unless the contract's router on the chain has this circuit",
        ) from None


@next_step("`aitbc-rollup status` shows where chain and node stand")
def submit(
    bundle: Bundle, posting: Posting, client: L1Client, signer: Signer, reporter: Reporter | None = None
) -> Submission:
    """Deploy the contracts if need be, then commit, prove and finalize a batch.

    Args:
        bundle: the batch; the caller has verified it.
        posting: the same as it is posted.
        client: the chain.
        signer: who pays, and for the commit the operator.
        reporter: told each step.

    Raises:
        L1Error: another chain, no contract, another one than the batch is for, or a step refused.
    """
    reporter = reporter or Silent()
    context = bundle.data.context
    domain, number = context.domain, context.batch_number
    address = format_address(domain.contract)
    if client.chain_id != domain.chain_id:
        raise L1Error(
            "another chain",
            place=client.name,
            expected=f"chain id {domain.chain_id}, the batch's",
            got=f"chain id {client.chain_id}",
            hint="give the RPC of the batch's chain with --l1",
        )
    gas: dict[str, int] = {}
    sent = 0
    if not client.code(address):
        with stage(reporter, "deploy") as running:
            receipts = _deploy(client, signer, bundle)
            gas["deploy"] = sum(receipt.gas_used for receipt in receipts)
            sent += len(receipts)
            running.note = f"{address}, {gas['deploy']:,} gas"
    contract = RollupContract(client, address)
    check_queue(contract, bundle)
    payout = format_address(bundle.payout)
    steps: dict[str, Callable[[], Step]] = {
        "commit": lambda: contract.commit(signer, posting),
        "prove": lambda: contract.prove(signer, number, posting.binding, payout, bundle.proof),
    }
    if contract.is_in_one(number):
        steps = {"commit_and_prove": lambda: contract.commit_and_prove(signer, posting, payout, bundle.proof)}
    steps["finalize"] = lambda: contract.finalize(signer, number)
    for name, send in steps.items():
        with stage(reporter, name) as running:
            step = send()
            running.note = _note(step)
            sent += not step.already
            if step.gas_used is not None:
                gas[name] = step.gas_used
    return Submission(gas, sent, contract.status().state_root)


def _deploy(client: L1Client, signer: Signer, bundle: Bundle) -> list[Receipt]:
    """Deploy what the bundle says is behind its contract's address, if it is."""
    contract = bundle.data.context.domain.contract
    plan = plan_of(bundle)
    if int(plan.rollup, 16) != contract:
        raise L1Error(
            "there is no contract for this batch",
            place=f"{format_address(contract)} on chain {client.chain_id}",
            expected=f"a deployed rollup, or a key and genesis of that address; these are of {plan.rollup}",
            got="no code",
            hint="check --l1; or prove the batch again with the key and genesis of the contract",
        )
    key = Piece.verifier(bundle.key).address
    absent = [route for route in plan.routes if route.verifier != key and not client.code(route.verifier)]
    if absent:
        raise L1Error(
            "the rollup has more circuits than the batch's",
            place=f"{plan.rollup} on chain {client.chain_id}",
            expected="the verifiers of all its circuits",
            got=f"none of 0x{absent[0].selector.hex()}",
            hint="`aitbc-rollup l1 deploy` has the keys of all circuits in the state folder",
        )
    return deploy(client, signer, plan)


def check_queue(contract: RollupContract, bundle: Bundle) -> None:
    """Check that the batch takes the items that come next in the contract's queue, if it is not committed yet.

    With others the contract would draw another ζ, and the proof would not verify.

    Raises:
        L1Error: it does not.
    """
    status = contract.status()
    if bundle.data.context.batch_number != status.committed + 1:
        return
    expected = bundle.data.queue_items
    found = tuple(item for _, item in contract.queue.waiting(len(expected)))
    if found != expected:
        raise L1Error(
            "the batch takes other queue items than the contract's next ones",
            place=contract.address,
            expected=f"{len(expected)} items, as the batch has them",
            got=f"{len(found)} items, which differ",
            hint="begin again with a new --state folder, and prove-batch --queue against this chain",
        )


def queue_source(client: L1Client) -> Callable[[Domain, int, int], list[QueueItem]]:
    """What waits in a chain's queue of a rollup behind so many taken, at most so many; nothing before there is one."""

    def waiting(domain: Domain, taken: int, most: int) -> list[QueueItem]:
        address = format_address(domain.contract)
        if not client.code(address):
            return []
        queue = RollupContract(client, address).queue
        return queue.items(taken + 1, min(queue.pointers().queued - taken, most))

    return waiting


def _note(step: Step) -> str:
    gas = "" if step.gas_used is None else f"{step.gas_used:,} gas"
    return f"{gas}, done before".lstrip(", ") if step.already else gas


#: The verifier's own errors that say "this proof does not hold".
_REFUSALS = {"ProofInvalid", "ProofMalformed", "WrongProofLength", "InputNotInField", "WrongInputCount"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a chain's verifier says of a proof; ``address`` and ``gas`` (of its deployment now) where it is deployed."""

    valid: bool
    address: str | None = None
    gas: int = 0


def verify_on_chain(
    client: L1Client, key: VerifyingKey, public_inputs: Sequence[int], proof: Proof, signer: Signer | None = None
) -> Verdict:
    """Whether a key's Solidity verifier accepts a proof, on a chain; any key will do.

    With a signer the verifier is deployed if it is not there, at the address that follows from its key. Without one
    nothing is sent: the chain creates the verifier, calls it and throws it away.

    Raises:
        UsageError: a development key is to be deployed on a chain that is not local.
        L1Error: the chain does not answer, has no deployment proxy, or does not run the verifier.
    """
    contract = client.contract(format_address(0), artifact("Groth16Verifier")["abi"])
    calldata = bytes.fromhex(contract.encode_abi("verify", args=[proof_to_calldata(proof), list(public_inputs)])[2:])
    address, gas = None, 0
    try:
        if signer is None:
            _run_undeployed(client, key, calldata)
        else:
            gas = sum(receipt.gas_used for receipt in deploy_verifier(client, signer, key))
            address = create2_address(bytes(32), verifier_init_code(key))
            client.run(address, calldata, place="verify")
    except L1Error as error:
        if error.message.split(":")[0] not in _REFUSALS:
            raise
        return Verdict(False, address, gas)
    return Verdict(True, address, gas)


def _run_undeployed(client: L1Client, key: VerifyingKey, calldata: bytes) -> None:
    answer = client.run_creation(create_and_call(verifier_init_code(key), calldata), place="verify")
    if answer != (1).to_bytes(32, "big"):
        raise L1Error(
            "the chain did not run the verifier",
            place=client.name,
            expected="the word 1",
            got=f"{len(answer)} bytes",
            hint="ask a node of a chain with Cancun's rules or later",
        )
