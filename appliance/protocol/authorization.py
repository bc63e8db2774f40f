"""The waist: everything that was granted, in one value.

Every flow ends by making an Authorization and every token is issued from one; nothing else passes between
the two halves of the provider.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from appliance.protocol.frozen import quick


@dataclass(frozen=True, slots=True)
class Subject:
    """A user as the provider knows him: the source that holds him and his id there. Never sent to a client."""

    source: str
    id: str


@dataclass(frozen=True, slots=True)
class ClaimsRequest:
    """The `claims` parameter after access control: claim name to its request object or None (Core 5.5)."""

    id_token: Mapping[str, Mapping[str, object] | None]
    userinfo: Mapping[str, Mapping[str, object] | None]


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The key that whoever presents a token must prove to hold (RFC 7800 3.1)."""

    #: Thumbprint of a DPoP key (RFC 9449 6.1), base64url.
    jkt: str | None = None
    #: SHA-256 of a client certificate (RFC 8705 3.1), base64url; `x5t#S256` on the wire.
    x5t_s256: str | None = None

    def members(self) -> dict[str, str]:
        """What `cnf` says of it in tokens and answers."""
        named = {"jkt": self.jkt, "x5t#S256": self.x5t_s256}
        return {name: value for name, value in named.items() if value is not None}


@quick
@dataclass(frozen=True, slots=True)
class Authorization:
    """What a subject (or the client itself, subject None) granted to a client at one issuer."""

    #: Random; names every artefact that came of it, so that all can be revoked together.
    id: str
    issuer: str
    client_id: str
    subject: Subject | None
    #: The `sub` this client knows the subject by (public or pairwise); empty for client_credentials.
    sub: str
    scope: tuple[str, ...]
    claims: ClaimsRequest
    acr: str | None
    amr: tuple[str, ...]
    #: When the end-user really authenticated, epoch seconds (Core 2).
    auth_time: int | None
    nonce: str | None
    #: Session id as clients see it (Front-Channel Logout 3); None without a session.
    sid: str | None
    #: Whether auth_time must be in the ID Token: max_age was asked or require_auth_time is registered.
    auth_time_required: bool
    #: Preferred languages of claims (claims_locales).
    claims_locales: tuple[str, ...]
    #: What was granted beyond scopes, each object with its `type` (RFC 9396 2).
    authorization_details: tuple[Mapping[str, object], ...] = ()
    #: Resource servers that tokens may be for (RFC 8707 2); empty: the profile's usual audience.
    resource: tuple[str, ...] = ()
    #: To what key every token made of this is bound; None: none, or each token's own.
    confirmation: Confirmation | None = None
    #: Who acts for the subject, as the `act` claim says it, earlier actors nested (RFC 8693 4.1).
    act: Mapping[str, object] | None = None
