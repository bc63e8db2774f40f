"""No message, excerpt or digest shows a secret, wherever and however wrongly it was written."""

import itertools
from pathlib import Path

import pytest

from appliance.config import secrecy
from appliance.config.problems import Problem
from appliance.config.rendering import render_json, render_text
from tests.config.writing import CLIENT, WHOLE, refused, whole

CANARY = "hunter2-Canary"


def said(directory: Path) -> str:
    """Everything that is said of a refused configuration."""
    rejected = refused(directory)
    return render_text(rejected.problems, rejected.excerpts, colour=True) + render_json(rejected.problems)


@pytest.mark.attack("CF-16")
@pytest.mark.parametrize(
    "secrets",
    [
        f"client_secrets: [{{id: a, hash: {CANARY}}}]\n",
        f"client_secrets: [{{id: a, hash: [{CANARY}]}}]\n",
        f"client_secrets: [{{id: a, value: x, secret: {CANARY}, idd: x}}]\n",
        f"client_secrets: [{CANARY}]\n",
        f"client_secrets: {CANARY}\n",
        f"client_secrets:\n  - {CANARY}\n",
        f"client_secrets:\n- {CANARY}\n",
        f"client_secrets:\n  - id: a\n    hash:\n      {CANARY}\n",
        f"client_secrets:\n  - id: a\n    hash: |\n      {CANARY}\n",
        f"client_secret: {CANARY}\n",
        f'client_secret: "{CANARY}" \n',
        f"client_secret: '{CANARY}'\nclient_secret: '{CANARY}'\n",
        f"client_secret: [{CANARY}, {CANARY}]\n",
        f"op: {{profile: retail, password: {CANARY}, x: no}}\n",
        f"op: {{profile: 1, 'api-key': '{CANARY}, x', y: 1}}\n",
        f"client_secret: &x {CANARY}\n\tbroken\n",
        f"password: {CANARY} broken: [\n",
        f"password: !!binary {CANARY}\n",
        f'password: "\\0{CANARY}"\n',
    ],
)
def test_the_engine_never_shows_a_secret_of_a_client(tmp_path: Path, secrets: str) -> None:
    text = secrets if secrets.startswith("op:") else secrets + "op: {profile: retail}\n"
    answer = said(whole(tmp_path, {"clients/a.yaml": "client_id: a\n" + text}))
    assert CANARY not in answer
    assert "clients/a.yaml" in answer


@pytest.mark.attack("CF-16")
@pytest.mark.parametrize("word", ["0123456", "1:30", "2026-12-15", "1e30", "~"])
def test_the_engine_does_not_repeat_an_ambiguous_word_that_is_a_password(tmp_path: Path, word: str) -> None:
    answer = said(whole(tmp_path, {"clients/a.yaml": f"client_id: a\npassword: {word}\nop: {{profile: retail}}\n"}))
    assert word not in answer.replace("~~", "")


@pytest.mark.attack("CF-16")
def test_the_engine_does_not_show_a_salt_written_in_place_of_its_reference(tmp_path: Path) -> None:
    profile = WHOLE["profiles/retail.yaml"] + f"pairwise: {{salt: {CANARY}, sal: 1}}\n"
    assert CANARY not in said(whole(tmp_path, {"profiles/retail.yaml": profile}))


@pytest.mark.attack("CF-16")
@pytest.mark.parametrize("content", [f"{CANARY}\n" * 9000, "", "\n"])
def test_the_engine_does_not_show_what_is_in_a_secret_file(tmp_path: Path, content: str) -> None:
    profile = WHOLE["profiles/retail.yaml"] + "pairwise: {salt: {file: secrets/salt}}\n"
    answer = said(whole(tmp_path, {"profiles/retail.yaml": profile, "secrets/salt": content}))
    assert CANARY not in answer
    assert "secrets/salt" in answer


def test_the_engine_shows_where_a_secret_is_read_from(tmp_path: Path) -> None:
    text = CLIENT + "client_secrets: [{id: a, file: secrets/shop, idd: x}]\n"
    answer = said(whole(tmp_path, {"clients/webshop.yaml": text}))
    assert "client_secrets: [{id: a, file: secrets/shop, idd: x}]" in answer


@pytest.mark.parametrize(
    ("line", "masked"),
    [
        ("password: abc", "password: ***"),
        ("  - {id: x, hash: abc, y: 1}", "  - {id: x, hash: ***, y: 1}"),
        ('secret: "a, b" # why', "secret: ****** # why"),
        ("token_endpoint_auth_method: none", "token_endpoint_auth_method: none"),
        ("ttl: {id_token: 5m, refresh_token: {idle: 30d}}", "ttl: {id_token: 5m, refresh_token: {idle: 30d}}"),
        ("salt: {file: secrets/salt}", "salt: {file: secrets/salt}"),
        ("'api_key' : abc", "'api_key' : ***"),
        ("require_pkce: true", "require_pkce: true"),
    ],
)
def test_the_mask_covers_values_of_secrets_and_nothing_else(line: str, masked: str) -> None:
    problem = Problem("OP011", "error", "a", 1, 1, 1, "")
    assert secrecy.excerpts([problem], {"a": line + "\n"}, frozenset())["a"][1].text == masked


def test_the_mask_covers_every_line_of_a_long_secret() -> None:
    text = f"a: x\nprivate_key: |\n  {CANARY}\n\n  {CANARY}\nb: y\n"
    found = [Problem("OP011", "error", "a", line, 1, 1, "") for line in range(1, 7)]
    shown = secrecy.excerpts(found, {"a": text}, frozenset())["a"]
    assert [line.text.strip("* ") for line in shown.values()] == ["a: x", "private_key: |", "", "", "", "b: y"]


def test_the_excerpt_of_a_very_long_line_is_a_window_around_the_place() -> None:
    problem = Problem("OP011", "error", "a", 1, 5000, 3, "")
    line = secrecy.excerpts([problem], {"a": "x" * 4999 + "yyy" + "x" * 5000}, frozenset())["a"][1]
    assert len(line.text) < 300
    assert line.text[5000 - 1 - line.start :].startswith("yyyx")


def test_the_names_of_secrets_do_not_include_settings() -> None:
    settings = ("id_token", "access_token", "refresh_token", "token_endpoint_auth_method", "password_hashing", "file")
    secrets = ("client_secret", "password", "salt", "api_key", "private-key", "hash", "X.Token", "bearer", "totp")
    assert [name for name in itertools.chain(settings, secrets) if secrecy.is_secret_name(name)] == list(secrets)


@pytest.mark.attack("CF-16")
@pytest.mark.parametrize(
    "text",
    [
        "client_secrets:\n  - {id: a, value: hunter2}",
        "client_secrets:\n  - id: a\n    plain: hunter2",
        "password: {value: hunter2, file: x}",
        "totp:\n  key: hunter2",
    ],
)
def test_a_value_written_down_where_a_reference_belongs_is_masked_too(text: str) -> None:
    last = len(text.splitlines())
    problem = Problem("OP102", "error", "clients/x.yaml", last, 1, 1, "unknown key", None)
    shown = secrecy.excerpts([problem], {"clients/x.yaml": text}, frozenset())
    assert "hunter2" not in str(shown)
