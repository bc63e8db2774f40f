"""Users written down in the configuration."""

import base64
import binascii
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from appliance import seams
from appliance.passwords import Passwords, check_supported
from appliance.protocol.authorization import Subject
from appliance.protocol.login_name import canonical_login
from appliance.protocol.secret import Secret

# RFC 4226 4: a shared secret is at least 128 bits, but 80-bit ones are about; pyotp draws the line at 112.
_TOTP_KEY_BYTES = 14


@dataclass(frozen=True, slots=True)
class User:
    """One declared user. The first login is the one that is shown; `password` holds a hash."""

    login: tuple[str, ...]
    password: Secret | None
    totp: Secret | None
    user_code: Secret | None
    active: bool
    attributes: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Options:
    """The declared users by id."""

    users: Mapping[str, User]


# Inside the class its own attribute of that name would be meant.
_Options = Options


class Static:
    """A read-only table of users; every login of a user leads to the same account."""

    #: The kind; of an instance, the name it was declared by.
    name: str = "static"
    Options: ClassVar[type[_Options]] = Options

    def __init__(self, name: str, options: _Options, passwords: Passwords) -> None:
        """ValueError names the user whose declaration cannot be used."""
        self.name = name
        self._passwords = passwords
        self._users = dict(options.users)
        self._ids = _read_logins(self._users)
        # Nobody can change them, so everybody may have the same.
        self._known = {
            key: seams.User(Subject(name, key), user.login[0], MappingProxyType(dict(user.attributes)), user.active)
            for key, user in self._users.items()
        }
        self._hashes = {key: _read_hash(key, user) for key, user in self._users.items()}
        self._keys = {key: _read_key(key, user) for key, user in self._users.items()}
        # An unknown name takes as long as most known ones do: by a hash of the cost that is usual here.
        costs = Counter(one.rpartition("$")[0].rpartition("$")[0] for one in self._hashes.values() if one)
        usual = costs.most_common(1)[0][0] if costs else None
        self._decoy = next(
            (one for one in self._hashes.values() if usual and one.startswith(f"{usual}$")), None
        )

    async def find(self, login: str) -> seams.User | None:
        """The user whom a typed login denotes."""
        canonical = canonical_login(login)
        found = None if canonical is None else self._ids.get(canonical)
        return None if found is None else await self.load(found)

    async def load(self, id: str) -> seams.User | None:
        """The user with that id."""
        return self._known.get(id)

    async def check_password(self, user: seams.User | None, password: str) -> bool:
        """Whether the password is right; never for an inactive user, and as slow for no user as for one."""
        declared = (
            None if user is None or user.subject.source != self.name else self._users.get(user.subject.id)
        )
        usable = user is not None and declared is not None and declared.active
        encoded = self._hashes[user.subject.id] if usable and user is not None else None
        verified = await self._passwords.verify(encoded or None, password, self._decoy)
        return verified.right

    async def credential(self, user: seams.User, kind: str) -> bytes | None:
        """The key of the user's authenticator app, for kind "totp"; his code against strangers, for "user_code"."""
        if user.subject.source != self.name:
            return None
        if kind == "totp":
            return self._keys.get(user.subject.id)
        declared = self._users.get(user.subject.id) if kind == "user_code" else None
        return None if declared is None or declared.user_code is None else declared.user_code.value.strip() or None


def _read_logins(users: Mapping[str, User]) -> dict[str, str]:
    ids: dict[str, str] = {}
    for key, user in users.items():
        if not user.login:
            raise ValueError(f"user {key}: has no login")
        for login in user.login:
            canonical = canonical_login(login)
            if canonical is None:
                raise ValueError(
                    f"user {key}: a login has a character that no login can have, or is too long"
                )
            if ids.setdefault(canonical, key) != key:
                raise ValueError(f"users {ids[canonical]} and {key}: their logins mean the same name")
    return ids


def _read_hash(id: str, user: User) -> str:
    """The password's hash as text; "" when there is none, which no password belongs to."""
    if user.password is None or not user.password.value:
        return ""
    try:
        encoded = user.password.value.decode("ascii").strip()
        check_supported(encoded)
    except ValueError as error:
        reason = "not text" if isinstance(error, UnicodeDecodeError) else str(error)
        raise ValueError(f"user {id}: the password is {reason}") from None
    return encoded


def _read_key(id: str, user: User) -> bytes | None:
    if user.totp is None or not user.totp.value:
        return None
    # As apps show it: in groups, in either case, without padding.
    text = b"".join(user.totp.value.split()).replace(b"-", b"").rstrip(b"=").upper()
    try:
        key = base64.b32decode(text + b"=" * (-len(text) % 8))
    except (binascii.Error, ValueError):
        raise ValueError(f"user {id}: the totp key is not base32") from None
    if len(key) < _TOTP_KEY_BYTES:
        raise ValueError(f"user {id}: the totp key is shorter than {_TOTP_KEY_BYTES} bytes")
    return key
