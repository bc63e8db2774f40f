"""The end session endpoint (OpenID Connect RP-Initiated Logout 2).

A link or an image anywhere may point here, so without proof that the client knows this very session the user
is asked first. Nothing is redirected to but a registered address of a client that is named and known.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from appliance.endpoints.authorization_reply import guard
from appliance.endpoints.page_replies import (
    CSRF,
    PageProblem,
    check_csrf,
    check_own_form,
    locales,
    read_form,
    reply,
)
from appliance.profile.profile import Profile
from appliance.profile.sign_on.sessions import Browser
from appliance.protocol.authorization_request import read_locales
from appliance.protocol.client import Client
from appliance.protocol.errors import InvalidRequest
from appliance.protocol.form import Params, encode, read
from appliance.protocol.messages import Request, Response
from appliance.protocol.pages import LoggedOutPage, LogoutPage, PageReply
from appliance.protocol.redirect_uri import form_action
from appliance.protocol.redirects import see_other, with_query
from appliance.seams import User

_PARAMETERS = ("id_token_hint", "client_id", "post_logout_redirect_uri", "state", "logout_hint", "ui_locales")
_MAX_STATE = 8192


@dataclass(frozen=True, slots=True)
class LogoutRequest:
    """A logout request whose hint, client and address were verified."""

    client: Client | None
    #: A registered address of that client, or None.
    post_logout_redirect_uri: str | None
    state: str | None
    #: `sid` and `sub` of a verified id_token_hint, empty without.
    sid: str
    sub: str
    ui_locales: tuple[str, ...]

    def verified(self) -> tuple[tuple[str, str], ...]:
        """The parameters that are still needed after the question, all of them checked again then."""
        pairs = (
            ("client_id", None if self.client is None else self.client.client_id),
            ("post_logout_redirect_uri", self.post_logout_redirect_uri),
            ("state", self.state),
            ("ui_locales", " ".join(self.ui_locales)),
        )
        return tuple((name, value) for name, value in pairs if value)


class EndSessionEndpoint:
    """Ends the sessions of a browser."""

    path = "/logout"
    methods = frozenset({"GET", "POST"})
    cors = "none"

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._offered = profile.declared.logout.rp_initiated
        # Only by this name does it appear in provider metadata.
        self.name = "end_session_endpoint" if self._offered else "logout_page"

    async def handle(self, request: Request) -> Response:
        """The question, the redirect to the client, or the page that says so."""
        return await guard(self._profile, request, self._answer)

    def metadata(self) -> Mapping[str, object]:
        """What its requests bring about (Back-Channel Logout 2.1, Front-Channel Logout 3)."""
        logout = self._profile.declared.logout
        kinds = (("backchannel", logout.backchannel), ("frontchannel", logout.frontchannel))
        # Every client gets `sid` in its ID Tokens, so sessions can always be told apart.
        members = ("logout_supported", "logout_session_supported")
        return {f"{kind}_{member}": True for kind, offered in kinds if offered for member in members}

    async def _answer(self, request: Request) -> Response:
        params = read(request.query)
        form = read_form(request) if request.method == "POST" else Params(())
        if request.method == "POST" and CSRF not in form:
            # RP-Initiated Logout 2 allows a form of the client, which comes without our cookies.
            return self._again(form)
        params.check_once()
        asked = await self.read(params)
        if request.method == "POST":
            return await self._judge(request, asked, await self._profile.sessions.read(request), form)
        return await self.proceed(request, asked)

    async def proceed(self, request: Request, asked: LogoutRequest) -> Response:
        """End the browser's sessions where the client knows them, or ask the user."""
        browser = await self._profile.sessions.read(request)
        if browser.current is None or await self._is_known(asked, browser):
            return await self._end(request, asked, browser)
        return self._ask(request, asked, browser, browser.current.login)

    def _again(self, form: Params) -> Response:
        form.check_once()
        query = encode((name, form[name]) for name in _PARAMETERS if name in form)
        return see_other(f"{self._profile.path}{self.path}" + (f"?{query}" if query else ""))

    async def read(self, params: Params) -> LogoutRequest:
        """A logout request, verified. InvalidRequest."""
        state = params.get("state")
        if state is not None and len(state) > _MAX_STATE:
            raise InvalidRequest("parameter state is too long", parameter="state")
        hint = self._hint(params) if self._offered else {}
        client = await self._client(params, hint)
        uri = params.get("post_logout_redirect_uri") if self._offered else None
        if uri is not None and client is not None and uri not in client.post_logout_redirect_uris:
            raise InvalidRequest(
                "post_logout_redirect_uri is not registered for this client",
                parameter="post_logout_redirect_uri",
            )
        return LogoutRequest(
            client=client,
            # Without a client there is nobody whom the address could belong to.
            post_logout_redirect_uri=None if client is None else uri,
            state=state,
            sid=_text(hint, "sid"),
            sub=_text(hint, "sub"),
            ui_locales=read_locales(params.get("ui_locales")),
        )

    def _hint(self, params: Params) -> Mapping[str, object]:
        token = params.get("id_token_hint")
        return {} if token is None else self._profile.tokens.read_id_token_hint(token)

    async def _client(self, params: Params, hint: Mapping[str, object]) -> Client | None:
        audience = hint.get("aud")
        audiences = [audience] if isinstance(audience, str) else audience if isinstance(audience, list) else []
        client_id = params.get("client_id") or (audiences[0] if len(audiences) == 1 else None)
        if hint and client_id not in audiences:
            raise InvalidRequest("id_token_hint was issued to another client", parameter="id_token_hint")
        if client_id is None:
            return None
        client = await self._profile.clients.find(client_id)
        if client is None:
            raise InvalidRequest("client_id is unknown", parameter="client_id")
        return client

    async def _is_known(self, asked: LogoutRequest, browser: Browser) -> bool:
        """Whether the hint speaks of a session of this browser: then the user need not be asked (2)."""
        if asked.sid:
            return browser.find(asked.sid) is not None
        if not asked.sub or asked.client is None or browser.current is None:
            return False
        user = await self._user(browser)
        return user is not None and await self._profile.claims.sub(user, asked.client) == asked.sub

    async def _user(self, browser: Browser) -> User | None:
        if browser.current is None:
            return None
        subject = browser.current.subject
        source = self._profile.sources.get(subject.source)
        return None if source is None else await source.load(subject.id)

    async def _judge(self, request: Request, asked: LogoutRequest, browser: Browser, form: Params) -> Response:
        check_own_form(request, self._profile.issuer)
        check_csrf(browser, form, self._purpose(browser), restart=self._here(asked))
        decision = form.get("decision", "")
        if decision == "allow":
            return await self._end(request, asked, browser)
        if decision != "deny":
            raise PageProblem("bad_request", "the form has no decision", restart=self._here(asked))
        home = None if asked.client is None else asked.client.client_uri
        return see_other(home or f"{self._profile.path}/consents")

    async def _end(self, request: Request, asked: LogoutRequest, browser: Browser) -> Response:
        # Every account of the browser: the user who logs out must not be somebody else the moment after.
        browser = await self._profile.sessions.end(browser)
        await self._profile.logout.told(browser.ended)
        frames = await self._profile.logout.frames(browser.ended)
        cookies = self._profile.sessions.cookies(browser)
        target = asked.post_logout_redirect_uri or ""
        if target and asked.state is not None:
            target = with_query(target, (("state", asked.state),))
        if target and not frames:
            return see_other(target).with_cookies(*cookies)
        shown = PageReply(
            page=LoggedOutPage(post_logout_redirect_uri=target),
            profile=self._profile.id,
            client=asked.client,
            locales=locales(request, asked.ui_locales),
            frames=frames,
        )
        # Browsers count from the moment that the page is complete, its frames included (HTML 7.4.7).
        onward = (("Refresh", f"1;url={target}"),) if target else ()
        return reply(shown).with_cookies(*cookies).with_headers(*onward)

    def _ask(self, request: Request, asked: LogoutRequest, browser: Browser, login: str) -> Response:
        browser = self._profile.sessions.bind(browser)
        uri = asked.post_logout_redirect_uri
        home = None if asked.client is None else asked.client.client_uri
        here = self._here(asked)
        shown = PageReply(
            page=LogoutPage(login=login),
            profile=self._profile.id,
            client=asked.client,
            action=here,
            csrf=browser.csrf(self._purpose(browser)),
            locales=locales(request, asked.ui_locales),
            here=here,
            form_action=tuple(form_action(target) for target in (uri, home) if target),
        )
        return reply(shown).with_cookies(*self._profile.sessions.cookies(browser))

    def _here(self, asked: LogoutRequest) -> str:
        query = encode(asked.verified())
        return f"{self._profile.path}{self.path}" + (f"?{query}" if query else "")

    @staticmethod
    def _purpose(browser: Browser) -> str:
        return "logout " + ("" if browser.current is None else browser.current.sid)


def _text(claims: Mapping[str, object], name: str) -> str:
    value = claims.get(name)
    return value if isinstance(value, str) else ""
