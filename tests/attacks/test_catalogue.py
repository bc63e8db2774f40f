"""The catalogue of attacks: each is tried by a test that bears its id, or waits for a feature that is not there yet."""

import ast
import re
from collections.abc import Iterator
from functools import cache

import pytest

from appliance.parts.client_auth_methods import CLIENT_AUTH_METHODS
from appliance.parts.grant_types import GRANT_TYPES
from appliance.parts.sources import SOURCES
from tests.attacks.catalogue import ATTACKS, PARTLY, WAITING
from tests.house.source import ROOT

ID = re.compile(r"[A-Z]{2}-[0-9]{2}")
ALL = frozenset(one for ids in ATTACKS.values() for one in ids)
#: What the product would have if a feature were there.
SIGNS = {
    "LDAP authority": "ldap",
    "SOAP authority": "soap",
}


def marked(tree: ast.AST) -> Iterator[str]:
    """The ids of every `pytest.mark.attack(...)` in a file."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.attack":
            yield from (str(argument.value) for argument in node.args if isinstance(argument, ast.Constant))


@cache
def tried() -> frozenset[str]:
    """All ids that tests bear."""
    files = (ROOT / "tests").rglob("test_*.py")
    texts = (file.read_text(encoding="utf-8") for file in files)
    return frozenset(one for text in texts if "mark.attack(" in text for one in marked(ast.parse(text)))


def test_every_id_is_a_word_and_stands_once() -> None:
    listed = [one for ids in ATTACKS.values() for one in ids]
    assert len(listed) == len(ALL)
    assert [one for one in sorted({*listed, *WAITING, *tried()}) if not ID.fullmatch(one)] == []
    assert WAITING.keys() <= ALL
    assert PARTLY.keys() <= ALL - WAITING.keys()


def test_every_attack_is_tried_unless_its_feature_is_not_there() -> None:
    assert sorted(ALL - tried()) == sorted(WAITING), "a test without its id, or a row of WAITING that may go"


@pytest.mark.parametrize(("feature", "sign"), SIGNS.items())
def test_no_attack_waits_for_a_feature_that_is_there(feature: str, sign: str) -> None:
    assert feature in {*WAITING.values(), *PARTLY.values()}, "a sign of a feature for which nothing waits"
    assert sign not in {*GRANT_TYPES, *CLIENT_AUTH_METHODS, *SOURCES}
