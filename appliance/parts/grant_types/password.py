"""grant_type=password (RFC 6749 4.3): a client sends what its user typed. RFC 9700 2.4 forbids it.

Only for clients that cannot change, that prove themselves, and that are declared for it twice: by their grant
types and by `op.compat`. What a user proves this way is the lowest level; whoever needs more, or has a second
factor, must come through the browser. Guesses are counted where those at the login page are.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from appliance.config.declared.profile import Profile as DeclaredProfile
from appliance.protocol import base64url
from appliance.protocol import scope as scopes
from appliance.protocol.authorization import Authorization, ClaimsRequest
from appliance.protocol.client import Client
from appliance.protocol.errors import (
    InvalidGrant,
    InvalidScope,
    ServerError,
    TemporarilyUnavailable,
    TooManyRequests,
    UnauthorizedClient,
)
from appliance.protocol.form import Params
from appliance.protocol.pages import LoginPage
from appliance.seams import Authenticator, Change, Proved, Redeemed, Source, StepRequest, Store, Tools, User

#: Credentials beside the password: who has one expects that it is asked.
_SECOND_FACTORS: Final = ("totp",)
# One text for all: the client must not learn which names there are, nor who has a second factor.
_REFUSED = "the name or password is not right, or they are not enough for this user"


@dataclass(frozen=True, slots=True)
class PasswordLogin:
    """The login that this grant stands in for: that of the profile's lowest level."""

    authenticator: Authenticator
    #: The lowest acr value, and the one that clients need that name none.
    lowest: str
    default: str
    sources: Mapping[str, Source]
    sub: Callable[[User, Client], Awaitable[str]]


class PasswordGrant:
    """Judges name and password by the authenticator of the lowest level."""

    name = "password"
    parameters = frozenset({"username", "password", "scope"})

    def __init__(
        self, *, store: Store, tools: Tools, issuer: str, profile: DeclaredProfile, login: PasswordLogin
    ) -> None:
        self._tools = tools
        self._issuer = issuer
        self._profile = profile
        self._login = login

    async def authorize(self, form: Params, client: Client) -> Redeemed:
        """An authorization without a session. UnauthorizedClient; InvalidScope; InvalidGrant, always alike."""
        if client.is_public or not client.op.compat.password_grant:
            raise UnauthorizedClient("this grant type is not for this client")
        name, password = form.require("username"), form.require("password")
        scope = self._scope(form.get("scope"), client)
        proved = await self._prove(name, password)
        await self._check_is_enough(proved.user, client)
        refreshable = "refresh_token" in client.grant_types and client.op.refresh_token != "never"
        if not refreshable:
            scope = tuple(each for each in scope if each != scopes.OFFLINE_ACCESS)
        always = client.op.refresh_token == "always"
        return Redeemed(
            authorization=await self._authorization(proved, scope, client),
            scope=scope,
            change=Change(),
            lost=_lost,
            direct=True,
            begins_family=refreshable and (always or scopes.OFFLINE_ACCESS in scope),
            refresh_token=None,
        )

    async def _prove(self, name: str, password: str) -> Proved:
        # Without a peer: the address is the client's own, and its users must not wait for each other.
        asked = StepRequest(
            form=Params((("username", name), ("password", password))),
            user=None,
            login_hint="",
            state={},
            issuer=self._issuer,
            peer="",
            at=self._tools.clock(),
        )
        answer = await self._login.authenticator.finish(asked)
        if isinstance(answer, Proved):
            return answer
        problem = answer.page.error if isinstance(answer.page, LoginPage) else ""
        if problem == "throttled":
            raise TooManyRequests(max(self._profile.throttle.delay, 1))
        if problem == "unavailable":
            raise TemporarilyUnavailable("users cannot be asked for now")
        raise InvalidGrant(_REFUSED, detail=f"the login was refused: {problem}")

    async def _check_is_enough(self, user: User, client: Client) -> None:
        needed = client.default_acr_values[0] if client.default_acr_values else self._login.default
        if needed != self._login.lowest:
            raise InvalidGrant(_REFUSED, detail="the client needs a higher level than a password proves")
        source = self._login.sources[user.subject.source]
        for kind in _SECOND_FACTORS:
            if await source.credential(user, kind) is not None:
                raise InvalidGrant(_REFUSED, detail="the user has a second factor and must use the browser")

    async def _authorization(self, proved: Proved, scope: tuple[str, ...], client: Client) -> Authorization:
        return Authorization(
            id=base64url.encode(self._tools.entropy(24)),
            issuer=self._issuer,
            client_id=client.client_id,
            subject=proved.user.subject,
            sub=await self._login.sub(proved.user, client),
            scope=scope,
            claims=ClaimsRequest({}, {}),
            acr=self._login.lowest or None,
            amr=proved.amr,
            auth_time=int(self._tools.clock()),
            nonce=None,
            sid=None,
            auth_time_required=client.require_auth_time,
            claims_locales=(),
        )

    def _scope(self, asked: str | None, client: Client) -> tuple[str, ...]:
        """The allowed part of what is asked; without a word `openid` alone, where that is the client's."""
        wanted = scopes.read(scopes.OPENID if asked is None else asked)
        kept = tuple(name for name in wanted if name in client.scope and self._is_usable(name))
        if asked is not None and (not kept or (self._profile.unknown_scopes == "reject" and kept != wanted)):
            raise InvalidScope("a scope is not available to this client", parameter="scope")
        return kept

    def _is_usable(self, name: str) -> bool:
        scope = self._profile.scopes.get(name)
        if name == scopes.OPENID and not self._profile.openid_connect:
            return False
        if scope is not None and scope.selects_policy is not None:
            # It demands a login that only the browser can have.
            raise InvalidScope("a scope asks for a login that this grant cannot do", parameter="scope")
        return scope is not None


async def _lost() -> Redeemed:
    # Nothing is expected of the store, so nobody can have been first.
    raise ServerError(detail="a step without expectations was refused by the store")
