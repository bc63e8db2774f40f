"""RFC 8252 7.3, RFC 6749 3.1.2, RFC 9700 2.1: which redirect URIs may be registered, and what equals them."""

import pytest

from appliance.protocol.redirect_uri import form_action, hosts, matches, origin, problem


@pytest.mark.attack("RU-31")
@pytest.mark.spec("RFC 9700", "2.1")
@pytest.mark.parametrize(
    "uri",
    [
        "https://*.rp.example/cb",
        "https://rp.example/*",
        "https://rp.example/cb#f",
        "https://rp.example/cb#",
        "https://user:pw@rp.example/cb",
        "https://user@rp.example/cb",
        "https:///cb",
        "https://",
        "/cb",
        "//rp.example/cb",
        "rp.example/cb",
        "javascript:alert(1)",
        "data:text/html,x",
        "https://rp.example/a b",
        "https://rp.example/\u00e4",
        "https://rp.example\\@evil.example/",
        "HTTPS://rp.example/cb",
        "https://rp.example/" + "a" * 2048,
        "",
        "https://rp.example/cb\n",
        'https://rp.example/"x',
    ],
)
def test_refuses_to_register_what_could_be_read_in_two_ways(uri: str) -> None:
    assert problem(uri) is not None


@pytest.mark.parametrize(
    "uri",
    [
        "https://rp.example/cb",
        "https://rp.example",
        "https://rp.example/q?a=%2F&b=%20+",
        "https://rp.example/p@th?x=@*",
        "http://127.0.0.1/cb",
        "http://[::1]/cb",
        "http://localhost:3000/cb",
        "com.example.app:/cb",
        "https://rp.example:8443/cb",
    ],
)
def test_registers_ordinary_addresses(uri: str) -> None:
    assert problem(uri) is None


@pytest.mark.spec("RFC 8252", "7.3")
@pytest.mark.parametrize(
    ("asked", "registered", "same"),
    [
        ("http://127.0.0.1:5/cb", "http://127.0.0.1/cb", True),
        ("http://127.0.0.1:5/cb", "http://127.0.0.1:3000/cb", True),
        ("http://[::1]:5/cb", "http://[::1]/cb", True),
        ("http://[::1]:5/cb", "http://127.0.0.1/cb", False),
        ("http://127.0.0.1:5", "http://127.0.0.1/", False),
        ("http://127.0.0.1:5/cb?a=\n", "http://127.0.0.1/cb?a=\n", False),
        ("https://rp.example:5/cb", "https://rp.example/cb", False),
        ("http://localhost:5/cb", "http://localhost/cb", False),
        ("http://127.0.0.1:99999/cb", "http://127.0.0.1/cb", False),
    ],
)
def test_lets_only_the_port_of_a_loopback_address_vary(asked: str, registered: str, same: bool) -> None:
    assert matches(asked, registered) is same


def test_names_what_a_form_may_be_redirected_to() -> None:
    assert form_action("https://rp.example:8443/cb?x") == "https://rp.example:8443"
    assert form_action("com.example.app:/cb") == "com.example.app:"
    assert origin("com.example.app:/cb") is None
    assert hosts(["https://RP.example:1/a", "http://[::1]:5/", "com.example:/x"]) == {"rp.example", "[::1]"}
