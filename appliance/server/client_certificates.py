"""Client certificates on their way in: proved by TLS, or told by a proxy that is believed (RFC 8705 6.5, RFC 9440).

Here is only which octets count as the certificate of a connection. Whether it is anybody's is for who asks.
"""

import base64
import re
import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from ipaddress import ip_address
from typing import Final
from urllib.parse import unquote_to_bytes

from appliance.config.declared.root import Listeners
from appliance.config.declared.whole import Declared
from appliance.protocol.client import Client
from appliance.protocol.messages import Request
from appliance.protocol.pem import certificates
from appliance.server.messages import Incoming, Networks

#: Gives the client certificate of a request, DER; None when there is none that counts.
Certificate = Callable[[Incoming], bytes | None]

#: Octets of a header value beyond which nobody looks at it.
_MAX_VALUE: Final = 16384
_BASE64 = re.compile(rb"[A-Za-z0-9+/]+={0,2}")
_BETWEEN_COLONS = re.compile(rb":([A-Za-z0-9+/]+={0,2}):")
_ESCAPED = re.compile(rb"(?:[A-Za-z0-9._~!*'();:@&=+$,/?#\[\] -]|%[0-9A-Fa-f]{2})+")
_PAIR = re.compile(rb'([A-Za-z]+)=("(?:[^"\\]|\\.)*"|[^",;]*)')
_ELEMENT = re.compile(rb"%b(?:;%b)*" % (_PAIR.pattern, _PAIR.pattern))
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----\s*([A-Za-z0-9+/=\s]+?)\s*-----END CERTIFICATE-----\s*")


def certified(request: Request, certificate: bytes | None) -> Request:
    """The request with its client certificate."""
    return request if certificate is None else replace(request, certificate=certificate)


def of_connection(raw: Incoming) -> bytes | None:
    """The certificate whose key the client proved to hold when the connection was made."""
    transport = raw.connection.transport
    connection = None if transport is None else transport.get_extra_info("ssl_object")
    found: bytes | None = None if connection is None else connection.getpeercert(binary_form=True)
    return found


def told_by_proxies(declared: Listeners, proxies: Networks) -> Certificate | None:
    """The reader of the header in which proxies tell the certificate; None where no header is believed."""
    settings = declared.client_certificate
    if settings is None:
        return None
    name, read = settings.header.lower().encode("ascii"), _FORMATS[settings.format]

    def told(raw: Incoming) -> bytes | None:
        # By the very peer of the connection: what X-Forwarded-For says of it counts for nothing here.
        if not _within(raw.peer, proxies):
            return None
        values = [value for key, value in raw.message.raw_headers if key.lower() == name]
        # Of two, one is the client's own.
        return read(values[0]) if len(values) == 1 and 0 < len(values[0]) <= _MAX_VALUE else None

    return told


def authorities(declared: Declared) -> str:
    """PEM of all whose certificates a TLS handshake lets pass, each only once.

    OpenSSL lets nobody in whom it cannot verify, and Python has no word in that. So besides the authorities of
    the profiles, each self-signed certificate that a declared client registered is one: it vouches for itself.
    Who may do what with it is decided above, certificate by certificate.
    """
    listed = [certificates(each.mtls.client_ca.value) for each in declared.profiles.values() if each.mtls.client_ca]
    own = (der for client in declared.clients.values() for der in _registered(client))
    return "\n".join(dict.fromkeys((*listed, *map(ssl.DER_cert_to_PEM_cert, own))))


def _registered(client: Client) -> Iterator[bytes]:
    uses = client.tls_client_certificate_bound_access_tokens
    if client.jwks is None or not (uses or client.token_endpoint_auth_method == "self_signed_tls_client_auth"):
        return
    keys = client.jwks.get("keys")
    for key in keys if isinstance(keys, list | tuple) else ():
        chain = key.get("x5c") if isinstance(key, Mapping) else None
        if isinstance(chain, list | tuple) and chain and isinstance(chain[0], str):
            yield base64.b64decode(chain[0])


def _read_rfc9440(value: bytes) -> bytes | None:
    """A byte sequence of structured fields (RFC 8941 3.3.5)."""
    found = _BETWEEN_COLONS.fullmatch(value.strip())
    return None if found is None else _read_base64(found[1])


def _read_base64(value: bytes) -> bytes | None:
    if not _BASE64.fullmatch(value.strip()):
        return None
    try:
        return base64.b64decode(value.strip(), validate=True)
    except ValueError:
        return None


def _read_pem(value: bytes) -> bytes | None:
    """One certificate in PEM, percent-encoded once."""
    if not _ESCAPED.fullmatch(value):
        return None
    found = _PEM.fullmatch(unquote_to_bytes(value))
    return None if found is None else _read_base64(b"".join(found[1].split()))


def _read_xfcc(value: bytes) -> bytes | None:
    """The one element of Envoy's header, whose `Cert` is PEM, percent-encoded; of several, one is the client's."""
    if not _ELEMENT.fullmatch(value):
        return None
    found = [text for name, text in _PAIR.findall(value) if name.lower() == b"cert"]
    return _read_pem(found[0].strip(b'"')) if len(found) == 1 else None


_FORMATS: Final[Mapping[str, Callable[[bytes], bytes | None]]] = {
    "rfc9440": _read_rfc9440,
    "base64_der": _read_base64,
    "url_encoded_pem": _read_pem,
    "xfcc": _read_xfcc,
}


def _within(text: str, networks: Networks) -> bool:
    try:
        address = ip_address(text)
    except ValueError:
        return False
    return any(address in network for network in networks if network.version == address.version)
