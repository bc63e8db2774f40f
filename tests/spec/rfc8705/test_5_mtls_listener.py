"""RFC 8705 5, 6.5: the listener for clients with certificates, and a proxy in its place, over real sockets."""

import base64
import http.client
import json
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import pytest

from appliance.jose.certificates import thumbprint
from tests.conformance.certificate import write_certificate
from tests.support.certificates import CLIENT_AUTH, Certified, certify
from tests.support.live import PATIENCE, Live, eventually, free_ports, running
from tests.support.minting import claims_of
from tests.support.proving import KEY, jkt_of, proof

pytestmark = [pytest.mark.spec("RFC 8705", "5"), pytest.mark.timeout(300)]

NOW = time.time()
CA = certify("O=Partner CA,CN=root", ca=True, at=NOW)
BACKEND = certify("C=FI,O=Partner,CN=orders", CA, extensions=(CLIENT_AUTH,), at=NOW)
OTHER_BACKEND = certify("C=FI,O=Partner,CN=billing", CA, at=NOW)
AGENT = certify("CN=agent", at=NOW)
STRANGER = certify("CN=agent", at=NOW)

PROFILE = """\
profile: machines
issuer: ${var.base_url}/machines
claims: person
acr: [{value: "urn:example:acr:password", policy: password}]
grant_types_supported: [authorization_code, client_credentials]
token_endpoint_auth_methods_supported: [tls_client_auth, self_signed_tls_client_auth, none]
endpoints: {introspection: true}
tls_client_certificate_bound_access_tokens: true
mtls: {client_ca: {file: tls/ca.pem}, aliases_at: "https://localhost:PORT/machines"}
scopes:
  openid: {}
  orders.read: {description: {en: Read orders}}
"""
CLIENT = {
    "grant_types": ["client_credentials"],
    "response_types": [],
    "scope": ["orders.read"],
    "tls_client_certificate_bound_access_tokens": True,
    "op": {"profile": "machines", "access_token_format": "jwt"},
}
CLIENTS = {
    "orders": {
        "token_endpoint_auth_method": "tls_client_auth",
        "tls_client_auth_subject_dn": "CN=orders,O=Partner,C=FI",
    },
    "agent": {"token_endpoint_auth_method": "self_signed_tls_client_auth", "jwks": {"keys": [AGENT.jwk()]}},
}


@dataclass(frozen=True)
class Served:
    """A provider with a port for clients with certificates."""

    live: Live
    port: int
    directory: Path
    authority: Path

    def ask(self, client_id: str, shown: Certified | None, **headers: str) -> tuple[int, dict[str, str]]:
        """A token request over TLS: status and answer, (0, {}) when the handshake was refused."""
        context = ssl.create_default_context(cafile=str(self.authority))
        if shown is not None:
            chain = self.directory / "shown.pem"
            chain.write_text(shown.pem + shown.key_pem)
            context.load_cert_chain(chain)
        connection = http.client.HTTPSConnection("localhost", self.port, context=context, timeout=PATIENCE)
        try:
            return post(connection, client_id, **headers)
        except ConnectionRefusedError:
            return -1, {}
        except (ssl.SSLError, ConnectionError, http.client.BadStatusLine):
            return 0, {}
        finally:
            connection.close()

    def tell(self, client_id: str, **headers: str) -> tuple[int, dict[str, str]]:
        """A token request in clear, as a proxy sends it."""
        connection = http.client.HTTPConnection("127.0.0.1", self.live.port, timeout=PATIENCE)
        try:
            return post(connection, client_id, **headers)
        finally:
            connection.close()


def post(connection: http.client.HTTPConnection, client_id: str, **headers: str) -> tuple[int, dict[str, str]]:
    form = urlencode({"grant_type": "client_credentials", "client_id": client_id})
    sent = {"Content-Type": "application/x-www-form-urlencoded", **headers}
    connection.request("POST", "/machines/token", form, sent)
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    scratch = tmp_path_factory.mktemp("mtls")
    certificate, key = write_certificate(scratch)
    port = free_ports(1)[0]
    files = {"profiles/machines.yaml": PROFILE.replace("PORT", str(port)), "tls/ca.pem": CA.pem}
    for name, own in CLIENTS.items():
        files[f"clients/machines/{name}.yaml"] = json.dumps({"client_id": name, **CLIENT, **own})
    with running(scratch / "op", edit=files) as live:
        found = Served(live, port, scratch, certificate)
        tls = f"{{certificate: {certificate}, key: {key}}}"
        live.edit("op.yaml", "  admin: {", f"  mtls: {{bind: '127.0.0.1:{port}', tls: {tls}}}\n  admin: {{")
        # A listener that opens while the provider runs, as a renewed certificate would.
        assert eventually(lambda: found.ask("orders", None)[0] >= 0), live.log.read_text()
        yield found


@pytest.mark.attack("TB-21")
def test_the_provider_knows_clients_by_their_certificates_over_tls(served: Served) -> None:
    for client_id, shown in (("orders", BACKEND), ("agent", AGENT)):
        status, answer = served.ask(client_id, shown)
        assert status == 200, served.live.log.read_text()
        assert claims_of(answer["access_token"])["cnf"] == {"x5t#S256": thumbprint(shown.der)}
    # Without a certificate the connection is good, and the client is nobody.
    assert served.ask("orders", None)[0] == 401
    # With somebody else's as well, whether of the same authority or self-signed.
    assert served.ask("orders", OTHER_BACKEND)[0] == 401
    assert served.ask("orders", AGENT)[0] == 401
    assert served.ask("agent", BACKEND)[0] == 401


@pytest.mark.attack("CA-40")
def test_the_provider_refuses_the_handshake_of_whom_it_cannot_verify(served: Served) -> None:
    other_ca = certify("O=Partner CA,CN=root", ca=True, at=NOW)
    for shown in (
        STRANGER,
        certify("C=FI,O=Partner,CN=orders", other_ca, at=NOW),
        certify("C=FI,O=Partner,CN=orders", CA, days=(-9, -1), at=NOW),
        certify("C=FI,O=Partner,CN=orders", AGENT, at=NOW),
    ):
        status, answer = served.ask("orders", shown)
        assert status == 0, answer


@pytest.mark.attack("MA-04")
@pytest.mark.parametrize("header", ["DPOP", "DPoP", "dpop"])
def test_the_provider_reads_a_proof_in_a_header_of_any_case(served: Served, header: str) -> None:
    for htu in (f"https://localhost:{served.port}/machines/token", f"{served.live.origin}/machines/token?a#b"):
        status, answer = served.ask("orders", BACKEND, **{header: proof(KEY, time.time(), htu=htu)})
        assert (status, answer["token_type"]) == (200, "DPoP")
        cnf = {"jkt": jkt_of(KEY), "x5t#S256": thumbprint(BACKEND.der)}
        assert claims_of(answer["access_token"])["cnf"] == cnf
    status, answer = served.ask("orders", BACKEND, **{header: proof(KEY, time.time(), htu="https://localhost/x")})
    assert (status, answer["error"]) == (400, "invalid_dpop_proof")


@pytest.mark.attack("TB-21", "CA-38")
def test_the_provider_knows_nobody_on_its_usual_port(served: Served) -> None:
    value = base64.b64encode(BACKEND.der).decode()
    assert served.tell("orders")[0] == 401
    headers = ("Client-Cert", "X-Client-Cert", "X-SSL-CERT", "X-Forwarded-Client-Cert", "SSL-Client-Cert")
    for header in headers:
        assert served.tell("orders", **{header: f":{value}:"})[0] == 401
    connection = http.client.HTTPConnection("127.0.0.1", served.live.port, timeout=PATIENCE)
    connection.request("GET", "/machines/.well-known/openid-configuration")
    metadata = json.loads(connection.getresponse().read())
    connection.close()
    assert metadata["mtls_endpoint_aliases"] == {
        "token_endpoint": f"https://localhost:{served.port}/machines/token",
        "userinfo_endpoint": f"https://localhost:{served.port}/machines/userinfo",
        "introspection_endpoint": f"https://localhost:{served.port}/machines/introspect",
    }
    assert metadata["tls_client_certificate_bound_access_tokens"] is True
    assert metadata["token_endpoint_auth_methods_supported"] == [
        "tls_client_auth",
        "self_signed_tls_client_auth",
        "none",
    ]


@pytest.mark.attack("CA-38")
def test_the_provider_takes_up_changes_of_whom_it_believes(served: Served) -> None:
    value = base64.b64encode(BACKEND.der).decode()
    served.live.edit("clients/machines/agent.yaml", AGENT.jwk()["x5c"][0], STRANGER.jwk()["x5c"][0])  # type: ignore[index]
    served.live.edit("op.yaml", "  mtls:", "  client_certificate: {header: Client-Cert}\n  mtls:")
    served.live.edit("op.yaml", "  public: {", "  public: {trusted_proxies: [127.0.0.1/32], ")
    assert eventually(lambda: served.tell("orders", **{"Client-Cert": f":{value}:"})[0] == 200)
    status, answer = served.tell("orders", **{"Client-Cert": f":{value}:"})
    assert status == 200, served.live.log.read_text()
    assert claims_of(answer["access_token"])["cnf"] == {"x5t#S256": thumbprint(BACKEND.der)}
    assert served.tell("orders", Client_Cert=f":{value}:")[0] == 401
    # On the listener itself the connection counts, and a header of whoever is connected does not.
    assert served.ask("agent", AGENT)[0] == 0
    assert served.ask("orders", BACKEND)[0] == 200


def test_the_provider_closes_a_listener_that_is_not_declared_any_more(served: Served) -> None:
    line = next(line for line in (served.live.directory / "op.yaml").read_text().splitlines() if "  mtls:" in line)
    served.live.edit("op.yaml", line, "")
    assert eventually(lambda: served.ask("orders", BACKEND)[0] == -1), served.live.log.read_text()
    assert served.tell("orders")[0] == 401
