"""What is asked of strangers beyond what is asked of clients in the files, and what they get where they are silent.

A file was written by the operator; metadata was written by whoever found the endpoint.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from appliance.config.declared.profile import Profile as DeclaredProfile
from appliance.jose.algorithms import SHARED_KEY_MANAGEMENT_ALGORITHMS
from appliance.jose.problems import KeyProblem
from appliance.jose.public_keys import import_set
from appliance.outbound.client import OutboundClient
from appliance.outbound.documents import read_json
from appliance.outbound.problems import OutboundProblem
from appliance.outbound.urls import read_url
from appliance.profile.registration.client_metadata import refusal
from appliance.protocol import response_type
from appliance.protocol.client import Client
from appliance.protocol.errors import InvalidClientMetadata, InvalidRedirectUri
from appliance.protocol.redirect_uri import LOOPBACK_HOSTS, host_fits, hosts, is_on_device, origin, problem

_REVERSE_DOMAIN = re.compile(r"[a-z][a-z0-9-]*(?:\.[a-z0-9-]+)+:/")
#: The scopes that every profile may let strangers have (Core 5.4, 11).
_STANDARD_SCOPES: Final = ("openid", "profile", "email", "address", "phone", "offline_access")
#: Members whose addresses are asked by us or by browsers on our behalf.
_ADDRESSES: Final = (
    *("jwks_uri", "sector_identifier_uri", "initiate_login_uri"),
    *("backchannel_logout_uri", "frontchannel_logout_uri", "backchannel_client_notification_endpoint"),
)
_CIBA: Final = "urn:openid:params:grant-type:ciba"
_LINKS: Final = ("client_uri", "logo_uri", "policy_uri", "tos_uri")
#: Members that begin like those of CIBA and are of Back-Channel Logout.
_LOGOUT: Final = ("backchannel_logout_uri", "backchannel_logout_session_required")
#: Grant types by which a stranger would act as himself, or ask users out of the blue.
_NOT_OPENLY: Final = ("client_credentials", _CIBA)
#: Where encryption names no content encryption (OpenID Connect Registration 2).
_DEFAULT_ENC: Final = "A128CBC-HS256"


def allowed_scopes(declared: DeclaredProfile) -> tuple[str, ...]:
    """The scopes that registered clients may have.

    Who names none has all of them, without their being registered and told: OpenID Connect clients do not know
    the member, and some stumble over it (RFC 7591 2 leaves the default to the server).
    """
    names = _STANDARD_SCOPES if declared.registration.scopes is None else declared.registration.scopes
    return tuple(name for name in names if name in declared.scopes)


def with_defaults(
    said: Mapping[str, object], declared: DeclaredProfile, *, scopes: tuple[str, ...] | None = None
) -> dict[str, object]:
    """Metadata with what its silence means (RFC 7591 2, OpenID Connect Registration 2). InvalidClientMetadata.

    `scopes`: what such clients may have; None: what all that register may.
    """
    found = dict(said)
    found.setdefault("application_type", _application_type(_texts(found, "redirect_uris")))
    if "response_types" not in found:
        found["response_types"] = _response_types(found.get("grant_types"))
    if "grant_types" not in found:
        found["grant_types"] = _grant_types(_texts(found, "response_types"))
    offered = declared.token_endpoint_auth_methods_supported
    basic = "client_secret_basic"
    found.setdefault("token_endpoint_auth_method", basic if basic in offered else offered[0])
    for name in _idle(found, declared):
        found.pop(name, None)
    found.setdefault("subject_type", declared.subject_types_supported[0])
    algorithms = [entry.alg for entry in declared.keys.signing]
    found.setdefault("id_token_signed_response_alg", "RS256" if "RS256" in algorithms else algorithms[0])
    for prefix in ("id_token", "userinfo", "introspection"):
        if f"{prefix}_encrypted_response_alg" in found:
            found.setdefault(f"{prefix}_encrypted_response_enc", _DEFAULT_ENC)
    if "request_object_encryption_alg" in found:
        found.setdefault("request_object_encryption_enc", _DEFAULT_ENC)
    if "scope" in found:
        found["scope"] = _scope(found["scope"], allowed_scopes(declared) if scopes is None else scopes)
    if "authorization_details_types" in found:
        # RFC 9396 10: the client is told which of them it may ask for.
        types = _texts(found, "authorization_details_types")
        allowed = declared.registration.authorization_details_types
        found["authorization_details_types"] = [name for name in types if name in allowed]
    return found


def _idle(said: Mapping[str, object], declared: DeclaredProfile) -> Iterator[str]:
    """Members that say how something is done which this client never does: libraries send them by habit."""
    if said["token_endpoint_auth_method"] not in ("client_secret_jwt", "private_key_jwt"):
        yield "token_endpoint_auth_signing_alg"
    if _CIBA not in _texts(said, "grant_types"):
        yield from [name for name in said if name.startswith("backchannel_") and name not in _LOGOUT]
    reads_requests = declared.request_parameter_supported or declared.request_uri_parameter_supported
    shared = str(said.get("request_object_encryption_alg")) in SHARED_KEY_MANAGEMENT_ALGORITHMS
    if not (reads_requests and (shared or declared.keys.encryption)):
        yield from ("request_object_encryption_alg", "request_object_encryption_enc")
    if said.get("require_signed_request_object") is True:
        return
    alg = said.get("request_object_signing_alg")
    by_key = isinstance(alg, str) and alg != "none" and not alg.startswith("HS")
    if not reads_requests or (by_key and "jwks" not in said and "jwks_uri" not in said):
        yield "request_object_signing_alg"


def _application_type(redirect_uris: Iterable[str]) -> str:
    """What the addresses tell where the client does not: apps seldom say that they are apps."""
    uris = tuple(redirect_uris)
    return "native" if uris and all(is_on_device(uri) for uri in uris) else "web"


def _response_types(grant_types: object) -> list[str]:
    granted = grant_types if isinstance(grant_types, list) else ["authorization_code"]
    if "authorization_code" in granted:
        return ["code"]
    return ["id_token"] if "implicit" in granted else []


def _grant_types(response_types: Iterable[str]) -> list[str]:
    words = [frozenset(each.split(" ")) for each in response_types]
    found = ["authorization_code"] if any("code" in each for each in words) else []
    return [*found, "implicit"] if any(response_type.carries_tokens(each) for each in words) else found


def _scope(said: object, allowed: tuple[str, ...]) -> str:
    if not isinstance(said, str):
        raise refusal("scope", "is one text with spaces between the scopes")
    # RFC 7591 3.2.1: the client is told what it got; asking for more than there is is no mistake.
    return " ".join(name for name in dict.fromkeys(said.split(" ")) if name in allowed)


def _texts(metadata: Mapping[str, object], name: str) -> list[str]:
    value = metadata.get(name)
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def without_foreign_links(metadata: Mapping[str, object], *, own: frozenset[str] = frozenset()) -> dict[str, object]:
    """Metadata without links to hosts that neither a redirect URI nor `own` proves (OpenID Connect Registration 9.1).

    Whoever may choose his own name could otherwise show users somebody else's policy and home page.
    """
    own |= hosts(_texts(metadata, "redirect_uris")) - LOOPBACK_HOSTS
    return {
        name: value
        for name, value in metadata.items()
        if name.partition("#")[0] not in _LINKS or not isinstance(value, str) or (hosts((value,)) or {""}) <= own
    }


def check(client: Client, declared: DeclaredProfile, *, openly: bool, template: bool, outbound: OutboundClient) -> None:
    """The rules for strangers. InvalidClientMetadata, InvalidRedirectUri."""
    _check_redirect_uris(client, declared.registration.redirect_hosts)
    _check_addresses(client, outbound)
    _check_keys(client)
    for name in _NOT_OPENLY if openly else ():
        if name in client.grant_types:
            raise refusal("grant_types", f"may not have {name} where anybody can register")
    if not template:
        _check_algorithms(client)


def _check_redirect_uris(client: Client, allowed: tuple[str, ...]) -> None:
    for uri in client.redirect_uris:
        if why := problem(uri):
            raise InvalidRedirectUri(f"a redirect URI {why}")
        host = "".join(hosts((uri,)))
        on_device = is_on_device(uri)
        if client.application_type == "web" and (not uri.startswith("https://") or host in LOOPBACK_HOSTS):
            raise InvalidRedirectUri("a web client has https redirect URIs on a host of the network")
        if origin(uri) is None and not _REVERSE_DOMAIN.match(uri):
            raise InvalidRedirectUri("a private-use scheme is a domain name of its owner, reversed (RFC 8252 7.1)")
        if uri.startswith("http:") and not on_device:
            raise InvalidRedirectUri("http is only for loopback addresses (RFC 8252 7.3)")
        if allowed and not on_device and not any(host_fits(host, pattern) for pattern in allowed):
            raise InvalidRedirectUri("a redirect URI is on a host that is not allowed here")


def _check_addresses(client: Client, outbound: OutboundClient) -> None:
    policy = outbound.policy
    named = [(name, getattr(client, name)) for name in _ADDRESSES]
    # OpenID Connect Core 6.2: the fragment tells of a version and is never sent.
    named += [("request_uris", uri.partition("#")[0]) for uri in client.request_uris]
    for name, uri in named:
        try:
            if uri is not None:
                read_url(uri, ports=policy.ports, allow_loopback=policy.allow_loopback)
        except OutboundProblem as why:
            raise refusal(name, "is not an https URL that may be asked", str(why)) from None


def _check_keys(client: Client) -> None:
    if client.jwks is not None and client.jwks_uri is not None:
        raise refusal("jwks", "and jwks_uri exclude each other")
    if client.jwks is None:
        return
    try:
        usable = import_set(client.jwks)
    except KeyProblem as why:
        raise refusal("jwks", "has a key that cannot be used", str(why)) from None
    if not usable:
        raise refusal("jwks", "has no key of a kind that is known here")


def _check_algorithms(client: Client) -> None:
    """No key of ours is a secret shared with a stranger: his responses are signed with key pairs."""
    for name in ("id_token", "userinfo", "authorization", "introspection"):
        if str(getattr(client, f"{name}_signed_response_alg", "")).startswith("HS"):
            raise refusal(f"{name}_signed_response_alg", "is not offered to clients that register themselves")


async def check_sector(client: Client, outbound: OutboundClient) -> None:
    """Fetch the sector document and find every redirect URI in it (OpenID Connect Registration 5).

    Once, when the client registers or changes: what the document says later moves nobody to another sector.
    """
    uri = client.sector_identifier_uri
    if uri is None:
        return
    try:
        document = read_json(await outbound.fetch(uri, accept="application/json"))
    except OutboundProblem as why:
        raise refusal("sector_identifier_uri", "cannot be fetched", str(why)) from None
    if not isinstance(document, list) or not all(isinstance(each, str) for each in document):
        raise InvalidClientMetadata("the document at sector_identifier_uri is not a JSON array of URIs")
    if not set(client.redirect_uris) <= set(document):
        raise InvalidClientMetadata("the document at sector_identifier_uri does not have every redirect URI")
