"""The consent page (OpenID Connect Core 3.1.2.4): what a client asks for, allow or deny."""

from dataclasses import replace

from appliance.endpoints.authorization_reply import Refused
from appliance.endpoints.page_endpoint import PageEndpoint
from appliance.endpoints.page_replies import PageProblem, check_csrf, check_own_form, read_form
from appliance.endpoints.visits import CONSENT, Visit, Visits
from appliance.profile.profile import Profile
from appliance.profile.sign_on.interaction import AskConsent
from appliance.protocol.errors import AccessDenied
from appliance.protocol.messages import Request, Response
from appliance.protocol.pages import ConsentPage, ResourceView, ScopeView
from appliance.protocol.records import Interaction, Session, user_key


class ConsentPageEndpoint(PageEndpoint):
    """Asks the user who is logged in, and nobody else, what a client may have."""

    name = "consent_page"
    path = CONSENT

    def __init__(self, profile: Profile) -> None:
        super().__init__(profile)
        self._visits = Visits(profile)

    async def _answer(self, request: Request) -> Response:
        if request.method == "POST":
            check_own_form(request, self._profile.issuer)
        visit = await self._visits.find(request)
        interaction, session = visit.interaction, visit.session
        asks = isinstance(visit.decision, AskConsent) and visit.channel.consent == self.path
        if interaction is None or session is None or not asks:
            return self._visits.resume(visit)
        # The answer counts for the user and the list that the page showed: another tab may have changed both.
        purpose = " ".join((self.name, visit.handle, session.user, *sorted(visit.wanted)))
        if request.method == "POST":
            return await self._judge(request, visit, interaction, session, purpose)
        return self._visits.show(visit, request, self._page(visit, session), self.path, purpose)

    async def _judge(
        self, request: Request, visit: Visit, interaction: Interaction, session: Session, purpose: str
    ) -> Response:
        form = read_form(request)
        here = self._visits.address(self.path, visit.handle)
        check_csrf(visit.browser, form, purpose, restart=here)
        decision = form.get("decision", "")
        if decision == "deny":
            if not await self._visits.finish(visit):
                raise PageProblem("expired", "the request was answered already", client=visit.client)
            raise Refused(visit.channel, AccessDenied("the user did not consent"))
        if decision != "allow":
            raise PageProblem("bad_request", "the form has no decision", client=visit.client, restart=here)
        given = tuple(sorted(visit.wanted))
        after = replace(interaction, consented_user=user_key(session.subject), consented=given)
        if await self._visits.keep(interaction, after):
            await self._profile.consents.remember(session.subject, visit.client.client_id, given)
        return self._visits.resume(visit)

    def _page(self, visit: Visit, session: Session) -> ConsentPage:
        claims = self._profile.consents.single_claims(visit.asked)
        return ConsentPage(
            login=session.login,
            scopes=self._scopes(visit),
            claims=claims,
            resources=self._resources(visit),
            details=tuple(self._profile.details.view(each) for each in visit.asked.authorization_details),
        )

    def _resources(self, visit: Visit) -> tuple[ResourceView, ...]:
        declared = self._profile.declared.resources
        return tuple(ResourceView(each, declared[each].title) for each in visit.asked.resource if each in declared)

    def _scopes(self, visit: Visit) -> tuple[ScopeView, ...]:
        declared = self._profile.declared.scopes
        return tuple(
            ScopeView(name, declared[name].description, declared[name].claims)
            for name in visit.asked.scope
            if name in visit.wanted and name in declared
        )
