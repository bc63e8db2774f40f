"""What is remembered of documents, and when they are asked for again."""

import asyncio
from typing import Any

import pytest

from appliance.outbound.client import Fetched, OutboundClient, Policy
from appliance.outbound.documents import JsonDocuments
from appliance.outbound.problems import OutboundProblem
from tests.outbound.servers import plain, serving

URL = "https://rp.example/jwks"


class Wire:
    """Stands in for the client: answers as told, counts, and can be held."""

    def __init__(self) -> None:
        self.answer: Any = {"n": 1}
        self.headers: dict[str, str] = {}
        self.asked = 0
        self.open = asyncio.Event()
        self.open.set()

    async def fetch(self, url: str, *, accept: str, max_bytes: int) -> Fetched:
        self.asked += 1
        await self.open.wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        if isinstance(self.answer, Fetched):
            return self.answer
        return Fetched(200, "application/json", self.headers, repr(self.answer).replace("'", '"').encode())


class Scene:
    """Documents over that wire, with a clock."""

    def __init__(self, **options: Any) -> None:
        self.now = 1000.0
        self.wire = Wire()
        wire: Any = self.wire
        self.documents = JsonDocuments(wire, read=self.read, clock=lambda: self.now, **options)

    @staticmethod
    def read(document: object) -> object:
        if document == {}:
            raise OutboundProblem("empty")
        return document

    async def get(self, *, refresh: bool = False, url: str = URL) -> object:
        return await self.documents.get(url, refresh=refresh)


async def test_a_document_is_asked_for_once_while_it_is_fresh() -> None:
    scene = Scene()
    assert await scene.get() == {"n": 1}
    scene.now += 599
    assert await scene.get() == {"n": 1}
    assert scene.wire.asked == 1
    scene.now += 1
    scene.wire.answer = {"n": 2}
    assert await scene.get() == {"n": 2}
    assert scene.wire.asked == 2


@pytest.mark.spec("RFC 9111", "5.2.2")
@pytest.mark.parametrize(
    ("said", "fresh"),
    [
        ("max-age=300", 300),
        ("public, Max-Age=300", 300),
        ("max-age=0", 60),
        ("no-store", 60),
        ("no-cache, max-age=900", 60),
        ("max-age=999999999", 3600),
        ("max-age=99999999999999999999", 3600),
        ("max-age=abc", 600),
        ("", 600),
    ],
)
async def test_the_server_is_heard_within_bounds(said: str, fresh: int) -> None:
    scene = Scene()
    scene.wire.headers = {"cache-control": said}
    await scene.get()
    scene.now += fresh - 1
    await scene.get()
    assert scene.wire.asked == 1
    scene.now += 1
    await scene.get()
    assert scene.wire.asked == 2


@pytest.mark.attack("SS-08")
async def test_one_request_is_in_flight_however_many_wait() -> None:
    scene = Scene()
    scene.wire.open.clear()
    waiting = [asyncio.create_task(scene.get(refresh=each % 2 == 0)) for each in range(50)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    await asyncio.sleep(0)
    scene.wire.open.set()
    assert await asyncio.gather(*waiting[1:]) == [{"n": 1}] * 49
    assert scene.wire.asked == 1


@pytest.mark.attack("SS-08")
@pytest.mark.parametrize("broken", [OutboundProblem("down"), {}, Fetched(500, "application/json", {}, b"{}")])
async def test_the_last_good_document_stands_in_for_a_bounded_time(broken: Any) -> None:
    scene = Scene()
    await scene.get()
    scene.wire.answer = broken
    scene.now += 600
    for _ in range(20):
        assert await scene.get() == {"n": 1}
    assert scene.wire.asked == 2
    scene.now += 10
    assert await scene.get() == {"n": 1}
    assert scene.wire.asked == 3
    scene.now = 1000 + 600 + 21600
    with pytest.raises(OutboundProblem):
        await scene.get()
    scene.now += 10
    scene.wire.answer = {"n": 2}
    assert await scene.get() == {"n": 2}


@pytest.mark.attack("SS-08")
async def test_a_failure_is_remembered_for_a_moment() -> None:
    scene = Scene()
    scene.wire.answer = OutboundProblem("down")
    for _ in range(20):
        with pytest.raises(OutboundProblem, match="down"):
            await scene.get(refresh=True)
    assert scene.wire.asked == 1
    scene.now += 10
    scene.wire.answer = {"n": 1}
    assert await scene.get() == {"n": 1}


@pytest.mark.attack("SS-08")
async def test_a_refresh_is_done_once_an_interval() -> None:
    scene = Scene()
    await scene.get()
    for _ in range(20):
        assert await scene.get(refresh=True) == {"n": 1}
    assert scene.wire.asked == 1
    scene.now += 60
    scene.wire.answer = {"n": 2}
    for _ in range(20):
        assert await scene.get(refresh=True) == {"n": 2}
    assert scene.wire.asked == 2


async def test_it_forgets_what_was_not_used_for_longest() -> None:
    scene = Scene(max_entries=2)
    for name in ("a", "b", "a", "c", "a", "b"):
        await scene.get(url=name)
    assert scene.wire.asked == 4


@pytest.mark.attack("SS-06", "SS-07")
@pytest.mark.parametrize(
    "answer",
    [
        plain(b"{}", status="302 Found"),
        plain(b'{"n":1}', status="404 Not Found"),
        plain(b'{"n":1}', status="201 Created"),
        plain(b'{"n":1}', kind="text/html"),
        plain(b'{"n":1}', kind="text/plain"),
        plain(b'{"n":1}', kind="applicationxjson"),
        plain(b""),
        plain(b"{"),
        plain(b'{"n":NaN}'),
        plain(b'{"n":1,"n":2}'),
        plain(b"\xff"),
        plain('{"n":1}'.encode("utf-16")),
        plain(b"[" * 30000 + b"]" * 30000),
        plain(b'{"n":' * 9 + b"1" + b"}" * 9),
        plain(b"{" + b",".join(b'"%d":1' % n for n in range(10000)) + b"}"),
    ],
)
async def test_what_is_no_small_strict_json_is_not_used(answer: Any) -> None:
    async with serving(answer) as server:
        client = OutboundClient(Policy(allow_loopback=True))
        documents = JsonDocuments(client, read=lambda document: document, clock=lambda: 0.0)
        with pytest.raises(OutboundProblem):
            await documents.get(server.url())


@pytest.mark.parametrize("kind", ["application/json", "application/jwk-set+json", "Application/JSON; charset=utf-8"])
async def test_a_document_comes_over_a_real_wire(kind: str) -> None:
    async with serving(plain(b'{"n": 1}', kind=kind)) as server:
        client = OutboundClient(Policy(allow_loopback=True))
        documents = JsonDocuments(client, read=lambda document: document, clock=lambda: 0.0)
        assert await documents.get(server.url()) == {"n": 1}
