"""`sources/`, `authenticators/`, `policies/`: who the users are and how they prove it."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Part:
    """A declared part: its kind names the file in `parts/<family>/`, `options` is that file's Options value."""

    kind: str
    options: object


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a policy: the authenticator to pass."""

    authenticate: str


@dataclass(frozen=True, slots=True)
class Policy:
    """An authentication policy: ordered steps; `max_age` (seconds) bounds how old their proofs may be."""

    steps: tuple[Step, ...]
    amr: tuple[str, ...]
    max_age: int | None
    deny_message: Mapping[str, str]
