import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from batch_chain import make_chain
from web3.exceptions import Web3RPCError

from aitbc_rollup.errors import BadInputError, L1Error, UsageError
from aitbc_rollup.rollup.l1 import client as client_module
from aitbc_rollup.rollup.l1.artifacts import DEPLOYMENT_PROXY, DEPLOYMENT_PROXY_CODE
from aitbc_rollup.rollup.l1.client import checksummed, connect
from aitbc_rollup.rollup.l1.outbox import SendPolicy
from aitbc_rollup.rollup.l1.signer import DEVELOPMENT_ADDRESS, development_signer


@pytest.fixture
def server():
    """An HTTP server that gives one answer to everything: set ``server.answer``."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["content-length"]))
            status, body = self.server.answer
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments):
            pass

    served = HTTPServer(("127.0.0.1", 0), Handler)
    served.url = f"http://127.0.0.1:{served.server_port}"
    thread = threading.Thread(target=served.serve_forever, daemon=True)
    thread.start()
    yield served
    served.shutdown()
    served.server_close()
    thread.join()


def test_nobody_listens():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with pytest.raises(L1Error, match="the L1 does not answer") as caught:
        connect(url, timeout_s=2)
    assert caught.value.place == url


def test_somebody_listens_and_says_nothing():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        with pytest.raises(L1Error, match="the L1 does not answer"):
            connect(f"http://127.0.0.1:{listener.getsockname()[1]}", timeout_s=0.3)


@pytest.mark.parametrize(
    "answer",
    [
        (200, b"<html>"),
        (200, b"{}"),
        (200, b"[]"),
        (200, b'{"jsonrpc": "2.0", "id": 0, "result": "many"}'),
        (200, b'{"jsonrpc": "2.0", "id": 0, "result": null}'),
        (502, b"bad gateway"),
    ],
)
def test_what_answers_is_no_chain(server, answer):
    server.answer = answer
    with pytest.raises(L1Error) as caught:
        connect(server.url)
    assert caught.value.place == server.url


def test_an_error_of_the_node_is_passed_on(server):
    server.answer = (200, b'{"jsonrpc": "2.0", "id": 0, "error": {"code": -32000, "message": "too busy"}}')
    with pytest.raises(L1Error, match="the chain refused: too busy"):
        connect(server.url)


def test_another_chain():
    with pytest.raises(L1Error, match="another chain") as caught:
        connect(expected_chain_id=1)
    assert (caught.value.expected, caught.value.got) == ("chain id 1", "chain id 31337")


@pytest.mark.parametrize("url", ["", "localhost:8545", "ws://localhost", "anvil", "file:///etc/passwd"])
def test_what_is_no_url(url):
    with pytest.raises(UsageError, match="not an L1 to connect to"):
        connect(url)


def test_a_transaction_nobody_knows():
    with pytest.raises(L1Error, match="no such transaction"):
        connect().receipt("0x" + "00" * 32)


@pytest.mark.parametrize("address", ["", "0x12", "vitalik.eth", "0x" + "g" * 40, None])
def test_what_is_no_address(address):
    with pytest.raises(BadInputError, match="not an address"):
        checksummed(address)


def test_transactions_in_a_row_have_nonces_in_a_row():
    client, signer = connect(), development_signer()
    blocks = [client.send(signer, DEVELOPMENT_ADDRESS, b"").block_number for _ in range(3)]
    assert blocks == [1, 2, 3]
    assert client.balance(signer.address) < 10_000 * 10**18


@pytest.mark.node
def test_a_transaction_that_is_not_mined_in_time(anvil):
    client, signer = connect(anvil, policy=SendPolicy(receipt_timeout_s=0.5)), development_signer()
    client.web3.provider.make_request("evm_setAutomine", [False])
    try:
        with pytest.raises(L1Error, match="not mined within") as caught:
            client.send(signer, DEVELOPMENT_ADDRESS, b"")
        assert "looks at the chain first" in caught.value.hint
    finally:
        client.web3.provider.make_request("evm_setAutomine", [True])
        client.web3.provider.make_request("evm_mine", [])


def test_time_is_the_last_blocks_and_the_pending_blocks_on_an_idle_chain(monkeypatch):
    client = connect()
    client.send(development_signer(), DEVELOPMENT_ADDRESS, b"")
    last = client.web3.eth.get_block("latest")["timestamp"]
    assert client.time() == last
    monkeypatch.setattr(client_module, "IDLE_AFTER", -1)
    assert client.time() == client.web3.eth.get_block("pending")["timestamp"] > last


def test_the_deployment_proxy_is_the_same_everywhere(client):
    assert client.code(DEPLOYMENT_PROXY) == DEPLOYMENT_PROXY_CODE


def test_logs_come_in_parts_where_a_node_allows_no_more(monkeypatch):
    chain = make_chain(connect(), "logs in parts")
    for amount in range(1, 6):
        chain.rollup.queue.deposit(chain.signer, 1, amount)
    whole = chain.rollup.bound.logs("ItemQueued")
    assert len(whole) == 5
    monkeypatch.setattr(client_module, "LOG_BLOCKS", 2)
    assert chain.rollup.bound.logs("ItemQueued") == whole
    eth = chain.client.web3.eth
    ask = eth.get_logs

    def limited(wanted):
        first, last = int(wanted["fromBlock"]), wanted["toBlock"]
        if last == "latest" or int(last) - first >= 2:
            raise Web3RPCError("block range too wide")
        return ask(wanted)

    monkeypatch.setattr(eth, "get_logs", limited)
    assert chain.rollup.bound.logs("ItemQueued") == whole
    assert len(chain.rollup.bound.history(0, eth.block_number)) > 5
    monkeypatch.setattr(chain.client, "since", whole[2]["blockNumber"])
    assert chain.rollup.bound.logs("ItemQueued") == whole[2:]


def test_since_when_there_is_something(monkeypatch):
    monkeypatch.setenv("AITBC_L1_SINCE", "7")
    assert (connect().since, connect(since=3).since) == (7, 3)
    monkeypatch.setenv("AITBC_L1_SINCE", "-1")
    with pytest.raises(UsageError, match="not a block's height"):
        connect()
