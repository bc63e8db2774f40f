"""What the suite looks at in answers and tokens: one function for each condition that many modules share."""

import hashlib
import json
import math
import re
from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

from jwcrypto.jwk import JWKSet
from jwcrypto.jws import JWS

from appliance.protocol import base64url
from appliance.protocol.messages import Response
from tests.support.browser import header

CORE = frozenset(
    "iss sub aud exp iat auth_time nonce acr amr azp at_hash c_hash s_hash jti nbf sid txn".split()
)
ANSWER = frozenset("code id_token access_token token_type expires_in scope state session_state iss".split())
REFUSAL = frozenset("error error_description error_uri state session_state iss".split())
CLAIMS: Mapping[str, frozenset[str]] = {
    "profile": frozenset(
        "name family_name given_name middle_name nickname preferred_username profile picture website gender "
        "birthdate zoneinfo locale updated_at".split()
    ),
    "email": frozenset({"email", "email_verified"}),
    "address": frozenset({"address"}),
    "phone": frozenset({"phone_number", "phone_number_verified"}),
}
ISSUER = "https://op.example.com"
_DESCRIPTION = re.compile(r"[\x20-\x21\x23-\x5b\x5d-\x7e]*")


def check_entropy(text: str) -> None:
    """At least 16 octets, and more than 96 bits by the frequency of its own characters."""
    counts = Counter(text)
    bits = -sum(count * math.log2(count / len(text)) for count in counts.values())
    assert len(text) >= 16
    assert bits > 96


def read_jwt(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims, unverified."""
    parts = token.split(".")
    assert len(parts) == 3
    head, claims = (json.loads(base64url.decode(part)) for part in parts[:2])
    return head, claims


def verified(token: str, jwks: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a token that a published key verifies: the key that its kid names."""
    head, claims = read_jwt(token)
    assert head.get("kid"), "no kid"
    key = JWKSet.from_json(jwks.decode()).get_key(head["kid"])
    assert key is not None, "kid is not in the JWKS"
    read = JWS()
    read.allowed_algs = [head["alg"]]
    read.deserialize(token, key)
    return head, claims


def hash_of(text: str) -> str:
    """at_hash and c_hash for RS256 (OpenID Connect Core 3.1.3.6)."""
    return base64url.encode(hashlib.sha256(text.encode()).digest()[:16])


def check_id_token(
    claims: Mapping[str, Any], *, client_id: str, now: float, nonce: str | None, allowed: Collection[str] = ()
) -> None:
    """The claims of an ID Token; `allowed` are claims beside the core that may be in it."""
    assert claims["iss"] == ISSUER
    assert claims["aud"] in (client_id, [client_id])
    assert 0 < len(claims["sub"]) <= 255
    assert claims["sub"].isascii()
    assert claims["exp"] > now
    assert abs(claims["iat"] - now) < 300
    assert claims.get("nonce") == nonce
    assert claims.get("azp", client_id) == client_id
    assert isinstance(claims["acr"], str)
    assert claims["acr"]
    assert claims.keys() <= CORE | set(allowed), claims.keys() - CORE - set(allowed)


def check_token_response(response: Response) -> dict[str, Any]:
    """A token response: JSON that nobody keeps, Bearer, with a lifetime of at most a year."""
    assert response.status == 200, response.body
    assert (header(response, "Content-Type") or "").startswith("application/json")
    assert "no-store" in (header(response, "Cache-Control") or "")
    body: dict[str, Any] = json.loads(response.body)
    assert body["token_type"].lower() == "bearer"
    assert type(body["expires_in"]) is int
    assert 0 < body["expires_in"] <= 365 * 86400
    check_entropy(body["access_token"])
    return body


def check_refused(response: Response, error: str) -> dict[str, Any]:
    """A refusal of the token endpoint: 400, JSON, that error, a clean description."""
    assert response.status == 400, response.body
    assert (header(response, "Content-Type") or "").startswith("application/json")
    body: dict[str, Any] = json.loads(response.body)
    assert body["error"] == error
    assert _DESCRIPTION.fullmatch(body.get("error_description", ""))
    assert body.keys() <= {"error", "error_description", "error_uri"}
    return body


def check_error(fields: Mapping[str, str], errors: Collection[str], state: str | None) -> None:
    """An error in an authorization response: no member that is not registered, the state intact."""
    assert fields["error"] in errors, fields
    assert fields.keys() <= REFUSAL, fields.keys() - REFUSAL
    assert fields.get("state") == state
    assert _DESCRIPTION.fullmatch(fields.get("error_description", ""))
    assert fields.get("iss", ISSUER) == ISSUER


def check_claims(claims: Mapping[str, Any], now: float) -> None:
    """The types and forms of standard claims (OpenID Connect Core 5.1)."""
    for name, value in claims.items():
        if name in ("email_verified", "phone_number_verified"):
            assert type(value) is bool
        elif name == "updated_at":
            assert type(value) in (int, float)
            assert 631152000 < value <= now
        elif name == "address":
            assert value
            assert all(isinstance(each, str) and each.strip() for each in value.values())
            assert value.keys() <= {"formatted", "street_address", "locality", "region", "postal_code", "country"}
        elif any(name in names for names in CLAIMS.values()):
            assert isinstance(value, str)
            assert value.strip()
            assert value != "null"
    if "birthdate" in claims:
        assert re.fullmatch(r"(?:0000|\d{4})-\d\d-\d\d|\d{4}", claims["birthdate"])
        assert 1850 <= int(claims["birthdate"][:4]) <= 2026
    for name in ("profile", "picture", "website"):
        assert claims.get(name, "https://").startswith("https://")


def page_ids(response: Response) -> set[str]:
    """The ids of a page."""
    return set(re.findall(r'\bid="([^"]+)"', response.body.decode()))


def check_error_page(response: Response, parameter: str = "") -> None:
    """An error page that names the parameter, and leads nowhere."""
    assert header(response, "Location") is None
    assert header(response, "Refresh") is None
    assert response.status == 400
    assert (header(response, "Content-Type") or "").startswith("text/html")
    assert "error-page" in page_ids(response)
    assert f"<code>{parameter}</code>" in response.body.decode() if parameter else True
