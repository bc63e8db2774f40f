"""An authorization request on its way through the pages: found again, judged again, moved on.

Pages never call each other. Each stores a fact in the interaction and sends the browser back to the
authorization endpoint, which looks at everything anew under the configuration of the moment.
"""

from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import quote

from appliance.config.declared.access import Policy
from appliance.endpoints import authorization_rules
from appliance.endpoints.authorization_reply import Channel, Refused, Telling, Way, verify
from appliance.endpoints.page_replies import PageProblem, chosen_language, locales
from appliance.endpoints.waiting import read_decided
from appliance.profile.profile import Profile
from appliance.profile.sign_on.interaction import (
    CONSENT_ASK,
    AskConsent,
    Authenticate,
    Decision,
    SelectAccount,
    SignUp,
    Situation,
    next_step,
)
from appliance.profile.sign_on.sessions import Browser
from appliance.protocol import claims_request, handles
from appliance.protocol.authorization_request import AuthorizationRequest, read, restore, with_consent_parameter
from appliance.protocol.client import Client
from appliance.protocol.errors import InvalidRequest, OAuthError
from appliance.protocol.form import Params
from appliance.protocol.form import read as read_params
from appliance.protocol.frozen import quick
from appliance.protocol.messages import Request, Response, SetCookie
from appliance.protocol.pages import Page, PageReply
from appliance.protocol.records import Interaction, Proof, PushedAuthorizationRequest, Session, user_key
from appliance.protocol.redirects import NO_STORE, see_other
from appliance.seams import Change, User

RESUME: Final = "/authorize/resume"
CONSENT: Final = Channel.consent
ACCOUNTS: Final = "/accounts"
SIGN_UP: Final = "/sign_up"
#: Octets of all parameters together that are kept of a request before anybody has logged in.
MAX_OF_STRANGERS: Final = 4096


@quick
@dataclass(frozen=True, slots=True)
class Account:
    """Who would be answered about: a session of the browser and its user as he is now."""

    session: Session
    user: User


@quick
@dataclass(frozen=True, slots=True)
class Visit:
    """One look at one request in one browser."""

    asked: AuthorizationRequest
    channel: Way
    browser: Browser
    #: The waiting interaction and its handle as the address has it; None while nothing had to be stored.
    interaction: Interaction | None
    handle: str
    account: Account | None
    wanted: frozenset[str]
    decision: Decision

    @property
    def client(self) -> Client:
        """The client that asked."""
        return self.channel.client

    @property
    def session(self) -> Session | None:
        """The session that would answer."""
        return None if self.account is None else self.account.session


async def read_asked(params: Params, profile: Profile, *, pushed: bool = False) -> tuple[Channel, AuthorizationRequest]:
    """A request, read and checked. InvalidRequest for the user; Refused for the client."""
    if profile.declared.compat.consent_parameter:
        params = with_consent_parameter(params)
    channel = await verify(params, profile, pushed=pushed)
    try:
        return channel, authorization_rules.check(read(params), channel.client, profile)
    except OAuthError as error:
        raise Refused(channel, error) from None


class Visits:
    """Finds waiting requests and says what comes next for them."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        selected = ((name, scope.selects_policy) for name, scope in profile.declared.scopes.items())
        self._policies = {name: profile.levels.policy(policy) for name, policy in selected if policy is not None}

    async def find(self, request: Request) -> Visit:
        """The visit that the address of a page names. PageProblem; OAuthError for a page; Refused."""
        profile = self._profile
        handle = read_params(request.query).get("interaction", "")
        found = None
        if handles.well_formed("", handle):
            found = await profile.store.get(Interaction, handles.stored_id(handle))
        if found is None or found.issuer != profile.issuer:
            raise PageProblem("expired", "there is no such interaction any more")
        browser = await profile.sessions.read(request)
        if not found.browser:
            browser = profile.sessions.bind(browser)
            found = await self._put(found, replace(found, browser=browser.digest))
        if found.browser != browser.digest:
            client = await profile.clients.find(found.client_id)
            home = (client.client_uri if client is not None else None) or ""
            raise PageProblem("other_browser", "it was begun in another browser", client=client, restart=home)
        found = await self._with_language(request, found)
        channel, asked = await self._read(found)
        with Telling(channel, asked):
            return await self.look(channel, asked, browser, found, handle)

    async def _read(self, found: Interaction) -> tuple[Way, AuthorizationRequest]:
        if found.decides:
            return await read_decided(found.decides, found.parameters, self._profile)
        if not found.pushed:
            return await read_asked(restore(found.parameters), self._profile)
        pushed = await self._profile.store.get(PushedAuthorizationRequest, found.pushed)
        if pushed is None:
            raise PageProblem("expired", "the request was answered already, in another tab")
        channel, asked = await read_asked(restore(found.parameters), self._profile, pushed=True)
        return replace(channel, pushed=pushed), asked

    async def look(
        self,
        channel: Way,
        asked: AuthorizationRequest,
        browser: Browser,
        interaction: Interaction | None,
        handle: str,
    ) -> Visit:
        """Judge a request in a browser. SourceUnavailable, StoreUnavailable."""
        browser, account, right = await self._account(channel.client, asked, browser, interaction)
        session = None if account is None else account.session
        consents = self._profile.consents
        wanted = consents.wanted(asked)
        remembered: frozenset[str] = frozenset()
        if session is not None and channel.client.op.consent == CONSENT_ASK:
            remembered = await consents.remembered(session.subject, channel.client.client_id)
        own = interaction is not None and session is not None and interaction.session == session.sid
        situation = Situation(
            asked=asked,
            client=channel.client,
            session=session,
            right_user=right,
            has_accounts=bool(browser.held),
            proved=interaction.proved if interaction is not None and own else (),
            selected=interaction is not None and interaction.selected and (own or not interaction.session),
            policies=self._selected(asked),
            began_at=self._profile.tools.clock() if interaction is None else interaction.created_at,
            wanted=wanted,
            remembered=remembered,
            consented=_consented(interaction, session),
            sign_up="" if self._profile.sign_up is None else self._profile.sign_up.authenticator,
        )
        decision = next_step(self._profile.levels, situation)
        return Visit(asked, channel, browser, interaction, handle, account, wanted, decision)

    def _selected(self, asked: AuthorizationRequest) -> tuple[Policy, ...]:
        """The policies that scopes of a request demand."""
        policies = self._policies
        return tuple(policies[name] for name in asked.scope if name in policies) if policies else ()

    async def _account(
        self, client: Client, asked: AuthorizationRequest, browser: Browser, interaction: Interaction | None
    ) -> tuple[Browser, Account | None, bool]:
        chosen = "" if interaction is None else interaction.session
        if interaction is not None and interaction.selected and not chosen:
            return browser, None, False
        first: Account | None = None
        everybody = sorted(browser.held, key=lambda held: held.session.sid != chosen) if chosen else browser.held
        for held in everybody:
            user = await self._load(held.session)
            if user is None:
                # Whoever is gone or locked out is logged out here, too.
                browser = await self._profile.sessions.end(browser, held.session.sid)
                continue
            account = Account(held.session, user)
            if await self._is_right(user, client, asked):
                return browser, account, True
            first = first or account
            if held.session.sid == chosen:
                break
        return browser, first, False

    async def _load(self, session: Session) -> User | None:
        source = self._profile.sources.get(session.subject.source)
        user = await source.load(session.subject.id) if source is not None else None
        return user if user is not None and user.active else None

    async def _is_right(self, user: User, client: Client, asked: AuthorizationRequest) -> bool:
        values = claims_request.wanted_values(asked.claims, "sub")
        if not values and asked.hinted_sub is None:
            return True
        sub = await self._profile.claims.sub(user, client)
        return asked.hinted_sub in (None, sub) and (not values or sub in values)

    async def _with_language(self, request: Request, found: Interaction) -> Interaction:
        """Keep the language of a language link for the pages that follow."""
        link = chosen_language(request)
        asked = found.parameters.get("ui_locales", "").split()
        if not link or asked[:1] == list(link):
            return found
        tags = " ".join([*link, *(tag for tag in asked if tag not in link)])
        return await self._put(found, replace(found, parameters={**found.parameters, "ui_locales": tags[:512]}))

    async def begin(self, visit: Visit, *, bound: bool = True) -> Visit:
        """Store a request that must wait, for this browser or (not bound) the first that comes for it.

        InvalidRequest, for the client, when it is longer than what is kept of strangers.
        """
        _check_is_short(visit)
        profile = self._profile
        browser = profile.sessions.bind(visit.browser) if bound else visit.browser
        now = profile.tools.clock()
        handle = handles.issue("", profile.tools.entropy)
        interaction = Interaction(
            id=handles.stored_id(handle),
            issuer=profile.issuer,
            expires_at=now + profile.declared.ttl.interaction,
            client_id=visit.client.client_id,
            parameters=visit.asked.parameters,
            browser=browser.digest if bound else "",
            created_at=now,
            session="",
            proved=(),
            selected=False,
            consented_user="",
            consented=(),
            step_state={},
            decides=visit.channel.decides,
            pushed="" if (pushed := _pushed(visit)) is None else pushed.id,
        )
        await profile.store.commit(Change(put=(interaction,)))
        return replace(visit, browser=browser, interaction=interaction, handle=handle)

    async def _put(self, before: Interaction, after: Interaction) -> Interaction:
        if await self._profile.store.commit(Change(put=(after,), expect=(before,))):
            return after
        # Another tab or a second click was first: its facts are as good.
        now = await self._profile.store.get(Interaction, before.id)
        if now is None:
            raise PageProblem("expired", "the interaction is finished")
        return now

    async def keep(self, before: Interaction, after: Interaction) -> bool:
        """Store facts. False when the interaction was changed or finished meanwhile."""
        return await self._profile.store.commit(Change(put=(after,), expect=(before,)))

    async def prove(self, visit: Visit, user: User, proof: Proof, *, chosen: bool) -> Response:
        """Note who was proved in a session and in the interaction; back to the authorization endpoint.

        `chosen`: the user said himself who he is, so he need not be asked for his account again.
        """
        browser, session = await self._profile.sessions.prove(visit.browser, user, proof)
        interaction = visit.interaction
        while interaction is not None:
            # What was proved counts for one user; of two submissions the later has the browser's cookies.
            same = interaction.session == session.sid
            after = replace(
                interaction,
                session=session.sid,
                proved=(*(interaction.proved if same else ()), proof.authenticator),
                selected=interaction.selected or chosen,
                step_state={},
            )
            if await self.keep(interaction, after):
                break
            interaction = await self._profile.store.get(Interaction, interaction.id)
        return self.resume(replace(visit, browser=browser))

    async def finish(self, visit: Visit) -> bool:
        """End the wait; of many callers exactly one may answer the client."""
        pushed = _pushed(visit)
        if pushed is not None:
            # RFC 9126 7.3: in however many tabs it was opened, there is one answer, and none afterwards.
            done = (pushed,) if visit.interaction is None else (pushed, visit.interaction)
            return await self._profile.store.commit(Change(delete=done, expect=(pushed,)))
        if visit.interaction is None:
            return True
        return await self._profile.store.take(Interaction, visit.interaction.id) is not None

    def address(self, path: str, handle: str) -> str:
        """The path of a page for a waiting request."""
        return f"{self._profile.path}{path}?interaction={quote(handle, safe='')}"

    def resume(self, visit: Visit) -> Response:
        """Back to the authorization endpoint."""
        return self.leave(visit, see_other(self.address(RESUME, visit.handle)))

    def step_path(self, decision: Decision) -> str:
        """The path of the page that a decision asks for, "" when it asks for none."""
        if isinstance(decision, Authenticate):
            return f"/{self._profile.authenticators[decision.authenticator].step}"
        if isinstance(decision, SelectAccount):
            return ACCOUNTS
        if isinstance(decision, SignUp):
            return SIGN_UP
        return CONSENT if isinstance(decision, AskConsent) else ""

    def leave(self, visit: Visit, response: Response) -> Response:
        """A response with the cookies that the browser must have from now on."""
        return response.with_cookies(*self.cookies(visit.browser))

    def cookies(self, browser: Browser) -> tuple[SetCookie, ...]:
        """The cookies that a browser must have from now on."""
        return self._profile.sessions.cookies(browser)

    def show(self, visit: Visit, request: Request, shown: Page, path: str, purpose: str) -> Response:
        """A page with a form that comes back to the same path."""
        here = self.address(path, visit.handle)
        reply = PageReply(
            page=shown,
            profile=self._profile.id,
            client=visit.client if visit.client.client_id else None,
            action=here,
            csrf=visit.browser.csrf(purpose),
            locales=locales(request, visit.asked.ui_locales),
            here=here,
            form_action=visit.channel.form_action,
        )
        return self.leave(visit, Response(status=shown.status, headers=NO_STORE, page=reply))


def _check_is_short(visit: Visit) -> None:
    """Whoever has neither logged in nor had his client push the request for him fills no store (CWE-770)."""
    if visit.account is not None or visit.channel.decides or _pushed(visit) is not None:
        return
    parameters = visit.asked.parameters
    # That one was verified: whoever has it has been a user here.
    kept = (value for name, value in parameters.items() if name != "id_token_hint")
    if sum(len(value.encode("utf-8", "surrogatepass")) for value in kept) > MAX_OF_STRANGERS:
        raise InvalidRequest(f"the parameters of a request without a login have {MAX_OF_STRANGERS} bytes at most")


def _pushed(visit: Visit) -> PushedAuthorizationRequest | None:
    """What the client pushed; None where the request came otherwise."""
    return visit.channel.pushed if isinstance(visit.channel, Channel) else None


def _consented(interaction: Interaction | None, session: Session | None) -> frozenset[str] | None:
    """What was consented to in this interaction by the very user who would be answered about."""
    if interaction is None or session is None or interaction.consented_user != user_key(session.subject):
        return None
    return frozenset(interaction.consented)
