"""Operations of modern OAuth: signed tokens, introspection, and what the floor does not have.

Keys instead of secrets, pushed requests, bound tokens and exchange are compared with their plain counterparts.
"""

import hashlib
import itertools
import json
import time
from typing import Any, Final
from urllib.parse import urlencode

import orjson

from appliance.jose.keys import generate, public_jwk
from appliance.jose.tokens import sign
from appliance.protocol import base64url
from bench.operations import (
    CHALLENGE,
    REDIRECT,
    VERIFIER,
    Operation,
    Traffic,
    basic,
    code_of,
    expect,
    form,
    secret,
)
from bench.wire import Connection

ISSUER = "http://localhost:18080"
_KEY = generate("ES256", kid="bench")
_DPOP = generate("ES256", kid="dpop")
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
_ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
_RSA_API = "https://api.example"
_numbers = itertools.count(1)

#: What the floor does not have, and its operation that is nearest.
COUNTERPARTS: Final = {
    "private_key_jwt ES256": "client_credentials",
    "PAR + code ES256": "code flow ES256",
    "DPoP-bound code flow ES256": "code flow ES256",
    "token exchange": "client_credentials",
}


def public_key() -> dict[str, object]:
    """The public key of the client that proves itself by one."""
    return dict(public_jwk(_KEY))


#: Members of the profile that these operations need.
PROFILE: dict[str, Any] = {
    "token_endpoint_auth_methods_supported": ["client_secret_basic", "private_key_jwt"],
    "endpoints": {"introspection": True, "pushed_authorization_request": True},
    # Whose tokens are signed with RSA.
    "resources": {_RSA_API: {"scopes": ["api"], "access_token_format": "jwt", "access_token_signing_alg": "RS256"}},
    "token_exchange": {
        "policies": [
            {
                "clients": ["exchanger"],
                "subject": {"clients": ["es256"], "token_types": ["access_token"]},
                "actor": "client",
                "scope": ["email"],
            }
        ]
    },
}


def clients() -> dict[str, dict[str, Any]]:
    """Clients by id."""

    def machine(client_id: str, **more: Any) -> dict[str, Any]:
        digest = hashlib.sha256(secret(client_id).encode()).hexdigest()
        whole = {
            "response_types": [],
            "grant_types": ["client_credentials"],
            "scope": ["api"],
            "token_endpoint_auth_method": "client_secret_basic",
            "client_secrets": [{"id": "1", "hash": f"sha256:{digest}"}],
        } | more
        whole["op"] = {"profile": "bench", **more.get("op", {})}
        return {name: value for name, value in whole.items() if value is not None}

    return {
        "machine-jwt": machine("machine-jwt", op={"access_token_format": "jwt", "resources": [_RSA_API]}),
        "key": machine(
            "key",
            token_endpoint_auth_method="private_key_jwt",
            client_secrets=None,
            jwks={"keys": [public_key()]},
        ),
        "exchanger": machine("exchanger", grant_types=[_EXCHANGE], scope=["email"]),
    }


class Modern:
    """The operations, on top of the plain ones."""

    def __init__(self, plain: Traffic) -> None:
        self._plain = plain

    def operations(self) -> dict[str, Operation]:
        """By name."""
        return {
            "client_credentials JWT ES256": self._client_credentials_jwt,
            "client_credentials JWT RS256": self._client_credentials_rsa,
            "private_key_jwt ES256": self._private_key_jwt,
            "introspection": self._introspection,
            "PAR + code ES256": self._pushed,
            "DPoP-bound code flow ES256": self._bound,
            "token exchange": self._exchange,
        }

    async def _client_credentials_jwt(self, connection: Connection) -> None:
        body = form(grant_type="client_credentials")
        expect(await connection.request("POST", "/token", headers=basic("machine-jwt"), body=body), 200)

    async def _client_credentials_rsa(self, connection: Connection) -> None:
        body = form(grant_type="client_credentials", resource=_RSA_API)
        expect(await connection.request("POST", "/token", headers=basic("machine-jwt"), body=body), 200)

    async def _private_key_jwt(self, connection: Connection) -> None:
        now = int(time.time())
        claims = {"iss": "key", "sub": "key", "aud": ISSUER, "iat": now, "exp": now + 60, "jti": str(next(_numbers))}
        body = form(
            grant_type="client_credentials",
            client_assertion_type=_ASSERTION,
            client_assertion=sign(_KEY, claims, "JWT"),
        )
        expect(await connection.request("POST", "/token", body=body), 200)

    async def _introspection(self, connection: Connection) -> None:
        body = form(token=self._plain.access_token)
        expect(await connection.request("POST", "/introspect", headers=basic("es256"), body=body), 200)

    async def _pushed(self, connection: Connection) -> None:
        asked = {
            "redirect_uri": REDIRECT,
            "response_type": "code",
            "scope": "openid",
            "state": "state",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }
        pushed = await connection.request("POST", "/par", headers=basic("es256"), body=form(**asked))
        reference = orjson.loads(expect(pushed, 201).body)["request_uri"]
        path = "/authorize?" + urlencode({"client_id": "es256", "request_uri": reference})
        code = code_of(await connection.request("GET", path, headers={"Cookie": self._plain.cookie}))
        await self._redeem(connection, code, {})

    async def _bound(self, connection: Connection) -> None:
        path = self._plain.authorize("es256", "openid")
        code = code_of(await connection.request("GET", path, headers={"Cookie": self._plain.cookie}))
        await self._redeem(connection, code, {"DPoP": _proof()})

    async def _redeem(self, connection: Connection, code: str, headers: dict[str, str]) -> None:
        body = form(grant_type="authorization_code", code=code, redirect_uri=REDIRECT, code_verifier=VERIFIER)
        expect(await connection.request("POST", "/token", headers=basic("es256") | headers, body=body), 200)

    async def _exchange(self, connection: Connection) -> None:
        body = form(grant_type=_EXCHANGE, subject_token=self._plain.access_token, subject_token_type=_ACCESS_TOKEN)
        expect(await connection.request("POST", "/token", headers=basic("exchanger"), body=body), 200)


def _proof() -> str:
    """A DPoP proof for the token endpoint. `jose.tokens.sign` has no `jwk` header, for no token of ours needs one."""
    jwk = {name: value for name, value in public_jwk(_DPOP).items() if name in ("kty", "crv", "x", "y")}
    header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": jwk}
    claims = {"htm": "POST", "htu": f"{ISSUER}/token", "iat": int(time.time()), "jti": str(next(_numbers))}
    signed = b".".join(base64url.encode(json.dumps(part).encode()).encode() for part in (header, claims))
    return f"{signed.decode()}.{base64url.encode(_DPOP.sign(signed))}"
