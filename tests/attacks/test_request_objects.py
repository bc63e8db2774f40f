"""Attacks on request objects, by the ids of the list of attacks."""

import json
import resource
import time
import zlib
from typing import Any

import pytest
from jwcrypto.jwe import JWE
from jwcrypto.jwk import JWK

from appliance.jose import keys as jose
from appliance.jose import tokens
from appliance.jose.encryption import encrypt
from appliance.protocol import base64url, pkce
from tests.outbound.servers import plain, serving
from tests.support.browser import Browser
from tests.support.minting import CHALLENGE, VERIFIER
from tests.support.objects import (
    ENCRYPTED,
    ISSUER,
    KEY,
    OTHER_URI,
    REDIRECT_URI,
    RSA_KEY,
    SECRET,
    STRANGER,
    address,
    claims,
    end,
    mac,
    raw,
    sealed,
    shop_provider,
    signed,
    unsigned,
)
from tests.support.provider import START, Provider

UNSIGNED = {"compat": {"unsigned_request_objects": True}}
NOW = int(START)


def public_pem(key: jose.SigningKey) -> bytes:
    """What an attacker takes for a shared secret: the public key's text as JSON."""
    return json.dumps(jose.public_jwk(key)).encode()


@pytest.mark.attack("RO-01")
@pytest.mark.parametrize(
    "request_object",
    [
        unsigned(),
        unsigned(alg="nOnE"),
        unsigned(alg="NONE"),
        unsigned(alg=""),
        raw({}, json.dumps(claims())),
        raw({"typ": "JWT"}, json.dumps(claims())),
        signed().rpartition(".")[0] + ".",
        raw({"alg": "none"}, json.dumps(claims()), "AAAA"),
        raw({"alg": "ES256"}, json.dumps(claims()), "AAAA"),
    ],
)
async def test_takes_no_unsigned_object_for_a_signed_one(request_object: str) -> None:
    async with shop_provider(profile=UNSIGNED, require_signed_request_object=True) as op:
        assert (await end(op, address(request=request_object))).error == "invalid_request_object"
    async with shop_provider(profile=UNSIGNED, request_object_signing_alg="ES256") as op:
        assert (await end(op, address(request=request_object))).error == "invalid_request_object"
    async with shop_provider() as op:
        assert (await end(op, address(request=request_object))).error == "invalid_request_object"


@pytest.mark.attack("RO-01")
async def test_takes_no_plain_request_of_a_client_that_signs_them_all() -> None:
    async with shop_provider(require_signed_request_object=True) as op:
        assert (await end(op, address())).error == "invalid_request"
        assert (await end(op, address(request=signed()))).parameters["state"] == "inside"


@pytest.mark.attack("RO-02")
async def test_takes_no_object_that_another_signed() -> None:
    async with shop_provider() as op:
        own = op.snapshot.profiles["main"].keys.signing("RS256")
        forged = [
            signed(STRANGER),
            tokens.sign(own, claims()),
            mac(secret=public_pem(KEY)),
            mac(secret=public_pem(RSA_KEY)),
            mac(secret=b"another secret of at least 32 bytes"),
            raw({"alg": "ES256", "jwk": jose.public_jwk(STRANGER)}, json.dumps(claims()), "A" * 86),
        ]
        for request_object in forged:
            assert (await end(op, address(request=request_object))).error == "invalid_request_object"


@pytest.mark.attack("RO-02")
@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "other"},
        {"iss": ["shop"]},
        {"aud": "https://other.example"},
        {"aud": []},
        {"aud": f"{ISSUER}/"},
        {"sub": "shop"},
        {"exp": NOW},
        {"exp": NOW + 3600 + 61},
        {"exp": "tomorrow"},
        {"exp": True},
        {"nbf": NOW + 61},
        {"iat": NOW + 61},
        {"request": "x"},
        {"request_uri": "https://shop.example.com/request.jwt"},
        {"state": 1},
        {"scope": ["openid"]},
        {"max_age": True},
        {"redirect_uri": {}},
    ],
)
async def test_takes_no_object_that_was_made_for_something_else(changes: dict[str, Any]) -> None:
    async with shop_provider() as op:
        assert (await end(op, address(request=signed(**changes)))).error == "invalid_request_object"


@pytest.mark.attack("RO-02")
@pytest.mark.parametrize("typ", ["at+jwt", "client-authentication+jwt", "dpop+jwt", "logout+jwt", "secevent+jwt", "x"])
async def test_takes_no_token_of_another_type(typ: str) -> None:
    async with shop_provider() as op:
        assert (await end(op, address(request=signed(typ=typ)))).error == "invalid_request_object"
        assert (await end(op, address(request=signed(typ="oauth-authz-req+jwt")))).error is None


@pytest.mark.spec("RFC 9101", "4")
async def test_allows_for_clocks_that_differ_a_little() -> None:
    async with shop_provider() as op:
        found = await end(op, address(request=signed(nbf=NOW + 30, iat=NOW + 30, exp=NOW + 3600 + 30)))
        assert found.error is None
        assert (await end(op, address(request=signed(exp=None, iss=None, aud=None)))).error is None


@pytest.mark.attack("RO-04")
async def test_never_mixes_what_stands_outside_with_what_stands_inside() -> None:
    whole = "oauth-authz-req+jwt"
    async with shop_provider(response_types=["code"]) as op:
        assert (await end(op, address(request=signed(client_id="other")))).error == "invalid_request"
        differs = await end(op, address(request=signed(response_type="code id_token")))
        assert differs.error == "invalid_request"
        # An object that says it is the whole request is it: nothing outside counts (RFC 9101 6.3).
        alone = await end(op, address(request=signed(typ=whole, state=None), state="outside"))
        assert "code" in alone.parameters and "state" not in alone.parameters
        no_uri = await end(op, address(request=signed(typ=whole, redirect_uri=None)))
        assert no_uri.on_page
        assert (await end(op, address(request=signed(typ=whole, response_type=None)))).error == "invalid_request"
        # Neither does anything outside count that is no OpenID request of its own.
        short = await end(op, address(request=signed(), response_type=None, scope=None, redirect_uri=None, state="x"))
        assert short.parameters["state"] == "inside"
        assert (await end(op, address(request=signed(client_id=None), scope=None))).error == "invalid_request_object"
    async with shop_provider(require_signed_request_object=True) as op:
        alone = await end(op, address(request=signed(state=None), state="outside"))
        assert "code" in alone.parameters and "state" not in alone.parameters


@pytest.mark.attack("RO-04")
async def test_finds_no_client_by_the_object_alone() -> None:
    async with shop_provider() as op:
        for client_id in (None, "nobody"):
            assert (await end(op, address(request=signed(), client_id=client_id))).on_page


@pytest.mark.attack("RO-06")
async def test_takes_an_object_by_value_or_by_reference_and_not_by_both() -> None:
    async with shop_provider(request_uris=["https://shop.example.com/request.jwt"]) as op:
        both = address(request=signed(), request_uri="https://shop.example.com/request.jwt")
        assert (await end(op, both)).error == "invalid_request"
        twice = address(request=signed()) + "&request=" + signed()
        assert (await end(op, twice)).error == "invalid_request"


@pytest.mark.attack("PK-09")
async def test_binds_the_code_to_the_challenge_inside() -> None:
    form = {"grant_type": "authorization_code", "redirect_uri": REDIRECT_URI}
    form |= {"client_id": "shop", "client_secret": SECRET, "code_verifier": VERIFIER}
    inside = signed(code_challenge=CHALLENGE, code_challenge_method="S256")
    outside = pkce.challenge_of("y" * 43)
    async with shop_provider(token_endpoint_auth_method="client_secret_post") as op:
        path = address(request=inside, code_challenge=outside, code_challenge_method="S256")
        for verifier, status in (("y" * 43, 400), (VERIFIER, 200)):
            code = (await end(op, path)).parameters["code"]
            sent = form | {"code": code, "code_verifier": verifier}
            response = await Browser(op).request("POST", "/token", form=sent)
            assert response.status == status, response.body


def deflated() -> str:
    """An encrypted token whose plaintext would be forty megabytes."""
    header = {"alg": "RSA-OAEP-256", "enc": "A128CBC-HS256", "zip": "DEF"}
    packed = base64url.encode(zlib.compress(b"0" * 4 * 10**7))
    return ".".join([base64url.encode(json.dumps(header).encode()), "A" * 342, "A" * 22, packed, "A" * 22])


def nested(depth: int) -> str:
    """A token in a token in a token."""
    text = signed()
    key = jose.generate_decryption("ECDH-ES").encryption()
    for _ in range(depth):
        text = encrypt(key, text, enc="A128GCM", cty="JWT")
    return text


def encrypted(**header: Any) -> str:
    members = {"enc": "A128CBC-HS256"} | header
    return ".".join([base64url.encode(json.dumps(members).encode()), "A" * 43, "A" * 22, "A" * 64, "A" * 22])


@pytest.mark.attack("RO-08", "RO-09")
async def test_opens_nothing_that_costs_more_than_to_look_at() -> None:
    costly = [
        deflated(),
        nested(8),
        encrypted(alg="PBES2-HS256+A128KW", p2c=10**9, p2s="AAAAAAAA"),
        encrypted(alg="RSA1_5"),
        encrypted(alg="dir"),
        encrypted(alg="A128KW"),
    ]
    async with shop_provider() as op:
        browser = Browser(op)
        await browser.visit(address())
        for request_object in costly:
            before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
            assert (await end(op, address(request=request_object), browser)).error == "invalid_request_object"
            # Far below what opening them would take, far above what a busy machine needs to look at them.
            assert time.process_time() - began < 1
            assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 16384


def with_header(token: str, **members: Any) -> str:
    """An encrypted token whose header says something else."""
    head, _, rest = token.partition(".")
    changed = json.loads(base64url.decode(head)) | members
    return f"{base64url.encode(json.dumps(changed).encode())}.{rest}"


def really_encrypted(op: Provider, content: str, **header: str) -> str:
    """To a key of ours, but in a way that we do not offer."""
    kind = "RSA-OAEP-256" if header["alg"].startswith("RSA") else "ECDH-ES"
    key = next(key for key in op.snapshot.profiles["main"].keys.decryption() if key.alg == kind)
    token = JWE(content.encode(), json.dumps(header), algs=[*header.values()])
    token.add_recipient(JWK(**key.encryption().jwk.export_public(as_dict=True)))
    return str(token.serialize(compact=True))


@pytest.mark.attack("RO-08", "RO-09")
async def test_opens_nothing_that_costs_more_than_to_look_at_with_keys_that_open() -> None:
    async with shop_provider(profile=ENCRYPTED) as op:
        browser = Browser(op)
        await browser.visit(address())
        good = sealed(op, signed())
        stranger = jose.generate_decryption("ECDH-ES", kid=op.snapshot.profiles["main"].keys.decryption()[0].kid)
        refused = [
            deflated(),
            nested(8),
            sealed(op, good),
            sealed(op, sealed(op, signed(), "RSA-OAEP-256")),
            really_encrypted(op, signed(), alg="ECDH-ES", enc="A128GCM", zip="DEF"),
            really_encrypted(op, "0" * 4 * 10**7, alg="ECDH-ES", enc="A128GCM", zip="DEF"),
            really_encrypted(op, signed(), alg="RSA1_5", enc="A128GCM"),
            really_encrypted(op, signed(), alg="RSA-OAEP", enc="A128GCM"),
            really_encrypted(op, signed(), alg="ECDH-ES+A128KW", enc="A128GCM"),
            with_header(good, zip="DEF"),
            with_header(good, crit=["exp"]),
            with_header(good, alg="PBES2-HS256+A128KW", p2c=10**9, p2s="AAAAAAAA"),
            with_header(good, alg="RSA1_5"),
            with_header(good, alg="dir"),
            with_header(good, alg="A128KW"),
            with_header(good, alg="RSA-OAEP"),
            with_header(good, alg="none"),
            with_header(good, enc="none"),
            with_header(good, kid="other"),
            encrypt(stranger.encryption(), signed(), enc="A128GCM", cty="JWT"),
            good[:-4] + "AAAA",
            sealed(op, "x"),
            sealed(op, "é" * 9),
            sealed(op, json.dumps(claims())),
            *(sealed(op, each) for each in (unsigned(), signed(STRANGER), signed(aud="https://other.example"))),
        ]
        answers = set()
        for request_object in refused:
            before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
            found = await end(op, address(request=request_object), browser)
            answers.add((found.error, found.parameters.get("error_description")))
            assert time.process_time() - began < 1
            assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 16384
        # One answer for all of them, so that none tells how far it got (RFC 7516 11.5).
        assert len(answers) == 1
        assert answers.pop()[0] == "invalid_request_object"
        # What is in the browser's address is bounded before anything is opened.
        assert (await end(op, address(request=sealed(op, signed(extra="x" * 70000))))).on_page
        assert (await end(op, address(request=good))).error is None


@pytest.mark.attack("RO-01")
async def test_takes_no_encryption_for_a_signature() -> None:
    async with shop_provider(profile=UNSIGNED | ENCRYPTED) as op:
        assert (await end(op, address(request=unsigned()))).error is None
        assert (await end(op, address(request=sealed(op, unsigned())))).error == "invalid_request_object"
        assert (await end(op, address(request=sealed(op, unsigned(alg="nOnE"))))).error == "invalid_request_object"


@pytest.mark.attack("RO-08")
async def test_reads_no_object_that_is_longer_than_a_request() -> None:
    async with shop_provider() as op:
        assert (await end(op, address(request=signed(extra="x" * 70000)))).on_page
        deep = raw({"alg": "ES256"}, "[" * 5000 + "]" * 5000, "A" * 86)
        assert (await end(op, address(request=deep))).error == "invalid_request_object"


@pytest.mark.attack("RO-16")
async def test_reads_no_object_that_says_two_things_at_once() -> None:
    twice = json.dumps(claims())[:-1] + f', "redirect_uri": "{OTHER_URI}"}}'
    signing_input = raw({"alg": "ES256", "kid": KEY.kid}, twice)[:-1]
    request_object = f"{signing_input}.{base64url.encode(KEY.sign(signing_input.encode()))}"
    async with shop_provider(profile=UNSIGNED) as op:
        assert (await end(op, address(request=request_object))).error == "invalid_request_object"
        assert (await end(op, address(request=raw({"alg": "none"}, twice)))).error == "invalid_request_object"


@pytest.mark.attack("SS-02")
async def test_asks_no_address_that_the_client_did_not_register() -> None:
    async with serving(plain(signed().encode())) as server:
        uri = server.url("/request.jwt")
        root = {"outbound": {"allow_loopback": True}}
        async with shop_provider(root=root, request_uris=[uri]) as op:
            for other in (uri + "x", uri + "?a=b", server.url("/"), uri.replace("http:", "HTTP:"), "urn:example:1"):
                assert (await end(op, address(request_uri=other))).error == "invalid_request_uri"
        assert server.asked == []
    # Registered, but not addresses that may be spoken to.
    private = ["https://10.0.0.1/request.jwt", "https://[::ffff:127.0.0.1]/request.jwt", "https://rp.example:8443/r"]
    async with shop_provider(request_uris=private) as op:
        for uri in private:
            assert (await end(op, address(request_uri=uri))).error == "invalid_request_uri"


@pytest.mark.attack("SS-07")
async def test_reads_little_of_what_it_fetches_and_only_tokens() -> None:
    root = {"outbound": {"allow_loopback": True}}
    for body, what in ((b"x" * 70000, "uri"), (b"\xff\xfe", "uri"), (b"", "object"), (b"<html></html>", "object"),
                       (unsigned().encode(), "object")):  # fmt: skip
        async with serving(plain(body)) as server:
            uri = server.url("/r")
            async with shop_provider(root=root, request_uris=[uri]) as op:
                assert (await end(op, address(request_uri=uri))).error == f"invalid_request_{what}"


@pytest.mark.attack("RO-16")
async def test_refuses_what_is_no_text_at_all() -> None:
    async with shop_provider(profile=UNSIGNED) as op:
        for text in (".", "..", "a.b.", "e30.e30.", "é.é.", " ", signed() + " ", "\n" + signed(), signed().upper()):
            found = await end(op, address(request=text))
            assert found.error == "invalid_request_object", text
