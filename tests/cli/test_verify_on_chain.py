"""``groth16 verify --l1``: keys and proofs of snarkjs, by the Solidity verifier on a chain that never saw the key."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import NamedTuple

import pytest
from cli_world import Cli
from snarkjs import Snarkjs
from trapdoor import Trapdoor

from aitbc_rollup.circuits.api import Circuit
from aitbc_rollup.errors import UsageError
from aitbc_rollup.rollup.deployment import verify_on_chain
from aitbc_rollup.rollup.l1.artifacts import verifier_code
from aitbc_rollup.rollup.l1.client import connect
from aitbc_rollup.rollup.l1.signer import development_signer
from aitbc_rollup.verifier.formats import verification_key_from_json

pytestmark = pytest.mark.node


class Files(NamedTuple):
    vk: Path
    public: Path
    proof: Path


@pytest.fixture(scope="module")
def made(node_bin: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> dict[int, Files]:
    """Key, public inputs and proof, all by snarkjs, by number of public inputs."""
    snarkjs = Snarkjs(node_bin("snarkjs"), tmp_path_factory.mktemp("snarkjs"))

    def make(inputs: int) -> Files:
        circuit = Circuit("product")
        y = circuit.private_input("x")
        for i in range(inputs - 1):
            y = y * (y + circuit.public_input(f"z{i}"))
        circuit.public_output("y", y * y)
        compiled = circuit.compile()
        name = f"product{inputs}"
        snarkjs.write(name, compiled.r1cs, compiled.witness({"x": 3} | {f"z{i}": i + 1 for i in range(inputs - 1)}))
        snarkjs.make_key(name)
        files = Files(*(snarkjs.room / f"{name}_{kind}.json" for kind in Files._fields))
        snarkjs("zkey", "export", "verificationkey", f"{name}.zkey", files.vk.name)
        snarkjs("groth16", "prove", f"{name}.zkey", f"{name}.wtns", files.proof.name, files.public.name)
        assert len(json.loads(files.public.read_text())) == inputs
        return files

    return {inputs: make(inputs) for inputs in (1, 12)}


@pytest.fixture(params=[1, 12], ids=lambda n: f"{n} inputs")
def files(request: pytest.FixtureRequest, made: dict[int, Files]) -> Files:
    return made[request.param]


@pytest.fixture
def no_chain() -> Iterator[str]:
    """URL of a web server that is no JSON-RPC endpoint."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_error(404)

        def log_message(self, *arguments: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_proof_of_snarkjs_verifies_on_a_verifier_deployed_once(files: Files, anvil: str, cli: Cli) -> None:
    chain = connect(anvil)
    said = cli("groth16", "verify", *files, "--l1", anvil, "--json")
    assert said.code == 0, said.err
    assert said.json["valid"] is True
    address, height = said.json["verifier"], chain.web3.eth.block_number
    key = verification_key_from_json(json.loads(files.vk.read_text()))
    assert chain.code(address) == verifier_code(key)
    assert said.json["deployment_gas"] > 500_000
    again = cli("groth16", "verify", *files, "--l1", anvil, "--json")
    assert (again.code, again.json["verifier"], again.json["deployment_gas"]) == (0, address, 0)
    assert chain.web3.eth.block_number == height


def test_a_dry_run_sends_nothing(made: dict[int, Files], anvil: str, cli: Cli) -> None:
    chain = connect(anvil)
    height = chain.web3.eth.block_number
    for files in made.values():
        said = cli("groth16", "verify", *files, "--l1", anvil, "--dry-run", "--json")
        assert (said.code, said.json["valid"], said.json["verifier"]) == (0, True, None), said.err
        inputs = json.loads(files.public.read_text())
        Path("public.json").write_text(json.dumps([*inputs[:-1], "7"]))
        assert cli("groth16", "verify", files.vk, "public.json", files.proof, "--l1", anvil, "--dry-run").code == 1
    assert chain.web3.eth.block_number == height
    assert cli("groth16", "verify", *made[1], "--dry-run").code == 2


def test_a_development_key_stays_off_other_chains(anvil: str) -> None:
    client = connect(anvil)
    client.chain_id = 1
    world = Trapdoor("stays off", inputs=1, development=True)
    with pytest.raises(UsageError, match="a development key is deployed on development chains only"):
        verify_on_chain(client, world.key, [5], world.prove([5]), development_signer())


def test_with_one_input_changed_it_does_not(files: Files, anvil: str, cli: Cli) -> None:
    inputs = json.loads(files.public.read_text())
    for index in {0, len(inputs) - 1}:
        changed = list(inputs)
        changed[index] = str(int(changed[index]) + 1)
        Path("public.json").write_text(json.dumps(changed))
        said = cli("groth16", "verify", files.vk, "public.json", files.proof, "--l1", anvil)
        assert (said.code, said.out) == (1, "")
        assert said.err.splitlines() == [
            f"{files.proof}: the proof does not verify",
            "  next: proof, public inputs and key must belong together",
        ]


def test_with_an_input_too_few_or_too_many_it_does_not(files: Files, anvil: str, cli: Cli) -> None:
    inputs = json.loads(files.public.read_text())
    for wrong in (inputs[:-1], [*inputs, "0"]):
        Path("public.json").write_text(json.dumps(wrong))
        said = cli("groth16", "verify", files.vk, "public.json", files.proof, "--l1", anvil, "--json")
        assert (said.code, said.json["message"]) == (1, "the proof does not verify")


def test_under_another_key_it_does_not(made: dict[int, Files], anvil: str, cli: Cli) -> None:
    vk, other = (json.loads(files.vk.read_text()) for files in made.values())
    Path("vk.json").write_text(json.dumps(vk | {"vk_delta_2": other["vk_delta_2"]}))
    said = cli("groth16", "verify", "vk.json", made[1].public, made[1].proof, "--l1", anvil, "--json")
    assert (said.code, said.json["message"]) == (1, "the proof does not verify")


def test_a_url_without_a_chain(made: dict[int, Files], no_chain: str, cli: Cli) -> None:
    files = made[1]
    said = cli("groth16", "verify", *files, "--l1", "http://127.0.0.1:1", "--json")
    assert (said.code, said.json["message"], said.json["place"]) == (4, "the L1 does not answer", "http://127.0.0.1:1")
    said = cli("groth16", "verify", *files, "--l1", no_chain, "--json")
    assert (said.code, said.json["place"], said.json["expected"]) == (4, no_chain, "a JSON-RPC endpoint")
    said = cli("groth16", "verify", *files, "--l1", "ftp://x", "--json")
    assert (said.code, said.json["message"]) == (2, "not an L1 to connect to")
