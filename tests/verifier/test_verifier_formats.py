"""snarkjs JSON and calldata: round trips, strictness, and snarkjs itself as a reader and as a source."""

from __future__ import annotations

import copy
import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from test_verifier_groth16 import INPUTS, KEY, PROOF, TWIST_POINT_OUTSIDE_G2, prove

from aitbc_rollup.algebra.bn254 import P, R
from aitbc_rollup.errors import BadInputError
from aitbc_rollup.verifier import formats
from aitbc_rollup.verifier.groth16 import check_key
from aitbc_rollup.verifier.strict_json import parse_json
from aitbc_rollup.verifier.types import Proof

INFINITE = Proof(None, None, None)


@pytest.mark.parametrize("proof", [PROOF, prove(INPUTS, a=0), INFINITE])
def test_proofs_round_trip(proof: Proof) -> None:
    text = json.dumps(formats.proof_to_json(proof))
    assert formats.proof_from_json(parse_json(text, "proof.json")) == proof
    assert formats.proof_from_calldata(formats.proof_to_calldata(proof)) == proof


@pytest.mark.parametrize("development", [False, True])
def test_keys_round_trip(development: bool) -> None:
    key = replace(KEY, development=development)
    document = json.loads(json.dumps(formats.verification_key_to_json(key)))
    assert ("development" in document) == development
    assert formats.verification_key_from_json(document) == key


def test_public_inputs_round_trip() -> None:
    assert formats.public_to_json([0, R - 1]) == ["0", str(R - 1)]
    assert formats.public_from_json(formats.public_to_json([0, 1, R - 1])) == [0, 1, R - 1]
    assert formats.public_from_json([]) == []


def test_shape_of_the_documents() -> None:
    proof = formats.proof_to_json(Proof((1, 2), None, None))
    assert proof == {
        "pi_a": ["1", "2", "1"],
        "pi_b": [["0", "0"], ["1", "0"], ["0", "0"]],
        "pi_c": ["0", "1", "0"],
        "protocol": "groth16",
        "curve": "bn128",
    }
    key = formats.verification_key_to_json(KEY)
    assert list(key) == [
        "protocol", "curve", "nPublic", "vk_alpha_1", "vk_beta_2", "vk_gamma_2", "vk_delta_2", "vk_alphabeta_12", "IC",
    ]  # fmt: skip
    assert key["nPublic"] == 2 and len(key["IC"]) == 3


def test_calldata_is_in_eip_197_order() -> None:
    assert PROOF.a and PROOF.b and PROOF.c
    (bx0, bx1), (by0, by1) = PROOF.b
    assert formats.proof_to_calldata(PROOF) == [*PROOF.a, bx1, bx0, by1, by0, *PROOF.c]


def _set(*path_and_value: Any) -> Callable[[Any], None]:
    *path, last, value = path_and_value

    def change(document: Any) -> None:
        for key in path:
            document = document[key]
        document[last] = value

    return change


def _delete(key: str) -> Callable[[Any], None]:
    return lambda document: document.pop(key)


def _triple(point: Any) -> list[list[str]]:
    return [[str(c) for c in point[0]], [str(c) for c in point[1]], ["1", "0"]]


NOT_CANONICAL = [
    "",
    "+1",
    "-1",
    "01",
    "00",
    "1.0",
    "1e3",
    "0x1",
    " 1",
    "1 ",
    "1_0",
    "١",
    "9" * 5000,
    1,
    1.0,
    True,
    None,
    ["1"],
]


@pytest.mark.parametrize("value", NOT_CANONICAL, ids=lambda v: repr(v)[:12])
def test_numbers_have_one_spelling(value: Any) -> None:
    for path, place in ((("pi_a", 0), "proof.pi_a[0]"), (("pi_b", 1, 0), "proof.pi_b[1][0]")):
        document = formats.proof_to_json(PROOF)
        _set(*path, value)(document)
        with pytest.raises(BadInputError, match="not a number") as caught:
            formats.proof_from_json(document)
        assert caught.value.place == place
    with pytest.raises(BadInputError, match="not a number") as caught:
        formats.public_from_json(["5", value])
    assert caught.value.place == "public inputs[1]"


@pytest.mark.parametrize(
    ("change", "place", "message"),
    [
        (_set("protocol", "plonk"), "proof.protocol", "another proof system"),
        (_set("curve", "bls12381"), "proof.curve", "another proof system"),
        (_delete("protocol"), "proof", "a key is missing"),
        (_delete("pi_a"), "proof", "a key is missing"),
        (_delete("pi_b"), "proof", "a key is missing"),
        (_delete("pi_c"), "proof", "a key is missing"),
        (_set("pi_a", None), "proof.pi_a", "not a point of G1"),
        (_set("pi_a", 2, "2"), "proof.pi_a", "not a point of G1"),
        (_set("pi_a", 2, 1), "proof.pi_a", "not a point of G1"),
        (_set("pi_c", ["0", "0", "0"]), "proof.pi_c", "not a point of G1"),
        (_set("pi_c", ["0", "2", "0"]), "proof.pi_c", "not a point of G1"),
        (_set("pi_c", ["1", "2"]), "proof.pi_c", "not a point of G1"),
        (_set("pi_c", ["0", "0", "1"]), "proof.pi_c", "not on the curve"),
        (_set("pi_c", ["1", "3", "1"]), "proof.pi_c", "not on the curve"),
        (_set("pi_c", [str(1 + P), "2", "1"]), "proof.pi_c[0]", "not a field element"),
        (_set("pi_b", ["1", "2", "1"]), "proof.pi_b", "not a point of G2"),
        (_set("pi_b", 2, ["0", "1"]), "proof.pi_b", "not a point of G2"),
        (_set("pi_b", 0, ["1"]), "proof.pi_b", "not a point of G2"),
        (_set("pi_b", [["0", "0"], ["0", "0"], ["1", "0"]]), "proof.pi_b", "not on the curve"),
        (_set("pi_b", 1, 1, str(P)), "proof.pi_b[1][1]", "not a field element"),
        (_set("pi_b", _triple(TWIST_POINT_OUTSIDE_G2)), "proof.pi_b", "not in the prime-order subgroup"),
    ],
)
def test_malformed_proofs_are_refused(change: Callable[[Any], None], place: str, message: str) -> None:
    document = formats.proof_to_json(PROOF)
    change(document)
    with pytest.raises(BadInputError, match=message) as caught:
        formats.proof_from_json(document)
    assert caught.value.place == place


def test_a_proof_without_curve_is_read() -> None:
    document = formats.proof_to_json(PROOF)
    del document["curve"]
    assert formats.proof_from_json(document) == PROOF


KEY_DOCUMENT = formats.verification_key_to_json(KEY)


@pytest.mark.parametrize(
    ("change", "place", "message"),
    [
        (_set("protocol", "fflonk"), "verification key.protocol", "another proof system"),
        (_delete("curve"), "verification key", "a key is missing"),
        (_delete("vk_delta_2"), "verification key", "a key is missing"),
        (_delete("nPublic"), "verification key", "a key is missing"),
        (_set("nPublic", "2"), "verification key.nPublic", "not a count"),
        (_set("nPublic", True), "verification key.nPublic", "not a count"),
        (_set("nPublic", -1), "verification key.nPublic", "not a count"),
        (_set("nPublic", 3), "ic", "unusable verifying key"),
        (_set("IC", []), "ic", "unusable verifying key"),
        (_set("IC", {}), "verification key.IC", "not a list"),
        (_set("IC", 1, ["1", "3", "1"]), "verification key.IC[1]", "not on the curve"),
        (_set("IC", 1, ["0", "1", "0"]), "ic[1]", "unusable verifying key"),
        (_set("development", "yes"), "verification key.development", "not a flag"),
        (_set("vk_alpha_1", 0, str(P)), "verification key.vk_alpha_1[0]", "not a field element"),
        (_set("vk_beta_2", _triple(TWIST_POINT_OUTSIDE_G2)), "verification key.vk_beta_2", "not in the prime-order"),
        (_set("vk_delta_2", KEY_DOCUMENT["vk_gamma_2"]), "delta_g2", "unusable verifying key"),
    ],
)
def test_malformed_keys_are_refused(change: Callable[[Any], None], place: str, message: str) -> None:
    document = copy.deepcopy(KEY_DOCUMENT)
    change(document)
    with pytest.raises(BadInputError, match=message) as caught:
        formats.verification_key_from_json(document)
    assert caught.value.place == place


@pytest.mark.parametrize("document", [None, 1, "x", [], [1]], ids=repr)
def test_documents_of_another_kind_are_refused(document: Any) -> None:
    for decode in (formats.proof_from_json, formats.verification_key_from_json):
        with pytest.raises(BadInputError, match="not an object"):
            decode(document)


def test_public_inputs_that_are_no_list_or_too_large_are_refused() -> None:
    with pytest.raises(BadInputError, match="not a list"):
        formats.public_from_json({"0": "1"})
    with pytest.raises(BadInputError, match="not a field element") as caught:
        formats.public_from_json(["0", str(R)])
    assert caught.value.place == "public inputs[1]"


@pytest.mark.parametrize(
    ("index", "word", "place", "message"),
    [
        (0, P, "calldata[0]", "not a coordinate"),
        (3, -1, "calldata[3]", "not a coordinate"),
        (7, "1", "calldata[7]", "not a coordinate"),
        (1, 1, "calldata[0:2]", "not on the curve"),
        (2, 1, "calldata[2:6]", "not on the curve"),
        (6, 1, "calldata[6:8]", "not on the curve"),
    ],
)
def test_malformed_calldata_is_refused(index: int, word: Any, place: str, message: str) -> None:
    words: list[Any] = formats.proof_to_calldata(PROOF)
    words[index] = word
    with pytest.raises(BadInputError, match=message) as caught:
        formats.proof_from_calldata(words)
    assert caught.value.place == place


def test_numbers_too_long_to_print_are_refused_like_others() -> None:
    """Python prints no integer of more than 4300 digits; JSON of just as many is read, and one more is not printed."""
    text = json.dumps(KEY_DOCUMENT).replace('"nPublic": 2', '"nPublic": ' + "9" * 4300)
    with pytest.raises(BadInputError, match="not a count"):
        formats.verification_key_from_json(parse_json(text, "key"))
    with pytest.raises(BadInputError, match="not a coordinate"):
        formats.proof_from_calldata([10**5000] * 8)
    for key in (replace(KEY, alpha_g1=(10**5000, 1)), replace(KEY, beta_g2=((10**5000, 1), (1, 1)))):
        with pytest.raises(BadInputError, match="unusable verifying key"):
            check_key(key)


def test_calldata_outside_the_subgroup_or_of_another_length_is_refused() -> None:
    words = formats.proof_to_calldata(replace(PROOF, b=TWIST_POINT_OUTSIDE_G2))
    with pytest.raises(BadInputError, match="not in the prime-order subgroup"):
        formats.proof_from_calldata(words)
    for other in (words[:7], [*words, 0]):
        with pytest.raises(BadInputError, match="wrong length"):
            formats.proof_from_calldata(other)


def _snarkjs_verify(snarkjs: str, folder: Path, inputs: list[int]) -> bool:
    documents = {
        "key": formats.verification_key_to_json(replace(KEY, development=True)),
        "public": formats.public_to_json(inputs),
        "proof": formats.proof_to_json(PROOF),
    }
    for name, document in documents.items():
        (folder / f"{name}.json").write_text(json.dumps(document))
    command = [snarkjs, "groth16", "verify", "key.json", "public.json", "proof.json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert ("OK!" in done.stdout) != ("Invalid proof" in done.stdout), done.stdout + done.stderr
    return "OK!" in done.stdout


@pytest.mark.node
def test_snarkjs_reads_what_we_write(node_bin: Callable[[str], str], tmp_path: Path) -> None:
    assert _snarkjs_verify(node_bin("snarkjs"), tmp_path, INPUTS)
    assert not _snarkjs_verify(node_bin("snarkjs"), tmp_path, [INPUTS[0] + 1, INPUTS[1]])


PAIRING_SCRIPT = """
import { buildBn128, utils } from "ffjavascript";
import { readFileSync } from "node:fs";
const key = utils.unstringifyBigInts(JSON.parse(readFileSync(0)));
const curve = await buildBn128(true);
const value = curve.pairing(curve.G1.fromObject(key.vk_alpha_1), curve.G2.fromObject(key.vk_beta_2));
console.log(JSON.stringify(utils.stringifyBigInts(curve.Gt.toObject(value))));
process.exit(0);
"""


@pytest.mark.node
def test_alphabeta_is_snarkjs_pairing(node_bin: Callable[[str], str]) -> None:
    """snarkjs exports ``vk_alphabeta_12`` by this call of its field library."""
    where = Path(node_bin("snarkjs")).parents[1]
    command = ["node", "--input-type=module", "--eval", PAIRING_SCRIPT]
    # A module from --eval is resolved against the working directory; standard input carries the key.
    done = subprocess.run(
        command, cwd=where, input=json.dumps(KEY_DOCUMENT), capture_output=True, text=True, timeout=120, check=True
    )
    assert json.loads(done.stdout) == KEY_DOCUMENT["vk_alphabeta_12"]
