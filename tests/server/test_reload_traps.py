"""The traps of files that change: every one of them has made some provider blind, or let it serve half a tree."""

import asyncio
import os
import shutil
import socket
from pathlib import Path

import pytest

from tests.server.serving import copy, get, serving, title, write_config
from tests.support.live import free_ports

pytestmark = pytest.mark.timeout(600)


async def test_an_edited_file_is_live_within_a_second(config: Path, state: Path) -> None:
    write = title(config)
    async with serving(config, state) as op:
        clock = asyncio.get_running_loop().time
        edited, asked = [], []
        for number in range(3):
            before = clock()
            write(f"edit{number}")
            await op.shows(f"edit{number}")
            edited.append(clock() - before)
            assert op.running.status.last is not None and op.running.status.last.trigger == "watch"
            before = clock()
            write(f"asked{number}")
            await op.running.reloader.request("request")
            asked.append(clock() - before)
        # A reload that is asked for tells how busy the machine is: a few hundredths of a second when it is not.
        assert min(edited) < 1 + 5 * max(asked), (edited, asked)


@pytest.mark.attack("CF-12")
async def test_an_editor_that_renames_over_the_file_three_times_is_seen_each_time(config: Path, state: Path) -> None:
    profile = config / "profiles" / "main.yaml"
    write, text = title(config), profile.read_text()
    async with serving(config, state) as op:
        for number in range(3):
            write(f"rename{number}")
            fresh = profile.with_suffix(".tmp")
            profile.replace(fresh)
            profile.write_text(text)
            fresh.replace(profile)
            await op.shows(f"rename{number}")


@pytest.mark.attack("CF-12")
async def test_a_config_map_that_swaps_its_data_link_three_times_is_seen_each_time(tmp_path: Path, state: Path) -> None:
    mount = tmp_path / "mount"
    (mount / "..0").mkdir(parents=True)
    write_config(mount / "..0" / "config")
    (mount / "..data").symlink_to("..0")
    served = tmp_path / "config"
    served.mkdir()
    # A ConfigMap is flat files that are links through ..data; here directories are, as projected volumes do.
    for entry in (mount / "..0" / "config").iterdir():
        (mount / entry.name).symlink_to(f"..data/config/{entry.name}")
    async with serving(mount, state) as op:
        for number in range(1, 4):
            fresh = mount / f"..{number}"
            shutil.copytree(mount / f"..{number - 1}", fresh, symlinks=True)
            title(fresh / "config")(f"swap{number}")
            os.symlink(fresh.name, mount / "..tmp")
            os.replace(mount / "..tmp", mount / "..data")
            shutil.rmtree(mount / f"..{number - 1}")
            title_text = (fresh / "config" / "profiles" / "main.yaml").read_text()
            assert f"swap{number}" in title_text
            await op.shows(f"swap{number}")
            # The next swap starts from a tree that names the first value again.
            (fresh / "config" / "profiles" / "main.yaml").write_text(title_text.replace(f"swap{number}", "password"))
            await op.shows("password")


async def test_a_git_sync_link_is_followed_and_an_edit_behind_it_is_seen(tmp_path: Path, state: Path) -> None:
    first, second = (tmp_path / "worktrees" / (name * 40) for name in "ab")
    write_config(first)
    copy(first, second)
    title(second)("second")
    link = tmp_path / "current"
    link.symlink_to(first)
    async with serving(link, state) as op:
        assert op.running.status.live is not None
        assert op.running.status.live.commit == "a" * 40
        os.symlink(second, tmp_path / "next")
        os.replace(tmp_path / "next", link)
        await op.shows("second")
        assert op.running.status.live.commit == "b" * 40
        profile = second / "profiles" / "main.yaml"
        profile.write_text(profile.read_text().replace("second", "third"))
        await op.shows("third")


async def test_a_bad_tree_is_reported_once_and_a_mended_one_is_live(config: Path, state: Path) -> None:
    client, write = config / "clients" / "sample.yaml", title(config)
    good = client.read_text()
    async with serving(config, state) as op:
        client.write_text(good + "redirect_uri: x\n")
        await op.until(lambda: op.last() == "refused")
        assert await op.acr() == "password"
        client.write_text(good + "redirect_uri: x\n")
        await op.running.reloader.request("request")
        refused = op.events("configuration refused")
        assert len(refused) == 1
        assert "clients/sample.yaml" in refused[0]["diagnostics"]
        write("mended")
        client.write_text(good)
        await op.shows("mended")
        assert not op.running.status.degraded


async def test_a_bad_tree_that_is_taken_back_changes_nothing(config: Path, state: Path) -> None:
    client = config / "clients" / "sample.yaml"
    good = client.read_text()
    async with serving(config, state) as op:
        generation = op.generation
        client.write_text("client_id: [\n")
        await op.until(lambda: op.last() == "refused")
        client.write_text(good)
        await op.until(lambda: op.last() == "unchanged")
        assert op.generation == generation
        assert not op.running.status.degraded


async def test_a_secret_that_changes_alone_is_taken_up(tmp_path: Path, config: Path, state: Path) -> None:
    outside = tmp_path / "run" / "secrets"
    outside.mkdir(parents=True)
    secret = outside / "salt"
    secret.write_text("Zk3v9Qp7LxT2wR8nB5mYc1DfGh6JsUaE4oKiXqPzVt0")
    secret.chmod(0o600)
    profile = config / "profiles" / "main.yaml"
    profile.write_text(
        profile.read_text() + f"subject_types_supported: [public, pairwise]\npairwise: {{salt: {{file: {secret}}}}}\n"
    )
    async with serving(config, state) as op:
        generation = op.generation
        fresh = outside / "salt.new"
        fresh.write_text("m8PqT1zXc7VbN4kLw2RyU9eHs5GdJf3AoIi6QxYtK0B")
        fresh.chmod(0o600)
        fresh.replace(secret)
        await op.until(lambda: op.generation == generation + 1)


@pytest.mark.attack("CF-11")
async def test_a_writer_that_takes_three_seconds_is_read_once(config: Path, state: Path) -> None:
    op_yaml, client = config / "op.yaml", config / "clients" / "slow.yaml"
    # On a busy machine it is more than a tenth of a second from one piece to the next.
    op_yaml.write_text(op_yaml.read_text().replace("settle: 300ms", "settle: 1s"))
    sample = (config / "clients" / "sample.yaml").read_text().replace("client_id: sample", "client_id: slow")
    chunk = len(sample) // 30 + 1
    async with serving(config, state) as op:
        generation = op.generation
        with client.open("w") as opened:
            for start in range(0, len(sample), chunk):
                opened.write(sample[start : start + chunk])
                opened.flush()
                await asyncio.sleep(0.1)
        await op.until(lambda: op.generation == generation + 1)
        assert op.events("configuration refused") == []


@pytest.mark.attack("CF-12")
async def test_a_directory_that_disappears_and_comes_back_is_watched_again(config: Path, state: Path) -> None:
    kept = config.with_name("kept")
    async with serving(config, state) as op:
        os.rename(config, kept)
        await op.until(lambda: op.last() == "refused")
        assert await op.acr() == "password"
        shutil.copytree(kept, config)
        title(config)("restored")
        await op.shows("restored")
        profile = config / "profiles" / "main.yaml"
        profile.write_text(profile.read_text().replace("restored", "again"))
        await op.shows("again")


async def test_a_new_file_in_a_new_directory_is_seen(config: Path, state: Path) -> None:
    sample = (config / "clients" / "sample.yaml").read_text()
    async with serving(config, state) as op:
        generation = op.generation
        deep = config / "clients" / "team" / "deep"
        deep.mkdir(parents=True)
        (deep / "other.yaml").write_text(sample.replace("client_id: sample", "client_id: other"))
        await op.until(lambda: op.generation == generation + 1)


async def test_a_port_that_is_taken_is_refused_and_a_free_one_is_opened_before_the_old_one_closes(
    config: Path, state: Path
) -> None:
    op_yaml = config / "op.yaml"
    text = op_yaml.read_text()
    async with serving(config, state) as op:
        old = op.public
        (port,) = free_ports(1)
        with socket.create_server(("127.0.0.1", port)):
            op_yaml.write_text(text.replace('public: {bind: "127.0.0.1:0"}', f'public: {{bind: "127.0.0.1:{port}"}}'))
            await op.until(lambda: op.last() == "refused")
            status = op.running.status.as_json()
            assert "OP803" in str(status["last_attempt"])
            assert op.public == old
            assert await op.acr() == "password"
        await op.running.reloader.request("request")
        assert op.last() == "live"
        assert op.public == port
        assert await op.acr() == "password"


async def test_a_listener_can_move_to_another_address_of_the_same_port(config: Path, state: Path) -> None:
    op_yaml = config / "op.yaml"
    (port,) = free_ports(1)
    text = op_yaml.read_text()
    op_yaml.write_text(text.replace('public: {bind: "127.0.0.1:0"}', f'public: {{bind: "127.0.0.1:{port}"}}'))
    async with serving(config, state) as op:
        op_yaml.write_text(text.replace('public: {bind: "127.0.0.1:0"}', f'public: {{bind: "0.0.0.0:{port}"}}'))
        await op.running.reloader.request("request")
        assert op.last() == "live", op.running.status.last
        assert await op.acr() == "password"


async def test_a_reload_that_is_asked_for_waits_for_the_outcome(config: Path, state: Path) -> None:
    write = title(config)
    async with serving(config, state) as op:
        write("asked")
        status, body = await get(op.admin, "/config/reload", method="POST")
        assert status == 200, body
        assert await op.acr() == "asked"
        (config / "op.yaml").write_text("version: 1\n")
        status, body = await get(op.admin, "/config/reload", method="POST")
        assert status == 409
        assert b"op.yaml" in body
