"""Signed tokens: one text each, one algorithm each, one type each."""

import json
import time

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from jwcrypto.jwk import JWK
from jwcrypto.jwt import JWT

from appliance.jose import keys
from appliance.jose.algorithms import SIGNATURE_ALGORITHMS
from appliance.jose.problems import KeyProblem, TokenProblem
from appliance.jose.public_keys import import_public
from appliance.jose.tokens import (
    MAX_REQUEST_OBJECT,
    MAX_TOKEN,
    decode_strict,
    hash_of,
    read_unverified_claims,
    sign,
    verify,
)
from appliance.protocol import base64url
from tests.jose.conftest import make_key

ANY_TYPE = frozenset({None, "JWT"})
ORDER_P256 = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def accept(token, key, *, algs=None, typ=ANY_TYPE):
    """Verifies with one key and its own algorithm."""
    return verify(token, [key.verification()], algs=algs or {key.alg}, typ=typ)


def raw(key, header, payload):
    """A correctly signed token of any header and payload, as an attacker with a key makes it."""
    header = header if isinstance(header, bytes) else json.dumps(header).encode()
    payload = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    signing_input = f"{base64url.encode(header)}.{base64url.encode(payload)}"
    return f"{signing_input}.{base64url.encode(key.sign(signing_input.encode()))}"


def refused(token, key, **options):
    """The message of the refusal."""
    with pytest.raises(TokenProblem) as caught:
        accept(token, key, **options)
    return str(caught.value)


def with_signature(token, signature):
    """The token with other signature octets."""
    return f"{token.rpartition('.')[0]}.{base64url.encode(signature)}"


def signature_of(token):
    """The signature octets."""
    return base64url.decode(token.rpartition(".")[2])


def test_verifies_what_it_signs(key):
    token = sign(key, {"sub": "älice", "n": 1, "list": [1, None, True]}, "at+jwt")
    verified = accept(token, key, typ=frozenset({"at+jwt"}))
    assert verified.claims == {"sub": "älice", "n": 1, "list": [1, None, True]}
    expected = {"alg": key.alg, "typ": "at+jwt"} | ({"kid": key.kid} if key.kid else {})
    assert verified.header == expected
    assert "älice" not in repr(verified)


def test_signs_what_a_stock_library_verifies(key):
    jwk = JWK.from_json(keys.export_private(key))
    token = JWT(jwt=sign(key, {"sub": "alice"}), key=jwk, algs=[key.alg], expected_type="JWS")
    assert json.loads(token.claims) == {"sub": "alice"}


def test_verifies_what_a_stock_library_signs(key):
    token = JWT(header={"alg": key.alg}, claims={"sub": "alice"})
    token.make_signed_token(JWK.from_json(keys.export_private(key)))
    assert accept(token.serialize(), key).claims == {"sub": "alice"}


@pytest.mark.spec("RFC 7515", "A.1")
def test_verifies_the_first_example_of_the_specification():
    secret = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"
    token = (
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
        "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    )
    key = keys.symmetric(base64url.decode(secret), "HS256")
    assert accept(token, key).claims["iss"] == "joe"


@pytest.mark.attack("CA-28")
def test_refuses_every_other_text_of_a_token(key):
    token = sign(key, {"sub": "alice>?>?>?"}, "JWT")
    header, payload, signature = token.split(".")
    assert accept(token, key)
    others = [
        token + "=",
        token + "==",
        f"{header}=.{payload}.{signature}",
        f"{header}.{payload}==.{signature}",
    ]
    others += [token + "\n", " " + token, token.replace(".", ". "), token + ".", "." + token, token + "\0"]
    others += [token.replace("-", "+").replace("_", "/"), f"{header}.{payload}"]
    # The bits of the last character that carry nothing.
    for part in (header, payload, signature):
        if len(part) % 4:
            last = ALPHABET.index(part[-1])
            others.append(token.replace(part, part[:-1] + ALPHABET[last ^ 1]))
    for other in others:
        if other != token:
            refused(other, key)


@pytest.mark.attack("JW-04")
def test_refuses_es256_signatures_of_another_shape(es256):
    token = sign(es256, {"sub": "alice"})
    octets = signature_of(token)
    r, s = octets[:32], octets[32:]
    n = ORDER_P256.to_bytes(32, "big")
    der = encode_dss_signature(int.from_bytes(r, "big"), int.from_bytes(s, "big"))
    for bad in (
        b"\0" + r + b"\0" + s,
        bytes(32) + r + bytes(32) + s,
        octets[:-1],
        octets + b"\0",
        b"\0" + octets,
        der,
        bytes(64),
        n + s,
        r + n,
        n + n,
        bytes(32) + s,
        r + bytes(32),
        s + r,
        b"\xff" * 64,
        b"\0",
    ):
        assert "signature" in refused(with_signature(token, bad), es256)


@pytest.mark.attack("JW-04")
def test_refuses_signatures_of_another_length_or_value(key):
    token = sign(key, {"sub": "alice"})
    octets = signature_of(token)
    flipped = bytes([octets[0] ^ 1]) + octets[1:]
    for bad in (octets[:-1], octets + b"\0", b"\0" + octets, bytes(len(octets)), flipped, octets * 2):
        refused(with_signature(token, bad), key)


@pytest.mark.attack("JW-04")
def test_refuses_the_key_that_verifies_an_all_zero_signature():
    identity = {"kty": "OKP", "crv": "Ed25519", "x": base64url.encode(b"\1" + bytes(31))}
    with pytest.raises(KeyProblem):
        import_public(identity)


@pytest.mark.attack("CA-28", "TB-09")
def test_remembers_a_token_under_one_hash_whatever_its_signature(es256):
    token = sign(es256, {"jti": "1"})
    octets = signature_of(token)
    mirrored = octets[:32] + (ORDER_P256 - int.from_bytes(octets[32:], "big")).to_bytes(32, "big")
    twin = with_signature(token, mirrored)
    assert accept(twin, es256)
    assert hash_of(twin) == hash_of(token) == hash_of(decode_strict(token))
    assert hash_of(sign(es256, {"jti": "2"})) != hash_of(token)


@pytest.mark.attack("CA-17")
@pytest.mark.spec("RFC 8725", "3.2")
@pytest.mark.parametrize(
    "alg", ["none", "nOnE", "None", "", None, 5, ["RS256"], {"a": 1}, True, "rs256", "RS256 "]
)
def test_refuses_algorithms_that_are_none_or_not_a_name(alg, rs256):
    everything = {*SIGNATURE_ALGORITHMS, "none", "nOnE", "None", ""}
    refused(raw(rs256, {"alg": alg}, {}), rs256, algs=everything)
    refused(raw(rs256, {"typ": "JWT"}, {}), rs256, algs=everything)


@pytest.mark.attack("CA-17")
def test_refuses_an_unsigned_token_in_every_form(rs256):
    header, payload = base64url.encode(b'{"alg":"none"}'), base64url.encode(b"{}")
    for token in (f"{header}.{payload}.", f"{header}.{payload}", f"{header}.{payload}.AA", f"{header}.."):
        refused(token, rs256, algs={"none", "RS256"})


@pytest.mark.attack("CA-18")
@pytest.mark.spec("RFC 8725", "2.1")
def test_refuses_a_mac_made_with_the_public_key(rs256, es256):
    for key in (rs256, es256):
        public = import_public(keys.public_jwk(key))._jwk
        texts = [public.export_to_pem(), public.export_to_pem().strip(), public.export_public().encode()]
        texts.append(json.dumps(keys.public_jwk(key)).encode())
        for text in texts:
            mac = keys.SigningKey("HS256", None, JWK(kty="oct", k=base64url.encode(text)))
            for kid in (key.kid, "other"):
                forged = raw(mac, {"alg": "HS256", "kid": kid}, {"sub": "alice"})
                assert refused(forged, key, algs=set(SIGNATURE_ALGORITHMS)) == "no key for this token"


@pytest.mark.attack("CA-20")
def test_refuses_an_algorithm_the_key_is_not_bound_to(rs256):
    jwk = keys.load_private(keys.export_private(rs256).replace('"RS256"', '"PS256"').encode())
    token = sign(jwk, {"sub": "alice"})
    assert accept(token, jwk)
    assert refused(token, rs256, algs={"RS256", "PS256"}) == "no key for this token"
    assert "not allowed" in refused(sign(rs256, {}), rs256, algs={"PS256"})


@pytest.mark.attack("CA-35")
def test_looks_only_at_the_keys_it_was_given(es256):
    stranger = keys.generate("ES256", kid="stranger")
    embedded = {
        "alg": "ES256",
        "jwk": keys.public_jwk(stranger),
        "jku": "https://evil.test/jwks",
        "x5u": "https://evil.test",
    }
    refused(raw(stranger, embedded, {}), es256)
    refused(raw(stranger, {**embedded, "kid": es256.kid}, {}), es256)
    for kid in ("../../etc/passwd", "' OR 1=1--", {"a": 1}, 5, None, "k" * 257, ["a"]):
        refused(raw(es256, {"alg": "ES256", "kid": kid}, {}), es256)
    # A key without a name serves a token with any.
    unnamed = keys.symmetric(b"s" * 32, "HS256")
    assert accept(raw(unnamed, {"alg": "HS256", "kid": "x"}, {}), unnamed)


def test_tries_few_keys_when_none_is_named():
    many = [keys.generate("ES256") for _ in range(9)]
    token = raw(many[3], {"alg": "ES256"}, {})
    verifiers = [key.verification() for key in many]
    with pytest.raises(TokenProblem, match="too many"):
        verify(token, verifiers, algs={"ES256"}, typ=ANY_TYPE)
    assert verify(token, verifiers[:8], algs={"ES256"}, typ=ANY_TYPE).key is verifiers[3]
    assert verify(sign(many[8], {}), verifiers, algs={"ES256"}, typ=ANY_TYPE).key is verifiers[8]


@pytest.mark.spec("RFC 7515", "4.1.11")
@pytest.mark.parametrize(
    "extra",
    [
        {"crit": []},
        {"crit": ["exp"]},
        {"crit": ["b64"], "b64": False},
        {"crit": None},
        {"b64": True},
        {"b64": False},
    ],
)
def test_refuses_critical_extensions_even_an_empty_list(extra, es256):
    refused(raw(es256, {"alg": "ES256", **extra}, {}), es256)


@pytest.mark.attack("TB-02")
@pytest.mark.spec("RFC 8725", "3.11")
@pytest.mark.parametrize("typ", ["jwt", "dpop+JWT", "JWT ", "", None, 5, ["JWT"], "t" * 65])
def test_refuses_other_types_to_the_letter(typ, es256):
    refused(raw(es256, {"alg": "ES256", "typ": typ}, {}), es256, typ=frozenset({"dpop+jwt"}))


@pytest.mark.attack("JW-01")
@pytest.mark.spec("RFC 8725", "3.12")
def test_accepts_only_the_diagonal_of_kinds_and_readers(es256):
    kinds = [
        "JWT",
        "at+jwt",
        "logout+jwt",
        "oauth-authz-req+jwt",
        "dpop+jwt",
        "token-introspection+jwt",
        None,
    ]
    for issued in kinds:
        token = sign(es256, {"sub": "alice"}, issued)
        for expected in kinds:
            if issued == expected:
                assert accept(token, es256, typ=frozenset({expected}))
            else:
                assert "type" in refused(token, es256, typ=frozenset({expected}))


@pytest.mark.attack("TB-18")
@pytest.mark.parametrize(
    "payload",
    [
        b'{"sub":"alice","sub":"bob"}',
        b'{"a":{"x":1,"x":2}}',
        b"[1]",
        b'"text"',
        b"null",
        b"1",
        b'{"exp":NaN}',
        b'{"exp":Infinity}',
        b'{"exp":1e400}',
        b'{"exp":-1e400}',
        b'{"exp":9007199254740992}',
        b'{"exp":' + b"9" * 5000 + b"}",
        b'{"sub":"\\ud800"}',
        b'{"\\udfff":1}',
        b'{"sub":"\\u0000"}',
        b'{"sub":"\xff"}',
        b'{"sub":"\xed\xa0\x80"}',
        b'\xef\xbb\xbf{"sub":"alice"}',
        b"{}{}",
        b"{",
        b'{"a":' * 9 + b"1" + b"}" * 9,
        b'{"a":' + b"[" * 2000 + b"]" * 2000 + b"}",
        b'{"a":' + b"[" * 5000,
        b"{'a':1}",
        b'{"a":1,}',
        b'{"a":"\x01"}',
    ],
)
def test_refuses_payloads_and_headers_of_two_readings(payload, es256):
    refused(raw(es256, {"alg": "ES256"}, payload), es256)
    refused(raw(es256, payload, {}), es256)


def test_reads_eight_levels_and_an_escaped_emoji(es256):
    payload = b'{"a":' * 8 + b'"\\ud83d\\ude00"' + b"}" * 8
    assert accept(raw(es256, {"alg": "ES256"}, payload), es256)


@pytest.mark.attack("JW-13", "TB-18")
def test_refuses_long_tokens_before_reading_them(es256):
    long = ["A" * 10_000_000 + ".A.A", "A.A." + "A" * 10_000_000, base64url.encode(b"[" * 7_500_000) + ".A.A"]
    long += ["." * 1_000_000, ".." * 4096, "A" * (MAX_TOKEN + 1)]
    for token in long:
        # The best of some: the collector, too, may take its time just then.
        assert min(seconds_to_refuse(token, es256) for _ in range(5)) < 0.005


def seconds_to_refuse(token, key):
    """Of the processor."""
    started = time.process_time()
    refused(token, key)
    return time.process_time() - started


@pytest.mark.attack("JW-13")
def test_reads_a_request_object_up_to_its_own_limit(es256):
    token = sign(es256, {"x": "a" * 20_000})
    refused(token, es256)
    verified = verify(
        token, [es256.verification()], algs={"ES256"}, typ=ANY_TYPE, max_length=MAX_REQUEST_OBJECT
    )
    assert len(verified.claims["x"]) == 20_000


@pytest.mark.attack("JW-14")
@pytest.mark.parametrize(
    "token", ["", ".", "..", "...", "a..", ".a.", "a.b", "a.b.c.d", "a.b.c.d.e", "." * 8000]
)
def test_refuses_tokens_of_dots_and_empty_parts(token, es256):
    refused(token, es256)


@pytest.mark.parametrize("token", [None, 5, b"a.b.c", ["a.b.c"], "ä.b.c", "a.b.c\n", "\ud800.a.b"])
def test_refuses_what_is_not_a_text(token):
    with pytest.raises(TokenProblem):
        decode_strict(token)


def test_gives_the_unverified_claims_to_find_whose_keys_to_ask(es256):
    token = decode_strict(sign(es256, {"iss": "client"}))
    assert read_unverified_claims(token) == {"iss": "client"}
    assert verify(token, [es256.verification()], algs={"ES256"}, typ=ANY_TYPE).claims == {"iss": "client"}


def test_says_nothing_of_what_it_refuses(es256):
    token = raw(es256, {"alg": "S3CRET", "typ": "S3CRET", "kid": "S3CRET"}, {"S3CRET": "S3CRET"})
    assert "S3CRET" not in refused(token, es256)


def test_refuses_to_sign_what_json_cannot_say():
    for claims in ({"a": object()}, {"a": "\ud800"}, {"a": 2**70}, {5: 1}):
        with pytest.raises(TokenProblem):
            sign(make_key("ES256"), claims)
