"""The pages of authenticators: one address per kind of page, whatever authenticators share it.

GET shows, POST judges and redirects, so that going back or reloading never sends a form again.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Final

import orjson

from appliance.endpoints.authorization_reply import Telling
from appliance.endpoints.page_endpoint import PageEndpoint
from appliance.endpoints.page_replies import (
    check_csrf,
    check_own_form,
    page,
    read_form,
)
from appliance.endpoints.visits import RESUME, SIGN_UP, Visit, Visits
from appliance.profile.profile import Profile
from appliance.profile.sign_on.interaction import Authenticate, SignUp
from appliance.protocol.errors import AccessDenied, ServerError
from appliance.protocol.form import Params
from appliance.protocol.messages import Request, Response
from appliance.protocol.pages import PAGES, ErrorPage, LoginPage, Page
from appliance.protocol.records import Interaction, Proof
from appliance.protocol.redirects import see_other
from appliance.seams import Ask, Authenticator, Proved, StepRequest

#: What an authenticator's page says to a user who cannot pass it at all.
NOT_ENROLLED: Final = "not_enrolled"

_NO_FORM: Final = Params(())
_PAGES: Final[Mapping[str, type[Page]]] = {kind.template: kind for kind in PAGES}


@dataclass(frozen=True, slots=True)
class _Turn:
    """Whose turn it is: the waiting interaction, its next authenticator and what that one kept."""

    visit: Visit
    interaction: Interaction
    name: str
    decision: Authenticate
    authenticator: Authenticator
    purpose: str

    def kept(self) -> tuple[Page | None, Mapping[str, str]]:
        """The page and the state that this authenticator last left."""
        state = dict(self.interaction.step_state)
        if state.pop("authenticator", "") != self.name:
            return None, {}
        left = orjson.loads(state.pop("page", "null"))
        return (None if left is None else _PAGES[left["template"]](**left["fields"])), state

    def leave(self, asked: Ask) -> Interaction:
        """The interaction with the page and the state that this authenticator leaves."""
        left = {"template": asked.page.template, "fields": asdict(asked.page)}
        state = {**asked.state, "authenticator": self.name, "page": orjson.dumps(left).decode()}
        return replace(self.interaction, step_state=state)


class StepPage(PageEndpoint):
    """The page of the authenticators whose `step` is this path."""

    def __init__(self, profile: Profile, step: str) -> None:
        self.name = f"{step}_page"
        self.path = f"/{step}"
        super().__init__(profile)
        self._visits = Visits(profile)

    async def _answer(self, request: Request) -> Response:
        form = None
        if request.method == "POST":
            check_own_form(request, self._profile.issuer)
            form = read_form(request)
        visit = await self._visits.find(request)
        turn = self._turn(visit)
        if turn is None:
            return self._visits.resume(visit)
        with Telling(visit.channel, visit.asked):
            try:
                if form is None:
                    return await self._show(request, turn)
                return await self._judge(request, turn, form)
            except AccessDenied as denied:
                if not turn.decision.policy.deny_message:
                    raise
                return self._denied(request, turn, denied)

    def _turn(self, visit: Visit) -> _Turn | None:
        # Whoever is to sign up and finds that he has an account already comes here by a link.
        decision = visit.decision.instead if isinstance(visit.decision, SignUp) else visit.decision
        if not isinstance(decision, Authenticate) or visit.interaction is None:
            return None
        authenticator = self._profile.authenticators[decision.authenticator]
        if f"/{authenticator.step}" != self.path:
            return None
        known = visit.session.user if decision.known and visit.session is not None else ""
        purpose = " ".join((self.name, visit.handle, known))
        return _Turn(visit, visit.interaction, decision.authenticator, decision, authenticator, purpose)

    def _step_request(self, request: Request, turn: _Turn, form: Params, state: Mapping[str, str]) -> StepRequest:
        visit = turn.visit
        known = visit.account.user if turn.decision.known and visit.account is not None else None
        hint = visit.asked.login_hint or ("" if visit.session is None else visit.session.login)
        return StepRequest(
            form=form,
            user=known,
            login_hint=hint,
            state=state,
            issuer=self._profile.issuer,
            peer=request.peer,
            at=request.at,
        )

    async def _show(self, request: Request, turn: _Turn) -> Response:
        shown, state = turn.kept()
        if shown is None:
            begun = await turn.authenticator.begin(self._step_request(request, turn, _NO_FORM, state))
            if isinstance(begun, Proved):
                return await self._proved(turn, begun)
            shown = begun.page
            # Reloading shows the same page again: what begin made is not made twice, but what hindered it may end.
            if not _error(shown):
                await self._visits.keep(turn.interaction, turn.leave(begun))
        if _error(shown) == NOT_ENROLLED and turn.decision.policy.deny_message:
            return self._denied(request, turn, AccessDenied())
        if isinstance(shown, LoginPage) and turn.decision.or_sign_up:
            shown = replace(shown, sign_up=self._visits.address(SIGN_UP, turn.visit.handle))
        return self._visits.show(turn.visit, request, shown, self.path, turn.purpose)

    async def _judge(self, request: Request, turn: _Turn, form: Params) -> Response:
        here = self._visits.address(self.path, turn.visit.handle)
        check_csrf(turn.visit.browser, form, turn.purpose, restart=here)
        _, state = turn.kept()
        answer = await turn.authenticator.finish(self._step_request(request, turn, form, state))
        if isinstance(answer, Proved):
            return await self._proved(turn, answer)
        await self._visits.keep(turn.interaction, turn.leave(answer))
        return self._visits.leave(turn.visit, see_other(here))

    async def _proved(self, turn: _Turn, proved: Proved) -> Response:
        visit, known = turn.visit, turn.visit.account
        if turn.decision.known and (known is None or known.user.subject != proved.user.subject):
            raise ServerError(detail=f"authenticator {turn.name} proved another user than it was asked about")
        proof = Proof(turn.name, proved.amr, self._profile.tools.clock())
        return await self._visits.prove(visit, proved.user, proof, chosen=not turn.decision.known)

    def _denied(self, request: Request, turn: _Turn, denied: AccessDenied) -> Response:
        shown = ErrorPage(
            error=denied.error,
            message="denied",
            parameter="",
            description=denied.description,
            reference="",
            restart=self._visits.address(RESUME, turn.visit.handle),
            custom=turn.decision.policy.deny_message,
        )
        return page(self._profile, request, shown, client=turn.visit.client, status=403)


def _error(shown: Page) -> str:
    return str(getattr(shown, "error", ""))


def step_pages(profile: Profile) -> tuple[StepPage, ...]:
    """One endpoint for each kind of page that the profile's authenticators have."""
    steps = dict.fromkeys(authenticator.step for authenticator in profile.authenticators.values())
    return tuple(StepPage(profile, step) for step in steps)
