"""One-time codes of an authenticator app (RFC 6238; amr `otp`, RFC 8176 2), once the user is known."""

import base64
import hashlib
import hmac
import unicodedata
from dataclasses import dataclass
from typing import ClassVar

import pyotp

from appliance.protocol.pages import OtpPage
from appliance.protocol.records import Used, user_key
from appliance.seams import Ask, Change, Proved, Source, SourceUnavailable, StepRequest, Store, Tools, User
from appliance.throttle import Throttle, Throttled

_ALGORITHMS = {"SHA1": hashlib.sha1, "SHA256": hashlib.sha256, "SHA512": hashlib.sha512}


@dataclass(frozen=True, slots=True)
class Options:
    """The source of the keys, and how codes are made of them. `period` in seconds; `skew` in periods."""

    source: str
    digits: int
    period: int
    algorithm: str
    skew: int
    issuer: str


# Inside the class its own attribute of that name would be meant.
_Options = Options


class Totp:
    """The page of the one-time code."""

    #: The kind; of an instance, the name it was declared by.
    name: str = "totp"
    step: str = "otp"
    Options: ClassVar[type[_Options]] = Options

    def __init__(
        self, name: str, options: _Options, source: Source, throttle: Throttle, store: Store, tools: Tools
    ) -> None:
        self.name = name
        self._options = options
        self._source = source
        self._throttle = throttle
        self._store = store

    async def begin(self, asked: StepRequest) -> Ask | Proved:
        """The page; with its error at once where the user has no app or the source does not answer."""
        try:
            found = await self._enrolled(asked.user)
        except SourceUnavailable:
            return _ask(asked, "unavailable")
        return _ask(asked, "" if found else "not_enrolled")

    async def finish(self, asked: StepRequest) -> Ask | Proved:
        """Proved when the code is one of now and was not used before; the page with its error otherwise."""
        typed = unicodedata.normalize("NFKC", asked.form.get("code", "")[:64])
        code = "".join(one for one in typed if not one.isspace() and one != "-")
        try:
            found = await self._enrolled(asked.user)
        except SourceUnavailable:
            return _ask(asked, "unavailable")
        if found is None:
            return _ask(asked, "not_enrolled")
        if not code:
            return _ask(asked, "missing_code")
        user, key = found
        account = user_key(user.subject)
        try:
            attempt = await self._throttle.begin(f"otp\x1f{account}", asked.peer, asked.at)
        except Throttled:
            return _ask(asked, "throttled")
        if not user.active or not await self._redeem(account, key, code, asked.at):
            return _ask(asked, "wrong_code")
        await self._throttle.success(attempt)
        return Proved(user, ("otp",))

    async def _enrolled(self, known: User | None) -> tuple[User, bytes] | None:
        """The user as he is now, with the key of his app."""
        if known is None or known.subject.source != self._source.name:
            return None
        user = await self._source.load(known.subject.id)
        key = None if user is None else await self._source.credential(user, "totp")
        return None if user is None or key is None else (user, key)

    async def _redeem(self, account: str, key: bytes, code: str, at: float) -> bool:
        """Whether the code is right and this is its first use (RFC 6238 5.2)."""
        steps = self._steps(key, code, at)
        if not steps:
            return False
        step, period = steps[0], self._options.period
        # The mark belongs to no issuer: the app is the same whichever profile asks for its code.
        mark = Used(
            id=f"totp\x1f{account}\x1f{period}\x1f{step}",
            issuer="",
            expires_at=float((step + self._options.skew + 2) * period),
        )
        return await self._store.commit(Change(put=(mark,), absent=(mark,)))

    def _steps(self, key: bytes, code: str, at: float) -> list[int]:
        """The time steps whose code this is; every step that counts is looked at, whichever matches."""
        options = self._options
        maker = pyotp.TOTP(
            base64.b32encode(key).decode().rstrip("="),
            digits=options.digits,
            digest=_ALGORITHMS[options.algorithm],
            interval=options.period,
        )
        now = int(at) // options.period
        presented = code.encode("utf-8", "replace")
        return [
            step
            for step in range(max(now - options.skew, 0), now + options.skew + 1)
            if hmac.compare_digest(maker.generate_otp(step).encode(), presented)
        ]


def _ask(asked: StepRequest, error: str) -> Ask:
    return Ask(OtpPage(login=asked.user.login if asked.user is not None else "", error=error), {})
