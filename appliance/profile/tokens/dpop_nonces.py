"""Nonces for DPoP proofs (RFC 9449 8, 9): nothing is kept of one, and every node knows it.

A nonce is a MAC of the present slice of time. Its key lies in the store, where the first node that needs it
puts it, so that a nonce of one node is good at the others, and after a restart for as long as the store lasts.
"""

import hashlib
import hmac
from typing import Final

from appliance.protocol import base64url
from appliance.protocol.handles import stored_id
from appliance.protocol.records import SharedSecret
from appliance.seams import Change, Store, StoreUnavailable, Tools

#: The end of what has none: 9999-12-31.
_FOR_EVER: Final = 253402300799.0
_LENGTH: Final = 18


class DpopNonces:
    """Gives out and recognises the nonces of one issuer."""

    def __init__(self, *, issuer: str, rotation: int, store: Store, tools: Tools) -> None:
        self._issuer = issuer
        self._rotation = rotation
        self._store = store
        self._tools = tools
        self._key: bytes | None = None

    async def current(self) -> str:
        """The nonce to use now. StoreUnavailable."""
        return self._nonce(await self._shared_key(), self._slice())

    async def accepts(self, nonce: object) -> bool:
        """Whether this is a nonce of ours that still counts: the present one or its neighbours. StoreUnavailable."""
        if not isinstance(nonce, str) or not nonce.isascii():
            return False
        key, now = await self._shared_key(), self._slice()
        # The one before, for who got it a moment ago; the next one, from a node whose clock is ahead of ours.
        return any([hmac.compare_digest(self._nonce(key, now + step), nonce) for step in (0, -1, 1)])  # noqa: C419

    def _slice(self) -> int:
        return int(self._tools.clock()) // self._rotation

    def _nonce(self, key: bytes, slice_: int) -> str:
        text = f"dpop nonce\x1f{self._issuer}\x1f{self._rotation}\x1f{slice_}"
        return base64url.encode(hmac.new(key, text.encode(), hashlib.sha256).digest()[:_LENGTH])

    async def _shared_key(self) -> bytes:
        if self._key is None:
            self._key = base64url.decode((await self._stored()).value)
        return self._key

    async def _stored(self) -> SharedSecret:
        fresh = SharedSecret(
            id=stored_id(f"dpop nonce\x1f{self._issuer}"),
            issuer=self._issuer,
            expires_at=_FOR_EVER,
            value=base64url.encode(self._tools.entropy(32)),
        )
        found = await self._store.get(SharedSecret, fresh.id)
        if found is None and await self._store.commit(Change(put=(fresh,), absent=(fresh,))):
            return fresh
        # Another node was first.
        found = found or await self._store.get(SharedSecret, fresh.id)
        if found is None:
            raise StoreUnavailable("the key of the nonces is gone again")
        return found
