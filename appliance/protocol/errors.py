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


class InsufficientScope(OAuthError):
    """RFC 6750 3.1."""

    error = "insufficient_scope"
    status = 403
