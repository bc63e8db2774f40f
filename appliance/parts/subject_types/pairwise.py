"""The pairwise subject type (OpenID Connect Core 8.1): each sector knows the user by another `sub`.

The derivation is part of every relying party's user table: it never changes. Golden vectors hold it.
"""

import hashlib
import hmac

from appliance.protocol import base64url
from appliance.protocol.secret import Secret


class Pairwise:
    """HMAC-SHA-256 of sector and local value under the profile's salt: nobody else can invert or link it."""

    name = "pairwise"

    def __init__(self, *, salt: Secret) -> None:
        self._mac = hmac.new(salt.value, digestmod=hashlib.sha256)

    def sub(self, local: str, sector: str) -> str:
        """43 base64url characters that only (salt, sector, local) decide."""
        mac = self._mac.copy()
        for part in (sector, local):
            octets = part.encode("utf-8")
            # The length in front keeps ("a", "bc") and ("ab", "c") apart.
            mac.update(len(octets).to_bytes(8, "big") + octets)
        return base64url.encode(mac.digest())
