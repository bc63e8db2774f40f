"""Secrets as a type: the value never shows in a repr, a log line or a diagnostic."""

import hashlib
import hmac
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Secret:
    """A resolved secret reference. `origin` tells where it came from, without the value.

    `hashed` is empty for a value that is known, else the scheme of the digest in `value` ("sha256").
    """

    value: bytes = field(repr=False)
    origin: str
    hashed: str = ""

    def matches(self, presented: bytes) -> bool:
        """Whether what was presented is this secret, in constant time (OpenID Connect Core 16.12)."""
        return hmac.compare_digest(hashlib.sha256(presented).digest(), self.digest)

    @property
    def digest(self) -> bytes:
        """The SHA-256 of the secret, whichever of both is known."""
        return self.value if self.hashed == "sha256" else hashlib.sha256(self.value).digest()

    def __str__(self) -> str:
        return f"<secret {self.origin}>"
