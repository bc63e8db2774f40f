"""The user's own page of remembered consents: what each client may have, and the end of it."""


from appliance.endpoints.page_endpoint import PageEndpoint
from appliance.endpoints.page_replies import (
    PageProblem,
    check_csrf,
    check_own_form,
    locales,
    read_form,
    reply,
)
from appliance.profile.sign_on.consents import shown
from appliance.profile.sign_on.sessions import Browser
from appliance.protocol.messages import Request, Response
from appliance.protocol.pages import ConsentsPage, ConsentView, PageReply
from appliance.protocol.records import Consent, Session
from appliance.protocol.redirects import see_other


class ConsentsPageEndpoint(PageEndpoint):
    """Lists and revokes the consents of the user of the current session."""

    name = "consents_page"
    path = "/consents"

    async def _answer(self, request: Request) -> Response:
        profile = self._profile
        if request.method == "POST":
            check_own_form(request, profile.issuer)
        browser = profile.sessions.bind(await profile.sessions.read(request))
        session = browser.current
        if session is None:
            raise PageProblem("expired", "nobody is logged in", status=403)
        here = f"{profile.path}{self.path}"
        purpose = f"{self.name} {session.sid}"
        if request.method == "POST":
            form = read_form(request)
            check_csrf(browser, form, purpose, restart=here)
            await profile.consents.revoke(session.subject, form.require("client"))
            return see_other(here).with_cookies(*profile.sessions.cookies(browser))
        return await self._list(request, browser, session, purpose)

    async def _list(self, request: Request, browser: Browser, session: Session, purpose: str) -> Response:
        profile = self._profile
        here = f"{profile.path}{self.path}"
        consents = await profile.consents.of_user(session.subject)
        page = PageReply(
            page=ConsentsPage(session.login, tuple([await self._view(consent) for consent in consents])),
            profile=profile.id,
            action=here,
            csrf=browser.csrf(purpose),
            locales=locales(request),
            here=here,
        )
        return reply(page).with_cookies(*profile.sessions.cookies(browser))

    async def _view(self, consent: Consent) -> ConsentView:
        client = await self._profile.clients.find(consent.client_id)
        # The consent of a client that was taken away can still be seen and revoked.
        name = consent.client_id if client is None else client.client_name
        return ConsentView(consent.client_id, name, shown(consent.granted), consent.granted_at)
