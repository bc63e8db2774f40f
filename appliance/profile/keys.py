"""The keys of one issuer and their life: published, used, retired.

A generated key is published `publish_before` its use. One that signs stays published until the longest token
signed with it has ended (OpenID Connect Core 10.1.1). One that others encrypt to leaves the key set when its
successor takes over, and opens what comes to it for a while longer (Core 10.2.1). Keys live in the store, so
every node has the same ones, and a reload that removes a line of keys only starts their retirement.
"""

import asyncio
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from math import inf

from appliance.config.declared.profile import EncryptionKeyEntry, SigningKeyEntry
from appliance.jose import keys as jose
from appliance.jose.algorithms import KEY_MANAGEMENT_ALGORITHMS
from appliance.protocol.records import StoredKey
from appliance.seams import Change, Store, Tools

#: A key is kept this many seconds longer than the last token signed with it, for clocks that differ.
LEEWAY = 300
#: `expires_at` of a key that has no successor yet; a finite number, so that every store can keep it.
NEVER = 1e11


KeyEntry = SigningKeyEntry | EncryptionKeyEntry


class UndeclaredAlgorithm(LookupError):
    """No signing key of that algorithm is declared."""


@dataclass(frozen=True, slots=True)
class KeySet:
    """The keys of one moment: what signs from when on, what verifies, what opens, and the JWKS document.

    `published` are those that open and that others are told to encrypt to.
    """

    signing: dict[str, tuple[tuple[float, jose.SigningKey], ...]]
    verification: tuple[jose.VerificationKey, ...]
    decryption: tuple[jose.DecryptionKey, ...]
    published: tuple[jose.DecryptionKey, ...]
    jwks: bytes


@dataclass(slots=True)
class _Gathered:
    """What a key set is made of, while its lines are read."""

    signing: dict[str, list[tuple[float, jose.SigningKey]]] = field(default_factory=dict)
    verification: list[jose.SigningKey] = field(default_factory=list)
    decryption: list[jose.DecryptionKey] = field(default_factory=list)
    encryption: list[jose.DecryptionKey] = field(default_factory=list)

    def key_set(self) -> KeySet:
        """The keys ready for use; those that sign are published first."""
        return KeySet(
            {alg: tuple(line) for alg, line in self.signing.items()},
            tuple(key.verification() for key in self.verification),
            tuple(self.decryption),
            tuple(self.encryption),
            jose.jwks_bytes(_unique([*self.verification, *self.encryption])),
        )


class KeyRing:
    """Loads, generates and rotates the keys of an issuer. `refresh` is to be called now and then."""

    def __init__(
        self,
        *,
        issuer: str,
        entries: Sequence[KeyEntry],
        longest_token: int,
        store: Store,
        tools: Tools,
    ) -> None:
        self._issuer = issuer
        self._entries = tuple(entries)
        self._longest_token = longest_token
        self._store = store
        self._tools = tools
        self._keys = KeySet({}, (), (), (), b'{"keys":[]}')
        signing = [entry.alg for entry in entries if isinstance(entry, SigningKeyEntry)]
        #: What it signs with.
        self.algorithms: tuple[str, ...] = tuple(dict.fromkeys(signing))

    @property
    def jwks(self) -> bytes:
        """The JWKS document (RFC 7517 5): public members only."""
        return self._keys.jwks

    def verification(self) -> Sequence[jose.VerificationKey]:
        """Keys that verify what this issuer signed and that may still be valid."""
        return self._keys.verification

    def decryption(self) -> Sequence[jose.DecryptionKey]:
        """Keys that open what was encrypted to this issuer, newest first; also those of lines that were removed."""
        return self._keys.decryption

    def published_decryption(self) -> Sequence[jose.DecryptionKey]:
        """Of those, the ones whose public half is in the key set: what others encrypt to from now on."""
        return self._keys.published

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
        """Publish a new key of every generated line and use it at once."""
        stored = await self._stored()
        for entry in self._entries:
            slot = self._slot(entry)
            if slot is not None:
                line = stored.get(slot, [])
                await self._generate(entry, slot, line[-1] if line else None, self._tools.clock())
        await self.refresh()

    def _slot(self, entry: KeyEntry) -> str | None:
        # No algorithm both signs and encrypts, so its name tells which a stored key does.
        return None if entry.file is not None else f"{self._issuer} {entry.alg}"

    def _kept(self, entry: KeyEntry) -> int:
        """How long a key is kept after its successor took over."""
        # So long caches are expected to show the old key set, with no word of ours to end it (Core 10.2.1).
        cached = entry.publish_before if isinstance(entry, EncryptionKeyEntry) else 0
        return max(self._longest_token, cached) + LEEWAY

    async def _stored(self) -> dict[str, list[StoredKey]]:
        slots: dict[str, list[StoredKey]] = {}
        for key in await self._store.find(StoredKey, "issuer", self._issuer):
            slots.setdefault(key.slot, []).append(key)
        for line in slots.values():
            line.sort(key=lambda key: key.number)
        return slots

    async def _advance(self, entry: KeyEntry, slot: str, line: list[StoredKey]) -> list[StoredKey]:
        """A line of keys brought up to date: at least one key, the next one in time, old ones kept long enough."""
        now = self._tools.clock()
        if not line:
            return await self._generate(entry, slot, None, now)
        newest = line[-1]
        if newest.expires_at < NEVER:
            line[-1] = newest = await self._keep_until(newest, NEVER)
        for older, newer in itertools.pairwise(line):
            # A longer token lifetime by reload prolongs the life of keys that may have signed such tokens.
            wanted = newer.active_at + self._kept(entry)
            if older.expires_at < wanted:
                line[line.index(older)] = await self._keep_until(older, wanted)
        if newest.active_at + entry.rotate_every - entry.publish_before <= now:
            # max(): a node that was down over the switch still publishes first.
            active_at = max(newest.active_at + entry.rotate_every, now + entry.publish_before)
            return await self._generate(entry, slot, newest, active_at)
        return line

    async def _generate(
        self, entry: KeyEntry, slot: str, newest: StoredKey | None, active_at: float
    ) -> list[StoredKey]:
        number = newest.number + 1 if newest else 1
        made: jose.SigningKey | jose.DecryptionKey
        if isinstance(entry, EncryptionKeyEntry):
            made = await asyncio.to_thread(jose.generate_decryption, entry.alg, size=entry.size)
        else:
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
            until = active_at + self._kept(entry)
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
        found = _Gathered()
        for entry in self._entries:
            line = list(reversed(stored[self._slot(entry) or ""])) if entry.file is None else []
            if isinstance(entry, SigningKeyEntry):
                await self._gather_signing(entry, line, found)
            else:
                await self._gather_encryption(entry, line, found)
        declared = {self._slot(entry) for entry in self._entries}
        for key in itertools.chain(*(line for slot, line in stored.items() if slot not in declared)):
            if key.alg in KEY_MANAGEMENT_ALGORITHMS:
                found.decryption.append(await _load_decryption(key))
            else:
                found.verification.append(await _load(key))
        self._keys = found.key_set()

    async def _gather_signing(self, entry: SigningKeyEntry, line: list[StoredKey], found: _Gathered) -> None:
        if entry.file is not None:
            loaded = [(-inf, jose.load_private(entry.file.value, entry.alg))]
        else:
            loaded = [(key.active_at, await _load(key)) for key in line]
        found.signing.setdefault(entry.alg, []).extend(loaded)
        found.verification += [key for _, key in loaded]

    async def _gather_encryption(self, entry: EncryptionKeyEntry, line: list[StoredKey], found: _Gathered) -> None:
        if entry.file is not None:
            key = jose.load_decryption(entry.file.value, entry.alg)
            found.decryption.append(key)
            found.encryption.append(key)
            return
        now = self._tools.clock()
        for stored in line:
            key = await _load_decryption(stored)
            found.decryption.append(key)
            # Published are the current one and those to come: nobody is to begin with one that goes.
            if not any(newer.active_at <= now for newer in line if newer.number > stored.number):
                found.encryption.append(key)


async def _load(key: StoredKey) -> jose.SigningKey:
    await asyncio.sleep(0)
    return jose.load_private(key.jwk.encode(), key.alg, own=True)


async def _load_decryption(key: StoredKey) -> jose.DecryptionKey:
    await asyncio.sleep(0)
    return jose.load_decryption(key.jwk.encode(), key.alg, own=True)


def _unique(keys: Iterable[jose.AnyKey]) -> list[jose.AnyKey]:
    return list({key.kid: key for key in keys}.values())
