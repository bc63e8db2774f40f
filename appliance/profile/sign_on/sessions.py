"""Browser sessions: cookies in, sessions out. One browser holds up to five, the current one first.

A handle is made anew with every authentication, so a planted one never becomes authenticated; `sid`, which
clients know, stays. A cookie that came twice was planted by somebody and counts as none (RFC 6265bis 8.6).
"""

import hashlib
import hmac
import re
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

from appliance.config.declared.profile import Profile as DeclaredProfile
from appliance.profile.logout import Logout
from appliance.profile.sign_on.session_state import SessionState
from appliance.protocol import base64url, handles
from appliance.protocol.frozen import quick
from appliance.protocol.messages import Request, SetCookie
from appliance.protocol.records import Proof, Session, user_key
from appliance.seams import Change, Store, StoreUnavailable, Tools, User

MAX_SESSIONS: Final = 5
#: Seconds between two notes of a session's use: idle time need not be exact, writes are dear.
TOUCH_EVERY: Final = 60

_PREFIX = ""
_MAX_COOKIE = 512
# Canonical base64url of 32 octets: the last character has two bits that are zero.
_KEY = re.compile(r"[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]")


@quick
@dataclass(frozen=True, slots=True)
class Held:
    """A live session and the handle by which this browser holds it."""

    handle: str
    session: Session


@quick
@dataclass(frozen=True, slots=True)
class Browser:
    """One browser as its cookies show it, and how they shall be after the answer."""

    #: Value of the browser cookie, the key of its anti-forgery fields; empty until one is needed.
    key: str
    held: tuple[Held, ...]
    #: Whether the cookies must be set anew.
    new_key: bool = False
    changed: bool = False
    #: Sessions that ended in this very request, as they were.
    ended: tuple[Session, ...] = ()

    @property
    def digest(self) -> str:
        """What a record keeps of the browser."""
        return handles.stored_id(self.key) if self.key else ""

    @property
    def current(self) -> Session | None:
        """The session of the account in use."""
        return self.held[0].session if self.held else None

    @property
    def sids(self) -> tuple[str, ...]:
        """The ids of all sessions that it holds."""
        return tuple(held.session.sid for held in self.held)

    def find(self, sid: str) -> Session | None:
        """The session with that sid, if this browser holds it."""
        return next((held.session for held in self.held if held.session.sid == sid), None)

    def csrf(self, purpose: str) -> str:
        """The anti-forgery field of a form: bound to this browser and to what the form is for."""
        mac = hmac.new(self.key.encode("utf-8"), purpose.encode("utf-8"), hashlib.sha256)
        return base64url.encode(mac.digest())

    def sent(self, field: str, purpose: str) -> bool:
        """Whether a form's anti-forgery field is this browser's for this purpose."""
        if not self.key:
            return False
        return hmac.compare_digest(field.encode("utf-8"), self.csrf(purpose).encode("utf-8"))


class Sessions:
    """The sessions of one profile; its cookies bear the profile's id, so profiles never share them."""

    def __init__(self, *, store: Store, tools: Tools, declared: DeclaredProfile, logout: Logout) -> None:
        issuer, profile = declared.issuer, declared.profile
        self._store = store
        self._tools = tools
        self._issuer = issuer
        self._ttl = declared.ttl.session
        self._logout = logout
        #: What clients in the browser can see of its sessions.
        self.state = SessionState(
            issuer=issuer, profile=profile, offered=declared.logout.session_management, entropy=tools.entropy
        )
        self._secure = issuer.startswith("https://")
        # __Host- needs Secure; the development issuer on http does without (RFC 6265bis 4.1.3.2).
        prefix = "__Host-" if self._secure else ""
        self.session_cookie = f"{prefix}op_session_{profile}"
        self.browser_cookie = f"{prefix}op_browser_{profile}"

    async def read(self, request: Request) -> Browser:
        """What the cookies of a request amount to: what is not alive and ours is as if it were not there."""
        sent = request.cookies(self.session_cookie)
        named = sent[0].split(".") if len(sent) == 1 and len(sent[0]) <= _MAX_COOKIE else []
        held: list[Held] = []
        for handle in dict.fromkeys(named[:MAX_SESSIONS]):
            session = await self._load(handle)
            if session is not None and not (held and any(session.user == other.session.user for other in held)):
                held.append(Held(handle, session))
        stale = bool(sent) and (not named or len(held) != len(named))
        return Browser(self._key(request), tuple(held), changed=stale)

    def _key(self, request: Request) -> str:
        sent = request.cookies(self.browser_cookie)
        return sent[0] if len(sent) == 1 and _KEY.fullmatch(sent[0]) else ""

    async def _load(self, handle: str) -> Session | None:
        if not handles.well_formed(_PREFIX, handle):
            return None
        session = await self._store.get(Session, handles.stored_id(handle))
        if session is None or session.issuer != self._issuer:
            return None
        now = self._tools.clock()
        if now - session.seen_at < TOUCH_EVERY:
            return session
        touched = replace(session, seen_at=now, expires_at=self._end(now, session.created_at))
        # To know the session is enough; a store that cannot write now must not end anybody's login.
        with suppress(StoreUnavailable):
            if await self._store.commit(Change(put=(touched,), expect=(session,))):
                return touched
        return session

    def _end(self, seen_at: float, created_at: float) -> float:
        return min(seen_at + self._ttl.idle, created_at + self._ttl.absolute)

    def bind(self, browser: Browser) -> Browser:
        """The browser with a key, so that an interaction can be bound to it."""
        if browser.key:
            return browser
        return replace(browser, key=base64url.encode(self._tools.entropy(32)), new_key=True)

    async def prove(self, browser: Browser, user: User, proof: Proof) -> tuple[Browser, Session]:
        """Note a passed authentication: a new handle for the user's session or a new session, now current."""
        known = user_key(user.subject)
        before = next((held.session for held in browser.held if held.session.user == known), None)
        others = tuple(held for held in browser.held if held.session.user != known)
        crowded_out = tuple(held.session for held in others[MAX_SESSIONS - 1 :])
        while True:
            handle = handles.issue(_PREFIX, self._tools.entropy)
            session = self._renewed(handle, user, proof, before)
            replaced = () if before is None else (before,)
            change = Change(put=(session,), delete=replaced, expect=replaced)
            if await self._store.commit(change):
                break
            # Ended or touched meanwhile: the proofs of a session that was logged out must not come back.
            before = None if before is None else await self._store.get(Session, before.id)
        ended = await self._logout.end(crowded_out)
        held = (Held(handle, session), *others[: MAX_SESSIONS - 1])
        return replace(browser, held=held, changed=True, ended=(*browser.ended, *ended)), session

    def _renewed(self, handle: str, user: User, proof: Proof, before: Session | None) -> Session:
        now = self._tools.clock()
        kept = () if before is None else before.proofs
        proofs = tuple(
            other
            for other in kept
            if other.authenticator != proof.authenticator and now - other.at < self._ttl.absolute
        )
        # The absolute life counts from the oldest proof that still speaks for the session.
        created_at = min([now, *(other.at for other in proofs)])
        return Session(
            id=handles.stored_id(handle),
            issuer=self._issuer,
            expires_at=self._end(now, created_at),
            sid=base64url.encode(self._tools.entropy(24)) if before is None else before.sid,
            subject=user.subject,
            user=user_key(user.subject),
            login=user.login,
            proofs=(*proofs, proof),
            created_at=created_at,
            seen_at=now,
            clients=() if before is None else before.clients,
        )

    def choose(self, browser: Browser, sid: str) -> Browser:
        """The browser with that session as its current one."""
        first = tuple(held for held in browser.held if held.session.sid == sid)
        if not first or browser.held[0] is first[0]:
            return browser
        others = tuple(held for held in browser.held if held.session.sid != sid)
        return replace(browser, held=first + others, changed=True)

    async def note_client(self, session: Session, client_id: str) -> bool:
        """Remember that a client gets something in a session, for its logout; False when the session ended."""
        found: Session | None = session
        while found is not None:
            if client_id in found.clients:
                return True
            noted = replace(found, clients=(*found.clients, client_id))
            if await self._store.commit(Change(put=(noted,), expect=(found,))):
                return True
            # Used in another tab meanwhile, or renewed under another handle: it is the same session by its sid.
            found = next(iter(await self._store.find(Session, "sid", session.sid)), None)
        return False

    async def end(self, browser: Browser, *sids: str) -> Browser:
        """End those sessions of the browser, or all of them when none is named. Durable when this returns."""
        gone = tuple(held for held in browser.held if not sids or held.session.sid in sids)
        ended = await self._logout.end(held.session for held in gone)
        left = tuple(held for held in browser.held if held not in gone)
        return replace(browser, held=left, changed=True, ended=(*browser.ended, *ended))

    def cookies(self, browser: Browser) -> tuple[SetCookie, ...]:
        """The cookies to set with the answer; they end with the browser's own session."""
        cookies: list[SetCookie] = []
        if browser.new_key:
            cookies.append(SetCookie(self.browser_cookie, browser.key, None, self._secure))
        if browser.changed:
            value = ".".join(held.handle for held in browser.held)
            cookies.append(SetCookie(self.session_cookie, value, None if value else 0, self._secure))
            cookies.extend(self.state.cookies(browser.sids))
        return tuple(cookies)
