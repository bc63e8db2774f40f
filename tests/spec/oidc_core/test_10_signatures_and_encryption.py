"""OpenID Connect Core 10, 3.1.3.7, 2: how ID Tokens are signed and encrypted for each client."""

import json
from dataclasses import replace
from typing import Any

import pytest

from appliance.jose.algorithms import half_hash
from appliance.jose.keys import public_jwk
from appliance.jose.tokens import unsecured
from appliance.outbound.problems import OutboundProblem
from appliance.protocol import base64url
from appliance.protocol.client import Client, ClientSecret
from appliance.protocol.errors import InvalidRequest, ServerError, TemporarilyUnavailable
from appliance.protocol.messages import Request
from appliance.protocol.secret import Secret
from tests.support.minting import AUTHORIZATION, BINDING, CLIENT, PROFILE, Mint, claims_of, mint
from tests.support.protecting import (
    EC,
    LONG_SECRET,
    RSA,
    SIGNATURE_KEY,
    jwks,
    opened,
    own_claims,
    owner,
    published,
    shared_claims,
)
from tests.support.provider import provider

pytestmark = pytest.mark.spec("OpenID Connect Core 1.0", "10")

UNSIGNED = replace(PROFILE, compat=replace(PROFILE.compat, unsigned_id_tokens=True))


def header_of(token: str) -> Any:
    return json.loads(base64url.decode(token.split(".")[0]))


async def answer_of(op: Mint, client: Client) -> Any:
    return await op.redeem(await op.code(client), client)


@pytest.mark.spec("OpenID Connect Core 1.0", "10.1")
@pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512"])
async def test_signs_with_the_secret_of_the_client(alg: str) -> None:
    client = owner(id_token_signed_response_alg=alg)
    op = await mint(clients=(client, CLIENT))
    answer = await answer_of(op, client)
    assert header_of(answer["id_token"]) == {"alg": alg, "typ": "JWT"}
    claims = shared_claims(answer["id_token"], alg)
    assert claims["aud"] == client.client_id
    assert claims["at_hash"] == half_hash(alg, answer["access_token"])
    front = await op.front({"code", "id_token"}, client)
    assert shared_claims(front["id_token"], alg)["c_hash"] == half_hash(alg, front["code"])


@pytest.mark.spec("OpenID Connect Core 1.0", "3.1.2.1")
async def test_knows_its_own_token_again_by_the_secret_of_the_audience_alone() -> None:
    client = owner(id_token_signed_response_alg="HS256")
    other = replace(client, client_id="other", id_token_signed_response_alg=None)
    op = await mint(clients=(client, other))
    token = (await answer_of(op, client))["id_token"]
    assert op.profile.tokens.read_id_token_hint(token)["sub"] == "alice-1"
    without = await mint(clients=(other,))
    with pytest.raises(InvalidRequest):
        without.profile.tokens.read_id_token_hint(token)
    changed = replace(client, client_secrets=CLIENT.client_secrets)
    with pytest.raises(InvalidRequest):
        (await mint(clients=(changed,))).profile.tokens.read_id_token_hint(token)
    # The other client has the same secret, but registered another algorithm: it cannot write ID Tokens.
    forged = await mint(clients=(replace(other, id_token_signed_response_alg="HS256"),))
    token = (await answer_of(forged, replace(other, id_token_signed_response_alg="HS256")))["id_token"]
    with pytest.raises(InvalidRequest):
        op.profile.tokens.read_id_token_hint(token)


async def test_never_signs_with_less_than_the_registered_secret() -> None:
    hashed = replace(CLIENT.client_secrets[0], secret=Secret(bytes(32), "test", "sha256"))
    ended = ClientSecret("1", Secret(LONG_SECRET, "test"), 1)
    for secrets in ((), (hashed,), (ended,), (ClientSecret("1", Secret(b"short", "test"), None),)):
        client = replace(CLIENT, client_secrets=secrets, id_token_signed_response_alg="HS256")
        op = await mint(clients=(client,))
        with pytest.raises(ServerError):
            await op.front({"id_token"}, client)


@pytest.mark.spec("OpenID Connect Core 1.0", "2")
async def test_leaves_a_token_unsigned_only_where_profile_client_and_flow_say_so() -> None:
    client = owner(id_token_signed_response_alg="none")
    op = await mint(profile=UNSIGNED, clients=(client,))
    token = (await answer_of(op, client))["id_token"]
    _, payload, signature = token.split(".")
    assert (header_of(token), signature) == ({"alg": "none", "typ": "JWT"}, "")
    claims = json.loads(base64url.decode(payload))
    assert claims["aud"] == client.client_id and "at_hash" not in claims
    for response_type in ({"id_token"}, {"code", "id_token"}, {"id_token", "token"}):
        with pytest.raises(ServerError):
            await op.front(response_type, client)
    strict = await mint(clients=(client,))
    code = await strict.code(client)
    refused = await strict.redeem(code, client)
    assert (refused.status, "id_token" in refused.body) == (500, False)
    assert header_of((await answer_of(await mint(profile=UNSIGNED), CLIENT))["id_token"])["alg"] == "ES256"


@pytest.mark.attack("JW-19")
async def test_never_believes_an_unsigned_token() -> None:
    client = owner(id_token_signed_response_alg="none")
    op = await mint(profile=UNSIGNED, clients=(client,))
    token = (await answer_of(op, client))["id_token"]
    for tried in (token, unsecured({"iss": op.profile.issuer, "sub": "x"}, "JWT"), token + "AAAA"):
        with pytest.raises(InvalidRequest):
            op.profile.tokens.read_id_token_hint(tried)


@pytest.mark.spec("OpenID Connect Core 1.0", "10.2")
@pytest.mark.parametrize(
    ("alg", "key", "enc"),
    [
        ("RSA-OAEP", RSA, None),
        ("RSA-OAEP-256", RSA, "A256GCM"),
        ("ECDH-ES", EC, None),
        ("ECDH-ES+A256KW", EC, "A256GCM"),
    ],
)
async def test_encrypts_what_it_signed(alg: str, key: Any, enc: str | None) -> None:
    client = owner(
        jwks=jwks(published(RSA), published(EC)),
        id_token_encrypted_response_alg=alg,
        id_token_encrypted_response_enc=enc,
    )
    op = await mint(clients=(client,))
    answer = await answer_of(op, client)
    header = header_of(answer["id_token"])
    assert (header["alg"], header["enc"], header["cty"], header["kid"]) == (
        alg,
        enc or "A128CBC-HS256",
        "JWT",
        key.kid,
    )
    claims = own_claims(op, opened(answer["id_token"], key, alg))
    assert claims["aud"] == client.client_id
    assert claims["at_hash"] == half_hash("ES256", answer["access_token"])
    front = await op.front({"code", "id_token"}, client)
    assert own_claims(op, opened(front["id_token"], key, alg))["nonce"] == AUTHORIZATION.nonce


@pytest.mark.attack("JW-08")
@pytest.mark.spec("OpenID Connect Core 1.0", "10.2.1")
async def test_encrypts_to_the_key_that_is_for_encryption() -> None:
    plain = published(RSA, kid=None, use=None)
    for_signatures = published(EC, use="sig", kid="first")
    for keys in (
        jwks(for_signatures, published(EC, kid=None)),
        jwks(published(EC, kid=None), for_signatures, plain),
    ):
        client = owner(jwks=keys, id_token_encrypted_response_alg="ECDH-ES")
        op = await mint(clients=(client,))
        token = (await answer_of(op, client))["id_token"]
        assert "kid" not in header_of(token)
        assert own_claims(op, opened(token, EC, "ECDH-ES"))["sub"] == "alice-1"


@pytest.mark.attack("JW-07")
@pytest.mark.parametrize(
    ("keys", "alg"),
    [
        (None, "RSA-OAEP"),
        (jwks(), "RSA-OAEP"),
        (jwks(published(EC)), "RSA-OAEP"),
        (jwks(published(RSA, use="sig")), "RSA-OAEP"),
        (jwks(published(RSA, alg="RSA-OAEP-256")), "ECDH-ES"),
        (jwks({"kty": "RSA", "e": "AQAB", "n": base64url.encode(b"\xc3" + bytes(range(1, 128)))}), "RSA-OAEP"),
        (jwks(published(RSA)), "RSA1_5"),
        (jwks(published(RSA)), "none"),
    ],
)
async def test_never_sends_a_token_in_the_clear_that_was_to_be_encrypted(keys: Any, alg: str) -> None:
    client = owner(jwks=keys, id_token_encrypted_response_alg=alg)
    op = await mint(clients=(client,))
    code = await op.code(client)
    refused = await op.redeem(code, client)
    assert (refused.status, refused.code) == (500, "server_error")
    with pytest.raises(ServerError):
        await op.front({"id_token"}, client)
    # Nothing was issued, and so nothing is used up: the code works once the client's keys do.
    mended = replace(client, jwks=jwks(published(RSA)), id_token_encrypted_response_alg="RSA-OAEP")
    op.profile.clients._active[client.client_id] = mended
    assert (await op.redeem(code, mended)).status == 200


class Fetching:
    """Key sets of one address, as they are from one request to the next."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[bool] = []

    async def public(self, client: Client, *, refresh: bool = False) -> Any:
        self.asked.append(refresh)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.mark.spec("OpenID Connect Core 1.0", "10.2.1")
async def test_asks_once_more_for_fetched_keys_that_do_not_fit() -> None:
    client = owner(jwks_uri="https://rp.example/jwks", id_token_encrypted_response_alg="ECDH-ES")
    op = await mint(clients=(client,))
    declared = op.profile.client_keys
    old = await declared.public(owner(jwks=jwks(published(RSA))))
    new = await declared.public(owner("new", jwks=jwks(published(EC))))
    protection: Any = op.profile.response_protection
    protection._client_keys = fetching = Fetching(old, new)
    token = (await op.front({"id_token"}, client))["id_token"]
    assert own_claims(op, opened(token, EC, "ECDH-ES"))["sub"] == "alice-1"
    assert fetching.asked == [False, True]
    protection._client_keys = Fetching(old, old)
    with pytest.raises(ServerError):
        await op.front({"id_token"}, client)
    protection._client_keys = Fetching(OutboundProblem("no answer"))
    with pytest.raises(TemporarilyUnavailable):
        await op.profile.tokens.front_channel(
            replace(AUTHORIZATION, client_id="owner"), client, frozenset({"id_token"}), BINDING, None
        )


async def test_a_key_for_signatures_is_never_encrypted_to() -> None:
    signature = {name: value for name, value in public_jwk(SIGNATURE_KEY).items() if name != "alg"}
    client = owner(jwks=jwks(signature), id_token_encrypted_response_alg="ECDH-ES")
    op = await mint(clients=(client,))
    assert (await op.redeem(await op.code(client), client)).status == 500


@pytest.mark.spec("OpenID Connect Discovery 1.0", "3")
async def test_publishes_what_it_can_do() -> None:
    host = {"host": ("localhost:8080",)}
    address = "/.well-known/openid-configuration"
    async with provider("minimal") as op:
        plain = json.loads((await op.respond(Request("GET", address, headers=host))).body)
    assert plain["id_token_signing_alg_values_supported"] == ["RS256"]
    assert plain["userinfo_signing_alg_values_supported"] == ["RS256"]
    assert "RSA1_5" not in plain["id_token_encryption_alg_values_supported"]
    assert plain["id_token_encryption_alg_values_supported"] == plain["userinfo_encryption_alg_values_supported"]
    assert "A128CBC-HS256" in plain["id_token_encryption_enc_values_supported"]
    shop = (
        'client_id: shop\nredirect_uris: ["https://shop.example.com/callback"]\n'
        "id_token_signed_response_alg: HS256\nuserinfo_signed_response_alg: HS384\n"
        'client_secrets: [{id: "1", file: secrets/shop}]\nop: {profile: main}\n'
    )
    main = (
        "profile: main\nissuer: http://localhost:8080\nclaims: person\n"
        'acr: [{value: "urn:example:acr:password", policy: password}]\n'
        "compat: {unsigned_id_tokens: true}\n"
        "ignore: [{code: OP238, reason: the conformance suite asks for it}]\n"
    )
    edit = {"clients/shop.yaml": shop, "profiles/main.yaml": main, "secrets/shop": "k" * 20 + "0123456789" * 4}
    async with provider("minimal", edit=edit) as op:
        found = json.loads((await op.respond(Request("GET", address, headers=host))).body)
    assert found["id_token_signing_alg_values_supported"] == ["RS256", "HS256", "none"]
    assert found["userinfo_signing_alg_values_supported"] == ["RS256", "HS384"]


async def test_leaves_other_clients_as_they_were() -> None:
    op = await mint(clients=(CLIENT, owner(id_token_signed_response_alg="HS256")))
    token = (await answer_of(op, CLIENT))["id_token"]
    assert header_of(token)["alg"] == "ES256" and claims_of(token) == own_claims(op, token)
