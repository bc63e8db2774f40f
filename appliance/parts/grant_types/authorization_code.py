"""grant_type=authorization_code (RFC 6749 4.1.3, RFC 7636 4.5): a code is redeemed once, by its client.

A redeemed code stays as a tombstone for as long as an access token lives: presented again, it takes
everything with it that came of its authorization (RFC 6749 4.1.2).
"""


from appliance import artefacts
from appliance.config.declared.profile import Profile as DeclaredProfile
from appliance.protocol import pkce
from appliance.protocol.client import Client
from appliance.protocol.errors import InvalidGrant
from appliance.protocol.form import Params
from appliance.protocol.frozen import changed
from appliance.protocol.handles import AUTHORIZATION_CODE
from appliance.protocol.records import AccessToken, AuthorizationCode, RefreshToken
from appliance.protocol.redirect_uri import adds_query, may_bring, registered_as
from appliance.seams import Change, Redeemed, Store, Tools

_REFUSED = "the code is not valid, has expired or was issued for another request"


class AuthorizationCodeGrant:
    """Redeems a code, bound to its client, redirect URI and code challenge."""

    name = "authorization_code"
    parameters = frozenset({"code", "redirect_uri", "code_verifier"})

    def __init__(self, *, store: Store, tools: Tools, issuer: str, profile: DeclaredProfile) -> None:
        self._store = store
        self._clock = tools.clock
        self._issuer = issuer
        self._access_token_ttl = profile.ttl.access_token
        self._refreshable = "refresh_token" in profile.grant_types_supported

    async def authorize(self, form: Params, client: Client) -> Redeemed:
        """The authorization behind the code. InvalidGrant otherwise; a code used wrongly is used up."""
        handle = form.require("code")
        code = await artefacts.load(
            self._store, AuthorizationCode, AUTHORIZATION_CODE, handle, self._issuer, client.client_id
        )
        if code is None:
            raise InvalidGrant(_REFUSED, detail="unknown code, or one of another client or issuer")
        if code.redeemed:
            raise await self._replayed(code)
        if self._clock() >= code.redeemable_until:
            raise InvalidGrant(_REFUSED, detail="the code has expired")
        redemption = self._redemption(code, client)
        if problem := _mismatch(form, code, client):
            # RFC 9700 4.5: a second guess at what belongs to the code is not given.
            if not await self._store.commit(redemption):
                raise await self._replayed(code)
            raise InvalidGrant(_REFUSED, detail=problem)

        async def lost() -> Redeemed:
            raise await self._replayed(code)

        return Redeemed(
            authorization=code.authorization,
            scope=code.authorization.scope,
            change=redemption,
            lost=lost,
            begins_family=code.offline and self._refreshable and "refresh_token" in client.grant_types,
            refresh_token=None,
        )

    def _redemption(self, code: AuthorizationCode, client: Client) -> Change:
        ttl = client.op.ttl.access_token or self._access_token_ttl
        until = max(code.expires_at, self._clock() + ttl)
        return Change(put=(changed(code, redeemed=True, expires_at=until),), expect=(code,))

    async def _replayed(self, code: AuthorizationCode) -> InvalidGrant:
        """Revoke what came of the authorization: one of the two presenters is a thief (RFC 9700 4.5)."""
        await self._store.delete_by((AccessToken, RefreshToken), "authorization_id", code.authorization_id)
        return InvalidGrant(_REFUSED, detail="the code was presented again; its tokens are revoked")


def _configured(asked: str | None, used: str, client: Client) -> bool:
    """Whether a client that may add a query left it out here: older contracts want the registered address."""
    loose = client.op.compat.redirect_match == "ignore_query"
    return loose and asked in client.redirect_uris and adds_query(used, asked)


def _mismatch(form: Params, code: AuthorizationCode, client: Client) -> str:
    """What in the request does not belong to this code, or ""."""
    asked = form.get("redirect_uri")
    if code.redirect_uri is None:
        # RFC 6749 4.1.3: needed only when the authorization request had it.
        if asked is not None and asked not in client.redirect_uris:
            return "redirect_uri was not in the authorization request"
    elif asked != code.redirect_uri and not _configured(asked, code.redirect_uri, client):
        return "redirect_uri differs from the authorization request"
    elif registered_as(code.redirect_uri, client) is None and not may_bring(code.redirect_uri, client):
        return "redirect_uri is not registered any more"
    verifier = form.get("code_verifier")
    if code.code_challenge is None:
        # RFC 9700 4.8.2: a verifier without a challenge means that somebody removed the challenge.
        return "code_verifier for a request without code_challenge" if verifier is not None else ""
    if verifier is None:
        return "code_verifier is missing"
    return "" if pkce.verify(verifier, code.code_challenge) else "code_verifier does not match"
