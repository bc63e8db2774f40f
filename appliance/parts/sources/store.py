"""Users who make their accounts themselves, kept in the provider's own store.

An account is two records that are written in one step: the user, and his login name in its one form. The second
must not be there yet, so of many who ask for a name at once one gets it, on however many nodes they ask.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import ClassVar, Final

from appliance import seams
from appliance.passwords import Passwords, TooBusy
from appliance.protocol import new_password
from appliance.protocol.authorization import Subject
from appliance.protocol.handles import stored_id
from appliance.protocol.login_name import canonical_login
from appliance.protocol.stored_users import StoredLogin, StoredUser
from appliance.seams import Change, LoginTaken, NewAccount, SourceUnavailable, Store, StoreUnavailable, Tools

#: Message key of a login name that nobody can have.
UNUSABLE_LOGIN: Final = "unusable_login"
#: Sources are shared by profiles, so their records belong to no issuer.
_NO_ISSUER: Final = ""
#: Accounts stay until somebody ends them: the last second that every calendar knows, 9999-12-31T23:59:59Z.
_FOR_EVER: Final = 253_402_300_799.0


@dataclass(frozen=True, slots=True)
class Options:
    """What a new account must fulfil, and the names of those who are kept out."""

    password_min_length: int
    blocked_passwords: tuple[str, ...]
    locked_logins: tuple[str, ...]


# Inside the class its own attribute of that name would be meant.
_Options = Options


class Accounts:
    """A table of users that grows by sign-up. Attributes are what was typed there, with `id` and `login`."""

    #: The kind; of an instance, the name it was declared by.
    name: str = "store"
    Options: ClassVar[type[_Options]] = Options

    def __init__(self, name: str, options: _Options, passwords: Passwords, store: Store, tools: Tools) -> None:
        """ValueError names a locked login that cannot be one."""
        self.name = name
        self.password_min_length = options.password_min_length
        self._blocked = options.blocked_passwords
        self._locked = frozenset(_locked(login) for login in options.locked_logins)
        self._passwords = passwords
        self._store = store
        self._tools = tools

    async def find(self, login: str) -> seams.User | None:
        """The user whom a typed login denotes."""
        canonical = canonical_login(login)
        if canonical is None:
            return None
        try:
            taken = await self._store.get(StoredLogin, self._login_id(canonical))
        except StoreUnavailable as error:
            raise SourceUnavailable(str(error)) from None
        return None if taken is None else await self.load(taken.user_id)

    async def load(self, id: str) -> seams.User | None:
        """The user with that id."""
        stored = await self._get(id)
        return None if stored is None else self._user(stored)

    async def check_password(self, user: seams.User | None, password: str) -> bool:
        """Whether the password is right; never for a locked user, and as slow for no user as for one."""
        known = user is not None and user.subject.source == self.name
        stored = await self._get(user.subject.id) if user is not None and known else None
        usable = stored is not None and self._user(stored).active
        verified = await self._passwords.verify(stored.password if stored and usable else None, password)
        if verified.right and verified.needs_rehash and stored is not None:
            await self._rehash(stored, password)
        return verified.right

    async def credential(self, user: seams.User, kind: str) -> bytes | None:
        """Nothing: accounts made here have a password alone."""
        return None

    def account_faults(self, login: str, password: str) -> Mapping[str, str]:
        """What is wrong with a new account by itself: "login" or "password" to a message key."""
        faults: dict[str, str] = {}
        canonical = canonical_login(login)
        if canonical is None or canonical in self._locked:
            faults["login"] = UNUSABLE_LOGIN
        known = () if canonical is None else (canonical, canonical.partition("@")[0])
        wrong = new_password.fault(password, least=self.password_min_length, known=known, blocked=self._blocked)
        if wrong:
            faults["password"] = wrong
        return faults

    async def make_account(self, asked: NewAccount) -> seams.User:
        """Make an account in one atomic step. LoginTaken; SourceUnavailable; ValueError for what has faults."""
        canonical = canonical_login(asked.login)
        if canonical is None or self.account_faults(asked.login, asked.password):
            raise ValueError("an account with faults was to be made")
        # Of a form that was sent twice the second finds the account that the first has made.
        user_id = self._digest("user", canonical, asked.key)
        taken = StoredLogin(self._login_id(canonical), _NO_ISSUER, _FOR_EVER, user_id=user_id)
        try:
            # Before the hash, which is dear: whoever asks for names that are taken gets no work done.
            if await self._store.get(StoredLogin, taken.id) is not None:
                return await self._made_before(user_id, asked.password)
            stored = StoredUser(
                id=user_id,
                issuer=_NO_ISSUER,
                expires_at=_FOR_EVER,
                source=self.name,
                login=asked.login.strip(),
                password=await self._passwords.hash(asked.password),
                attributes=json.dumps(asked.attributes),
                created_at=self._tools.clock(),
            )
            if not await self._store.commit(Change(put=(stored, taken), absent=(stored, taken))):
                return await self._made_before(user_id, asked.password)
        except StoreUnavailable as error:
            raise SourceUnavailable(str(error)) from None
        return self._user(stored)

    async def _get(self, id: str) -> StoredUser | None:
        try:
            stored = await self._store.get(StoredUser, id)
        except StoreUnavailable as error:
            raise SourceUnavailable(str(error)) from None
        return stored if stored is not None and stored.source == self.name else None

    async def _made_before(self, user_id: str, password: str) -> seams.User:
        """The user whom this very form has made already. LoginTaken when it is somebody else's name."""
        user = await self.load(user_id)
        if user is None or not await self.check_password(user, password):
            raise LoginTaken
        return user

    async def _rehash(self, stored: StoredUser, password: str) -> None:
        """Keep a hash of today's cost. It can wait: the old one is as good until it is asked for again."""
        try:
            renewed = replace(stored, password=await self._passwords.hash(password))
            await self._store.commit(Change(put=(renewed,), expect=(stored,)))
        except (TooBusy, StoreUnavailable):
            return

    def _user(self, stored: StoredUser) -> seams.User:
        typed = json.loads(stored.attributes)
        attributes = MappingProxyType({**typed, "id": stored.id, "login": stored.login})
        active = canonical_login(stored.login) not in self._locked
        return seams.User(Subject(self.name, stored.id), stored.login, attributes, active)

    def _login_id(self, canonical: str) -> str:
        return self._digest("login", canonical)

    def _digest(self, *parts: str) -> str:
        # So that ids have one length whatever was typed, and tell nothing of it.
        return stored_id("\x1f".join((self.name, *parts)))


def _locked(login: str) -> str:
    canonical = canonical_login(login)
    if canonical is None:
        raise ValueError("a locked login has a character that no login can have, or is too long")
    return canonical
