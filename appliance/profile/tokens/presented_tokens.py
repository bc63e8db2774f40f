"""Tokens that somebody presents to have others for them (RFC 8693 2.1): ours, and those of trusted issuers.

Ours are judged by what is stored, never by their text alone: what was revoked, or ended with its session, or is of
a user who is not active, is no subject token.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from appliance.config.declared.profile import Profile as DeclaredProfile
from appliance.jose.problems import TokenProblem
from appliance.parts.grant_types.token_exchange import PresentedToken
from appliance.profile.standing import Standing
from appliance.profile.tokens.mint import Tokens
from appliance.protocol.authorization import Authorization, ClaimsRequest, Subject
from appliance.protocol.errors import InvalidGrant, InvalidRequest, InvalidToken
from appliance.protocol.records import Session
from appliance.protocol.token_exchange import short_name
from appliance.seams import Store, Tools
from appliance.trusted_issuers import TrustedIssuers

_MAX_AMR: Final = 16


class PresentedTokens:
    """Reads the subject and actor tokens of one profile."""

    def __init__(
        self,
        *,
        declared: DeclaredProfile,
        tokens: Tokens,
        trusted: TrustedIssuers,
        standing: Standing,
        store: Store,
        tools: Tools,
    ) -> None:
        self._issuer = declared.issuer
        self._resources = declared.resources
        self._tokens = tokens
        self._trusted = trusted
        self._standing = standing
        self._store = store
        self._clock = tools.clock

    async def read(self, token: str, token_type: str, parameter: str) -> PresentedToken:
        """The token in a parameter. InvalidRequest: not good; SourceUnavailable, StoreUnavailable."""
        readers = {"access_token": self._access_token, "id_token": self._id_token, "jwt": self._jwt}
        read = readers.get(short_name(token_type))
        if read is None:
            raise InvalidRequest(f"{parameter}_type is not supported", parameter=f"{parameter}_type")
        try:
            return await read(token)
        except (TokenProblem, InvalidToken, InvalidGrant, InvalidRequest) as problem:
            words = f"{parameter} is not valid, has expired or was revoked"
            detail = str(getattr(problem, "detail", "") or problem)
            raise InvalidRequest(words, detail=detail, parameter=parameter) from None

    async def _access_token(self, token: str) -> PresentedToken:
        record = await self._tokens.read_access_token(token)
        authorization = record.authorization
        _, user = await self._standing.check(authorization)
        return PresentedToken(
            token_type="access_token",
            issuer=self._issuer,
            client_id=authorization.client_id,
            user=user,
            audience=tuple(self._audience(authorization)) or (self._issuer,),
            scope=authorization.scope,
            ends_at=record.expires_at,
            authorization=authorization,
            bound=authorization.confirmation is not None,
            may_act=None,
            record=record,
        )

    def _audience(self, authorization: Authorization) -> Iterator[str]:
        """The resource servers of a token, by their identifiers and as its `aud` names them."""
        for identifier in authorization.resource:
            yield identifier
            resource = self._resources.get(identifier)
            if resource is not None and resource.audience is not None:
                yield resource.audience

    async def _id_token(self, token: str) -> PresentedToken:
        claims = self._tokens.read_id_token_hint(token)
        ends_at, client_id, sid = claims.get("exp"), claims.get("aud"), claims.get("sid")
        if not isinstance(ends_at, int) or ends_at <= self._clock():
            raise TokenProblem("the ID Token has expired")
        if not isinstance(client_id, str) or not isinstance(sid, str):
            # Without a session nothing tells whether its user is still there.
            raise TokenProblem("the ID Token is not of one client and one session")
        session = await self._session(sid)
        authorization = self._frame(claims, client_id, session)
        _, user = await self._standing.check(authorization)
        return PresentedToken(
            token_type="id_token",
            issuer=self._issuer,
            client_id=client_id,
            user=user,
            audience=(client_id,),
            scope=None,
            ends_at=min(ends_at, session.expires_at),
            authorization=authorization,
            bound="cnf" in claims,
            may_act=claims.get("may_act"),
            record=None,
        )

    async def _session(self, sid: str) -> Session:
        for session in await self._store.find(Session, "sid", sid):
            if session.issuer == self._issuer:
                return session
        raise TokenProblem("the session of the ID Token has ended")

    async def _jwt(self, token: str) -> PresentedToken:
        asserted = await self._trusted.verify(token)
        if "act" in asserted.claims:
            # Its actors are somebody else's; to pass them on as ours would vouch for them.
            raise TokenProblem("the JWT is of a chain of actors of its own")
        return PresentedToken(
            token_type="jwt",
            issuer=asserted.issuer,
            client_id="",
            user=asserted.user,
            audience=(self._issuer,),
            scope=asserted.settings.scope,
            ends_at=asserted.ends_at,
            authorization=self._of(asserted.user.subject),
            bound=asserted.bound,
            may_act=asserted.claims.get("may_act"),
            record=None,
        )

    def _frame(self, claims: Mapping[str, object], client_id: str, session: Session) -> Authorization:
        """What an ID Token of ours tells of a login, as of its session's user."""
        acr, amr, auth_time = claims.get("acr"), claims.get("amr"), claims.get("auth_time")
        return replace(
            self._of(session.subject),
            client_id=client_id,
            sub=str(claims.get("sub")),
            acr=acr if isinstance(acr, str) else None,
            amr=tuple(str(each) for each in amr[:_MAX_AMR]) if isinstance(amr, list) else (),
            auth_time=auth_time if isinstance(auth_time, int) else None,
            sid=session.sid,
        )

    def _of(self, subject: Subject) -> Authorization:
        """Nothing granted by a user."""
        return Authorization(
            id="",
            issuer=self._issuer,
            client_id="",
            subject=subject,
            sub="",
            scope=(),
            claims=ClaimsRequest({}, {}),
            acr=None,
            amr=(),
            auth_time=None,
            nonce=None,
            sid=None,
            auth_time_required=False,
            claims_locales=(),
        )
