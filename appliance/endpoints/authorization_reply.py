"""The way back to the client: made of a verified client and redirect URI, and of nothing else.

Success and error go the same way, with `state` as it came and the issuer's name (RFC 9207 2).
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from typing import ClassVar, Protocol

from appliance.endpoints.page_replies import (
    PageProblem,
    error_page,
    locales,
    problem_page,
    unavailable_page,
)
from appliance.profile.profile import Profile
from appliance.protocol import authorization_request, redirect_uri
from appliance.protocol.authorization_request import AuthorizationRequest
from appliance.protocol.client import Client
from appliance.protocol.errors import InvalidRequest, OAuthError, ServerError, TemporarilyUnavailable
from appliance.protocol.form import Params
from appliance.protocol.frozen import quick
from appliance.protocol.messages import Request, Response
from appliance.protocol.prompt import NONE
from appliance.protocol.records import PushedAuthorizationRequest
from appliance.protocol.redirect_uri import ReplyTo
from appliance.seams import SourceUnavailable, StoreUnavailable

# One text for all: who asks must not learn which clients there are (RFC 9700 4.11.2).
_UNVERIFIED = "client_id is unknown, or redirect_uri is missing or not registered for it"

# Keys of what the user reads, by the status of what happened.
_MESSAGES = {500: "server_error", 503: "unavailable"}


class Way(Protocol):
    """Where the outcome of a request goes: back to the client by the browser, or to who waits for it elsewhere."""

    #: Path of the page that asks the user for his consent.
    consent: ClassVar[str]

    @property
    def client(self) -> Client:
        """The client that asked."""

    @property
    def decides(self) -> str:
        """Id of the pending authorization that the outcome is for; empty where the browser carries it."""

    @property
    def form_action(self) -> tuple[str, ...]:
        """Where the form of a page may lead in the end (CSP 3 6.3.1)."""

    async def refuse(
        self, profile: Profile, request: Request, error: OAuthError, more: Iterable[tuple[str, str]] = ()
    ) -> Response:
        """Tell of an error, and answer the browser. OAuthError."""


@quick
@dataclass(frozen=True, slots=True)
class Channel:
    """A verified client, where its answer goes, and how."""

    consent: ClassVar[str] = "/consent"
    decides: ClassVar[str] = ""

    client: Client
    reply_to: ReplyTo
    response_modes: tuple[str, ...]
    state: str | None
    #: What the client pushed, which the answer uses up; None where the browser brought the request.
    pushed: PushedAuthorizationRequest | None = None

    @property
    def form_action(self) -> tuple[str, ...]:
        """A form's answer is redirected on to the client at the end."""
        return (redirect_uri.form_action(self.reply_to.redirect_uri),)

    async def answer(
        self, profile: Profile, request: Request, parameters: Iterable[tuple[str, str]]
    ) -> Response:
        """An authorization response; a form_post page gets the profile and client whose page it is. OAuthError."""
        state = () if self.state is None else (("state", self.state),)
        everything = (*parameters, *state, ("iss", profile.issuer))
        installed = profile.response_modes
        name = next((name for name in self.response_modes if name in installed), next(iter(installed)))
        if installed[name].secured:
            everything = (("response", await profile.response_protection.response(self.client, everything)),)
        response = installed[name].render(self.reply_to, everything)
        if response.page is None:
            return response
        shown = replace(response.page, profile=profile.id, client=self.client, locales=locales(request))
        return replace(response, page=shown)

    async def refuse(
        self, profile: Profile, request: Request, error: OAuthError, more: Iterable[tuple[str, str]] = ()
    ) -> Response:
        """An authorization error response (RFC 6749 4.1.2.1, Core 3.1.2.6)."""
        parameters = [("error", error.error)]
        if error.description:
            parameters.append(("error_description", error.description))
        parameters.extend(more)
        return await self.answer(profile, request, parameters)


class Refused(Exception):
    """A request whose error the client is told: the channel and the error."""

    def __init__(self, channel: Way, error: OAuthError) -> None:
        super().__init__(error.error)
        self.channel = channel
        self.error = error


class Telling:
    """Let the client know what fails inside. Only a request that may show pages gets one for an outage."""

    __slots__ = ("_asked", "_channel")

    def __init__(self, channel: Way, asked: AuthorizationRequest) -> None:
        self._channel = channel
        self._asked = asked

    def __enter__(self) -> None:
        """Nothing happened yet."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        """Refused in place of what the client is to be told."""
        if error is None:
            return
        if isinstance(error, OAuthError):
            raise Refused(self._channel, error) from None
        if isinstance(error, StoreUnavailable | SourceUnavailable) and NONE in self._asked.prompt:
            raise Refused(self._channel, TemporarilyUnavailable("try again in a moment")) from None


async def verify(params: Params, profile: Profile, *, pushed: bool = False) -> Channel:
    """The way back for a request. InvalidRequest, to be shown to the user, when there is none."""
    wanted = authorization_request.read_reply(params)
    client = await profile.clients.find(wanted.client_id)
    if client is None:
        why = profile.clients.why(wanted.client_id)
        if why:
            # What is in a public document is no secret, and its maker has no other way to learn it.
            raise InvalidRequest(f"client_id leads to no client: {why}", parameter="client_id")
        raise InvalidRequest(_UNVERIFIED, parameter="redirect_uri", detail="unknown client_id")
    try:
        reply_to = redirect_uri.verify(wanted.redirect_uri, client, openid=wanted.openid, pushed=pushed)
    except InvalidRequest as problem:
        raise InvalidRequest(_UNVERIFIED, parameter="redirect_uri", detail=problem.description) from None
    return Channel(client, reply_to, wanted.response_modes, wanted.state)


async def guard(profile: Profile, request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
    """Answer a browser: whatever goes wrong is told to the client, if there is a way, else on a page."""
    try:
        return await answer(request)
    except Refused as refused:
        return await _told(profile, request, refused)
    except PageProblem as problem:
        return replace(problem_page(profile, request, problem), cause=InvalidRequest(problem.description))
    except OAuthError as error:
        return replace(
            error_page(profile, request, error, _MESSAGES.get(error.status, "bad_request")), cause=error
        )
    except (StoreUnavailable, SourceUnavailable) as error:
        return replace(unavailable_page(profile, request), cause=error)
    except Exception as error:  # noqa: BLE001 - whatever it was, a person gets a page with a reference
        failed = error_page(profile, request, ServerError(), _MESSAGES[500])
        return replace(failed, cause=error)


async def _told(profile: Profile, request: Request, refused: Refused) -> Response:
    try:
        response = await refused.channel.refuse(profile, request, refused.error)
    except OAuthError as error:
        # What the client wants signed or encrypted and cannot be is not sent in the clear (JARM 2.2).
        failed = error_page(profile, request, error, _MESSAGES.get(error.status, "bad_request"))
        return replace(failed, cause=error)
    return replace(response, cause=refused.error)
