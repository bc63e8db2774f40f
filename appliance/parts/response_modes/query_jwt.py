"""One signed JWT in the query of the redirect URI (JARM 2.3.1)."""

from collections.abc import Iterable

from appliance.protocol.messages import Response
from appliance.protocol.redirect_uri import ReplyTo
from appliance.protocol.redirects import see_other, with_query


class QueryJwt:
    """`response_mode=query.jwt`."""

    name = "query.jwt"
    secured = True

    def render(self, reply_to: ReplyTo, parameters: Iterable[tuple[str, str]]) -> Response:
        """The redirect with the JWT behind the query that the redirect URI has of its own."""
        return see_other(with_query(reply_to.redirect_uri, parameters))
