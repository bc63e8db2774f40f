"""The modules of the FAPI plans, for their plain profiles.

Plans: S FAPI 2.0 Security Profile Final, M FAPI 2.0 Message Signing Final, C FAPI-CIBA. A small letter narrows it down:
d DPoP, k private_key_jwt, t mutual TLS, p ping. Modules of Grant Management, an option of S and M, are left out.
"""

from collections.abc import Mapping
from typing import Final

_MODULES = """
fapi2-security-profile-final-discovery-end-point-verification SM
fapi2-security-profile-final-happy-flow SM
fapi2-security-profile-final-user-rejects-authentication SM
fapi2-security-profile-final-ensure-request-object-with-multiple-aud-succeeds M
fapi2-security-profile-final-ensure-authorization-request-without-state-success SM
fapi2-security-profile-final-ensure-authorization-request-without-nonce-success SM
fapi2-security-profile-final-ensure-authorization-request-with-64-char-nonce-success SM
fapi2-security-profile-final-ensure-other-scope-order-succeeds SM
fapi2-security-profile-final-test-claims-parameter-identity-claims SM
fapi2-security-profile-final-access-token-type-header-case-sensitivity SM
fapi2-security-profile-final-ensure-request-object-with-nbf-8-seconds-in-the-future-is-accepted M
fapi2-security-profile-final-check-dpop-proof-nbf-exp SMd
fapi2-security-profile-final-ensure-dpop-proof-with-iat-10seconds-before-succeeds SMd
fapi2-security-profile-final-ensure-dpop-proof-with-iat-10seconds-after-succeeds SMd
fapi2-security-profile-final-ensure-mismatched-dpop-jkt-fails SMd
fapi2-security-profile-final-ensure-token-endpoint-fails-with-mismatched-dpop-proof-jkt SMd
fapi2-security-profile-final-ensure-token-endpoint-fails-with-mismatched-dpop-jkt SMd
fapi2-security-profile-final-ensure-dpop-proof-at-par-endpoint-binding-success SMd
fapi2-security-profile-final-ensure-dpop-auth-code-binding-success SMd
fapi2-security-profile-final-ensure-different-nonce-inside-and-outside-request-object SM
fapi2-security-profile-final-ensure-different-state-inside-and-outside-request-object SM
fapi2-security-profile-final-ensure-authorization-request-with-long-nonce SM
fapi2-security-profile-final-ensure-authorization-request-with-long-state SM
fapi2-security-profile-final-ensure-request-object-without-exp-fails M
fapi2-security-profile-final-ensure-request-object-without-nbf-fails M
fapi2-security-profile-final-state-only-outside-request-object-not-used SM
fapi2-security-profile-final-ensure-request-object-without-redirect-uri-fails SM
fapi2-security-profile-final-ensure-expired-request-object-fails M
fapi2-security-profile-final-ensure-request-object-with-bad-aud-fails M
fapi2-security-profile-final-ensure-request-object-with-exp-over-60-fails M
fapi2-security-profile-final-ensure-request-object-with-nbf-over-60-fails M
fapi2-security-profile-final-ensure-signed-request-object-with-RS256-fails M
fapi2-security-profile-final-ensure-request-object-signature-algorithm-is-not-none M
fapi2-security-profile-final-ensure-request-object-with-invalid-signature-fails M
fapi2-security-profile-final-ensure-matching-key-in-authorization-request M
fapi2-security-profile-final-ensure-unsigned-request-at-par-endpoint-fails M
fapi2-security-profile-final-ensure-registered-redirect-uri SM
fapi2-security-profile-final-plain-fapi-tolerate-unregistered-redirect-uri SM
fapi2-security-profile-final-ensure-unsigned-authorization-request-without-using-par-fails SM
fapi2-security-profile-final-ensure-redirect-uri-in-authorization-request SM
fapi2-security-profile-final-ensure-response-type-code-idtoken-fails SM
fapi2-security-profile-final-ensure-response-type-token-fails SM
fapi2-security-profile-final-ensure-client-id-in-token-endpoint SM
fapi2-security-profile-final-ensure-holder-of-key-required SM
fapi2-security-profile-final-ensure-authorization-code-is-bound-to-client SM
fapi2-security-profile-final-attempt-reuse-authorization-code-after-one-second SM
fapi2-security-profile-final-attempt-to-use-expired-auth-code SM
fapi2-security-profile-final-ensure-signed-client-assertion-with-RS256-fails SMk
fapi2-security-profile-final-ensure-client-assertion-in-token-endpoint SMk
fapi2-security-profile-final-ensure-client-assertion-with-exp-is-5-minutes-in-past-fails SMk
fapi2-security-profile-final-ensure-client-assertion-with-wrong-aud-fails SMk
fapi2-security-profile-final-ensure-client-assertion-with-no-sub-fails SMk
fapi2-security-profile-final-dpop-negative-tests SMd
fapi2-security-profile-final-refresh-token SM
fapi2-security-profile-final-par-ensure-reused-request-uri-prior-to-auth-completion-succeeds SM
fapi2-security-profile-final-par-attempt-reuse-request_uri SM
fapi2-security-profile-final-par-attempt-to-use-expired-request_uri SM
fapi2-security-profile-final-par-ensure-jwt-client-assertion-with-iat-nbf-8-seconds-in-the-future-is-accepted SMk
fapi2-security-profile-final-par-ensure-jwt-client-assertion-with-iat-nbf-over-60-seconds-in-the-future-fails SMk
fapi2-security-profile-final-par-attempt-to-use-request_uri-for-different-client SM
fapi2-security-profile-final-par-reject-request_uri-in-par-authorization-form-params SM
fapi2-security-profile-final-par-attempt-invalid-http-method SM
fapi2-security-profile-final-par-ensure-pkce-required SM
fapi2-security-profile-final-ensure-pkce-code-verifier-required SM
fapi2-security-profile-final-par-incorrect-pkce-code-verifier-rejected SM
fapi2-security-profile-final-par-ensure-plain-pkce-rejected SM
fapi2-security-profile-final-par-reject-request_uri-in-par-authorization-request M
fapi2-security-profile-final-par-without-duplicate-parameters SM
fapi2-security-profile-final-par-test-array-as-audience-fails SMk
fapi2-security-profile-final-par-test-par-endpoint-url-as-audience-fails SMk
fapi2-security-profile-final-par-test-token-endpoint-url-as-audience-fails SMk
fapi-ciba-id1 C
fapi-ciba-id1-discovery-end-point-verification C
fapi-ciba-id1-user-rejects-authentication C
fapi-ciba-id1-multiple-call-to-token-endpoint C
fapi-ciba-id1-auth-req-id-expired C
fapi-ciba-id1-ensure-authorization-request-with-binding-message-succeeds C
fapi-ciba-id1-ensure-other-scope-order-succeeds C
fapi-ciba-id1-ensure-requested-expiry-as-string-succeeds C
fapi-ciba-id1-ensure-authorization-request-with-potentially-bad-binding-message C
fapi-ciba-id1-ensure-request-object-missing-aud-fails C
fapi-ciba-id1-ensure-request-object-bad-aud-fails C
fapi-ciba-id1-ensure-request-object-missing-iss-fails C
fapi-ciba-id1-ensure-request-object-bad-iss-fails C
fapi-ciba-id1-ensure-request-object-missing-exp-fails C
fapi-ciba-id1-ensure-request-object-expired-exp-fails C
fapi-ciba-id1-ensure-request-object-exp-is-70-minutes-in-future-fails C
fapi-ciba-id1-ensure-request-object-missing-iat-fails C
fapi-ciba-id1-ensure-request-object-missing-nbf-fails C
fapi-ciba-id1-ensure-request-object-nbf-is-10-minutes-in-future-fails C
fapi-ciba-id1-ensure-request-object-nbf-is-70-minutes-in-past-fails C
fapi-ciba-id1-ensure-request-object-missing-jti-fails C
fapi-ciba-id1-ensure-request-object-signature-algorithm-is-none-fails C
fapi-ciba-id1-ensure-request-object-signature-algorithm-is-bad-fails C
fapi-ciba-id1-ensure-request-object-signature-algorithm-is-RS256-fails C
fapi-ciba-id1-ensure-request-object-signed-by-other-client-fails C
fapi-ciba-id1-ensure-authorization-request-with-multiple-hints-fails C
fapi-ciba-id1-ensure-wrong-authentication-request-id-in-token-endpoint-request C
fapi-ciba-id1-ensure-different-client-id-and-issuer-in-backchannel-authorization-request Ct
fapi-ciba-id1-ensure-wrong-client-id-in-token-endpoint-request Ct
fapi-ciba-id1-ensure-wrong-client-id-in-backchannel-authorization-request Ct
fapi-ciba-id1-ensure-without-client-assertion-in-token-endpoint-fails Ck
fapi-ciba-id1-ensure-without-client-assertion-in-backchannel-authorization-request-fails Ck
fapi-ciba-id1-ensure-client-assertion-signature-algorithm-in-backchannel-authorization-request-is-RS256-fails Ck
fapi-ciba-id1-ensure-client-assertion-signature-algorithm-in-token-endpoint-request-is-RS256-fails Ck
fapi-ciba-id1-ensure-client-assertion-with-iss-aud-succeeds Ck
fapi-ciba-id1-ping-backchannel-notification-endpoint-response-has-body Cp
fapi-ciba-id1-ping-backchannel-notification-endpoint-response-401 Cp
fapi-ciba-id1-ping-backchannel-notification-endpoint-response-403 Cp
fapi-ciba-id1-ping-with-mtls-ciba-notification-endpoint-response-401-and-require-server-does-not-retry Cp
fapi-ciba-id1-ping-backchannel-notification-endpoint-return-redirect-request Cp
fapi-ciba-id1-ensure-backchannel-authorization-request-without-request-fails C
fapi-ciba-id1-refresh-token C
fapi-ciba-id1-ensure-mtls-holder-of-key-required C
"""

#: Module, and the letters of the plans that have it.
MODULES: Final[Mapping[str, str]] = dict(line.split() for line in _MODULES.strip().splitlines())
