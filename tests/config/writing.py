"""Configurations written for one test, and what the engine makes of them."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from appliance.config.load import Cache, Loaded, load
from appliance.config.problems import ConfigRejected, Problem


@dataclasses.dataclass(frozen=True, slots=True)
class PasswordOptions:
    """As `schemas/parts/authenticators/password.json` says."""

    source: str


PARTS: Mapping[str, Mapping[str, type | None]] = {
    "sources": {"static": None},
    "authenticators": {"password": PasswordOptions},
}
ROOT = "version: 1\nname: tested\n"
CLIENT = """\
client_id: webshop
client_name: Webshop
redirect_uris: [https://shop.example.com/callback]
token_endpoint_auth_method: none
op: {profile: retail}
"""
WHOLE: Mapping[str, str] = {
    "op.yaml": ROOT,
    "profiles/retail.yaml": """\
profile: retail
issuer: https://login.example.com/retail
claims: person
acr: [{value: "urn:example:acr:password", policy: password}]
""",
    "clients/webshop.yaml": CLIENT,
    "claims/person.yaml": """\
claims_set: person
sources: {person: people}
subject: person.id
claims: {name: person.name}
""",
    "sources/all.yaml": """\
sources:
  people:
    kind: static
    users:
      anna: {login: anna, password: {file: secrets/anna}, attributes: {id: anna}}
""",
    "authenticators/all.yaml": "authenticators:\n  page: {kind: password, source: people}\n",
    "policies/all.yaml": "policies:\n  password: {steps: [{authenticate: page}]}\n",
    "secrets/anna": "$argon2id$v=19$m=8192,t=1,p=1$c29tZXNhbHRzb21l$c29tZXNhbHRzb21lc29tZXNhbHQ\n",
}


def write(directory: Path, files: Mapping[str, str | bytes | None]) -> Path:
    """Write (or with None delete) files below a directory; the directory."""
    for name, content in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            path.unlink()
        else:
            path.write_bytes(content.encode() if isinstance(content, str) else content)
    return directory


def whole(directory: Path, changes: Mapping[str, str | bytes | None] | None = None) -> Path:
    """A complete configuration with some files changed."""
    write(directory, WHOLE)
    return write(directory, changes or {})


def read(directory: Path, environment: str | None = None, cache: Cache | None = None) -> Loaded:
    """The configuration, or ConfigRejected."""
    return load(directory, environment=environment, parts=PARTS, cache=cache)


def refused(directory: Path, environment: str | None = None, cache: Cache | None = None) -> ConfigRejected:
    """The refusal; fails when the configuration is accepted."""
    try:
        read(directory, environment, cache)
    except ConfigRejected as rejected:
        return rejected
    raise AssertionError("the configuration was accepted")


def told(problems: tuple[Problem, ...]) -> list[tuple[str, str, int, int]]:
    """Code, file, line and column of each problem."""
    return [(problem.code, problem.file, problem.line, problem.column) for problem in problems]
