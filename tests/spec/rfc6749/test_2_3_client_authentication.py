"""RFC 6749 2.3: one method a request, the registered one, and no word about what was wrong."""

import base64
from dataclasses import replace
from typing import Any

import pytest

from appliance.protocol.client import ClientSecret
from appliance.protocol.secret import Secret
from tests.support.minting import CLIENT, NOW, POSTER, SECRET, SPA, Answer, Mint, basic, mint, request

pytestmark = pytest.mark.spec("RFC 6749", "2.3.1")


async def ask(op: Mint, client: Any = CLIENT, header: str | None = None, **parameters: str) -> Answer:
    headers = {"authorization": (header,)} if header is not None else {}
    sent = {"grant_type": "client_credentials"} | parameters
    return await op.send(request(client, now=op.now[0], headers=headers, **sent))


def raw(credentials: str) -> str:
    return "Basic " + base64.b64encode(credentials.encode()).decode()


def check_refused(answer: Answer) -> None:
    assert (answer.status, answer.code) == (401, "invalid_client")
    assert answer.error is not None
    assert answer.error.description == "client authentication failed"


@pytest.mark.parametrize("client", [CLIENT, POSTER], ids=["basic", "post"])
async def test_knows_a_client_by_its_registered_method(client: Any) -> None:
    op = await mint()
    assert (await ask(op, client)).status == 200


@pytest.mark.parametrize("scheme", ["basic ", "BASIC ", "Basic  "])
async def test_reads_the_scheme_in_any_case(scheme: str) -> None:
    op = await mint()
    assert (await ask(op, header=scheme + basic(CLIENT.client_id, SECRET)[6:])).status == 200


@pytest.mark.attack("CA-09")
async def test_decodes_basic_credentials_exactly_once() -> None:
    op = await mint()
    check_refused(await ask(op, header=raw(f"{CLIENT.client_id}:{SECRET}")))
    twice = basic("web%3Ashop", "correct+horse%3Abattery%25staple%2B%C3%A9")
    check_refused(await ask(op, header=twice))


@pytest.mark.attack("CA-01")
async def test_refuses_two_methods_at_once() -> None:
    op = await mint()
    for secret in (SECRET, "wrong"):
        answer = await ask(op, client_id=CLIENT.client_id, client_secret=secret)
        assert (answer.status, answer.code) == (400, "invalid_request")
    answer = await ask(op, POSTER, client_assertion="x.y.z")
    assert (answer.status, answer.code) == (400, "invalid_request")


async def test_refuses_two_methods_even_if_the_profile_has_only_one() -> None:
    op = await mint()
    narrow = replace(op.profile.declared, token_endpoint_auth_methods_supported=("client_secret_basic",))
    op = await mint(profile=narrow)
    assert (await ask(op, client_secret=SECRET)).code == "invalid_request"


async def test_refuses_a_method_that_is_not_the_registered_one() -> None:
    op = await mint()
    check_refused(await ask(op, POSTER, header=basic("poster", SECRET), client_id="", client_secret=""))
    check_refused(await ask(op, SPA, client_id=CLIENT.client_id, client_secret=SECRET))


@pytest.mark.attack("CA-04")
async def test_refuses_a_confidential_client_without_a_credential() -> None:
    op = await mint()
    check_refused(await ask(op, SPA, client_id=CLIENT.client_id))
    check_refused(await ask(op, SPA, client_id=CLIENT.client_id, client_secret=""))
    check_refused(await ask(op, header=basic(CLIENT.client_id, "")))


@pytest.mark.attack("CA-06")
async def test_refuses_a_public_client_that_sends_a_credential() -> None:
    op = await mint()
    check_refused(await ask(op, SPA, client_secret="anything"))
    check_refused(await ask(op, SPA, client_assertion="x.y.z"))
    check_refused(await ask(op, SPA, header=basic("spa", ""), client_id=""))


@pytest.mark.attack("CA-11")
async def test_refuses_two_authorization_headers() -> None:
    op = await mint()
    header = basic(CLIENT.client_id, SECRET)
    answer = await op.send(
        request(headers={"authorization": (header, header)}, grant_type="client_credentials")
    )
    assert (answer.status, answer.code) == (400, "invalid_request")


@pytest.mark.attack("CA-11", "CA-14")
@pytest.mark.parametrize("header", [
    "Basic", "Basic ", "Basic !!!", "Basic =", "Bearer abc", "Digest x", "", "Basic " + "A" * 9000,
    raw("no colon"), raw("web%3Ashop:%zz"), raw("web%3Ashop:\0"), raw("web%3Ashop:ä"), "Basic é",
    "Basic " + base64.b64encode(b"web%3Ashop:\xff").decode(),
    basic("web:shop", "ä"), basic("", ""), basic("nobody", SECRET),
])  # fmt: skip
async def test_refuses_credentials_that_cannot_be_read_or_are_wrong(header: str) -> None:
    op = await mint()
    answer = await ask(op, header=header)
    check_refused(answer)
    assert answer.headers["WWW-Authenticate"].startswith('Basic realm="https://op.example/retail"')


@pytest.mark.attack("CA-42")
async def test_answers_a_wrong_secret_an_unknown_and_a_disabled_client_alike() -> None:
    disabled = replace(CLIENT, client_id="disabled", op=replace(CLIENT.op, status="disabled"))
    op = await mint(clients=(CLIENT, disabled))
    answers = [
        await ask(op, header=basic(CLIENT.client_id, "wrong")),
        await ask(op, header=basic("unknown", "wrong")),
        await ask(op, header=basic("disabled", SECRET)),
    ]
    for answer in answers:
        check_refused(answer)
        assert answer.headers == answers[0].headers


@pytest.mark.attack("CA-42")
async def test_compares_a_secret_even_for_a_client_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    op = await mint()
    compared: list[bytes] = []
    matches = Secret.matches

    def counting(secret: Secret, presented: bytes) -> bool:
        compared.append(presented)
        return matches(secret, presented)

    monkeypatch.setattr(Secret, "matches", counting)
    await ask(op, header=basic("unknown", "wrong"))
    assert compared == [b"wrong"]


@pytest.mark.parametrize("stray", ["!", " ", "\n", "=", "-"])
async def test_reads_basic_credentials_in_their_one_spelling(stray: str) -> None:
    op = await mint()
    good = basic(CLIENT.client_id, SECRET)
    check_refused(await ask(op, header=good[:12] + stray + good[12:]))


async def test_sends_no_challenge_to_who_sent_no_header() -> None:
    op = await mint()
    answer = await ask(op, POSTER, client_secret="wrong")
    check_refused(answer)
    assert answer.headers == {}


async def test_refuses_a_client_id_that_differs_from_the_credentials() -> None:
    op = await mint()
    assert (await ask(op, client_id=CLIENT.client_id)).status == 200
    check_refused(await ask(op, client_id="spa"))


async def test_knows_all_live_secrets_and_only_them() -> None:
    entries = (
        ClientSecret("old", Secret(b"old", "test"), int(NOW) + 60),
        ClientSecret("new", Secret(b"new", "test"), None),
    )
    op = await mint(clients=(replace(CLIENT, client_secrets=entries),))
    assert (await ask(op, header=basic(CLIENT.client_id, "old"))).status == 200
    assert (await ask(op, header=basic(CLIENT.client_id, "new"))).status == 200
    op.forward(60)
    check_refused(await ask(op, header=basic(CLIENT.client_id, "old")))
    assert (await ask(op, header=basic(CLIENT.client_id, "new"))).status == 200


async def test_refuses_credentials_in_the_query() -> None:
    op = await mint()
    asked = replace(
        request(SPA, client_id="", grant_type="client_credentials"),
        query="client_id=poster&client_secret=" + SECRET,
    )
    check_refused(await op.send(asked))
