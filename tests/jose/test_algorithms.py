"""The tables, and the half hashes of ID Tokens."""

import hashlib

import pytest

from appliance.jose import algorithms
from appliance.jose.algorithms import half_hash
from appliance.jose.problems import KeyProblem
from appliance.protocol import base64url


@pytest.mark.spec("OIDC Core", "3.3.2.11")
def test_hashes_a_code_as_a_recorded_token_of_the_specification_does():
    # OIDC Core A.4: the code and c_hash of its example response.
    assert (
        half_hash("RS256", "Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk")
        == "LDktKdoQak3Pk0cnXxCltA"
    )


@pytest.mark.spec("OIDC Core", "3.1.3.6")
@pytest.mark.parametrize(
    ("alg", "name"),
    [("ES256", "sha256"), ("PS384", "sha384"), ("HS512", "sha512"), ("ES512", "sha512"), ("EdDSA", "sha512")],
)
def test_hashes_with_the_hash_of_the_signature_algorithm(alg, name):
    digest = hashlib.new(name, b"token").digest()
    assert half_hash(alg, "token") == base64url.encode(digest[: len(digest) // 2])


@pytest.mark.parametrize("name", ["none", "nOnE", "", "RSA1_5", "PBES2-HS256+A128KW", "ES256K", "hs256"])
def test_knows_no_algorithm_outside_its_tables(name):
    for find in (
        algorithms.signature_algorithm,
        algorithms.key_management_algorithm,
        algorithms.content_encryption,
    ):
        with pytest.raises(KeyProblem):
            find(name)
