"""Provider metadata, the key set, and the rotation of keys on demand."""

import json
import re
from typing import Any

import pytest

from tests.conformance.judging import ISSUER, verified
from tests.conformance.suite import Suite, Variant
from tests.golden.test_discovery import REGISTERED
from tests.support.browser import header

pytestmark = pytest.mark.asyncio(loop_scope="module")
_LOCALE = re.compile(r"[a-z]{2,3}(?:-[A-Z][a-z]{3})?(?:-[A-Z]{2})?")
_PRIVATE = {"d", "p", "q", "dp", "dq", "qi", "k", "oth"}


@pytest.mark.conformance("discovery-endpoint-verification")
async def test_oidcc_discovery_endpoint_verification(suite: Suite) -> None:
    response = await suite.send("GET", "/.well-known/openid-configuration")
    assert response.status == 200
    assert header(response, "Content-Type") == "application/json"
    found = json.loads(response.body)
    assert found["issuer"] == ISSUER
    assert found.keys() <= REGISTERED, found.keys() - REGISTERED
    for name, value in found.items():
        if name.endswith(("_endpoint", "_uri", "_iframe")):
            assert value.startswith("https://"), name
        if name.endswith("_supported") and isinstance(value, list):
            assert value, name
            assert all(isinstance(each, str) for each in value)
    assert {"code", "id_token", "id_token token"} <= set(found["response_types_supported"])
    assert {"authorization_code", "implicit"} <= set(found["grant_types_supported"])
    assert {"RS256", "none"} <= set(found["id_token_signing_alg_values_supported"])
    assert {"RS256", "none"} <= set(found["request_object_signing_alg_values_supported"])
    assert found["request_object_encryption_alg_values_supported"][:2] == ["RSA-OAEP-256", "ECDH-ES"]
    assert "A128CBC-HS256" in found["request_object_encryption_enc_values_supported"]
    assert {"public", "pairwise"} <= set(found["subject_types_supported"])
    for name in ("registration_endpoint", "userinfo_endpoint", "token_endpoint", "jwks_uri", "claims_supported"):
        assert found[name]
    for name in ("claims_parameter_supported", "request_parameter_supported", "request_uri_parameter_supported"):
        assert found[name] is True
    assert {"openid", "profile", "email", "address", "phone", "offline_access"} <= set(found["scopes_supported"])
    assert all(_LOCALE.fullmatch(each) for each in found["ui_locales_supported"])


async def keys(suite: Suite) -> list[dict[str, Any]]:
    """The published keys."""
    found: list[dict[str, Any]] = json.loads(await suite.jwks())["keys"]
    return found


async def test_the_key_set_is_public_and_every_key_is_told_apart(suite: Suite) -> None:
    published = await keys(suite)
    assert not [key for key in published if _PRIVATE & key.keys() or key["kty"] == "oct"]
    assert len({key["kid"] for key in published}) == len(published)
    assert {key["kty"] for key in published} <= {"RSA", "EC"}
    assert [key["use"] for key in published] == ["sig", "sig", "enc", "enc"]
    assert "RS256" in {key["alg"] for key in published}


@pytest.mark.conformance("server-rotate-keys")
async def test_oidcc_server_rotate_keys(suite: Suite) -> None:
    rp = await suite.client(Variant("code"))
    before, first = await keys(suite), await suite.flow(rp)
    await suite.op.snapshot.profiles["conformance"].keys.rotate_now()
    after = await keys(suite)
    old, new = ({key["kid"] for key in each if key["use"] == "sig"} for each in (before, after))
    assert old < new
    moduli = {key["n"] for key in before if key["kty"] == "RSA"}
    fresh = [key for key in after if key["kid"] not in old]
    assert {key["kty"] for key in fresh} == {"RSA", "EC"}
    assert not [key for key in fresh if key.get("n") in moduli]
    second = await suite.flow(rp)
    head, _ = verified(second.id_token, await suite.jwks())
    assert head["kid"] in {key["kid"] for key in fresh}
    verified(first.id_token, await suite.jwks())


@pytest.mark.conformance("rp-initiated-logout-discovery-endpoint-verification")
async def test_oidcc_rp_initiated_logout_discovery_endpoint_verification(suite: Suite) -> None:
    assert (await suite.metadata())["end_session_endpoint"] == f"{ISSUER}/logout"


@pytest.mark.conformance("session-management-discovery-endpoint-verification")
async def test_oidcc_session_management_discovery_endpoint_verification(suite: Suite) -> None:
    found = await suite.metadata()
    assert found["end_session_endpoint"].startswith(f"{ISSUER}/")
    assert found["check_session_iframe"].startswith(f"{ISSUER}/")


@pytest.mark.conformance("frontchannel-rp-initiated-logout-discovery-endpoint-verification")
async def test_oidcc_frontchannel_rp_initiated_logout_discovery_endpoint_verification(suite: Suite) -> None:
    found = await suite.metadata()
    assert found["frontchannel_logout_supported"] is True
    assert found["frontchannel_logout_session_supported"] is True


@pytest.mark.conformance("backchannel-rp-initiated-logout-discovery-endpoint-verification")
async def test_oidcc_backchannel_rp_initiated_logout_discovery_endpoint_verification(suite: Suite) -> None:
    found = await suite.metadata()
    assert found["backchannel_logout_supported"] is True
    assert found["backchannel_logout_session_supported"] is True
