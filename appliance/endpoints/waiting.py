"""The way of requests that came without a browser: the user decides in his, and the client hears of it by polling.

Through the same pages as every other request: the same login, levels and policies. What differs is the last page,
which always asks (RFC 8628 5.4: whoever sent the user here may have begun the request himself), and where the
answer goes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Final

from appliance.endpoints import authorization_rules
from appliance.endpoints.authorization_reply import Refused
from appliance.endpoints.page_replies import PageProblem, error_page
from appliance.profile.profile import Profile
from appliance.protocol.authorization import Authorization
from appliance.protocol.authorization_request import AuthorizationRequest, read_direct, restore
from appliance.protocol.client import NOBODY, Client
from appliance.protocol.errors import AccessDenied, OAuthError, ServerError, TransactionFailed, UnauthorizedClient
from appliance.protocol.form import Params
from appliance.protocol.messages import Request, Response
from appliance.protocol.records import PendingAuthorization
from appliance.protocol.redirects import see_other

#: Where the user is asked, and where he reads what became of it.
APPROVAL: Final = "/approval"
APPROVALS: Final = "/approvals"
APPROVED: Final = "/approval/done"
DENIED: Final = "/approval/denied"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A client that waits for its user's decision."""

    consent: ClassVar[str] = APPROVAL
    form_action: ClassVar[tuple[str, ...]] = ()

    client: Client
    pending: PendingAuthorization

    @property
    def decides(self) -> str:
        """The pending authorization."""
        return self.pending.id

    async def approve(self, profile: Profile, authorization: Authorization, *, offline: bool) -> Response:
        """Let the client have what was granted, and tell the user. PageProblem when it was too late."""
        pendings = profile.pending
        # Where the tokens go is no part of the browser's session, and does not end with it.
        granted = replace(authorization, sid=None)
        if pendings is None or not await pendings.approve(self.pending.id, granted, offline=offline):
            raise PageProblem("expired", "the request was answered already, or has expired", client=self.client)
        return see_other(profile.path + APPROVED)

    async def refuse(
        self, profile: Profile, request: Request, error: OAuthError, more: Iterable[tuple[str, str]] = ()
    ) -> Response:
        """Let the client have its refusal, and tell the user. What failed only for now leaves the request open."""
        if error.status < ServerError.status and profile.pending is not None:
            failed = TransactionFailed.error if self.pending.user else AccessDenied.error
            denied = isinstance(error, AccessDenied)
            await profile.pending.refuse(self.pending.id, AccessDenied.error if denied else failed)
            if denied:
                return see_other(profile.path + DENIED)
        message = "denied" if error.status < ServerError.status else "server_error"
        return error_page(profile, request, error, message, client=self.client)


@dataclass(frozen=True, slots=True)
class Home:
    """Nobody asks: the user himself came to a page of ours, at `path`, that needs a login."""

    consent: ClassVar[str] = ""
    form_action: ClassVar[tuple[str, ...]] = ()
    client: ClassVar[Client] = NOBODY

    path: str

    @property
    def decides(self) -> str:
        """The path, which no id can be taken for."""
        return self.path

    @property
    def asked(self) -> AuthorizationRequest:
        """A request for a login and for nothing else."""
        return replace(read_direct(Params((("client_id", self.path),))), prompt=frozenset())

    async def refuse(
        self, profile: Profile, request: Request, error: OAuthError, more: Iterable[tuple[str, str]] = ()
    ) -> Response:
        """Tell the user."""
        message = "denied" if error.status < ServerError.status else "server_error"
        return error_page(profile, request, error, message)


async def read_decided(
    decides: str, parameters: Mapping[str, str], profile: Profile
) -> tuple[Waiting | Home, AuthorizationRequest]:
    """The request of an interaction that no client sent through the browser. As `read_waiting`."""
    if decides.startswith("/"):
        home = Home(decides)
        return home, home.asked
    return await read_waiting(decides, parameters, profile)


async def read_waiting(
    id: str, parameters: Mapping[str, str], profile: Profile
) -> tuple[Waiting, AuthorizationRequest]:
    """The request of a pending authorization as it counts now. PageProblem; Refused; StoreUnavailable."""
    pending = None if profile.pending is None else await profile.pending.find(id)
    client = None if pending is None else await profile.clients.find(pending.client_id)
    if pending is None or client is None:
        raise PageProblem("expired", "the request was answered already, or has expired")
    way = Waiting(client, pending)
    try:
        if pending.grant_type not in client.grant_types:
            raise UnauthorizedClient("the client is not registered for this grant type")
        asked = read_direct(restore({**parameters, "client_id": client.client_id}))
        asked = authorization_rules.check_direct(asked, client, profile)
    except OAuthError as error:
        raise Refused(way, error) from None
    return way, replace(asked, hinted_sub=pending.sub or asked.hinted_sub)
