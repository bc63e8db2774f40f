"""Passwords: hashing and verification off the event loop, a few at a time, equally slow for everybody.

New hashes are Argon2id (RFC 9106). Hashes carried over from elsewhere are verified too, as far as the
standard library can: PBKDF2 and scrypt in the modular crypt format (`$pbkdf2-sha256$rounds$salt$digest`,
`$scrypt$ln=16,r=8,p=1$salt$digest`); they are reported as due for a new hash. bcrypt is not among them.

A password is taken as an OpaqueString (RFC 8265 4.2): NFC, and every kind of space is a space, so that it
does not matter which keyboard composed it. Hashes made elsewhere of the very bytes that were typed pass as
well: where the two forms differ the second is tried after the first, for known and unknown users alike.
"""

import asyncio
import base64
import hashlib
import hmac
import re
import threading
import unicodedata
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, TypeVar

import argon2

from appliance.config.declared.root import PasswordHashing
from appliance.protocol import new_password
from appliance.seams import SourceUnavailable

T = TypeVar("T")

#: Bytes of UTF-8. Longer ones are refused: what is hashed must be bounded, and never silently cut.
MAX_BYTES: Final = new_password.MAX_BYTES

_ARGON2: Final = re.compile(
    r"\$argon2(?:id|i|d)\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,2})\$[A-Za-z0-9+/]{11,128}\$[A-Za-z0-9+/]{16,256}"
)
_PBKDF2: Final = re.compile(
    r"\$pbkdf2-(sha256|sha512)\$(\d{1,8})\$([A-Za-z0-9./+]{1,128})\$([A-Za-z0-9./+]{16,128})"
)
_SCRYPT: Final = re.compile(
    r"\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9./+]{1,128})\$([A-Za-z0-9./+]{16,128})"
)
# What one verification may cost whoever wrote the hash: memory in KiB.
_MAX_MEMORY: Final = 1024 * 1024


class TooBusy(SourceUnavailable):
    """More verifications wait already than may; nothing was evaluated."""


@dataclass(frozen=True, slots=True)
class Verified:
    """Whether the password is right, and whether its hash is not what a new one would be."""

    right: bool
    needs_rehash: bool


class Passwords:
    """A bounded pool of threads that hash: Argon2 lets go of the interpreter while it works."""

    def __init__(self, declared: PasswordHashing) -> None:
        self._hasher = argon2.PasswordHasher(
            time_cost=declared.iterations,
            memory_cost=declared.memory_kib,
            parallelism=declared.parallelism,
            type=argon2.Type.ID,
        )
        self._pool = ThreadPoolExecutor(declared.workers, thread_name_prefix="passwords")
        self._places = threading.BoundedSemaphore(declared.workers + declared.queue)
        # Costs what a new hash costs and belongs to nobody: digest and salt say nothing that is secret.
        cost = f"m={declared.memory_kib},t={declared.iterations},p={declared.parallelism}"
        self._decoy = f"$argon2id$v=19${cost}${'A' * 22}${'A' * 43}"

    async def hash(self, password: str) -> str:
        """A new hash. ValueError for a password that is empty or too long; TooBusy."""
        forms = _forms(password)
        if not forms:
            raise ValueError("a password is 1 to 1024 bytes of text")
        return await self._run(lambda: self._hasher.hash(forms[0]))

    async def verify(self, encoded: str | None, password: str, decoy: str | None = None) -> Verified:
        """Whether a password belongs to a hash. TooBusy.

        Without a hash (there is no such user) the decoy, a hash of the cost that is usual where users are
        looked up, takes its place: the answer is no, and takes as long.
        """
        forms = _forms(password)
        if not forms:
            return Verified(False, False)
        target = encoded or decoy or self._decoy
        verified = await self._run(lambda: self._check(target, forms))
        return verified if encoded else Verified(False, False)

    def close(self) -> None:
        """Let go of the threads; what waits is cancelled."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _check(self, encoded: str, forms: tuple[bytes, ...]) -> Verified:
        if not any(_matches(self._hasher, encoded, form) for form in forms):
            return Verified(False, False)
        return Verified(True, not _ARGON2.fullmatch(encoded) or self._hasher.check_needs_rehash(encoded))

    async def _run(self, work: Callable[[], T]) -> T:
        if not self._places.acquire(blocking=False):
            raise TooBusy("too many passwords wait to be verified")
        try:
            submitted: Future[T] = self._pool.submit(work)
        except RuntimeError:  # closed
            self._places.release()
            raise TooBusy("the password workers have ended") from None
        # The place is free when the work has ended, not when its asker went away.
        submitted.add_done_callback(lambda _: self._places.release())
        return await asyncio.wrap_future(submitted)


def check_supported(encoded: str) -> None:
    """ValueError unless hashes like this one can be verified; the message does not repeat the hash."""
    if found := _ARGON2.fullmatch(encoded):
        memory = int(found[1])
    elif found := _SCRYPT.fullmatch(encoded):
        memory = (int(found[2]) << int(found[1])) // 8
    elif _PBKDF2.fullmatch(encoded):
        memory = 0
    else:
        raise ValueError("not a password hash that can be verified: use Argon2id, scrypt or PBKDF2")
    if memory > _MAX_MEMORY:
        raise ValueError("a password hash that takes more than 1 GiB to verify")


def _forms(password: str) -> tuple[bytes, ...]:
    """The byte strings that the password may have been hashed as; none when it cannot be a password."""
    try:
        typed = password.encode()
    except UnicodeEncodeError:
        return ()
    if not typed or len(typed) > MAX_BYTES:
        return ()
    spaced = "".join(" " if unicodedata.category(one) == "Zs" else one for one in password)
    opaque = unicodedata.normalize("NFC", spaced).encode()
    return (opaque,) if opaque == typed else (opaque, typed)


def _matches(hasher: argon2.PasswordHasher, encoded: str, password: bytes) -> bool:
    if encoded.startswith("$argon2"):
        try:
            return hasher.verify(encoded, password)
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHash):
            return False
    if found := _PBKDF2.fullmatch(encoded):
        salt, digest = _adapted64(found[3]), _adapted64(found[4])
        made = hashlib.pbkdf2_hmac(found[1], password, salt, int(found[2]), len(digest))
    elif found := _SCRYPT.fullmatch(encoded):
        salt, digest = _adapted64(found[4]), _adapted64(found[5])
        cost, block, lanes = 1 << int(found[1]), int(found[2]), int(found[3])
        room = 128 * block * (cost + lanes + 2)
        made = hashlib.scrypt(password, salt=salt, n=cost, r=block, p=lanes, maxmem=room, dklen=len(digest))
    else:
        return False
    return hmac.compare_digest(made, digest)


def _adapted64(text: str) -> bytes:
    # The modular crypt format writes "." for "+" and leaves the padding out.
    return base64.b64decode(text.replace(".", "+") + "=" * (-len(text) % 4))
