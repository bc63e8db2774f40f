"""Proof Key for Code Exchange (RFC 7636), S256 only: `plain` protects nothing that a thief of the request sees."""

import hashlib
import hmac
import re

from appliance.protocol import base64url

_VERIFIER = re.compile(r"[A-Za-z0-9\-._~]{43,128}")


def verifies(verifier: str, challenge: str) -> bool:
    """Whether a verifier is well formed and its S256 digest is the challenge, text by text (RFC 7636 4.1, 4.6)."""
    if not _VERIFIER.fullmatch(verifier):
        return False
    digest = base64url.encode(hashlib.sha256(verifier.encode("ascii")).digest())
    return hmac.compare_digest(digest.encode("ascii"), challenge.encode("utf-8", "surrogatepass"))
