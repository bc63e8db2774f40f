"""Whatever is thrown at the readers, they answer with their own problem or with a verified token."""

import json
from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.jose.algorithms import CONTENT_ENCRYPTIONS, KEY_MANAGEMENT_ALGORITHMS, SIGNATURE_ALGORITHMS
from appliance.jose.claims import check_audience, check_issuer, check_times
from appliance.jose.encryption import decrypt, encrypt
from appliance.jose.keys import generate_decryption, load_private, symmetric_encryption
from appliance.jose.problems import KeyProblem, TokenProblem
from appliance.jose.public_keys import import_public, import_set
from appliance.jose.tokens import hash_of, sign, verify
from appliance.protocol import base64url
from tests.jose.conftest import make_key

ALGS = sorted(SIGNATURE_ALGORITHMS)
TYPES = frozenset({None, "JWT"})
CLAIMS = {"iss": "https://op.test/a", "sub": "alice", "aud": "web", "exp": 1_800_000_000}
CHARACTERS = st.text(alphabet="ABCabc019-_.+/=\n", max_size=120)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
NAMES = st.sampled_from(
    ["alg", "kid", "typ", "crit", "b64", "jwk", "enc", "zip", "epk", "apu", "p2c", "iv", "tag", "x"]
)
HEADERS = st.dictionaries(
    NAMES, VALUES | st.sampled_from([*ALGS, *KEY_MANAGEMENT_ALGORITHMS, *CONTENT_ENCRYPTIONS])
)
MEMBERS = st.sampled_from(["kty", "crv", "n", "e", "x", "y", "d", "kid", "use", "alg", "key_ops", "k"])
WORDS = st.sampled_from(
    ["RSA", "EC", "OKP", "oct", "P-256", "P-521", "Ed25519", "X25519", "AQAB", "AAAA", "sig", "enc"]
)
RECIPIENTS = [generate_decryption("ECDH-ES+A128KW"), symmetric_encryption(b"s" * 32, "A128KW", "A128GCM")]
SEALED = [encrypt(key.encryption(), b"text", enc="A128GCM") for key in RECIPIENTS]


def read(token):
    """Verifies with a key of every algorithm."""
    verifiers = [make_key(alg).verification() for alg in ALGS]
    return verify(token, verifiers, algs=ALGS, typ=TYPES)


def mutate(token, data):
    """The token with some characters replaced, dropped, doubled or inserted."""
    for _ in range(data.draw(st.integers(1, 3))):
        index = data.draw(st.integers(0, max(0, len(token) - 1)))
        piece = data.draw(st.sampled_from(["", "A", "_", ".", "=", "+", "\n", token[index : index + 5] * 2]))
        token = token[:index] + piece + token[index + data.draw(st.integers(0, 3)) :]
    return token


@settings(deadline=None)
@given(CHARACTERS | st.text(max_size=60) | st.binary(max_size=40) | VALUES)
def test_reads_no_random_text_as_a_token(text):
    for act in (
        lambda: read(text),
        lambda: hash_of(text),
        lambda: decrypt(text, RECIPIENTS, algs=["A128KW"], encs=["A128GCM"]),
    ):
        with suppress(TokenProblem):
            act()
            assert isinstance(text, str)
            assert text.count(".") == 2


@settings(max_examples=150, deadline=None)
@given(st.data(), st.sampled_from(["ES256", "EdDSA", "HS256", "RS256", "PS256"]))
def test_accepts_no_mutated_token(data, alg):
    token = sign(make_key(alg), CLAIMS, "JWT")
    mutated = mutate(token, data)
    if mutated == token:
        return
    try:
        read(mutated)
    except TokenProblem:
        return
    raise AssertionError("a mutated token verified")


@settings(max_examples=150, deadline=None)
@given(HEADERS, VALUES)
def test_answers_any_signed_header_and_payload(header, payload):
    key = make_key("HS256")
    signing_input = ".".join(base64url.encode(json.dumps(part).encode()) for part in (header, payload))
    token = f"{signing_input}.{base64url.encode(key.sign(signing_input.encode()))}"
    with suppress(TokenProblem):
        claims = read(token).claims
        check_times(claims, 1_800_000_000.0)
        check_audience(claims, {"web"})
        check_issuer(claims, "x")


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["exp", "nbf", "iat", "aud", "iss"]), VALUES))
def test_answers_any_claims(claims):
    for act in (
        lambda: check_times(claims, 1_800_000_000.0, leeway=10, max_ttl=60, max_age=60),
        lambda: check_audience(claims, {"web"}, sole=True),
        lambda: check_issuer(claims, "x"),
    ):
        with suppress(TokenProblem):
            act()


@settings(max_examples=150, deadline=None)
@given(st.data(), st.sampled_from([0, 1]))
def test_opens_no_mutated_encrypted_token(data, index):
    mutated = mutate(SEALED[index], data)
    if mutated == SEALED[index]:
        return
    try:
        decrypt(mutated, RECIPIENTS, algs=KEY_MANAGEMENT_ALGORITHMS, encs=CONTENT_ENCRYPTIONS)
    except TokenProblem:
        return
    raise AssertionError("a mutated token opened")


@settings(max_examples=150, deadline=None)
@given(HEADERS, st.sampled_from([0, 1]))
def test_answers_any_encryption_header(header, index):
    rest = SEALED[index].split(".", 1)[1]
    token = f"{base64url.encode(json.dumps(header).encode())}.{rest}"
    with suppress(TokenProblem):
        decrypt(token, RECIPIENTS, algs=KEY_MANAGEMENT_ALGORITHMS, encs=CONTENT_ENCRYPTIONS)


@settings(deadline=None)
@given(st.dictionaries(MEMBERS, VALUES | WORDS | st.binary(max_size=70).map(base64url.encode)))
def test_answers_any_jwk(jwk):
    for act in (
        lambda: import_public(jwk),
        lambda: import_set({"keys": [jwk]}),
        lambda: load_private(json.dumps(jwk).encode(), "ES256"),
    ):
        with suppress(KeyProblem):
            act()


@settings(deadline=None)
@given(
    st.binary(max_size=200)
    | st.text(max_size=80).map(
        lambda text: ("-----BEGIN PRIVATE KEY-----\n" + text).encode("utf-8", "replace")
    )
)
def test_answers_any_key_file(content):
    with suppress(KeyProblem):
        load_private(content, "ES256")
