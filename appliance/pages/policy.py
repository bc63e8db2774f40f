"""The headers of a page: Content Security Policy above all.

A second wall behind autoescape and the lint of themes. The policy of a page is constant but for where its form
may lead, where its pictures come from, and which clients' frames the page after a logout loads.
"""

import re
from base64 import b64encode
from collections.abc import Iterable
from functools import lru_cache
from hashlib import sha256
from urllib.parse import urlsplit

from appliance.pages.context import AUTO_SUBMIT_SCRIPT

AUTO_SUBMIT_SOURCE = f"'sha256-{b64encode(sha256(AUTO_SUBMIT_SCRIPT.encode()).digest()).decode()}'"

#: Host or bracketed address with an optional port: nothing that could end a source or a directive.
_HOST = re.compile(r"(?:[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.?|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:")
_REFUSED_SCHEMES = frozenset({"javascript:", "data:", "vbscript:", "blob:", "filesystem:", "about:"})

_FIXED = (
    ("Content-Type", "text/html; charset=utf-8"),
    ("Cache-Control", "no-store"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
    # Older browsers know no frame-ancestors.
    ("X-Frame-Options", "DENY"),
    ("Permissions-Policy", "publickey-credentials-get=(self), camera=(), geolocation=(), microphone=()"),
)
# A page that a client sent its user to may be in a popup of that client, which waits there for the answer: apart from
# its opener it could never give it. All other pages are in nobody's window but the user's.
_APART = ("Cross-Origin-Opener-Policy", "same-origin")


def origin_of(address: str | None) -> str:
    """The origin of an http or https address as a CSP source, or "" where there is none to be trusted."""
    try:
        parts = urlsplit(address or "")
    except ValueError:
        return ""
    host = parts.netloc
    if parts.scheme not in ("http", "https") or not _HOST.fullmatch(host):
        return ""
    return f"{parts.scheme}://{host}"


def web_address(address: str | None) -> str:
    """An address that a link or picture may carry: http or https, else ""."""
    return address if address and origin_of(address) else ""


def is_source(source: str) -> bool:
    """Whether a form-action source is an origin or a bare scheme, and no more."""
    if _SCHEME.fullmatch(source):
        return source not in _REFUSED_SCHEMES
    return bool(source) and origin_of(source) == source


def check_redirect_uri(redirect_uri: str) -> None:
    """Refuses to write a form that would run its address instead of sending to it."""
    scheme, colon, _ = redirect_uri.partition(":")
    if not _SCHEME.fullmatch(found := (scheme + colon).lower()) or found in _REFUSED_SCHEMES:
        raise ValueError("the redirect_uri of a form_post page has no scheme that a form may send to")


@lru_cache(maxsize=1024)
def page_headers(
    locale: str,
    form_action: tuple[str, ...],
    image: str,
    *,
    auto_submit: bool = False,
    frames: tuple[str, ...] = (),
    of_client: bool = False,
) -> tuple[tuple[str, str], ...]:
    """All headers of a page, be it a client's; sources that are not well formed are left out."""
    script = AUTO_SUBMIT_SOURCE if auto_submit else "'self'"
    sources = " ".join(source for source in frames if is_source(source))
    policy = "; ".join(
        (
            "default-src 'none'",
            *((f"frame-src {sources}",) if sources else ()),
            "style-src 'self'",
            _directive("img-src", (image,)),
            "font-src 'self'",
            f"script-src {script}",
            "connect-src 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            _directive("form-action", form_action),
        )
    )
    fixed = _FIXED if of_client else (*_FIXED, _APART)
    return (*fixed, ("Content-Language", locale), ("Content-Security-Policy", policy))


def _directive(name: str, sources: Iterable[str]) -> str:
    wanted = dict.fromkeys(source for source in sources if is_source(source))
    return " ".join((name, "'self'", *wanted))
