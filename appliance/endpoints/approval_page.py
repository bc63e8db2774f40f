"""The last page of a request that came without a browser: is it yours, and may the client have this?

It is asked each time, whatever is remembered: whoever sent the user here may have begun the request himself, and
only the user can know (RFC 8628 5.4).
"""

from collections.abc import Mapping
from dataclasses import fields

from appliance.endpoints.consent_page import ConsentPageEndpoint
from appliance.endpoints.page_replies import locales, reply
from appliance.endpoints.visits import Visit
from appliance.endpoints.waiting import APPROVAL, APPROVED, DENIED, Waiting
from appliance.profile.profile import Profile
from appliance.protocol import user_code
from appliance.protocol.messages import Request, Response
from appliance.protocol.pages import ApprovalPage, ConsentPage, DecidedPage, PageReply
from appliance.protocol.records import Session


class ApprovalPageEndpoint(ConsentPageEndpoint):
    """Asks the user who is logged in whether the request is his."""

    name = "approval_page"
    path = APPROVAL

    def _page(self, visit: Visit, session: Session) -> ConsentPage:
        way, asked = visit.channel, super()._page(visit, session)
        pending = way.pending if isinstance(way, Waiting) else None
        return ApprovalPage(
            **{field.name: getattr(asked, field.name) for field in fields(asked)},
            user_code="" if pending is None else user_code.shown(pending.user_code),
            binding_message="" if pending is None else pending.binding_message,
        )


class DecidedPageEndpoint:
    """What became of a request: the device, or whoever asked, goes on by itself."""

    methods = frozenset({"GET"})
    cors = "none"

    def __init__(self, profile: Profile, path: str, *, allowed: bool) -> None:
        self.name = "approval_done_page" if allowed else "approval_denied_page"
        self.path = path
        self._profile = profile
        self._allowed = allowed

    async def handle(self, request: Request) -> Response:
        """The page."""
        shown = DecidedPage(allowed=self._allowed)
        here = self._profile.path + self.path
        return reply(PageReply(page=shown, profile=self._profile.id, locales=locales(request), here=here))

    def metadata(self) -> Mapping[str, object]:
        """Nothing: clients never call it."""
        return {}


def approval_pages(profile: Profile) -> tuple[ApprovalPageEndpoint | DecidedPageEndpoint, ...]:
    """The pages of a decision."""
    return (
        ApprovalPageEndpoint(profile),
        DecidedPageEndpoint(profile, APPROVED, allowed=True),
        DecidedPageEndpoint(profile, DENIED, allowed=False),
    )
