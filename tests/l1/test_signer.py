import json

import pytest
from eth_account import Account

from aitbc_rollup.errors import BadInputError, UsageError
from aitbc_rollup.rollup.l1.signer import DEVELOPMENT_ADDRESS, check_chain, development_signer, load_signer

KEY = "0x" + "42" * 32
ADDRESS = Account.from_key(KEY).address
TRANSFER = {
    "to": ADDRESS, "value": 0, "gas": 21000, "nonce": 0, "chainId": 1, "maxFeePerGas": 1, "maxPriorityFeePerGas": 1,
}  # fmt: skip


@pytest.fixture
def keystore(tmp_path):
    path = tmp_path / "keystore.json"
    path.write_text(json.dumps(Account.encrypt(KEY, "secret", iterations=2)))
    return path


def test_the_development_signer_is_anvils_first_account():
    assert development_signer().address == DEVELOPMENT_ADDRESS
    assert development_signer().development


@pytest.mark.parametrize("chain_id", [31337, 1337])
def test_the_development_key_signs_on_development_chains(chain_id):
    assert development_signer().sign({**TRANSFER, "chainId": chain_id}, chain_id)


@pytest.mark.parametrize("chain_id", [1, 11155111, 0])
def test_the_development_key_signs_nowhere_else(chain_id):
    with pytest.raises(UsageError, match="development chains only"):
        development_signer().sign({**TRANSFER, "chainId": chain_id}, chain_id)


def test_the_development_key_is_known_however_it_is_given():
    given = load_signer(private_key="ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")
    assert given.development
    with pytest.raises(UsageError):
        check_chain(given, 1)


def test_another_key_signs_anywhere():
    signer = load_signer(private_key=KEY)
    assert signer.address == ADDRESS and not signer.development
    assert Account.recover_transaction(signer.sign(TRANSFER, 1)) == ADDRESS


def test_keys_from_the_environment(keystore):
    assert load_signer(environment={"AITBC_PRIVATE_KEY": KEY}).address == ADDRESS
    environment = {"AITBC_KEYSTORE": str(keystore), "AITBC_KEYSTORE_PASSWORD": "secret"}
    assert load_signer(environment=environment).address == ADDRESS


def test_a_role_has_a_key_of_its_own():
    other = "0x" + "43" * 32
    environment = {"AITBC_PRIVATE_KEY": KEY, "AITBC_OPERATOR_PRIVATE_KEY": other}
    assert load_signer("operator", environment=environment).address == Account.from_key(other).address
    assert load_signer("prover", environment=environment).address == ADDRESS
    with pytest.raises(UsageError) as both:
        load_signer("operator", environment=environment | {"AITBC_OPERATOR_KEYSTORE": "x"})
    assert both.value.expected == "AITBC_OPERATOR_PRIVATE_KEY, AITBC_OPERATOR_KEYSTORE, or the development key"


def test_a_role_has_a_password_of_its_own(keystore):
    environment = {"AITBC_GUARDIAN_KEYSTORE": str(keystore), "AITBC_GUARDIAN_KEYSTORE_PASSWORD": "secret"}
    assert load_signer("guardian", environment=environment).address == ADDRESS


def test_an_argument_goes_before_the_environment():
    assert load_signer(development=True, environment={"AITBC_PRIVATE_KEY": KEY}).address == DEVELOPMENT_ADDRESS


def test_keystore(keystore):
    assert load_signer(keystore=keystore, password="secret", environment={}).address == ADDRESS


def test_keystore_with_a_wrong_password(keystore):
    with pytest.raises(BadInputError, match="cannot open the keystore"):
        load_signer(keystore=keystore, password="wrong", environment={})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "not JSON"),
        ("\x00", "not JSON"),
        ("[" * 100_000, "nested too deeply"),
        ("[]", "cannot open the keystore"),
        ("{}", "cannot open the keystore"),
        ('{"version": 3}', "cannot open the keystore"),
    ],
    ids=lambda value: value[:8],
)
def test_what_is_no_keystore(tmp_path, content, message):
    path = tmp_path / "keystore"
    path.write_text(content)
    with pytest.raises(BadInputError) as caught:
        load_signer(keystore=path, password="", environment={})
    assert (caught.value.message, caught.value.place) == (message, str(path))
    assert caught.value.hint == "check AITBC_KEYSTORE and AITBC_KEYSTORE_PASSWORD"


def test_a_keystore_that_is_not_there(tmp_path):
    with pytest.raises(BadInputError, match="cannot be read"):
        load_signer(keystore=tmp_path / "none", environment={})


def test_no_key_and_two_keys():
    with pytest.raises(UsageError) as none:
        load_signer(environment={})
    assert none.value.got == "none"
    with pytest.raises(UsageError) as two:
        load_signer(private_key=KEY, development=True)
    assert two.value.got == "more than one"


@pytest.mark.parametrize("text", ["0x" + "42" * 31, "42" * 33, "secret words", "0x" + "00" * 32, "0x" + "ff" * 32])
def test_what_is_no_private_key_is_not_quoted(text):
    with pytest.raises(BadInputError) as caught:
        load_signer(private_key=text)
    assert text not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_signer_does_not_show_its_key():
    assert "42" * 32 not in repr(load_signer(private_key=KEY))
