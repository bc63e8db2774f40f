"""Makes the configuration that `start` serves: a copy of config/ with secrets, keys and this machine's addresses.

What was generated once is kept, so that a plan in the suite stays valid over restarts. Beside the configuration it
writes what has to be entered in the suite: one JSON file for each kind of client.
"""

import argparse
import json
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from appliance.jose.keys import export_private, generate

CONFIG = Path(__file__).resolve().parent / "config"
SHARED = ("client_secret_basic", "client_secret_post", "client_secret_jwt")
PRIVATE = "private_key_jwt"
PRIVATE_FILE = "clients/private-key-jwt.yaml"
ENVIRONMENT = "run"


@dataclass(frozen=True)
class Place:
    """What differs between machines. Paths are absolute; None: no TLS here, no authorities beside the system's."""

    base_url: str
    suite_url: str
    listen: str = "0.0.0.0:8443"
    admin_listen: str = "127.0.0.1:9090"
    certificate: Path | None = None
    key: Path | None = None
    ca: Path | None = None


def client_ids(method: str) -> tuple[str, str]:
    """The two static clients of a method."""
    name = method.removeprefix("client_").replace("_", "-")
    return f"{name}-1", f"{name}-2"


def prepare(target: Path, place: Place) -> None:
    """Write the configuration to target/config and the plans to target/plans."""
    config = target / "config"
    shutil.copytree(CONFIG, config, dirs_exist_ok=True)
    kept = _generated(target / "generated.json")
    (config / "secrets").mkdir(mode=0o700, exist_ok=True)
    for name, value in kept["secrets"].items():
        write_private(config / "secrets" / name, value)
    write_yaml(config / PRIVATE_FILE, _private_key_clients(config, kept["keys"]))
    write_yaml(config / "environments" / f"{ENVIRONMENT}.yaml", _environment(place))
    write_plans(target / "plans", _plans(place, kept))


def _generated(file: Path) -> dict[str, Any]:
    """Secrets by file name and private keys by client_id, made at the first start."""
    if file.exists():
        kept: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return kept
    names = ["salt", "initial-access-token", *(client for method in SHARED for client in client_ids(method))]
    keys = {client: json.loads(export_private(generate("RS256", kid=client))) for client in client_ids(PRIVATE)}
    kept = {"secrets": {name: secrets.token_urlsafe(48) for name in names}, "keys": keys}
    write_private(file, json.dumps(kept))
    return kept


def write_plans(directory: Path, plans: Mapping[str, Any]) -> None:
    """What to enter in the suite, a file for each kind of client; there are private keys in it."""
    directory.mkdir(mode=0o700, exist_ok=True)
    for name, plan in plans.items():
        write_private(directory / f"{name}.json", json.dumps(plan, indent=2) + "\n")


def write_private(file: Path, text: str) -> None:
    """A file that nobody else reads."""
    file.touch(mode=0o600)
    file.write_text(text, encoding="utf-8")


def write_yaml(file: Path, document: Mapping[str, Any]) -> None:
    """A file of the configuration."""
    file.parent.mkdir(exist_ok=True)
    file.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")


def _private_key_clients(config: Path, keys: Mapping[str, Any]) -> dict[str, Any]:
    """The clients that prove themselves by a key: those with a secret, but for that."""
    written = yaml.safe_load((config / "clients/client-secret-basic.yaml").read_text(encoding="utf-8"))
    clients = {}
    for client_id, like in zip(client_ids(PRIVATE), written["clients"].values(), strict=True):
        client = {name: value for name, value in like.items() if name != "client_secrets"}
        public = {name: keys[client_id][name] for name in ("kty", "n", "e", "kid", "alg")}
        clients[client_id] = client | {
            "client_name": f"Conformance suite, {client_id}",
            "token_endpoint_auth_method": PRIVATE,
            "jwks": {"keys": [public | {"use": "sig"}]},
        }
    return {"clients": clients}


def _environment(place: Place) -> dict[str, Any]:
    root: dict[str, Any] = {
        "listeners": {"public": {"bind": place.listen}, "admin": {"bind": place.admin_listen}}
    }
    if place.certificate and place.key:
        tls = {"certificate": str(place.certificate), "key": str(place.key)}
        root["listeners"]["public"]["tls"] = tls
    if place.ca:
        root["outbound"] = {"ca_file": str(place.ca)}
    return {"vars": {"base_url": place.base_url, "suite_url": place.suite_url}, "patch": {"root": root}}


def _plans(place: Place, kept: Mapping[str, Any]) -> dict[str, Any]:
    """What to enter in the suite, by kind of client."""
    token = {"initial_access_token": kept["secrets"]["initial-access-token"]}
    plans = {"dynamic": _plan(place, token, token)}
    for method in SHARED:
        plans[method] = _plan(
            place,
            *({"client_id": each, "client_secret": kept["secrets"][each]} for each in client_ids(method)),
        )
    plans[PRIVATE] = _plan(
        place, *({"client_id": each, "jwks": {"keys": [kept["keys"][each]]}} for each in client_ids(PRIVATE))
    )
    plans["none"] = _plan(place, *({"client_id": each} for each in client_ids("none")))
    return plans


def _plan(place: Place, client: Mapping[str, Any], client2: Mapping[str, Any]) -> dict[str, Any]:
    base = place.base_url
    steps: list[dict[str, Any]] = [
        {
            "task": "Log in",
            "optional": True,
            "match": f"{base}/login*",
            "commands": [
                ["text", "id", "login", "foo", "optional"],
                ["text", "id", "password", "bar"],
                ["click", "id", "submit"],
            ],
        },
        {"task": "Consent", "optional": True, "match": f"{base}/consent*", "commands": [["click", "id", "allow"]]},
        {
            "task": "Arrive",
            "match": "*/test/*/callback*",
            "commands": [["wait", "id", "submission_complete", 10]],
        },
    ]
    confirm = {
        "task": "Confirm the logout",
        "optional": True,
        "match": f"{base}/logout*",
        "commands": [["click", "id", "logout-yes", "optional"]],
    }
    return {
        "alias": place.suite_url.rpartition("/")[2],
        "description": "appliance",
        "server": {"discoveryUrl": f"{base}/.well-known/openid-configuration"},
        "client": dict(client),
        "client2": dict(client2),
        "browser": [
            {"match": f"{base}/authorize*", "tasks": steps},
            {"match": f"{base}/logout*", "tasks": [confirm]},
        ],
    }


def main() -> None:
    """Read the arguments of `start`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base-url", required=True)
    parser.add_argument("--suite-url", required=True)
    parser.add_argument("--listen", required=True)
    parser.add_argument("--admin-listen", required=True)
    parser.add_argument("--certificate", type=Path)
    parser.add_argument("--key", type=Path)
    parser.add_argument("--ca", type=Path)
    parser.add_argument("--target", type=Path, required=True)
    said = parser.parse_args()
    if (said.certificate is None) != (said.key is None):
        parser.error("a certificate and its key belong together")
    given = {name: getattr(said, name) for name in ("certificate", "key", "ca")}
    paths = {name: path and path.absolute() for name, path in given.items()}
    place = Place(said.base_url.rstrip("/"), said.suite_url.rstrip("/"), said.listen, said.admin_listen, **paths)
    said.target.mkdir(mode=0o700, parents=True, exist_ok=True)
    prepare(said.target, place)


if __name__ == "__main__":
    main()
