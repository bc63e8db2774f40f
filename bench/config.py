"""The configuration that is measured: one issuer at the root of a loopback port, no consent pages."""

import hashlib
from pathlib import Path

import yaml
from argon2 import PasswordHasher

from bench import modern
from bench.operations import REDIRECT, secret

#: Of the issuer, and where it is unless somebody else is; the admin listener is at the next one.
PORT = 18080

_ROOT = """version: 1
name: bench
listeners:
  public: {{bind: "127.0.0.1:{port}"}}
  admin: {{bind: "127.0.0.1:{admin}"}}
storage: {{kind: {store}}}
log: {{level: error}}
"""
_PROFILE = """profile: bench
issuer: http://localhost:{port}
grant_types_supported:
  - authorization_code
  - refresh_token
  - client_credentials
  - urn:ietf:params:oauth:grant-type:token-exchange
claims: people
acr: [{{value: "1", policy: password}}]
ttl: {{session: {{idle: 1d, absolute: 1d}}}}
keys: {{signing: [{{alg: ES256}}, {{alg: RS256}}]}}
scopes:
  openid: {{}}
  profile: {{claims: [name]}}
  email: {{claims: [email]}}
  api: {{}}
"""
_CLAIMS = """claims_set: people
sources: {person: people}
subject: person.id
claims: {name: person.name, email: person.email}
"""
_POLICIES = "policies: {password: {steps: [{authenticate: password}]}}\n"
_AUTHENTICATORS = "authenticators: {password: {kind: password, source: people}}\n"
_SOURCES = """sources:
  people:
    kind: static
    users:
      anna:
        login: anna
        password: {{hash: "{hash}"}}
        attributes: {{id: anna, name: Anna, email: anna@example.org}}
"""
_CLIENT = """client_id: {id}
client_name: {id}
redirect_uris: [{redirects}]
response_types: [{response_types}]
grant_types: [{grants}]
scope: [{scope}]
token_endpoint_auth_method: client_secret_basic
client_secrets: [{{id: "1", hash: "sha256:{digest}"}}]
{extra}op: {{profile: bench, consent: skip_first_party{refresh}}}
"""


def write(directory: Path, *, store: str = "memory", clients: int = 0, port: int = PORT) -> None:
    """Write the configuration; `clients` more of them beside those that are measured."""
    password = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1).hash("anna")
    files = {
        "op.yaml": _ROOT.format(port=port, admin=port + 1, store=store),
        "profiles/bench.yaml": _PROFILE.format(port=PORT) + yaml.safe_dump(modern.PROFILE),
        "clients/modern.yaml": yaml.safe_dump({"clients": modern.clients()}),
        "claims/people.yaml": _CLAIMS,
        "policies/all.yaml": _POLICIES,
        "authenticators/all.yaml": _AUTHENTICATORS,
        "sources/people.yaml": _SOURCES.format(hash=password),
        "clients/es256.yaml": client("es256", alg="ES256"),
        "clients/rs256.yaml": client("rs256", alg="RS256"),
        "clients/refreshing.yaml": client("refreshing", alg="RS256", refresh="always"),
        "clients/machine.yaml": client("machine", machine=True),
    }
    files |= {f"clients/more/c{number:05d}.yaml": client(f"c{number:05d}") for number in range(clients)}
    for name, text in files.items():
        target = directory / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)


def client(client_id: str, *, alg: str = "ES256", machine: bool = False, name: str = "", refresh: str = "never") -> str:
    """One client file. Refresh tokens only where they are what is measured: the floor makes none beside a code."""
    grants = "authorization_code" + (", refresh_token" if refresh == "always" else "")
    text = _CLIENT.format(
        id=client_id,
        redirects="" if machine else REDIRECT,
        response_types="" if machine else "code",
        grants="client_credentials" if machine else grants,
        scope="api" if machine else "openid, profile, email",
        digest=hashlib.sha256(secret(client_id).encode()).hexdigest(),
        refresh="" if machine else f", refresh_token: {refresh}",
        extra="" if machine else f"id_token_signed_response_alg: {alg}\n",
    )
    return text.replace(f"client_name: {client_id}", f"client_name: {name or client_id}")
