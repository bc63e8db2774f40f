"""Starting: with good files, with bad files and a remembered generation, with nothing to serve."""

import asyncio
import os
import shutil
import signal
import socket
import sys
import threading
from pathlib import Path

import pytest

from appliance.server import generations, watching
from appliance.server.place import NotStarted
from tests.server.serving import get, serving, title
from tests.support.live import PATIENCE, free_ports

pytestmark = pytest.mark.timeout(300)


async def test_a_bad_tree_starts_the_last_good_generation_and_says_so(config: Path, state: Path) -> None:
    async with serving(config, state) as op:
        await op.until(lambda: generations.last_good(state / "generations") is not None)
    client = config / "clients" / "sample.yaml"
    good = client.read_text()
    client.write_text(good + "redirect_uri: x\n")
    async with serving(config, state) as op:
        assert await op.acr() == "password"
        assert op.running.status.as_json()["serving"] == "last-good"
        assert op.running.status.degraded
        assert len(op.events("serving the last good configuration")) == 1
        status, _ = await get(op.admin, "/readyz?config=strict")
        assert status == 503
        assert (await get(op.admin, "/readyz"))[0] == 200
        title(config)("mended")
        client.write_text(good)
        await op.shows("mended")
        assert op.running.status.as_json()["serving"] == "current"


async def test_files_that_are_mended_to_what_was_remembered_are_current_again(config: Path, state: Path) -> None:
    async with serving(config, state) as op:
        await op.until(lambda: generations.last_good(state / "generations") is not None)
    op_yaml = config / "op.yaml"
    good = op_yaml.read_text()
    op_yaml.write_text("version: [\n")
    async with serving(config, state) as op:
        op_yaml.write_text(good)
        await op.until(lambda: op.running.status.as_json()["serving"] == "current")


async def test_a_bad_tree_without_a_remembered_generation_does_not_start(config: Path, state: Path) -> None:
    (config / "clients" / "sample.yaml").write_text("client_id: [\n")
    with pytest.raises(NotStarted, match=r"clients/sample\.yaml:"):
        async with serving(config, state):
            pass


async def test_a_generation_keeps_no_secret(config: Path, state: Path) -> None:
    (config / "tls.pem").write_text("a private key")
    secret = (config / "secrets" / "sample").read_text().strip()
    async with serving(config, state) as op:
        await op.until(lambda: generations.last_good(state / "generations") is not None)
    kept = generations.last_good(state / "generations")
    assert kept is not None
    assert (kept / "clients" / "sample.yaml").is_file()
    assert not (kept / "clients" / "sample.yaml").is_symlink()
    for place, _, names in os.walk(kept):
        for name in names:
            path = Path(place) / name
            assert path.is_symlink() or secret not in path.read_text()
    assert (kept / "tls.pem").is_symlink()


async def test_a_change_before_the_watch_is_set_is_not_lost(
    config: Path, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loading, may_watch = threading.Event(), threading.Event()
    load = watching._load

    def slowly() -> None:
        loading.set()
        may_watch.wait(PATIENCE)
        load()

    monkeypatch.setattr(watching, "_load", slowly)
    async with serving(config, state) as op:
        assert await asyncio.to_thread(loading.wait, PATIENCE)
        # It answers, and nothing watches yet.
        assert await op.acr() == "password"
        title(config)("early")
        may_watch.set()
        await op.shows("early")
        assert op.running.status.last is not None
        assert op.running.status.last.trigger == "watch"


def test_only_so_many_generations_are_kept(config: Path, tmp_path: Path) -> None:
    kept = tmp_path / "generations"
    for number in range(5):
        generations.remember(config, kept, f"{number:064x}", 3)
    assert len([path for path in kept.iterdir() if path.is_dir()]) == 3
    assert generations.last_good(kept) == kept / f"{4:064x}"


def test_a_pointer_that_leads_elsewhere_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "current").write_text("../../etc")
    assert generations.last_good(tmp_path) is None
    (tmp_path / "current").write_text("0" * 64)
    assert generations.last_good(tmp_path) is None


async def started(config: Path, state: Path) -> asyncio.subprocess.Process:
    """The real command in a process of its own."""
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "appliance", "serve", "--config", str(config), "--state", str(state),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def test_the_command_exits_with_1_and_the_diagnostics_and_binds_nothing(config: Path, state: Path) -> None:
    op_yaml = config / "op.yaml"
    (port,) = free_ports(1)
    op_yaml.write_text(
        op_yaml.read_text().replace('public: {bind: "127.0.0.1:0"}', f'public: {{bind: "127.0.0.1:{port}"}}')
    )
    (config / "clients" / "sample.yaml").write_text("client_id: [\n")
    process = await started(config, state)
    _, told = await asyncio.wait_for(process.communicate(), PATIENCE)
    assert process.returncode == 1
    assert b"clients/sample.yaml:" in told
    assert b"Traceback" not in told
    with socket.create_server(("127.0.0.1", port)):
        pass


async def test_a_port_in_use_is_one_clear_line(config: Path, state: Path) -> None:
    op_yaml = config / "op.yaml"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        op_yaml.write_text(
            op_yaml.read_text().replace('public: {bind: "127.0.0.1:0"}', f'public: {{bind: "127.0.0.1:{port}"}}')
        )
        process = await started(config, state)
        _, told = await asyncio.wait_for(process.communicate(), PATIENCE)
    assert process.returncode == 1
    assert f"127.0.0.1:{port}".encode() in told
    assert b"Traceback" not in told


async def listens(port: int) -> bool:
    """Whether connections are taken."""
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionError:
        return False
    writer.close()
    return True


async def test_sigterm_lets_a_request_in_flight_finish(config: Path, state: Path) -> None:
    op_yaml = config / "op.yaml"
    (port,) = free_ports(1)
    op_yaml.write_text(
        op_yaml.read_text().replace('public: {bind: "127.0.0.1:0"}', f'public: {{bind: "127.0.0.1:{port}"}}')
    )
    process = await started(config, state)
    assert process.stderr is not None
    line = await asyncio.wait_for(process.stderr.readline(), PATIENCE)
    assert b"configuration live" in line
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    body = b"grant_type=client_credentials"
    writer.write(
        b"POST /token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(body) + body[:4]
    )
    # Who invites the body has the request in hand, and who refuses others has heard that it is to end.
    assert b" 100 " in await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)
    process.send_signal(signal.SIGTERM)
    end = asyncio.get_running_loop().time() + PATIENCE
    while await listens(port):
        assert asyncio.get_running_loop().time() < end, "it goes on"
        await asyncio.sleep(0.01)
    writer.write(body[4:])
    assert b"invalid_client" in await asyncio.wait_for(reader.read(), PATIENCE)
    writer.close()
    assert await asyncio.wait_for(process.wait(), PATIENCE) == 0
    shutil.rmtree(state)
