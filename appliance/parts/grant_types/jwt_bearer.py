"""grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer (RFC 7523 2.1): another issuer's word for a user.

For confidential clients that the issuer is declared for. Each assertion counts once, and gives neither a refresh
token nor an ID Token: the user was not here.
"""

from collections.abc import Awaitable, Callable
from typing import Final

from appliance.config.declared.profile import Profile as DeclaredProfile
from appliance.jose.claims import read_text
from appliance.jose.problems import TokenProblem
from appliance.protocol import base64url
from appliance.protocol import scope as scopes
from appliance.protocol.authorization import Authorization, ClaimsRequest
from appliance.protocol.client import Client
from appliance.protocol.errors import InvalidGrant, InvalidScope, UnauthorizedClient
from appliance.protocol.form import Params
from appliance.protocol.handles import stored_id
from appliance.protocol.records import Used
from appliance.seams import Change, Redeemed, Store, Tools, User
from appliance.trusted_issuers import Asserted, TrustedIssuers

_MAX_JTI: Final = 256
_REFUSED = "the assertion is not valid, has expired, was used before or is not for this client"


class JwtBearer:
    """Redeems the assertions of trusted issuers."""

    name = "urn:ietf:params:oauth:grant-type:jwt-bearer"
    parameters = frozenset({"assertion", "scope"})

    def __init__(
        self,
        *,
        store: Store,
        tools: Tools,
        issuer: str,
        profile: DeclaredProfile,
        trusted: TrustedIssuers,
        sub: Callable[[User, Client], Awaitable[str]],
    ) -> None:
        self._entropy = tools.entropy
        self._issuer = issuer
        self._scopes = frozenset(profile.scopes)
        self._trusted = trusted
        self._sub = sub

    async def authorize(self, form: Params, client: Client) -> Redeemed:
        """What the assertion is a grant for. UnauthorizedClient; InvalidGrant, always alike; InvalidScope."""
        if client.is_public:
            # RFC 7523 lets a client without credentials bring one; then whoever finds an assertion could.
            raise UnauthorizedClient("this grant type is for confidential clients")
        assertion = form.require("assertion")
        try:
            asserted = await self._trusted.verify(assertion)
            if asserted.bound:
                raise TokenProblem("the assertion counts only with a proof of its key")
            jti = read_text(asserted.claims, "jti", max_length=_MAX_JTI)
        except TokenProblem as problem:
            raise InvalidGrant(_REFUSED, detail=f"assertion: {problem}") from None
        if client.client_id not in asserted.settings.clients:
            raise InvalidGrant(_REFUSED, detail="the issuer is not declared for this client")
        scope = self._scope(form.get("scope"), asserted, client)
        # By name, not by text: an assertion that is spelt or signed anew is still the same one (RFC 7523 3).
        name = stored_id("\x1f".join(("assertion", self._issuer, asserted.issuer, jti)))
        mark = Used(id=name, issuer=self._issuer, expires_at=asserted.ends_at)
        return Redeemed(
            authorization=await self._authorization(asserted.user, scope, client),
            scope=scope,
            change=Change(put=(mark,), absent=(mark,)),
            lost=_used_before,
            begins_family=False,
            refresh_token=None,
            with_id_token=False,
            direct=True,
        )

    async def _authorization(self, user: User, scope: tuple[str, ...], client: Client) -> Authorization:
        return Authorization(
            id=base64url.encode(self._entropy(24)),
            issuer=self._issuer,
            client_id=client.client_id,
            subject=user.subject,
            sub=await self._sub(user, client),
            scope=scope,
            claims=ClaimsRequest({}, {}),
            # How and when he logged in elsewhere is not known here.
            acr=None,
            amr=(),
            auth_time=None,
            nonce=None,
            sid=None,
            auth_time_required=False,
            claims_locales=(),
        )

    def _scope(self, asked: str | None, asserted: Asserted, client: Client) -> tuple[str, ...]:
        allowed = tuple(
            name
            for name in asserted.settings.scope
            if name in client.scope and name in self._scopes and name != scopes.OFFLINE_ACCESS
        )
        if asked is None:
            return allowed
        wanted = scopes.read(asked)
        if not wanted or not set(wanted) <= set(allowed):
            raise InvalidScope("a scope does not come of this assertion", parameter="scope")
        return wanted


async def _used_before() -> Redeemed:
    raise InvalidGrant(_REFUSED, detail="assertion: its jti was used before")
