"""What no client may prove itself with."""

from typing import Any

from tests.conformance.fapi.suite import BASE, Sent, Suite


def wrong_assertions(suite: Suite, issuer: str) -> list[Sent]:
    """How no client may prove itself."""
    now = suite.now
    audiences = (
        *([issuer], [issuer, f"{issuer}/par"], [issuer, "https://other.example"], [f"{issuer}/par"]),
        *(f"{issuer}/par", f"{issuer}/token", f"{issuer}/", BASE, "https://other.example", None, ""),
    )
    claims: list[dict[str, Any]] = [
        {"sub": None},
        {"iss": None},
        {"jti": None},
        {"sub": "plain-key-dpop-2"},
        {"exp": now - 300, "iat": now - 360},
        {"exp": None},
        {"iat": now + 65, "nbf": now + 65, "exp": now + 120},
        *({"aud": aud} for aud in audiences),
    ]
    return [Sent(alg="RS256"), Sent(proved=False), *(Sent(assertion=each) for each in claims)]
