"""The authorization endpoint (RFC 6749 3.1, OpenID Connect Core 3.1.2) and its second half, `resume`."""

from dataclasses import replace
from typing import Final

from appliance.endpoints.authorization_reply import Channel, Telling
from appliance.endpoints.page_endpoint import PageEndpoint
from appliance.endpoints.page_replies import PageProblem, read_form
from appliance.endpoints.request_objects import whole_request
from appliance.endpoints.request_shapes import RequestShapes
from appliance.endpoints.visits import RESUME, Account, Visit, Visits, read_asked
from appliance.endpoints.waiting import Home, Waiting
from appliance.profile.profile import Profile
from appliance.profile.requests.pushed_requests import PushedRequests, is_pushed
from appliance.profile.sign_on.interaction import AskConsent, Done, Refuse
from appliance.profile.tokens.mint import CodeBinding
from appliance.protocol import base64url, claims_request
from appliance.protocol.authorization import Authorization, Confirmation
from appliance.protocol.authorization_request import restore
from appliance.protocol.errors import LoginRequired, ServerError
from appliance.protocol.form import Params, read
from appliance.protocol.messages import Request, Response
from appliance.protocol.prompt import CREATE, LOGIN
from appliance.protocol.redirects import see_other
from appliance.protocol.scope import OFFLINE_ACCESS

# The prompts that make a user log in whatever his session is.
_FORCING: Final = frozenset({LOGIN, CREATE})


class AuthorizationEndpoint(PageEndpoint):
    """Takes authorization requests by GET and POST."""

    name = "authorization_endpoint"
    path = "/authorize"

    def __init__(self, profile: Profile) -> None:
        super().__init__(profile)
        self._pushed = PushedRequests(declared=profile.declared, store=profile.store, tools=profile.tools)
        self._shapes = RequestShapes(profile)
        self._visits = Visits(profile)
        self._conclusion = Conclusion(profile, self._visits)

    async def _answer(self, request: Request) -> Response:
        # RFC 6749 3.1: one place for the parameters; a query beside a body is not read at all.
        posted = request.method == "POST"
        params: Params = read_form(request) if posted else read(request.query)
        pushed = await self._pushed.find(params) if is_pushed(params) else None
        # RFC 9126 4: beside a pushed request nothing counts that came through the browser.
        params = await whole_request(params, self._profile) if pushed is None else restore(pushed.parameters)
        if pushed is None:
            channel, asked = await self._shapes.read(params)
        else:
            channel, asked = await read_asked(params, self._profile, pushed=True)
            channel = replace(channel, pushed=pushed)
        with Telling(channel, asked):
            browser = await self._profile.sessions.read(request)
            visit = await self._visits.look(channel, asked, browser, None, "")
            if posted:
                # A form of another site comes without our cookies; the GET that follows has them.
                return self._visits.resume(await self._visits.begin(visit, bound=False))
            return await self._conclusion.conclude(request, visit)


class AuthorizationResume(PageEndpoint):
    """Takes up an authorization request after one of its pages."""

    name = "authorization_resume"
    path = RESUME
    methods = frozenset({"GET"})

    def __init__(self, profile: Profile) -> None:
        super().__init__(profile)
        self._visits = Visits(profile)
        self._conclusion = Conclusion(profile, self._visits)

    async def _answer(self, request: Request) -> Response:
        visit = await self._visits.find(request)
        with Telling(visit.channel, visit.asked):
            return await self._conclusion.conclude(request, visit)


class Conclusion:
    """What a decision means for the browser: on to a page, or back to the client."""

    def __init__(self, profile: Profile, visits: Visits) -> None:
        self._profile = profile
        self._visits = visits

    async def conclude(self, request: Request, visit: Visit) -> Response:
        """The response. OAuthError for the client."""
        decision = visit.decision
        if isinstance(decision, Done | Refuse):
            if not await self._visits.finish(visit):
                raise PageProblem("expired", "the request was answered already", client=visit.client)
            if isinstance(decision, Refuse):
                refused = await visit.channel.refuse(
                    self._profile, request, decision.error, self._session_state(visit)
                )
                return self._visits.leave(visit, refused)
            return self._visits.leave(visit, await self._grant(request, visit, decision))
        if visit.interaction is None:
            visit = await self._visits.begin(visit)
        path = visit.channel.consent if isinstance(decision, AskConsent) else self._visits.step_path(decision)
        return self._visits.leave(visit, see_other(self._visits.address(path, visit.handle)))

    async def _grant(self, request: Request, visit: Visit, done: Done) -> Response:
        account = visit.account
        if account is None:
            raise ServerError(detail="a request was to be answered without a user")
        asked, client, channel = visit.asked, visit.client, visit.channel
        if isinstance(channel, Home):
            return see_other(self._profile.path + channel.path)
        authorization = await self._authorization(visit, account, done)
        always = client.op.refresh_token == "always"
        offline = "refresh_token" in client.grant_types and (always or OFFLINE_ACCESS in asked.scope)
        if isinstance(channel, Waiting):
            await self._profile.clients.touch(client)
            return await channel.approve(self._profile, authorization, offline=offline)
        if not isinstance(channel, Channel):
            raise ServerError(detail="a request was to be answered that leads nowhere")
        reply_to = channel.reply_to
        binding = CodeBinding(
            redirect_uri=reply_to.redirect_uri if reply_to.asked else None,
            code_challenge=asked.code_challenge,
            offline=offline,
        )
        return await self._answer(request, visit, channel, account, authorization, binding)

    async def _answer(
        self,
        request: Request,
        visit: Visit,
        channel: Channel,
        account: Account,
        authorization: Authorization,
        binding: CodeBinding,
    ) -> Response:
        profile, asked, client = self._profile, visit.asked, visit.client
        # First of all: whatever the client gets in a session, it must hear of the session's end.
        await profile.clients.touch(client)
        if not await profile.sessions.note_client(account.session, client.client_id):
            raise LoginRequired("the session has ended meanwhile")
        parameters = await profile.tokens.front_channel(
            authorization, client, asked.response_type, binding, asked.state
        )
        answer = (*parameters, *self._session_state(visit))
        response = await channel.answer(profile, request, answer)
        if visit.browser.changed or not profile.sessions.state.offered:
            return response
        # The cookie that the state is about, in case the browser has lost it or never had it.
        return response.with_cookies(*profile.sessions.state.cookies(visit.browser.sids))

    def _session_state(self, visit: Visit) -> tuple[tuple[str, str], ...]:
        """Session Management 2: in answers and, as they should, in errors."""
        if not isinstance(visit.channel, Channel) or not self._profile.sessions.state.offered:
            return ()
        reply_to = visit.channel.reply_to.redirect_uri
        return self._profile.sessions.state.parameters(visit.client.client_id, reply_to, visit.browser.sids)

    async def _authorization(self, visit: Visit, account: Account, done: Done) -> Authorization:
        profile, asked, client = self._profile, visit.asked, visit.client
        max_age = client.default_max_age if asked.max_age is None else asked.max_age
        return Authorization(
            id=base64url.encode(profile.tools.entropy(24)),
            issuer=profile.issuer,
            client_id=client.client_id,
            subject=account.session.subject,
            sub=await profile.claims.sub(account.user, client),
            scope=asked.scope,
            claims=asked.claims,
            acr=done.acr,
            amr=done.amr,
            auth_time=done.auth_time,
            nonce=asked.nonce,
            sid=account.session.sid,
            # Who forces a login wants to see that it happened (Core 3.1.2.1), though only max_age must tell.
            auth_time_required=max_age is not None
            or not _FORCING.isdisjoint(asked.prompt)
            or client.require_auth_time
            or claims_request.is_essential(asked.claims, "auth_time"),
            claims_locales=asked.claims_locales,
            authorization_details=asked.authorization_details,
            resource=asked.resource,
            # RFC 9449 10: the code is for whoever holds that key.
            confirmation=None if asked.dpop_jkt is None else Confirmation(jkt=asked.dpop_jkt),
        )
