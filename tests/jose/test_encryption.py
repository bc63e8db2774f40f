"""Encrypted tokens: every algorithm there and back, and one answer for everything else."""

import base64
import hashlib
import json
import time
from functools import lru_cache

import pytest
from jwcrypto.jwa import JWA
from jwcrypto.jwe import JWE
from jwcrypto.jwk import JWK

from appliance.jose import keys
from appliance.jose.algorithms import CONTENT_ENCRYPTIONS, KEY_MANAGEMENT_ALGORITHMS
from appliance.jose.encryption import MAX_ENCRYPTED, decrypt, encrypt
from appliance.jose.primitives import CONTENT
from appliance.jose.problems import KeyProblem, TokenProblem
from appliance.jose.tokens import sign, verify
from appliance.protocol import base64url
from tests.jose.conftest import make_key

SECRET = b"0123456789abcdef" * 4
ALL_ALGS, ALL_ENCS = frozenset(KEY_MANAGEMENT_ALGORITHMS), frozenset(CONTENT_ENCRYPTIONS)
UNIFORM = "encrypted token is refused"


@lru_cache(maxsize=32)
def recipient(alg, enc="A128GCM", crv="P-256"):
    """Our key for one algorithm."""
    if KEY_MANAGEMENT_ALGORITHMS[alg].symmetric:
        return keys.symmetric_encryption(SECRET, alg, enc)
    return keys.generate_decryption(alg, crv=crv)


def opened(token, *candidates, algs=ALL_ALGS, encs=ALL_ENCS):
    """Decrypts with everything allowed."""
    return decrypt(token, candidates, algs=algs, encs=encs)


def refused(token, *candidates, **options):
    """Refuses, with the one message."""
    with pytest.raises(TokenProblem) as caught:
        opened(token, *candidates, **options)
    assert str(caught.value) == UNIFORM
    assert caught.value.__cause__ is None


def seconds_to_refuse(token, key):
    """Of the processor, in the best of some tries: the collector, too, may take its time just then."""
    seconds = []
    for _ in range(5):
        started = time.process_time()
        refused(token, key)
        seconds.append(time.process_time() - started)
    return min(seconds)


def stock(plaintext, header, jwk):
    """A token of the stock library, with any header."""
    token = JWE(plaintext, protected=json.dumps(header))
    token.allowed_algs = [*ALL_ALGS, *ALL_ENCS, "RSA1_5", "PBES2-HS256+A128KW"]
    token.add_recipient(jwk)
    return token.serialize(compact=True)


def reheader(token, change):
    """The token with another header, not authenticated any more."""
    header, rest = token.split(".", 1)
    members = json.loads(base64url.decode(header))
    return f"{base64url.encode(json.dumps({**members, **change}).encode())}.{rest}"


def authentic(key, change, plaintext=b"text"):
    """A token with members added to its header and a right tag, as any sender can make it."""
    token = JWE(
        plaintext, protected=json.dumps({"alg": key.alg, "enc": "A128GCM"}), algs=[key.alg, "A128GCM"]
    )
    token.add_recipient(key.encryption().jwk)
    header, encrypted_key = token.serialize(compact=True).split(".")[:2]
    members = json.loads(base64url.decode(header))
    added = change(members) if callable(change) else change
    aad = base64url.encode(json.dumps({**members, **added}).encode())
    content = JWA.encryption_alg("A128GCM").encrypt(token.cek, aad.encode(), plaintext)
    return ".".join([aad, encrypted_key, *map(base64url.encode, content)])


@pytest.mark.parametrize("alg", ["RSA-OAEP", "ECDH-ES", "ECDH-ES+A128KW", "A128KW"])
def test_refuses_header_members_even_when_the_tag_is_right(alg):
    key = recipient(alg)
    for harmless in ({}, {"cty": "JWT"}, {"unknown": 1}):
        assert opened(authentic(key, harmless), key) == b"text"
    for change in (
        {"crit": []},
        {"crit": ["exp"]},
        {"b64": True},
        {"zip": "DEF"},
        {"zip": None},
        {"kid": 5},
        {"typ": 5},
    ):
        refused(authentic(key, change), key)
    if alg.startswith("ECDH"):
        refused(authentic(key, lambda members: {"epk": {**members["epk"], "d": members["epk"]["x"]}}), key)
        assert opened(authentic(key, lambda members: {"epk": {**members["epk"], "kid": "k"}}), key)


@pytest.mark.parametrize("enc", sorted(ALL_ENCS))
@pytest.mark.parametrize("alg", sorted(ALL_ALGS))
def test_opens_what_it_encrypts(alg, enc):
    key = recipient(alg, enc)
    token = encrypt(key.encryption(), b"a.b.c", enc=enc, cty="JWT")
    assert opened(token, key, algs={alg}, encs={enc}) == b"a.b.c"
    reader = JWE(algs=[alg, enc])
    reader.deserialize(token, key.jwk)
    assert reader.payload == b"a.b.c"


@pytest.mark.parametrize("crv", ["P-384", "P-521", "X25519"])
def test_agrees_on_keys_on_every_curve(crv):
    key = recipient("ECDH-ES+A256KW", crv=crv)
    assert opened(encrypt(key.encryption(), "ä", enc="A256GCM"), key) == "ä".encode()


@pytest.mark.spec("RFC 7516", "A.1")
def test_opens_a_key_from_the_store():
    key = recipient("RSA-OAEP-256")
    back = keys.load_decryption(keys.export_private(key).encode())
    assert back.kid == key.kid
    assert opened(encrypt(key.encryption(), b"", enc="A128CBC-HS256"), back) == b""
    assert opened(encrypt(key.encryption(), b"", enc="A128GCM"), back) == b""


@pytest.mark.attack("RO-08")
@pytest.mark.spec("RFC 8725", "2.4")
def test_refuses_compression_at_once():
    key = recipient("RSA-OAEP-256")
    bomb = stock(b"\0" * 60_000_000, {"alg": key.alg, "enc": "A128GCM", "zip": "DEF"}, key.encryption().jwk)
    assert len(bomb) < MAX_ENCRYPTED
    assert seconds_to_refuse(bomb, key) < 0.05
    token = encrypt(key.encryption(), b"x", enc="A128GCM")
    for value in ("DEF", None, "", 5):
        refused(reheader(token, {"zip": value}), key)


@pytest.mark.attack("RO-08", "JW-18", "JW-07")
def test_refuses_algorithms_outside_its_table_whatever_the_caller_allows():
    algs = {*ALL_ALGS, "RSA1_5", "PBES2-HS256+A128KW"}
    key = recipient("RSA-OAEP")
    refused(stock(b"x", {"alg": "RSA1_5", "enc": "A128GCM"}, key.encryption().jwk), key, algs=algs)
    password = JWK(kty="oct", k=base64url.encode(SECRET))
    derived = stock(b"x", {"alg": "PBES2-HS256+A128KW", "enc": "A128GCM"}, password)
    refused(derived, recipient("A128KW"), algs=algs)
    for alg in ("RSA1_5", "PBES2-HS256+A128KW", "A128GCMKW", "none", "RS256"):
        with pytest.raises(KeyProblem):
            keys.symmetric_encryption(SECRET, alg, "A128GCM")
        with pytest.raises(KeyProblem):
            keys.generate_decryption(alg)


def test_refuses_what_the_caller_does_not_allow():
    key = recipient("RSA-OAEP")
    token = encrypt(key.encryption(), b"x", enc="A128GCM")
    assert opened(token, key) == b"x"
    refused(token, key, algs={"RSA-OAEP-256"})
    refused(token, key, encs={"A256GCM"})
    refused(token)
    refused(token, keys.generate_decryption("RSA-OAEP"))
    refused(token, recipient("RSA-OAEP-256"))


@pytest.mark.attack("JW-17", "JW-18")
@pytest.mark.parametrize("alg", ["RSA-OAEP-256", "ECDH-ES", "ECDH-ES+A128KW", "A128KW", "dir"])
def test_gives_one_answer_to_every_defect(alg):
    key = recipient(alg, "A128CBC-HS256")
    token = encrypt(key.encryption(), b"text", enc="A128CBC-HS256")
    parts = token.split(".")
    for index in range(5):
        octets = base64url.decode(parts[index])
        for bad in {octets[:-1], octets + b"\0", octets[1:], b"", bytes(len(octets))} - {octets}:
            refused(".".join([*parts[:index], base64url.encode(bad), *parts[index + 1 :]]), key)
        for text in (parts[index] + "=", parts[index] + "+", "!" + parts[index]):
            refused(".".join([*parts[:index], text, *parts[index + 1 :]]), key)
    for change in (
        {"alg": ["dir"]},
        {"alg": None},
        {"enc": "A1GCM"},
        {"enc": ["A128GCM"]},
        {"enc": None},
        {"enc": "A256GCM"},
        {"crit": []},
        {"b64": True},
        {"kid": 5},
        {"kid": "other"} if key.kid else {"kid": []},
        {"apu": 5},
        {"apu": "A="},
        {"apv": "x" * 600},
        {"epk": None},
        {"typ": 5},
    ):
        refused(reheader(token, change), key)


@pytest.mark.attack("JW-17")
def test_refuses_ephemeral_keys_that_are_not_public_keys_of_the_curve():
    key, other = recipient("ECDH-ES"), recipient("ECDH-ES", crv="P-384")
    token = encrypt(key.encryption(), b"text", enc="A128GCM")
    good = json.loads(base64url.decode(token.partition(".")[0]))["epk"]
    for epk in (
        {**good, "x": good["y"]},
        {**good, "y": None},
        {**good, "d": good["x"]},
        {**good, "crv": "P-384"},
        {**good, "kty": "OKP"},
        keys.public_jwk(other),
        {"kty": "oct", "k": "AAAA"},
        {"kty": "OKP", "crv": "X25519", "x": base64.urlsafe_b64encode(bytes(32)).rstrip(b"=").decode()},
        "text",
        [good],
        5,
        {},
    ):
        refused(reheader(token, {"epk": epk}), key)
    x25519 = recipient("ECDH-ES", crv="X25519")
    zero = {"kty": "OKP", "crv": "X25519", "x": base64url.encode(bytes(32))}
    refused(reheader(encrypt(x25519.encryption(), b"x", enc="A128GCM"), {"epk": zero}), x25519)


def test_finds_the_key_among_several():
    named = [keys.generate_decryption("ECDH-ES", crv=crv) for crv in ("P-384", "X25519", "P-256")]
    for key in named:
        assert opened(encrypt(key.encryption(), b"x", enc="A128GCM"), *named) == b"x"
        unnamed = keys.EncryptionKey(key.alg, None, key.encryption().jwk)
        assert opened(encrypt(unnamed, b"x", enc="A128GCM"), *named) == b"x"


@pytest.mark.attack("JW-18")
@pytest.mark.spec("RFC 7516", "11.5")
def test_goes_on_with_a_random_key_after_a_bad_encrypted_key(monkeypatch):
    tried = []

    class Content:
        """Records the keys it is asked to open with."""

        def decrypt(self, k, aad, iv, e, t):
            tried.append(k)
            raise ValueError

    monkeypatch.setitem(CONTENT, "A256GCM", Content())
    key = recipient("RSA-OAEP")
    parts = encrypt(key.encryption(), b"x", enc="A256GCM").split(".")
    parts[1] = base64url.encode(b"\1" * 256)
    refused(".".join(parts), key)
    refused(".".join(parts), key)
    assert [len(k) for k in tried] == [32, 32]
    assert tried[0] != tried[1]


@pytest.mark.attack("JW-13", "JW-14")
@pytest.mark.parametrize(
    "token", ["", "....", "." * 1_000_000, "A" * 10_000_000, "a.b.c", None, 5, b"a", "ä.a.a.a.a"]
)
def test_refuses_shapes_that_are_no_tokens(token):
    assert seconds_to_refuse(token, recipient("RSA-OAEP")) < 0.02


@pytest.mark.attack("JW-13")
def test_refuses_a_long_or_deep_header():
    key = recipient("A128KW")
    token = encrypt(key.encryption(), b"x", enc="A128GCM")
    refused(reheader(token, {"x": "y" * 9000}), key)
    deep = b'{"alg":"A128KW","enc":"A128GCM","x":' + b"[" * 3000 + b"]" * 3000 + b"}"
    twice = b'{"alg":"A128KW","alg":"A128KW","enc":"A128GCM"}'
    for header in (deep, twice):
        refused(f"{base64url.encode(header)}.{token.split('.', 1)[1]}", key)


@pytest.mark.attack("JW-19")
@pytest.mark.spec("RFC 8725", "2.3")
def test_takes_neither_kind_of_token_for_the_other():
    key, signer = recipient("RSA-OAEP-256"), make_key("ES256")
    forged = encrypt(key.encryption(), b'{"sub":"alice"}', enc="A128GCM", cty="JWT")
    checks = {"algs": {"ES256", key.alg, "none"}, "typ": frozenset({None})}
    with pytest.raises(TokenProblem):
        verify(forged, [signer.verification()], **checks)
    # Encryption to a public key authenticates nobody: what comes out is not yet a token.
    with pytest.raises(TokenProblem):
        verify(opened(forged, key).decode(), [signer.verification()], **checks)
    refused(sign(signer, {"sub": "alice"}), key)
    nested = encrypt(key.encryption(), sign(signer, {"sub": "alice"}), enc="A128GCM", cty="JWT")
    assert verify(opened(nested, key).decode(), [signer.verification()], **checks).claims == {"sub": "alice"}


@pytest.mark.spec("OIDC Core", "10.2")
def test_cuts_the_hash_of_a_client_secret_from_the_left():
    for alg, enc, name, length in (
        ("A128KW", "A256GCM", "sha256", 16),
        ("A256KW", "A128GCM", "sha256", 32),
        ("dir", "A128CBC-HS256", "sha256", 32),
        ("dir", "A192CBC-HS384", "sha384", 48),
        ("dir", "A256CBC-HS512", "sha512", 64),
    ):
        k = base64url.decode(keys.symmetric_encryption(SECRET, alg, enc).jwk["k"])
        assert k == hashlib.new(name, SECRET).digest()[:length]
        with pytest.raises(KeyProblem):
            keys.symmetric_encryption(SECRET[: length - 1], alg, enc)


def test_refuses_to_encrypt_with_a_key_of_another_length():
    key = recipient("dir", "A256CBC-HS512").encryption()
    for enc in ("A128GCM", "A1GCM"):
        with pytest.raises(KeyProblem):
            encrypt(key, b"x", enc=enc)


def test_shows_no_key_material_of_a_recipient():
    key = recipient("A128KW")
    assert key.jwk["k"] not in repr(key) + repr(key.encryption())
