"""The sign-up page (Initiating User Registration via OpenID Connect 4): an account instead of a login.

GET shows, POST judges and redirects. Whoever made an account has proved its password and goes on like after a login.
"""

from dataclasses import replace
from typing import Final

import orjson

from appliance.endpoints.authorization_reply import Telling
from appliance.endpoints.page_endpoint import PageEndpoint
from appliance.endpoints.page_replies import check_csrf, check_own_form, read_form
from appliance.endpoints.visits import SIGN_UP, Visit, Visits
from appliance.profile.profile import Profile
from appliance.profile.sign_on.interaction import Authenticate
from appliance.profile.sign_on.interaction import SignUp as AskSignUp
from appliance.profile.sign_on.sign_up import Entry, SignUp
from appliance.protocol import login_name
from appliance.protocol.form import Params
from appliance.protocol.messages import Request, Response
from appliance.protocol.records import Interaction, Proof
from appliance.protocol.redirects import see_other
from appliance.seams import User

# RFC 8176 2: what somebody has proved who has just chosen it.
_AMR: Final = ("pwd",)


class SignUpPageEndpoint(PageEndpoint):
    """Lets people make an account where a request asks for it, or where they could log in for the first time."""

    name = "sign_up_page"
    path = SIGN_UP

    def __init__(self, profile: Profile, sign_up: SignUp) -> None:
        super().__init__(profile)
        self._sign_up = sign_up
        self._visits = Visits(profile)

    async def _answer(self, request: Request) -> Response:
        form = None
        if request.method == "POST":
            check_own_form(request, self._profile.issuer)
            form = read_form(request)
        visit = await self._visits.find(request)
        instead = _instead(visit)
        if visit.interaction is None or instead is None:
            return self._visits.resume(visit)
        with Telling(visit.channel, visit.asked):
            purpose = f"{self.name} {visit.handle}"
            if form is not None:
                check_csrf(visit.browser, form, purpose, restart=self._visits.address(self.path, visit.handle))
                return await self._judge(request, visit, visit.interaction, form)
            sign_in = self._visits.address(self._visits.step_path(instead), visit.handle)
            shown = self._sign_up.page(_entry(visit, visit.interaction), sign_in)
            return self._visits.show(visit, request, shown, self.path, purpose)

    async def _judge(self, request: Request, visit: Visit, interaction: Interaction, form: Params) -> Response:
        entry = self._sign_up.read(form)
        made: Entry | User = entry
        if not entry.faults:
            made = await self._sign_up.make(entry, form.get("password", ""), interaction.id, request.peer)
        if isinstance(made, Entry):
            await self._visits.keep(interaction, _leave(interaction, made))
            return self._visits.leave(visit, see_other(self._visits.address(self.path, visit.handle)))
        proof = Proof(self._sign_up.authenticator, _AMR, self._profile.tools.clock())
        return await self._visits.prove(visit, made, proof, chosen=True)


def sign_up_pages(profile: Profile) -> tuple[SignUpPageEndpoint, ...]:
    """The sign-up page of a profile that has one."""
    return () if profile.sign_up is None else (SignUpPageEndpoint(profile, profile.sign_up),)


def _instead(visit: Visit) -> Authenticate | None:
    """The login that this page stands in for; None when nobody is asked to log in for the first time."""
    decision = visit.decision
    if isinstance(decision, AskSignUp):
        return decision.instead
    return decision if isinstance(decision, Authenticate) and decision.or_sign_up else None


def _entry(visit: Visit, interaction: Interaction) -> Entry:
    """The form as it was left, or a new one. What authenticators leave has their name where the path stands."""
    state = interaction.step_state
    if state.get("authenticator") != SIGN_UP:
        return Entry(visit.asked.login_hint[: login_name.MAX_LENGTH], {}, {})
    return Entry(state["login"], orjson.loads(state["values"]), orjson.loads(state["faults"]))


def _leave(interaction: Interaction, entry: Entry) -> Interaction:
    state = {
        "authenticator": SIGN_UP,
        "login": entry.login,
        "values": orjson.dumps(entry.values).decode(),
        "faults": orjson.dumps(entry.faults).decode(),
    }
    return replace(interaction, step_state=state)
