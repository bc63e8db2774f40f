"""Codes of pushed requests, resources and authorization details: OP37x, OP38x, OP52x."""

from collections.abc import Mapping
from types import MappingProxyType

from appliance.config.codes.text import CodeText

_ERRORS: Mapping[str, tuple[str, str]] = {
    "OP371": (
        "requests that must be pushed and cannot be",
        "`endpoints: {pushed_authorization_request: true}` of the profile switches the endpoint on (RFC 9126 5, 6).",
    ),
    "OP372": (
        "a time for pushed requests that is none, or too long",
        "A browser needs seconds to bring a reference, and whoever finds one could use it as long; FAPI 2.0 Security "
        "Profile 5.3.2.2 asks for less than ten minutes.",
    ),
    "OP373": (
        "a public client that must push and may not",
        "Where nobody proves anything, pushing protects only what was asked. `pushed_authorization_request: "
        "{public_clients: true}` of the profile allows it.",
    ),
    "OP374": (
        "redirect URIs that cannot be brought along",
        "Only a client that proves who it is when it pushes a request may have redirect URIs that are not registered "
        "(RFC 9126 2.4).",
    ),
    "OP375": (
        "a scope that means nothing at a resource server",
        "`openid` and `offline_access` are about the login and the grant; tokens for a resource do not have them.",
    ),
    "OP376": (
        "access tokens signed without key",
        "The profile signs with the algorithms of its `keys.signing` and no others.",
    ),
    "OP377": ("an algorithm where nothing is signed", "Opaque access tokens have no signature."),
    "OP378": (
        "a resource server that cannot introspect",
        "`introspection_clients` are clients of the profile that prove who they are, and the profile has the "
        "introspection endpoint (RFC 7662 2.1).",
    ),
    "OP379": (
        "the issuer as a resource",
        "The issuer is always a resource: tokens for it are good at UserInfo, and what they are like is said by the "
        "profile itself.",
    ),
    "OP380": ("an unknown resource", "Resources are declared in `resources` of the profile, by their identifiers."),
    "OP381": (
        "a default that the client may not have",
        "What counts where a request says nothing must be among what the client may ask for.",
    ),
    "OP383": (
        "an unknown type of authorization details",
        "Types are declared in `authorization_details_types` of the profile.",
    ),
    "OP521": (
        "a schema of authorization details that cannot be used",
        "It is JSON Schema 2020-12 without what could not be bounded or would lead elsewhere: references go to the "
        "schema's own `$defs`, patterns cannot run away, keywords are those that are checked (RFC 9396 2.1).",
    ),
    "OP522": (
        "words for a member that there is not",
        "`fields` and the places in `text` name members of the schema by their paths, with dots between.",
    ),
}

_WARNINGS: Mapping[str, tuple[str, str]] = {
    "OP523": (
        "a member of authorization details without words",
        "Users see it by its own name on the consent page, as they see all that they allow.",
    ),
    "OP524": (
        "words that are missing in a language",
        "The consent page then shows them in English, or in whatever language there is.",
    ),
}

CODES: Mapping[str, CodeText] = MappingProxyType(
    {code: CodeText("error", *texts) for code, texts in _ERRORS.items()}
    | {code: CodeText("warning", *texts) for code, texts in _WARNINGS.items()}
)
