"""One file per endpoint of provider metadata, and the pages between a request and its answer."""

from typing import Final

from appliance.endpoints.accounts_page import AccountsPageEndpoint
from appliance.endpoints.authorization import AuthorizationEndpoint, AuthorizationResume
from appliance.endpoints.consent_page import ConsentPageEndpoint
from appliance.endpoints.consents_page import ConsentsPageEndpoint
from appliance.endpoints.end_session import EndSessionEndpoint
from appliance.endpoints.jwks import JwksEndpoint
from appliance.endpoints.token import TokenEndpoint
from appliance.endpoints.userinfo import UserinfoEndpoint

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
