"""RFC 6749 3.2, 5.2: what the token endpoint refuses, and by which code."""

from dataclasses import replace

import pytest

from tests.support.minting import CLIENT, mint, request

pytestmark = pytest.mark.spec("RFC 6749", "5.2")


@pytest.mark.attack("CA-44")
@pytest.mark.parametrize("grant_type", ["authorization_code", "refresh_token", "client_credentials"])
async def test_refuses_a_grant_type_the_client_is_not_registered_for(grant_type: str) -> None:
    narrow = replace(CLIENT, grant_types=())
    op = await mint(clients=(narrow,))
    assert (await op.ask(grant_type=grant_type)).code == "unauthorized_client"


@pytest.mark.attack("CA-44")
@pytest.mark.parametrize("grant_type", ["password", "implicit", "Authorization_Code", "__class__"])
async def test_refuses_a_grant_type_that_is_not_there(grant_type: str) -> None:
    op = await mint()
    assert (await op.ask(grant_type=grant_type)).code == "unsupported_grant_type"


@pytest.mark.parametrize("parameters", [
    {}, {"grant_type": ""}, {"grant_type": "authorization_code"}, {"grant_type": "refresh_token"},
])  # fmt: skip
async def test_refuses_a_request_without_its_parameters(parameters: dict[str, str]) -> None:
    op = await mint()
    answer = await op.ask(**parameters)
    assert (answer.status, answer.code) == (400, "invalid_request")


@pytest.mark.spec("RFC 6749", "3.2")
@pytest.mark.parametrize("name", ["grant_type", "scope", "client_id", "unknown"])
async def test_refuses_a_repeated_parameter(name: str) -> None:
    op = await mint()
    asked = request(grant_type="client_credentials")
    body = asked.body + f"&{name}=client_credentials&{name}=client_credentials".encode()
    assert (await op.send(replace(asked, body=body))).code == "invalid_request"


@pytest.mark.parametrize("types", [
    ("application/json",), ("multipart/form-data",), ("text/plain",), (),
    ("application/x-www-form-urlencoded", "application/json"),
])  # fmt: skip
async def test_reads_urlencoded_forms_only(types: tuple[str, ...]) -> None:
    op = await mint()
    answer = await op.send(request(headers={"content-type": types}, grant_type="client_credentials"))
    assert (answer.status, answer.code) == (400, "invalid_request")


async def test_reads_a_content_type_with_a_charset() -> None:
    op = await mint()
    headers = {"content-type": ("Application/X-WWW-Form-Urlencoded; charset=UTF-8",)}
    assert (await op.send(request(headers=headers, grant_type="client_credentials"))).status == 200


async def test_lets_a_grant_type_see_its_own_parameters_only() -> None:
    op = await mint()
    seen: list[set[str]] = []
    grant = op.profile.grant_types["client_credentials"]
    authorize = grant.authorize

    async def watching(form, client):  # type: ignore[no-untyped-def]
        seen.append(set(form))
        return await authorize(form, client)

    grant.authorize = watching  # type: ignore[method-assign]
    await op.ask(grant_type="client_credentials", scope="reports.read", code="x", username="y", audience="z")
    assert seen == [{"scope"}]
