"""Registration: what is echoed, what is fetched, what pages show of it; third-party-initiated login."""

import json
import re
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from appliance.protocol.messages import Response
from tests.conformance.conftest import Site
from tests.conformance.judging import check_token_response, page_ids
from tests.conformance.suite import CALLBACK, PRIVATE, Rp, Suite, Variant
from tests.support.browser import header

pytestmark = pytest.mark.asyncio(loop_scope="module")
CODE = Variant("code")
PAIRWISE = {"subject_type": "pairwise", "redirect_uris": [CALLBACK]}


async def manage(suite: Suite, told: Any, method: str, body: bytes = b"") -> Response:
    """A request at registration_client_uri."""
    parts = urlsplit(told["registration_client_uri"])
    headers = {"Authorization": f"Bearer {told['registration_access_token']}", "Content-Type": "application/json"}
    return await suite.send(method, parts.path, query=parts.query, headers=headers, body=body)


@pytest.mark.conformance("registration-jwks-uri")
async def test_oidcc_registration_jwks_uri(suite: Suite, site: Site) -> None:
    made = await suite.client(Variant("code", auth=PRIVATE))
    assert made.key is not None
    address = site.put("/jwks", '{"keys": [' + made.key.export_public() + "]}")
    rp = await suite.client(Variant("code", auth=PRIVATE), jwks=None, jwks_uri=address)
    assert rp.registered["jwks_uri"] == address
    await suite.flow(Rp(rp.client_id, rp.variant, key=made.key))


async def login_page_of(suite: Suite, member: str) -> tuple[str, Response]:
    """An address that was registered, and the login page of the client."""
    address = f"https://openid.example.net/{member}.html"
    rp = await suite.client(CODE, **{member: address})
    assert rp.registered[member] == address
    page = await suite.browser().visit("/authorize?" + urlencode(suite.request_of(rp)))
    assert "password" in page_ids(page)
    return re.escape(address), page


@pytest.mark.conformance("registration-logo-uri")
async def test_oidcc_registration_logo_uri(suite: Suite) -> None:
    address, page = await login_page_of(suite, "logo_uri")
    assert re.search(rf'<img[^>]* src="{address}"', page.body.decode())
    assert re.search(r"img-src [^;]*https://openid\.example\.net", header(page, "Content-Security-Policy") or "")


@pytest.mark.conformance("registration-policy-uri")
async def test_oidcc_registration_policy_uri(suite: Suite) -> None:
    address, page = await login_page_of(suite, "policy_uri")
    assert re.search(rf'<a[^>]* href="{address}"', page.body.decode())


@pytest.mark.conformance("registration-tos-uri")
async def test_oidcc_registration_tos_uri(suite: Suite) -> None:
    address, page = await login_page_of(suite, "tos_uri")
    assert re.search(rf'<a[^>]* href="{address}"', page.body.decode())


@pytest.mark.conformance("registration-sector-uri")
async def test_oidcc_registration_sector_uri(suite: Suite, site: Site) -> None:
    assert "pairwise" in (await suite.metadata())["subject_types_supported"]
    address = site.put("/sector", json.dumps([CALLBACK, f"{CALLBACK}/2"]))
    rp = await suite.client(CODE, sector_identifier_uri=address, **PAIRWISE)
    assert rp.registered["subject_type"] == "pairwise"
    assert rp.registered["sector_identifier_uri"] == address
    flow = await suite.flow(rp)
    public = await suite.flow(await suite.client(CODE))
    assert flow.claims["sub"] != public.claims["sub"]


@pytest.mark.conformance("registration-sector-bad")
async def test_oidcc_registration_sector_bad(suite: Suite, site: Site) -> None:
    address = site.put("/sector-bad", json.dumps(["https://rp.example.net/another"]))
    response = await suite.register(sector_identifier_uri=address, **PAIRWISE)
    assert response.status == 400
    assert (header(response, "Content-Type") or "").startswith("application/json")
    assert json.loads(response.body)["error"] == "invalid_client_metadata"


@pytest.mark.conformance("3rd_party-init-login")
async def test_oidcc_3rd_party_init_login(suite: Suite) -> None:
    address = "https://rp.example.net/test/a/appliance/initiate_login"
    rp = await suite.client(CODE, initiate_login_uri=address)
    assert rp.registered["initiate_login_uri"] == address
    response = await manage(suite, rp.registered, "GET")
    assert response.status == 200
    told = json.loads(response.body)
    assert told["client_id"] == rp.client_id
    assert told["initiate_login_uri"] == address
    await suite.flow(rp)


@pytest.mark.conformance("3rd_party-init-login-nohttps")
async def test_oidcc_3rd_party_init_login_nohttps(suite: Suite) -> None:
    response = await suite.register(redirect_uris=[CALLBACK], initiate_login_uri="http://rp.example.net/login")
    assert response.status == 400
    assert json.loads(response.body)["error"] == "invalid_client_metadata"


async def test_every_module_ends_by_removing_its_client(suite: Suite) -> None:
    rp = await suite.client(CODE, client_name="to be removed")
    flow = await suite.flow(rp)
    response = await manage(suite, rp.registered, "DELETE")
    assert response.status == 204
    assert response.body == b""
    assert (await manage(suite, rp.registered, "GET")).status == 401
    assert (await suite.userinfo(flow.access_token)).status == 401


async def test_an_update_replaces_metadata(suite: Suite) -> None:
    rp = await suite.client(CODE, client_name="before")
    names = {"registration_client_uri", "registration_access_token", "client_secret_expires_at", "client_id_issued_at"}
    wanted = {name: value for name, value in rp.registered.items() if name not in names} | {"client_name": "after"}
    response = await manage(suite, rp.registered, "PUT", json.dumps(wanted).encode())
    assert response.status == 200, response.body
    assert json.loads(response.body)["client_name"] == "after"


@pytest.mark.parametrize(
    "metadata",
    [{}, {"redirect_uris": []}, {"redirect_uris": ["no uri"]}, {"redirect_uris": [CALLBACK], "response_types": ["x"]}],
    ids=str,
)
async def test_what_cannot_be_registered_is_told_in_json(suite: Suite, metadata: dict[str, Any]) -> None:
    response = await suite.register(**metadata)
    assert response.status == 400
    assert (header(response, "Content-Type") or "").startswith("application/json")
    assert json.loads(response.body)["error"] in {"invalid_redirect_uri", "invalid_client_metadata"}


async def test_registration_is_open_to_those_without_a_token(suite: Suite) -> None:
    response = await suite.register(token=None, redirect_uris=[CALLBACK])
    assert response.status == 201
    assert json.loads(response.body)["client_secret_expires_at"] == 0


async def test_a_secret_is_never_refused_for_the_octets_it_has(suite: Suite) -> None:
    for _ in range(600):
        response = await suite.register(redirect_uris=[CALLBACK], token_endpoint_auth_method="client_secret_jwt")
        assert response.status == 201, response.body


async def test_an_assertion_that_names_somebody_else_is_refused(suite: Suite) -> None:
    rp = await suite.client(Variant("code", auth=PRIVATE))
    outcome = await suite.authorize(suite.browser(), suite.request_of(rp))
    form = {"grant_type": "authorization_code", "code": outcome["code"], "redirect_uri": rp.redirect_uri}
    assert (await suite.token(rp, form, aud="https://other.example.com")).status in (400, 401)
    check_token_response(await suite.token(rp, form))
