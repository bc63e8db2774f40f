"""Client authentication methods, named by `token_endpoint_auth_method`; chosen by `profile.client_auth`.

A method tells whether a request uses it, and judges the proof. That exactly one is used, that it is the
registered one, and that unknown clients look like wrong secrets is not its matter.
"""

from collections.abc import Callable, Mapping
from typing import Final

from appliance.parts.client_auth_methods.client_secret_basic import ClientSecretBasic
from appliance.parts.client_auth_methods.client_secret_jwt import ClientSecretJwt
from appliance.parts.client_auth_methods.client_secret_post import ClientSecretPost
from appliance.parts.client_auth_methods.none import NoAuthentication
from appliance.parts.client_auth_methods.private_key_jwt import PrivateKeyJwt
from appliance.parts.client_auth_methods.self_signed_tls_client_auth import SelfSignedTlsClientAuth
from appliance.parts.client_auth_methods.tls_client_auth import TlsClientAuth
from appliance.seams import ClientAuthMethod, catalogue

CLIENT_AUTH_METHODS: Final[Mapping[str, Callable[..., ClientAuthMethod]]] = catalogue(
    ClientSecretBasic,
    ClientSecretPost,
    ClientSecretJwt,
    PrivateKeyJwt,
    TlsClientAuth,
    SelfSignedTlsClientAuth,
    NoAuthentication,
)
