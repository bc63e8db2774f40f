"""One file per endpoint of provider metadata, and the pages between a request and its answer."""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Final

from appliance.endpoints.accounts_page import AccountsPageEndpoint
from appliance.endpoints.authorization import AuthorizationEndpoint, AuthorizationResume
from appliance.endpoints.check_session_iframe import CheckSessionIframe
from appliance.endpoints.consent_page import ConsentPageEndpoint
from appliance.endpoints.consents_page import ConsentsPageEndpoint
from appliance.endpoints.end_session import EndSessionEndpoint
from appliance.endpoints.introspection import IntrospectionEndpoint
from appliance.endpoints.jwks import JwksEndpoint
from appliance.endpoints.legacy_logout import LegacyLogoutEndpoint
from appliance.endpoints.registration import RegistrationEndpoint
from appliance.endpoints.registration_management import RegistrationManagementEndpoint
from appliance.endpoints.revocation import RevocationEndpoint
from appliance.endpoints.token import TokenEndpoint
from appliance.endpoints.userinfo import UserinfoEndpoint
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
    {"introspection": IntrospectionEndpoint, "revocation": RevocationEndpoint}
)

#: The endpoints that a profile has if clients may register themselves.
REGISTRATION_ENDPOINTS: Final = (RegistrationEndpoint, RegistrationManagementEndpoint)


def logout_endpoints(profile: Profile) -> Iterable[Endpoint]:
    """The endpoints that a profile has by its `logout` and `compat`."""
    if profile.declared.logout.session_management:
        yield CheckSessionIframe(profile)
    legacy = profile.declared.compat.legacy_logout
    if legacy is not None:
        yield LegacyLogoutEndpoint(profile, legacy.path)
