"""`profiles/<id>.yaml`: one issuer each."""

from collections.abc import Mapping
from dataclasses import dataclass

from appliance.config.declared.authorization_details import DetailsType
from appliance.config.declared.backchannel_authentication import BackchannelAuthentication
from appliance.config.declared.claims import Expression
from appliance.config.declared.device_authorization import DeviceAuthorization
from appliance.config.declared.grants import GrantManagement, TokenExchange, TrustedIssuer, Userinfo
from appliance.config.declared.metadata_documents import ClientIdMetadataDocuments
from appliance.config.declared.pushed import PushedAuthorizationRequest
from appliance.config.declared.registration import Registration
from appliance.config.declared.resources import Resource
from appliance.config.declared.sender_constraint import Dpop, MutualTls
from appliance.config.declared.sign_up import SignUp
from appliance.protocol.secret import Secret


@dataclass(frozen=True, slots=True)
class RefreshTokenTtl:
    """Lifetimes of a refresh family and its rotation; seconds. `reuse_grace` None: chosen by client kind."""

    idle: int
    absolute: int
    rotate: bool
    reuse_grace: int | None


@dataclass(frozen=True, slots=True)
class SessionTtl:
    """Lifetimes of a browser session, seconds."""

    idle: int
    absolute: int


@dataclass(frozen=True, slots=True)
class Ttl:
    """Lifetimes, seconds."""

    authorization_code: int
    access_token: int
    id_token: int
    interaction: int
    consent: int
    pushed_authorization_request: int
    refresh_token: RefreshTokenTtl
    session: SessionTtl


@dataclass(frozen=True, slots=True)
class SigningKeyEntry:
    """One line of signing keys: generated and rotated by schedule, or one key of a file. Seconds."""

    alg: str
    file: Secret | None
    size: int | None
    rotate_every: int
    publish_before: int


@dataclass(frozen=True, slots=True)
class EncryptionKeyEntry:
    """One line of keys that others encrypt to: generated and rotated by schedule, or one key of a file. Seconds."""

    alg: str
    file: Secret | None
    size: int | None
    rotate_every: int
    publish_before: int


@dataclass(frozen=True, slots=True)
class Keys:
    """The signing keys, the first of which signs where a client asks for no algorithm; and what is encrypted to."""

    signing: tuple[SigningKeyEntry, ...]
    encryption: tuple[EncryptionKeyEntry, ...]


@dataclass(frozen=True, slots=True)
class AcrLevel:
    """One authentication context class; the list is ordered, weakest first."""

    value: str
    policy: str


@dataclass(frozen=True, slots=True)
class Scope:
    """One scope: the claims it releases, what the consent page says of it, whether its grant is asked."""

    claims: tuple[str, ...]
    description: Mapping[str, str]
    consent: bool
    #: "identity", "resource", or None where the claims tell.
    type: str | None
    #: A policy that asking for the scope demands besides the level.
    selects_policy: str | None


@dataclass(frozen=True, slots=True)
class Pairwise:
    """Pairwise subjects: the secret of the derivation (Core 8.1)."""

    salt: Secret


@dataclass(frozen=True, slots=True)
class Logout:
    """Which kinds of logout are offered."""

    rp_initiated: bool
    backchannel: bool
    frontchannel: bool
    session_management: bool


@dataclass(frozen=True, slots=True)
class LegacyLogout:
    """The logout request of an older contract, and the path below the issuer that it comes to."""

    path: str


@dataclass(frozen=True, slots=True)
class ClientAssertion:
    """What is asked of client assertions (RFC 7523 3): whom they name, how far ahead they may end (s)."""

    audience: str
    max_lifetime: int


@dataclass(frozen=True, slots=True)
class RequestObject:
    """What is asked of request objects (RFC 9101 4): how far ahead they may end (s)."""

    max_lifetime: int


@dataclass(frozen=True, slots=True)
class Compat:
    """Departures from the specifications, each asked for by name. `until` in epoch seconds: a reminder."""

    consent_parameter: bool
    password_grant: bool
    until: int | None
    assertion_exp_unit: str
    legacy_logout: LegacyLogout | None
    #: Path below the issuer to the name of the endpoint that answers there too.
    path_aliases: Mapping[str, str]
    introspection_accepts_id_tokens: bool
    unsigned_id_tokens: bool
    unsigned_request_objects: bool


@dataclass(frozen=True, slots=True)
class Throttle:
    """Limits of failed logins: how many failures of one account or address before answers are delayed (s)."""

    account_failures: int
    address_failures: int
    window: int
    delay: int


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Endpoints that a profile has only if it says so."""

    introspection: bool
    revocation: bool
    pushed_authorization_request: bool


@dataclass(frozen=True, slots=True)
class Profile:
    """One issuer as declared."""

    profile: str
    issuer: str
    #: "oauth21", "fapi2" or "fapi2_message_signing"; None: no set of rules as a whole.
    security_profile: str | None
    openid_connect: bool
    title: str
    theme: str
    discovery: bool
    response_types_supported: tuple[str, ...]
    response_modes_supported: tuple[str, ...]
    grant_types_supported: tuple[str, ...]
    token_endpoint_auth_methods_supported: tuple[str, ...]
    client_assertion: ClientAssertion
    dpop_signing_alg_values_supported: tuple[str, ...]
    dpop: Dpop
    tls_client_certificate_bound_access_tokens: bool
    mtls: MutualTls
    subject_types_supported: tuple[str, ...]
    ui_locales_supported: tuple[str, ...]
    claims_parameter_supported: bool
    claims_parameter_unmapped: str
    request_parameter_supported: bool
    request_uri_parameter_supported: bool
    request_object: RequestObject
    pushed_authorization_request: PushedAuthorizationRequest
    require_pushed_authorization_requests: bool
    unknown_scopes: str
    require_pkce: bool
    claims: str
    subject: Expression | None
    scopes: Mapping[str, Scope]
    #: The scope of requests that name none; None: nothing.
    default_scope: tuple[str, ...] | None
    #: By their identifiers (RFC 8707 2).
    resources: Mapping[str, Resource]
    #: By `type` (RFC 9396 2).
    authorization_details_types: Mapping[str, DetailsType]
    claims_in_id_token: tuple[str, ...]
    acr: tuple[AcrLevel, ...]
    acr_default: str | None
    acr_values_multiple: str
    pairwise: Pairwise | None
    ttl: Ttl
    keys: Keys
    logout: Logout
    throttle: Throttle
    endpoints: Endpoints
    token_exchange: TokenExchange
    #: By their `iss`.
    trusted_issuers: Mapping[str, TrustedIssuer]
    grant_management: GrantManagement
    userinfo: Userinfo
    #: None: nobody can make an account.
    sign_up: SignUp | None
    device_authorization: DeviceAuthorization
    backchannel_authentication: BackchannelAuthentication
    registration: Registration
    client_id_metadata_documents: ClientIdMetadataDocuments
    compat: Compat
    #: Links shown at the foot of every page: "help", "privacy" to URL.
    links: Mapping[str, str]
    #: Warnings accepted for this profile: "code" and "reason".
    ignore: tuple[Mapping[str, str], ...]
