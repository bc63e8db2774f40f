"""The admin listener: for operators and their tools, and for nobody else."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from click.testing import CliRunner

from appliance.cli import main
from appliance.seams import StoreUnavailable
from tests.server.serving import Served, get, serving, write_config

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def op(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    """One provider for all of these."""
    place = tmp_path_factory.mktemp("admin")
    config = write_config(place / "config")
    profile = config / "profiles" / "main.yaml"
    keys = "keys: {signing: [{alg: ES256}], encryption: [{alg: ECDH-ES}]}"
    profile.write_text(profile.read_text().replace("keys: {signing: [{alg: ES256}]}", keys))
    async with serving(config, place / "state") as served:
        yield served


@pytest.mark.attack("LG-04", "SE-15")
@pytest.mark.parametrize(
    "path", ["/healthz", "/readyz", "/metrics", "/config/status", "/config/reload", "/keys/rotate", "/tokens/revoke"]
)
@pytest.mark.parametrize("headers", ["", "X-Forwarded-For: 127.0.0.1\r\n", "X_Forwarded_For: 127.0.0.1\r\n"])
async def test_nothing_of_it_is_on_the_public_listener(op: Served, path: str, headers: str) -> None:
    for method in ("GET", "POST"):
        status, _ = await get(op.public, path, method=method, headers=headers)
        assert status == 404


async def test_tells_health_readiness_and_status(op: Served) -> None:
    assert await get(op.admin, "/healthz") == (200, b"alive\n")
    assert await get(op.admin, "/readyz") == (200, b"ready\n")
    assert (await get(op.admin, "/readyz?config=strict"))[0] == 200
    status, body = await get(op.admin, "/config/status")
    document = json.loads(body)
    assert status == 200
    assert document["serving"] == "current"
    assert document["generation"] >= 1
    assert len(document["digest"]) == 64
    assert document["last_attempt"]["result"] in {"live", "unchanged"}


async def test_serves_the_metrics_people_alert_on(op: Served) -> None:
    await get(op.public, "/jwks")
    status, body = await get(op.admin, "/metrics")
    assert status == 200
    for name in (
        b"op_config_last_reload_successful 1.0",
        b"op_config_last_reload_success_timestamp_seconds",
        b"op_config_info{",
        b"op_config_reload_total{",
        b'op_http_requests_total{endpoint="jwks',
    ):
        assert name in body


async def test_a_store_that_does_not_answer_makes_it_unready_and_not_dead(
    op: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = op.running.current.snapshot
    assert snapshot is not None

    async def ping(_: object) -> None:
        raise StoreUnavailable

    monkeypatch.setattr(type(snapshot.shared.store), "ping", ping)
    assert (await get(op.admin, "/readyz"))[0] == 503
    assert (await get(op.admin, "/healthz"))[0] == 200


@pytest.mark.parametrize("headers", ["Origin: http://evil.test\r\n", "Sec-Fetch-Site: cross-site\r\n"])
@pytest.mark.parametrize("path", ["/config/reload", "/keys/rotate", "/tokens/revoke"])
async def test_a_page_in_a_browser_cannot_ask_for_a_change(op: Served, path: str, headers: str) -> None:
    assert (await get(op.admin, path, method="POST", headers=headers))[0] == 403


async def test_methods_and_paths_are_exact(op: Served) -> None:
    assert (await get(op.admin, "/config/reload"))[0] == 405
    assert (await get(op.admin, "/keys/rotate"))[0] == 405
    assert (await get(op.admin, "/healthz", method="POST"))[0] == 405
    for path in ("/", "/jwks", "/authorize", "/healthz/", "//healthz"):
        assert (await get(op.admin, path))[0] == 404


async def test_reloads_that_are_asked_for_at_the_same_time_share_attempts(
    op: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    reloader, came, all_came = op.running.reloader, [], asyncio.Event()
    request, build = reloader.request, reloader._builder.build

    def counted(trigger: str) -> object:
        came.append(trigger)
        if came.count("request") == 20:
            all_came.set()
        return request(trigger)

    async def held(directory: Path) -> object:
        await all_came.wait()
        return await build(directory)

    monkeypatch.setattr(reloader, "request", counted)
    monkeypatch.setattr(reloader._builder, "build", held)
    answers = await asyncio.gather(*(get(op.admin, "/config/reload", method="POST") for _ in range(20)))
    assert {status for status, _ in answers} == {200}
    # The one that was under way when the others came, and one for all of them.
    assert len({json.loads(body)["at"] for _, body in answers}) <= 2


async def published(op: Served, use: str) -> list[str]:
    """Names of the published keys of one use."""
    document = json.loads((await get(op.public, "/jwks"))[1])
    return [key["kid"] for key in document["keys"] if key["use"] == use]


@pytest.mark.spec("OpenID Connect Core 1.0", "10.1.1")
async def test_rotates_keys_at_once_and_keeps_the_old_ones_published(op: Served) -> None:
    before = await published(op, "sig")
    status, body = await get(op.admin, "/keys/rotate?profile=main", method="POST")
    after = await published(op, "sig")
    signing = json.loads(body)["signing"]
    assert status == 200
    assert [key["alg"] for key in signing["main"]] == ["ES256"]
    assert signing["main"][0]["kid"] not in before
    assert set(before) < set(after)


@pytest.mark.spec("OpenID Connect Core 1.0", "10.2.1")
async def test_tells_which_keys_are_encrypted_to_after_a_rotation(op: Served) -> None:
    before = await published(op, "enc")
    _, body = await get(op.admin, "/keys/rotate", method="POST")
    after = await published(op, "enc")
    assert json.loads(body)["encryption"] == {"main": [{"alg": "ECDH-ES", "kid": after[0]}]}
    assert len(before) == len(after) == 1
    assert before != after


async def test_the_command_line_lists_every_key_that_was_rotated(op: Served) -> None:
    asked = ["keys", "rotate", "--admin", f"http://localhost:{op.admin}"]
    done = await asyncio.to_thread(CliRunner().invoke, main, asked)
    kids = [*(await published(op, "sig"))[:1], *await published(op, "enc")]
    assert done.exit_code == 0
    said = done.output.splitlines()
    assert said == [
        f"main: ES256 is signed with {kids[0]} now; the key before it stays published",
        f"main: ECDH-ES is encrypted to {kids[1]} now; the key before it still opens",
    ]


async def test_the_command_line_tells_what_ended(op: Served) -> None:
    asked = ["revoke", "--user", "anna", "--admin", f"http://localhost:{op.admin}"]
    done = await asyncio.to_thread(CliRunner().invoke, main, asked)
    assert (done.exit_code, done.output) == (0, "main: 0 sessions and 0 tokens ended\n")
    for words in (["--profile", "other"], ["--client", ""]):
        refused = await asyncio.to_thread(CliRunner().invoke, main, [*asked, *words])
        assert refused.exit_code == (1 if "other" in words else 0)
    assert (await get(op.admin, "/tokens/revoke?user=anna"))[0] == 405


async def test_rotates_no_keys_of_a_profile_that_is_not_there(op: Served) -> None:
    before = (await get(op.public, "/jwks"))[1]
    assert (await get(op.admin, "/keys/rotate?profile=other", method="POST"))[0] == 404
    assert (await get(op.public, "/jwks"))[1] == before
