"""Pushed authorization requests of one profile (RFC 9126): kept, found again for a browser, used up by the answer."""

from appliance.config.declared.profile import Profile as DeclaredProfile
from appliance.protocol.authorization_request import AuthorizationRequest
from appliance.protocol.client import Client
from appliance.protocol.errors import InvalidRequest, InvalidRequestUri, ServerError
from appliance.protocol.form import Params
from appliance.protocol.handles import PUSHED_AUTHORIZATION_REQUEST, issue, stored_id, well_formed
from appliance.protocol.records import PushedAuthorizationRequest
from appliance.protocol.request_object import REQUEST, REQUEST_URI
from appliance.seams import Change, Store, Tools

# One text for all: nobody learns which references there are, nor whose (RFC 9126 7.1).
_REFUSED = "request_uri is not one of this client, was used or has expired"


def is_pushed(params: Params) -> bool:
    """Whether a request names one that was pushed."""
    return params.get(REQUEST_URI, "").startswith(PUSHED_AUTHORIZATION_REQUEST)


class PushedRequests:
    """Keeps what was pushed. A reference is as good as a code: 256 random bits, of which only a digest is stored."""

    def __init__(self, *, declared: DeclaredProfile, store: Store, tools: Tools) -> None:
        self._issuer = declared.issuer
        self._usable = declared.ttl.pushed_authorization_request
        self._interaction = declared.ttl.interaction
        self._on = declared.endpoints.pushed_authorization_request
        self._store = store
        self._tools = tools

    async def issue(self, asked: AuthorizationRequest, client: Client) -> tuple[str, int]:
        """A reference to a checked request, and the seconds that it can be used for. StoreUnavailable."""
        handle = issue(PUSHED_AUTHORIZATION_REQUEST, self._tools.entropy)
        until = self._tools.clock() + self._usable
        record = PushedAuthorizationRequest(
            id=stored_id(handle),
            issuer=self._issuer,
            # A login that begins at the last moment still finds it when it ends.
            expires_at=until + self._interaction,
            client_id=client.client_id,
            parameters=asked.parameters,
            usable_until=until,
        )
        if not await self._store.commit(Change(put=(record,))):
            raise ServerError(detail="a step without expectations was refused by the store")
        return handle, self._usable

    async def find(self, params: Params) -> PushedAuthorizationRequest | None:
        """The request behind the reference of an authorization request; None without one. StoreUnavailable.

        InvalidRequest; InvalidRequestUri: for the user, because what else was sent is not looked at (RFC 9126 4).
        """
        if not self._on or not is_pushed(params):
            return None
        client_id, handle = params.require("client_id"), params[REQUEST_URI]
        if REQUEST in params or REQUEST in params.repeated:
            raise InvalidRequest("request and request_uri must not be used together", parameter=REQUEST_URI)
        found = None
        if well_formed(PUSHED_AUTHORIZATION_REQUEST, handle):
            found = await self._store.get(PushedAuthorizationRequest, stored_id(handle))
        if found is None or found.issuer != self._issuer or found.client_id != client_id:
            raise InvalidRequestUri(_REFUSED, parameter=REQUEST_URI)
        if self._tools.clock() >= found.usable_until:
            raise InvalidRequestUri(_REFUSED, parameter=REQUEST_URI, detail="the pushed request has expired")
        return found
