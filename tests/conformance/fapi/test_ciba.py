"""Modules of FAPI-CIBA: requests about foo, who decides at his page of waiting requests."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.conformance.fapi.asking import PATH, Asking
from tests.conformance.fapi.suite import MTLS, Sent, Suite, check_refused
from tests.conformance.judging import verified
from tests.conformance.suite import unsigned_jwt

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.spec("FAPI-CIBA", "5.2.2")]
MODULE = "fapi-ciba-id1-"
#: Clients that are pinged are in test_ping.py, where somebody listens.
POLL = ["ciba-key-poll", "ciba-mtls-poll"]
ALL = [*POLL, "ciba-key-ping", "ciba-mtls-ping"]


@pytest.fixture(autouse=True)
async def nothing_waits(suite: Suite) -> AsyncIterator[None]:
    """What other modules began has ended."""
    suite.op.clock.forward(1801)
    yield


@pytest.mark.conformance(f"{MODULE}discovery-end-point-verification")
async def test_discovery_end_point_verification(suite: Suite) -> None:
    found = await suite.metadata("/ciba")
    assert set(found["backchannel_token_delivery_modes_supported"]) == {"poll", "ping"}
    assert {"PS256", "ES256"} <= set(found["backchannel_authentication_request_signing_alg_values_supported"])
    assert found["backchannel_user_code_parameter_supported"] is False
    assert "urn:openid:params:grant-type:ciba" in found["grant_types_supported"]
    assert found["tls_client_certificate_bound_access_tokens"] is True
    assert found["mtls_endpoint_aliases"]["backchannel_authentication_endpoint"] == f"{MTLS}/ciba{PATH}"
    assert set(found["token_endpoint_auth_methods_supported"]) == {"private_key_jwt", "tls_client_auth"}


@pytest.mark.conformance("fapi-ciba-id1", f"{MODULE}ensure-authorization-request-with-binding-message-succeeds")
@pytest.mark.parametrize("group", POLL)
async def test_ciba(suite: Suite, group: str) -> None:
    for number in (1, 2):
        rp = suite.rp(group, number)
        asking = Asking(suite, rp)
        told = await asking.begin()
        check_refused(await asking.poll(told), "authorization_pending")
        suite.op.clock.forward(told["interval"] + 1)
        await asking.decide()
        tokens = suite.check_tokens(rp, await asking.poll(told))
        head, claims = verified(tokens["id_token"], await suite.jwks(rp))
        assert (head["alg"], claims["iss"], claims["aud"]) == ("PS256", rp.issuer, rp.client_id)
        assert claims.get("urn:openid:params:jwt:claim:auth_req_id", told["auth_req_id"]) == told["auth_req_id"]
        assert (await suite.resource(rp, tokens["access_token"])).status == 200
        check_refused(await asking.poll(told), "invalid_grant")
        suite.op.clock.forward(1801)


@pytest.mark.conformance(f"{MODULE}user-rejects-authentication")
@pytest.mark.parametrize("group", POLL)
async def test_user_rejects_authentication(suite: Suite, group: str) -> None:
    asking = Asking(suite, suite.rp(group))
    told = await asking.begin()
    await asking.decide("deny")
    check_refused(await asking.poll(told), "access_denied")


@pytest.mark.conformance(f"{MODULE}multiple-call-to-token-endpoint")
@pytest.mark.parametrize("group", ALL)
async def test_multiple_call_to_token_endpoint(suite: Suite, group: str) -> None:
    asking = Asking(suite, suite.rp(group))
    told = await asking.begin()
    for _ in range(4):
        check_refused(await asking.poll(told), "authorization_pending", "slow_down")


@pytest.mark.conformance(f"{MODULE}auth-req-id-expired")
@pytest.mark.parametrize("group", ALL)
@pytest.mark.parametrize("expiry", [30, "30", None])
async def test_auth_req_id_expired(suite: Suite, group: str, expiry: Any) -> None:
    asking = Asking(suite, suite.rp(group))
    told = await asking.begin(requested_expiry=expiry)
    assert told["expires_in"] == (300 if expiry is None else 30)
    suite.op.clock.forward(told["expires_in"] + 1)
    check_refused(await asking.poll(told), "expired_token")


@pytest.mark.conformance(
    f"{MODULE}ensure-other-scope-order-succeeds", f"{MODULE}ensure-requested-expiry-as-string-succeeds"
)
@pytest.mark.parametrize("changes", [{"scope": "email openid"}, {"requested_expiry": "60"}, {"requested_expiry": 60}])
async def test_requests_that_are_a_little_unusual(suite: Suite, changes: dict[str, Any]) -> None:
    await Asking(suite, suite.rp("ciba-key-poll")).tokens(**changes)


@pytest.mark.conformance(f"{MODULE}ensure-authorization-request-with-potentially-bad-binding-message")
@pytest.mark.parametrize("message", ["1234 \N{SNOWMAN} \N{PILE OF POO} \u202eabc", "x" * 300, "<b>1</b>", ""])
async def test_binding_messages_that_may_be_bad(suite: Suite, message: str) -> None:
    response = await Asking(suite, suite.rp("ciba-key-poll")).ask(binding_message=message)
    if response.status != 200:
        check_refused(response, "invalid_binding_message", "invalid_request")


@pytest.mark.spec("CIBA Core 1.0", "7.1.1")
@pytest.mark.conformance(
    *(f"{MODULE}ensure-request-object-missing-{name}-fails" for name in ("aud", "iss", "exp", "iat", "nbf", "jti")),
    f"{MODULE}ensure-request-object-bad-aud-fails",
    f"{MODULE}ensure-request-object-bad-iss-fails",
    f"{MODULE}ensure-request-object-expired-exp-fails",
    f"{MODULE}ensure-request-object-exp-is-70-minutes-in-future-fails",
    f"{MODULE}ensure-request-object-nbf-is-10-minutes-in-future-fails",
    f"{MODULE}ensure-request-object-nbf-is-70-minutes-in-past-fails",
    f"{MODULE}ensure-authorization-request-with-multiple-hints-fails",
)
@pytest.mark.parametrize("group", ALL)
async def test_request_objects_that_say_too_little_or_too_much(suite: Suite, group: str) -> None:
    asking, now = Asking(suite, suite.rp(group)), suite.now
    wrong: list[dict[str, Any]] = [
        *({name: None} for name in ("aud", "iss", "exp", "iat", "nbf", "jti", "login_hint", "scope")),
        {"aud": "https://other.example"},
        {"iss": "somebody"},
        {"iss": suite.rp(group, 2).client_id},
        {"exp": now - 300},
        {"exp": now + 70 * 60},
        {"nbf": now + 600},
        {"nbf": now - 70 * 60},
        {"id_token_hint": "x"},
    ]
    for changes in wrong:
        check_refused(await asking.ask(**changes), "invalid_request", "invalid_request_object")


@pytest.mark.spec("CIBA Core 1.0", "7.1.1")
@pytest.mark.conformance(
    f"{MODULE}ensure-request-object-signature-algorithm-is-none-fails",
    f"{MODULE}ensure-request-object-signature-algorithm-is-bad-fails",
    f"{MODULE}ensure-request-object-signature-algorithm-is-RS256-fails",
    f"{MODULE}ensure-request-object-signed-by-other-client-fails",
    f"{MODULE}ensure-backchannel-authorization-request-without-request-fails",
)
@pytest.mark.parametrize("group", ALL)
async def test_request_objects_that_the_client_did_not_sign(suite: Suite, group: str) -> None:
    asking, good = Asking(suite, suite.rp(group)), Asking(suite, suite.rp(group)).request()
    check_refused(await asking.ask(alg="RS256"), "invalid_request", "invalid_request_object")
    check_refused(await asking.ask(key=suite.rp(group, 2).key), "invalid_request", "invalid_request_object")
    claims = {"scope": "openid", "login_hint": "foo", "binding_message": "1234"}
    times = {"iat": suite.now, "nbf": suite.now, "exp": suite.now + 300, "jti": "one"}
    unsigned = unsigned_jwt({**claims, **times, "iss": asking.rp.client_id, "aud": asking.rp.issuer})
    for form in ({"request": unsigned}, {"request": good[:-8] + "AAAAAAAA"}, claims, {"request": good, **claims}):
        check_refused(await asking.ask(form=form), "invalid_request", "invalid_request_object")


@pytest.mark.conformance(f"{MODULE}ensure-wrong-authentication-request-id-in-token-endpoint-request")
@pytest.mark.parametrize("group", POLL)
async def test_wrong_authentication_request_ids(suite: Suite, group: str) -> None:
    one, other = Asking(suite, suite.rp(group)), Asking(suite, suite.rp(group, 2))
    told = await one.begin()
    await one.decide()
    check_refused(await one.poll({"auth_req_id": told["auth_req_id"][:-3] + "AAA"}), "invalid_grant")
    check_refused(await other.poll(told), "invalid_grant", "invalid_request")
    suite.check_tokens(one.rp, await one.poll(told))


@pytest.mark.conformance(
    f"{MODULE}ensure-wrong-client-id-in-backchannel-authorization-request",
    f"{MODULE}ensure-wrong-client-id-in-token-endpoint-request",
    f"{MODULE}ensure-different-client-id-and-issuer-in-backchannel-authorization-request",
)
@pytest.mark.parametrize("group", ["ciba-mtls-poll", "ciba-mtls-ping"])
async def test_client_ids_of_others(suite: Suite, group: str) -> None:
    asking, other = Asking(suite, suite.rp(group)), suite.rp(group, 2)
    told = await asking.begin()
    for client_id in (other.client_id, "nobody"):
        form = {"request": asking.request(), "client_id": client_id}
        check_refused(await asking.ask(form=form), "invalid_client", "invalid_request")
        check_refused(await asking.poll(told, client_id=client_id), "invalid_client", "invalid_grant")


@pytest.mark.conformance(
    f"{MODULE}ensure-without-client-assertion-in-backchannel-authorization-request-fails",
    f"{MODULE}ensure-without-client-assertion-in-token-endpoint-fails",
    f"{MODULE}ensure-client-assertion-signature-algorithm-in-backchannel-authorization-request-is-RS256-fails",
    f"{MODULE}ensure-client-assertion-signature-algorithm-in-token-endpoint-request-is-RS256-fails",
)
@pytest.mark.parametrize("group", ["ciba-key-poll", "ciba-key-ping"])
async def test_clients_that_do_not_prove_themselves(suite: Suite, group: str) -> None:
    asking, now = Asking(suite, suite.rp(group)), suite.now
    told = await asking.begin()
    for sent in (
        Sent(proved=False),
        Sent(alg="RS256"),
        Sent(assertion={"aud": "https://other.example"}),
        Sent(assertion={"exp": now - 300}),
        Sent(assertion={"sub": None}),
    ):
        check_refused(await asking.ask(sent), "invalid_client", "invalid_request")
        check_refused(await asking.poll(told, sent), "invalid_client", "invalid_request")


@pytest.mark.spec("CIBA Core 1.0", "7.1")
@pytest.mark.spec("RFC 8705", "5")
@pytest.mark.conformance(f"{MODULE}ensure-client-assertion-with-iss-aud-succeeds")
async def test_every_name_of_ours_is_an_audience_of_assertions(suite: Suite) -> None:
    """The suite names the token endpoint as it asks it: by its alias."""
    asking = Asking(suite, suite.rp("ciba-key-poll"))
    issuer = asking.rp.issuer
    for at in (issuer, MTLS + asking.rp.path):
        for aud in (issuer, f"{at}/token", f"{at}{PATH}", [f"{at}/token"]):
            assert (await asking.ask(Sent(assertion={"aud": aud}))).status == 200, aud
    wrong = f"{MTLS}/fapi2/token"
    check_refused(await asking.ask(Sent(assertion={"aud": wrong})), "invalid_client")


@pytest.mark.conformance(f"{MODULE}refresh-token")
@pytest.mark.parametrize("group", POLL)
async def test_refresh_token(suite: Suite, group: str) -> None:
    asking, other = Asking(suite, suite.rp(group)), suite.rp(group, 2)
    tokens = await asking.tokens()
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    stolen = json.loads((await suite.call(other, "/token", form)).body)
    assert stolen["error"] == "invalid_grant"
    again = suite.check_tokens(asking.rp, await suite.call(asking.rp, "/token", form))
    assert (await suite.resource(asking.rp, again["access_token"])).status == 200


@pytest.mark.conformance(f"{MODULE}ensure-mtls-holder-of-key-required")
@pytest.mark.parametrize("group", POLL)
async def test_ensure_mtls_holder_of_key_required(suite: Suite, group: str) -> None:
    asking, other = Asking(suite, suite.rp(group)), suite.rp(group, 2)
    told = await asking.begin()
    await asking.decide()
    check_refused(await asking.poll(told, Sent(shown=False)), "invalid_request", "invalid_grant", "invalid_client")
    tokens = suite.check_tokens(asking.rp, await asking.poll(told))
    response = await suite.resource(asking.rp, tokens["access_token"], certificate=other.certificate)
    assert response.status == 401
