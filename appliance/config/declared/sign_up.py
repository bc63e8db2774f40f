"""`sign_up` of a profile: whether people may make accounts, in which source, and what they are asked."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SignUpField:
    """One thing that is asked beside login name and password."""

    #: The claim that it becomes, which also says what may be typed.
    claim: str
    #: Where it is kept in the user's attributes, by dots; None: under the claim's name.
    attribute: str | None
    #: What the page calls it, by locale; empty: the theme's words for the claim.
    label: Mapping[str, str]
    required: bool

    @property
    def steps(self) -> tuple[str, ...]:
        """The names that lead to it in the user's attributes."""
        return tuple((self.attribute or self.claim).split("."))


@dataclass(frozen=True, slots=True)
class SignUp:
    """Sign-up of one profile."""

    source: str
    fields: tuple[SignUpField, ...]
    #: Accounts that may be asked for from one address within an hour, made or not.
    quota: int
