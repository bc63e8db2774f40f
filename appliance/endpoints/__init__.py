"""One file per endpoint of provider metadata, and the pages between a request and its answer."""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Final

from appliance.endpoints.accounts_page import AccountsPageEndpoint
from appliance.endpoints.approval_page import approval_pages
from appliance.endpoints.approvals_page import ApprovalsPageEndpoint
from appliance.endpoints.authorization import AuthorizationEndpoint, AuthorizationResume
from appliance.endpoints.backchannel_authentication import BackchannelAuthenticationEndpoint
from appliance.endpoints.check_session_iframe import CheckSessionIframe
from appliance.endpoints.consent_page import ConsentPageEndpoint
from appliance.endpoints.consents_page import ConsentsPageEndpoint
from appliance.endpoints.device_authorization import DeviceAuthorizationEndpoint
from appliance.endpoints.device_page import DevicePageEndpoint
from appliance.endpoints.end_session import EndSessionEndpoint
from appliance.endpoints.grant_management import GrantManagementEndpoint
from appliance.endpoints.introspection import IntrospectionEndpoint
from appliance.endpoints.jwks import JwksEndpoint
from appliance.endpoints.legacy_logout import LegacyLogoutEndpoint
from appliance.endpoints.pushed_authorization_request import PushedAuthorizationRequestEndpoint
from appliance.endpoints.registration import RegistrationEndpoint
from appliance.endpoints.registration_management import RegistrationManagementEndpoint
from appliance.endpoints.revocation import RevocationEndpoint
from appliance.endpoints.token import TokenEndpoint
from appliance.endpoints.userinfo import UserinfoEndpoint
from appliance.parts.grant_types.device_code import DeviceCodeGrant
from appliance.profile.profile import Profile
from appliance.seams import Endpoint

#: The endpoints that every profile has; `step_pages` adds one for each kind of authenticator page.
ENDPOINTS: Final = (
    AuthorizationEndpoint,
    AuthorizationResume,
    AccountsPageEndpoint,
    ConsentPageEndpoint,
    TokenEndpoint,
    UserinfoEndpoint,
    JwksEndpoint,
    EndSessionEndpoint,
    ConsentsPageEndpoint,
)

#: The endpoints that a profile has if its `endpoints` say so, by their names there.
OPTIONAL_ENDPOINTS: Final[Mapping[str, Callable[[Profile], Endpoint]]] = MappingProxyType(
    {
        "introspection": IntrospectionEndpoint,
        "revocation": RevocationEndpoint,
        "pushed_authorization_request": PushedAuthorizationRequestEndpoint,
    }
)

#: The endpoints that a profile has if clients may register themselves.
REGISTRATION_ENDPOINTS: Final = (RegistrationEndpoint, RegistrationManagementEndpoint)


def pending_endpoints(profile: Profile) -> Iterable[Endpoint]:
    """The endpoints that a profile has if clients may ask for a decision that is made elsewhere."""
    if profile.pending is None:
        return
    yield from approval_pages(profile)
    if DeviceCodeGrant.name in profile.grant_types:
        yield DeviceAuthorizationEndpoint(profile)
        yield DevicePageEndpoint(profile)
    if profile.pending.backchannel is not None:
        yield BackchannelAuthenticationEndpoint(profile, profile.pending, profile.pending.backchannel)
        yield ApprovalsPageEndpoint(profile, profile.pending)


def grant_endpoints(profile: Profile) -> Iterable[Endpoint]:
    """The endpoint that a profile has if clients may manage what they were granted."""
    if profile.declared.grant_management.actions:
        yield GrantManagementEndpoint(profile)


def logout_endpoints(profile: Profile) -> Iterable[Endpoint]:
    """The endpoints that a profile has by its `logout` and `compat`."""
    if profile.declared.logout.session_management:
        yield CheckSessionIframe(profile)
    legacy = profile.declared.compat.legacy_logout
    if legacy is not None:
        yield LegacyLogoutEndpoint(profile, legacy.path)
