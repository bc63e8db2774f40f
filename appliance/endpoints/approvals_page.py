"""The user's own page of requests that wait for him (CIBA Core 8): who asks, what both sides show, yes or no.

The yes is given on the page that every such request ends at, behind the login that its level needs; here the user
only takes one up, or says no at once.
"""


from appliance.endpoints.page_endpoint import PageEndpoint
from appliance.endpoints.page_replies import PageProblem, check_csrf, check_own_form, locales, read_form, reply
from appliance.endpoints.visits import Visits
from appliance.endpoints.waiting import APPROVALS, DENIED, Home, read_waiting
from appliance.profile.profile import Profile
from appliance.profile.sign_on.sessions import Browser
from appliance.profile.waiting.pending import PendingAuthorizations
from appliance.protocol.errors import AccessDenied
from appliance.protocol.form import Params
from appliance.protocol.messages import Request, Response
from appliance.protocol.pages import ApprovalsPage, PageReply, RequestView
from appliance.protocol.records import PendingAuthorization, Session
from appliance.protocol.redirects import see_other
from appliance.protocol.scope import read as read_scope


class ApprovalsPageEndpoint(PageEndpoint):
    """Lists the requests that wait for the user of the current session."""

    name = "approvals_page"
    path = APPROVALS

    def __init__(self, profile: Profile, pendings: PendingAuthorizations) -> None:
        super().__init__(profile)
        self._pendings = pendings
        self._visits = Visits(profile)

    async def _answer(self, request: Request) -> Response:
        profile = self._profile
        if request.method == "POST":
            check_own_form(request, profile.issuer)
        home = Home(APPROVALS)
        visit = await self._visits.look(home, home.asked, await profile.sessions.read(request), None, "")
        if visit.account is None:
            return self._visits.resume(await self._visits.begin(visit))
        browser, session = profile.sessions.bind(visit.browser), visit.account.session
        if request.method == "POST":
            return await self._judge(browser, session, read_form(request))
        return await self._list(request, browser, session)

    def _purpose(self, session: Session) -> str:
        return f"{self.name} {session.sid}"

    async def _judge(self, browser: Browser, session: Session, form: Params) -> Response:
        here = self._profile.path + self.path
        check_csrf(browser, form, self._purpose(session), restart=here)
        pending = await self._pendings.find(form.get("request", ""))
        if pending is None or pending.user != session.user:
            raise PageProblem("expired", "the request was answered already, or has expired", restart=here)
        cookies = self._profile.sessions.cookies(browser)
        if form.get("decision") == "deny":
            # To say no takes no better login than to see the list.
            await self._pendings.refuse(pending.id, AccessDenied.error)
            return see_other(self._profile.path + DENIED).with_cookies(*cookies)
        way, asked = await read_waiting(pending.id, pending.parameters, self._profile)
        visit = await self._visits.begin(await self._visits.look(way, asked, browser, None, ""))
        return self._visits.resume(visit)

    async def _list(self, request: Request, browser: Browser, session: Session) -> Response:
        profile, here = self._profile, self._profile.path + self.path
        waiting = await self._pendings.of_user(session.subject)
        views = [await self._view(pending) for pending in waiting]
        page = PageReply(
            page=ApprovalsPage(session.login, tuple(view for view in views if view is not None)),
            profile=profile.id,
            action=here,
            csrf=browser.csrf(self._purpose(session)),
            locales=locales(request),
            here=here,
        )
        return reply(page).with_cookies(*profile.sessions.cookies(browser))

    async def _view(self, pending: PendingAuthorization) -> RequestView | None:
        client = await self._profile.clients.find(pending.client_id)
        if client is None:
            return None
        scopes = read_scope(pending.parameters.get("scope"))
        granted = tuple(name for name in scopes if name in self._profile.claims.allowed_scopes(client))
        return RequestView(pending.id, client.client_name or client.client_id, pending.binding_message, granted)
