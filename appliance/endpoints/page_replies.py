"""Pages as answers: whose they are, in which languages, and forms that no other site can send.

What every endpoint with pages shares: the frame of a page, the error page, and the check of a posted form.
"""

import re
from typing import Final

from appliance.profile.profile import Profile
from appliance.profile.sign_on.sessions import Browser
from appliance.protocol.authorization_request import read_locales
from appliance.protocol.client import Client
from appliance.protocol.errors import InvalidRequest, OAuthError, TemporarilyUnavailable
from appliance.protocol.form import Params, read
from appliance.protocol.messages import Request, Response
from appliance.protocol.pages import ErrorPage, Page, PageReply
from appliance.protocol.redirects import NO_STORE

FORM: Final = "application/x-www-form-urlencoded"
#: The hidden field of every form.
CSRF: Final = "csrf"
#: The query parameter of a language link.
LANGUAGE: Final = "lang"

_MAX_ACCEPT_LANGUAGE = 512
_WEIGHT = re.compile(r"q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)")


class PageProblem(Exception):
    """A request for a page that is answered by the error page instead."""

    def __init__(
        self,
        message: str,
        description: str = "",
        *,
        status: int = 400,
        client: Client | None = None,
        restart: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.description = description
        self.status = status
        self.client = client
        self.restart = restart


def read_form(request: Request) -> Params:
    """The fields of a posted form. InvalidRequest for another media type."""
    kind = (request.header("content-type") or "").partition(";")[0].strip().lower()
    if kind != FORM:
        raise InvalidRequest("the body is not a urlencoded form")
    return read(request.body)


def check_own_form(request: Request, issuer: str) -> None:
    """PageProblem unless the form came from a page of ours, as far as the browser tells."""
    origin = request.header("origin")
    own = "/".join(issuer.split("/")[:3])
    # Our pages send no referrer, and a browser then posts "Origin: null"; Sec-Fetch-Site tells the rest.
    if request.header("sec-fetch-site") not in (None, "same-origin", "none") or origin not in (
        None,
        "null",
        own,
    ):
        raise PageProblem("bad_request", "the form was sent from another site", status=403)


def check_csrf(browser: Browser, form: Params, purpose: str, restart: str = "") -> None:
    """PageProblem unless the form's anti-forgery field is of this browser and purpose."""
    if not browser.sent(form.get(CSRF, ""), purpose):
        raise PageProblem("expired", "the form was not made for this browser", status=403, restart=restart)


def locales(request: Request, ui_locales: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Language tags, preferred first: the language link, ui_locales, Accept-Language (RFC 9110 12.5.4)."""
    return tuple(dict.fromkeys((*chosen_language(request), *ui_locales, *_accepted(request))))


def chosen_language(request: Request) -> tuple[str, ...]:
    """The tag of a language link, if the address has one."""
    try:
        return read_locales(read(request.query).get(LANGUAGE))[:1]
    except InvalidRequest:
        return ()


def _accepted(request: Request) -> tuple[str, ...]:
    header = request.header("accept-language") or ""
    weighted: list[tuple[float, str]] = []
    for part in header[:_MAX_ACCEPT_LANGUAGE].split(","):
        tag, _, weight = (piece.strip() for piece in part.partition(";"))
        found = _WEIGHT.fullmatch(weight)
        if read_locales(tag) and (found or not weight):
            weighted.append((float(found[1]) if found else 1.0, tag))
    return tuple(tag for weight, tag in sorted(weighted, key=lambda one: -one[0]) if weight > 0)


def page(
    profile: Profile,
    request: Request,
    shown: Page,
    *,
    client: Client | None = None,
    status: int | None = None,
) -> Response:
    """A page that has no form of its own."""
    tags = locales(request)
    return reply(PageReply(page=shown, profile=profile.id, client=client, locales=tags, status=status))


def reply(shown: PageReply) -> Response:
    """The answer with a page."""
    return Response(status=shown.status or shown.page.status, headers=NO_STORE, page=shown)


def error_page(
    profile: Profile, request: Request, error: OAuthError, message: str, *, client: Client | None = None
) -> Response:
    """The page for a protocol error that cannot be sent to a client (RFC 6749 4.1.2.1)."""
    shown = ErrorPage(
        error=error.error,
        message=message,
        parameter=error.parameter,
        description=error.description,
        reference="",
        restart="",
        custom={},
    )
    return page(profile, request, shown, client=client, status=error.status).with_headers(*_retry(error))


def problem_page(profile: Profile, request: Request, problem: PageProblem) -> Response:
    """The page for a request that is not a protocol request."""
    shown = ErrorPage(
        error="invalid_request",
        message=problem.message,
        parameter="",
        description=problem.description,
        reference="",
        restart=problem.restart,
        custom={},
    )
    return page(profile, request, shown, client=problem.client, status=problem.status)


def unavailable_page(profile: Profile, request: Request) -> Response:
    """The page for when the store or an authority cannot be asked."""
    return error_page(profile, request, TemporarilyUnavailable("try again in a moment"), "unavailable")


def _retry(error: OAuthError) -> tuple[tuple[str, str], ...]:
    return (("Retry-After", "2"),) if error.status == 503 else ()
