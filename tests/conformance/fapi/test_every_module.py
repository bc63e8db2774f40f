"""Every module of the FAPI plans is walked by a test with its mark, and what operators get is whole."""

import ast
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from appliance.config.load import load
from appliance.options import PARTS
from deploy.conformance.prepare import Place
from deploy.conformance.prepare_fapi import MODES, FapiPlace, prepare_fapi
from tests.conformance.fapi.modules import MODULES
from tests.conformance.fapi.suite import BASE, GROUPS, MTLS, RESOURCE, SUITE_URL

HERE = Path(__file__).parent
PLANS = {
    *GROUPS,
    *(f"{group}-oauth" for group in GROUPS),
    *(f"ciba-{auth}-{mode}" for auth in ("key", "mtls") for mode in MODES),
}


def walked() -> Iterator[str]:
    """The modules that tests are marked with."""
    for file in HERE.glob("test_*.py"):
        tree = ast.parse(file.read_text())
        known = {
            node.targets[0].id: node.value.value
            for node in tree.body
            if isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Name)
            and isinstance(node.value, ast.Constant)
        }
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            if ast.unparse(call.func) == "pytest.mark.conformance":
                for word in call.args:
                    yield from read(word, known)


def read(word: ast.expr, known: Mapping[str, Any]) -> Iterator[str]:
    """The modules of one argument of a mark: a text, or a starred row of texts."""
    source = ast.unparse(word.value if isinstance(word, ast.Starred) else word)
    found = eval(source, dict(known))
    yield from [found] if isinstance(found, str) else found


def test_every_module_is_walked_by_a_test() -> None:
    assert set(walked()) == MODULES.keys()


def test_the_prepared_configuration_warns_of_loopback_alone(
    prepared_fapi: Path,
) -> None:
    loaded = load(prepared_fapi / "config", environment="run", parts=PARTS)
    assert [problem.code for problem in loaded.warnings] == ["OP267"]


def test_what_was_generated_is_kept_at_the_next_start(tmp_path: Path, certificate: tuple[Path, Path]) -> None:
    where = FapiPlace(Place(BASE, SUITE_URL, certificate=certificate[0], key=certificate[1]), MTLS, RESOURCE)
    prepare_fapi(tmp_path, where)
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    prepare_fapi(tmp_path, where)
    assert {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()} == before


@pytest.mark.parametrize("name", sorted(PLANS))
def test_plans_say_what_the_files_say(prepared_fapi: Path, name: str) -> None:
    plan = json.loads((prepared_fapi / f"plans/{name}.json").read_text())
    clients = yaml.safe_load((prepared_fapi / f"config/clients/{name.split('-')[0]}.yaml").read_text())["clients"]
    assert plan["alias"] == "appliance"
    assert {file.stem for file in (prepared_fapi / "plans").iterdir()} == PLANS
    for member, mtls in (("client", "mtls"), ("client2", "mtls2")):
        client = clients[plan[member]["client_id"]]
        (private,), (public,) = plan[member]["jwks"]["keys"], client["jwks"]["keys"]
        assert private.keys() > public.keys() and private["n"] == public["n"]
        assert not {"d", "p", "q"} & public.keys()
        assert set(plan[member]["scope"].split()) <= set(client["scope"].split())
        assert "client_secret" not in plan[member]
        assert all(plan[mtls][part].startswith("-----BEGIN ") for part in ("cert", "key", "ca"))
        assert client["tls_client_certificate_bound_access_tokens"] is not name.removesuffix("-oauth").endswith("dpop")
    assert plan["mtls"]["key"] != plan["mtls2"]["key"]
    for file in ("generated.json", f"plans/{name}.json"):
        assert (prepared_fapi / file).stat().st_mode & 0o077 == 0
