"""Provider metadata, derived: a walk over what is installed and declared (OpenID Connect Discovery 3, RFC 8414 2).

Nothing is written here by hand but the names of lists; every value comes from a room of the house.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import orjson

from appliance.profile.client_auth import auth_metadata
from appliance.profile.profile import Profile
from appliance.protocol import prompt
from appliance.protocol.scope import OPENID
from appliance.protocol.security_profile import FAPI2, FAPI2_ALGORITHMS, includes
from appliance.seams import Endpoint

#: The endpoints that clients call directly, and so with their certificates.
MTLS_ENDPOINTS: Final = frozenset(
    {
        *("token_endpoint", "userinfo_endpoint", "introspection_endpoint", "revocation_endpoint"),
        *("pushed_authorization_request_endpoint", "device_authorization_endpoint"),
        *("backchannel_authentication_endpoint", "grant_management_endpoint"),
    }
)
#: How members begin that OpenID Connect Discovery 3 added to the metadata of OAuth.
_OPENID_ONLY: Final = ("id_token_", "userinfo_", "subject_types_", "claim_types_", "claims_")
#: How members end that list algorithms of signatures.
_ALGORITHMS: Final = "_signing_alg_values_supported"


def metadata(profile: Profile, endpoints: Iterable[Endpoint]) -> dict[str, object]:
    """The provider metadata of one profile with these endpoints."""
    declared, endpoints = profile.declared, tuple(endpoints)
    found: dict[str, object] = {"issuer": profile.issuer}
    for endpoint in endpoints:
        if endpoint.name.endswith("_endpoint"):
            found[endpoint.name] = profile.issuer + endpoint.path
        found |= endpoint.metadata()
    found |= {
        "response_types_supported": list(declared.response_types_supported),
        "response_modes_supported": _response_modes(profile),
        "grant_types_supported": _grant_types(profile),
        **auth_metadata("token_endpoint", profile.client_auth_methods.values()),
        "subject_types_supported": list(declared.subject_types_supported),
        **profile.response_protection.metadata(),
        **profile.sender_constraint.metadata(),
        **_mtls_aliases(declared.mtls.aliases_at, endpoints),
        "scopes_supported": [name for name in declared.scopes if declared.openid_connect or name != OPENID],
        "claims_supported": claims_supported(profile),
        "claim_types_supported": ["normal"],
        "claims_parameter_supported": declared.claims_parameter_supported,
        "prompt_values_supported": list(prompt.supported(create=profile.sign_up is not None)),
        **_request_objects(profile),
        **profile.details.metadata(),
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "ui_locales_supported": list(declared.ui_locales_supported),
    }
    if declared.client_id_metadata_documents.enabled:
        found["client_id_metadata_document_supported"] = True
    if declared.resources:
        # RFC 9728 4: so that nobody can claim to be served by us who is not.
        found["protected_resources"] = list(declared.resources)
    if declared.acr:
        found["acr_values_supported"] = [level.value for level in declared.acr]
    if any(mode.secured for mode in profile.response_modes.values()):
        found |= profile.response_protection.response_metadata()
    found |= _links(declared.links)
    if includes(declared.security_profile, FAPI2):
        found |= _within_fapi(found)
    if not declared.openid_connect:
        # RFC 8414 2: what only an OpenID Provider says of itself.
        found = {name: value for name, value in found.items() if not name.startswith(_OPENID_ONLY)}
    return found


def document(profile: Profile, endpoints: Iterable[Endpoint]) -> bytes:
    """The metadata as ready bytes."""
    return orjson.dumps(metadata(profile, endpoints))


def claims_supported(profile: Profile) -> list[str]:
    """`sub` and every claim that some scope releases, in the order of the scopes (Discovery 3)."""
    names = ["sub"] + [name for scope in profile.declared.scopes.values() for name in scope.claims]
    return list(dict.fromkeys([*names, *profile.declared.claims_in_id_token]))


def _within_fapi(found: Mapping[str, object]) -> dict[str, object]:
    """What is told of algorithms, without those that FAPI 2.0 Security Profile 5.4.1 refuses to every client."""
    lists = {name: value for name, value in found.items() if name.endswith(_ALGORITHMS) and isinstance(value, list)}
    return {name: [alg for alg in listed if alg in FAPI2_ALGORITHMS] for name, listed in lists.items()}


def _response_modes(profile: Profile) -> list[str]:
    # The short form is no file: it means one of these two (JARM 2.3.4).
    short = ["jwt"] if not {"query.jwt", "fragment.jwt"}.isdisjoint(profile.response_modes) else []
    return [*profile.response_modes, *short]


def _request_objects(profile: Profile) -> dict[str, object]:
    if profile.request_objects is None:
        return {"request_parameter_supported": False, "request_uri_parameter_supported": False}
    return profile.request_objects.metadata()


def _mtls_aliases(at: str | None, endpoints: Iterable[Endpoint]) -> dict[str, object]:
    """Where requests with a client certificate go to (RFC 8705 5)."""
    at = None if at is None else at.rstrip("/")
    aliases = {each.name: at + each.path for each in endpoints if at is not None and each.name in MTLS_ENDPOINTS}
    return {"mtls_endpoint_aliases": aliases} if aliases else {}


def _grant_types(profile: Profile) -> list[str]:
    # RFC 8414 2: implicit is named as a grant type though it has no file: it never reaches the token endpoint.
    front = any(
        kind in ("token", "id_token")
        for types in profile.declared.response_types_supported
        for kind in types.split()
    )
    return [*profile.grant_types, *(["implicit"] if front else [])]


def _links(links: Mapping[str, str]) -> dict[str, object]:
    names = {"privacy": "op_policy_uri", "terms": "op_tos_uri", "help": "service_documentation"}
    return {names[link]: uri for link, uri in links.items() if link in names}
