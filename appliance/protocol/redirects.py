"""Redirects of the browser: 303 always, never kept by a cache (RFC 9700 4.12)."""

from collections.abc import Iterable
from typing import Final

from appliance.protocol.form import encode
from appliance.protocol.messages import Response

NO_STORE: Final = (("Cache-Control", "no-store"),)


def see_other(location: str) -> Response:
    """A redirect that turns any method into GET, so that no form is ever posted on (RFC 9700 4.12)."""
    return Response(status=303, headers=(("Location", location), *NO_STORE))


def with_query(uri: str, parameters: Iterable[tuple[str, str]]) -> str:
    """A URI with parameters behind the query that it has: its own bytes stay as they are (RFC 6749 3.1.2)."""
    query = encode(parameters)
    if not query:
        return uri
    if "?" not in uri:
        return f"{uri}?{query}"
    # A registered "?" or "&" at the very end already separates.
    return f"{uri}{query}" if uri.endswith(("?", "&")) else f"{uri}&{query}"
