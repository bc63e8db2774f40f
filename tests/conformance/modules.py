"""The modules of the certification plans.

Plans: B basic, I implicit, H hybrid (each also with response_mode=form_post), C config, D dynamic, 3 third-party
initiated login, R RP-initiated logout, S session management, F front-channel and K back-channel logout.
"""

from collections.abc import Mapping
from typing import Final

_MODULES = """
server BIHD
server-client-secret-post BH
response-type-missing BIH
idtoken-signature BIH
idtoken-rs256 D
idtoken-unsigned BD
userinfo-get BIH
userinfo-post-header BIH
userinfo-post-body BIH
userinfo-rs256 D
ensure-request-without-nonce-succeeds-for-code-flow BH
ensure-request-without-nonce-fails IH
scope-profile BIH
scope-email BIH
scope-address BIH
scope-phone BIH
scope-all BIH
alternate-happy-flow BIH
display-page BIH
display-popup BIH
ui-locales BIH
claims-locales BIH
login-hint BIH
ensure-request-with-unknown-parameter-succeeds BIH
ensure-request-with-acr-values-succeeds BIH
prompt-login BIH
prompt-none-not-logged-in BIH
prompt-none-logged-in BIH
id-token-hint BIH
max-age-1 BIH
max-age-10000 BIH
codereuse BH
codereuse-30seconds BH
ensure-registered-redirect-uri BIH
ensure-post-request-succeeds B
ensure-request-with-valid-pkce-succeeds BH
request-uri-unsigned-supported-correctly-or-rejected BIH
unsigned-request-object-supported-correctly-or-rejected BIH
ensure-request-object-with-redirect-uri BIHD
claims-essential BIH
refresh-token BHD
discovery-endpoint-verification CD
ensure-redirect-uri-in-authorization-request D
redirect-uri-query-OK D
redirect-uri-query-mismatch D
redirect-uri-query-added D
redirect-uri-regfrag D
registration-jwks-uri D
registration-logo-uri D
registration-policy-uri D
registration-tos-uri D
registration-sector-uri D
registration-sector-bad D
server-rotate-keys D
refresh-token-rp-key-rotation D
request-uri-unsigned D
request-uri-signed-rs256 D
ensure-client-assertion-with-iss-aud-succeeds D
3rd_party-init-login 3
3rd_party-init-login-nohttps 3
rp-initiated-logout R
rp-initiated-logout-no-state R
rp-initiated-logout-bad-post-logout-redirect-uri R
rp-initiated-logout-query-added-to-post-logout-redirect-uri R
rp-initiated-logout-modified-id-token-hint R
rp-initiated-logout-bad-id-token-hint R
rp-initiated-logout-no-id-token-hint R
rp-initiated-logout-no-params R
rp-initiated-logout-only-state R
rp-initiated-logout-no-post-logout-redirect-uri R
rp-initiated-logout-discovery-endpoint-verification R
session-management-discovery-endpoint-verification S
frontchannel-rp-initiated-logout-discovery-endpoint-verification F
backchannel-rp-initiated-logout-discovery-endpoint-verification K
session-management-rp-initiated-logout S
frontchannel-rp-initiated-logout F
backchannel-rp-initiated-logout K
"""

#: Module without its prefix, and the letters of the plans that have it.
MODULES: Final[Mapping[str, str]] = dict(line.split() for line in _MODULES.strip().splitlines())


def name_of_test(module: str) -> str:
    """The name of the test of a module."""
    return "test_oidcc_" + module.replace("-", "_")
