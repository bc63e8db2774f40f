"""introspection_endpoint (RFC 7662): what a token is worth at this moment, for those who may know.

Whatever is not to be told (unknown, ended, revoked, somebody else's) gets one and the same answer.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from appliance import artefacts
from appliance.endpoints.forms import accepts, json_response, jwt_response, read_form
from appliance.profile.client_auth import PUBLIC, auth_metadata
from appliance.profile.profile import Profile
from appliance.profile.tokens.response_protection import INTROSPECTION
from appliance.profile.tokens.sender_constraint import token_type
from appliance.protocol.authorization import Authorization
from appliance.protocol.authorization_details import at as details_at
from appliance.protocol.client import Client
from appliance.protocol.errors import InvalidClient, InvalidGrant, InvalidRequest, InvalidToken
from appliance.protocol.handles import REFRESH_TOKEN
from appliance.protocol.messages import Request, Response
from appliance.protocol.records import AccessToken, RefreshToken, Session

_MEDIA_TYPE: Final = f"application/{INTROSPECTION}"
#: What is told of an ID Token, besides whose it is (RFC 7662 2.2).
_OF_ID_TOKENS = ("iss", "sub", "aud", "exp", "iat", "acr", "auth_time")


class IntrospectionEndpoint:
    """Tells confidential clients of their own tokens, and resource servers of all access tokens."""

    name = "introspection_endpoint"
    path = "/introspect"
    methods = frozenset({"POST"})
    cors = "none"

    def __init__(self, profile: Profile) -> None:
        self._profile = profile

    async def handle(self, request: Request) -> Response:
        """The members of RFC 7662 2.2, or only that the token is not active; kept by nobody."""
        form = read_form(request)
        caller = await self._profile.client_auth.authenticate(request, form)
        if caller.is_public:
            # RFC 7662 2.1: who need not prove anything could try tokens all day.
            raise InvalidClient("a public client may not introspect")
        told = await self._introspect(form.require("token"), caller)
        members = {"active": False} if told is None else {"active": True, **told}
        if not accepts(request, _MEDIA_TYPE):
            return json_response(members)
        profile = self._profile
        # RFC 9701 5: of what is not active as well, and for nobody but who asked.
        token = await profile.response_protection.introspection(caller, profile.issuer, members)
        return jwt_response(token, _MEDIA_TYPE)

    def metadata(self) -> Mapping[str, object]:
        """How callers prove themselves: as at the token endpoint, but for those who prove nothing."""
        methods = self._profile.client_auth_methods
        proving = auth_metadata(self.name, (method for name, method in methods.items() if name != PUBLIC))
        return {**proving, **self._profile.response_protection.introspection_metadata()}

    async def _introspect(self, token: str, caller: Client) -> Mapping[str, object] | None:
        # token_type_hint would save nothing: the text of a token tells what kind it could be.
        try:
            return await self._access_token(await self._profile.tokens.read_access_token(token), caller)
        except InvalidToken:
            pass
        refresh_token = await artefacts.load(
            self._profile.store, RefreshToken, REFRESH_TOKEN, token, self._profile.issuer, caller.client_id
        )
        if refresh_token is not None:
            return await self._refresh_token(refresh_token)
        if self._profile.declared.compat.introspection_accepts_id_tokens:
            return await self._id_token(token, caller)
        return None

    async def _access_token(self, record: AccessToken, caller: Client) -> Mapping[str, object] | None:
        authorization = self._visible(record.authorization, caller)
        described = None if authorization is None else await self._describe(authorization, record)
        if described is None or authorization is None:
            return None
        if authorization.resource:
            # RFC 9068 3.
            audience = self._profile.resources.audience(authorization.resource)
            described["aud"] = audience[0] if len(audience) == 1 else list(audience)
        confirmation = record.authorization.confirmation
        described |= {"token_type": token_type(confirmation), "iat": int(record.issued_at)}
        # RFC 9449 6.2, RFC 8705 3.2.
        return described if confirmation is None else {**described, "cnf": confirmation.members()}

    def _visible(self, authorization: Authorization, caller: Client) -> Authorization | None:
        """What of an authorization a caller may see: its own, all of it, or what is for the resource it is."""
        if authorization.client_id == caller.client_id or caller.op.introspection == "all":
            return authorization
        resources = self._profile.resources
        served = resources.served_by(caller.client_id)
        own = tuple(each for each in authorization.resource if each in served)
        if not own:
            return None
        places = (*own, *resources.audience(own))
        return replace(
            authorization,
            resource=own,
            scope=resources.scope_of_token(authorization.scope, own),
            authorization_details=details_at(authorization.authorization_details, places),
        )

    async def _refresh_token(self, record: RefreshToken) -> Mapping[str, object] | None:
        # One that was replaced could still be repeated for some seconds, but is not what to go on with.
        return None if record.rotated_at else await self._describe(record.authorization, record)

    async def _describe(
        self, authorization: Authorization, record: AccessToken | RefreshToken
    ) -> dict[str, object] | None:
        """What is told of both kinds; None when client or user do not stand any more."""
        try:
            client, _ = await self._profile.standing.check(authorization)
        except InvalidGrant:
            return None
        allowed = self._profile.claims.allowed_scopes(client)
        members: dict[str, object] = {
            "client_id": authorization.client_id,
            "exp": int(record.expires_at),
            # As the token's client knows the user, whoever asks: the caller learns no other name (Core 8).
            # RFC 9068 2.2: where no end-user is involved, the client itself.
            "sub": authorization.sub or authorization.client_id,
            "aud": self._profile.issuer,
            "iss": self._profile.issuer,
            "jti": record.id,
        }
        if scope := [name for name in authorization.scope if name in allowed]:
            members["scope"] = " ".join(scope)
        if authorization.acr:
            members["acr"] = authorization.acr
        if authorization.auth_time is not None:
            members["auth_time"] = authorization.auth_time
        if authorization.authorization_details:
            # RFC 9396 9.2.
            members["authorization_details"] = list(authorization.authorization_details)
        if authorization.act is not None:
            # RFC 8693 4.1.
            members["act"] = authorization.act
        return members

    async def _id_token(self, token: str, caller: Client) -> Mapping[str, object] | None:
        """An ID Token of the caller, while it and the session it names last."""
        profile = self._profile
        try:
            claims = profile.tokens.read_id_token_hint(token)
        except InvalidRequest:
            return None
        expires_at, sid = claims.get("exp"), claims.get("sid")
        if not isinstance(expires_at, int) or expires_at <= profile.tools.clock():
            return None
        if claims.get("aud") != caller.client_id or not isinstance(sid, str):
            return None
        if not await self._is_live(sid):
            return None
        told = {name: claims[name] for name in _OF_ID_TOKENS if name in claims}
        return {"client_id": caller.client_id, **told}

    async def _is_live(self, sid: str) -> bool:
        """Whether a session lasts and its user is still there; an ID Token by itself knows neither."""
        profile = self._profile
        for session in await profile.store.find(Session, "sid", sid):
            source = profile.sources.get(session.subject.source)
            if session.issuer != profile.issuer or source is None:
                continue
            user = await source.load(session.subject.id)
            if user is not None and user.active:
                return True
        return False
