"""The first start: what is made while the themes are still rehearsed, and that nobody meets it too early."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from appliance.assembly import Begun, begin
from appliance.config.declared.whole import Declared
from appliance.server import generations, reload
from appliance.server.app import running
from appliance.server.builder import Answer, Builder, Refused
from appliance.server.child import start_asked
from appliance.server.place import NotStarted, Place
from appliance.snapshot import Shared
from tests.server.serving import BUILD_WITHIN, get
from tests.support.live import PATIENCE, free_ports

GOOD = '{% extends "base:login.html" %}\n'
BROKEN = "{{ page.no.such.thing }}\n"


@pytest.fixture
def template(config: Path) -> Callable[[str], object]:
    """Writes the one template of a theme of the operator's own, good to begin with."""
    theme = config / "themes" / "mine"
    (theme / "templates").mkdir(parents=True)
    (theme / "theme.yaml").write_text("name: Mine\n")
    (theme / "templates" / "login.html").write_text(GOOD)
    return (theme / "templates" / "login.html").write_text


@pytest.fixture
def place(config: Path, state: Path) -> Place:
    """Where all of it happens."""
    return Place(config, None, state)


def asked(place: Place) -> Builder:
    """A builder whose child was asked with its command, as at a start."""
    made = Builder.of_asked(place, start_asked(place))
    made._timeout = BUILD_WITHIN
    return made


class Held(Builder):
    """A builder that keeps its answer back, as a rehearsal that takes long."""

    def __init__(self, place: Place) -> None:
        super().__init__(place.environment, state=place.state, timeout=BUILD_WITHIN)
        self._child, self._asked = start_asked(place), place.directory
        self.release = asyncio.Event()

    async def build(self, directory: Path, ahead: Callable[[Declared], None] = lambda _: None) -> Answer:
        """The answer, when it is released."""
        answer = await super().build(directory, ahead)
        await self.release.wait()
        return answer


async def test_what_is_declared_is_told_before_its_themes_are_rehearsed(
    template: Callable[[str], object], place: Place
) -> None:
    builder, told = asked(place), []
    answer = await builder.build(place.directory, told.append)
    assert told == [answer.declared] and told[0] is answer.declared
    assert answer.declared.clients and answer.source.stamp
    await builder.close()


async def test_nothing_is_told_ahead_where_nothing_has_to_be_rehearsed(
    template: Callable[[str], object], place: Place
) -> None:
    for _ in range(2):
        builder, told = asked(place), list[Declared]()
        await builder.build(place.directory, told.append)
        await builder.close()
    assert told == []


async def test_a_reload_is_told_of_nothing_ahead(template: Callable[[str], object], place: Place) -> None:
    builder, told = asked(place), list[Declared]()
    await builder.build(place.directory)
    template(GOOD + "\n")
    assert (await builder.build(place.directory, told.append)).declared.themes
    assert told == []
    await builder.close()


async def test_a_theme_that_is_refused_after_that_is_refused_and_what_is_mended_is_whole(
    template: Callable[[str], object], place: Place
) -> None:
    template(BROKEN)
    builder, told = asked(place), list[Declared]()
    with pytest.raises(Refused) as refused:
        await builder.build(place.directory, told.append)
    assert "OP72" in refused.value.rejected.diagnosis.text
    template(GOOD)
    mended = await builder.build(place.directory)
    assert len(told) == 1 and mended.declared.clients == told[0].clients
    await builder.close()


async def test_keys_are_made_meanwhile_and_nothing_listens_before_the_word_that_all_is_good(
    template: Callable[[str], object], place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    (port,) = free_ports(1)
    op = place.directory / "op.yaml"
    text = op.read_text().replace('public: {bind: "127.0.0.1:0"}', f'public: {{bind: "127.0.0.1:{port}"}}')
    op.write_text(text.replace("storage: {kind: memory}", "storage: {kind: sqlite}"))
    builder = Held(place)
    begun, served, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def beginning(declared: Declared, **others: Any) -> Begun:
        made = await begin(declared, **others)
        begun.set()
        return made

    monkeypatch.setattr(reload, "begin", beginning)

    async def serve() -> None:
        async with running(place, builder=builder):
            served.set()
            await ended.wait()

    serving = asyncio.create_task(serve())
    await asyncio.wait_for(begun.wait(), BUILD_WITHIN)
    assert _stored_keys(place.state) and not served.is_set()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)
    builder.release.set()
    await asyncio.wait_for(served.wait(), PATIENCE)
    status, body = await get(port, "/.well-known/openid-configuration")
    assert status == 200 and b"jwks_uri" in body
    ended.set()
    await serving


async def test_what_was_begun_for_files_that_are_refused_is_let_go(
    template: Callable[[str], object], place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[Shared] = []
    close = Shared.close

    async def close_and_tell(shared: Shared) -> None:
        closed.append(shared)
        await close(shared)

    monkeypatch.setattr(Shared, "close", close_and_tell)
    template(BROKEN)
    with pytest.raises(NotStarted, match=r"themes/mine"):
        async with running(place, builder=asked(place)):
            pass
    assert len(closed) == 1 and closed[0].users == 0


async def test_nothing_is_begun_for_files_that_may_be_refused_where_a_generation_was_live(
    template: Callable[[str], object], place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    builder = asked(place)
    answer = await builder.build(place.directory)
    generations.remember(place.directory, place.generations, answer.declared.digest, 3)
    await builder.close()
    template(BROKEN)
    begun: list[Declared] = []

    async def beginning(declared: Declared, **others: Any) -> Begun:
        begun.append(declared)
        return await begin(declared, **others)

    monkeypatch.setattr(reload, "begin", beginning)
    async with running(place, builder=asked(place)) as provider:
        assert provider.status.as_json()["serving"] == "last-good"
    assert len(begun) == 1


def _stored_keys(state: Path) -> int:
    with closing(sqlite3.connect(state / "op.sqlite")) as database:
        return int(database.execute("SELECT count(*) FROM records WHERE kind = 'signing_key'").fetchone()[0])
