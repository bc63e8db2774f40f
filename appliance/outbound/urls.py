"""Which URLs are understood: one spelling, no user information, no host that two readers read differently.

A host such as `0x7f.1`, `2130706433` or `127.1` is a name to one library and 127.0.0.1 to another; whatever looks
like a number and is no plain dotted quad is refused before anybody resolves it.
"""

import ipaddress
import re
from dataclasses import dataclass
from typing import Final

from appliance.outbound.problems import OutboundProblem

MAX_LENGTH: Final = 2048
#: The names and literals of this very machine, as they may stand in a URL.
LOOPBACK_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})

# RFC 3986 appendix A for what is needed: printable ASCII without backslash, quote, space, brackets or fragment.
_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9a-fA-F:.]{2,45}\]|[A-Za-z0-9.-]{1,253})(?::(?P<port>[1-9][0-9]{0,4}))?"
    r"(?P<rest>(?:/(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2})*)?"
    r"(?:\?(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/?]|%[0-9A-Fa-f]{2})*)?)"
)
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")
_DEFAULT_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Target:
    """A URL that was read: `host` lower case, an IPv6 literal in its brackets."""

    url: str
    scheme: str
    host: str
    port: int

    @property
    def loopback(self) -> bool:
        """Whether the URL itself names this very machine."""
        return self.host in LOOPBACK_HOSTS


def read_url(url: str, *, ports: frozenset[int], allow_loopback: bool) -> Target:
    """The target of a URL that may be spoken to. OutboundProblem tells what is wrong, not with which URL."""
    if len(url) > MAX_LENGTH:
        raise OutboundProblem("the URL is too long")
    found = _URL.fullmatch(url)
    if found is None:
        raise OutboundProblem("not a plain absolute https URL")
    scheme, host = found["scheme"], found["host"].lower()
    _check_host(host)
    port = int(found["port"] or _DEFAULT_PORTS[scheme])
    target = Target(url, scheme, host, port)
    at_home = allow_loopback and target.loopback
    if scheme != "https" and not at_home:
        raise OutboundProblem("only https URLs are fetched")
    if port > 65535 or not (at_home or port in ports):
        raise OutboundProblem("the port is not one that may be spoken to")
    return target


def _check_host(host: str) -> None:
    if host.startswith("["):
        try:
            ipaddress.IPv6Address(host[1:-1])
        except ValueError:
            raise OutboundProblem("the host is not an IPv6 address") from None
        return
    labels = host.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        # IPv4Address takes four plain decimal numbers and nothing else: no octal, no missing parts.
        try:
            ipaddress.IPv4Address(host)
        except ValueError:
            raise OutboundProblem("the host is neither a name nor a plain IPv4 address") from None
        return
    # A dot at the end names the same host in another spelling; nothing here needs two.
    if not all(_LABEL.fullmatch(label) for label in labels):
        raise OutboundProblem("the host is not a host name")
