"""RFC 7592 2: a client reads, replaces and removes itself, and nobody else."""

import base64

import pytest

from appliance.protocol.records import RegisteredClient
from tests.support.browser import Browser
from tests.support.registering import REDIRECT_URI, registrar

pytestmark = pytest.mark.spec("RFC 7592", "2")

OTHER = "https://client.example.org/other"


async def test_reads_back_all_that_was_registered_but_the_secret() -> None:
    async with registrar() as client:
        said = await client.register(client_name="Shop", contacts=["a@client.example.org"])
        read = await client.manage("GET", said)
    assert read.status == 200
    secrets = {"client_secret", "client_secret_expires_at"}
    assert read.body == {name: value for name, value in said.body.items() if name not in secrets}


@pytest.mark.spec("RFC 7592", "2.2")
async def test_replaces_metadata_as_a_whole_and_keeps_the_secret() -> None:
    async with registrar() as client:
        said = await client.register(client_name="Shop", scope="openid")
        body = {"client_id": said["client_id"], "client_secret": said["client_secret"], "redirect_uris": [OTHER]}
        changed = await client.manage("PUT", said, body)
        assert changed.status == 200
        assert changed["redirect_uris"] == [OTHER] and "client_name" not in changed.body
        assert changed["registration_access_token"] == said["registration_access_token"]
        found = await client.op.snapshot.profiles["main"].clients.find(said["client_id"])
        assert found is not None and found.redirect_uris == (OTHER,)
        assert found.has_secret(said["client_secret"].encode(), 0)


@pytest.mark.spec("RFC 7592", "2.2")
async def test_gives_a_new_secret_when_the_old_one_will_not_do() -> None:
    async with registrar() as client:
        said = await client.register(token_endpoint_auth_method="none")
        body = {"client_id": said["client_id"], "redirect_uris": [OTHER]}
        first = await client.manage("PUT", said, body)
        mac = await client.manage("PUT", said, body | {"token_endpoint_auth_method": "client_secret_jwt"})
        basic = await client.manage("PUT", said, body)
        none = await client.manage("PUT", said, body | {"token_endpoint_auth_method": "none"})
        record = await client.op.snapshot.shared.store.get(RegisteredClient, said["client_id"])
    assert "client_secret" not in said.body and first["client_secret"] != mac["client_secret"]
    assert "client_secret" not in basic.body and "client_secret" not in none.body
    assert record is not None and record.secret == ""


@pytest.mark.spec("RFC 7592", "2.2")
@pytest.mark.parametrize(
    "change",
    [
        {"client_id": "other"},
        {"client_id": None},
        {"client_secret": "chosen by myself, and long enough to be one"},
        {"redirect_uris": ["http://client.example.org/cb"]},
        {"response_types": ["token"]},
        {"template": "partner"},
    ],
)
async def test_changes_nothing_when_anything_is_wrong(change: dict[str, object]) -> None:
    async with registrar() as client:
        said = await client.register()
        body = {"client_id": said["client_id"], "redirect_uris": [OTHER]} | change
        if change == {"template": "partner"}:
            instance = await client.register(template="app", redirect_uris=["com.example.app:/cb"])
            assert (await client.manage("PUT", instance, body | {"client_id": instance["client_id"]})).status == 400
            return
        assert (await client.manage("PUT", said, body)).status == 400
        assert (await client.manage("GET", said))["redirect_uris"] == [REDIRECT_URI]


@pytest.mark.spec("RFC 7592", "2.3")
async def test_answers_204_to_delete_and_forgets() -> None:
    async with registrar() as client:
        said = await client.register()
        gone = await client.manage("DELETE", said)
        assert (gone.status, gone.response.body) == (204, b"")
        for method in ("GET", "DELETE"):
            again = await client.manage(method, said)
            assert (again.status, again.error) == (401, "invalid_token")
        assert await client.op.snapshot.shared.store.find(RegisteredClient, "issuer", "http://localhost:8080") == ()


@pytest.mark.spec("RFC 7592", "2.2")
async def test_rotates_the_token_where_told_to() -> None:
    async with registrar(rotate_registration_access_token=True) as client:
        said = await client.register()
        body = {"client_id": said["client_id"], "redirect_uris": [OTHER]}
        changed = await client.manage("PUT", said, body)
        assert changed["registration_access_token"] != said["registration_access_token"]
        assert (await client.manage("GET", said)).status == 401
        assert (await client.manage("GET", changed)).status == 200


async def test_gives_instances_what_their_template_says_now() -> None:
    async with registrar() as client:
        said = await client.register(template="partner", client_name="Bank", scope="openid profile")
        assert (said["client_name"], said["scope"], said["template"]) == ("Partner", "openid email", "partner")
        templates = client.op.directory / "clients" / "_templates.yaml"
        templates.write_text(templates.read_text().replace("openid email", "openid"))
        await client.op.load()
        assert (await client.manage("GET", said))["scope"] == "openid"
        templates.write_text(
            templates.read_text().replace(
                '"Partner"', '"Partner", "response_types": ["id_token"], "grant_types": ["implicit"]'
            )
        )
        await client.op.load()
        found = await client.op.snapshot.profiles["main"].clients.find(said["client_id"])
        assert found is not None and found.response_types == ("id_token",)


async def test_lets_a_changed_client_authenticate_as_before() -> None:
    async with registrar() as client:
        said = await client.register(grant_types=["client_credentials"])
        credentials = base64.b64encode(f"{said['client_id']}:{said['client_secret']}".encode()).decode()
        body = {"client_id": said["client_id"], "grant_types": ["client_credentials"]}
        await client.manage("PUT", said, body)
        form = {"grant_type": "client_credentials"}
        headers = {"Authorization": f"Basic {credentials}"}
        assert (await Browser(client.op).request("POST", "/token", form=form, headers=headers)).status == 200
