"""Proof Key for Code Exchange (RFC 7636), S256 alone: with `plain` who sees the request has the verifier."""

import hashlib
import hmac
import re
from typing import Final

from appliance.protocol import base64url
from appliance.protocol.errors import InvalidRequest

S256: Final = "S256"

# RFC 7636 4.2: the base64url text of a SHA-256 digest has 43 characters, no more and no fewer.
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
# RFC 7636 4.1.
_VERIFIER = re.compile(r"[A-Za-z0-9\-._~]{43,128}")


def read_challenge(challenge: str | None, method: str | None) -> str | None:
    """The code_challenge, None when PKCE is not used. InvalidRequest when it could never be met."""
    if challenge is None:
        if method is not None:
            raise InvalidRequest("code_challenge_method needs a code_challenge", parameter="code_challenge")
        return None
    # RFC 7636 4.3: an omitted method means plain (RFC 9700 2.1.1 keeps it out).
    if method != S256:
        raise InvalidRequest("code_challenge_method must be S256", parameter="code_challenge_method")
    if not _CHALLENGE.fullmatch(challenge):
        raise InvalidRequest("code_challenge is not an S256 challenge", parameter="code_challenge")
    return challenge


def challenge_of(verifier: str) -> str:
    """The S256 challenge of an ASCII verifier (RFC 7636 4.2)."""
    return base64url.encode(hashlib.sha256(verifier.encode("ascii")).digest())


def verify(verifier: str, challenge: str) -> bool:
    """Whether a verifier is well-formed and gives the challenge; compared as texts, in constant time."""
    if not _VERIFIER.fullmatch(verifier):
        return False
    return hmac.compare_digest(challenge_of(verifier).encode("ascii"), challenge.encode("utf-8"))
