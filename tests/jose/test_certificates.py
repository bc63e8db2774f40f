"""Client certificates: whatever the octets, they are read or refused, and nothing else happens."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.jose.certificates import Authorities, read_certificate, thumbprint
from appliance.jose.problems import KeyProblem
from appliance.protocol.distinguished_name import NameProblem, read_name
from tests.support.certificates import CLIENT_AUTH, certify, names
from tests.support.provider import START

CA = certify("CN=ca", ca=True)
SAN = names(dns="a.example", uri="urn:a", ip="192.0.2.1", email="a@a.example")
GOOD = certify("C=FI,O=Partner,CN=orders", CA, extensions=(SAN, CLIENT_AUTH))
AUTHORITIES = Authorities(CA.pem.encode())


def look_at(der: bytes) -> None:
    """Everything that is ever asked of a certificate."""
    certificate = read_certificate(der)
    certificate.check_time(START)
    AUTHORITIES.check(certificate, START)
    assert isinstance(certificate.subject, tuple)
    assert len([*certificate.dns, *certificate.uris, *certificate.addresses, *certificate.emails]) <= 4
    assert certificate.key_thumbprint()


@pytest.mark.spec("RFC 8705", "2.1")
def test_the_provider_reads_a_good_certificate() -> None:
    look_at(GOOD.der)
    certificate = read_certificate(GOOD.der)
    assert certificate.subject == read_name("CN=orders,O=Partner,C=FI")
    assert (certificate.dns, certificate.uris) == (["a.example"], ["urn:a"])
    assert (certificate.addresses, certificate.emails) == (["192.0.2.1"], ["a@a.example"])


@pytest.mark.spec("RFC 8705", "3.1")
def test_the_provider_knows_a_certificate_by_its_octets() -> None:
    assert len(thumbprint(GOOD.der)) == 43
    assert thumbprint(GOOD.der) != thumbprint(GOOD.der + b"\0")


@pytest.mark.attack("CA-40")
@settings(max_examples=400, deadline=None)
@given(at=st.integers(0, len(GOOD.der) - 1), octet=st.integers(0, 255), cut=st.booleans())
def test_the_provider_survives_a_certificate_with_a_wrong_octet(at: int, octet: int, cut: bool) -> None:
    der = GOOD.der[:at] if cut else GOOD.der[:at] + bytes([octet]) + GOOD.der[at + 1 :]
    try:
        look_at(der)
    except KeyProblem:
        return
    # Nothing but the very certificate is of the authority.
    assert der == GOOD.der


def resigned(at: int, octet: int) -> bytes:
    """A self-signed certificate as an attacker makes it: nobody compares its signature."""
    own = certify("C=FI,O=Partner,CN=orders", extensions=(SAN,)).der
    return own[:at] + bytes([octet]) + own[at + 1 :]


@pytest.mark.attack("CA-40")
@settings(max_examples=400, deadline=None)
@given(at=st.integers(0, 420), octet=st.integers(0, 255))
def test_the_provider_survives_whatever_a_self_signed_certificate_says(at: int, octet: int) -> None:
    try:
        certificate = read_certificate(resigned(at, octet))
    except KeyProblem:
        return
    for ask in (
        lambda: certificate.check_time(START),
        lambda: certificate.subject,
        lambda: certificate.dns,
        lambda: certificate.addresses,
        certificate.key_thumbprint,
        lambda: AUTHORITIES.check(certificate, START),
    ):
        try:
            ask()
        except KeyProblem:
            continue


@pytest.mark.spec("RFC 4514", "4")
@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("UID=jsmith,DC=example,DC=net", [("dc", "net"), ("dc", "example"), ("uid", "jsmith")]),
        (r"CN=James \"Jim\" Smith\, III,DC=net", [("dc", "net"), ("cn", 'James "Jim" Smith, III')]),
        (r"CN=Before\0dAfter,DC=net", [("dc", "net"), ("cn", "Before\rAfter")]),
        (r"CN=Lu\C4\8Di\C4\87", [("cn", "Lučić")]),
        (r"CN=\ a\ ", [("cn", " a ")]),
        ("cn = a , o = b ", [("o", "b"), ("cn", "a")]),
        ("2.5.4.3=a", [("cn", "a")]),
        ("CN=#0c0161", [("cn", "a")]),
    ],
)
def test_the_provider_reads_distinguished_names(text: str, name: list[tuple[str, str]]) -> None:
    oids = {"cn": "2.5.4.3", "o": "2.5.4.10", "dc": "0.9.2342.19200300.100.1.25", "uid": "0.9.2342.19200300.100.1.1"}
    assert read_name(text) == tuple(frozenset({(oids[kind], value)}) for kind, value in name)


@pytest.mark.spec("RFC 4514", "2.2")
def test_the_provider_does_not_care_for_order_within_one_part_of_a_name() -> None:
    assert read_name("OU=Sales+CN=J. Smith,DC=net") == read_name("CN=J. Smith+OU=Sales,DC=net")
    assert read_name("OU=Sales,CN=J. Smith,DC=net") != read_name("CN=J. Smith,OU=Sales,DC=net")


@pytest.mark.spec("RFC 4514", "3")
@pytest.mark.parametrize(
    "text",
    ["", "CN", "CN=", "=a", "CN=a,", "CN=a,,O=b", "CN=a+", "XYZ=a", "CN=a;O=b", 'CN="a"', "CN=#0c", "CN=#0g", "CN=a\\",
     "CN=\\zz", "CN=\\ff", "CN=#0c0261", "CN=#30036101", "CN=a\0", "1.2.=a", "9.9=a"],
)  # fmt: skip
def test_the_provider_refuses_what_is_no_distinguished_name(text: str) -> None:
    with pytest.raises(NameProblem):
        read_name(text)


@given(st.text(max_size=80))
def test_every_text_is_a_name_or_none(text: str) -> None:
    for tried in (text, f"CN={text}", f"CN=a,O={text}"):
        try:
            assert read_name(tried)
        except NameProblem:
            continue
