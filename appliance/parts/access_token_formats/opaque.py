"""Opaque access tokens: a random handle, worth nothing without the store."""

from collections.abc import Mapping

from appliance.protocol.authorization import Authorization
from appliance.protocol.handles import ACCESS_TOKEN, issue, stored_id, well_formed
from appliance.seams import NewToken, TokenTerms, Tools


class Opaque:
    """A handle of 256 random bits; the record's id is its digest."""

    name = "opaque"

    def __init__(self, *, tools: Tools) -> None:
        self._entropy = tools.entropy

    def issue(
        self,
        authorization: Authorization,
        issued_at: int,
        expires_at: int,
        claims: Mapping[str, object],
        terms: TokenTerms | None = None,
    ) -> NewToken:
        """Mint a handle; what it stands for is only in the record."""
        token = issue(ACCESS_TOKEN, self._entropy)
        return NewToken(token, stored_id(token))

    def read(self, token: str) -> str | None:
        """The digest of a well-formed handle."""
        return stored_id(token) if well_formed(ACCESS_TOKEN, token) else None
