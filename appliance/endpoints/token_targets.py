"""What a token request says of where its token is to be used, and for what (RFC 8707 2.2, RFC 9396 6).

One place for all grant types: whatever was granted, a request gets all of it or less. Only where nothing was asked
before, because the token request is the whole of it, is what it asks what is granted.
"""

from dataclasses import replace

from appliance.profile.profile import Profile
from appliance.protocol import authorization_details, resource
from appliance.protocol.authorization_details import AUTHORIZATION_DETAILS
from appliance.protocol.client import Client
from appliance.protocol.errors import InvalidAuthorizationDetails, InvalidScope, InvalidTarget
from appliance.protocol.form import Params
from appliance.protocol.resource import RESOURCE
from appliance.seams import GrantType, Redeemed


def concerns(form: Params, grant: GrantType, redeemed: Redeemed, client: Client) -> bool:
    """Whether there is anything to narrow; most requests and authorizations have nothing of the kind."""
    if RESOURCE in grant.parameters:
        return False
    granted = redeemed.authorization
    if granted.resource or granted.authorization_details or RESOURCE in form or AUTHORIZATION_DETAILS in form:
        return True
    return RESOURCE in form.repeated or (redeemed.direct and client.op.default_resource is not None)


def narrowed(form: Params, redeemed: Redeemed, client: Client, profile: Profile) -> Redeemed:
    """What of the authorization this token is to have. InvalidTarget; InvalidAuthorizationDetails; InvalidScope.

    Nothing was consumed yet: a request that asks too much leaves its proof as it was.
    """
    before = redeemed.lost

    async def lost() -> Redeemed:
        return narrowed(form, await before(), client, profile)

    found = _granted(form, redeemed, client, profile) if redeemed.direct else _less(form, redeemed, client, profile)
    return replace(found, lost=lost)


def _less(form: Params, redeemed: Redeemed, client: Client, profile: Profile) -> Redeemed:
    """A part of what was granted, as far as it still stands."""
    granted = redeemed.authorization
    asked = resource.read(form.all(RESOURCE))
    chosen = profile.resources.narrow(asked, granted.resource, granted.scope)
    standing = tuple(each for each in chosen if profile.resources.stands(each, client))
    if len(standing) < len(asked) or (chosen and not standing):
        raise InvalidTarget("no token is issued any more for what was granted", parameter=RESOURCE)
    details = profile.details.standing(granted.authorization_details, client)
    wanted = authorization_details.read(form.get(AUTHORIZATION_DETAILS))
    if wanted:
        profile.details.check(wanted, client)
        details = authorization_details.narrow(wanted, details)
    return replace(redeemed, resource=standing, authorization_details=details)


def _granted(form: Params, redeemed: Redeemed, client: Client, profile: Profile) -> Redeemed:
    """What the client may have by its own word: of authorization details only what needs no user."""
    asked = resource.read(form.all(RESOURCE))
    default = () if client.op.default_resource is None else (client.op.default_resource,)
    targets = asked or default
    profile.resources.check(targets, client)
    details = authorization_details.read(form.get(AUTHORIZATION_DETAILS))
    if details:
        profile.details.check(details, client)
        profile.details.check_without_user(details)
        if redeemed.authorization.subject is not None:
            raise InvalidAuthorizationDetails("nobody was asked who could allow authorization_details")
    scope = profile.resources.scope_at(redeemed.scope, targets) if targets else redeemed.scope
    if len(scope) < len(redeemed.scope) and "scope" in form and profile.declared.unknown_scopes == "reject":
        raise InvalidScope("a scope means nothing at this resource", parameter="scope")
    authorization = replace(redeemed.authorization, scope=scope, resource=targets, authorization_details=details)
    return replace(redeemed, authorization=authorization, scope=scope)
