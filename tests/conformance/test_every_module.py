"""Every module of the plans has a test of its name or with its mark, and what operators get is whole."""

import ast
import json
from collections.abc import Iterator
from pathlib import Path

import yaml

from appliance.config.load import load
from appliance.options import PARTS
from deploy.conformance.prepare import Place, prepare
from tests.conformance.modules import MODULES, name_of_test

HERE = Path(__file__).parent


def walked() -> Iterator[tuple[str, str]]:
    """The modules that tests are marked with, and the names of the tests."""
    for file in HERE.glob("test_*.py"):
        for function in ast.walk(ast.parse(file.read_text())):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                calls = (each for each in function.decorator_list if isinstance(each, ast.Call))
                marks = (each for each in calls if ast.unparse(each.func) == "pytest.mark.conformance")
                yield from ((str(ast.literal_eval(word)), function.name) for mark in marks for word in mark.args)


def test_every_module_is_walked_by_a_test_of_its_name() -> None:
    assert {module for module, _ in walked()} == MODULES.keys()
    assert {(module, name_of_test(module)) for module in MODULES} <= set(walked())


def test_the_prepared_configuration_warns_of_loopback_alone(tmp_path: Path, certificate: tuple[Path, Path]) -> None:
    file, key = certificate
    place = Place("https://op.example.com", "https://suite.example/test/a/me", certificate=file, key=key, ca=file)
    prepare(tmp_path, place)
    loaded = load(tmp_path / "config", environment="run", parts=PARTS)
    # A suite on the same machine is asked over loopback; a warning of the process cannot be accepted in its file.
    assert [problem.code for problem in loaded.warnings] == ["OP267"]


def test_what_was_generated_is_kept_at_the_next_start(tmp_path: Path) -> None:
    place = Place("https://op.example.com", "https://suite.example/test/a/me", "127.0.0.1:8443")
    prepare(tmp_path, place)
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    prepare(tmp_path, place)
    assert {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()} == before


def test_plans_say_what_the_files_say(prepared: Path) -> None:
    plan = json.loads((prepared / "plans/client_secret_post.json").read_text())
    assert plan["alias"] == "appliance"
    assert plan["client"]["client_secret"] == (prepared / "config/secrets/secret-post-1").read_text()
    clients = yaml.safe_load((prepared / "config/clients/client-secret-post.yaml").read_text())["clients"]
    assert [plan["client"]["client_id"], plan["client2"]["client_id"]] == list(clients)
    for file in ("generated.json", "plans/dynamic.json", "config/secrets/salt"):
        assert (prepared / file).stat().st_mode & 0o077 == 0
