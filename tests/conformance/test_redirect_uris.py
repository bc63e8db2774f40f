"""redirect_uri: registered with a query, changed, extended, left out; and which ones cannot be registered."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.conformance.judging import check_error_page
from tests.conformance.suite import CALLBACK, Suite, Variant, variants
from tests.support.browser import header

pytestmark = pytest.mark.asyncio(loop_scope="module")
CODE = Variant("code")
WITH_QUERY = f"{CALLBACK}?foo=bar"


@pytest.mark.conformance("ensure-redirect-uri-in-authorization-request")
@pytest.mark.parametrize("variant", variants("BIH"), ids=str)
async def test_oidcc_ensure_redirect_uri_in_authorization_request(suite: Suite, variant: Variant) -> None:
    rp = await suite.client(variant, redirect_uris=[CALLBACK, f"{CALLBACK}/2"])
    asked = suite.request_of(rp, redirect_uri=None)
    check_error_page((await suite.authorize(suite.browser(), asked)).response, "redirect_uri")


@pytest.mark.conformance("redirect-uri-query-OK")
async def test_oidcc_redirect_uri_query_OK(suite: Suite) -> None:  # noqa: N802 - the module's name
    rp = await suite.client(CODE, redirect_uris=[WITH_QUERY])
    asked = suite.request_of(rp)
    outcome = await suite.authorize(suite.browser(), asked)
    location = urlsplit(header(outcome.response, "Location") or "")
    query = parse_qs(location.query, strict_parsing=True)
    assert outcome.target == CALLBACK
    assert query["foo"] == ["bar"]
    assert query["state"] == [asked["state"]]
    assert (await suite.redeem(rp, query["code"][0])).status == 200


@pytest.mark.conformance("redirect-uri-query-mismatch")
async def test_oidcc_redirect_uri_query_mismatch(suite: Suite) -> None:
    rp = await suite.client(CODE, redirect_uris=[WITH_QUERY])
    asked = suite.request_of(rp, redirect_uri=f"{CALLBACK}?bar=foo")
    check_error_page((await suite.authorize(suite.browser(), asked)).response, "redirect_uri")


@pytest.mark.conformance("redirect-uri-query-added")
async def test_oidcc_redirect_uri_query_added(suite: Suite) -> None:
    rp = await suite.client(CODE)
    asked = suite.request_of(rp, redirect_uri=WITH_QUERY)
    check_error_page((await suite.authorize(suite.browser(), asked)).response, "redirect_uri")


@pytest.mark.conformance("redirect-uri-regfrag")
async def test_oidcc_redirect_uri_regfrag(suite: Suite) -> None:
    response = await suite.register(redirect_uris=[f"{CALLBACK}#fragment"], client_name="the suite")
    assert response.status == 400
    assert (header(response, "Content-Type") or "").startswith("application/json")
    assert json.loads(response.body)["error"] in {"invalid_redirect_uri", "invalid_client_metadata"}
