"""Fifty reloads under load: nobody gets an error, and no answer is of two generations."""

import asyncio
import json
from collections import Counter
from pathlib import Path

import pytest

from tests.server.serving import serving, write_config

REQUESTS = 2000
CONNECTIONS = 16
RELOADS = 50


def write_generation(directory: Path, number: int) -> None:
    """A tree that says its number in two files and in two members of discovery."""
    op, profile = directory / "op.yaml", directory / "profiles" / "main.yaml"
    (directory / "policies").mkdir(exist_ok=True)
    (directory / "policies" / "more.yaml").write_text(
        f"policies:\n  p{number}: {{steps: [{{authenticate: password}}], amr: [pwd]}}\n"
    )
    text = profile.read_text().split("scopes:")[0].split("acr:")[0]
    profile.write_text(
        f"{text}acr: [{{value: 'urn:example:{number}', policy: p{number}}}]\n"
        f"scopes: {{openid: {{}}, profile: {{claims: [name]}}, email: {{claims: [email]}}, offline_access: {{}}, "
        f"g{number}: {{}}}}\n"
    )
    assert op.is_file()


def number_of(body: bytes) -> int:
    """The generation a discovery document is of; fails when it is of two."""
    document = json.loads(body)
    (acr,) = document["acr_values_supported"]
    (scope,) = (scope for scope in document["scopes_supported"] if scope.startswith("g"))
    assert acr == f"urn:example:{scope[1:]}"
    return int(scope[1:])


async def read_answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """One answer of a connection that stays open."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")
    )
    return int(head.split(b" ", 2)[1]), await reader.readexactly(length)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.attack("CF-11", "CF-12")
async def test_two_thousand_requests_across_fifty_reloads(tmp_path: Path) -> None:
    config = write_config(tmp_path / "config", settle="50ms")
    profile = config / "profiles" / "main.yaml"
    # `keys` stands behind the settings that are written anew.
    keys = "keys: {signing: [{alg: ES256}]}\n"
    profile.write_text(keys + profile.read_text().replace(keys, ""))
    write_generation(config, 0)
    seen: Counter[int] = Counter()
    statuses: Counter[int] = Counter()
    asked = b"GET /.well-known/openid-configuration HTTP/1.1\r\nHost: x\r\n\r\n"

    async with serving(config, tmp_path / "state") as op:
        done = asyncio.Event()

        async def load() -> None:
            reader, writer = await asyncio.open_connection("127.0.0.1", op.public)
            last, enough = 0, False
            while not enough:
                # Once more after the last reload, so that its generation is seen.
                enough = done.is_set() and sum(seen.values()) >= REQUESTS
                writer.write(asked)
                status, body = await read_answer(reader)
                statuses[status] += 1
                number = number_of(body)
                assert number >= last, "no connection goes back in time"
                last = number
                seen[number] += 1
                await asyncio.sleep(0.02)
            writer.close()

        loads = [asyncio.create_task(load()) for _ in range(CONNECTIONS)]
        for number in range(1, RELOADS + 1):
            write_generation(config, number)
            attempt = await op.running.reloader.request("request")
            assert attempt.result in {"live", "unchanged"}, attempt.diagnosis.text
        done.set()
        await asyncio.gather(*loads)
        assert op.events("failure") == []
        assert op.events("configuration refused") == []
        assert set(statuses) == {200}
        assert sum(statuses.values()) >= REQUESTS
        assert len(seen) > RELOADS * 0.8
        assert max(seen) == RELOADS
