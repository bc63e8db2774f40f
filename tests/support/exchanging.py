"""A provider whose clients exchange tokens and bring assertions of a partner, and tokens to do it with."""

import base64
import json
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from typing import Any

from argon2 import PasswordHasher

from appliance.jose.keys import SigningKey, generate, public_jwk
from appliance.jose.tokens import decode_strict, read_unverified_claims, sign
from appliance.profile.profile import Profile
from appliance.protocol.authorization import Authorization, ClaimsRequest, Subject
from appliance.protocol.form import encode
from appliance.protocol.messages import Request
from appliance.protocol.records import AccessToken, Proof, Session, user_key
from appliance.seams import Change, Redeemed
from tests.support.provider import START, Provider, provider

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token"
JWT = "urn:ietf:params:oauth:token-type:jwt"
REFRESH_TOKEN = "urn:ietf:params:oauth:token-type:refresh_token"

ISSUER = "http://localhost:8080"
PARTNER = "https://idp.partner.example"
PARTNER_KEY = generate("ES256", kid="partner-1")
SECRET = "0123456789abcdef0123456789abcdef"
LEVEL = "urn:example:acr:password"
RESOURCE = "https://orders.example.com/api"
SCOPES = ("orders.read", "orders.write", "stock.read")
_HASH = PasswordHasher(time_cost=1, memory_cost=8192).hash("anna-demo-password")


def machine(client_id: str, *grant_types: str, scope: str = " ".join(SCOPES), **op: Any) -> dict[str, Any]:
    """A confidential client without a browser."""
    return {
        "client_id": client_id,
        "grant_types": list(grant_types),
        "response_types": [],
        "redirect_uris": [],
        "scope": scope,
        "client_secrets": [{"id": "1", "file": f"secrets/{client_id}"}],
        "op": {"profile": "main", "sector_identifier": f"{client_id}.example"} | op,
    }


SHOP: dict[str, Any] = {
    "client_id": "shop",
    "redirect_uris": ["https://shop.example.com/callback"],
    "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
    "scope": f"openid offline_access {' '.join(SCOPES)}",
    "client_secrets": [{"id": "1", "file": "secrets/shop"}],
    "op": {"profile": "main", "refresh_token": "offline_access"},
}
GATEWAY = machine("gateway", EXCHANGE, "refresh_token", "client_credentials", access_token_format="jwt")
ORDERS = machine("orders", EXCHANGE, introspection="all")
BACKEND = machine("backend", JWT_BEARER, EXCHANGE, access_token_format="jwt")
CLIENTS = (SHOP, GATEWAY, ORDERS, BACKEND)

#: What the gateway may do with the tokens of the shop, as little as a policy can say.
POLICY: dict[str, Any] = {
    "clients": ["gateway"],
    "subject": {"clients": ["shop"]},
    "scope": ["orders.read", "orders.write"],
}
TRUST: dict[str, Any] = {
    "jwks": {"keys": [public_jwk(PARTNER_KEY)]},
    "algorithms": ["ES256"],
    "source": "people",
    "scope": ["orders.read", "stock.read"],
    "clients": ["backend"],
}


def policy(**changes: Any) -> dict[str, Any]:
    """The policy with changes; what is said of `subject` goes into it."""
    subject = POLICY["subject"] | changes.pop("subject", {})
    return POLICY | {"subject": subject} | changes


def files(
    *policies: Mapping[str, Any],
    clients: tuple[dict[str, Any], ...] = CLIENTS,
    trust: Mapping[str, Any] | None = None,
    root: Mapping[str, Any] | None = None,
    **profile: Any,
) -> dict[str, str]:
    """The files of such a provider; JSON is YAML."""
    settings = {
        "profile": "main",
        "issuer": ISSUER,
        "claims": "person",
        "acr": [{"value": LEVEL, "policy": "password"}],
        "grant_types_supported": [
            *("authorization_code", "refresh_token", "client_credentials", EXCHANGE, JWT_BEARER),
        ],
        "scopes": {
            "openid": {},
            "offline_access": {},
            **{name: {"type": "resource", "description": {"en": name}} for name in SCOPES},
        },
        "endpoints": {"introspection": True, "revocation": True},
        "token_exchange": {"policies": list(policies or (POLICY,))},
        "trusted_issuers": {PARTNER: dict(TRUST if trust is None else trust)},
    } | profile
    users = {
        name: {"login": name, "password": {"hash": _HASH}, "attributes": {"id": name, "name": name}}
        for name in ("anna", "ben")
    }
    written: dict[str, Any] = {
        "op.yaml": {"version": 1, "name": "exchange", **(root or {})},
        "profiles/main.yaml": settings,
        "clients/shop.yaml": {"clients": {each["client_id"]: without(each, "client_id") for each in clients}},
        "sources/people.yaml": {"sources": {"people": {"kind": "static", "users": users}}},
    }
    # Each its own, of the same length: no two clients share a secret.
    secrets = {f"secrets/{each['client_id']}": secret_of(each["client_id"]) for each in clients}
    return {name: json.dumps(content) for name, content in written.items()} | secrets


def without(members: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """The members but for some."""
    return {name: value for name, value in members.items() if name not in names}


def secret_of(client_id: str) -> str:
    """The secret of a client."""
    return f"{SECRET}-of-{client_id}"


def exchanging(*policies: Mapping[str, Any], **changes: Any) -> AbstractAsyncContextManager[Provider]:
    """The provider."""
    return provider("minimal", edit=files(*policies, **changes))


@dataclass(frozen=True)
class Told:
    """The answer of an endpoint that clients call."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str]

    def __getitem__(self, name: str) -> Any:
        return self.body[name]

    @property
    def refusal(self) -> tuple[int, Any]:
        """Status and error of a refusal that gave nothing away."""
        assert "access_token" not in self.body and "refresh_token" not in self.body
        return self.status, self.body.get("error")


async def post(op: Provider, path: str, pairs: Any, client_id: str = "gateway", **headers: str) -> Told:
    """A client's form, by Basic authentication."""
    sent = {"content-type": ("application/x-www-form-urlencoded",), "host": ("localhost:8080",)}
    pair = base64.b64encode(f"{client_id}:{secret_of(client_id)}".encode()).decode()
    sent |= {"authorization": (f"Basic {pair}",)} | {name: (value,) for name, value in headers.items()}
    listed = pairs.items() if isinstance(pairs, Mapping) else pairs
    body = encode((name, value) for name, value in listed if value is not None).encode()
    response = await op.respond(Request("POST", path, headers=sent, body=body, peer="192.0.2.1", at=op.clock()))
    content = dict(response.headers)
    is_json = content.get("Content-Type", "").startswith("application/json")
    return Told(response.status, json.loads(response.body) if is_json else {"text": response.body.decode()}, content)


async def exchange(op: Provider, subject_token: str | None, *, client_id: str = "gateway", **changes: Any) -> Told:
    """An exchange; None leaves a parameter out."""
    asked = {
        "grant_type": EXCHANGE,
        "subject_token": subject_token,
        "subject_token_type": ACCESS_TOKEN,
    } | changes
    return await post(op, "/token", asked, client_id)


async def introspect(op: Provider, token: str, client_id: str = "orders") -> dict[str, Any]:
    """What a resource server is told of a token."""
    return (await post(op, "/introspect", {"token": token}, client_id)).body


async def userinfo(op: Provider, token: str) -> Told:
    """What UserInfo says to the bearer of a token."""
    headers = {"authorization": (f"Bearer {token}",), "host": ("localhost:8080",)}
    response = await op.respond(Request("GET", "/userinfo", headers=headers, peer="192.0.2.1", at=op.clock()))
    return Told(response.status, json.loads(response.body), dict(response.headers))


def main(op: Provider) -> Profile:
    """The one profile."""
    return op.snapshot.profiles["main"]


def granted(**changes: Any) -> Authorization:
    """What anna granted to the shop."""
    made = Authorization(
        id="authorization-of-anna",
        issuer=ISSUER,
        client_id="shop",
        subject=Subject("people", "anna"),
        sub="anna",
        scope=("openid", "offline_access", *SCOPES),
        claims=ClaimsRequest({}, {}),
        acr=LEVEL,
        amr=("pwd",),
        auth_time=int(START) - 100,
        nonce=None,
        sid=None,
        auth_time_required=False,
        claims_locales=(),
    )
    return replace(made, **changes)


async def tokens_of(op: Provider, **changes: Any) -> Mapping[str, Any]:
    """The token response to what was granted, with a refresh token."""
    authorization = granted(**changes)
    client, user = await main(op).standing.check(authorization)

    async def lost() -> Redeemed:
        raise AssertionError("nobody else redeems it")

    redeemed = Redeemed(authorization, authorization.scope, Change(), lost, begins_family=True, refresh_token=None)
    return await main(op).tokens.issue(redeemed, client, user, authorization.confirmation)


async def access_token(op: Provider, **changes: Any) -> str:
    """The access token of what was granted."""
    return str((await tokens_of(op, **changes))["access_token"])


async def log_in(op: Provider, sid: str = "session-of-anna", user: str = "anna") -> Session:
    """A session, without the browser."""
    now = op.clock()
    subject = Subject("people", user)
    session = Session(
        id=f"id-of-{sid}",
        issuer=ISSUER,
        expires_at=now + 3600,
        sid=sid,
        subject=subject,
        user=user_key(subject),
        login=user,
        proofs=(Proof("password", ("pwd",), now),),
        created_at=now,
        seen_at=now,
        clients=("shop",),
    )
    assert await main(op).store.commit(Change(put=(session,)))
    return session


async def records_of(op: Provider, authorization_id: str = "authorization-of-anna") -> tuple[AccessToken, ...]:
    """The access tokens that came of an authorization."""
    return await main(op).store.find(AccessToken, "authorization_id", authorization_id)


def assertion(op: Provider, *, key: SigningKey = PARTNER_KEY, typ: str | None = "JWT", **changes: Any) -> str:
    """The partner's word for anna; None leaves a claim out."""
    now = int(op.clock())
    claims = {
        "iss": PARTNER,
        "sub": "anna",
        "aud": ISSUER,
        "exp": now + 300,
        "iat": now,
        "jti": "assertion-1",
    } | changes
    return sign(key, {name: value for name, value in claims.items() if value is not None}, typ)


def claims_of(token: str) -> dict[str, Any]:
    """The claims of a signed token, unverified."""
    return read_unverified_claims(decode_strict(token))


def header_of(token: str) -> dict[str, Any]:
    """The header of a signed token."""
    return decode_strict(token).header
