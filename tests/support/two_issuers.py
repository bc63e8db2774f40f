"""Two issuers, `/a` and `/b`, with the same people, clients of the same kinds, and everything switched on."""

import json
from typing import Any

from argon2 import PasswordHasher

from appliance.client_assertions import JWT_BEARER
from appliance.jose.keys import symmetric
from appliance.jose.tokens import sign
from tests.support.provider import Provider
from tests.support.relying import Answer, RelyingParty, secret_of

ORIGIN = "http://localhost:8080"
INITIAL = "op_ia_Vn3qZx8KfLw2RtYb7HcMj5PdSg9XaQe4UoTi6NvBr1k"
SECRETS = {
    f"{kind}-{letter}": f"{kind}-{letter}-3f1c9a7be2d84506b1a7c3d9e5f20481"
    for kind in ("web", "mac", "machine", "pair")
    for letter in "ab"
}
_HASHER = PasswordHasher(time_cost=1, memory_cost=8192)


def issuer(letter: str) -> str:
    """The issuer `a` or `b`."""
    return f"{ORIGIN}/{letter}"


def profile(letter: str, **changes: Any) -> str:
    """The file of an issuer; JSON is YAML."""
    return json.dumps(
        {
            "profile": letter,
            "issuer": issuer(letter),
            "claims": "person",
            "acr": [
                {"value": "urn:example:acr:1", "policy": "password"},
                {"value": "urn:example:acr:2", "policy": "recent"},
            ],
            "keys": {"signing": [{"alg": "ES256", "rotate_every": "90d", "publish_before": "7d"}]},
            "subject_types_supported": ["public", "pairwise"],
            "pairwise": {"salt": {"file": "secrets/salt"}},
            "response_types_supported": ["code", "code id_token", "id_token"],
            "response_modes_supported": [
                "query",
                "fragment",
                "form_post",
                "query.jwt",
                "fragment.jwt",
                "form_post.jwt",
            ],
            "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials", "implicit"],
            "token_endpoint_auth_methods_supported": [
                *("client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "none"),
            ],
            "scopes": {
                "openid": {},
                "profile": {"claims": ["name"]},
                "email": {"claims": ["email"]},
                "offline_access": {},
                "reports.read": {"consent": False},
            },
            "request_parameter_supported": True,
            "request_uri_parameter_supported": True,
            "endpoints": {"introspection": True, "revocation": True, "pushed_authorization_request": True},
            "logout": {"rp_initiated": True, "backchannel": True, "frontchannel": True, "session_management": True},
            "registration": {"mode": "token", "initial_access_tokens": [{"id": "first", "file": "secrets/initial"}]},
            "throttle": {"account_failures": 5, "address_failures": 20, "window": "60s", "delay": "30s"},
        }
        | changes
    )


def clients(letter: str) -> dict[str, dict[str, Any]]:
    """One client of each kind: confidential, with a MAC, a machine, pairwise, in a browser, native."""

    def known(name: str) -> dict[str, Any]:
        return {"client_secrets": [{"id": "1", "file": f"secrets/{name}-{letter}"}]}

    def web(name: str) -> dict[str, Any]:
        return {
            "client_name": f"{name} of {letter}",
            "redirect_uris": [f"https://{name}-{letter}.example/cb"],
            "scope": "openid profile email offline_access reports.read",
            "op": {"profile": letter, "refresh_token": "always"},
            "grant_types": ["authorization_code", "refresh_token"],
        }

    machine = {
        "client_name": "machine",
        "response_types": [],
        "grant_types": ["client_credentials"],
        "scope": "reports.read",
        "op": {"profile": letter, "introspection": "all"},
    }
    native = {
        "application_type": "native",
        "redirect_uris": ["http://127.0.0.1/cb", "http://[::1]/cb", "com.example.app:/cb"],
        "token_endpoint_auth_method": "none",
        "op": {"profile": letter, "refresh_token": "offline_access"},
    }
    spa = {
        "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code"],
        "op": {"profile": letter, "cors_origins": [f"https://spa-{letter}.example"]},
    }
    return {
        f"web-{letter}": web("web") | known("web"),
        f"mac-{letter}": machine | known("mac") | {"token_endpoint_auth_method": "client_secret_jwt"},
        f"machine-{letter}": machine | known("machine"),
        f"pair-{letter}": web("pair") | known("pair") | {"subject_type": "pairwise"},
        f"spa-{letter}": web("spa") | spa,
        f"native-{letter}": web("native") | native,
    }


def people() -> str:
    """Users whose passwords are as in config.example."""
    return json.dumps(
        {
            "sources": {
                "people": {
                    "kind": "static",
                    "users": {
                        f"u-{name}": {
                            "login": name,
                            "password": {"hash": _HASHER.hash(f"{name}-demo-password")},
                            "attributes": {"id": f"u-{name}", "name": name, "emails": []},
                        }
                        for name in ("anna", "ben")
                    },
                }
            }
        }
    )


_PEOPLE = people()


def configuration(**profiles: Any) -> dict[str, str]:
    """The files, to be laid over the accepted case `minimal`; `a` and `b` change settings of the issuers."""
    files = {f"secrets/{name}": value for name, value in SECRETS.items()}
    for letter in "ab":
        files[f"profiles/{letter}.yaml"] = profile(letter, **profiles.get(letter, {}))
        files[f"clients/{letter}.yaml"] = json.dumps({"clients": clients(letter)})
    return {
        **files,
        "op.yaml": json.dumps({"version": 1, "name": "two", "outbound": {"allow_loopback": True}}),
        "profiles/main.yaml": "",
        "clients/shop.yaml": "",
        "policies/all.yaml": json.dumps(
            {
                "policies": {
                    "password": {"steps": [{"authenticate": "password"}]},
                    "recent": {"steps": [{"authenticate": "password"}], "max_age": "5m"},
                }
            }
        ),
        "sources/people.yaml": _PEOPLE,
        "secrets/salt": "4c1b0a87d2e95f3361ac8e77b0d9f2465e8a1c3b7d90f6e2a4b8c5d1e3f70912",
        "secrets/initial": INITIAL,
    }


def party(op: Provider, kind: str, letter: str, **browser: Any) -> RelyingParty:
    """A client of that kind at `a` or `b`."""
    client_id = f"{kind}-{letter}"
    return RelyingParty(op, client_id, f"https://{client_id}.example/cb", path=f"/{letter}", **browser)


async def asserted(op: Provider, client_id: str, letter: str, audience: str, jti: str) -> Answer:
    """A token request of a client that signs an assertion for an audience, sent to the issuer `letter`."""
    now = int(op.clock())
    claims = {"iss": client_id, "sub": client_id, "aud": audience, "exp": now + 60, "iat": now, "jti": jti}
    assertion = sign(symmetric(secret_of(op, client_id).encode(), "HS256"), claims, None)
    form: dict[str, str | None] = {
        "grant_type": "client_credentials",
        "client_assertion_type": JWT_BEARER,
        "client_assertion": assertion,
    }
    return await RelyingParty(op, client_id, path=f"/{letter}").post("/token", form)
