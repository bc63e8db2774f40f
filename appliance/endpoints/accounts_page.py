"""The account chooser (prompt=select_account, OpenID Connect Core 3.1.2.1)."""

from dataclasses import replace

from appliance.endpoints.page_endpoint import PageEndpoint
from appliance.endpoints.page_replies import check_csrf, check_own_form, read_form
from appliance.endpoints.visits import ACCOUNTS, Visit, Visits
from appliance.profile.profile import Profile
from appliance.profile.sign_on.interaction import SelectAccount
from appliance.protocol.messages import Request, Response
from appliance.protocol.pages import AccountsPage, AccountView
from appliance.protocol.records import Interaction


class AccountsPageEndpoint(PageEndpoint):
    """Lets the user choose among the sessions of this browser, or log in as somebody else."""

    name = "accounts_page"
    path = ACCOUNTS

    def __init__(self, profile: Profile) -> None:
        super().__init__(profile)
        self._visits = Visits(profile)

    async def _answer(self, request: Request) -> Response:
        if request.method == "POST":
            check_own_form(request, self._profile.issuer)
        visit = await self._visits.find(request)
        interaction = visit.interaction
        if interaction is None or not isinstance(visit.decision, SelectAccount):
            return self._visits.resume(visit)
        purpose = f"{self.name} {visit.handle}"
        if request.method == "POST":
            return await self._judge(request, visit, interaction, purpose)
        accounts = tuple(AccountView(held.session.sid, held.session.login) for held in visit.browser.held)
        return self._visits.show(visit, request, AccountsPage(accounts), self.path, purpose)

    async def _judge(self, request: Request, visit: Visit, interaction: Interaction, purpose: str) -> Response:
        form = read_form(request)
        check_csrf(visit.browser, form, purpose, restart=self._visits.address(self.path, visit.handle))
        chosen = form.get("account", "")
        if chosen and visit.browser.find(chosen) is None:
            # That session ended while the page was open: the chooser comes again without it.
            return self._visits.resume(visit)
        browser = self._profile.sessions.choose(visit.browser, chosen)
        proved = interaction.proved if chosen and chosen == interaction.session else ()
        # No account chosen means another one than these: whoever logs in next.
        after = replace(interaction, session=chosen, selected=True, proved=proved, step_state={})
        await self._visits.keep(interaction, after)
        return self._visits.resume(replace(visit, browser=browser))
