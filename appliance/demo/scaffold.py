"""`appliance demo --empty DIR`: the smallest configuration that serves, with a word about every line."""

import hashlib
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

#: The whole of it has no more lines than a page.
MAX_LINES = 60

_OP = """\
version: 1                              # of the configuration language
name: my-op                             # seen in logs and metrics only
# Listens on 127.0.0.1:8080, and on 127.0.0.1:9090 for health, metrics and status.
# listeners: {public: {bind: "0.0.0.0:8080"}}

sources:                                # where users live
  people:
    kind: static                        # here: written down; never for more than a few
    users:
      u1:                               # the id stays for ever, the login may change
        login: anna
        password: {file: secrets/anna}  # a hash; make one with: appliance hash-password
        attributes: {id: u1, name: {first: Anna, last: Virtanen}, email: anna@example.com}

authenticators:                         # ways to prove who one is
  password: {kind: password, source: people}

policies:                               # which ways, in which order
  password: {steps: [{authenticate: password}], amr: [pwd]}
"""
_PROFILE = """\
profile: main                           # one issuer
issuer: http://127.0.0.1:8080           # to the character what clients compare; https anywhere but here
title: My provider                      # shown on the pages
claims: person                          # claims/person.yaml
acr:                                    # levels of authentication, the weakest first
  - {value: "urn:example:acr:password", policy: password}
"""
_CLAIMS = """\
claims_set: person
sources: {person: people}               # in here the source `people` is called `person`
subject: person.id                      # what tells users apart for ever
claims:                                 # each claim and where its value is
  name: {join: [person.name.first, person.name.last]}
  given_name: person.name.first
  family_name: person.name.last
  email: person.email
"""
_CLIENT = """\
client_id: sample                       # every key but `op` is registered metadata (RFC 7591)
client_name: Sample site
redirect_uris: ["http://127.0.0.1:8081/callback"]
post_logout_redirect_uris: ["http://127.0.0.1:8081/"]
grant_types: [authorization_code, refresh_token]
scope: [openid, profile, email]
client_secrets:                         # the secret itself is in secrets/sample, for the client only
  - {id: "1", hash: "sha256:%s"}
op: {profile: main, refresh_token: always}
"""


class NotEmpty(Exception):
    """The folder has something in it already."""


def write(directory: Path, hash_password: Callable[[str], str]) -> tuple[list[Path], str]:
    """Write the configuration; gives the files and the password of its one user. NotEmpty."""
    if directory.exists() and any(directory.iterdir()):
        raise NotEmpty(f"{directory} is not empty; nothing was written")
    secret, password = secrets.token_urlsafe(32), secrets.token_urlsafe(9)
    texts = files(hashlib.sha256(secret.encode()).hexdigest())
    written = []
    for name, text in texts.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        written.append(path)
    kept = directory / "secrets"
    kept.mkdir(mode=0o700)
    for name, value in (("sample", secret), ("anna", hash_password(password))):
        path = kept / name
        path.touch(mode=0o600)
        path.write_text(value + "\n", encoding="utf-8")
        written.append(path)
    return written, password


def files(digest: str) -> Mapping[str, str]:
    """The configuration's files by name, with the hash of the sample client's secret."""
    return {
        "op.yaml": _OP,
        "profiles/main.yaml": _PROFILE,
        "claims/person.yaml": _CLAIMS,
        "clients/sample.yaml": _CLIENT % digest,
    }
