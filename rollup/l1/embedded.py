"""An L1 inside this process: eth-tester over py-evm with Prague's rules, chain id 31337.

Nothing to install, nothing to start, and gone with the process. Gas is the EVM's own. Two precompiles are replaced. The
pairing 0x08 (EIP-197) is computed by this package's kernels, in milliseconds; py-evm's takes seconds. The same kernels
then stand behind this chain's verifier and this package's own, so the tests run on anvil as well. Point evaluation 0x0a
(EIP-4844) loads its set-up once, py-evm's in every call. Blob transactions come with their blobs, in both forms
(:mod:`.blob_transaction`); they are checked, and kept.

Time is the machine's: the next block carries the current second.
"""

from __future__ import annotations

import ast
import re
import time
from contextvars import ContextVar
from typing import Any

from eth.estimators.gas import binary_gas_search
from eth.exceptions import VMError
from eth.vm.forks.prague import PragueVM
from eth.vm.forks.prague.computation import PragueComputation
from eth.vm.spoof import SpoofTransaction
from eth_tester import EthereumTester, PyEVMBackend
from eth_tester.exceptions import TransactionFailed
from eth_tester.exceptions import ValidationError as TesterValidationError
from eth_utils.exceptions import ValidationError
from hexbytes import HexBytes
from web3 import EthereumTesterProvider, Web3
from web3.exceptions import ContractLogicError, Web3RPCError
from web3.providers.eth_tester.defaults import API_ENDPOINTS
from web3.types import RPCEndpoint, RPCResponse

from aitbc_rollup.algebra.bn254 import P
from aitbc_rollup.algebra.pairing import pairing_check
from aitbc_rollup.algebra.reference.curve import G1Point, G2Point
from aitbc_rollup.errors import BadInputError

from .artifacts import DEPLOYMENT_PROXY, DEPLOYMENT_PROXY_CODE
from .blob_transaction import BLOB_TRANSACTION
from .embedded_blobs import POINT_EVALUATION, point_evaluation_precompile, unwrap
from .signer import DEVELOPMENT_ADDRESS

CHAIN_ID = 31337
GAS_LIMIT = 30_000_000
#: EIP-1108.
PAIRING_BASE_GAS = 45_000
PAIRING_GAS_A_PAIR = 34_000
_PAIRING = (8).to_bytes(20, "big")
_PAIR_BYTES = 192


def pairing_precompile(computation: Any) -> Any:
    """EIP-197 with EIP-1108's prices: whether the product of the pairings of the input's pairs is 1.

    Raises:
        VMError: the input is malformed; the call fails and its gas is spent.
    """
    data = bytes(computation.msg.data)
    if len(data) % _PAIR_BYTES:
        raise VMError("the pairing's input is no whole number of pairs")
    pairs = len(data) // _PAIR_BYTES
    computation.consume_gas(PAIRING_BASE_GAS + pairs * PAIRING_GAS_A_PAIR, reason="ECPAIRING Precompile")
    try:
        holds = pairing_check([_pair(data[i : i + _PAIR_BYTES]) for i in range(0, len(data), _PAIR_BYTES)])
    except ValueError as error:
        raise VMError(f"the pairing's input is malformed: {error}") from error
    computation.output = int(holds).to_bytes(32, "big")
    return computation


def _pair(data: bytes) -> tuple[G1Point, G2Point]:
    words = [int.from_bytes(data[i : i + 32], "big") for i in range(0, _PAIR_BYTES, 32)]
    if max(words) >= P:
        raise ValueError("a coordinate is not below p")
    x, y, x1, x0, y1, y0 = words
    return ((x, y) if x or y else None), (((x0, x1), (y0, y1)) if x0 or x1 or y0 or y1 else None)


class _Computation(PragueComputation):  # type: ignore[misc]
    _precompiles = {  # noqa: RUF012
        **PragueComputation.get_precompiles(),
        _PAIRING: pairing_precompile,
        POINT_EVALUATION: point_evaluation_precompile,
    }


#: Versioned hashes that a simulated call is to see: eth-tester's calls have none.
_simulated_hashes: ContextVar[tuple[bytes, ...]] = ContextVar("_simulated_hashes", default=())


class _State(PragueVM._state_class):  # type: ignore[misc]
    computation_class = _Computation

    def get_transaction_context(self, transaction: Any) -> Any:
        context = super().get_transaction_context(transaction)
        if hashes := _simulated_hashes.get():
            context._blob_versioned_hashes = hashes
        return context


class EmbeddedVM(PragueVM):  # type: ignore[misc]
    """Prague's virtual machine with the fast pairing."""

    _state_class = _State


#: What runs on the block that is mined next, and so by its clock.
_OF_THE_PENDING_BLOCK = {"eth_sendRawTransaction", "eth_estimateGas", "eth_call"}


class _Provider(EthereumTesterProvider):
    """eth-tester's provider, with this chain's id, a clock and blobs."""

    def __init__(self, vm: type[PragueVM]) -> None:
        #: What a beacon node keeps: every blob, by its versioned hash.
        self.blobs: dict[bytes, bytes] = {}
        backend = PyEVMBackend(
            genesis_parameters=PyEVMBackend.generate_genesis_params({"gas_limit": GAS_LIMIT}),
            genesis_state=_genesis_state(),
            vm_configuration=((0, vm),),
        )
        # The class is made anew for each backend, and eth-tester has no other place for the id.
        type(backend.chain).chain_id = CHAIN_ID
        backend.chain.gas_estimator = estimate_gas
        # A view's sender must be able to pay, and web3 takes the first account.
        own: dict[str, Any] = {"chainId": lambda *_: CHAIN_ID, "accounts": lambda *_: [DEVELOPMENT_ADDRESS]}
        super().__init__(EthereumTester(backend), {**API_ENDPOINTS, "eth": {**API_ENDPOINTS["eth"], **own}})

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        if method in _OF_THE_PENDING_BLOCK:
            self._set_clock()
        if method == "eth_estimateGas":
            params = params[:1]  # eth-tester knows no block here: it always estimates on the pending one
        hashes: tuple[bytes, ...] = ()
        if method in ("eth_call", "eth_estimateGas") and "blob_versioned_hashes" in params[0]:
            call = dict(params[0])
            hashes = tuple(bytes(HexBytes(one)) for one in call.pop("blob_versioned_hashes"))
            params = [call, *params[1:]]
        elif method == "eth_sendRawTransaction":
            params = [self._without_blobs(params[0])]
        token = _simulated_hashes.set(hashes)
        try:
            return super().make_request(method, params)
        except TransactionFailed as error:
            raise ContractLogicError("execution reverted", data=_revert_data(error)) from error
        except (ValidationError, TesterValidationError) as error:
            raise Web3RPCError(str(error)) from error
        finally:
            _simulated_hashes.reset(token)

    def _without_blobs(self, raw: Any) -> Any:
        """A transaction as the chain runs it; blobs are checked and kept."""
        signed = bytes(HexBytes(raw))
        if signed[:1] != BLOB_TRANSACTION:
            return raw
        try:
            transaction, blobs = unwrap(signed)
        except BadInputError as error:
            raise Web3RPCError(str(error)) from error
        self.blobs |= blobs
        return HexBytes(transaction).to_0x_hex()

    def _set_clock(self) -> None:
        """The pending block was stamped when the last one was mined: stamp it with the current second."""
        tester: Any = self.ethereum_tester
        now = int(time.time())
        if tester.get_block_by_number("pending")["timestamp"] < now:
            tester.time_travel(now)


def estimate_gas(state: Any, transaction: Any) -> int:
    """Gas limit under which a transaction succeeds, by two runs where py-evm's search takes a dozen.

    A call passes on 63/64 of the gas at most (EIP-150), so the limit lies a little above what one run uses; a second
    run confirms it.

    Raises:
        VMError: it fails even with the block's whole gas.
    """
    roomy = SpoofTransaction(transaction, gas=state.gas_limit, gas_price=0)
    snapshot = state.snapshot()
    computation = state.apply_transaction(roomy)
    state.revert(snapshot)
    computation.raise_if_error()
    used = max(state.gas_limit - computation.get_gas_remaining(), transaction.intrinsic_gas)
    limit = min(used * 66 // 63 + 5_000, state.gas_limit)
    snapshot = state.snapshot()
    confirmed = state.apply_transaction(SpoofTransaction(transaction, gas=limit, gas_price=0))
    state.revert(snapshot)
    return int(binary_gas_search(state, transaction, tolerance=21_000)) if confirmed.is_error else limit


def _revert_data(error: TransactionFailed) -> str:
    """The bytes of a revert, which eth-tester gives as their repr inside a message; "0x" if there are none."""
    found = re.search(r"b(['\"]).*\1", str(error), re.DOTALL)
    return "0x" + (ast.literal_eval(found.group()).hex() if found else "")


def _genesis_state() -> dict[bytes, dict[str, Any]]:
    """The deployment proxy, and ten thousand ether for the development account."""
    account = {"balance": 0, "nonce": 0, "code": b"", "storage": {}}
    return {
        bytes.fromhex(DEPLOYMENT_PROXY[2:]): {**account, "code": DEPLOYMENT_PROXY_CODE},
        bytes.fromhex(DEVELOPMENT_ADDRESS[2:]): {**account, "balance": 10_000 * 10**18},
    }


def embedded_web3(vm: type[PragueVM] = EmbeddedVM) -> Web3:
    """A new chain with nothing on it but the deployment proxy and a funded development account."""
    return Web3(_Provider(vm))
