"""Theme folders: read whole, without scripts, and never from outside."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.config.writing import read, refused, told, whole

THEME = "theme_api: 1\nname: Sun\nextends: default\n"


def test_the_engine_reads_a_theme_whole(tmp_path: Path) -> None:
    files: Mapping[str, str | bytes] = {
        "themes/sun/theme.yaml": THEME,
        "themes/sun/README.md": "",
        "themes/sun/messages/fi.yaml": 'login.title: Kirjaudu\nlogin: {other: "Muu"}\n',
        "themes/sun/templates/login.html": "<p>é</p>",
        "themes/sun/assets/logo.svg": b"<svg/>",
        "themes/sun/assets/fonts/a.woff2": b"\x00\xff",
    }
    theme = read(whole(tmp_path, files)).declared.themes["sun"]
    assert (theme.id, theme.origin, theme.settings["name"]) == ("sun", "themes/sun", "Sun")
    assert theme.messages == {"fi": {"login.title": "Kirjaudu", "login.other": "Muu"}}
    assert theme.templates == {"login.html": "<p>é</p>"}
    assert theme.assets == {"logo.svg": b"<svg/>", "fonts/a.woff2": b"\x00\xff"}


def test_the_engine_has_the_built_in_themes(tmp_path: Path) -> None:
    themes = read(whole(tmp_path)).declared.themes
    assert themes["default"].origin == "built in"
    assert "login.html" in themes["default"].templates


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"themes/sun/messages/fi.yaml": "a: b\n"}, ("OP701", "themes/sun/theme.yaml", 0, 0)),
        ({"themes/sun/theme.yaml": THEME, "themes/sun/assets/x.js": ""}, ("OP702", "themes/sun/assets/x.js", 0, 0)),
        ({"themes/sun/theme.yaml": THEME, "themes/sun/assets/x.html": ""}, ("OP702", "themes/sun/assets/x.html", 0, 0)),
        ({"themes/sun/theme.yaml": THEME, "themes/sun/x.py": ""}, ("OP702", "themes/sun/x.py", 0, 0)),
        ({"themes/sun/theme.yaml": THEME, "themes/sun/messages/fi.yaml": "a: 5\n"},
         ("OP703", "themes/sun/messages/fi.yaml", 1, 4)),
        ({"themes/sun/theme.yaml": THEME + "nam: x\n"}, ("OP102", "themes/sun/theme.yaml", 4, 1)),
        ({"themes/sun/theme.yaml": THEME, "themes/sun/templates/a.html": b"\xff"},
         ("OP006", "themes/sun/templates/a.html", 0, 0)),
    ],
)  # fmt: skip
def test_the_engine_refuses_a_theme_with_other_things(
    tmp_path: Path, files: Mapping[str, str | bytes], expected: tuple[str, str, int, int]
) -> None:
    assert expected in told(refused(whole(tmp_path, files)).problems)


@pytest.mark.attack("CF-14")
def test_the_engine_reads_no_theme_file_from_outside(tmp_path: Path) -> None:
    directory = whole(tmp_path / "config", {"themes/sun/theme.yaml": THEME, "themes/sun/assets/a.svg": ""})
    (directory / "themes/sun/assets/b.svg").symlink_to("/etc/passwd")
    assert ("OP004", "themes/sun/assets/b.svg", 0, 0) in told(refused(directory).problems)
