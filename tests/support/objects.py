"""Request objects as clients make them, good and bad, and a provider that reads them."""

import json
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

from argon2 import PasswordHasher

from appliance.jose import tokens
from appliance.jose.encryption import encrypt
from appliance.jose.keys import SigningKey, generate, public_jwk, symmetric
from appliance.jose.unsecured import NONE
from appliance.protocol import base64url
from appliance.protocol.form import encode
from tests.support.browser import Browser, answer, header
from tests.support.person import PASSWORDS
from tests.support.provider import START, Provider, provider

ISSUER = "http://localhost:8080"
REDIRECT_URI = "https://shop.example.com/callback"
OTHER_URI = "https://shop.example.com/other"
SECRET = "0123456789abcdef0123456789abcdef-of-shop"
KEY = generate("ES256", kid="shop-1")
RSA_KEY = generate("RS256", kid="shop-2")
STRANGER = generate("ES256", kid="shop-1")
#: A profile that reads encrypted request objects.
ENCRYPTED = {"keys": {"encryption": [{"alg": "ECDH-ES"}, {"alg": "RSA-OAEP-256"}]}}
LEVELS = ("urn:example:acr:password",)

PEOPLE = {
    "sources": {
        "people": {
            "kind": "static",
            "users": {
                "u-1": {
                    "login": "anna",
                    "password": {"hash": PasswordHasher(time_cost=1, memory_cost=8192).hash(PASSWORDS["anna"])},
                    "attributes": {"id": "u-1", "name": "Anna", "emails": [{"value": "anna@example.com"}]},
                }
            },
        }
    }
}
SHOP: dict[str, Any] = {
    "client_id": "shop",
    "redirect_uris": [REDIRECT_URI, OTHER_URI],
    "jwks": {"keys": [public_jwk(KEY), public_jwk(RSA_KEY)]},
    "scope": "openid email",
    "client_secrets": [{"id": "1", "file": "secrets/shop"}],
    "op": {"profile": "main", "consent": "skip_first_party"},
}
#: The request as its parts stand outside of an object.
ASKED = {"client_id": "shop", "redirect_uri": REDIRECT_URI, "response_type": "code", "scope": "openid", "state": "s"}


@dataclass(frozen=True)
class End:
    """Where a browser ended: at the client, with parameters, or on a page."""

    location: str | None
    parameters: dict[str, str]
    status: int
    text: str

    @property
    def error(self) -> str | None:
        return self.parameters.get("error") if self.location else None

    @property
    def on_page(self) -> bool:
        return self.location is None and self.status >= 400


def shop_provider(
    *, profile: dict[str, Any] | None = None, root: dict[str, Any] | None = None, **client: Any
) -> AbstractAsyncContextManager[Provider]:
    """The smallest provider, which reads request objects of its one client."""
    settings = {
        "profile": "main",
        "issuer": ISSUER,
        "claims": "person",
        "acr": [{"value": LEVELS[0], "policy": "password"}],
        "request_parameter_supported": True,
        "request_uri_parameter_supported": True,
    }
    files: dict[str, Any] = {
        "op.yaml": {"version": 1, "name": "objects", **(root or {})},
        "profiles/main.yaml": settings | (profile or {}),
        "clients/shop.yaml": SHOP | client,
        "sources/people.yaml": PEOPLE,
    }
    texts = {name: json.dumps(content) for name, content in files.items()}
    return provider("minimal", edit=texts | {"secrets/shop": SECRET})


def claims(**changes: Any) -> dict[str, Any]:
    """The claims of a good object; None leaves one out."""
    good = {
        "iss": "shop",
        "aud": ISSUER,
        "exp": int(START) + 300,
        "client_id": "shop",
        "response_type": "code",
        "redirect_uri": REDIRECT_URI,
        "scope": "openid",
        "state": "inside",
        "nonce": "n-inside",
    }
    return {name: value for name, value in (good | changes).items() if value is not None}


def signed(key: SigningKey = KEY, typ: str | None = None, **changes: Any) -> str:
    """A request object."""
    return tokens.sign(key, claims(**changes), typ)


def mac(alg: str = "HS256", secret: bytes = SECRET.encode(), **changes: Any) -> str:
    """A request object with the client's secret, or with what somebody takes for one."""
    return tokens.sign(symmetric(secret, alg), claims(**changes))


def unsigned(alg: str = NONE, **changes: Any) -> str:
    """A request object that anybody could have written."""
    return raw({"alg": alg}, json.dumps(claims(**changes)))


def raw(head: dict[str, Any], payload: str, signature: str = "") -> str:
    """A token out of anything."""
    encoded = (base64url.encode(text.encode()) for text in (json.dumps(head), payload))
    return ".".join([*encoded, signature])


def sealed(op: Provider, content: str, alg: str = "ECDH-ES", enc: str = "A128GCM") -> str:
    """Something encrypted to the provider, as a client does who reads its key set."""
    keys = op.snapshot.profiles["main"].keys.decryption()
    return encrypt(next(key for key in keys if key.alg == alg).encryption(), content, enc=enc, cty="JWT")


def address(**changes: str | None) -> str:
    """An authorization request beside an object; None leaves a parameter out."""
    asked = {name: value for name, value in (ASKED | changes).items() if value is not None}
    return "/authorize?" + encode(asked.items())


async def end(op: Provider, path: str, browser: Browser | None = None) -> End:
    """Go there, log in if asked to, and see where it ends."""
    browser = browser or Browser(op)
    response = await browser.visit(path)
    if response.status == 200 and b'id="password"' in response.body:
        response = await browser.login(response)
    return End(header(response, "Location"), answer(response), response.status, response.body.decode())
