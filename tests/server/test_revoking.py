"""What an operator ends: everything of a user, of a client, of one authorization, and nothing else."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from click.testing import CliRunner

from appliance.cli import main as command
from appliance.protocol.authorization import Subject
from appliance.protocol.messages import Request
from appliance.protocol.records import AccessToken, RefreshToken, Session
from appliance.seams import Change
from appliance.server.revoking import revoke
from tests.support.exchanging import (
    access_token,
    exchange,
    exchanging,
    introspect,
    log_in,
    main,
    post,
    tokens_of,
    userinfo,
)
from tests.support.provider import Provider

INACTIVE = {"active": False}
BEN = {"subject": Subject("people", "ben"), "sub": "ben", "id": "authorization-of-ben"}


@pytest.fixture
async def op() -> AsyncIterator[Provider]:
    """The provider."""
    async with exchanging() as made:
        yield made


async def end(op: Provider, query: str) -> tuple[int, Any]:
    """What the admin listener answers."""
    asked = Request("POST", "/tokens/revoke", query=query, headers={}, peer="127.0.0.1", at=op.clock())
    response = await revoke(asked, op.snapshot)
    is_json = dict(response.headers)["Content-Type"] == "application/json"
    return response.status, json.loads(response.body)["ended"]["main"] if is_json else response.body


async def is_over(op: Provider, tokens: Any) -> bool:
    """Whether tokens are good for nothing anywhere: introspection, UserInfo, refresh, exchange."""
    refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    over = [
        await introspect(op, tokens["access_token"]) == INACTIVE,
        (await post(op, "/introspect", {"token": tokens["refresh_token"]}, "shop")).body == INACTIVE,
        (await userinfo(op, tokens["access_token"])).status == 401,
        (await exchange(op, tokens["access_token"])).status == 400,
        (await post(op, "/token", refresh, "shop")).status == 400,
    ]
    assert len(set(over)) == 1, over
    return over[0]


@pytest.mark.attack("IN-07")
@pytest.mark.parametrize("before", ["", "client=shop", "client=gateway", "user=ben"])
async def test_ends_everything_that_a_user_has_from_before(op: Provider, before: str) -> None:
    """Also when something else was ended before: the one does not undo or hide the other."""
    await log_in(op)
    if before:
        assert (await end(op, before))[0] == 200
    tokens = await tokens_of(op, sid="session-of-anna")
    offline = await tokens_of(op, id="another", sid=None)
    exchanged = (await exchange(op, tokens["access_token"]))["access_token"]
    bens = await tokens_of(op, **BEN)
    status, ended = await end(op, "user=anna")
    assert (status, ended["sessions"]) == (200, 1)
    assert ended["tokens"] >= 2
    event, facts = op.report.notices[-1]
    assert (event, facts["of"], facts["sessions"]) == ("revoked", "user", "1")
    assert "anna" not in str(facts)
    assert await is_over(op, tokens) and await is_over(op, offline)
    assert await introspect(op, exchanged) == INACTIVE
    assert await main(op).store.find(Session, "sid", "session-of-anna") == ()
    if before:
        assert (await end(op, before))[0] == 200
        assert await is_over(op, tokens)
    # What comes after is good, and others keep what they have.
    assert not await is_over(op, await tokens_of(op, id="third"))
    if before != "client=shop" and before != "user=ben":
        assert not await is_over(op, bens)


async def test_ends_everything_of_a_client_and_nothing_of_another(op: Provider) -> None:
    tokens = await tokens_of(op)
    exchanged = (await exchange(op, tokens["access_token"]))["access_token"]
    own = (await post(op, "/token", {"grant_type": "client_credentials"}, "gateway"))["access_token"]
    status, ended = await end(op, "profile=main&client=gateway")
    assert (status, ended) == (200, {"sessions": 0, "tokens": 2})
    assert await introspect(op, exchanged) == INACTIVE
    assert await introspect(op, own) == INACTIVE
    exchanged = (await exchange(op, tokens["access_token"]))["access_token"]
    assert not await is_over(op, tokens)
    # What others got for its tokens ends with them.
    await end(op, "client=shop")
    assert await introspect(op, exchanged) == INACTIVE


async def test_ends_what_came_of_one_authorization(op: Provider) -> None:
    tokens = await tokens_of(op)
    other = await tokens_of(op, id="another")
    assert await end(op, "grant=authorization-of-anna") == (200, {"sessions": 0, "tokens": 2})
    assert await is_over(op, tokens)
    assert not await is_over(op, other)
    assert await end(op, "grant=authorization-of-anna") == (200, {"sessions": 0, "tokens": 0})


async def test_ends_what_a_refresh_puts_elsewhere_meanwhile(op: Provider) -> None:
    """A token is refreshed between two pages: its successor does not survive."""
    tokens = await tokens_of(op)
    store = main(op).store
    page = store.page
    refreshed: list[Any] = []

    async def late(kind: Any, after: str = "", limit: int = 1000) -> Any:
        found = await page(kind, after, limit)
        if kind is RefreshToken and not refreshed:
            form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
            refreshed.append((await post(op, "/token", form, "shop")).body)
        return found

    store.page = late  # type: ignore[method-assign]
    await end(op, "user=anna")
    assert "access_token" in refreshed[0]
    assert await is_over(op, refreshed[0])


async def test_ends_many(op: Provider) -> None:
    """More than one page of them."""
    token = (await tokens_of(op, **BEN))["access_token"]
    record = (await main(op).store.find(AccessToken, "authorization_id", "authorization-of-ben"))[0]
    copies = tuple(_copy(record, number) for number in range(2500))
    await main(op).store.commit(Change(put=copies))
    assert (await end(op, "user=ben"))[1]["tokens"] == 2502
    assert await introspect(op, token) == INACTIVE
    assert await access_token(op)


def _copy(record: AccessToken, number: int) -> AccessToken:
    return replace(record, id=f"copy-{number:05}")


@pytest.mark.parametrize(
    ("query", "status"),
    [("", 400), ("user=", 400), ("user=anna&client=shop", 400), ("user=anna&user=ben", 400), ("profile=x&user=a", 404)],
)
async def test_asks_for_exactly_one_thing(op: Provider, query: str, status: int) -> None:
    token = await access_token(op)
    assert (await end(op, query))[0] == status
    assert (await introspect(op, token))["active"] is True


async def test_finds_a_user_who_is_gone_by_his_id(op: Provider) -> None:
    token = await access_token(op)
    people = op.directory / "sources" / "people.yaml"
    content = json.loads(people.read_text())
    gone = content["sources"]["people"]["users"].pop("anna")
    people.write_text(json.dumps(content))
    await op.load()
    assert (await end(op, "user=anna"))[1]["tokens"] == 2
    content["sources"]["people"]["users"]["anna"] = gone
    people.write_text(json.dumps(content))
    await op.load()
    assert await introspect(op, token) == INACTIVE


def test_the_verb_asks_for_exactly_one_thing() -> None:
    for words in ([], ["--user", "a", "--client", "b"]):
        told = CliRunner().invoke(command, ["revoke", *words])
        assert told.exit_code == 2 and "name one of" in told.output
