"""Codes of tokens bound to a key of the client, OP34x: DPoP (RFC 9449), client certificates (RFC 8705)."""

from collections.abc import Mapping
from types import MappingProxyType

from appliance.config.codes.text import CodeText

_ERRORS: Mapping[str, tuple[str, str]] = {
    "OP341": (
        "a certificate without exactly one subject",
        "A client with `tls_client_auth` says by one of the `tls_client_auth_...` settings what its certificate must "
        "say, and no other client has any of them (RFC 8705 2.1.2).",
    ),
    "OP342": (
        "a subject that no certificate has",
        "Names are compared whole and part by part: a distinguished name in the form of RFC 4514, a DNS name without "
        "wildcard, an IP address, an absolute URI, a mail address.",
    ),
    "OP343": (
        "a self-signed certificate that nobody knows",
        "Nobody vouches for it but the client's registration: `jwks` or `jwks_uri` has its key, best with the "
        "certificate itself in `x5c` (RFC 8705 2.2).",
    ),
    "OP344": (
        "bound tokens that the profile does not offer",
        "Tokens are bound to certificates in profiles with `tls_client_certificate_bound_access_tokens: true`, and to "
        "DPoP keys where `dpop_signing_alg_values_supported` is not empty.",
    ),
    "OP345": (
        "a bound client that would get unbound tokens",
        "What the authorization endpoint itself issues stands in an address and is bound to nothing (RFC 9449 5).",
    ),
    "OP346": (
        "authorities that are none",
        "`mtls.client_ca` has the certificates, in PEM, of those who issue certificates to clients of "
        "`tls_client_auth`; without any nobody could prove himself by that method (RFC 8705 2.1).",
    ),
    "OP347": (
        "a header that nobody may be believed about",
        "Whoever can set the header of client certificates can be any client. So it is believed from the networks in "
        "`listeners.public.trusted_proxies` alone, and has a name that means nothing else (RFC 8705 6.5).",
    ),
}

_WARNINGS: Mapping[str, tuple[str, str]] = {
    "OP348": (
        "client certificates that never arrive",
        "They come by `listeners.mtls`, or by a proxy with `listeners.client_certificate`.",
    ),
    "OP349": (
        "a certificate that the handshake refuses",
        "`listeners.mtls` lets only certificates pass that it can verify beforehand: those of `mtls.client_ca`, and "
        "self-signed ones in `jwks` (`x5c`) of clients in the files. Others need a proxy that hands on whatever it "
        "is shown (`listeners.client_certificate`).",
    ),
}

CODES: Mapping[str, CodeText] = MappingProxyType(
    {code: CodeText("error", *texts) for code, texts in _ERRORS.items()}
    | {code: CodeText("warning", *texts) for code, texts in _WARNINGS.items()}
)
