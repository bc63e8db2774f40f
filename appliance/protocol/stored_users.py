"""What a store keeps of people who made their accounts themselves: the account, and its login name."""

from dataclasses import dataclass, field
from typing import ClassVar

from appliance.protocol.records import Record


@dataclass(frozen=True, slots=True)
class StoredUser(Record):
    """A user who made his account himself. It belongs to a source and, like the source, to no issuer."""

    kind: ClassVar[str] = "user"

    source: str
    #: The login name as it was typed, which pages show.
    login: str
    #: Hash of the password.
    password: str = field(repr=False)
    #: What is known of the user, as JSON text.
    attributes: str = field(repr=False)
    created_at: float


@dataclass(frozen=True, slots=True)
class StoredLogin(Record):
    """A login name that is taken: its id is a digest of source and canonical name, so there is one of each."""

    kind: ClassVar[str] = "login"

    user_id: str
