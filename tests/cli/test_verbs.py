"""The verbs as an operator calls them."""

import json
import os
import re
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from appliance.cli import VERBS, main
from appliance.demo import scaffold
from tests.server.serving import PASSWORD, write_config


def run(*words: str, text: str | None = None) -> Result:
    """Call a verb in this process."""
    return CliRunner().invoke(main, list(words), input=text)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A small good configuration."""
    return write_config(tmp_path / "config")


def test_check_says_that_a_good_directory_is_good(config: Path) -> None:
    result = run("check", str(config))
    assert result.exit_code == 0, result.output
    assert result.output.splitlines() == [
        "good: 1 profile, 1 client",
        "main: policy password (password) reaches urn:example:acr:password",
    ]


def test_check_exits_with_1_and_the_place_of_every_mistake(config: Path) -> None:
    client = config / "clients" / "sample.yaml"
    client.write_text(client.read_text() + "redirect_uri: x\nscop: [openid]\n")
    result = run("check", str(config))
    assert result.exit_code == 1
    lines = len(client.read_text().splitlines())
    for line in (lines - 1, lines):
        assert f"clients/sample.yaml:{line}:1" in result.output
    assert "did you mean `redirect_uris`" in result.output


def test_check_answers_in_json_as_the_status_does(config: Path) -> None:
    reached = {"profile": "main", "policy": "password", "steps": ["password"], "acr": ["urn:example:acr:password"]}
    good = {"ok": True, "problems": [], "reaches": [reached]}
    assert json.loads(run("check", "--format", "json", str(config)).output) == good
    (config / "op.yaml").write_text("version: 1\n")
    result = run("check", "--format", "json", str(config))
    document = json.loads(result.output)
    assert result.exit_code == 1
    assert document["ok"] is False
    assert all(problem["file"] for problem in document["problems"])


def test_check_exits_with_2_where_there_is_no_directory(tmp_path: Path) -> None:
    assert run("check", str(tmp_path / "nowhere")).exit_code == 2
    assert run("check", "--no-such-option").exit_code == 2


def test_check_exits_with_3_for_warnings_under_strict_only(config: Path) -> None:
    (config / "clients" / "stray.txt").write_text("ignored")
    (config / "stray.yaml").write_text("a: b\n")
    assert run("check", str(config)).exit_code == 0
    result = run("check", "--strict", str(config))
    assert result.exit_code == 3
    assert "warning" in result.output


@pytest.mark.attack("CF-16")
def test_check_without_secrets_reads_none(config: Path) -> None:
    (config / "secrets" / "anna").unlink()
    assert run("check", str(config)).exit_code == 1
    assert run("check", "--no-secrets", str(config)).exit_code == 0


@pytest.mark.attack("CF-16")
def test_check_never_prints_a_secret(config: Path) -> None:
    (config / "secrets" / "anna").write_text("hunter2-in-plain\n")
    result = run("check", str(config))
    assert "hunter2" not in result.output


@pytest.mark.attack("TH-07")
def test_check_refuses_a_theme_that_never_ends(config: Path) -> None:
    theme = config / "themes" / "endless" / "templates"
    theme.mkdir(parents=True)
    (theme.parent / "theme.yaml").write_text("extends: default\n")
    loops = "".join(f"{{% for a{n} in [1,2,3,4,5,6,7,8,9,0] %}}" for n in range(9))
    body = loops + "x" + "{% endfor %}" * 9
    (theme / "login.html").write_text(f'{{% extends "base:login.html" %}}{{% block content %}}{body}{{% endblock %}}')
    began = time.process_time()
    result = run("check", str(config))
    assert result.exit_code == 1, result.output
    assert "themes/endless/templates/login.html" in result.output
    assert time.process_time() - began < 20


def test_an_empty_folder_becomes_a_configuration_of_at_most_sixty_lines(tmp_path: Path) -> None:
    directory = tmp_path / "mine"
    result = run("demo", "--empty", str(directory))
    assert result.exit_code == 0, result.output
    texts = [path.read_text() for path in directory.rglob("*.yaml")]
    assert sum(len(text.splitlines()) for text in texts) <= scaffold.MAX_LINES
    assert run("check", "--strict", str(directory)).exit_code == 0
    assert {path.stat().st_mode & 0o077 for path in (directory / "secrets").iterdir()} == {0}


def test_a_folder_that_is_not_empty_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("precious")
    result = run("demo", "--empty", str(tmp_path))
    assert result.exit_code == 1
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_two_scaffolds_share_no_secret(tmp_path: Path) -> None:
    for name in "ab":
        scaffold.write(tmp_path / name, lambda _: PASSWORD)
    assert (tmp_path / "a" / "secrets" / "sample").read_text() != (tmp_path / "b" / "secrets" / "sample").read_text()


def test_a_new_secret_is_shown_once_with_the_line_that_knows_it() -> None:
    result = run("secret", "new")
    secret = re.search(r": (\S{43})$", result.output, re.MULTILINE)
    assert secret is not None
    assert f"sha256:{sha256(secret[1].encode()).hexdigest()}" in result.output
    assert run("secret", "new").output != result.output


def test_a_password_is_hashed_and_never_an_argument() -> None:
    result = run("hash-password", text="correct horse\n")
    assert result.exit_code == 0, result.output
    assert re.fullmatch(r"\$argon2id\$v=19\$m=19456,t=2,p=1\$\S+\n", result.output)
    assert run("hash-password", "correct horse").exit_code == 2
    assert run("hash-password", text="\n").exit_code == 2


@pytest.mark.parametrize("word", ["OP102", "op102", "OP801", "OP726", "client.redirect_uris", "profile.ttl.id_token"])
def test_explain_knows_codes_and_keys(word: str) -> None:
    result = run("explain", word)
    assert result.exit_code == 0
    assert word.upper() in result.output or word in result.output


def test_explain_finds_every_key_of_every_family() -> None:
    from appliance.cli.explain import all_keys, explain_key

    keys = list(all_keys())
    assert len(keys) > 100
    for key in keys:
        assert next(iter(explain_key(key))) == key


def test_explain_suggests() -> None:
    result = run("explain", "client.redirct_uris")
    assert result.exit_code == 2
    assert "client.redirect_uris" in result.output


@pytest.mark.parametrize("verb", ["status", "reload", "healthcheck", "keys rotate", "revoke --user anna"])
def test_a_provider_that_does_not_answer_is_exit_2(verb: str) -> None:
    result = run(*verb.split(), "--admin", "http://127.0.0.1:1")
    assert result.exit_code == 2
    assert "nobody answers" in result.output
    assert run(*verb.split(), "--admin", "file:///etc/passwd").exit_code == 2


def test_help_names_every_verb_and_imports_none() -> None:
    code = (
        "import sys, time; from appliance.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'aiohttp', 'jwcrypto', 'yaml', 'jinja2', 'jsonschema', 'uvloop'} & set(sys.modules)\n"
        "print(sorted(heavy), time.process_time(), file=sys.stderr)"
    )
    whole = {**os.environ, "COLUMNS": "120"}
    taken = []
    for _ in range(3):
        found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=whole)
        heavy, _, seconds = found.stderr.rpartition(" ")
        assert heavy == "[]"
        taken.append(float(seconds))
    for verb in VERBS:
        assert verb in found.stdout
    # Less than 150 ms where nobody else is at work.
    assert min(taken) < 0.3
    for verb in VERBS:
        assert run(verb, "--help").exit_code == 0


def test_serve_without_a_directory_is_a_mistake_of_usage() -> None:
    assert run("serve").exit_code == 2
