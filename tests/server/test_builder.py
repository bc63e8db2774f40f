"""The build process: whatever becomes of it, the server gets an answer."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from appliance.server import frames
from appliance.server.builder import Builder, Refused
from appliance.server.child import COMMAND, start_asked
from appliance.server.place import Place


@pytest.fixture
async def builder() -> AsyncIterator[Builder]:
    """A builder with its real child."""
    made = Builder(None)
    yield made
    await made.close()


async def test_a_child_that_was_killed_is_replaced(builder: Builder, config: Path) -> None:
    first = await builder.build(config)
    assert builder._child is not None
    builder._child.kill()
    builder._child.wait()
    second = await builder.build(config)
    assert second.declared.digest == first.declared.digest
    assert second.declared.clients == first.declared.clients


async def test_a_child_that_hangs_is_given_up(config: Path) -> None:
    builder = Builder(None, command=(sys.executable, "-c", "import sys; sys.stdin.read()"), timeout=0.5)
    with pytest.raises(Refused) as refused:
        await builder.build(config)
    assert "OP801" in refused.value.rejected.diagnosis.text
    assert await builder.stamp(config) == ""
    await builder.close()


@pytest.mark.parametrize("code", ["", "print('not a frame')", "import os; os.write(1, b'\\0\\0\\0\\2ab')"])
async def test_a_child_that_says_nothing_sensible_is_given_up(config: Path, code: str) -> None:
    builder = Builder(None, command=(sys.executable, "-c", code), timeout=60.0)
    with pytest.raises(Refused) as refused:
        await builder.build(config)
    assert "OP801" in refused.value.rejected.diagnosis.text
    await builder.close()


async def test_a_refused_tree_says_what_check_says(builder: Builder, config: Path) -> None:
    (config / "clients" / "sample.yaml").write_text("client_id: [\n")
    with pytest.raises(Refused) as refused:
        await builder.build(config)
    checked = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "appliance", "check", str(config), stdout=asyncio.subprocess.PIPE
    )
    told, _ = await checked.communicate()
    assert checked.returncode == 1
    assert refused.value.rejected.diagnosis.text == told.decode()


async def test_the_stamp_changes_with_the_files_and_only_with_them(builder: Builder, config: Path) -> None:
    first = await builder.stamp(config)
    assert await builder.stamp(config) == first
    (config / ".op.yaml.swp").write_text("an editor's")
    assert await builder.stamp(config) == first
    (config / "op.yaml").write_text((config / "op.yaml").read_text() + "\n")
    second = await builder.stamp(config)
    assert second != first
    (config / "op.yaml").chmod(0o600)
    assert await builder.stamp(config) != second


async def test_a_tree_that_git_is_writing_is_locked(builder: Builder, config: Path) -> None:
    (config / ".git").mkdir()
    (config / ".git" / "index.lock").touch()
    assert (await builder.stamp(config)).startswith("locked ")


async def test_a_generation_is_not_kept_of_files_that_changed_since(
    builder: Builder, config: Path, tmp_path: Path
) -> None:
    answer = await builder.build(config)
    (config / "op.yaml").write_text("version: 1\n")
    kept = tmp_path / "generations"
    asked = frames.Remember(config, answer.source.stamp, kept, answer.declared.digest, 3)
    assert not await builder.remember(asked)
    assert not kept.exists()


async def test_secrets_survive_the_pipe_and_stay_out_of_every_text(builder: Builder, config: Path) -> None:
    answer = await builder.build(config)
    (client,) = answer.declared.clients.values()
    secret = (config / "secrets" / "sample").read_text().strip()
    assert client.has_secret(secret.encode(), 0.0)
    assert secret not in repr(answer)


async def asked(config: Path, state: Path) -> Builder:
    """A builder whose child was asked with its command."""
    place = Place(config, None, state)
    return Builder.of_asked(place, start_asked(place))


async def test_what_was_asked_ahead_is_answered_once(config: Path, state: Path) -> None:
    builder = await asked(config, state)
    first = await builder.build(config)
    second = await builder.build(config)
    assert second.declared.digest == first.declared.digest
    assert await builder.stamp(config) == second.source.stamp
    await builder.close()


async def test_an_answer_asked_ahead_is_never_taken_for_another(config: Path, state: Path, tmp_path: Path) -> None:
    builder = await asked(tmp_path / "elsewhere", state)
    answer = await builder.build(config)
    assert answer.declared.profiles
    await builder.close()
    builder = await asked(tmp_path / "elsewhere", state)
    assert await builder.stamp(config) == ""
    assert (await builder.build(config)).declared.digest == answer.declared.digest
    await builder.close()


async def test_a_child_that_died_after_it_was_asked_ahead_is_replaced(config: Path, state: Path) -> None:
    builder = await asked(config, state)
    assert builder._child is not None
    builder._child.kill()
    builder._child.wait()
    assert (await builder.build(config)).declared.profiles
    await builder.close()


async def test_a_child_whose_server_is_gone_ends_without_a_word(config: Path, state: Path) -> None:
    code = (*COMMAND, str(config), str(state))
    reading, writing = os.pipe()
    child = await asyncio.create_subprocess_exec(
        *code, stdin=asyncio.subprocess.PIPE, stdout=writing, stderr=asyncio.subprocess.PIPE
    )
    os.close(writing)
    os.close(reading)
    _, told = await asyncio.wait_for(child.communicate(), 60)
    assert (child.returncode, told) == (0, b"")
