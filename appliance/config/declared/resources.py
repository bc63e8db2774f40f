"""`resources`: the resource servers of a profile, and what their access tokens are like (RFC 8707, RFC 9068)."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource server, by its identifier. None: as for tokens without a resource. Seconds."""

    scopes: tuple[str, ...]
    #: What the consent page calls it, by language.
    title: Mapping[str, str]
    #: What `aud` says; None: the identifier.
    audience: str | None
    access_token_format: str | None
    access_token_signing_alg: str | None
    access_token_ttl: int | None
    #: Claims of granted scopes that its tokens carry.
    claims: tuple[str, ...]
    #: Clients that introspect on its behalf.
    introspection_clients: tuple[str, ...]
