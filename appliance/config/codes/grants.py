"""Codes of grants beyond the login, OP36x: token exchange, trusted issuers, grant management."""

from collections.abc import Mapping
from types import MappingProxyType

from appliance.config.codes.text import CodeText

_ERRORS: Mapping[str, tuple[str, str]] = {
    "OP361": (
        "a trusted issuer without keys",
        "What it signs is verified with its public keys: `jwks`, or `jwks_uri` (RFC 7523 3).",
    ),
    "OP362": (
        "an unknown client in a grant",
        "Whoever exchanges tokens or brings assertions, or has issued what is exchanged, is a client of this profile.",
    ),
    "OP363": (
        "a client that cannot use a grant",
        "Tokens are exchanged and assertions brought by clients that prove themselves, and that have the grant type "
        "among their `grant_types` (RFC 8693 2.1, RFC 7523 2.1).",
    ),
    "OP364": (
        "a policy that takes nothing",
        "Each kind of subject token needs somebody whose it may be: `clients` for access tokens and ID Tokens, "
        "`issuers` for JWTs.",
    ),
    "OP365": (
        "an unknown trusted issuer",
        "Issuers are declared in `trusted_issuers` of the profile, by the `iss` of their JWTs.",
    ),
    "OP366": (
        "an issuer that trusts itself",
        "The profile's own tokens are taken by what is stored of them, never for their signature alone.",
    ),
}

_WARNINGS: Mapping[str, tuple[str, str]] = {
    "OP367": (
        "a grant that nobody can use, or nobody may",
        "The grant type and what is declared for it belong together.",
    ),
    "OP368": (
        "bound tokens are exchanged without their proof",
        "Whoever steals a token that is bound to a key can make one of it that is not (RFC 9449 7, RFC 8705 3).",
    ),
    "OP369": (
        "grant management that nobody can use",
        "The endpoint takes access tokens with the scopes `grant_management_query` and `grant_management_revoke` "
        "(Grant Management for OAuth 2.0 6.1).",
    ),
}

CODES: Mapping[str, CodeText] = MappingProxyType(
    {code: CodeText("error", *texts) for code, texts in _ERRORS.items()}
    | {code: CodeText("warning", *texts) for code, texts in _WARNINGS.items()}
)
