"""Protected resource metadata (RFC 9728) of the resources that a profile declares.

A resource server has enough to do; what it would have to say of its authorization server is known here already.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

import orjson

from appliance.config.declared.resources import Resource
from appliance.profile.profile import Profile

WELL_KNOWN: Final = "/.well-known/oauth-protected-resource"


def document(profile: Profile, identifier: str, resource: Resource) -> bytes:
    """The metadata of one resource as ready bytes (RFC 9728 2)."""
    declared = profile.declared
    found: dict[str, object] = {
        "resource": identifier,
        "authorization_servers": [profile.issuer],
        "bearer_methods_supported": ["header"],
    }
    if resource.scopes:
        found["scopes_supported"] = list(resource.scopes)
    found |= _names(resource.title)
    if declared.tls_client_certificate_bound_access_tokens:
        found["tls_client_certificate_bound_access_tokens"] = True
    if profile.sender_constraint.algs:
        found["dpop_signing_alg_values_supported"] = list(profile.sender_constraint.algs)
        found["dpop_bound_access_tokens_required"] = declared.dpop.required
    if declared.authorization_details_types:
        found["authorization_details_types_supported"] = list(declared.authorization_details_types)
    return orjson.dumps(found)


def is_hosted(identifier: str) -> bool:
    """Whether a resource has an address at which clients look for its metadata (RFC 9728 3)."""
    parts = urlsplit(identifier)
    return parts.scheme in ("https", "http") and bool(parts.netloc) and not parts.query


def own_address(identifier: str) -> tuple[str, str]:
    """Host and path where clients look for it: the well-known part comes before the resource's path (RFC 9728 3.1)."""
    parts = urlsplit(identifier)
    # A slash that ends the host alone is no path.
    path = "" if parts.path == "/" else parts.path
    return parts.netloc, WELL_KNOWN + path


def address_here(identifier: str) -> str:
    """Its path below the issuer, for a `resource_metadata` of the resource server's challenge (RFC 9728 5.1)."""
    parts = urlsplit(identifier)
    return f"{WELL_KNOWN}/{parts.netloc}{parts.path}".rstrip("/")


def _names(title: Mapping[str, str]) -> dict[str, str]:
    """The name in each language, and the first of them for who reads none of these (RFC 9728 2.1)."""
    found = {f"resource_name#{locale}": text for locale, text in title.items()}
    return {"resource_name": next(iter(title.values())), **found} if title else {}
