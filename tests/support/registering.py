"""An assembled provider at which clients register themselves."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from argon2 import PasswordHasher

from appliance.protocol.messages import Request, Response
from tests.support.browser import header
from tests.support.provider import Provider, provider

INITIAL = "op_ia_Vn3qZx8KfLw2RtYb7HcMj5PdSg9XaQe4UoTi6NvBr1k"
ENDED = "op_ia_Qe4UoTi6NvBr1kVn3qZx8KfLw2RtYb7HcMj5PdSg9Xa"
REDIRECT_URI = "https://client.example.org/callback"
PROFILE: dict[str, Any] = {
    "profile": "main",
    "issuer": "http://localhost:8080",
    "claims": "person",
    "acr": [{"value": "urn:example:acr:password", "policy": "password"}],
    "keys": {"signing": [{"alg": "ES256"}]},
    "subject_types_supported": ["public", "pairwise"],
    "pairwise": {"salt": {"file": "secrets/salt"}},
    "response_types_supported": ["code", "id_token"],
    "response_modes_supported": ["query", "fragment"],
    "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials", "implicit"],
    "token_endpoint_auth_methods_supported": [
        *("client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "none"),
    ],
}
REGISTRATION: dict[str, Any] = {
    "mode": "token",
    "initial_access_tokens": [
        {"id": "partners", "file": "secrets/initial"},
        {"id": "old", "file": "secrets/ended", "not_after": "2026-11-01T00:00:00Z"},
    ],
}
TEMPLATES = {
    "partner": {
        "client_name": "Partner",
        "scope": "openid email",
        "subject_type": "pairwise",
        "redirect_uris": ["https://partner.example/callback"],
        "op": {"profile": "main"},
    },
    "app": {
        "application_type": "native",
        "scope": "openid",
        "token_endpoint_auth_method": "none",
        "op": {"profile": "main"},
    },
}
PEOPLE = {
    "people": {
        "kind": "static",
        "users": {
            "u-1": {
                "login": "anna",
                "password": {"hash": PasswordHasher(time_cost=1, memory_cost=8192).hash("anna")},
                "attributes": {"id": "u-1", "name": "Anna", "emails": [{"value": "anna@example.com"}]},
            }
        },
    }
}


def configuration(
    profile: dict[str, Any] | None = None, *, authority: Path | None = None, **registration: Any
) -> dict[str, str]:
    """The files of a profile with registration; JSON is YAML. `authority` vouches for https on loopback."""
    outbound = {"allow_loopback": True} | ({"ca_file": str(authority)} if authority else {})
    settings = {**PROFILE, **(profile or {}), "registration": {**REGISTRATION, **registration}}
    return {
        "op.yaml": json.dumps({"version": 1, "name": "registration", "outbound": outbound}),
        "profiles/main.yaml": json.dumps(settings),
        "clients/_templates.yaml": json.dumps({"client_templates": TEMPLATES}),
        "sources/people.yaml": json.dumps({"sources": PEOPLE}),
        "secrets/salt": "4c1b0a87d2e95f3361ac8e77b0d9f2465e8a1c3b7d90f6e2a4b8c5d1e3f70912",
        "secrets/initial": INITIAL,
        "secrets/ended": ENDED,
    }


@dataclass(frozen=True)
class Answer:
    """A response read as JSON."""

    status: int
    body: dict[str, Any]
    response: Response

    def __getitem__(self, name: str) -> Any:
        return self.body[name]

    @property
    def error(self) -> Any:
        return self.body.get("error")

    @property
    def challenge(self) -> str:
        return header(self.response, "WWW-Authenticate") or ""


class Registrar:
    """Somebody who registers clients and looks after them."""

    def __init__(self, op: Provider) -> None:
        self.op = op

    async def send(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        token: str | None = None,
        peer: str = "192.0.2.7",
        headers: Mapping[str, tuple[str, ...]] | None = None,
    ) -> Answer:
        """One request with a JSON body (or bytes as they are)."""
        target, _, query = path.partition("?")
        sent = {"content-type": ("application/json",)} if body is not None else {}
        if token is not None:
            sent["authorization"] = (f"Bearer {token}",)
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        request = Request(method, target, query, {**sent, **(headers or {})}, raw, peer, self.op.clock())
        response = await self.op.respond(request)
        told = json.loads(response.body) if response.body[:1] == b"{" else {}
        return Answer(response.status, told, response)

    async def register(self, *, token: str | None = INITIAL, peer: str = "192.0.2.7", **metadata: Any) -> Answer:
        """Register a client that has a redirect URI unless it says another; `...` leaves a member out."""
        whole = {"redirect_uris": [REDIRECT_URI]} | metadata
        said = {name: value for name, value in whole.items() if value is not ...}
        return await self.send("POST", "/register", said, token=token, peer=peer)

    async def manage(self, method: str, registered: Answer, body: object = None, *, token: str | None = None) -> Answer:
        """A request at the client's own address with its own token."""
        parts = urlsplit(registered["registration_client_uri"])
        own = registered["registration_access_token"]
        return await self.send(method, f"{parts.path}?{parts.query}", body, token=own if token is None else token)


@asynccontextmanager
async def registrar(
    profile: dict[str, Any] | None = None, *, authority: Path | None = None, **registration: Any
) -> AsyncIterator[Registrar]:
    """A provider with registration, and somebody to use it."""
    edit = configuration(profile, authority=authority, **{"templates": ["partner", "app"], **registration})
    async with provider("minimal", edit=edit) as op:
        yield Registrar(op)
