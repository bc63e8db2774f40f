"""Parameters in the query of the redirect URI (Multiple Response Type Encoding Practices 2.1)."""

from collections.abc import Iterable

from appliance.protocol.messages import Response
from appliance.protocol.redirect_uri import ReplyTo
from appliance.protocol.redirects import see_other, with_query


class Query:
    """`response_mode=query`."""

    name = "query"
    secured = False

    def render(self, reply_to: ReplyTo, parameters: Iterable[tuple[str, str]]) -> Response:
        """The redirect with the parameters behind the query that the redirect URI has of its own."""
        return see_other(with_query(reply_to.redirect_uri, parameters))
