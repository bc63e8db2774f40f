"""Rules that a golden file cannot tell: those of time, of absence, and of secrets that are not read."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from appliance.config.load import load
from appliance.config.rules.private_key import fault
from appliance.config.rules.weak_secrets import is_placeholder
from tests.config.test_cases import HERE, MINIMAL, PARTS, read


def test_it_warns_of_the_last_secret_while_there_is_time(tmp_path: Path) -> None:
    shutil.copytree(MINIMAL, tmp_path, dirs_exist_ok=True)
    soon = (datetime.now(UTC) + timedelta(days=10, hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    client = tmp_path / "clients" / "shop.yaml"
    written = client.read_text(encoding="utf-8")
    client.write_text(written.replace('4944c"}', f'4944c", not_after: "{soon}"}}'), encoding="utf-8")
    loaded, said = read(tmp_path)
    assert loaded is not None
    assert "warning[OP912]: the last secret of this client ends in 10 days" in said


def test_it_says_that_nothing_is_served(tmp_path: Path) -> None:
    shutil.copy(MINIMAL / "op.yaml", tmp_path)
    loaded, said = read(tmp_path)
    assert loaded is not None
    assert "warning[OP264]" in said


@pytest.mark.parametrize("case", ["salts", "weak-client-secrets", "signing-keys"])
def test_it_judges_no_secret_that_it_did_not_read(case: str, tmp_path: Path) -> None:
    shutil.copytree(MINIMAL, tmp_path, dirs_exist_ok=True)
    shutil.copytree(HERE / "rejected" / case, tmp_path, dirs_exist_ok=True)
    for place in ("profiles/main.yaml", "profiles/hashed.yaml"):
        (tmp_path / place).unlink(missing_ok=True)
    shutil.copy(MINIMAL / "profiles" / "main.yaml", tmp_path / "profiles")
    client = tmp_path / "clients" / "shop.yaml"
    kept = [line for line in client.read_text(encoding="utf-8").splitlines() if "id: hashed" not in line]
    client.write_text("\n".join(kept), encoding="utf-8")
    load(tmp_path, environment=None, parts=PARTS, secrets=False)


@pytest.mark.attack("PS-02", "CA-43")
@pytest.mark.parametrize(
    "value", [b"changeme", b"Change-Me-please-change-me-please-now", b"secret123", b"<insert salt here>", b"aaaaaaaa"]
)
def test_it_knows_a_placeholder(value: bytes) -> None:
    assert is_placeholder(value)


@pytest.mark.parametrize("value", [b"0e9d12f0ef9f0a87209df6ec50215283", b"v5Tq0mYp8Zc2LxWn"])
def test_it_takes_a_random_value_for_one(value: bytes) -> None:
    assert not is_placeholder(value)


@pytest.mark.attack("JW-05")
@pytest.mark.spec("RFC 7518", "3.3")
@pytest.mark.parametrize(
    ("content", "alg", "words"),
    [
        (b"", "RS256", "neither PEM nor a JWK"),
        (b"{}", "RS256", "no member `d`"),
        (b'{"kty":"EC","d":"x"}', "RS256", "does not go with RS256"),
        (b'{"kty":"RSA","d":"x","n":"AQAB"}', "RS256", "has 17 bits"),
        (b'{"kty":"RSA","d":"x","n":"*"}', "RS256", "not base64url"),
        (b'{"kty":"RSA","d":"x","alg":"RS256"}', "PS256", "another algorithm"),
        (b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----", "RS256", "a password"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "RS256", "a certificate"),
        (b"-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----", "RS256", "of type EC"),
        (b"-----BEGIN PRIVATE KEY-----\nA\n-----END PRIVATE KEY-----", "RS256", "not base64"),
    ],
)
def test_it_tells_what_is_wrong_with_a_key(content: bytes, alg: str, words: str) -> None:
    assert words in (fault(content, alg) or "")


def test_it_takes_a_good_key() -> None:
    keys = HERE / "rejected" / "signing-keys" / "keys"
    assert fault((keys / "good.pem").read_bytes(), "RS256") is None
    assert "1024 bits" in (fault((keys / "short.pem").read_bytes(), "RS256") or "")
