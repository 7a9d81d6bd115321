import importlib.util
import json
import shutil

import make_vector
import pytest
from repository import REPOSITORY

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.verifier import groth16
from aitbc_rollup.verifier.formats import proof_from_calldata

ARTIFACTS = REPOSITORY / "contracts" / "artifacts"
BUILDER = REPOSITORY / "contracts" / "tools" / "build_artifacts.py"


def test_the_solidity_vector_is_what_its_generator_writes():
    assert make_vector.TARGET.read_text() == make_vector.render()


def test_the_vector_verifies_in_python():
    words = [int(line.split(" = ")[1].rstrip(";")) for line in make_vector.render().splitlines() if " w[" in line]
    inputs = [int(line.split(" = ")[1].rstrip(";")) for line in make_vector.render().splitlines() if " x[" in line]
    key = make_vector.Trapdoor().key
    assert groth16.verify(key, inputs, proof_from_calldata(words[:8]))
    assert not groth16.verify(key, [*inputs[:3], (inputs[3] + 1) % R], proof_from_calldata(words[:8]))


def test_artifacts_name_their_compiler_and_settings():
    for path in ARTIFACTS.glob("*.json"):
        compiler = json.loads(path.read_text())["compiler"]
        assert compiler["version"].startswith("0.8.37+")
        assert compiler["settings"]["evmVersion"] == "cancun"


@pytest.mark.node
def test_a_stale_artifact_is_found(tmp_path, capsys):
    specification = importlib.util.spec_from_file_location("build_artifacts", BUILDER)
    builder = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(builder)
    shutil.copytree(ARTIFACTS, tmp_path / "artifacts")
    path = tmp_path / "artifacts" / "Groth16Verifier.json"
    path.write_text(path.read_text().replace('"deployedBytecode": "0x60', '"deployedBytecode": "0x61'))
    assert builder.main(["--check"], tmp_path / "artifacts") == 1
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("contracts/artifacts/Groth16Verifier.json is not what the sources compile to")
