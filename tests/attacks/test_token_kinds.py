"""Every kind of token that the provider issues, at every place where it takes one: only the right one is taken."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from appliance.client_assertions import JWT_BEARER
from appliance.endpoints.introspection import IntrospectionEndpoint
from appliance.endpoints.revocation import RevocationEndpoint
from appliance.jose.encryption import encrypt
from appliance.jose.keys import generate_decryption
from appliance.jose.tokens import unsecured
from appliance.protocol import form
from appliance.protocol.authorization import Subject
from appliance.protocol.client import Client
from appliance.protocol.errors import OAuthError
from appliance.protocol.messages import Request
from appliance.protocol.records import AccessToken, AuthorizationCode, RefreshToken, Session
from appliance.seams import Change
from tests.support.minting import CLIENT, ISSUER, NOW, PROFILE, Mint, answer, mint, request
from tests.support.protecting import RSA, jwks, owner, published

EVERYTHING = replace(
    PROFILE,
    compat=replace(PROFILE.compat, introspection_accepts_id_tokens=True, unsigned_id_tokens=True),
    token_endpoint_auth_methods_supported=("client_secret_basic", "client_secret_jwt", "private_key_jwt"),
)
KEYS = jwks(published(RSA))
OPAQUE = owner("opaque", userinfo_signed_response_alg="ES256")
JWT = owner("jwt", op=replace(CLIENT.op, access_token_format="jwt"))
SHARED = owner("shared", id_token_signed_response_alg="HS256", userinfo_signed_response_alg="HS256")
UNSIGNED = owner("unsigned", id_token_signed_response_alg="none")
ENCRYPTED = owner(
    "encrypted",
    jwks=KEYS,
    id_token_encrypted_response_alg="RSA-OAEP",
    userinfo_signed_response_alg="ES256",
    userinfo_encrypted_response_alg="RSA-OAEP",
)
CLIENTS = (OPAQUE, JWT, SHARED, UNSIGNED, ENCRYPTED)
#: Kind of token to the client that it is issued to and that brings it along.
KINDS = {
    "code": OPAQUE,
    "opaque access token": OPAQUE,
    "JWT access token": JWT,
    "refresh token": OPAQUE,
    "ID Token": OPAQUE,
    "ID Token by shared secret": SHARED,
    "unsigned ID Token": UNSIGNED,
    "encrypted ID Token": ENCRYPTED,
    "UserInfo": OPAQUE,
    "UserInfo by shared secret": SHARED,
    "encrypted UserInfo": ENCRYPTED,
}


async def token_of(op: Mint, kind: str) -> str:
    client = KINDS[kind]
    code = await op.code(client)
    if kind == "code":
        return code
    tokens = (await op.redeem(code, client)).body
    if "UserInfo" in kind:
        headers = {"authorization": (f"Bearer {tokens['access_token']}",)}
        response = await op.userinfo.handle(Request("GET", "/retail/userinfo", headers=headers, at=NOW))
        return str(response.body.decode())
    return str(tokens["_".join(kind.lower().split(" by ")[0].split()[-2:])])


async def at_userinfo(op: Mint, client: Client, token: str) -> bool:
    headers = {"authorization": (f"Bearer {token}",)}
    try:
        response = await op.userinfo.handle(Request("GET", "/retail/userinfo", headers=headers, at=NOW))
    except OAuthError:
        return False
    return response.status == 200


async def at_introspection(op: Mint, client: Client, token: str) -> bool:
    told = await answer(IntrospectionEndpoint(op.profile), request(client, token=token))
    return bool(told["active"])


async def at_revocation(op: Mint, client: Client, token: str) -> bool:
    async def count() -> int:
        kinds = (AccessToken, RefreshToken, AuthorizationCode)
        return sum([len(await op.store.find(kind, "authorization_id", "authorization-1")) for kind in kinds])

    before = await count()
    await RevocationEndpoint(op.profile).handle(request(client, token=token))
    return await count() < before


async def as_a_code(op: Mint, client: Client, token: str) -> bool:
    return (await op.redeem(token, client)).status == 200


async def as_a_refresh_token(op: Mint, client: Client, token: str) -> bool:
    return (await op.refresh(token, client)).status == 200


async def as_a_hint(op: Mint, client: Client, token: str) -> bool:
    try:
        op.profile.tokens.read_id_token_hint(token)
    except OAuthError:
        return False
    return True


async def as_a_client_assertion(op: Mint, client: Client, token: str) -> bool:
    """At its most favourable: registered for the method, and our own keys as those of the client."""
    for method in ("client_secret_jwt", "private_key_jwt"):
        keys = json.loads(op.profile.keys.jwks) if method == "private_key_jwt" else None
        turned = replace(client, token_endpoint_auth_method=method, jwks=keys)
        op.profile.clients._active[client.client_id] = turned
        sent = {"client_assertion": token, "client_assertion_type": JWT_BEARER, "client_id": client.client_id}
        body = form.encode(sent.items()).encode()
        headers = {"content-type": ("application/x-www-form-urlencoded",)}
        asked = Request("POST", "/retail/token", "", headers, body, at=NOW)
        try:
            await op.profile.client_auth.authenticate(asked, form.read(body))
        except OAuthError:
            continue
        return True
    return False


ID_TOKENS = {"ID Token", "ID Token by shared secret"}
ACCESS_TOKENS = {"opaque access token", "JWT access token"}
VERIFIERS: dict[str, tuple[Callable[[Mint, Client, str], Awaitable[bool]], set[str]]] = {
    "UserInfo endpoint": (at_userinfo, ACCESS_TOKENS),
    "introspection": (at_introspection, ACCESS_TOKENS | {"refresh token"} | ID_TOKENS),
    "revocation": (at_revocation, ACCESS_TOKENS | {"refresh token"}),
    "authorization_code": (as_a_code, {"code"}),
    "refresh_token": (as_a_refresh_token, {"refresh token"}),
    "id_token_hint": (as_a_hint, ID_TOKENS),
    "client_assertion": (as_a_client_assertion, set()),
}


@pytest.mark.attack("JW-01", "JW-19", "TB-23")
@pytest.mark.spec("RFC 8725", "3.12")
@pytest.mark.parametrize("place", VERIFIERS)
@pytest.mark.parametrize("kind", KINDS)
async def test_a_token_is_taken_only_for_what_it_is(kind: str, place: str) -> None:
    op = await mint(profile=EVERYTHING, clients=CLIENTS)
    live = Session(
        id="s",
        issuer=ISSUER,
        expires_at=NOW + 3600,
        sid="session-1",
        subject=Subject("people", "alice"),
        user="people\x1falice",
        login="alice",
        proofs=(),
        created_at=NOW,
        seen_at=NOW,
        clients=(),
    )
    await op.store.commit(Change(put=(live,)))
    token = await token_of(op, kind)
    verifies, right = VERIFIERS[place]
    assert await verifies(op, KINDS[kind], token) == (kind in right)


@pytest.mark.attack("JW-19")
@pytest.mark.spec("RFC 8725", "2.3")
@pytest.mark.parametrize("place", VERIFIERS)
async def test_encryption_to_the_provider_proves_nothing(place: str) -> None:
    """Anybody can encrypt to a public key, ours too; and what nobody signed is nobody's word."""
    op = await mint(profile=EVERYTHING, clients=CLIENTS)
    forged = {"iss": ISSUER, "aud": "opaque", "sub": "opaque", "exp": NOW + 60, "iat": NOW, "jti": "1"}
    forged["sid"] = "session-1"
    key = generate_decryption("ECDH-ES", kid=op.profile.keys.signing(None).kid).encryption()
    tried: list[Any] = [
        unsecured(forged, "JWT"),
        unsecured(forged, "at+jwt"),
        encrypt(key, json.dumps(forged), enc="A128GCM"),
        encrypt(key, unsecured(forged, "JWT"), enc="A128GCM", cty="JWT"),
    ]
    verifies, _ = VERIFIERS[place]
    assert [await verifies(op, OPAQUE, token) for token in tried] == [False] * 4


@pytest.mark.attack("TB-23")
@pytest.mark.spec("OpenID Connect Core 1.0", "5.3.1")
async def test_userinfo_needs_a_user_and_the_openid_scope() -> None:
    op = await mint(profile=EVERYTHING, clients=CLIENTS)
    own = (await op.ask(OPAQUE, grant_type="client_credentials", scope="reports.read"))["access_token"]
    bare = (await op.redeem(await op.code(OPAQUE, scope=("profile",)), OPAQUE))["access_token"]
    for token in (own, bare):
        seen = await op.look(token)
        assert (seen.status, seen.code) == (403, "insufficient_scope")
        assert 'scope="openid"' in seen.headers["WWW-Authenticate"]
