"""Themes that passed are not rehearsed at every start; whatever changes, they are."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.config.problems import ConfigRejected
from appliance.server import checking, rehearsed
from appliance.server.builder import Builder, Refused
from appliance.server.checking import Checker
from appliance.server.child import start_asked
from appliance.server.place import Place
from appliance.server.rehearsed import NAME, Rehearsed

GOOD = '{% extends "base:login.html" %}\n'
BROKEN = "{{ page.no.such.thing }}\n"


@pytest.fixture
def template(config: Path) -> Path:
    """The one template of a theme of the operator's own."""
    theme = config / "themes" / "mine"
    (theme / "templates").mkdir(parents=True)
    (theme / "theme.yaml").write_text("name: Mine\n")
    (theme / "templates" / "login.html").write_text(GOOD)
    return theme / "templates" / "login.html"


@pytest.fixture
def rehearsals(monkeypatch: pytest.MonkeyPatch) -> list[frozenset[str]]:
    """Which themes were rehearsed, each time that any were."""
    seen: list[frozenset[str]] = []
    real = checking._rehearse

    def rehearse(themes: object, own: frozenset[str]) -> object:
        seen.append(own)
        return real(themes, own)  # type: ignore[arg-type]

    monkeypatch.setattr(checking, "_rehearse", rehearse)
    return seen


@pytest.fixture
def start(config: Path, state: Path) -> Callable[[], object]:
    """A check as the child of a new process does it."""
    return lambda: Checker(None, rehearsed=Rehearsed(state)).check(config)


def test_themes_that_passed_are_rehearsed_once(
    template: Path, start: Callable[[], object], rehearsals: list[frozenset[str]]
) -> None:
    start()
    start()
    assert rehearsals == [frozenset({"mine"})]


def test_a_theme_that_changed_is_rehearsed_and_refused(
    template: Path, start: Callable[[], object], rehearsals: list[frozenset[str]]
) -> None:
    start()
    changed = os.stat(template)
    # As long as before, and as old: only what is in it counts.
    template.write_text(BROKEN.ljust(len(GOOD)))
    os.utime(template, ns=(changed.st_atime_ns, changed.st_mtime_ns))
    for _ in range(2):
        with pytest.raises(ConfigRejected):
            start()
    template.write_text(GOOD)
    start()
    assert len(rehearsals) == 3


@pytest.mark.parametrize("file", ["theme.yaml", "assets/a.css", "messages/en.yaml"])
def test_every_file_of_a_theme_counts(
    template: Path, start: Callable[[], object], rehearsals: list[frozenset[str]], file: str
) -> None:
    start()
    target = template.parent.parent / file
    target.parent.mkdir(exist_ok=True)
    target.write_text({"theme.yaml": "name: Other\n", "assets/a.css": "a { color: red }\n"}.get(file, "{}\n"))
    start()
    assert len(rehearsals) == 2


def test_a_theme_with_a_warning_is_rehearsed_every_time(
    template: Path, start: Callable[[], object], rehearsals: list[frozenset[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "_rehearse", lambda themes, own: rehearsals.append(own) or (object(),))
    themes = {"mine": checking.ThemeFiles("mine", "themes/mine", {}, {}, {}, {})}
    for _ in range(2):
        assert len(checking.check_themes(themes, Rehearsed(template.parent))) == 1
    assert len(rehearsals) == 2


def test_another_program_rehearses_again(
    template: Path, start: Callable[[], object], rehearsals: list[frozenset[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    start()
    monkeypatch.setattr(rehearsed, "_program", lambda: iter([("appliance/pages/sandbox.py", 1, 2)]))
    start()
    assert len(rehearsals) == 2


def test_the_program_is_every_module_that_judges_pages() -> None:
    names = {name for name, _, _ in rehearsed._program()}
    for needed in ("appliance/pages/sandbox.py", "jinja2/sandbox.py", "babel/messages/catalog.py"):
        assert any(name.endswith(needed) for name in names), needed


def test_what_is_remembered_need_not_be_readable_or_writable(
    template: Path, start: Callable[[], object], rehearsals: list[frozenset[str]], state: Path
) -> None:
    state.mkdir()
    (state / NAME).mkdir()
    start()
    (state / NAME).rmdir()
    (state / NAME).write_bytes(b"\xff" * 64)
    start()
    assert len(rehearsals) == 2


def test_a_check_without_a_state_always_rehearses(
    template: Path, config: Path, rehearsals: list[frozenset[str]]
) -> None:
    Checker(None).check(config)
    Checker(None).check(config)
    assert len(rehearsals) == 2


async def test_a_start_remembers_and_a_later_change_is_still_refused(template: Path, config: Path, state: Path) -> None:
    place = Place(config, None, state)
    for _ in range(2):
        builder = Builder.of_asked(place, start_asked(place))
        assert (await builder.build(config)).declared.themes
        await builder.close()
        assert (state / NAME).is_file()
    (config / "themes" / "mine" / "templates" / "login.html").write_text(BROKEN)
    builder = Builder.of_asked(place, start_asked(place))
    with pytest.raises(Refused) as refused:
        await builder.build(config)
    assert "OP72" in refused.value.rejected.diagnosis.text
    await builder.close()


def test_the_http_library_is_loaded_without_authorities_and_the_environment_stays() -> None:
    code = """
import os, ssl
from appliance.server.launch import _load_http
os.environ["SSL_CERT_FILE"] = "/somewhere"
before = dict(os.environ)
_load_http()
assert dict(os.environ) == before
from aiohttp import connector
assert connector._SSL_CONTEXT_VERIFIED.verify_mode is ssl.CERT_REQUIRED
assert connector._SSL_CONTEXT_VERIFIED.cert_store_stats()["x509"] == 0
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_child_is_started_before_anything_heavy_is_loaded() -> None:
    code = (
        "import sys, appliance.cli.serve, appliance.cli.demo\n"
        "heavy = {'aiohttp', 'cryptography', 'jinja2', 'appliance.config', 'appliance.protocol', 'appliance.seams'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    looked = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert looked.stdout == "[]\n"
