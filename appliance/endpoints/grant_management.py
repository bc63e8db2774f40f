"""grant_management_endpoint (Grant Management for OAuth 2.0, draft 03, 6): a client looks at, and ends, one grant.

A grant is what came of one authorization, for as long as there is a token of it. Its id is no secret: who asks shows
an access token of the very client that the grant is of.
"""

from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Final

from appliance.endpoints.bearer import challenged_as_used, missing_as_offered, read_access_token
from appliance.endpoints.forms import json_response
from appliance.profile.profile import Profile
from appliance.protocol.authorization import Authorization
from appliance.protocol.errors import InsufficientScope, InvalidGrant, InvalidToken, OAuthError
from appliance.protocol.messages import Request, Response
from appliance.protocol.records import AccessToken, RefreshToken

#: Method to the action that a profile offers by it, and the scope that it takes (6.1).
_ACTIONS: Final[Mapping[str, tuple[str, str]]] = {
    "GET": ("query", "grant_management_query"),
    "DELETE": ("revoke", "grant_management_revoke"),
}
_KEPT_BY_NOBODY: Final = (("Cache-Control", "no-cache, no-store"), ("Pragma", "no-cache"))


class GrantManagementEndpoint:
    """Tells a client what one of its grants is worth, or ends it."""

    name = "grant_management"
    #: Each grant has an address below it.
    path = "/grants/"
    cors = "none"

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._offered = profile.declared.grant_management
        self.methods = frozenset(method for method, (action, _) in _ACTIONS.items() if action in self._offered.actions)

    async def handle(self, request: Request) -> Response:
        """The grant as it is now, or 204 when it is gone; 404 for one that is not the client's."""
        action, scope = _ACTIONS["DELETE" if request.method == "DELETE" else "GET"]
        try:
            caller = await self._caller(request, scope)
        except OAuthError as error:
            if error.challenge or error.status >= 500:
                raise
            raise challenged_as_used(error, request, self._profile, scope) from None
        grant_id = request.path[len(self._profile.path) + len(self.path) :]
        tokens = [each async for each in self._tokens(grant_id)]
        # What came of a grant by token exchange ends with it, but is not the grant.
        found = [each for each in tokens if each.authorization.id == grant_id and _may_see(caller, each.authorization)]
        if not found:
            return Response(404, _KEPT_BY_NOBODY)
        if action == "revoke":
            await self._profile.withdrawals.of_grant(grant_id)
            return Response(204, _KEPT_BY_NOBODY)
        return json_response(_described(found))

    def metadata(self) -> Mapping[str, object]:
        """What clients may do, and where (7.1)."""
        members: dict[str, object] = {
            "grant_management_actions_supported": list(self._offered.actions),
            "grant_management_action_required": self._offered.required,
        }
        if self.methods:
            members["grant_management_endpoint"] = self._profile.issuer + self.path.rstrip("/")
        return members

    async def _caller(self, request: Request, scope: str) -> Authorization:
        """What the access token of a request was granted for. InvalidToken; InsufficientScope."""
        profile = self._profile
        record = await read_access_token(request, profile)
        if record is None:
            raise missing_as_offered(profile)
        authorization = record.authorization
        if not profile.resources.is_for_issuer(authorization.resource):
            raise InvalidToken("the access token is for another resource")
        try:
            client, _ = await profile.standing.check(authorization)
        except InvalidGrant as ended:
            raise InvalidToken("the access token is not valid any more", detail=ended.detail) from None
        if client.is_public or scope not in authorization.scope:
            # 5.1: what such a client shows proves nothing of who shows it.
            raise InsufficientScope("the access token is not for this")
        return authorization

    async def _tokens(self, grant_id: str) -> AsyncIterator[RefreshToken | AccessToken]:
        """The live tokens of a grant, those first that say most of it."""
        store = self._profile.store
        for refresh_token in await store.find(RefreshToken, "authorization_id", grant_id):
            if refresh_token.issuer == self._profile.issuer and not refresh_token.rotated_at:
                yield refresh_token
        for access_token in await store.find(AccessToken, "authorization_id", grant_id):
            if access_token.issuer == self._profile.issuer:
                yield access_token


def _may_see(caller: Authorization, granted: Authorization) -> bool:
    """Whether a grant is of the client that asks, and of the user in whose name it asks, if in any."""
    if granted.client_id != caller.client_id or granted.subject is None:
        return False
    return caller.subject is None or caller.subject == granted.subject


def _described(found: Iterable[RefreshToken | AccessToken]) -> dict[str, object]:
    """What was granted, of all tokens together (6.4)."""
    scopes: dict[tuple[str, ...], dict[str, None]] = {}
    claims: dict[str, None] = {}
    details: list[Mapping[str, object]] = []
    until = 0.0
    for each in found:
        granted = each.authorization
        scopes.setdefault(granted.resource, {}).update(dict.fromkeys(granted.scope))
        claims.update(dict.fromkeys((*granted.claims.id_token, *granted.claims.userinfo)))
        details += [detail for detail in granted.authorization_details if detail not in details]
        until = max(until, each.family_until if isinstance(each, RefreshToken) else each.expires_at)
    members: dict[str, object] = {
        "scopes": [
            {"scope": " ".join(names)} | ({"resource": list(resources)} if resources else {})
            for resources, names in scopes.items()
        ],
        "expires_at": int(until),
    }
    if claims:
        members["claims"] = list(claims)
    if details:
        members["authorization_details"] = [dict(each) for each in details]
    return members
