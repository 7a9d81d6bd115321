"""Standard-JSON inputs: what npm's solc makes of them is what is deployed."""

from __future__ import annotations

import json

import pytest
from repository import REPOSITORY
from solidity import solc

from aitbc_rollup.contracts.standard_json import closure, names, qualified_name, standard_json
from aitbc_rollup.errors import BadInputError
from aitbc_rollup.rollup.l1.artifacts import artifact


def path_of(name: str) -> str:
    return qualified_name(name).partition(":")[0]


@pytest.mark.node
def test_they_compile_to_the_artifacts_bytecode() -> None:
    """All at once, for they share settings and most sources, and the compiler takes a second to start."""
    requests = {name: standard_json(name) for name in names()}
    (settings,) = {json.dumps(request["settings"]) for request in requests.values()}
    merged = {"language": "Solidity", "sources": {}, "settings": json.loads(settings)}
    output: dict[str, dict[str, list[str]]] = {}
    for name, request in requests.items():
        merged["sources"] |= request["sources"]
        output.setdefault(path_of(name), {})[name] = ["evm.bytecode.object", "evm.deployedBytecode.object"]
    answer = solc(merged | {"settings": merged["settings"] | {"outputSelection": output}})
    assert [error for error in answer.get("errors", []) if error["severity"] == "error"] == []
    for name in names():
        compiled = answer["contracts"][path_of(name)][name]["evm"]
        for part in ("bytecode", "deployedBytecode"):
            assert "0x" + compiled[part]["object"] == artifact(name)[part], name


def test_it_holds_what_is_imported_and_no_more() -> None:
    sources = standard_json("Groth16VerifierInit")["sources"]
    assert list(sources) == ["src/Groth16Verifier.sol", "src/IVerifier.sol"]
    for path, source in sources.items():
        assert source["content"] == (REPOSITORY / "contracts" / path).read_text()


def test_every_compiled_contract_has_one() -> None:
    artifacts = {path.stem for path in (REPOSITORY / "contracts" / "artifacts").glob("*.json")}
    assert set(names()) == {name for name in artifacts if not name.startswith("Poseidon")}


def test_imports_of_every_form_are_followed() -> None:
    texts = {
        "src/a.sol": 'import {B} from "./b.sol";\nimport "lib/x/c.sol";\n// import "none.sol";\nstring s = "import";',
        "src/b.sol": 'import {\n    A\n} from "./a.sol";',
        "lib/x/c.sol": 'import * as D from "../d.sol";',
        "lib/d.sol": "",
    }
    assert closure("src/a.sol", texts.__getitem__) == dict(sorted(texts.items()))


def test_no_such_contract() -> None:
    with pytest.raises(BadInputError, match="no such contract"):
        standard_json("../AitbcRollup")
