"""Variables work inside strings only, and a patch changes what exists."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.config.writing import CLIENT, ROOT, read, refused, told, whole

VARS = """\
vars:
  host: {type: string, default: shop.example.com}
  base: {type: uri}
  days: {type: integer, default: 5}
  level: {type: enum, values: [info, debug], default: info}
"""
PRODUCTION = "vars: {base: 'https://login.example.com'}\n"


def changed(**files: str) -> Mapping[str, str]:
    """Declarations, one environment, and files whose names are written with __ for /."""
    named = {name.replace("__", "/") + ".yaml": text for name, text in files.items()}
    return {"op.yaml": ROOT + VARS, "environments/production.yaml": PRODUCTION, **named}


def test_the_variables_are_replaced_inside_strings_and_a_lone_dollar_stays(tmp_path: Path) -> None:
    text = CLIENT.replace("Webshop", "'$5 ${HOME} $${var.host}x'") + "default_max_age: ${var.days}\n"
    loaded = read(whole(tmp_path, changed(clients__webshop=text)), "production")
    client = loaded.declared.clients["webshop"]
    assert client.client_name == "$5 ${HOME} $shop.example.comx"
    assert client.default_max_age == 5


def test_the_variables_take_their_values_from_the_chosen_environment(tmp_path: Path) -> None:
    environment = "vars: {base: 'https://x.example', host: other.example.com}\n"
    text = CLIENT.replace("https://shop.example.com/callback", "'https://${var.host}/callback'")
    directory = whole(tmp_path, changed(environments__staging=environment, clients__webshop=text))
    uris = {name: read(directory, name).declared.clients["webshop"].redirect_uris for name in ("staging", "production")}
    assert uris == {
        "staging": ("https://other.example.com/callback",),
        "production": ("https://shop.example.com/callback",),
    }


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"clients__webshop": CLIENT.replace("Webshop", "${var.hots}")}, ("OP030", "clients/webshop.yaml", 2, 14)),
        ({"clients__webshop": CLIENT.replace("Webshop", "${var.host")}, ("OP030", "clients/webshop.yaml", 2, 14)),
        (
            {"environments__production": PRODUCTION[:-2] + ", bas: x}\n"},
            ("OP030", "environments/production.yaml", 1, 43),
        ),
        ({"environments__production": "vars: {}\n"}, ("OP031", "op.yaml", 5, 3)),
        ({"environments__production": "vars: {base: x y}\n"}, ("OP032", "environments/production.yaml", 1, 14)),
        ({"op": ROOT + VARS.replace("5}", "five}")}, ("OP032", "op.yaml", 6, 34)),
        ({"op": ROOT + VARS.replace("default: info}", "default: inf}")}, ("OP032", "op.yaml", 7, 55)),
        ({"op": ROOT + VARS.replace("enum", "enumm")}, ("OP104", "op.yaml", 7, 17)),
    ],
)
def test_the_variables_are_refused_where_they_are_wrong(
    tmp_path: Path, files: Mapping[str, str], expected: tuple[str, str, int, int]
) -> None:
    assert told(refused(whole(tmp_path, changed(**files)), "production").problems) == [expected]


def test_a_variable_without_a_value_is_told_once_and_not_where_it_is_used(tmp_path: Path) -> None:
    text = CLIENT.replace("https://shop.example.com/callback", "'${var.base}/callback'")
    problems = refused(whole(tmp_path, changed(clients__webshop=text))).problems
    assert told(problems) == [("OP031", "op.yaml", 5, 3)]


def test_an_unknown_environment_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    (problem,) = refused(whole(tmp_path, changed()), "prodution").problems
    assert problem.code == "OP034"
    assert problem.help is not None
    assert "`production`" in problem.help


def test_a_patch_merges_by_key_replaces_lists_and_takes_away(tmp_path: Path) -> None:
    patch = PRODUCTION + (
        "patch:\n"
        "  clients:\n"
        "    webshop: {redirect_uris: ['https://live.example.com/cb'], client_name: null, op: {consent: always}}\n"
        "  root: {log: {level: debug}}\n"
    )
    declared = read(whole(tmp_path, changed(environments__production=patch)), "production").declared
    client = declared.clients["webshop"]
    assert client.redirect_uris == ("https://live.example.com/cb",)
    assert (client.client_name, client.op.consent, client.op.profile) == ("", "always", "retail")
    assert declared.root.log.level == "debug"


def test_a_patch_can_take_a_whole_object_away(tmp_path: Path) -> None:
    patch = PRODUCTION + "patch: {clients: {webshop: null}}\n"
    assert read(whole(tmp_path, changed(environments__production=patch)), "production").declared.clients == {}


@pytest.mark.parametrize(
    ("patch", "expected"),
    [
        ("clients: {webshpo: {client_name: x}}", ("OP033", "environments/production.yaml", 2, 19)),
        ("clients: {webshop: {client_uri: null}}", ("OP033", "environments/production.yaml", 2, 29)),
        ("clients: {webshop: {client_nam: x}}", ("OP102", "environments/production.yaml", 2, 29)),
        ("clients: {webshop: {op: {consent: x}}}", ("OP104", "environments/production.yaml", 2, 43)),
        ("client: {webshop: {}}", ("OP102", "environments/production.yaml", 2, 9)),
    ],
)
def test_a_patch_that_matches_nothing_or_is_wrong_is_refused_at_its_own_place(
    tmp_path: Path, patch: str, expected: tuple[str, str, int, int]
) -> None:
    files = changed(environments__production=f"{PRODUCTION}patch: {{{patch}}}\n")
    assert told(refused(whole(tmp_path, files), "production").problems) == [expected]


def test_an_environment_that_is_not_chosen_is_checked_too(tmp_path: Path) -> None:
    problems = refused(whole(tmp_path, changed(environments__staging="var: {}\n")), "production").problems
    assert told(problems) == [("OP102", "environments/staging.yaml", 1, 1)]
