"""Which addresses may be connected to: the public internet, and nothing that only looks like it.

The standard library calls an address global when no registry says otherwise: translated, tunnelled and multicast
addresses are global to it, and each of them can lead back into the own network. So IPv6 is what is allocated as
unicast, less what is listed here, and IPv4 is everything less what is listed here (RFC 6890, RFC 8190).
"""

import ipaddress
from typing import Final

from appliance.outbound.problems import OutboundProblem

_UNICAST: Final = ipaddress.IPv6Network("2000::/3")
_LOOPBACK_4: Final = ipaddress.IPv4Network("127.0.0.0/8")
_LOOPBACK_6: Final = ipaddress.IPv6Address("::1")

_REFUSED_4: Final = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network (RFC 791)
        "10.0.0.0/8",  # private (RFC 1918)
        "100.64.0.0/10",  # between carrier and customer (RFC 6598)
        "127.0.0.0/8",  # loopback (RFC 1122)
        "169.254.0.0/16",  # link-local, where clouds keep credentials (RFC 3927)
        "172.16.0.0/12",  # private (RFC 1918)
        "192.0.0.0/24",  # protocol assignments (RFC 6890)
        "192.0.2.0/24",  # documentation (RFC 5737)
        "192.31.196.0/24",  # AS112 (RFC 7535)
        "192.52.193.0/24",  # multicast tunnels (RFC 7450)
        "192.88.99.0/24",  # 6to4 relays (RFC 7526)
        "192.168.0.0/16",  # private (RFC 1918)
        "192.175.48.0/24",  # AS112 (RFC 7534)
        "198.18.0.0/15",  # benchmarks (RFC 2544)
        "198.51.100.0/24",  # documentation (RFC 5737)
        "203.0.113.0/24",  # documentation (RFC 5737)
        "224.0.0.0/4",  # multicast (RFC 5771)
        "240.0.0.0/4",  # reserved, and the broadcast address (RFC 1112)
    )
)
# Outside 2000::/3, and so refused without being named: unspecified, loopback, IPv4-mapped and -compatible, NAT64
# 64:ff9b::/96 and 64:ff9b:1::/48, discard 100::/64, SRv6 5f00::/16, unique-local fc00::/7, link-local fe80::/10,
# site-local fec0::/10, multicast ff00::/8.
_REFUSED_6: Final = tuple(
    ipaddress.IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments: Teredo, benchmarks, ORCHID (RFC 2928, RFC 4380)
        "2001:db8::/32",  # documentation (RFC 3849)
        "2002::/16",  # 6to4: an IPv4 address inside (RFC 3056)
        "2620:4f:8000::/48",  # AS112 (RFC 7534)
        "3ffe::/16",  # the former 6bone (RFC 3701)
        "3fff::/20",  # documentation (RFC 9637)
    )
)


def is_loopback(address: str) -> bool:
    """Whether an address is this very machine: 127.0.0.0/8 or ::1 itself, no other way to write them."""
    found = _read(address)
    return found in _LOOPBACK_4 if isinstance(found, ipaddress.IPv4Address) else found == _LOOPBACK_6


def is_public(address: str) -> bool:
    """Whether an address is one of the public internet."""
    found = _read(address)
    if isinstance(found, ipaddress.IPv4Address):
        return not any(found in network for network in _REFUSED_4)
    return found in _UNICAST and not any(found in network for network in _REFUSED_6)


def check_address(address: str, *, allow_loopback: bool = False, only_loopback: bool = False) -> None:
    """OutboundProblem unless this address may be connected to."""
    if is_loopback(address):
        if not allow_loopback:
            raise OutboundProblem("the address is not a public one")
    elif only_loopback or not is_public(address):
        raise OutboundProblem("the address is not a public one")


def _read(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    # A zone index ("fe80::1%eth0") belongs to addresses of a link, which are refused anyway.
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        raise OutboundProblem("the address cannot be read") from None
    if isinstance(found, ipaddress.IPv6Address) and found.scope_id is not None:
        raise OutboundProblem("the address belongs to one link")
    return found
