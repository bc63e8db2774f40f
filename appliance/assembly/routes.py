"""Routes: every address of a profile and who answers there."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from appliance.endpoints import (
    ENDPOINTS,
    OPTIONAL_ENDPOINTS,
    REGISTRATION_ENDPOINTS,
    grant_endpoints,
    logout_endpoints,
    pending_endpoints,
)
from appliance.endpoints.asset import Asset
from appliance.endpoints.discovery import Document
from appliance.endpoints.sign_up_page import sign_up_pages
from appliance.endpoints.step_pages import step_pages
from appliance.endpoints.userinfo import UserinfoEndpoint
from appliance.pages.rendering import Renderer
from appliance.profile import protected_resources
from appliance.profile.clients import Origins
from appliance.profile.discovery import MTLS_ENDPOINTS, document
from appliance.profile.profile import Profile
from appliance.seams import Endpoint
from appliance.snapshot import Route


def endpoints_of(profile: Profile) -> list[Endpoint]:
    """The endpoints a profile has: the usual ones, and those it declares."""
    declared = profile.declared
    usual = (each for each in ENDPOINTS if declared.openid_connect or each is not UserinfoEndpoint)
    endpoints: list[Endpoint] = [*(endpoint(profile) for endpoint in usual), *step_pages(profile)]
    endpoints += sign_up_pages(profile)
    endpoints += [made(profile) for name, made in OPTIONAL_ENDPOINTS.items() if getattr(declared.endpoints, name)]
    if profile.registration is not None:
        endpoints += [endpoint(profile) for endpoint in REGISTRATION_ENDPOINTS]
    endpoints.extend(logout_endpoints(profile))
    endpoints.extend(pending_endpoints(profile))
    endpoints.extend(grant_endpoints(profile))
    return endpoints


def routes_of(profile: Profile, renderer: Renderer) -> Iterable[Route]:
    """All routes of a profile: endpoints, their aliases, the two metadata documents, the themes' assets."""
    host, path = urlsplit(profile.issuer).netloc, profile.path
    origins = Origins(profile.clients)
    endpoints = endpoints_of(profile)
    for endpoint in endpoints:
        yield Route(endpoint, host, path + endpoint.path, origins)
    for alias, name in profile.declared.compat.path_aliases.items():
        for endpoint in endpoints:
            if endpoint.name == name:
                yield Route(endpoint, host, path + alias, origins)
    yield from _mtls_aliases(profile, endpoints, origins)
    if profile.declared.discovery:
        body = document(profile, endpoints)
        if profile.declared.openid_connect:
            provider = Document(name="discovery", path="/.well-known/openid-configuration", body=body)
            yield Route(provider, host, path + provider.path, frozenset())
        # RFC 8414 3.1: the well-known part comes before the issuer's own path.
        oauth = Document(name="discovery", path="/.well-known/oauth-authorization-server", body=body)
        yield Route(oauth, host, oauth.path + path, frozenset())
    yield from _resources(profile, host)
    for address, response in renderer.assets(path).items():
        yield Route(Asset(address, response), host, address, frozenset())


def _resources(profile: Profile, host: str) -> Iterable[Route]:
    """The metadata of declared resources (RFC 9728 3): where clients look for it, and below the issuer."""
    for identifier, resource in profile.declared.resources.items():
        if not protected_resources.is_hosted(identifier):
            continue
        body = protected_resources.document(profile, identifier, resource)
        at, path = protected_resources.own_address(identifier)
        here = profile.path + protected_resources.address_here(identifier)
        for place, address in ((at, path), (host, here)):
            yield Route(Document(name="protected_resource", path=address, body=body), place, address, frozenset())


def _mtls_aliases(profile: Profile, endpoints: Iterable[Endpoint], origins: Origins) -> Iterable[Route]:
    """The addresses of `mtls_endpoint_aliases` (RFC 8705 5), where they are not the usual ones."""
    at = profile.declared.mtls.aliases_at
    if at is None:
        return
    usual = urlsplit(profile.issuer)
    host, path = urlsplit(at).netloc, urlsplit(at).path.rstrip("/")
    for endpoint in endpoints:
        if endpoint.name in MTLS_ENDPOINTS and (host, path) != (usual.netloc, usual.path.rstrip("/")):
            yield Route(endpoint, host, path + endpoint.path, origins)
