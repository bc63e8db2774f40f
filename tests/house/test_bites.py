"""Each rule bites: a small house that breaks it is complained about, and one that keeps it is not."""

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from tests.house.source import Module, read_modules
from tests.house.test_annotations import annotation_complaints
from tests.house.test_catalogue import catalogue_complaints
from tests.house.test_docstrings import docstring_complaints
from tests.house.test_fences import fence_complaints
from tests.house.test_floors import cycle_complaints, floor_complaints, part_complaints, room_cycle_complaints
from tests.house.test_imports import lazy_import_complaints, type_checking_complaints
from tests.house.test_marks import ONE_MACHINE, UNFINISHED, mark_complaints
from tests.house.test_names import name_complaints
from tests.house.test_sizes import size_complaints
from tests.house.test_strict_front import lenient_complaints, wire_complaints

Rule = Callable[[Iterable[Module]], list[str]]
BREACHES: list[tuple[Rule, dict[str, str]]] = [
    (floor_complaints, {"protocol/scope.py": "import appliance.jose", "jose/__init__.py": ""}),
    (floor_complaints, {"config/load.py": "from ..jose import keys", "jose/keys.py": ""}),
    (
        floor_complaints,
        {"profile/tokens.py": "def f():\n    from appliance import server", "server/__init__.py": ""},
    ),
    (floor_complaints, {"cellar/wine.py": ""}),
    (part_complaints, {"parts/a/x.py": "from appliance.parts.b import y", "parts/b/y.py": ""}),
    (part_complaints, {"parts/a/x.py": "from . import y", "parts/a/y.py": "", "parts/a/__init__.py": ""}),
    (cycle_complaints, {"config/a.py": "from . import b", "config/b.py": "def f():\n    from .a import g"}),
    (
        room_cycle_complaints,
        {
            "profile/a/x.py": "from appliance.profile.b import y",
            "profile/b/y.py": "",
            "profile/b/z.py": "from appliance.profile.a import w",
            "profile/a/w.py": "",
        },
    ),
    (fence_complaints, {"profile/tokens.py": "import jwcrypto.jwt"}),
    (fence_complaints, {"parts/sources/sql.py": "import msgspec"}),
    (fence_complaints, {"protocol/scope.py": "from orjson import loads"}),
    (type_checking_complaints, {"a.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import x"}),
    (lazy_import_complaints, {"a.py": "def f():\n    import json"}),
    (size_complaints, {"a.py": "x = 1\n" * 401}),
    (size_complaints, {"a.py": "def f():\n" + "    x = 1\n" * 60}),
    (size_complaints, {"a.py": "class A:\n    def f(self, a, b, c, d, *, e, f, g, **h): ..."}),
    (size_complaints, {"a.py": "def f(a, b, c, d, *, e, f, g, h): ..."}),
    (docstring_complaints, {"a.py": '"""A."""\nclass A:\n    x = 1'}),
    (annotation_complaints, {"a.py": "def f(a) -> int: ..."}),
    (annotation_complaints, {"a.py": "def f(a: int): ..."}),
    (name_complaints, {"client_utils.py": ""}),
    (name_complaints, {"a.py": "class HTTPHandler: ..."}),
    (name_complaints, {"a.py": "class UserInfo: ..."}),
    (name_complaints, {"a.py": "def process_request(): ..."}),
    (
        catalogue_complaints,
        {"parts/a/__init__.py": "from .x import X\nA = [X]", "parts/a/x.py": "", "parts/a/y.py": ""},
    ),
    (catalogue_complaints, {"parts/a/__init__.py": "from .x import X", "parts/a/x.py": ""}),
    (wire_complaints, {"server/a.py": "from aiohttp import web\ndef f(r: web.Request): return r.host"}),
    (wire_complaints, {"server/a.py": "from aiohttp.web import Request\ndef f(r: Request): return r.post()"}),
    (lenient_complaints, {"config/a.py": "import yaml\nyaml.safe_load('')"}),
    (lenient_complaints, {"config/a.py": "from yaml import load"}),
    (lenient_complaints, {"server/a.py": "from urllib.parse import parse_qs"}),
    (lenient_complaints, {"server/a.py": "import urllib.parse\nurllib.parse.parse_qsl('')"}),
    (wire_complaints, {"server/dispatch.py": "def f(raw: messages.Incoming): return raw.message.url"}),
]
SOUND: list[tuple[Rule, dict[str, str]]] = [
    (
        floor_complaints,
        {"cli/__init__.py": "from appliance import demo, __version__", "demo/__init__.py": ""},
    ),
    (
        part_complaints,
        {"parts/a/__init__.py": "from .x import X", "parts/a/x/__init__.py": "from .sql import Y"},
    ),
    (
        cycle_complaints,
        {
            "config/__init__.py": "from .a import f",
            "config/a.py": "from appliance.config import b",
            "config/b.py": "",
        },
    ),
    (
        fence_complaints,
        {"parts/stores/sqlite.py": "import msgspec", "jose/keys.py": "import cryptography.x509"},
    ),
    (
        lazy_import_complaints,
        {"a.py": "def f():\n    # --help must start at once\n    import rich\n    import json"},
    ),
    (size_complaints, {"a.py": "def f(a, b, c, d, *, e, f, g):\n" + "    x = 1\n" * 59}),
    (name_complaints, {"database.py": "class Metadata: ...\nclass Base64url: ..."}),
    (name_complaints, {"server/dispatch.py": "class Handler: ..."}),
    (catalogue_complaints, {"parts/a/__init__.py": "from . import x\nA = (x.X,)", "parts/a/x.py": ""}),
    (
        catalogue_complaints,
        {"parts/a/__init__.py": "from appliance.parts.a.x import X\nA = f([X])", "parts/a/x.py": ""},
    ),
    (wire_complaints, {"endpoints/a.py": "def f(request: Request): return request.host"}),
    (
        wire_complaints,
        {"server/messages.py": "from aiohttp import web\ndef f(r: web.Request): return r.host"},
    ),
    (lenient_complaints, {"protocol/form.py": "from urllib.parse import parse_qsl"}),
]


def build(root: Path, files: dict[str, str]) -> tuple[Module, ...]:
    """A house of the given files."""
    for name, text in files.items():
        path = root / "appliance" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return read_modules(root)


@pytest.mark.parametrize(("rule", "files"), BREACHES)
def test_a_breach_is_complained_about(rule: Rule, files: dict[str, str], tmp_path: Path) -> None:
    assert len(rule(build(tmp_path, files))) == 1


@pytest.mark.parametrize(("rule", "files"), SOUND)
def test_a_sound_house_is_left_in_peace(rule: Rule, files: dict[str, str], tmp_path: Path) -> None:
    assert rule(build(tmp_path, files)) == []


@pytest.mark.parametrize("line", ["# TO" + "DO: later", "raise NotImplemented" + "Error"])
def test_an_unfinished_mark_is_complained_about(line: str) -> None:
    assert mark_complaints([(Path("a.py"), line)], UNFINISHED)


@pytest.mark.parametrize(
    "line", ["cd /wor" + "k/main", "x = '/hom" + "e/me/x'", "https://pypi.or" + "g/simple"]
)
def test_a_path_or_host_of_one_machine_is_complained_about(line: str) -> None:
    assert mark_complaints([(Path("a.py"), line)], ONE_MACHINE)


@pytest.mark.parametrize("line", ["https://op.example.com/home/x", "/workforce/authorize", "todo = []"])
def test_an_ordinary_line_is_left_in_peace(line: str) -> None:
    assert not mark_complaints([(Path("a.py"), line)], ONE_MACHINE)
    assert not mark_complaints([(Path("a.py"), line)], UNFINISHED)
