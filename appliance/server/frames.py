"""What the server and its build process say to each other, and how it is framed.

Both ends are this code base in one version on one machine, so the values are pickled: it keeps every type of
the declared configuration without a second description of it. Nothing from outside ever gets in here.
"""

import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

from appliance.config.declared.whole import Declared

#: Octets of the length before each frame.
HEAD = 4


@dataclass(frozen=True, slots=True)
class Build:
    """Read the directory whole and answer Built (clients follow in batches) or Rejected."""

    directory: Path
    environment: str | None
    #: Where the process keeps what it need not check again, if anywhere.
    state: Path | None = None
    #: Whether to answer with Ahead first, if themes have to be rehearsed.
    ahead: bool = False


@dataclass(frozen=True, slots=True)
class Ahead:
    """What the directory declares, while its themes are still rehearsed. Built or Rejected follows.

    `declared` comes without its clients.
    """

    declared: Declared
    #: How many frames follow: each a tuple of Listed.
    batches: int = 0


@dataclass(frozen=True, slots=True)
class AskStamp:
    """Answer with the stamp of the directory and of what its last configuration named outside it."""

    directory: Path


@dataclass(frozen=True, slots=True)
class Remember:
    """Keep a copy of the directory as a generation, if it is still what the stamp says."""

    directory: Path
    stamp: str
    generations: Path
    digest: str
    keep: int


@dataclass(frozen=True, slots=True)
class Watched:
    """What to watch: every event in `directories`; elsewhere only what happens to these `entries`."""

    directories: tuple[str, ...]
    entries: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Problems as `appliance check` prints them, and as JSON."""

    text: str = ""
    problems: tuple[Mapping[str, object], ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """Which state of the files an answer is about."""

    #: Cheap to compare: names, sizes and times.
    stamp: str
    commit: str
    watched: Watched


@dataclass(frozen=True, slots=True)
class Rejected:
    """The directory is not taken; `digest` is of its octets."""

    digest: str
    diagnosis: Diagnosis
    source: Source


class Listed(NamedTuple):
    """One client: its id, its digest, and itself pickled unless the last answer had that digest."""

    client_id: str
    digest: bytes
    octets: bytes


@dataclass(frozen=True, slots=True)
class Built:
    """The directory is good. `declared` comes without its clients; None: what was told ahead is good."""

    declared: Declared | None
    warnings: Diagnosis
    source: Source
    #: How many frames follow: each a tuple of Listed.
    batches: int = 0


class BrokenFrame(Exception):
    """The other end went away, or says what cannot be."""


def dump(value: object) -> bytes:
    """A value for the other end."""
    return pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)


def load(octets: bytes) -> object:
    """A value of the other end. BrokenFrame when it is none."""
    try:
        return pickle.loads(octets)  # noqa: S301 - our own child process, see above
    except Exception as error:
        raise BrokenFrame from error


def frame(octets: bytes) -> bytes:
    """Octets with their length before them."""
    return len(octets).to_bytes(HEAD, "big") + octets


def write(stream: BinaryIO, value: object) -> None:
    """Send a value."""
    stream.write(frame(dump(value)))


def read(stream: BinaryIO) -> object | None:
    """The next value, None at the end of the stream."""
    head = stream.read(HEAD)
    if not head:
        return None
    size = int.from_bytes(head, "big")
    octets = stream.read(size)
    if len(head) != HEAD or len(octets) != size:
        raise BrokenFrame
    return load(octets)
