"""The sector of a client: whom a pairwise `sub` makes one (OpenID Connect Core 8.1).

Issuing and the rules of the configuration ask the same function, so that no client goes live whose sector
could not be told when its first token is issued.
"""

from collections.abc import Iterable
from typing import Final

from appliance.protocol.client import Client
from appliance.protocol.redirect_uri import hosts

NO_HOST: Final = "pairwise needs sector_identifier_uri or op.sector_identifier: no redirect URI has a host"
MANY_HOSTS: Final = "pairwise needs sector_identifier_uri or op.sector_identifier: several redirect URI hosts"
_CIBA: Final = "urn:openid:params:grant-type:ciba"
NO_SECTOR_HOST: Final = "sector_identifier_uri is not an https URL with a host"


class UnknownSector(ValueError):
    """The sector cannot be told; the message says what to declare."""


def sector(client: Client) -> str:
    """The sector of a client. UnknownSector when it has to be declared (Core 8.1).

    The declared text wins, else the host of `sector_identifier_uri`, else the host all redirect URIs share; for
    clients of CIBA without any, that of `jwks_uri`.
    """
    if client.op.sector_identifier:
        return client.op.sector_identifier
    if client.sector_identifier_uri:
        return _host(client.sector_identifier_uri)
    if client.jwks_uri and not client.redirect_uris and _CIBA in client.grant_types:
        # CIBA 4: in the place of the redirect URIs; who asks proves that he has its keys.
        return _host(client.jwks_uri)
    return _shared_host(client.redirect_uris)


def _host(uri: str) -> str:
    found = hosts((uri,)) if uri.startswith("https://") else frozenset()
    if not found:
        raise UnknownSector(NO_SECTOR_HOST)
    return next(iter(found))


def _shared_host(redirect_uris: Iterable[str]) -> str:
    each = [hosts((uri,)) for uri in redirect_uris]
    # A private-use scheme has no host, so nothing is shared with it.
    if not each or not all(each):
        raise UnknownSector(NO_HOST)
    shared = frozenset[str]().union(*each)
    if len(shared) > 1:
        raise UnknownSector(MANY_HOSTS)
    return next(iter(shared))
