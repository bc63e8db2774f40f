"""What clients in the browser can see of the login: the session state (OpenID Connect Session Management 2, 3.2).

A cookie that the iframe's script may read stands for all sessions that the browser holds; the session state of a
client is a salted hash over it, so that the iframe tells whether it still holds without asking the provider.
"""

import hashlib
import re
from collections.abc import Iterable
from typing import Final

from appliance.protocol import base64url, redirect_uri
from appliance.protocol.handles import Entropy
from appliance.protocol.messages import SetCookie

_SALT_BYTES: Final = 16
_DEFAULT_PORT: Final = {"http": ":80", "https": ":443"}
_PORT = re.compile(r":0*([0-9]+)$")


class SessionState:
    """The session states of one profile; without `offered` there are none, and no cookie."""

    def __init__(self, *, issuer: str, profile: str, offered: bool, entropy: Entropy) -> None:
        self.offered = offered
        self._issuer = issuer
        self._secure = issuer.startswith("https://")
        self._entropy = entropy
        prefix = "__Host-" if self._secure else ""
        self.cookie: Final = f"{prefix}op_browser_state_{profile}"

    def cookies(self, sids: Iterable[str]) -> tuple[SetCookie, ...]:
        """The cookie of a browser that holds these sessions; it goes when there is none."""
        if not self.offered:
            return ()
        value = self._of_browser(sids)
        # In an iframe of another site only SameSite=None is sent and seen, and that needs Secure.
        same_site = "None" if self._secure else "Lax"
        max_age = None if value else 0
        return (SetCookie(self.cookie, value, max_age, self._secure, same_site, http_only=False),)

    def parameters(self, client_id: str, reply_to: str, sids: Iterable[str]) -> tuple[tuple[str, str], ...]:
        """`session_state` of an authorization response; none where the client has no origin in a browser."""
        origin = _browser_origin(reply_to) if self.offered else None
        if origin is None:
            return ()
        salt = base64url.encode(self._entropy(_SALT_BYTES))
        text = " ".join((client_id, origin, self._of_browser(sids), salt))
        return (("session_state", f"{hashlib.sha256(text.encode()).hexdigest()}.{salt}"),)

    def _of_browser(self, sids: Iterable[str]) -> str:
        """What the cookie says: the same as long as the same sessions are there, whichever is in use."""
        held = sorted(sids)
        if not held:
            return ""
        return base64url.encode(hashlib.sha256("\x1f".join((self._issuer, *held)).encode()).digest())


def _browser_origin(uri: str) -> str | None:
    """The origin as a browser writes it (RFC 6454 6.2): lower case, without the scheme's own port."""
    origin = redirect_uri.origin(uri)
    if origin is None:
        return None
    origin = _PORT.sub(r":\1", origin.lower())
    return origin.removesuffix(_DEFAULT_PORT[origin.partition(":")[0]])
