"""Grant types, named by their wire values; called by the token endpoint behind its shared security steps.

A grant type proves one right and describes the store step that consumes the proof. It issues no access token
and no ID Token: that is the matter of `profile.tokens`, which commits the step together with what it mints.
"""

from collections.abc import Callable, Mapping
from typing import Final

from appliance.parts.grant_types.authorization_code import AuthorizationCodeGrant
from appliance.parts.grant_types.ciba import CibaGrant
from appliance.parts.grant_types.client_credentials import ClientCredentials
from appliance.parts.grant_types.device_code import DeviceCodeGrant
from appliance.parts.grant_types.jwt_bearer import JwtBearer
from appliance.parts.grant_types.password import PasswordGrant
from appliance.parts.grant_types.refresh_token import RefreshTokenGrant
from appliance.parts.grant_types.token_exchange import TokenExchange
from appliance.seams import GrantType, catalogue

GRANT_TYPES: Final[Mapping[str, Callable[..., GrantType]]] = catalogue(
    AuthorizationCodeGrant,
    CibaGrant,
    ClientCredentials,
    DeviceCodeGrant,
    JwtBearer,
    PasswordGrant,
    RefreshTokenGrant,
    TokenExchange,
)
