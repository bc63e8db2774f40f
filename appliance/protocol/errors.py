"""The one family of protocol errors: a class per registered error code.

`description` goes on the wire (ASCII, never echoes input); `detail` goes to the log only.
Where an error is delivered (JSON, WWW-Authenticate challenge, redirect, page) belongs to the endpoint.
"""

import re
from typing import ClassVar

# RFC 6749 5.2: error_description is limited to %x20-21 / %x23-5B / %x5D-7E.
_DESCRIPTION = re.compile(r"[\x20-\x21\x23-\x5b\x5d-\x7e]*")


class OAuthError(Exception):
    """A protocol error with its registered code.

    `error` is the wire code, `status` the HTTP status where the error is answered as JSON.
    """

    error: ClassVar[str] = "server_error"
    status: ClassVar[int] = 400

    def __init__(self, description: str = "", *, detail: str = "", parameter: str = "") -> None:
        super().__init__(description or self.error)
        if not _DESCRIPTION.fullmatch(description):
            detail, description = f"{detail} [undeliverable description]", ""
        self.description = description
        self.detail = detail
        #: Name of the request parameter at fault, for the error page; a name, never a value.
        self.parameter = parameter
        #: Value of the WWW-Authenticate header that goes with it (RFC 6749 5.2, RFC 6750 3), or "".
        self.challenge = ""
        #: The DPoP nonce that goes with it (RFC 9449 8), or "".
        self.nonce = ""
        #: Seconds after which another try makes sense (RFC 9110 10.2.3); 0 where nothing is known.
        self.retry_after = 0


class InvalidRequest(OAuthError):
    """RFC 6749 4.1.2.1, 5.2."""

    error = "invalid_request"


class InvalidClient(OAuthError):
    """RFC 6749 5.2: client authentication failed."""

    error = "invalid_client"
    status = 401


class InvalidGrant(OAuthError):
    """RFC 6749 5.2."""

    error = "invalid_grant"


class UnauthorizedClient(OAuthError):
    """RFC 6749 4.1.2.1, 5.2."""

    error = "unauthorized_client"


class UnsupportedGrantType(OAuthError):
    """RFC 6749 5.2."""

    error = "unsupported_grant_type"


class UnsupportedResponseType(OAuthError):
    """RFC 6749 4.1.2.1."""

    error = "unsupported_response_type"


class InvalidScope(OAuthError):
    """RFC 6749 4.1.2.1, 5.2."""

    error = "invalid_scope"


class AccessDenied(OAuthError):
    """RFC 6749 4.1.2.1."""

    error = "access_denied"


class AuthorizationPending(OAuthError):
    """RFC 8628 3.5, CIBA 11: the user has not decided yet."""

    error = "authorization_pending"


class SlowDown(OAuthError):
    """RFC 8628 3.5, CIBA 11: not decided yet, and asked too often; the interval is 5 seconds longer from now on."""

    error = "slow_down"


class ExpiredToken(OAuthError):
    """RFC 8628 3.5, CIBA 11: the request was not decided, or not asked after, in time."""

    error = "expired_token"


class TransactionFailed(OAuthError):
    """CIBA 12: the user could not decide, for another reason than that he refused."""

    error = "transaction_failed"


class UnknownUserId(OAuthError):
    """CIBA 13: nobody is meant by the hint."""

    error = "unknown_user_id"


class InvalidBindingMessage(OAuthError):
    """CIBA 13: a binding message that cannot be shown."""

    error = "invalid_binding_message"


class MissingUserCode(OAuthError):
    """CIBA 13: the user is asked only by who knows his code."""

    error = "missing_user_code"


class InvalidUserCode(OAuthError):
    """CIBA 13: not the code of the user."""

    error = "invalid_user_code"


class ServerError(OAuthError):
    """RFC 6749 4.1.2.1: something unexpected; the wire never learns what."""

    error = "server_error"
    status = 500


class TemporarilyUnavailable(OAuthError):
    """RFC 6749 4.1.2.1: overload or an unreachable store or authority; answered with Retry-After."""

    error = "temporarily_unavailable"
    status = 503


class TooManyRequests(TemporarilyUnavailable):
    """RFC 6585 4: this sender has failed too often and must wait."""

    status = 429

    def __init__(self, retry_after: int) -> None:
        super().__init__("too many failed attempts, try again later")
        self.retry_after = retry_after


class InteractionRequired(OAuthError):
    """OpenID Connect Core 3.1.2.6."""

    error = "interaction_required"


class LoginRequired(OAuthError):
    """OpenID Connect Core 3.1.2.6."""

    error = "login_required"


class AccountSelectionRequired(OAuthError):
    """OpenID Connect Core 3.1.2.6."""

    error = "account_selection_required"


class ConsentRequired(OAuthError):
    """OpenID Connect Core 3.1.2.6."""

    error = "consent_required"


class RequestNotSupported(OAuthError):
    """OpenID Connect Core 3.1.2.6: the `request` parameter is not supported."""

    error = "request_not_supported"


class RequestUriNotSupported(OAuthError):
    """OpenID Connect Core 3.1.2.6: the `request_uri` parameter is not supported."""

    error = "request_uri_not_supported"


class InvalidRequestObject(OAuthError):
    """RFC 9101 7, OpenID Connect Core 3.1.2.6: the request object is not one that counts."""

    error = "invalid_request_object"


class InvalidRequestUri(OAuthError):
    """RFC 9101 7, OpenID Connect Core 3.1.2.6: there is no request object to be had at that address."""

    error = "invalid_request_uri"


class RegistrationNotSupported(OAuthError):
    """OpenID Connect Core 3.1.2.6: the `registration` parameter is not supported."""

    error = "registration_not_supported"


class UnmetAuthenticationRequirements(OAuthError):
    """OpenID Connect Core Error Code unmet_authentication_requirements."""

    error = "unmet_authentication_requirements"


class InvalidAuthorizationDetails(OAuthError):
    """RFC 9396 5: a type of authorization details that is not known here."""

    error = "invalid_authorization_details"


class InvalidTarget(OAuthError):
    """RFC 8707 2, RFC 8693 2.2.2: a resource or audience that no token is issued for here."""

    error = "invalid_target"


class InvalidDpopProof(OAuthError):
    """RFC 9449 5: the DPoP proof is missing, broken, for another request or used before."""

    error = "invalid_dpop_proof"


class InvalidDpopProofAtResource(InvalidDpopProof):
    """RFC 9449 7.1: the same where a token is used."""

    status = 401


class UseDpopNonce(OAuthError):
    """RFC 9449 8: the DPoP proof must have the nonce that comes with this."""

    error = "use_dpop_nonce"


class UseDpopNonceAtResource(UseDpopNonce):
    """RFC 9449 9: the same where a token is used."""

    status = 401


class InvalidRedirectUri(OAuthError):
    """RFC 7591 3.2.2: a redirect URI that cannot be registered."""

    error = "invalid_redirect_uri"


class InvalidClientMetadata(OAuthError):
    """RFC 7591 3.2.2: metadata that cannot be registered."""

    error = "invalid_client_metadata"


class InvalidSoftwareStatement(OAuthError):
    """RFC 7591 3.2.2: a software statement that is broken, ended or not signed by its issuer."""

    error = "invalid_software_statement"


class UnapprovedSoftwareStatement(OAuthError):
    """RFC 7591 3.2.2: a software statement of nobody who is believed here."""

    error = "unapproved_software_statement"


class InvalidToken(OAuthError):
    """RFC 6750 3.1."""

    error = "invalid_token"
    status = 401


class InsufficientUserAuthentication(OAuthError):
    """RFC 9470 3: the token is of a lesser or an older login than is needed here.

    `acr` and `max_age` (seconds) are what the client has to ask the user's next login for; None asks for nothing.
    """

    error = "insufficient_user_authentication"
    status = 401

    def __init__(self, acr: str | None, max_age: int | None) -> None:
        super().__init__("another login of the user is needed")
        self.acr = acr
        self.max_age = max_age


class InsufficientScope(OAuthError):
    """RFC 6750 3.1."""

    error = "insufficient_scope"
    status = 403
