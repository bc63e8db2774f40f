"""The signing keys of one issuer and their life: published, used, retired.

A generated key is published `publish_before` its use and stays published until the longest token signed with
it has ended (OpenID Connect Core 10.1.1). Keys live in the store, so every node has the same ones, and a
reload that removes a line of keys only starts their retirement.
"""

import asyncio
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import inf

from appliance.config.declared.profile import SigningKeyEntry
from appliance.jose import keys as jose
from appliance.protocol.records import StoredKey
from appliance.seams import Change, Store, Tools

#: A key is kept this many seconds longer than the last token signed with it, for clocks that differ.
LEEWAY = 300
#: `expires_at` of a key that has no successor yet; a finite number, so that every store can keep it.
NEVER = 1e11


class UndeclaredAlgorithm(LookupError):
    """No signing key of that algorithm is declared."""


@dataclass(frozen=True, slots=True)
class KeySet:
    """The keys of one moment: what signs from when on, what is published, and the JWKS document."""

    signing: dict[str, tuple[tuple[float, jose.SigningKey], ...]]
    verification: tuple[jose.VerificationKey, ...]
    jwks: bytes


class KeyRing:
    """Loads, generates and rotates the keys of an issuer. `refresh` is to be called now and then."""

    def __init__(
        self,
        *,
        issuer: str,
        entries: Sequence[SigningKeyEntry],
        longest_token: int,
        store: Store,
        tools: Tools,
    ) -> None:
        self._issuer = issuer
        self._entries = tuple(entries)
        self._longest_token = longest_token
        self._store = store
        self._tools = tools
        self._keys = KeySet({}, (), b'{"keys":[]}')
        self.algorithms: tuple[str, ...] = tuple(dict.fromkeys(entry.alg for entry in entries))

    @property
    def jwks(self) -> bytes:
        """The JWKS document (RFC 7517 5): public members only."""
        return self._keys.jwks

    def verification(self) -> Sequence[jose.VerificationKey]:
        """Keys that verify what this issuer signed and that may still be valid."""
        return self._keys.verification

    def signing(self, alg: str | None = None) -> jose.SigningKey:
        """The key that signs with an algorithm now; None asks for the profile's first. UndeclaredAlgorithm."""
        line = self._keys.signing.get(alg or self.algorithms[0])
        if not line:
            raise UndeclaredAlgorithm(alg)
        now = self._tools.clock()
        return next((key for active_at, key in line if active_at <= now), line[-1][1])

    async def refresh(self) -> None:
        """Generate what is due, retire what is over, publish the rest. StoreUnavailable; jose.KeyProblem."""
        stored = await self._stored()
        declared = {slot: entry for entry in self._entries if (slot := self._slot(entry)) is not None}
        for slot, entry in declared.items():
            stored[slot] = await self._advance(entry, slot, stored.get(slot, []))
        for slot in stored.keys() - declared.keys():
            stored[slot] = [await self._retire(key) for key in stored[slot]]
        await self._publish(stored)

    async def rotate_now(self) -> None:
        """Publish a new key of every generated line and sign with it at once."""
        stored = await self._stored()
        for entry in self._entries:
            slot = self._slot(entry)
            if slot is not None:
                line = stored.get(slot, [])
                await self._generate(entry, slot, line[-1] if line else None, self._tools.clock())
        await self.refresh()

    def _slot(self, entry: SigningKeyEntry) -> str | None:
        return None if entry.file is not None else f"{self._issuer} {entry.alg}"

    async def _stored(self) -> dict[str, list[StoredKey]]:
        slots: dict[str, list[StoredKey]] = {}
        for key in await self._store.find(StoredKey, "issuer", self._issuer):
            slots.setdefault(key.slot, []).append(key)
        for line in slots.values():
            line.sort(key=lambda key: key.number)
        return slots

    async def _advance(self, entry: SigningKeyEntry, slot: str, line: list[StoredKey]) -> list[StoredKey]:
        """A line of keys brought up to date: at least one key, the next one in time, old ones kept long enough."""
        now = self._tools.clock()
        if not line:
            return await self._generate(entry, slot, None, now)
        newest = line[-1]
        if newest.expires_at < NEVER:
            line[-1] = newest = await self._keep_until(newest, NEVER)
        for older, newer in itertools.pairwise(line):
            # A longer token lifetime by reload prolongs the life of keys that may have signed such tokens.
            wanted = newer.active_at + self._longest_token + LEEWAY
            if older.expires_at < wanted:
                line[line.index(older)] = await self._keep_until(older, wanted)
        if newest.active_at + entry.rotate_every - entry.publish_before <= now:
            # max(): a node that was down over the switch still publishes first.
            active_at = max(newest.active_at + entry.rotate_every, now + entry.publish_before)
            return await self._generate(entry, slot, newest, active_at)
        return line

    async def _generate(
        self, entry: SigningKeyEntry, slot: str, newest: StoredKey | None, active_at: float
    ) -> list[StoredKey]:
        number = newest.number + 1 if newest else 1
        made = await asyncio.to_thread(jose.generate, entry.alg, size=entry.size)
        key = StoredKey(
            id=f"{slot} {number}",
            issuer=self._issuer,
            expires_at=NEVER,
            slot=slot,
            number=number,
            alg=entry.alg,
            jwk=jose.export_private(made),
            published_at=self._tools.clock(),
            active_at=active_at,
        )
        put: tuple[StoredKey, ...] = (key,)
        expect: tuple[StoredKey, ...] = ()
        if newest is not None:
            until = active_at + self._longest_token + LEEWAY
            put, expect = (key, replace(newest, expires_at=until)), (newest,)
        # Losing means that another node made this key: read what it made.
        await self._store.commit(Change(put=put, expect=expect, absent=(key,)))
        return (await self._stored()).get(slot, [])

    async def _keep_until(self, key: StoredKey, until: float) -> StoredKey:
        kept = replace(key, expires_at=until)
        await self._store.commit(Change(put=(kept,), expect=(key,)))
        return kept

    async def _retire(self, key: StoredKey) -> StoredKey:
        until = self._tools.clock() + self._longest_token + LEEWAY
        return key if key.expires_at <= until else await self._keep_until(key, until)

    async def _publish(self, stored: dict[str, list[StoredKey]]) -> None:
        signing: dict[str, list[tuple[float, jose.SigningKey]]] = {}
        published: list[jose.SigningKey] = []
        declared = [slot for entry in self._entries if (slot := self._slot(entry))]
        for entry in self._entries:
            slot = self._slot(entry)
            if entry.file is not None:
                line = [(-inf, jose.load_private(entry.file.value, entry.alg))]
            else:
                line = [(key.active_at, await _load(key)) for key in reversed(stored[slot or ""])]
            signing.setdefault(entry.alg, []).extend(line)
            published += [key for _, key in line]
        for slot, retired in stored.items():
            if slot not in declared:
                published += [await _load(key) for key in retired]
        self._keys = KeySet(
            {alg: tuple(line) for alg, line in signing.items()},
            tuple(key.verification() for key in published),
            jose.jwks_bytes(_unique(published)),
        )


async def _load(key: StoredKey) -> jose.SigningKey:
    # 40 to 60 ms for an RSA key that was not loaded before: let others run between two of them.
    await asyncio.sleep(0)
    return jose.load_private(key.jwk.encode(), key.alg)


def _unique(keys: Iterable[jose.SigningKey]) -> list[jose.SigningKey]:
    return list({key.kid: key for key in keys}.values())
