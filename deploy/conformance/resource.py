"""The protected resource of the plans with plain OAuth, whose tokens are not for UserInfo.

It asks the provider what a token is worth, and checks itself that whoever uses it may: by DPoP proof or certificate.
"""

import argparse
import asyncio
import json
import os
import secrets
import signal
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from aiohttp import ClientSession

from appliance.config.declared.root import Listener, Tls
from appliance.jose.keys import load_private
from appliance.jose.tokens import sign
from appliance.parts.stores.memory import Memory
from appliance.profile.tokens.sender_constraint import SenderConstraint
from appliance.protocol.authorization import Confirmation
from appliance.protocol.errors import OAuthError
from appliance.protocol.messages import Response
from appliance.seams import Tools
from appliance.server.client_certificates import certified, of_connection
from appliance.server.listeners import open_listener
from appliance.server.messages import Incoming, read

JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
PROFILES = ("fapi2", "signing")
SCOPE = "accounts"


@dataclass(frozen=True)
class Settings:
    """Where it is, whom it asks, and with what key."""

    base_url: str
    provider: str
    key: Mapping[str, Any]
    trusted: ssl.SSLContext


class Resource:
    """Answers `GET /{profile}/accounts`."""

    def __init__(self, settings: Settings, session: ClientSession) -> None:
        self._settings = settings
        self._session = session
        self._key = load_private(json.dumps(dict(settings.key)).encode(), "PS256", kid=settings.key["kid"])
        tools = Tools(clock=time.time, entropy=os.urandom)
        dpop = SimpleNamespace(required=True, nonce="optional", nonce_rotation=300, proof_lifetime=60)
        declared: Any = SimpleNamespace(
            issuer=settings.base_url,
            dpop=dpop,
            dpop_signing_alg_values_supported=("PS256", "ES256", "EdDSA"),
            mtls=SimpleNamespace(aliases_at=None),
            tls_client_certificate_bound_access_tokens=True,
        )
        self._constraint = SenderConstraint(declared=declared, store=Memory(tools), tools=tools)

    async def answer(self, raw: Incoming) -> Response:
        """The accounts, or why not (RFC 6750 3.1)."""
        request = certified(await read(raw, (), time.time()), of_connection(raw))
        profile = next((name for name in PROFILES if request.path == f"/{name}/{SCOPE}"), None)
        if profile is None or request.method != "GET":
            return _json(404, {"error": "not_found"})
        scheme, _, token = (request.header("authorization") or "").partition(" ")
        told = await self._introspect(profile, token) if token else {}
        if not told.get("active"):
            return _refused("invalid_token", 401)
        if SCOPE not in str(told.get("scope", "")).split():
            return _refused("insufficient_scope", 403)
        cnf = told.get("cnf", {})
        try:
            bound = Confirmation(cnf.get("jkt"), cnf.get("x5t#S256"))
            await self._constraint.check_use(request, scheme.lower(), token, bound)
        except OAuthError as error:
            return _refused(error.error, 401)
        return _json(200, {"accounts": []})

    async def _introspect(self, profile: str, token: str) -> Mapping[str, Any]:
        issuer, now, client_id = f"{self._settings.provider}/{profile}", int(time.time()), f"resource-{profile}"
        claims = {"iss": client_id, "sub": client_id, "aud": issuer, "iat": now, "exp": now + 60}
        assertion = sign(self._key, claims | {"jti": secrets.token_hex(16)})
        form = {"token": token, "client_assertion_type": JWT_BEARER, "client_assertion": assertion}
        asked = self._session.post(f"{issuer}/introspect", data=form, ssl=self._settings.trusted)
        async with asked as response:
            if response.status != 200:
                return {}
            told: Mapping[str, Any] = await response.json()
            return told


def _json(status: int, members: Mapping[str, Any], *headers: tuple[str, str]) -> Response:
    told = (("Content-Type", "application/json"), ("Cache-Control", "no-store"), *headers)
    return Response(status, told, json.dumps(members).encode())


def _refused(error: str, status: int) -> Response:
    challenge = ("WWW-Authenticate", f'DPoP error="{error}", algs="PS256 ES256 EdDSA"')
    return _json(status, {"error": error}, challenge)


async def serve(settings: Settings, listener: Listener, authorities: str) -> None:
    """Until the process is told to end."""
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    async with ClientSession() as session:
        opened = await open_listener(listener, Resource(settings, session).answer, authorities)
        await ended.wait()
        await opened.close()


def main() -> None:
    """Read the arguments of `start fapi`."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("listen", "base-url", "provider"):
        parser.add_argument(f"--{name}", required=True)
    for name in ("certificate", "key", "generated"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    said = parser.parse_args()
    kept = json.loads(said.generated.read_text(encoding="utf-8"))
    trusted = ssl.create_default_context()
    trusted.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    trusted.load_verify_locations(str(said.certificate))
    settings = Settings(said.base_url.rstrip("/"), said.provider.rstrip("/"), kept["resource"], trusted)
    listener = Listener(said.listen, Tls(str(said.certificate), str(said.key)), ())
    asyncio.run(serve(settings, listener, kept["ca"]))


if __name__ == "__main__":
    main()
