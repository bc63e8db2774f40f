"""Access tokens of one issuer: minted in the client's form, read in any, alive as long as their record."""

from collections.abc import Mapping
from dataclasses import dataclass

from appliance.artefacts import bound
from appliance.config.declared.profile import Profile as DeclaredProfile
from appliance.profile.resources import Targets
from appliance.protocol.authorization import Authorization
from appliance.protocol.client import Client
from appliance.protocol.errors import InvalidToken
from appliance.protocol.frozen import quick
from appliance.protocol.records import AccessToken
from appliance.seams import AccessTokenFormat, Store, Tools

#: More than any token of ours has; a longer text is not looked at.
MAX_TOKEN = 8192
_REFUSED = "the access token is not valid, has expired or was revoked"


@quick
@dataclass(frozen=True, slots=True)
class IssuedAccessToken:
    """An access token on its way out, with the record to store."""

    token: str
    expires_in: int
    record: AccessToken


class AccessTokens:
    """Mints and reads access tokens; storing the records is part of the caller's one step."""

    def __init__(
        self,
        *,
        declared: DeclaredProfile,
        formats: Mapping[str, AccessTokenFormat],
        store: Store,
        tools: Tools,
    ) -> None:
        self._issuer = declared.issuer
        self._ttl = declared.ttl.access_token
        self._formats = formats
        self._store = store
        self._clock = tools.clock

    def issue(
        self,
        authorization: Authorization,
        client: Client,
        claims: Mapping[str, object],
        ends_at: float | None = None,
        targets: Targets | None = None,
    ) -> IssuedAccessToken:
        """Mint a token in the client's form, with the user's claims where that can be read.

        It lives as long as the client's tokens do, and not beyond `ends_at` (epoch seconds). What its `targets` ask
        for goes before what the client has.
        """
        form, terms = client.op.access_token_format, None
        ttl = client.op.ttl.access_token or self._ttl
        if targets is not None:
            form, terms = targets.access_token_format or form, targets.terms
            ttl = targets.access_token_ttl or ttl
        now = int(self._clock())
        if ends_at is not None:
            ttl = max(min(ttl, int(ends_at) - now), 0)
        minted = self._formats[form].issue(authorization, now, now + ttl, claims, terms)
        record = AccessToken(
            id=minted.id,
            issuer=self._issuer,
            expires_at=now + ttl,
            authorization_id=authorization.id,
            authorization=authorization,
            issued_at=now,
        )
        return IssuedAccessToken(minted.token, ttl, record)

    async def read(self, token: str) -> AccessToken:
        """The record of a presented token. InvalidToken: not ours, ended or revoked; StoreUnavailable."""
        if len(token) <= MAX_TOKEN:
            for form in self._formats.values():
                found = form.read(token)
                record = await self._store.get(AccessToken, found) if found is not None else None
                if record is not None and bound(record, self._issuer, None):
                    return record
        raise InvalidToken(_REFUSED)
