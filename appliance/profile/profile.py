"""The compiled profile: what every endpoint of an issuer receives."""

from collections.abc import Mapping
from dataclasses import dataclass

from appliance.config.declared.profile import Profile as DeclaredProfile
from appliance.profile.acr import Levels
from appliance.profile.claims import ClaimsRelease
from appliance.profile.client_auth import ClientAuth
from appliance.profile.client_keys import ClientKeys
from appliance.profile.clients import Clients
from appliance.profile.consents import Consents
from appliance.profile.keys import KeyRing
from appliance.profile.logout import Logout
from appliance.profile.registration import Registration
from appliance.profile.request_objects import RequestObjects
from appliance.profile.response_protection import ResponseProtection
from appliance.profile.sessions import Sessions
from appliance.profile.standing import Standing
from appliance.profile.tokens import Tokens
from appliance.seams import (
    Authenticator,
    ClientAuthMethod,
    GrantType,
    ResponseMode,
    Source,
    Store,
    Tools,
)


@dataclass(frozen=True, slots=True)
class Profile:
    """One issuer: its declared settings and everything compiled from them."""

    declared: DeclaredProfile
    issuer: str
    #: Path of the issuer: "" or "/retail", without a slash at its end.
    path: str
    tools: Tools
    store: Store
    clients: Clients
    keys: KeyRing
    levels: Levels
    sessions: Sessions
    logout: Logout
    consents: Consents
    claims: ClaimsRelease
    standing: Standing
    tokens: Tokens
    sources: Mapping[str, Source]
    authenticators: Mapping[str, Authenticator]
    response_modes: Mapping[str, ResponseMode]
    grant_types: Mapping[str, GrantType]
    client_keys: ClientKeys
    client_auth_methods: Mapping[str, ClientAuthMethod]
    client_auth: ClientAuth
    response_protection: ResponseProtection
    #: None where nobody can register.
    registration: Registration | None
    #: None: request objects are not read here at all.
    request_objects: RequestObjects | None = None

    @property
    def id(self) -> str:
        """The profile's id in the files."""
        return self.declared.profile

    @property
    def secure(self) -> bool:
        """Whether the issuer is https, so that cookies are Secure and may be `__Host-`."""
        return self.issuer.startswith("https://")
