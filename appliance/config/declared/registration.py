"""`registration` of a profile: who may register clients while the provider runs, and within which limits."""

from collections.abc import Mapping
from dataclasses import dataclass

from appliance.protocol.client import ClientSecret


@dataclass(frozen=True, slots=True)
class RequiredMetadata:
    """What a client must say of itself to be registered; None asks for nothing."""

    subject_type: str | None


@dataclass(frozen=True, slots=True)
class SoftwareStatements:
    """Whose software statements are believed: issuer to JWK Set (RFC 7591 2.3)."""

    issuers: Mapping[str, Mapping[str, object]]
    required: bool


@dataclass(frozen=True, slots=True)
class Registration:
    """Dynamic client registration of one profile. Times in seconds."""

    mode: str
    initial_access_tokens: tuple[ClientSecret, ...]
    software_statements: SoftwareStatements
    templates: tuple[str, ...]
    require: RequiredMetadata
    #: What clients may ask for; None: the standard scopes of OpenID Connect.
    scopes: tuple[str, ...] | None
    authorization_details_types: tuple[str, ...]
    redirect_hosts: tuple[str, ...]
    #: Of clients that register without a token; public ones always must.
    require_pkce: bool
    link_hosts: str
    #: How long a client is kept that nobody uses; None: for ever.
    expires_after: int | None
    quota: int
    max_clients: int
    rotate_registration_access_token: bool
