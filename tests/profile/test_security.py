"""What a security profile switches on for each client, whoever chose it."""

from dataclasses import replace

import pytest

from appliance.profile.security import fenced
from appliance.protocol.client import NOBODY, Client
from appliance.protocol.security_profile import includes, stricter


def client(**op: object) -> Client:
    return replace(NOBODY, op=replace(NOBODY.op, **op))  # type: ignore[arg-type]


def test_without_any_the_client_stays_what_it_is() -> None:
    assert fenced(NOBODY, None) is NOBODY


@pytest.mark.spec("OAuth 2.1", "7.5.1")
def test_oauth21_binds_every_code() -> None:
    found = fenced(client(require_pkce=None), "oauth21")
    assert found.op.require_pkce is True
    assert (found.require_pushed_authorization_requests, found.dpop_bound_access_tokens) == (False, False)


@pytest.mark.spec("FAPI 2.0 Security Profile", "5.3.2")
def test_fapi2_pushes_binds_and_hurries() -> None:
    found = fenced(NOBODY, "fapi2")
    assert found.require_pushed_authorization_requests
    assert found.dpop_bound_access_tokens
    assert found.op.ttl.authorization_code == 60
    assert not found.require_signed_request_object


@pytest.mark.spec("FAPI 2.0 Security Profile", "5.3.2.1")
def test_a_certificate_will_do_in_the_place_of_dpop() -> None:
    found = fenced(replace(NOBODY, tls_client_certificate_bound_access_tokens=True), "fapi2")
    assert not found.dpop_bound_access_tokens


@pytest.mark.spec("FAPI 2.0 Message Signing", "5.3.1")
def test_message_signing_wants_signed_requests() -> None:
    assert fenced(NOBODY, "fapi2_message_signing").require_signed_request_object


def test_a_client_may_be_stricter_than_its_profile_and_never_laxer() -> None:
    assert fenced(client(security_profile="fapi2"), None).op.security_profile == "fapi2"
    assert fenced(client(security_profile="fapi2"), "oauth21").op.security_profile == "fapi2"
    assert fenced(client(security_profile="oauth21"), "fapi2").op.security_profile == "fapi2"
    assert stricter(None, None) is None
    assert includes("fapi2_message_signing", "oauth21")
    assert not includes(None, "oauth21")
    assert not includes("oauth21", "fapi2")
