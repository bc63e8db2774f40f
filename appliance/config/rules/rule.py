"""What rules share: what they look at, the moment they look, and how to tell of a name that leads nowhere."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from appliance.config.declared.profile import Profile
from appliance.config.faults import suggestion
from appliance.config.linking import Linked, Object, problem
from appliance.config.problems import Path, Problem

T = TypeVar("T")

DAY = 86400
LOOPBACK = ("127.0.0.1", "[::1]", "localhost")


@dataclass(frozen=True, slots=True)
class Scene:
    """The whole configuration, and the present moment in epoch seconds."""

    linked: Linked
    now: float
    #: Digest of a client secret to the first client (by id) that has it.
    secret_holders: Mapping[bytes, str]

    def profile_of(self, client_profile: str) -> Object[Profile] | None:
        """The profile of a client; None when there is none, which another rule reports."""
        return self.linked.profiles.get(client_profile)


#: One rule: an object and its surroundings in, everything wrong in this one respect out.
Rule = Callable[[Object[T], Scene], Iterator[Problem]]


def unknown(
    code: str,
    at: Object[object],
    path: Path,
    name: str,
    kind: str,
    among: Mapping[str, object] | tuple[str, ...],
) -> Problem:
    """A name that leads nowhere, with the nearest that does."""
    return problem(code, at, path, f"there is no {kind} `{name}`", help=suggestion(name, tuple(among)))


def lengthy(seconds: float) -> str:
    """A length of time as it is written in the files."""
    for unit, size in (("d", DAY), ("h", 3600), ("m", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{int(seconds // size)}{unit}"
    return f"{seconds:g}s"


def is_loopback(host: str) -> bool:
    """Whether a host (as in a URI, without port) is this very machine."""
    return host in LOOPBACK


def host_of(origin: str) -> str:
    """The host of `scheme://host[:port]`, lower case, without port."""
    authority = origin.split("://", 1)[1].lower()
    if authority.startswith("["):
        return authority.partition("]")[0] + "]"
    return authority.partition(":")[0]
