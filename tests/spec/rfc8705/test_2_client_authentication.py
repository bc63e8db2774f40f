"""RFC 8705 2: clients that prove themselves by a certificate."""

from dataclasses import replace
from typing import Any

import pytest

from appliance.config.declared.sender_constraint import MutualTls
from appliance.jose.public_keys import PublicKey, import_set
from appliance.parts.client_auth_methods.self_signed_tls_client_auth import SelfSignedTlsClientAuth
from appliance.profile.client_keys import ClientKeys
from appliance.protocol.client import Client
from appliance.protocol.errors import InvalidClient
from appliance.protocol.form import Params
from appliance.protocol.messages import Request
from appliance.protocol.secret import Secret
from tests.support.certificates import CLIENT_AUTH, SERVER_AUTH, Certified, certify, names
from tests.support.minting import CLIENT, CLIENTS, PROFILE, SPA, Answer, Mint, mint, request
from tests.support.provider import START

pytestmark = pytest.mark.spec("RFC 8705", "2.1")

CA = certify("C=FI,O=Partner CA,CN=root", ca=True)
OTHER_CA = certify("C=FI,O=Partner CA,CN=root", ca=True)
DN = "CN=orders,O=Partner,C=FI"
PKI = replace(CLIENT, client_id="pki", token_endpoint_auth_method="tls_client_auth", client_secrets=())
BY_DN = replace(PKI, tls_client_auth_subject_dn=DN)
SAN = names(dns="orders.partner.example", uri="urn:partner:orders", ip="203.0.113.7", email="ops@partner.example")
OWN = certify("CN=self")
SELF_SIGNED = replace(
    CLIENT,
    client_id="self",
    token_endpoint_auth_method="self_signed_tls_client_auth",
    client_secrets=(),
    jwks={"keys": [OWN.jwk()]},
)
METHODS = ("tls_client_auth", "self_signed_tls_client_auth", "client_secret_basic", "none")


async def with_clients(*clients: Client, ca: str = CA.pem) -> Mint:
    profile = replace(
        PROFILE,
        token_endpoint_auth_methods_supported=METHODS,
        mtls=MutualTls(client_ca=Secret(ca.encode(), "test"), aliases_at=None),
    )
    return await mint(profile=profile, clients=(*CLIENTS, *clients))


async def ask(op: Mint, client: Client, shown: Certified | bytes | None, **sent: Any) -> Answer:
    """A client credentials request over a connection with that certificate."""
    der = shown.der if isinstance(shown, Certified) else shown
    asked: Request = request(client, now=op.now[0], grant_type="client_credentials", **sent)
    return await op.send(replace(asked, certificate=der))


def check_refused(answered: Answer) -> None:
    assert (answered.status, answered.code) == (401, "invalid_client")
    assert answered.error is not None
    assert answered.error.description == "client authentication failed"


@pytest.mark.parametrize(
    "rule",
    [
        {"tls_client_auth_subject_dn": DN},
        {"tls_client_auth_subject_dn": "cn=orders, 2.5.4.10=Partner , c=FI"},
        {"tls_client_auth_subject_dn": r"CN=\6frders,O=#0c07506172746e6572,C=FI"},
        {"tls_client_auth_san_dns": "Orders.Partner.example"},
        {"tls_client_auth_san_uri": "urn:partner:orders"},
        {"tls_client_auth_san_ip": "203.0.113.7"},
        {"tls_client_auth_san_email": "ops@partner.example"},
    ],
    ids=lambda rule: "-".join(rule),
)
async def test_the_provider_takes_a_certificate_about_the_right_subject(rule: dict[str, str]) -> None:
    op = await with_clients(replace(PKI, **rule))
    shown = certify(issuer=CA, extensions=(SAN, CLIENT_AUTH))
    assert (await ask(op, PKI, shown)).status == 200


@pytest.mark.attack("CA-40")
@pytest.mark.parametrize(
    "rule",
    [
        {"tls_client_auth_subject_dn": "C=FI,O=Partner,CN=orders"},
        {"tls_client_auth_subject_dn": "CN=orders,O=Partner"},
        {"tls_client_auth_subject_dn": "CN=orders"},
        {"tls_client_auth_subject_dn": "CN=order,O=Partner,C=FI"},
        {"tls_client_auth_subject_dn": "CN=*,O=Partner,C=FI"},
        {"tls_client_auth_subject_dn": "CN=orders+O=Partner,C=FI"},
        {"tls_client_auth_subject_dn": r"CN=orders\,O\=Partner,C=FI"},
        {"tls_client_auth_subject_dn": "nonsense"},
        {"tls_client_auth_subject_dn": ""},
        {"tls_client_auth_san_dns": "partner.example"},
        {"tls_client_auth_san_dns": "orders.partner.example.evil.example"},
        {"tls_client_auth_san_dns": "*.partner.example"},
        {"tls_client_auth_san_uri": "urn:partner"},
        {"tls_client_auth_san_ip": "203.0.113.70"},
        {"tls_client_auth_san_ip": "ops@partner.example"},
        {"tls_client_auth_san_email": "OPS@partner.example"},
        {"tls_client_auth_san_dns": "orders.partner.example", "tls_client_auth_subject_dn": DN},
        {},
    ],
    ids=str,
)
async def test_the_provider_takes_no_certificate_about_somebody_else(rule: dict[str, str]) -> None:
    op = await with_clients(replace(PKI, **rule))
    check_refused(await ask(op, PKI, certify(issuer=CA, extensions=(SAN, CLIENT_AUTH))))


@pytest.mark.attack("CA-40")
async def test_the_provider_takes_no_wildcard_for_a_name() -> None:
    op = await with_clients(replace(PKI, tls_client_auth_san_dns="orders.partner.example"))
    check_refused(await ask(op, PKI, certify(issuer=CA, extensions=(names(dns="*.partner.example"),))))


@pytest.mark.attack("CA-40")
async def test_the_provider_takes_only_certificates_of_its_authorities_that_are_valid_now() -> None:
    op = await with_clients(BY_DN)
    client = certify(issuer=CA)
    for shown in (
        certify(),
        certify(issuer=OTHER_CA),
        certify(issuer=certify("CN=nobody", ca=True)),
        certify(issuer=client),
        certify(issuer=CA, days=(-9, -0.1)),
        certify(issuer=CA, days=(0.1, 9)),
        certify(issuer=CA, extensions=(SERVER_AUTH,)),
        CA,
        b"",
        b"0\x82",
        client.der[:-1],
        client.der + b"\0",
        b"\0" * 100_000,
        None,
    ):
        check_refused(await ask(op, BY_DN, shown))
    assert (await ask(op, BY_DN, client)).status == 200


@pytest.mark.attack("CA-40")
async def test_the_provider_believes_no_authority_that_may_not_be_one() -> None:
    expired, leaf = certify("CN=old", ca=True, days=(-9, -1)), certify("CN=leaf")
    op = await with_clients(BY_DN, ca=expired.pem + leaf.pem)
    check_refused(await ask(op, BY_DN, certify(issuer=expired)))
    check_refused(await ask(op, BY_DN, certify(issuer=leaf)))


async def test_the_provider_believes_an_authority_below_the_top() -> None:
    below = certify("CN=below", CA, ca=True)
    op = await with_clients(BY_DN, ca=below.pem)
    assert (await ask(op, BY_DN, certify(issuer=below))).status == 200
    check_refused(await ask(op, BY_DN, certify(issuer=CA)))


@pytest.mark.spec("RFC 8705", "2.2")
async def test_the_provider_takes_a_self_signed_certificate_that_was_registered() -> None:
    op = await with_clients(SELF_SIGNED)
    assert (await ask(op, SELF_SIGNED, OWN)).status == 200
    renewed = certify("CN=self", key=OWN.key, days=(-1, 60))
    check_refused(await ask(op, SELF_SIGNED, renewed))
    # Without `x5c` the key is what was registered, in whatever certificate.
    by_key = replace(SELF_SIGNED, jwks={"keys": [OWN.jwk(x5c=False)]})
    op = await with_clients(by_key)
    assert (await ask(op, by_key, OWN)).status == 200
    assert (await ask(op, by_key, renewed)).status == 200


@pytest.mark.spec("RFC 8705", "2.2")
@pytest.mark.attack("CA-40")
async def test_the_provider_takes_no_other_self_signed_certificate() -> None:
    op = await with_clients(SELF_SIGNED, BY_DN)
    old = certify("CN=self", key=OWN.key, days=(-9, -1))
    aged = replace(SELF_SIGNED, client_id="aged", jwks={"keys": [old.jwk()]})
    for shown in (certify("CN=self"), certify(issuer=CA), old, b"0", None):
        check_refused(await ask(op, SELF_SIGNED, shown))
    check_refused(await ask(op, BY_DN, OWN))
    op = await with_clients(aged)
    check_refused(await ask(op, aged, old))


async def test_the_provider_tells_the_methods_apart_by_registration() -> None:
    op = await with_clients(BY_DN, SELF_SIGNED)
    # A certificate is no proof of a client that is registered for something else, nor in its way.
    assert (await ask(op, CLIENT, OWN)).status == 200
    answered = await op.send(
        replace(request(SPA, now=op.now[0], grant_type="refresh_token", refresh_token="x"), certificate=OWN.der)
    )
    assert (answered.status, answered.code) == (400, "invalid_grant")
    check_refused(await ask(op, replace(BY_DN, client_id="nobody"), certify(issuer=CA)))
    check_refused(await ask(op, replace(CLIENT, token_endpoint_auth_method="none"), certify(issuer=CA)))
    both = await ask(op, BY_DN, certify(issuer=CA), client_secret="x" * 40)
    assert both.status == 401


class Published:
    """A key set at an address: an old one until it is asked for anew."""

    def __init__(self, *keys: Certified) -> None:
        self.sets = [import_set({"keys": [key.jwk()]}) for key in keys]
        self.asked: list[tuple[str, bool]] = []

    async def get(self, address: str, *, refresh: bool = False) -> tuple[PublicKey, ...]:
        self.asked.append((address, refresh))
        return self.sets[-1 if refresh else 0]


@pytest.mark.spec("RFC 8705", "2.2.2")
async def test_the_provider_looks_for_a_renewed_certificate_where_it_is_published() -> None:
    old, new = certify("CN=self"), certify("CN=self")
    published: Any = Published(old, new)
    client = replace(SELF_SIGNED, jwks=None, jwks_uri="https://self.example/jwks")
    method = SelfSignedTlsClientAuth(keys=ClientKeys(published))
    for shown, refreshed in ((old, False), (new, True)):
        published.asked.clear()
        asked = replace(request(client, now=START), certificate=shown.der)
        await method.verify(asked, Params(()), client)
        assert published.asked[-1] == ("https://self.example/jwks", refreshed)
    with pytest.raises(InvalidClient):
        await method.verify(replace(asked, certificate=certify("CN=self").der), Params(()), client)
    with pytest.raises(InvalidClient):
        await method.verify(asked, Params(()), replace(client, jwks_uri=None))
