"""The compiled profile: what every endpoint of an issuer receives."""

from collections.abc import Mapping
from dataclasses import dataclass

from appliance.config.declared.profile import Profile as DeclaredProfile
from appliance.profile.claims import ClaimsRelease
from appliance.profile.client_auth import ClientAuth
from appliance.profile.client_keys import ClientKeys
from appliance.profile.clients import Clients
from appliance.profile.details import DetailsTypes
from appliance.profile.keys import KeyRing
from appliance.profile.logout import Logout
from appliance.profile.logout_deliveries import LogoutDeliveries
from appliance.profile.registration.metadata_documents import MetadataDocuments
from appliance.profile.registration.register import Registration
from appliance.profile.requests.request_objects import RequestObjects
from appliance.profile.resources import Resources
from appliance.profile.sign_on.acr import Levels
from appliance.profile.sign_on.consents import Consents
from appliance.profile.sign_on.sessions import Sessions
from appliance.profile.sign_on.sign_up import SignUp
from appliance.profile.standing import Standing
from appliance.profile.tokens.mint import Tokens
from appliance.profile.tokens.response_protection import ResponseProtection
from appliance.profile.tokens.sender_constraint import SenderConstraint
from appliance.profile.waiting.pending import PendingAuthorizations
from appliance.profile.waiting.ping_deliveries import PingDeliveries
from appliance.profile.withdrawals import Withdrawals
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
    resources: Resources
    details: DetailsTypes
    standing: Standing
    tokens: Tokens
    withdrawals: Withdrawals
    sources: Mapping[str, Source]
    authenticators: Mapping[str, Authenticator]
    response_modes: Mapping[str, ResponseMode]
    grant_types: Mapping[str, GrantType]
    client_keys: ClientKeys
    client_auth_methods: Mapping[str, ClientAuthMethod]
    client_auth: ClientAuth
    sender_constraint: SenderConstraint
    response_protection: ResponseProtection
    #: None where nobody can register.
    registration: Registration | None
    #: None where no address is taken for a client.
    metadata_documents: MetadataDocuments | None
    #: None: request objects are not read here at all.
    request_objects: RequestObjects | None = None
    #: Requests that are decided on elsewhere; None where no grant type has any.
    pending: PendingAuthorizations | None = None
    #: None: nobody can make an account.
    sign_up: SignUp | None = None

    @property
    def deliveries(self) -> tuple[LogoutDeliveries | PingDeliveries, ...]:
        """What clients are being told."""
        backchannel = None if self.pending is None else self.pending.backchannel
        return (self.logout.deliveries, *(() if backchannel is None else (backchannel.pings,)))

    @property
    def id(self) -> str:
        """The profile's id in the files."""
        return self.declared.profile

    @property
    def secure(self) -> bool:
        """Whether the issuer is https, so that cookies are Secure and may be `__Host-`."""
        return self.issuer.startswith("https://")
