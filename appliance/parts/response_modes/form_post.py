"""Parameters in a form that posts itself (OAuth 2.0 Form Post Response Mode 2)."""

from collections.abc import Iterable

from appliance.protocol.messages import Response
from appliance.protocol.pages import FormPostPage, PageReply
from appliance.protocol.redirect_uri import ReplyTo, form_action
from appliance.protocol.redirects import NO_STORE


class FormPost:
    """`response_mode=form_post`."""

    name = "form_post"
    secured = False

    def render(self, reply_to: ReplyTo, parameters: Iterable[tuple[str, str]]) -> Response:
        """The page with the form; the endpoint fills in whose page it is."""
        page = FormPostPage(redirect_uri=reply_to.redirect_uri, fields=tuple(parameters))
        return Response(
            headers=NO_STORE,
            page=PageReply(page=page, profile="", form_action=(form_action(reply_to.redirect_uri),)),
        )
