"""Codes of compatibility: OP92x and OP94x what bends a specification, OP93x what cannot be, OP913 a day that came."""

from collections.abc import Mapping
from types import MappingProxyType

from appliance.config.codes.text import CodeText

_ERRORS: Mapping[str, tuple[str, str]] = {
    "OP931": (
        "a loosely matched redirect URI that nothing secures",
        "`redirect_match: ignore_query` takes https addresses without a query of their own, PKCE, and `code` as "
        "the only response type: nothing else would keep a code from whoever changes the address (RFC 9700 2.1).",
    ),
    "OP932": (
        "a password grant that was not allowed",
        "The grant type `password` is for confidential clients alone, and needs `op: {compat: {password_grant: "
        "true}}` beside `compat: {password_grant: true}` of the profile (RFC 9700 2.4).",
    ),
    "OP933": (
        "a password grant that could never succeed",
        "What it proves is the lowest level, so that must be one step of kind `password`, and the client must not "
        "ask for a higher one.",
    ),
    "OP934": (
        "OpenID Connect where it is switched off",
        "With `openid_connect: false` there are no ID Tokens, no UserInfo and no scope `openid`.",
    ),
    "OP935": (
        "a resource scope with claims",
        "A scope is about the user (`type: identity`) or about a resource server (`type: resource`), which machines "
        "may have too.",
    ),
}

_WARNINGS: Mapping[str, tuple[str, str]] = {
    "OP913": (
        "a compatibility option that has outlived its day",
        "It was agreed to be needed until then. It still works; `check --strict` fails.",
    ),
    "OP921": (
        "redirect URIs are matched without their query",
        "RFC 9700 2.1 and OpenID Connect Core 3.1.2.1 ask for exact comparison. What the client adds can be "
        "carried by `state`, which nobody on the way can use.",
    ),
    "OP922": (
        "users give their passwords to a client",
        "RFC 9700 2.4 forbids the password grant: the client sees the password, no second factor is possible, and "
        "users learn to type it anywhere. The code flow does the same job.",
    ),
    "OP923": (
        "codes travel over http",
        "Whoever is on the way can read and use them (RFC 9700 2.6, OpenID Connect Core 3.1.2.1). PKCE keeps a "
        "listener from redeeming the code, nothing keeps him from changing the answer.",
    ),
    "OP924": (
        "a scope says how users log in",
        "RFC 6749 3.3 knows scopes as what is granted. `acr_values` and `claims` are the standard way to ask for a "
        "login (OpenID Connect Core 3.1.2.1, 5.5.1.1).",
    ),
    "OP925": (
        "a parameter that is not in the standard",
        "RFC 6749 3.1 wants unknown parameters ignored; `prompt=consent` is the standard way (OpenID Connect Core "
        "3.1.2.1).",
    ),
    "OP926": (
        "no metadata is published",
        "Most clients configure themselves by it, and keys rotate unseen by the others (OpenID Connect Discovery 4, "
        "RFC 8414 3).",
    ),
    "OP927": (
        "assertions may count milliseconds",
        "RFC 7519 2 has seconds. A value in milliseconds that were read as seconds would never end.",
    ),
    "OP928": (
        "claims that nobody can read",
        "Only access tokens of format `jwt` carry claims (RFC 9068 2.2.2); the others say nothing.",
    ),
    "OP941": (
        "a second logout address",
        "It names the client and the user in place of an ID Token (OpenID Connect RP-Initiated Logout 2), so it can "
        "tell less well who asks. It ends the session of this very browser only, and asks where the user is another.",
    ),
    "OP942": (
        "endpoints with a second path",
        "Clients that read the metadata never meet it (OpenID Connect Discovery 4, RFC 8414 3.3); each path more is "
        "one more for firewalls, rate limits and logs to know.",
    ),
    "OP943": (
        "ID Tokens are introspected",
        "RFC 7662 2.1 is about access and refresh tokens. An ID Token tells a client of a login and opens nothing; a "
        "resource server that asks about one may take it for an access token.",
    ),
}

CODES: Mapping[str, CodeText] = MappingProxyType(
    {code: CodeText("error", *texts) for code, texts in _ERRORS.items()}
    | {code: CodeText("warning", *texts) for code, texts in _WARNINGS.items()}
)
