"""Broken files of every kind: refused with a place, quickly, and never by any other exception."""

import random
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.config.load import Cache, load
from appliance.config.problems import ConfigRejected
from appliance.config.rendering import render_json, render_text
from appliance.resources import CONFIG_EXAMPLE
from tests.config.writing import PARTS, WHOLE, whole, write

JUNK = (
    b"\x00",
    b"\xff",
    b"\t",
    b"- ",
    b": ",
    b"&a ",
    b"*a",
    b"<<: ",
    b"{",
    b"]",
    b'"',
    b"'",
    b"!!x ",
    b"| ",
    b"no",
    b"\n\n",
    b"${var.",
    b"\xe2\x80\xa8",
)


def outcome(directory: Path, cache: Cache) -> None:
    """Load, and render what is said; anything but ConfigRejected is let through to fail the test."""
    started = time.process_time()
    try:
        loaded = load(directory, environment=None, parts=PARTS, cache=cache)
        assert len(loaded.declared.clients) >= 1
        problems, excerpts = loaded.warnings, loaded.excerpts
    except ConfigRejected as rejected:
        problems, excerpts = rejected.problems, rejected.excerpts
        assert any(problem.severity == "error" for problem in problems)
    render_text(problems, excerpts, colour=True)
    render_json(problems)
    assert time.process_time() - started < 1


def prefixes(content: bytes, most: int) -> Iterator[bytes]:
    """Beginnings of a file; all of them when it is short."""
    step = max(1, len(content) // most)
    yield from (content[:end] for end in range(0, len(content), step))


@pytest.mark.parametrize("file", [name for name in WHOLE if name.endswith(".yaml")])
def test_the_engine_survives_every_beginning_of_a_file(tmp_path: Path, file: str) -> None:
    directory = whole(tmp_path)
    cache = Cache()
    for beginning in prefixes(WHOLE[file].encode(), 120):
        write(directory, {file: beginning})
        outcome(directory, cache)


def test_the_engine_survives_beginnings_of_the_example(tmp_path: Path) -> None:
    directory = tmp_path / "config"
    shutil.copytree(CONFIG_EXAMPLE, directory)
    cache = Cache()
    for path in sorted(directory.rglob("*.yaml")):
        content = path.read_bytes()
        for beginning in prefixes(content, 12):
            path.write_bytes(beginning)
            outcome(directory, cache)
        path.write_bytes(content)


def test_the_engine_survives_mutations_of_the_example(tmp_path: Path) -> None:
    directory = tmp_path / "config"
    shutil.copytree(CONFIG_EXAMPLE, directory)
    cache = Cache()
    chance = random.Random(20261121)
    files = sorted(path for path in directory.rglob("*") if path.is_file())
    for _ in range(250):
        path = chance.choice(files)
        content = path.read_bytes()
        changed = content
        for _ in range(chance.randrange(1, 4)):
            place = chance.randrange(len(changed) + 1)
            cut = place + chance.choice((0, 0, 1, 5, 40))
            changed = changed[:place] + chance.choice((b"", *JUNK)) + changed[cut:]
        path.write_bytes(changed)
        outcome(directory, cache)
        path.write_bytes(content)
