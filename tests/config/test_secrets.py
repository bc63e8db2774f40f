"""Secret references: resolved to values that do not show, or refused at their place."""

import os
from pathlib import Path

import pytest

from appliance.config.load import load
from appliance.config.problems import Unreadable
from appliance.config.secrets import MAX_BYTES, SecretResolver
from appliance.protocol.secret import Secret
from tests.config.writing import PARTS, WHOLE, read, whole, write

HASH = "sha256:2bd806c97f0e00af1a1fc3328fa763a9269723c8db8fac4f93af71db186d6e90"


def resolve(directory: Path, reference: object, environ: dict[str, str] | None = None) -> Secret:
    """The secret of a reference."""
    return SecretResolver(directory, environ or {}, enabled=True).resolve(reference)


def test_the_secrets_come_from_hashes_files_and_variables(tmp_path: Path) -> None:
    write(tmp_path, {"s/one": b"top\xffsecret\n", "s/two": "kept\n\n"})
    assert resolve(tmp_path, {"file": "s/one"}).value == b"top\xffsecret"
    assert resolve(tmp_path, {"file": str(tmp_path / "s/two")}).value == b"kept\n"
    assert resolve(tmp_path, "s/one").value == b"top\xffsecret"
    assert resolve(tmp_path, {"env": "X"}, {"X": "väl"}).value == "väl".encode()
    hashed = resolve(tmp_path, {"hash": HASH})
    assert (hashed.hashed, hashed.value.hex()) == ("sha256", HASH[7:])
    assert hashed.matches(b"alice")


def test_the_secrets_do_not_show(tmp_path: Path) -> None:
    write(tmp_path, {"s": "hunter2"})
    secret = resolve(tmp_path, {"file": "s"})
    assert "hunter2" not in f"{secret} {secret!r}"
    assert "file:s" in str(secret)


@pytest.mark.parametrize(
    "reference",
    [
        {"file": "missing"}, {"file": "empty"}, {"file": "large"}, {"file": "directory"}, {"file": "pipe"},
        {"file": "line"}, {"file": "a\0b"}, {"env": "MISSING"}, {"env": "EMPTY"}, {"hash": "sha256:abc"},
        {"hash": HASH.upper()}, {"hash": "md5:abc"}, {"ref": "vault:x"}, {}, {"file": "a", "env": "b"}, {"file": 1}, 5,
        None,
    ],
)  # fmt: skip
def test_the_secrets_are_refused_when_there_is_none(tmp_path: Path, reference: object) -> None:
    write(tmp_path, {"empty": "", "line": "\n", "large": b"x" * (MAX_BYTES + 1), "directory/x": ""})
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(Unreadable) as refused:
        resolve(tmp_path, reference, {"EMPTY": ""})
    assert refused.value.code in ("OP401", "OP402")


def test_a_check_without_secrets_reads_none(tmp_path: Path) -> None:
    profile = WHOLE["profiles/retail.yaml"] + "pairwise: {salt: {file: nowhere/salt}}\n"
    whole(tmp_path, {"profiles/retail.yaml": profile})
    loaded = load(tmp_path, environment=None, parts=PARTS, secrets=False)
    pairwise = loaded.declared.profiles["retail"].pairwise
    assert pairwise is not None
    assert pairwise.salt.value == b""
    assert "not read" in pairwise.salt.origin


@pytest.mark.attack("CF-14")
def test_a_secret_file_outside_that_everybody_may_read_is_warned_of(tmp_path: Path) -> None:
    salt = write(tmp_path / "run", {"salt": "tGqTyKfV3vUqyBtUQ9JXc3bqPY4fGOEPZ2mGk1rX0aM"}) / "salt"
    profile = WHOLE["profiles/retail.yaml"] + f"pairwise: {{salt: {{file: {salt}}}}}\n"
    directory = whole(tmp_path / "config", {"profiles/retail.yaml": profile})
    salt.chmod(0o644)
    assert [warning.code for warning in read(directory).warnings] == ["OP403"]
    salt.chmod(0o400)
    assert read(directory).warnings == ()
    assert salt.parent in read(directory).watched


def test_the_files_that_are_no_secret_may_be_read_by_others(tmp_path: Path) -> None:
    write(tmp_path, {"out/ca.pem": "-----BEGIN", "out/writable.pem": "-----BEGIN", "in/x": "x"})
    (tmp_path / "out/ca.pem").chmod(0o644)
    (tmp_path / "out/writable.pem").chmod(0o666)
    resolver = SecretResolver(tmp_path / "in", {}, enabled=True)
    assert resolver.resolve_public({"file": str(tmp_path / "out/ca.pem")}).value == b"-----BEGIN"
    assert resolver.exposed == {}
    resolver.resolve_public({"file": str(tmp_path / "out/writable.pem")})
    assert list(resolver.exposed) == [str(tmp_path / "out/writable.pem")]
    with pytest.raises(Unreadable):
        resolver.resolve_public({"file": "missing"})
