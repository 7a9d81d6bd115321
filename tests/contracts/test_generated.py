import importlib.util
import json
import re
import shutil

import make_account_vector
import make_blob_vector
import make_hash_gas
import make_vector
import pytest
from repository import REPOSITORY

from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.verifier import groth16
from aitbc_rollup.verifier.formats import proof_from_calldata

ARTIFACTS = REPOSITORY / "contracts" / "artifacts"
BUILDER = REPOSITORY / "contracts" / "tools" / "build_artifacts.py"


@pytest.mark.parametrize("generator", [make_vector, make_account_vector, make_hash_gas])
def test_a_generated_file_is_what_its_generator_writes(generator):
    assert generator.TARGET.read_text() == generator.render()


def test_the_blob_vector_is_what_its_generator_writes_and_opens_anywhere():
    assert make_blob_vector.TARGET.read_text() == make_blob_vector.render()
    assert make_blob_vector.opening(7) == make_blob_vector.opening(R - 1)


def vectors(library: str) -> dict[str, list[int]]:
    """What the functions of a library of the file return."""
    text = make_vector.render().split(f"library {library} ")[1].split("\nlibrary ")[0]
    found = re.findall(r"function (\w+)\(\)[^}]*", text)
    bodies = text.split("function ")[1:]
    return {
        name: [int(word) for word in re.findall(r"w\[\d+\] = (\d+);", body)]
        for name, body in zip(found, bodies, strict=True)
    }


def test_the_vectors_verify_in_python():
    for world, library in ((make_vector.PLAIN, "Groth16Vector"), (make_vector.COMMITTED, "CommitmentVector")):
        found = vectors(library)
        inputs, proof = found["inputs"], proof_from_calldata(found["proof"])
        assert groth16.verify(world.key, inputs, proof)
        assert not groth16.verify(world.key, [*inputs[:3], (inputs[3] + 1) % R], proof)
    assert groth16.verify(make_vector.COMMITTED.key, inputs, proof_from_calldata(found["another"]))
    for name in ("wrongSigma", "chosenChallenge"):
        assert not groth16.verify(make_vector.COMMITTED.key, inputs, proof_from_calldata(found[name]))


def test_artifacts_name_their_compiler_and_settings():
    for path in ARTIFACTS.glob("*.json"):
        artifact = json.loads(path.read_text())
        if artifact["source"] == "contracts/poseidon":
            continue
        compiler = artifact["compiler"]
        assert compiler["version"].startswith("0.8.37+")
        assert compiler["settings"]["evmVersion"] == "cancun"


@pytest.mark.node
def test_a_stale_artifact_is_found(tmp_path, capsys):
    specification = importlib.util.spec_from_file_location("build_artifacts", BUILDER)
    builder = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(builder)
    shutil.copytree(ARTIFACTS, tmp_path / "artifacts")
    shutil.copy(ARTIFACTS.parent / "library.json", tmp_path)
    path = tmp_path / "artifacts" / "Groth16Verifier.json"
    path.write_text(path.read_text().replace('"deployedBytecode": "0x60', '"deployedBytecode": "0x61'))
    assert builder.main(["--check"], tmp_path / "artifacts") == 1
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("contracts/artifacts/Groth16Verifier.json is not what the sources compile to")
