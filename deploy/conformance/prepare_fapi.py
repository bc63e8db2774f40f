"""Makes the configuration that `start fapi` serves: profiles, people, and clients with keys and certificates.

What was generated once is kept, so that a plan in the suite stays valid over restarts. Every client of the suite has
one of two keys and one of two certificates; nothing in the plans tells more clients apart than those two.
"""

import argparse
import datetime
import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from appliance.jose.keys import export_private, generate
from deploy.conformance.prepare import ENVIRONMENT, Place, write_plans, write_private, write_yaml

HERE = Path(__file__).resolve().parent
#: Taken from the first configuration: the same person with the same claims.
SHARED = ("authenticators", "claims", "policies", "sources")
AUTH = {"key": "private_key_jwt", "mtls": "tls_client_auth"}
SENDERS = ("dpop", "mtls")
MODES = ("poll", "ping")
#: Kinds of FAPI 2.0 clients, and the profile of each.
KINDS = {"plain": "fapi2", "signed": "fapi2", "signing": "signing"}
CIBA = "urn:openid:params:grant-type:ciba"
OPENID = "openid profile email address phone offline_access"
OAUTH = "accounts offline_access"
_YEARS = datetime.timedelta(days=5 * 365)
_DAY = datetime.timedelta(days=1)


@dataclass(frozen=True)
class FapiPlace:
    """What differs between machines, and where clients with certificates and the protected resource are."""

    place: Place
    mtls_base_url: str
    resource_url: str
    mtls_listen: str = "0.0.0.0:8444"


def prepare_fapi(target: Path, where: FapiPlace) -> None:
    """Write the configuration to target/config and the plans to target/plans."""
    config = target / "config"
    for name in SHARED:
        shutil.copytree(HERE / "config" / name, config / name, dirs_exist_ok=True)
    shutil.copytree(HERE / "config-fapi", config, dirs_exist_ok=True)
    kept = _generated(target / "generated.json")
    (config / "tls").mkdir(exist_ok=True)
    (config / "tls/clients-ca.pem").write_text(kept["ca"], encoding="utf-8")
    clients = dict(_clients(kept))
    for file in dict.fromkeys(name.split("-")[0] for name in clients):
        own = {name: client for name, client in clients.items() if name.split("-")[0] == file}
        write_yaml(config / f"clients/{file}.yaml", {"clients": own})
    write_yaml(config / "environments" / f"{ENVIRONMENT}.yaml", _environment(where))
    write_plans(target / "plans", _plans(where, kept))


def _generated(file: Path) -> dict[str, Any]:
    """Keys and certificates of the two clients, and the authority of the certificates, made at the first start."""
    if file.exists():
        kept: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return kept
    authority = rsa.generate_private_key(65537, 2048)
    top = _name("authority")
    kept = {"ca": _pem(_certificate(top, authority.public_key(), top, authority, ca=True)), "clients": {}}
    for number in ("1", "2"):
        key = rsa.generate_private_key(65537, 2048)
        private = serialization.PrivateFormat.PKCS8
        kept["clients"][number] = {
            "jwk": json.loads(export_private(generate("PS256", kid=f"client-{number}"))) | {"use": "sig"},
            "cert": _pem(_certificate(_name(f"client-{number}"), key.public_key(), top, authority)),
            "key": key.private_bytes(serialization.Encoding.PEM, private, serialization.NoEncryption()).decode(),
        }
    kept["resource"] = json.loads(export_private(generate("PS256", kid="resource"))) | {"use": "sig"}
    write_private(file, json.dumps(kept))
    return kept


def _name(common: str) -> x509.Name:
    parts = ((NameOID.ORGANIZATION_NAME, "Conformance suite"), (NameOID.COMMON_NAME, common))
    return x509.Name([x509.NameAttribute(kind, value) for kind, value in parts])


def _certificate(
    subject: x509.Name, key: rsa.RSAPublicKey, issuer: x509.Name, authority: rsa.RSAPrivateKey, *, ca: bool = False
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _DAY)
        .not_valid_after(now + _YEARS)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=0 if ca else None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key()), critical=False)
    )
    if not ca:
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
    return builder.sign(authority, hashes.SHA256())


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def client_ids(group: str) -> tuple[str, str]:
    """The two clients of a group such as `plain-key-dpop`."""
    return f"{group}-1", f"{group}-2"


def groups() -> Iterator[tuple[str, str, str]]:
    """Every group of FAPI 2.0 clients: kind, authentication, sender constraint."""
    yield from ((kind, auth, sender) for kind in KINDS for auth in AUTH for sender in SENDERS)


def _clients(kept: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for kind, auth, sender in groups():
        for client_id in client_ids(f"{kind}-{auth}-{sender}"):
            callback = "${var.suite_url}/callback"
            more = {
                "redirect_uris": [callback, f"{callback}?dummy1=lorem&dummy2=ipsum"],
                "grant_types": ["authorization_code", "refresh_token"],
                "scope": f"{OPENID} accounts",
                "require_signed_request_object": kind != "plain",
                "introspection_signed_response_alg": "PS256",
            }
            bound = sender == "mtls"
            yield client_id, _client(client_id, auth, KINDS[kind], kept, bound=bound) | more
    for auth in AUTH:
        for mode in MODES:
            for client_id in client_ids(f"ciba-{auth}-{mode}"):
                yield client_id, _client(client_id, auth, "ciba", kept, bound=True) | _asking(mode)

    for profile in dict.fromkeys(KINDS.values()):
        yield f"resource-{profile}", _resource_server(profile, kept)


def _resource_server(profile: str, kept: Mapping[str, Any]) -> dict[str, Any]:
    """The protected resource, which may ask about every token."""
    return {
        "client_name": "Conformance suite, protected resource",
        "response_types": [],
        "grant_types": ["refresh_token"],  # of which it never gets one; a client must name one
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks": {"keys": [_public(kept["resource"])]},
        "op": {
            "profile": profile,
            "introspection": "all",
            "ignore": [{"code": "OP226", "reason": "It only asks about tokens of others."}],
        },
    }


def _public(jwk: Mapping[str, Any]) -> dict[str, Any]:
    return {name: jwk[name] for name in ("kty", "n", "e", "kid", "alg", "use")}


def _client(client_id: str, auth: str, profile: str, kept: Mapping[str, Any], *, bound: bool) -> dict[str, Any]:
    number = client_id[-1]
    public = _public(kept["clients"][number]["jwk"])
    own = (
        {"token_endpoint_auth_signing_alg": "PS256"}
        if auth == "key"
        else {"tls_client_auth_subject_dn": f"CN=client-{number},O=Conformance suite"}
    )
    return {
        "client_name": f"Conformance suite, {client_id}",
        "token_endpoint_auth_method": AUTH[auth],
        **own,
        "jwks": {"keys": [public]},
        "id_token_signed_response_alg": "PS256",
        "tls_client_certificate_bound_access_tokens": bound,
        "op": {"profile": profile, "refresh_token": "always"},
    }


def _asking(mode: str) -> dict[str, Any]:
    """What a client of FAPI-CIBA has besides."""
    pinged = {"backchannel_client_notification_endpoint": "${var.suite_url}/ciba-notification-endpoint"}
    return {
        "response_types": [],
        "grant_types": [CIBA, "refresh_token"],
        "scope": OPENID,
        "backchannel_token_delivery_mode": mode,
        "backchannel_authentication_request_signing_alg": "PS256",
        **(pinged if mode == "ping" else {}),
    }


def _environment(where: FapiPlace) -> dict[str, Any]:
    place = where.place
    tls = {"certificate": str(place.certificate), "key": str(place.key)}
    root: dict[str, Any] = {
        "listeners": {
            "public": {"bind": place.listen, "tls": tls},
            "mtls": {"bind": where.mtls_listen, "tls": tls},
            "admin": {"bind": place.admin_listen},
        }
    }
    if place.ca:
        root["outbound"] = {"ca_file": str(place.ca)}
    addresses = {"base_url": place.base_url, "mtls_base_url": where.mtls_base_url, "suite_url": place.suite_url}
    return {"vars": addresses, "patch": {"root": root}}


def _plans(where: FapiPlace, kept: Mapping[str, Any]) -> dict[str, Any]:
    """What to enter in the suite, by kind of client."""
    base, plans = where.place.base_url, {}
    for kind, auth, sender in groups():
        group, profile = f"{kind}-{auth}-{sender}", KINDS[kind]
        plan = _plan(where, kept, group, f"{base}/{profile}")
        resource = where.mtls_base_url if sender == "mtls" else base
        plan |= _browser(f"{base}/{profile}")
        plans[group] = _scoped(plan, OPENID) | {"resource": _resource(f"{resource}/{profile}/userinfo")}
        oauth = {"server": {"discoveryUrl": f"{base}/.well-known/oauth-authorization-server/{profile}"}}
        oauth |= {"resource": _resource(f"{where.resource_url}/{profile}/accounts")}
        plans[f"{group}-oauth"] = _scoped(plan, OAUTH) | oauth
    for auth in AUTH:
        for mode in MODES:
            group = f"ciba-{auth}-{mode}"
            plan = _scoped(_plan(where, kept, group, f"{base}/ciba"), OPENID)
            for client in (plan["client"], plan["client2"]):
                client |= {"hint_type": "login_hint", "hint_value": "foo"}
            plans[group] = plan | {"resource": _resource(f"{where.mtls_base_url}/ciba/userinfo")}
    return plans


def _plan(where: FapiPlace, kept: Mapping[str, Any], group: str, issuer: str) -> dict[str, Any]:
    first, second = client_ids(group)
    return {
        "alias": where.place.suite_url.rpartition("/")[2],
        "description": f"appliance, {group}",
        "server": {"discoveryUrl": f"{issuer}/.well-known/openid-configuration"},
        "client": {"client_id": first, "jwks": {"keys": [kept["clients"]["1"]["jwk"]]}},
        "client2": {"client_id": second, "jwks": {"keys": [kept["clients"]["2"]["jwk"]]}},
        "mtls": _certified(kept, "1"),
        "mtls2": _certified(kept, "2"),
    }


def _scoped(plan: Mapping[str, Any], scope: str) -> dict[str, Any]:
    return {**plan, "client": plan["client"] | {"scope": scope}, "client2": plan["client2"] | {"scope": scope}}


def _certified(kept: Mapping[str, Any], number: str) -> dict[str, str]:
    client = kept["clients"][number]
    return {"cert": client["cert"], "key": client["key"], "ca": kept["ca"]}


def _resource(url: str) -> dict[str, str]:
    return {"resourceUrl": url, "resourceMethod": "GET", "resourceMediaType": "application/json"}


def _browser(issuer: str) -> dict[str, Any]:
    """A browser that logs foo in and allows, and what two modules need instead."""
    login: dict[str, Any] = {
        "task": "Log in",
        "optional": True,
        "match": f"{issuer}/login*",
        "commands": [
            ["text", "id", "login", "foo", "optional"],
            ["text", "id", "password", "bar"],
            ["click", "id", "submit"],
        ],
    }
    arrive = {"task": "Arrive", "match": "*/test/*/callback*", "commands": [["wait", "id", "submission_complete", 10]]}
    asked = f"{issuer}/authorize*"

    def through(button: str) -> dict[str, Any]:
        answer = {
            "task": f"Consent: {button}",
            "optional": True,
            "match": f"{issuer}/consent*",
            "commands": [["click", "id", button]],
        }
        return {"match": asked, "tasks": [login, answer, arrive]}

    look = {
        "match": asked,
        "match-limit": 1,
        "tasks": [
            {"task": "Look, and go away", "match": f"{issuer}/login*", "commands": [["wait", "id", "login", 10]]}
        ],
    }
    rejected = "fapi2-security-profile-final-user-rejects-authentication"
    visited = "fapi2-security-profile-final-par-ensure-reused-request-uri-prior-to-auth-completion-succeeds"
    return {
        "browser": [through("allow")],
        "override": {
            rejected: {"browser": [through("deny")]},
            visited: {"browser": [look, through("allow")]},
        },
    }


def main() -> None:
    """Read the arguments of `start fapi`."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("base-url", "suite-url", "listen", "admin-listen", "mtls-listen"):
        parser.add_argument(f"--{name}", required=True)
    for name in ("mtls-base-url", "resource-base-url"):
        parser.add_argument(f"--{name}", required=True)
    for name in ("certificate", "key", "target"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--ca", type=Path)
    said = parser.parse_args()
    paths = {
        name: path and path.absolute() for name, path in vars(said).items() if name in ("certificate", "key", "ca")
    }
    base = said.base_url.rstrip("/")
    place = Place(base, said.suite_url.rstrip("/"), said.listen, said.admin_listen, **paths)
    mtls, resource = (address.rstrip("/") for address in (said.mtls_base_url, said.resource_base_url))
    said.target.mkdir(mode=0o700, parents=True, exist_ok=True)
    prepare_fapi(said.target, FapiPlace(place, mtls, resource, said.mtls_listen))


if __name__ == "__main__":
    main()
