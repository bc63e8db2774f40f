"""Client certificates on their way in: which octets of a connection or a header count."""

import base64
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import quote

import pytest

from appliance.config.declared.root import CertificateHeader, Listener, Listeners
from appliance.protocol.messages import Request
from appliance.server.client_certificates import certified, of_connection, told_by_proxies
from appliance.server.listening import proxies
from appliance.server.messages import Incoming
from tests.support.certificates import certify

OWN, OTHER = certify("CN=own"), certify("CN=other")
BASE64 = base64.b64encode(OWN.der).decode()
PROXY, STRANGER = "10.1.2.3", "192.0.2.1"
ESCAPED = quote(OWN.pem, safe="")
WRITTEN = {
    "rfc9440": f":{BASE64}:",
    "base64_der": BASE64,
    "url_encoded_pem": ESCAPED,
    "xfcc": f'By=spiffe://op;Hash=00ff;Cert="{ESCAPED}";Subject="CN=a\\"b,O=c;d";URI=;DNS=a.example;DNS=b.example',
}


class Wire:
    """As much of a connection as is looked at."""

    def __init__(self, peer: Any, tls: Any = None) -> None:
        self.peername = peer
        self.transport = self
        self._tls = tls

    def get_extra_info(self, name: str) -> Any:
        assert name == "ssl_object"
        return self._tls


def incoming(peer: Any, *headers: tuple[str, str], tls: Any = None) -> Incoming:
    """A request with these headers on such a connection."""
    raw = tuple((name.encode(), value.encode("latin-1")) for name, value in headers)
    return Incoming(cast(Any, SimpleNamespace(raw_headers=raw)), cast(Any, None), cast(Any, Wire(peer, tls)))


def told(form: str, peer: str, *headers: tuple[str, str], name: str = "Client-Cert") -> bytes | None:
    """What is believed of a request with these headers."""
    declared = Listeners(
        public=Listener("127.0.0.1:8080", None, ("10.0.0.0/8",)),
        admin=Listener("127.0.0.1:9090", None, ()),
        mtls=None,
        client_certificate=CertificateHeader(name, form),
    )
    read = told_by_proxies(declared, proxies(declared))
    assert read is not None
    return read(incoming((peer, 1234), *headers))


@pytest.mark.spec("RFC 9440", "2.2")
@pytest.mark.parametrize("form", WRITTEN)
def test_the_provider_reads_what_a_trusted_proxy_tells(form: str) -> None:
    for name in ("Client-Cert", "client-cert", "CLIENT-CERT"):
        assert told(form, PROXY, (name, WRITTEN[form])) == OWN.der


@pytest.mark.attack("CA-38", "TB-19")
@pytest.mark.parametrize("form", WRITTEN)
@pytest.mark.parametrize("header", ["Client-Cert", "X-Client-Cert", "X-SSL-CERT", "X-Forwarded-Client-Cert"])
def test_the_provider_believes_no_header_of_a_stranger(form: str, header: str) -> None:
    sent = ((header, WRITTEN[form]), ("X-Forwarded-For", PROXY), ("Forwarded", f"for={PROXY}"))
    assert told(form, STRANGER, *sent, name=header) is None
    assert told(form, "::1", *sent, name=header) is None
    assert told(form, "", *sent, name=header) is None
    assert told(form, "unix:", *sent, name=header) is None
    # Nor another header of a proxy than the one that was named.
    assert told(form, PROXY, (f"{header}-2", WRITTEN[form]), name=header) is None


@pytest.mark.attack("CA-39")
@pytest.mark.parametrize("form", WRITTEN)
def test_the_provider_believes_no_header_that_could_be_two(form: str) -> None:
    value = WRITTEN[form]
    assert told(form, PROXY, ("Client-Cert", value), ("client-cert", value)) is None
    assert told(form, PROXY, ("Client_Cert", value)) is None
    own = ("Client-Cert", value)
    assert told(form, PROXY, own, ("Client_Cert", "anything"), ("CLIENT_CERT", "x")) == OWN.der
    assert told(form, PROXY) is None


@pytest.mark.attack("CA-39")
@pytest.mark.parametrize(
    ("form", "value"),
    [
        ("rfc9440", ""),
        ("rfc9440", "::"),
        ("rfc9440", BASE64),
        ("rfc9440", f":{BASE64}:, :{BASE64}:"),
        ("rfc9440", f":{BASE64[:-5]}"),
        ("rfc9440", ":" + BASE64[:-1] + "\\:"),
        ("rfc9440", f":{'A' * 1_000_000}:"),
        ("rfc9440", f":{BASE64}:;a=1"),
        ("base64_der", f"{BASE64},{BASE64}"),
        ("base64_der", BASE64 + "!"),
        ("base64_der", "A"),
        ("base64_der", "\xff\xfe"),
        ("url_encoded_pem", quote(OWN.pem + OTHER.pem, safe="")),
        ("url_encoded_pem", quote(quote(OWN.pem, safe=""), safe="")),
        ("url_encoded_pem", quote(OWN.pem, safe="")[:-30]),
        ("url_encoded_pem", quote(OWN.pem.replace("CERTIFICATE", "PRIVATE KEY"), safe="")),
        ("url_encoded_pem", quote("x" + OWN.pem, safe="")),
        ("url_encoded_pem", OWN.pem.replace("\n", "\0")),
        ("url_encoded_pem", "%zz"),
        ("url_encoded_pem", quote("-----BEGIN CERTIFICATE-----\n" * 3, safe="")),
        ("xfcc", f'Cert="{ESCAPED}",Cert="{ESCAPED}"'),
        ("xfcc", f'Cert="{ESCAPED}";Cert="{ESCAPED}"'),
        ("xfcc", f'Hash=1;Cert="{ESCAPED}'),
        ("xfcc", ESCAPED),
        ("xfcc", "Hash=1;Subject=CN%3Da"),
        ("xfcc", f'Subject="CN=a";Cert="{quote(ESCAPED)}"'),
    ],
    ids=range(26),
)
def test_the_provider_believes_no_broken_header(form: str, value: str) -> None:
    assert told(form, PROXY, ("Client-Cert", value)) is None


@pytest.mark.spec("RFC 8705", "6.5")
def test_the_provider_believes_no_header_unless_told_to() -> None:
    declared = Listeners(Listener("x:1", None, ("10.0.0.0/8",)), Listener("x:2", None, ()), None, None)
    assert told_by_proxies(declared, proxies(declared)) is None


@pytest.mark.spec("RFC 8705", "2")
def test_the_provider_takes_the_certificate_of_the_connection() -> None:
    class Connection:
        def getpeercert(self, *, binary_form: bool) -> bytes:
            return OWN.der

    assert of_connection(incoming(("x", 1), tls=Connection())) == OWN.der
    assert of_connection(incoming(("x", 1))) is None
    assert certified(Request("GET", "/"), OWN.der).certificate == OWN.der
    assert certified(Request("GET", "/"), None).certificate is None
