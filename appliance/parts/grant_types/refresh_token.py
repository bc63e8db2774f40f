"""grant_type=refresh_token (RFC 6749 6, RFC 9700 4.14.2): one live token a family.

Rotation replaces the token with every use. A replaced token that comes again means that two parties hold
the family, and ends it. The exception is the grace: within a few seconds, while the successor is unused, the
same token gets the same successor, so that a lost answer costs nobody a login and forks nothing.
"""

from typing import Final

from appliance import artefacts
from appliance.config.declared.profile import Profile as DeclaredProfile
from appliance.jose.problems import SealProblem
from appliance.jose.sealing import seal, unseal
from appliance.protocol import scope as scopes
from appliance.protocol.client import Client
from appliance.protocol.errors import InvalidGrant, InvalidScope
from appliance.protocol.form import Params
from appliance.protocol.frozen import changed
from appliance.protocol.handles import REFRESH_TOKEN, issue, stored_id
from appliance.protocol.records import AccessToken, RefreshToken
from appliance.protocol.security_profile import FAPI2, includes
from appliance.seams import Change, Redeemed, Store, Tools

#: Grace of confidential clients, seconds: who repeats has shown the client's credentials once more.
_CONFIDENTIAL_GRACE: Final = 10
#: A token that is kept is written anew only when that moves its idle end by so much, seconds.
_WORTH_WRITING: Final = 60

_REFUSED = "the refresh token is not valid, has expired or was revoked"


class RefreshTokenGrant:
    """Continues a family of refresh tokens."""

    name = "refresh_token"
    parameters = frozenset({"refresh_token", "scope"})

    def __init__(self, *, store: Store, tools: Tools, issuer: str, profile: DeclaredProfile) -> None:
        self._store = store
        self._tools = tools
        self._issuer = issuer
        self._ttl = profile.ttl.refresh_token

    async def authorize(self, form: Params, client: Client) -> Redeemed:
        """The authorization of the family. InvalidGrant; InvalidScope, which leaves the token as it was."""
        handle = form.require("refresh_token")
        token = await self._load(handle, client)
        if token is None:
            raise InvalidGrant(_REFUSED, detail="unknown refresh token, or one of another client or issuer")
        scope = _narrowed(form.get("scope"), token.authorization.scope)
        if token.rotated_at:
            return await self._repeated(handle, token, scope, form, client)
        # FAPI 2.0 Security Profile 5.3.2.1: bound to a key of the client, it need not rotate, and must not.
        if client.is_public or (self._ttl.rotate and not includes(client.op.security_profile, FAPI2)):
            # RFC 9700 4.14.2: a bearer token of a public client must rotate whatever the profile says.
            successor, change = self._rotate(handle, token, client)
        else:
            successor, change = handle, self._keep(token, client)
        return self._redeemed(token, scope, change, successor, form, client)

    async def _load(self, handle: str, client: Client) -> RefreshToken | None:
        return await artefacts.load(
            self._store, RefreshToken, REFRESH_TOKEN, handle, self._issuer, client.client_id
        )

    def _redeemed(
        self,
        token: RefreshToken,
        scope: tuple[str, ...],
        change: Change,
        handle: str,
        form: Params,
        client: Client,
    ) -> Redeemed:
        async def lost() -> Redeemed:
            # Another request rotated or revoked the token in between: judge what is stored now.
            return await self.authorize(form, client)

        return Redeemed(token.authorization, scope, change, lost, begins_family=False, refresh_token=handle)

    def _rotate(self, handle: str, token: RefreshToken, client: Client) -> tuple[str, Change]:
        now = self._tools.clock()
        successor = issue(REFRESH_TOKEN, self._tools.entropy)
        sealed = seal(handle.encode(), successor.encode(), token.authorization_id.encode())
        # The replaced token stays to be recognised until it would have ended by itself.
        rotated = changed(token, rotated_at=now, sealed_successor=sealed)
        live = changed(token, id=stored_id(successor), expires_at=self._idle_end(token, client))
        return successor, Change(put=(rotated, live), expect=(token,))

    def _keep(self, token: RefreshToken, client: Client) -> Change:
        until = self._idle_end(token, client)
        if until - token.expires_at < _WORTH_WRITING:
            return Change(expect=(token,))
        return Change(put=(changed(token, expires_at=until),), expect=(token,))

    def _idle_end(self, token: RefreshToken, client: Client) -> float:
        idle = client.op.ttl.refresh_token_idle or self._ttl.idle
        return min(self._tools.clock() + idle, token.family_until)

    async def _repeated(
        self, handle: str, token: RefreshToken, scope: tuple[str, ...], form: Params, client: Client
    ) -> Redeemed:
        """A replaced token again: the same successor within the grace, else the end of the family."""
        if self._tools.clock() - token.rotated_at < self._grace(client):
            successor = _unseal(handle, token)
            live = await self._load(successor, client)
            if live is not None and not live.rotated_at:
                return self._redeemed(live, scope, Change(expect=(live,)), successor, form, client)
        await self._store.delete_by((AccessToken, RefreshToken), "authorization_id", token.authorization_id)
        raise InvalidGrant(_REFUSED, detail="a replaced refresh token came again; its family is revoked")

    def _grace(self, client: Client) -> int:
        if self._ttl.reuse_grace is not None:
            return self._ttl.reuse_grace
        return 0 if client.is_public else _CONFIDENTIAL_GRACE


def _unseal(handle: str, token: RefreshToken) -> str:
    try:
        return unseal(handle.encode(), token.sealed_successor, token.authorization_id.encode()).decode(
            "ascii"
        )
    except SealProblem:
        return ""


def _narrowed(asked: str | None, granted: tuple[str, ...]) -> tuple[str, ...]:
    """The scope of the new access token: what was granted, or the asked part of it (RFC 6749 6)."""
    if asked is None:
        return granted
    wanted = scopes.read(asked)
    if not wanted or not set(wanted) <= set(granted):
        raise InvalidScope("scope exceeds what was granted", parameter="scope")
    return wanted
