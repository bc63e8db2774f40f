"""Parameters in the fragment of the redirect URI (Multiple Response Type Encoding Practices 2.1)."""

from collections.abc import Iterable

from appliance.protocol.form import encode
from appliance.protocol.messages import Response
from appliance.protocol.redirect_uri import ReplyTo
from appliance.protocol.redirects import see_other


class Fragment:
    """`response_mode=fragment`."""

    name = "fragment"
    secured = False

    def render(self, reply_to: ReplyTo, parameters: Iterable[tuple[str, str]]) -> Response:
        """The redirect; a redirect URI has no fragment of its own (RFC 6749 3.1.2)."""
        return see_other(f"{reply_to.redirect_uri}#{encode(parameters)}")
