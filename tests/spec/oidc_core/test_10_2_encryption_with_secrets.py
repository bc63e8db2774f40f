"""OpenID Connect Core 10.2: encryption with a key that is derived from the secret of the client.

The other side is jwcrypto, with keys derived here in the words of the specification.
"""

import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest
from jwcrypto.jwe import JWE
from jwcrypto.jwk import JWK

from appliance.protocol import base64url
from appliance.protocol.client import ClientSecret
from appliance.protocol.errors import ServerError
from appliance.protocol.form import encode
from appliance.protocol.messages import Request
from appliance.protocol.secret import Secret
from tests.support.browser import Browser, answer
from tests.support.minting import CLIENT, Mint, basic, claims_of, mint
from tests.support.objects import ENCRYPTED, SECRET, address, end, mac, sealed, shop_provider, signed, unsigned
from tests.support.protecting import LONG_SECRET, own_claims, owner
from tests.support.registering import REDIRECT_URI, registrar

pytestmark = pytest.mark.spec("OpenID Connect Core 1.0", "10.2")

KEY_LENGTHS = {"A128KW": 16, "A192KW": 24, "A256KW": 32}
ENC_LENGTHS = {
    "A128CBC-HS256": 32,
    "A192CBC-HS384": 48,
    "A256CBC-HS512": 64,
    "A128GCM": 16,
    "A192GCM": 24,
    "A256GCM": 32,
}
EVERY = [*KEY_LENGTHS, "dir"]


def derived(secret: bytes, alg: str, enc: str) -> JWK:
    """The left bits of a SHA-2 of the secret: the least SHA-2 that has enough of them."""
    length = KEY_LENGTHS.get(alg) or ENC_LENGTHS[enc]
    hashes = [hashlib.new(name, secret).digest() for name in ("sha256", "sha384", "sha512")]
    hashed = next(each for each in hashes if len(each) >= length)
    return JWK(kty="oct", k=base64url.encode(hashed[:length]))


def opened(token: str, alg: str, enc: str, secret: bytes = LONG_SECRET) -> str:
    """What a client finds inside, with no algorithm allowed but the two."""
    jwe = JWE(algs=[alg, enc])
    jwe.deserialize(token, derived(secret, alg, enc))
    return str(jwe.payload.decode())


def closed(content: str, alg: str, enc: str, secret: bytes = SECRET.encode(), **more: str) -> str:
    """Something encrypted as a client does it."""
    head = {"alg": alg, "enc": enc, "cty": "JWT", **more}
    jwe = JWE(content.encode(), protected=json.dumps(head), algs=[alg, enc])
    jwe.add_recipient(derived(secret, alg, enc))
    return str(jwe.serialize(compact=True))


def header_of(token: str) -> Any:
    return json.loads(base64url.decode(token.split(".")[0]))


async def userinfo(op: Mint, client: Any) -> str:
    token = (await op.redeem(await op.code(client), client))["access_token"]
    headers = {"authorization": (f"Bearer {token}",)}
    response = await op.userinfo.handle(Request("GET", "/retail/userinfo", headers=headers, at=op.now[0]))
    return response.body.decode()


@pytest.mark.parametrize("alg", EVERY)
@pytest.mark.parametrize("enc", list(ENC_LENGTHS))
async def test_encrypts_id_tokens_and_userinfo(alg: str, enc: str) -> None:
    client = owner(
        id_token_encrypted_response_alg=alg,
        id_token_encrypted_response_enc=enc,
        userinfo_encrypted_response_alg=alg,
        userinfo_encrypted_response_enc=enc,
    )
    op = await mint(clients=(client,))
    token = (await op.redeem(await op.code(client), client))["id_token"]
    assert header_of(token) == {"alg": alg, "enc": enc, "cty": "JWT"}
    assert own_claims(op, opened(token, alg, enc))["aud"] == client.client_id
    assert json.loads(opened(await userinfo(op, client), alg, enc))["sub"] == "alice-1"


async def test_names_the_default_content_encryption() -> None:
    client = owner(id_token_encrypted_response_alg="dir")
    op = await mint(clients=(client,))
    token = (await op.redeem(await op.code(client), client))["id_token"]
    assert own_claims(op, opened(token, "dir", "A128CBC-HS256"))["sub"] == "alice-1"


@pytest.mark.attack("JW-07")
async def test_sends_nothing_in_the_clear_where_no_secret_gives_a_key() -> None:
    hashed = Secret(bytes(32), "test", "sha256")
    short = Secret(b"k" * 31, "test")
    for secrets in ((), (ClientSecret("1", hashed, None),), (ClientSecret("1", short, None),)):
        client = replace(owner(id_token_encrypted_response_alg="dir"), client_secrets=secrets)
        op = await mint(clients=(client, CLIENT))
        with pytest.raises(ServerError):
            await op.front({"id_token"}, client)


@pytest.mark.attack("JW-07")
async def test_takes_the_first_live_secret_that_is_known_in_clear() -> None:
    ended = ClientSecret("0", Secret(b"e" * 64, "test"), 1)
    hashed = ClientSecret("h", Secret(bytes(32), "test", "sha256"), None)
    known = owner().client_secrets
    client = owner(id_token_encrypted_response_alg="A256KW")
    client = replace(client, client_secrets=(ended, hashed, *known))
    op = await mint(clients=(client,))
    token = (await op.front({"id_token"}, client))["id_token"]
    assert own_claims(op, opened(token, "A256KW", "A128CBC-HS256"))["sub"] == "alice-1"


@pytest.mark.spec("JARM", "2.2")
@pytest.mark.parametrize("alg", EVERY)
async def test_encrypts_authorization_responses(alg: str) -> None:
    modes = {"response_modes_supported": ["query", "query.jwt", "fragment.jwt", "form_post.jwt"]}
    settings = {"authorization_encrypted_response_alg": alg, "authorization_encrypted_response_enc": "A256GCM"}
    async with shop_provider(profile=modes, **settings) as op:
        found = await end(op, address(response_mode="query.jwt"))
        inside = opened(found.parameters["response"], alg, "A256GCM", SECRET.encode())
        claims = claims_of(inside)
        assert claims["state"] == "s"
        assert claims["code"]


@pytest.mark.spec("RFC 9701", "6")
@pytest.mark.parametrize("alg", EVERY)
async def test_encrypts_introspection_responses(alg: str) -> None:
    settings = {"introspection_encrypted_response_alg": alg}
    async with shop_provider(profile={"endpoints": {"introspection": True}}, **settings) as op:
        headers = {"Authorization": basic("shop", SECRET), "Accept": "application/token-introspection+jwt"}
        response = await Browser(op).request("POST", "/introspect", form={"token": "x"}, headers=headers)
        inside = opened(response.body.decode(), alg, "A128CBC-HS256", SECRET.encode())
        assert claims_of(inside)["token_introspection"] == {"active": False}


@pytest.mark.spec("OpenID Connect Core", "6.1")
@pytest.mark.parametrize("alg", EVERY)
@pytest.mark.parametrize("enc", ["A128CBC-HS256", "A256GCM"])
async def test_opens_request_objects(alg: str, enc: str) -> None:
    async with shop_provider(request_object_encryption_alg=alg, request_object_encryption_enc=enc) as op:
        for inside in (signed(), mac()):
            found = await end(op, address(request=closed(inside, alg, enc), state=None))
            assert found.parameters.get("state") == "inside", found


async def test_opens_what_is_encrypted_to_the_profile_all_the_same() -> None:
    async with shop_provider(profile=ENCRYPTED, request_object_encryption_alg="A128KW") as op:
        found = await end(op, address(request=sealed(op, signed()), state=None))
        assert found.parameters.get("state") == "inside"


@pytest.mark.attack("JW-07")
async def test_opens_nothing_with_a_secret_that_was_not_registered_to_be_a_key() -> None:
    async with shop_provider(profile=ENCRYPTED) as op:
        found = await end(op, address(request=closed(signed(), "dir", "A256GCM")))
        assert found.error == "invalid_request_object"
    async with shop_provider(request_object_encryption_alg="dir") as op:
        for tried in (
            closed(signed(), "A128KW", "A256GCM"),
            closed(signed(), "dir", "A256GCM", secret=b"0" * 40),
            closed(unsigned(), "dir", "A256GCM"),
            closed(closed(signed(), "dir", "A256GCM"), "dir", "A256GCM"),
            closed(signed(), "dir", "A256GCM", zip="DEF"),
        ):
            assert (await end(op, address(request=tried))).error == "invalid_request_object"


@pytest.mark.attack("JW-08")
async def test_never_takes_a_published_key_for_a_secret() -> None:
    """Whoever knows the JWKS knows no secret: a token wrapped with octets of a public key opens nowhere."""
    async with shop_provider(profile=ENCRYPTED, request_object_encryption_alg="A256KW") as op:
        document = (await Browser(op).visit("/jwks")).body
        for octets in (document, json.loads(document)["keys"][1]["x"].encode()):
            tried = closed(signed(), "A256KW", "A256GCM", secret=octets)
            assert (await end(op, address(request=tried))).error == "invalid_request_object"


@pytest.mark.spec("OpenID Connect Discovery", "3")
async def test_lists_what_secrets_can_do() -> None:
    async with shop_provider() as op:
        found = json.loads((await Browser(op).visit("/.well-known/openid-configuration")).body)
    for each in ("id_token", "userinfo", "request_object"):
        assert set(EVERY) <= set(found[f"{each}_encryption_alg_values_supported"])
        assert not [
            name for name in found[f"{each}_encryption_alg_values_supported"] if "GCMKW" in name or "PBES" in name
        ]


@pytest.mark.spec("OpenID Connect Registration 1.0", "2")
async def test_registers_them_for_clients_that_get_a_secret() -> None:
    profile = {"request_parameter_supported": True}
    async with registrar(profile) as client:
        wanted = {"id_token_encrypted_response_alg": "dir", "id_token_encrypted_response_enc": "A256GCM"}
        answer = await client.register(**wanted)
        assert answer.status == 201, answer.body
        assert {name: answer[name] for name in wanted} == wanted
        asked = await client.register(request_object_encryption_alg="A128KW")
        assert (asked.status, asked["request_object_encryption_enc"]) == (201, "A128CBC-HS256")
        strange = await client.register(request_object_encryption_alg=["dir"])
        assert "request_object_encryption_alg" not in strange.body
        for wrong in (
            {"token_endpoint_auth_method": "none"},
            {"id_token_encrypted_response_alg": "PBES2-HS256+A128KW"},
            {"id_token_encrypted_response_alg": "A128GCMKW"},
            # Longer than any secret that is given out here.
            {"id_token_encrypted_response_enc": "A256CBC-HS512"},
        ):
            refused = await client.register(**(wanted | wrong))
            assert refused.error == "invalid_client_metadata", (wrong, refused.body)


@pytest.mark.spec("OpenID Connect Registration 1.0", "2")
async def test_keeps_the_secret_of_a_registered_client_that_encrypts_with_it() -> None:
    async with registrar() as client:
        said = await client.register(id_token_encrypted_response_alg="A256KW")
        assert said.status == 201, said.body
        browser = Browser(client.op)
        asked = {
            "client_id": said["client_id"],
            "redirect_uri": REDIRECT_URI,
            "response_type": "code",
            "scope": "openid",
        }
        page = await browser.login(await browser.visit("/authorize?" + encode(asked.items())), password="anna")
        code = answer(await browser.submit(page, button="allow"))["code"]
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT_URI}
        credentials = {"Authorization": basic(said["client_id"], said["client_secret"])}
        token = await browser.request("POST", "/token", form=form, headers=credentials)
        inside = opened(json.loads(token.body)["id_token"], "A256KW", "A128CBC-HS256", said["client_secret"].encode())
        assert claims_of(inside)["aud"] == said["client_id"]
