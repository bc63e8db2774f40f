"""The one way to read what the provider issued: bound to kind, issuer and client in a single place.

Most published breaks of providers were an artefact accepted for another kind, issuer or client; here such
a read finds nothing.
"""

from typing import TypeVar

from appliance.protocol.handles import stored_id, well_formed
from appliance.protocol.records import AccessToken, AuthorizationCode, RefreshToken
from appliance.seams import Store

A = TypeVar("A", AuthorizationCode, AccessToken, RefreshToken)


async def load(store: Store, kind: type[A], prefix: str, handle: str, issuer: str, client_id: str | None) -> A | None:
    """The artefact a handle stands for, or None: malformed, unknown, expired, or of another issuer or client.

    `client_id` None is for a bearer presenting a token at our own endpoints. Raises StoreUnavailable.
    """
    if not well_formed(prefix, handle):
        return None
    found = await store.get(kind, stored_id(handle))
    return found if bound(found, issuer, client_id) else None


def bound(found: A | None, issuer: str, client_id: str | None) -> bool:
    """Whether an artefact belongs to this issuer and (when given) this client."""
    if found is None or found.issuer != issuer:
        return False
    return client_id is None or found.authorization.client_id == client_id
