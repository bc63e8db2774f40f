"""Tokens bound to a key of the client, as a profile declares them: DPoP (RFC 9449) and mutual TLS (RFC 8705)."""

from dataclasses import dataclass

from appliance.protocol.secret import Secret


@dataclass(frozen=True, slots=True)
class Dpop:
    """What is asked of DPoP proofs (RFC 9449 4.3, 8). Times in seconds."""

    #: Whether no token is issued that is bound to nothing; a certificate will do as well.
    required: bool
    #: "required" or "optional": whether proofs must have a nonce of ours.
    nonce: str
    nonce_rotation: int
    #: How far `iat` may be from now, either way.
    proof_lifetime: int


@dataclass(frozen=True, slots=True)
class MutualTls:
    """Client certificates (RFC 8705): whose are believed, and where clients that have one may send requests."""

    #: PEM: every certificate in it is an authority whose client certificates count.
    client_ca: Secret | None
    #: The address that stands for the issuer in `mtls_endpoint_aliases`; None: there are no aliases.
    aliases_at: str | None
