"""Which addresses and URLs are spoken to, as tables."""

import ipaddress

import pytest

from appliance.outbound.addresses import check_address, is_loopback, is_public
from appliance.outbound.problems import OutboundProblem
from appliance.outbound.urls import read_url

PRIVATE = """
0.0.0.0 0.1.2.3 10.0.0.0 10.255.255.255 100.64.0.0 100.127.255.255 127.0.0.1 127.255.255.254 169.254.0.1
169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.8 192.0.0.170 192.0.2.1 192.31.196.1 192.52.193.1
192.88.99.1 192.168.0.1 192.168.255.255 192.175.48.1 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1
239.255.255.255 240.0.0.1 255.255.255.254 255.255.255.255
:: ::1 ::2 ::7f00:1 ::127.0.0.1 ::10.0.0.1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:8.8.8.8 ::ffff:0:127.0.0.1
64:ff9b::7f00:1 64:ff9b::10.0.0.1 64:ff9b::8.8.8.8 64:ff9b:1::1 100::1 100:0:0:1::1 2001::1 2001:0:7f00:1::
2001:1::1 2001:2::1 2001:3::1 2001:4:112::1 2001:10::1 2001:20::1 2001:1ff:ffff::1 2001:db8::1 2002:7f00:1::
2002:a00:1:: 2002:808:808:: 2620:4f:8000::1 3ffe::1 3fff::1 3fff:fff:ffff::1 4000::1 5f00::1 fc00::1 fd00::1
fd00:ec2::254 fe80::1 febf::1 fec0::1 feff::1 ff02::1 ff0e::1
""".split()

PUBLIC = """
1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.1 169.253.255.255
169.255.0.0 172.15.255.255 172.32.0.0 191.255.255.255 192.0.1.1 192.0.3.1 192.167.255.255 192.169.0.0
198.17.255.255 198.20.0.0 203.0.112.1 203.0.114.1 223.255.255.255
2001:200::1 2001:4860:4860::8888 2003::1 2606:4700:4700::1111 2a00:1450::1 3000::1 3ffd::1
""".split()


@pytest.mark.attack("SS-05")
@pytest.mark.parametrize("address", PRIVATE)
def test_the_room_connects_to_no_address_that_is_not_public(address: str) -> None:
    assert not is_public(address)
    with pytest.raises(OutboundProblem):
        check_address(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_the_room_connects_to_public_addresses(address: str) -> None:
    check_address(address)
    with pytest.raises(OutboundProblem):
        check_address(address, allow_loopback=True, only_loopback=True)


@pytest.mark.parametrize("address", PRIVATE)
def test_the_room_is_stricter_than_the_standard_library(address: str) -> None:
    found = ipaddress.ip_address(address)
    assert found.is_global <= (not is_public(address))


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.0.1", "::1"])
def test_loopback_is_for_who_asked_for_it(address: str) -> None:
    assert is_loopback(address)
    check_address(address, allow_loopback=True)
    check_address(address, allow_loopback=True, only_loopback=True)


@pytest.mark.parametrize("address", ["10.0.0.1", "::ffff:127.0.0.1", "::7f00:1", "0.0.0.0", "::", "fe80::1%lo"])
def test_loopback_is_nothing_else(address: str) -> None:
    with pytest.raises(OutboundProblem):
        check_address(address, allow_loopback=True)


@pytest.mark.parametrize("address", ["", "localhost", "0x7f.1", "2130706433", "127.1", "010.0.0.1", "fe80::1%eth0"])
def test_what_is_no_address_is_none(address: str) -> None:
    with pytest.raises(OutboundProblem):
        check_address(address)


PORTS = frozenset({443, 8443})


@pytest.mark.parametrize(
    "url",
    [
        "https://rp.example",
        "https://rp.example/",
        "https://rp.example:8443/a/b.json?c=d&e=%20f",
        "https://xn--rp-eka.example/jwks",
        "https://1e100.example/",
        "https://192.0.2.1/",
        "https://[2001:db8::1]:443/",
    ],
)
def test_plain_urls_are_understood(url: str) -> None:
    assert read_url(url, ports=PORTS, allow_loopback=False).url == url


@pytest.mark.attack("SS-05")
@pytest.mark.parametrize(
    "url",
    [
        "",
        "rp.example",
        "//rp.example/",
        "ftp://rp.example/",
        "file:///etc/passwd",
        "http://rp.example/",
        "HTTPS://rp.example/",
        "https:///jwks",
        "https://user@rp.example/",
        "https://user:secret@rp.example/",
        "https://rp.example@127.0.0.1/",
        "https://rp.example\\@127.0.0.1/",
        "https://rp.example#@127.0.0.1/",
        "https://rp.example/#fragment",
        "https://0x7f.1/",
        "https://0x7f000001/",
        "https://2130706433/",
        "https://127.1/",
        "https://0177.0.0.1/",
        "https://127.0.0.01/",
        "https://1.2.3.4.5/",
        "https://1.2.3.256/",
        "https://rp.example.0x1/",
        "https://127.0.0.1./",
        "https://rp.example./",
        "https://.rp.example/",
        "https://rp..example/",
        "https://-rp.example/",
        "https://rp_x.example/",
        "https://ｒp.example/",
        "https://rp%2eexample/",
        "https://①②⑦.0.0.1/",
        "https://[::1/",
        "https://[::1%25lo]/",
        "https://[::1%lo]/",
        "https://[::ffff:127.0.0.256]/",
        "https://[rp.example]/",
        "https://rp.example:0/",
        "https://rp.example:0443/",
        "https://rp.example:80/",
        "https://rp.example:22/",
        "https://rp.example:65536/",
        "https://rp.example:99999/",
        "https://rp.example:/",
        "https://rp.example:443:443/",
        "https://rp.example/a b",
        "https://rp.example/a\tb",
        "https://rp.example/\r\nHost: internal",
        "https://rp.example/\n",
        " https://rp.example/",
        "https://rp.example/\x00",
        "https://rp.example/%zz",
        "https://rp.example/" + "a" * 2048,
        "https://" + "a" * 64 + ".example/",
    ],
)
def test_everything_else_is_not(url: str) -> None:
    with pytest.raises(OutboundProblem) as refused:
        read_url(url, ports=PORTS, allow_loopback=False)
    assert "rp" not in str(refused.value)


def test_plain_http_is_for_this_machine_where_that_is_allowed() -> None:
    for host in ("127.0.0.1", "localhost", "[::1]"):
        url = f"http://{host}:8080/jwks"
        assert read_url(url, ports=PORTS, allow_loopback=True).loopback
        with pytest.raises(OutboundProblem):
            read_url(url, ports=PORTS, allow_loopback=False)
    for host in ("rp.example", "10.0.0.1", "127.0.0.2", "localhost.example"):
        with pytest.raises(OutboundProblem):
            read_url(f"http://{host}/", ports=PORTS | {80}, allow_loopback=True)
