"""Attacks on dynamic client registration."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.protocol.records import RegisteredClient
from tests.support.registering import INITIAL, REDIRECT_URI, registrar

ISSUER = "http://localhost:8080"


@pytest.mark.attack("DC-04")
async def test_one_client_can_do_nothing_to_another() -> None:
    async with registrar() as client:
        mine, theirs = await client.register(), await client.register()
        stolen = mine["registration_access_token"]
        body = {"client_id": theirs["client_id"], "redirect_uris": ["https://evil.example/cb"]}
        for method in ("GET", "PUT", "DELETE"):
            for token in (stolen, INITIAL, "op_ra_guessed", ""):
                answer = await client.manage(method, theirs, body if method == "PUT" else None, token=token)
                assert (answer.status, answer.error) == (401, "invalid_token")
        # His own address, another's id in the body.
        assert (await client.manage("PUT", mine, body)).status == 400
        read = await client.manage("GET", theirs)
        assert read["redirect_uris"] == [REDIRECT_URI]


@pytest.mark.attack("DC-04")
async def test_the_registration_token_counts_in_the_header_alone() -> None:
    async with registrar() as client:
        said = await client.register()
        token, client_id = said["registration_access_token"], said["client_id"]
        in_query = await client.send("GET", f"/register/client?client_id={client_id}&access_token={token}")
        nowhere = await client.send("GET", f"/register/client?client_id={client_id}")
        twice = await client.send(
            "GET", f"/register/client?client_id={client_id}", headers={"authorization": (f"Bearer {token}",) * 2}
        )
        repeated = await client.send(
            "GET", f"/register/client?client_id={client_id}&client_id={client_id}", token=token
        )
    assert [each.status for each in (in_query, nowhere, twice, repeated)] == [400, 401, 400, 401]


@pytest.mark.attack("DC-04")
async def test_unknown_clients_and_wrong_tokens_look_alike() -> None:
    async with registrar() as client:
        said = await client.register()
        wrong = await client.manage("GET", said, token="op_ra_wrong")
        unknown = await client.send("GET", "/register/client?client_id=op_cl_unknown", token="op_ra_wrong")
        declared = await client.send("GET", "/register/client?client_id=shop", token="op_ra_wrong")
    assert wrong.body == unknown.body == declared.body
    assert {wrong.status, unknown.status, declared.status} == {401}


@pytest.mark.attack("DC-01")
async def test_a_token_of_another_profile_is_none() -> None:
    other = {
        "profile": "other", "issuer": f"{ISSUER}/other", "claims": "person",
        "acr": [{"value": "urn:example:acr:password", "policy": "password"}],
        "registration": {"mode": "token", "initial_access_tokens": [{"id": "1", "file": "secrets/other"}]},
    }  # fmt: skip
    async with registrar() as client:
        (client.op.directory / "secrets" / "other").write_text("op_ia_zzn3qZx8KfLw2RtYb7HcMj5PdSg9XaQe4UoTi6NvBr1k")
        (client.op.directory / "profiles" / "other.yaml").write_text(json.dumps(other))
        await client.op.load()
        said = await client.register()
        body = {"redirect_uris": [REDIRECT_URI]}
        assert (await client.send("POST", "/other/register", body, token=INITIAL)).status == 401
        # Nor is a client of one profile a client of the other.
        address = f"/other/register/client?client_id={said['client_id']}"
        assert (await client.send("GET", address, token=said["registration_access_token"])).status == 401
        assert await client.op.snapshot.profiles["other"].clients.find(said["client_id"]) is None


@pytest.mark.attack("DC-05")
async def test_one_address_cannot_fill_the_store() -> None:
    async with registrar(quota=3, max_clients=5) as client:
        answers = [await client.register(peer="192.0.2.1") for _ in range(5)]
        assert [each.status for each in answers] == [201, 201, 201, 429, 429]
        assert answers[-1].response.headers and dict(answers[-1].response.headers)["Retry-After"] == "3600"
        # Refused registrations count as well.
        bad = [await client.register(peer="2001:db8::1", redirect_uris=[]) for _ in range(3)]
        assert [each.status for each in bad] == [400] * 3
        assert (await client.register(peer="2001:db8::2")).status == 429
        others = [await client.register(peer=f"198.51.100.{number}") for number in range(4)]
        assert [each.status for each in others] == [201, 201, 503, 503]
        client.op.clock.forward(3601)
        await client.manage("DELETE", answers[0])
        assert (await client.register(peer="192.0.2.1")).status == 201


@pytest.mark.attack("DC-08")
async def test_a_declared_client_of_the_same_id_wins_and_nothing_is_lost() -> None:
    async with registrar() as client:
        said = await client.register()
        file = client.op.directory / "clients" / "taken.yaml"
        declared = {
            "client_id": said["client_id"], "client_name": "Declared", "redirect_uris": ["https://declared.example/"],
            "token_endpoint_auth_method": "none", "op": {"profile": "main"},
        }  # fmt: skip
        for status in ("active", "disabled"):
            declared["op"] = {"profile": "main", "status": status}
            file.write_text(json.dumps(declared))
            await client.op.load()
            found = await client.op.snapshot.profiles["main"].clients.find(said["client_id"])
            assert (found.client_name if found else None) == ("Declared" if status == "active" else None)
            for method in ("GET", "PUT", "DELETE"):
                assert (await client.manage(method, said, {} if method == "PUT" else None)).status == 403
        file.unlink()
        await client.op.load()
        assert (await client.manage("GET", said))["redirect_uris"] == [REDIRECT_URI]


@pytest.mark.attack("DC-08")
async def test_registered_clients_follow_what_a_reload_takes_away() -> None:
    async with registrar() as client:
        said = await client.register(subject_type="pairwise")
        instance = await client.register(template="partner")
        profile = client.op.directory / "profiles" / "main.yaml"
        before = profile.read_text()
        settings = json.loads(before)
        settings["registration"]["templates"] = ["app"]
        settings["subject_types_supported"] = ["public"]
        templates = client.op.directory / "clients" / "_templates.yaml"
        whole = templates.read_text()
        templates.write_text(json.dumps({"client_templates": {"app": json.loads(whole)["client_templates"]["app"]}}))
        profile.write_text(json.dumps(settings))
        await client.op.load()
        clients = client.op.snapshot.profiles["main"].clients
        # A pairwise client is never given a public subject instead.
        assert await clients.find(said["client_id"]) is None
        assert await clients.find(instance["client_id"]) is None
        profile.write_text(before)
        templates.write_text(whole)
        await client.op.load()
        clients = client.op.snapshot.profiles["main"].clients
        assert await clients.find(said["client_id"]) is not None
        assert await clients.find(instance["client_id"]) is not None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
MEMBERS = (
    "redirect_uris", "response_types", "grant_types", "scope", "token_endpoint_auth_method", "jwks", "jwks_uri",
    "application_type", "client_name", "client_name#fi", "contacts", "subject_type", "software_statement",
    "sector_identifier_uri", "request_uris", "default_acr_values", "id_token_encrypted_response_alg", "template",
    "id_token_signed_response_alg", "backchannel_logout_uri", "software_id", "post_logout_redirect_uris", "op",
    "client_id", "client_secrets", "default_max_age", "require_auth_time", "initiate_login_uri", "policy_uri",
    "frontchannel_logout_uri", "userinfo_signed_response_alg", "request_object_signing_alg",
)  # fmt: skip
LIKELY = st.sampled_from(
    [
        ["https://client.example.org/cb"], ["code"], ["id_token"], ["implicit", "authorization_code"], "openid", "none",
        "private_key_jwt", "native", "pairwise", "RS256", "RSA-OAEP", {"keys": [{"kty": "RSA"}]}, {"keys": [5]},
        "https://[::1]/", "https://a.example/#x", ["https://[/"], "client_secret_jwt", "app", "ES256", 0, True,
    ]
)  # fmt: skip


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.dictionaries(st.sampled_from(MEMBERS), LIKELY | JSON, max_size=8), min_size=5, max_size=12))
@pytest.mark.attack("DC-02")
async def test_whatever_is_said_is_never_an_error_of_ours(documents: list[dict[str, Any]]) -> None:
    async with registrar(quota=1000) as client:
        for document in documents:
            answer = await client.send("POST", "/register", document, token=INITIAL)
            assert answer.status in (201, 400), answer.body
            if answer.status == 201:
                again = await client.manage("PUT", answer, document | {"client_id": answer["client_id"]})
                assert again.status in (200, 400), again.body
                assert (await client.manage("GET", answer)).status == 200
        assert client.op.report.failures == []
        assert await client.op.snapshot.shared.store.find(RegisteredClient, "issuer", ISSUER) is not None
