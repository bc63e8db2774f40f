"""The client: registered metadata under its registered names (RFC 7591 2, OpenID Connect Registration 2).

Declared clients are bound from YAML to these classes; `schemas/client.json` describes every field.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from appliance.protocol.secret import Secret


@dataclass(frozen=True, slots=True)
class ClientSecret:
    """One live secret of a client; several may overlap while it is rotated. `not_after` in epoch seconds."""

    id: str
    secret: Secret
    not_after: int | None


@dataclass(frozen=True, slots=True)
class ClientTtl:
    """Lifetimes in seconds that differ from the profile's; None means the profile's."""

    authorization_code: int | None
    access_token: int | None
    id_token: int | None
    refresh_token_idle: int | None
    refresh_token_absolute: int | None


@dataclass(frozen=True, slots=True)
class ClientCompat:
    """Departures from the specifications for one client. `until` in epoch seconds: a reminder."""

    #: "exact", "ignore_query" or "any_localhost_port".
    redirect_match: str
    http_redirects: bool
    password_grant: bool
    until: int | None


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """What is ours about a client (the `op` key), not registered metadata."""

    profile: str
    status: str
    theme: str | None
    consent: str
    #: "oauth21", "fapi2" or "fapi2_message_signing"; None: what its profile says.
    security_profile: str | None
    require_pkce: bool | None
    sector_identifier: str | None
    access_token_format: str
    refresh_token: str
    #: "own": the tokens issued to the client itself; "all": any of the profile, for resource servers.
    introspection: str
    claims_in_id_token: tuple[str, ...]
    claims_in_access_token: tuple[str, ...]
    #: The scope of requests that name none; None: as the profile says.
    default_scope: tuple[str, ...] | None
    #: Resources that it may ask tokens for; None: those of which it may have a scope.
    resources: tuple[str, ...] | None
    #: The resource of requests that name none.
    default_resource: str | None
    #: Hosts of redirect URIs that it may bring along when it pushes a request (RFC 9126 2.4).
    pushed_redirect_hosts: tuple[str, ...]
    cors_origins: tuple[str, ...]
    ttl: ClientTtl
    compat: ClientCompat
    ignore: tuple[Mapping[str, str], ...]


@dataclass(frozen=True, slots=True)
class Client:
    """One client of one profile."""

    client_id: str
    client_name: str
    #: `client_name#fi` and the like: member name with language tag to value.
    localized: Mapping[str, str]
    client_uri: str | None
    logo_uri: str | None
    policy_uri: str | None
    tos_uri: str | None
    contacts: tuple[str, ...]
    application_type: str
    redirect_uris: tuple[str, ...]
    post_logout_redirect_uris: tuple[str, ...]
    #: Where a logout is told to the client itself (Back-Channel Logout 2.2), and whether by the session's id.
    backchannel_logout_uri: str | None
    backchannel_logout_session_required: bool
    #: What the user's browser loads for it (Front-Channel Logout 2).
    frontchannel_logout_uri: str | None
    frontchannel_logout_session_required: bool
    response_types: tuple[str, ...]
    grant_types: tuple[str, ...]
    scope: tuple[str, ...]
    token_endpoint_auth_method: str
    token_endpoint_auth_signing_alg: str | None
    #: What the certificate of `tls_client_auth` must say: exactly one of these (RFC 8705 2.1.2).
    tls_client_auth_subject_dn: str | None
    tls_client_auth_san_dns: str | None
    tls_client_auth_san_uri: str | None
    tls_client_auth_san_ip: str | None
    tls_client_auth_san_email: str | None
    #: Whether its tokens are bound, always, to its certificate (RFC 8705 3.4) or to a DPoP key (RFC 9449 5.2).
    tls_client_certificate_bound_access_tokens: bool
    dpop_bound_access_tokens: bool
    client_secrets: tuple[ClientSecret, ...]
    #: Public keys: a JWK Set as it was registered, or where to fetch it; never both (RFC 7591 2).
    jwks: Mapping[str, object] | None
    jwks_uri: str | None
    subject_type: str | None
    sector_identifier_uri: str | None
    id_token_signed_response_alg: str | None
    id_token_encrypted_response_alg: str | None
    id_token_encrypted_response_enc: str | None
    userinfo_signed_response_alg: str | None
    userinfo_encrypted_response_alg: str | None
    userinfo_encrypted_response_enc: str | None
    #: For resource servers that ask for introspection responses as JWT (RFC 9701 6).
    introspection_signed_response_alg: str | None
    introspection_encrypted_response_alg: str | None
    introspection_encrypted_response_enc: str | None
    #: Where a third party sends the user to begin a login (Core 4).
    initiate_login_uri: str | None
    #: Addresses of request objects (Core 6.2); a #fragment tells of a version and is not part of the address.
    request_uris: tuple[str, ...]
    request_object_signing_alg: str | None
    request_object_encryption_alg: str | None
    request_object_encryption_enc: str | None
    require_signed_request_object: bool
    #: Whether its requests come by the pushed authorization request endpoint only (RFC 9126 6).
    require_pushed_authorization_requests: bool
    #: Types of authorization details that it may ask for (RFC 9396 10).
    authorization_details_types: tuple[str, ...]
    authorization_signed_response_alg: str | None
    authorization_encrypted_response_alg: str | None
    authorization_encrypted_response_enc: str | None
    #: How it is told that its user has decided: "poll" or "ping" (CIBA 4), and where.
    backchannel_token_delivery_mode: str | None
    backchannel_client_notification_endpoint: str | None
    backchannel_authentication_request_signing_alg: str | None
    backchannel_user_code_parameter: bool
    default_max_age: int | None
    require_auth_time: bool
    default_acr_values: tuple[str, ...]
    op: ClientSettings

    @property
    def is_public(self) -> bool:
        """Whether the client cannot keep a secret (RFC 6749 2.1)."""
        return self.token_endpoint_auth_method == "none"

    def has_secret(self, presented: bytes, now: float) -> bool:
        """Whether this is one of the client's live secrets; as slow whichever matches, or none (Core 16.12)."""
        # A list, so that none is left out once one matches.
        return any([entry.secret.matches(presented) for entry in self.live_secrets(now)])  # noqa: C419

    def live_secrets(self, now: float) -> list[ClientSecret]:
        """The secrets that are accepted at a moment."""
        return [entry for entry in self.client_secrets if entry.not_after is None or now < entry.not_after]

    def name_in(self, locale: str) -> str:
        """client_name in a locale: exact tag, then its language, then the untagged value."""
        tagged = self.localized
        language = locale.split("-")[0]
        return tagged.get(f"client_name#{locale}") or tagged.get(f"client_name#{language}") or self.client_name


#: A client with no metadata at all, who may do nothing: what samples and comparisons are made of, by `replace`.
NOBODY: Final = Client(
    client_id="",
    client_name="",
    localized=MappingProxyType({}),
    client_uri=None,
    logo_uri=None,
    policy_uri=None,
    tos_uri=None,
    contacts=(),
    application_type="web",
    redirect_uris=(),
    post_logout_redirect_uris=(),
    backchannel_logout_uri=None,
    backchannel_logout_session_required=False,
    frontchannel_logout_uri=None,
    frontchannel_logout_session_required=False,
    response_types=(),
    grant_types=(),
    scope=(),
    token_endpoint_auth_method="",
    token_endpoint_auth_signing_alg=None,
    tls_client_auth_subject_dn=None,
    tls_client_auth_san_dns=None,
    tls_client_auth_san_uri=None,
    tls_client_auth_san_ip=None,
    tls_client_auth_san_email=None,
    tls_client_certificate_bound_access_tokens=False,
    dpop_bound_access_tokens=False,
    client_secrets=(),
    jwks=None,
    jwks_uri=None,
    subject_type=None,
    sector_identifier_uri=None,
    id_token_signed_response_alg=None,
    id_token_encrypted_response_alg=None,
    id_token_encrypted_response_enc=None,
    userinfo_signed_response_alg=None,
    userinfo_encrypted_response_alg=None,
    userinfo_encrypted_response_enc=None,
    introspection_signed_response_alg=None,
    introspection_encrypted_response_alg=None,
    introspection_encrypted_response_enc=None,
    initiate_login_uri=None,
    request_uris=(),
    request_object_signing_alg=None,
    request_object_encryption_alg=None,
    request_object_encryption_enc=None,
    require_signed_request_object=False,
    require_pushed_authorization_requests=False,
    authorization_details_types=(),
    authorization_signed_response_alg=None,
    authorization_encrypted_response_alg=None,
    authorization_encrypted_response_enc=None,
    backchannel_token_delivery_mode=None,
    backchannel_client_notification_endpoint=None,
    backchannel_authentication_request_signing_alg=None,
    backchannel_user_code_parameter=False,
    default_max_age=None,
    require_auth_time=False,
    default_acr_values=(),
    op=ClientSettings(
        profile="",
        status="disabled",
        theme=None,
        consent="",
        security_profile=None,
        require_pkce=None,
        sector_identifier=None,
        access_token_format="",
        refresh_token="",
        introspection="own",
        claims_in_id_token=(),
        claims_in_access_token=(),
        default_scope=None,
        resources=None,
        default_resource=None,
        pushed_redirect_hosts=(),
        cors_origins=(),
        ttl=ClientTtl(None, None, None, None, None),
        compat=ClientCompat("exact", http_redirects=False, password_grant=False, until=None),
        ignore=(),
    ),
)
