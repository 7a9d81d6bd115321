"""The batch's published vectors are what the code computes, and what the text says, in plain integers."""

from __future__ import annotations

import json
from hashlib import sha256
from itertools import pairwise
from typing import Any

import pytest
from batch_vectors import FILE, SHAPE, vectors
from eth_hash.auto import keccak

from aitbc_rollup.algebra.bls12_381 import SCALAR_MODULUS
from aitbc_rollup.algebra.bn254 import R
from aitbc_rollup.algebra.eddsa import COFACTOR
from aitbc_rollup.algebra.reference.babyjubjub import BASE8, add, multiply
from aitbc_rollup.algebra.reference.poseidon import poseidon_ex, sponge


@pytest.fixture(scope="module")
def published() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(FILE.read_text())
    return found


def hashed(tag: int, words: list[int]) -> int:
    return poseidon_ex(words, 1, tag)[0]


def test_the_file_is_current(published: dict[str, Any]) -> None:
    assert published == json.loads(json.dumps(vectors())), "run python tests/rollup/batch_vectors.py and say why"


def test_hashes_are_what_the_protocol_says(published: dict[str, Any]) -> None:
    domain = published["domain"]
    domain_hash = hashed(8, [domain["chain_id"], int(domain["contract"]), domain["shard"]])
    assert str(domain_hash) == domain["hash"]
    nodes = list(map(int, published["empty_nodes"]))
    assert nodes[0] == 0
    assert all(above == poseidon_ex([below] * 4, 1, 0)[0] for below, above in pairwise(nodes))
    for leaf in published["leaves"]:
        assert hashed(1, list(map(int, leaf["words"]))) == int(leaf["leaf"])


def test_sessions_are_what_the_protocol_says(published: dict[str, Any]) -> None:
    words = list(map(int, published["sections"]["sessions"]))
    for i, session in enumerate(published["sessions"]):
        flat = [int(word) for record in session["records"] for word in record]
        pages = -(-len(flat) // 80)
        flat += [0] * (80 * pages - len(flat))
        state, states = 4, []
        for page in range(pages):
            for start in range(80 * page, 80 * page + 80, 16):
                state = hashed(state, flat[start : start + 16])
            states.append(state)
        assert list(map(str, states)) == session["page_states"]
        assert str(state) == session["records_root"]
        posted = words[3 * i + 1]
        fee, expiry, cap = posted >> 128 & (1 << 64) - 1, 1_700_000_000, 100_000
        terms = (posted & (1 << 128) - 1) + (expiry << 128)
        message = hashed(3, [int(published["domain"]["hash"]), state, terms, fee + (cap << 64)])
        assert str(message) == session["message"]
        (x, y), (key_x, key_y) = (map(int, point) for point in (session["signature"]["r8"], session["public_key"]))
        challenge = COFACTOR * poseidon_ex([x, y, key_x, key_y, message], 1, 0)[0]
        assert multiply(BASE8, int(session["signature"]["s"])) == add((x, y), multiply((key_x, key_y), challenge))
        assert words[3 * i] == int(session["history_root"]) == hashed(2, [0, message])


def test_the_binding_is_what_the_protocol_says(published: dict[str, Any]) -> None:
    room = (10, 2 * SHAPE.queue, SHAPE.queue, 5 * SHAPE.registrations, 2 * SHAPE.transfers, 3 * SHAPE.sessions)
    sections = [list(map(int, words)) for words in published["sections"].values()]
    padded = [word for words, size in zip(sections, room, strict=True) for word in words + [0] * (size - len(words))]
    assert padded == list(map(int, published["polynomial"]))
    posted = b"".join(word.to_bytes(32, "big") for i, words in enumerate(sections) if i != 1 for word in words)
    queue = b"".join(word.to_bytes(32, "big") for word in sections[1])
    assert (posted.hex(), queue.hex()) == (published["posted"], published["queue_bytes"])
    commitment = sponge(5, padded)
    drawn = keccak(b"aitbc-rollup/data/v2" + commitment.to_bytes(32, "big") + keccak(posted) + keccak(queue))
    zeta = int.from_bytes(drawn, "big") % R
    evaluation = sum(word * pow(zeta, i, R) for i, word in enumerate(padded)) % R
    found = [published[name] for name in ("commitment", "zeta", "evaluation")]
    assert found == list(map(str, (commitment, zeta, evaluation)))
    assert keccak(b"".join(int(value).to_bytes(32, "big") for value in found)).hex() == published["digest"]


@pytest.mark.parametrize("which", [0, 1])
def test_data_elsewhere_are_bound_as_the_protocol_says(published: dict[str, Any], which: int) -> None:
    """C over all words, y over those posted, and b, modulo BLS12-381's order, over the others."""
    found = published["kinds"][which]
    words = list(map(int, published["polynomial"]))
    words[6] = 1 + 2 * found["kind"]
    hidden = [*range(16, 21), *range(23, 29)]  # behind header, queue items and results; and behind transfers
    posted, other = bytes.fromhex(found["posted"]), bytes.fromhex(found["elsewhere"])
    assert b"".join(words[i].to_bytes(32, "big") for i in hidden) == other  # no room is left in this batch
    shown = [word for i, word in enumerate(words) if i not in hidden and not 10 <= i < 14]
    assert b"".join(word.to_bytes(32, "big") for word in shown) == posted
    commitment = sponge(5, words)
    versioned_hash = bytes.fromhex(found.get("versioned_hash", ""))
    queue = bytes.fromhex(published["queue_bytes"])
    drawn = keccak(
        b"aitbc-rollup/data/v2" + commitment.to_bytes(32, "big") + keccak(posted) + keccak(queue) + versioned_hash
    )
    zeta = int.from_bytes(drawn, "big") % R
    statement = [commitment, zeta, sum(word * pow(zeta, i, R) for i, word in enumerate(words) if i not in hidden) % R]
    if versioned_hash:
        b = sum(words[i] * pow(zeta, j, SCALAR_MODULUS) for j, i in enumerate(hidden)) % SCALAR_MODULUS
        statement += [b % 2**128, b >> 128]
        assert versioned_hash == b"\x01" + sha256(bytes.fromhex(found["kzg_commitment"])).digest()[1:]
    assert list(map(str, statement)) == found["statement"]
    assert keccak(b"".join(value.to_bytes(32, "big") for value in statement)).hex() == found["digest"]


def test_a_full_batch_is_what_the_protocol_says(published: dict[str, Any]) -> None:
    """Queue results, the transfer's result, the transfer, two sessions; no room is left in this batch."""
    found = published["full"]
    posted, queue = bytes.fromhex(found["posted"]), bytes.fromhex(published["queue_bytes"])
    words = [int.from_bytes(posted[i : i + 32], "big") for i in range(0, len(posted), 32)]
    assert len(words) == 10 + 2 + 1 + 4 + 2 * 5
    assert words[6] == 1 + 2 * 3
    assert [words[10:12], words[12]] == [list(map(int, published["sections"]["queue_results"])), 1 << 248]
    end = 320 + 32 * (2 + 1)
    assert keccak(posted[288:end]).hex() == found["outcome"]
    assert keccak(posted[:288] + posted[end:]).hex() == found["inputs"]

    domain = int(published["domain"]["hash"])
    assert str(hashed(9, [domain, *words[13:15]])) == published["transfer"]["message"]
    for start, session in zip((17, 22), published["sessions"], strict=True):
        root, terms, fees, challenge, s = words[start : start + 5]
        assert (str(root), str(s)) == (session["records_root"], session["signature"]["s"])
        message = hashed(3, [domain, root, terms, fees])
        assert str(message) == session["message"]
        key_x, key_y = map(int, session["public_key"])
        back = multiply((R - key_x, key_y), COFACTOR * challenge)
        r8 = add(multiply(BASE8, s), back)
        assert list(map(str, r8)) == session["signature"]["r8"]
        assert poseidon_ex([*r8, key_x, key_y, message], 1, 0)[0] == challenge

    items = [int.from_bytes(queue[i : i + 32], "big") for i in range(0, len(queue), 32)]
    polynomial = words[:10] + items + words[10:]
    commitment = sponge(5, polynomial)
    drawn = keccak(b"aitbc-rollup/data/v2" + commitment.to_bytes(32, "big") + keccak(posted) + keccak(queue))
    zeta = int.from_bytes(drawn, "big") % R
    statement = [commitment, zeta, sum(word * pow(zeta, i, R) for i, word in enumerate(polynomial)) % R]
    assert list(map(str, statement)) == found["statement"]
    assert keccak(b"".join(value.to_bytes(32, "big") for value in statement)).hex() == found["digest"]
