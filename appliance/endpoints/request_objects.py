"""The request as it is meant: with its request object, if it has one, taken apart (OpenID Connect Core 6).

Only here does a request object become parameters. What is stored of a request, and read again after its pages, are
these parameters; the object itself may have ended by then.
"""

from appliance.endpoints.authorization_reply import Refused, verify
from appliance.profile.profile import Profile
from appliance.protocol.client import Client
from appliance.protocol.errors import InvalidRequest, OAuthError
from appliance.protocol.form import Params
from appliance.protocol.request_object import REQUEST, REQUEST_URI


async def whole_request(params: Params, profile: Profile) -> Params:
    """The parameters that count. Refused for the client; OAuthError for the user, where there is no way back."""
    objects = profile.request_objects
    client = None if objects is None else await profile.clients.find(params.get("client_id", ""))
    if objects is None or client is None:
        # Without a client nothing else counts either, and who reads on will say so.
        return params
    try:
        if profile.declared.require_pushed_authorization_requests or client.require_pushed_authorization_requests:
            # RFC 9126 5, 6: whatever else comes through a browser may have been changed there.
            raise InvalidRequest("this client must push its requests", parameter=REQUEST_URI)
        if objects.takes(params):
            return await objects.assemble(params, client)
        check_may_do_without(client)
    except OAuthError as error:
        raise await _refused(params, profile, error) from None
    return params


def check_may_do_without(client: Client) -> None:
    """RFC 9101 10.5: whoever asked to be protected from plain requests is. InvalidRequest."""
    if client.require_signed_request_object:
        raise InvalidRequest("this client must send a signed request object", parameter=REQUEST)


async def _refused(params: Params, profile: Profile, error: OAuthError) -> Exception:
    """How an error is told: to the client, if what stands outside of the object leads to it; else to the user."""
    try:
        return Refused(await verify(params, profile), error)
    except InvalidRequest:
        return error
