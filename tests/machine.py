"""The EVM without a chain around it: contracts are created and called, and gas is what their code used."""

from __future__ import annotations

from eth.vm.message import Message
from eth.vm.transaction_context import BaseTransactionContext

from aitbc_rollup.rollup.l1.embedded import embedded_web3

CALLER = b"\x22" * 20
GAS = 30_000_000


class Machine:
    """Prague's rules; what is created stays, calls leave nothing behind."""

    def __init__(self) -> None:
        self._state = embedded_web3().provider.ethereum_tester.backend.chain.get_vm().state
        self._context = BaseTransactionContext(gas_price=0, origin=CALLER)
        self._created = 0

    def put(self, code: bytes) -> bytes:
        """The address of a contract with this code, created by nobody."""
        address = self._address()
        self._state.set_code(address, code)
        return address

    def _address(self) -> bytes:
        self._created += 1
        return b"\x55" * 10 + self._created.to_bytes(10, "big")

    def create(self, creation_code: bytes, *, gas: int = GAS) -> bytes:
        """The new contract's address; raises what the creation fails with."""
        address = self._address()
        message = Message(gas, b"", CALLER, 0, b"", creation_code, create_address=address)
        done = self._state.computation_class.apply_create_message(self._state, message, self._context)
        done.raise_if_error()
        return address

    def code(self, address: bytes) -> bytes:
        return bytes(self._state.get_code(address))

    def call(self, address: bytes, data: bytes, *, gas: int = GAS) -> tuple[bytes | None, int]:
        """What a contract answers, None if it reverts; and the gas it used."""
        self._state.lock_changes()  # as a transaction of its own, to which all but its target is cold
        snapshot = self._state.snapshot()
        self._state.mark_address_warm(address)
        message = Message(gas, address, CALLER, 0, data, self.code(address), is_static=True)
        done = self._state.computation_class.apply_message(self._state, message, self._context)
        self._state.revert(snapshot)
        return None if done.is_error else bytes(done.output), gas - done.get_gas_remaining()


def words(*values: int) -> bytes:
    return b"".join(value.to_bytes(32, "big") for value in values)
