"""Codes of the rules: OP2xx clients and profiles, OP3xx references, OP44x keys and secrets, OP5xx claims,
OP6xx policies and levels, OP71x themes, OP9xx dates and accepted warnings."""

from collections.abc import Mapping
from types import MappingProxyType

from appliance.config.codes.text import CodeText

_ERRORS: Mapping[str, tuple[str, str]] = {
    "OP201": (
        "a redirect URI cannot be registered",
        "Redirect URIs are absolute, have no fragment, no wildcard and no user information, and are "
        "compared to the character (RFC 6749 3.1.2, RFC 9700 2.1). Loosely matched addresses are how "
        "codes are stolen.",
    ),
    "OP202": (
        "a redirect URI on http",
        "Codes and tokens would cross the network readable. Only a literal loopback address, where "
        "nothing leaves the machine, may be http (RFC 8252 7.3).",
    ),
    "OP203": (
        "a private-use scheme that does not fit",
        "Only native apps have schemes of their own, and such a scheme is a domain name that the app's "
        "maker owns, reversed: com.example.app:/callback (RFC 8252 7.1).",
    ),
    "OP204": (
        "a client that logs users in has no redirect URI",
        "Without one there is nowhere to send the answer (OpenID Connect Registration 2).",
    ),
    "OP206": (
        "a post-logout redirect URI cannot be registered",
        "The same care as for redirect URIs: the browser is sent there after logout.",
    ),
    "OP208": (
        "a CORS origin that cannot be trusted",
        "Scripts of this origin will read tokens. It must be https, or this very machine, in lower case.",
    ),
    "OP211": (
        "a hash where the secret itself is needed",
        "A message authentication code is computed with the secret, and an encryption key is derived from it; its "
        "hash can check only what is presented.",
    ),
    "OP212": (
        "secrets of a client that uses none",
        "Either the method or the secrets are a mistake; both together leave open which was meant.",
    ),
    "OP213": (
        "a client without the secret its method needs",
        "Nobody could ever authenticate as this client.",
    ),
    "OP214": (
        "an authentication method that the profile does not offer",
        "The profile's `token_endpoint_auth_methods_supported` lists what its token endpoint accepts.",
    ),
    "OP215": (
        "a response type that the profile does not offer",
        "See `response_types_supported` of the profile.",
    ),
    "OP216": ("a grant type that the profile does not offer", "See `grant_types_supported` of the profile."),
    "OP217": (
        "response types and grant types that do not go together",
        "`code` needs `authorization_code`; `id_token` and `token` need `implicit`; combinations need "
        "both (OpenID Connect Registration 2).",
    ),
    "OP218": (
        "client_credentials for a public client",
        "The client's own credentials are the grant; a client without any has nothing to show (RFC 6749 4.4).",
    ),
    "OP220": (
        "a subject type that the profile does not offer",
        "A profile with only `pairwise` promises its users that no client gets a public `sub`.",
    ),
    "OP221": (
        "a pairwise client without a sector",
        "A pairwise `sub` is made from the user and the sector. All redirect URIs on one host make that "
        "host the sector; several hosts, or none, need `op.sector_identifier` or `sector_identifier_uri` "
        "(OpenID Connect Core 8.1). Choose well: changing the sector later makes every user a new one for "
        "the client.",
    ),
    "OP223": (
        "a sector_identifier_uri that is not https",
        "Whoever can change that document could join the sector (OpenID Connect Registration 5).",
    ),
    "OP224": (
        "a public client without PKCE",
        "Nothing else binds the code to the client that asked for it (RFC 9700 2.1.1).",
    ),
    "OP225": (
        "an ID Token algorithm without key",
        "The profile signs with the algorithms of its `keys.signing` and no others.",
    ),
    "OP227": ("two secrets of a client with one id", "The id tells in logs which of them was used."),
    "OP228": (
        "unsigned ID Tokens where they cannot be",
        "Anybody can write a token that nobody signs. Only conformance tests of the code flow need them, where "
        "the token comes straight from the provider, and the profile must say so (OpenID Connect Core 2).",
    ),
    "OP229": (
        "a shared-secret algorithm without a shared secret",
        "HS256, HS384 and HS512 are computed with the client's secret; A128KW, A192KW, A256KW and dir encrypt with "
        "a key derived from it. A public client has none, and whoever could read one in its code could write ID "
        "Tokens for it (OpenID Connect Core 10.1, 10.2).",
    ),
    "OP234": ("an `enc` without its `alg`", "See OpenID Connect Registration 2; `alg` decides whether."),
    "OP235": (
        "encryption without a key to encrypt to",
        "The client's `jwks` or `jwks_uri` needs a public key of the right type: RSA with 2048 bits or more for "
        "RSA-OAEP, EC or X25519 for ECDH-ES, and none that says `use: sig` (OpenID Connect Core 10.2).",
    ),
    "OP236": (
        "a public client that introspects",
        "Whoever asks what tokens are worth must prove who he is (RFC 7662 2.1).",
    ),
    "OP241": (
        "an issuer that cannot be one",
        "An issuer is an https URL (OpenID Connect Discovery 3). http is accepted only for this very machine.",
    ),
    "OP242": ("an issuer with query or fragment", "OpenID Connect Discovery 3 and RFC 8414 2 exclude both."),
    "OP244": (
        "an issuer inside /.well-known",
        "Clients add /.well-known/openid-configuration to the issuer themselves (OpenID Connect Discovery 4).",
    ),
    "OP245": (
        "two profiles at one address",
        "Each profile needs an issuer of its own that is not an endpoint of another: one URL, one meaning.",
    ),
    "OP248": (
        "no response mode for tokens in front",
        "Response types other than `code` answer in the fragment unless asked otherwise; the query is "
        "forbidden for them (OAuth 2.0 Multiple Response Types 5).",
    ),
    "OP249": ("a response type that no grant type serves", "No client could be declared that uses it."),
    "OP252": ("idle longer than the whole life", "The idle time could then never end anything."),
    "OP253": ("a key published longer than it signs", "Keys would have to be published before they exist."),
    "OP254": ("a lifetime of nothing", "What ends before it begins cannot be used."),
    "OP255": (
        "a client without the keys its method needs",
        "`private_key_jwt` is verified with the client's public keys (OpenID Connect Core 9).",
    ),
    "OP256": ("keys in two places", "`jwks` and `jwks_uri` exclude each other (RFC 7591 2)."),
    "OP257": (
        "a key of a client that cannot be used",
        "A public key of type RSA with 2048 bits or more, EC on a NIST curve, Ed25519 or X25519. Private members "
        "never belong into a configuration: whoever reads them can be the client.",
    ),
    "OP258": (
        "a jwks_uri that is not fetched",
        "Whoever could change the keys on their way could be the client, so they come over https; and the provider "
        "speaks to the machine it runs on only where `outbound.allow_loopback` says so.",
    ),
    "OP259": (
        "an assertion algorithm that is not the method's",
        "`client_secret_jwt` computes HS256, HS384 or HS512 with the secret; `private_key_jwt` signs with a key "
        "pair (OpenID Connect Core 9).",
    ),
    "OP261": ("two listeners on one address", "The second could not be opened."),
    "OP265": ("settle longer than settle_at_most", "Files would be read before they had time to settle."),
    "OP272": (
        "an initial access token that can be guessed",
        "Whoever guesses it may register clients (RFC 7591 5).",
    ),
    "OP273": (
        "a required subject type that is not offered",
        "Clients would have to ask for what nobody can get.",
    ),
    "OP274": (
        "open registration without end",
        "Anybody can fill the store; clients that nobody uses have to end (RFC 7591 5).",
    ),
    "OP276": (
        "a private key where a public one belongs",
        "Software statements are verified here and signed elsewhere (RFC 7591 2.3, RFC 7517 9.2).",
    ),
    "OP277": (
        "a template with secrets",
        "Each client that is made from a template gets a secret of its own; one for all would be known to all.",
    ),
    "OP281": (
        "an address of request objects that is not fetched",
        "`request_uris` are https URLs, for whoever changes a request on its way logs the user in elsewhere "
        "(OpenID Connect Core 6.2). Only loopback addresses may be http, where the process allows them at all.",
    ),
    "OP282": (
        "request objects that could never be verified",
        "The registered algorithm needs a key: the client's `jwks` or `jwks_uri`, or its secret as a value. "
        "Unsigned ones are for conformance tests and the profile must say so (OpenID Connect Core 6.3.2).",
    ),
    "OP283": (
        "request objects that the profile does not read",
        "See `request_parameter_supported` and `request_uri_parameter_supported` of the profile.",
    ),
    "OP285": (
        "encrypted request objects that could never be read",
        "The profile needs a key for the registered algorithm in `keys.encryption`, and what is inside must be "
        "signed, for anybody can encrypt to the provider (OpenID Connect Core 6.1, RFC 9101 6.1).",
    ),
    "OP291": (
        "a logout address that cannot be used",
        "The provider itself calls a `backchannel_logout_uri`, over https; the user's browser loads a "
        "`frontchannel_logout_uri`, which must have scheme, host and port of a redirect URI (OpenID Connect "
        "Back-Channel Logout 2.2, Front-Channel Logout 2).",
    ),
    "OP292": (
        "a path for two endpoints",
        "Additional paths must be none of the profile's own, and different from each other.",
    ),
    "OP293": (
        "another way to a logout that is not there",
        "`legacy_logout` and aliases of the end session endpoint work only with `logout.rp_initiated`.",
    ),
    "OP305": (
        "an unknown ACR level",
        "Levels are declared in `acr` of the profile; their values are compared whole.",
    ),
    "OP311": ("an unknown profile", "Profiles are declared in profiles/<id>.yaml."),
    "OP312": ("an unknown claims set", "Claims sets are declared in claims/<set>.yaml."),
    "OP313": ("an unknown policy", "Policies are declared in policies/*.yaml."),
    "OP314": ("an unknown authenticator", "Authenticators are declared in authenticators/*.yaml."),
    "OP316": ("an unknown source", "Sources are declared in sources/*.yaml."),
    "OP317": ("an unknown theme", "Themes are folders below themes/, or ship with the provider."),
    "OP320": (
        "an unknown client template",
        "Templates are declared under `client_templates` in a file of clients/, and belong to one profile.",
    ),
    "OP318": ("an unknown scope", "A client may be allowed only scopes that its profile declares."),
    "OP441": (
        "pairwise without salt",
        "Without a secret salt anybody who knows the user's id can compute his pairwise `sub` (OpenID "
        "Connect Core 8.1).",
    ),
    "OP442": ("a salt too short", "At least 32 random bytes, so that nobody can try them all."),
    "OP443": ("a salt that looks like a placeholder", "A salt from an example is known to everybody."),
    "OP444": (
        "a key used twice",
        "A key shared by two issuers lets tokens of one be taken for the other's; one shared by two "
        "algorithms lets an attacker choose (RFC 8725 3.1, 3.8).",
    ),
    "OP446": ("a client secret too short", "At least 32 bytes (OpenID Connect Core 16.19)."),
    "OP447": ("a client secret that anyone would try", "The client's own id, `changeme` and the like."),
    "OP449": (
        "two entries for one algorithm",
        "Each algorithm has one line of keys, which rotates by itself.",
    ),
    "OP450": (
        "a key that cannot be used",
        "A private key in PEM or as JWK, without password, of the type that the algorithm needs, RSA with "
        "2048 bits or more (RFC 7518 3.3).",
    ),
    "OP451": ("a size where keys have none", "Only RSA keys come in sizes."),
    "OP501": (
        "an expression that cannot be read",
        "A text is a path such as person.emails[primary].value; anything else is an object with one "
        "operator, for example {join: [...]}, {first_of: [...]}, {const: ...}. See docs/configuration.md.",
    ),
    "OP502": ("an unknown operator", "The help lists those that there are."),
    "OP503": (
        "a pattern that is refused",
        "It is no regular expression, or one that takes exponential time on a text made for it: a repeat "
        "within a repeat, repeated alternatives, a reference back.",
    ),
    "OP504": (
        "a path into an unknown source",
        "Paths begin with one of the names in `sources` of the claims set.",
    ),
    "OP506": (
        "an unknown claim",
        "A claim of a scope is a standard one or has an expression in the claims set.",
    ),
    "OP507": ("a claim that no scope releases", "It would never be given, in the ID Token or anywhere."),
    "OP508": (
        "a claim that the provider writes itself",
        "If a directory could write `iss`, `sub` or `acr`, whoever edits it could be anybody (RFC 8725 3.10).",
    ),
    "OP515": ("a user without subject", "No `sub` can be made for him, so no login of his could ever succeed."),
    "OP516": (
        "two users with one subject",
        "Clients know users by `sub` alone: one of them would be let into the account of the other.",
    ),
    "OP601": ("two levels with one value", "A value stands for one level."),
    "OP604": (
        "a first step that cannot be first",
        "It proves something only of a user who is already known.",
    ),
    "OP606": ("steps of different sources", "All steps of a policy prove the same user of the same source."),
    "OP607": ("two users with one login", "Whoever types it must mean one account; case makes no difference."),
    "OP712": ("themes in a circle", "Each theme extends another, and the last of the line is `default`."),
    "OP713": (
        "a logo that is not there",
        "The logo is a file in assets/ of the theme, or of one that it extends.",
    ),
    "OP901": ("an acceptance that cannot be", "Only warnings can be accepted; errors are mended."),
}

_WARNINGS: Mapping[str, tuple[str, str]] = {
    "OP207": (
        "localhost in a native app's redirect URI",
        "The name may be given to another machine, and the free choice of port holds for the literal "
        "addresses only (RFC 8252 7.3, 8.3).",
    ),
    "OP222": ("a sector without effect", "The line misleads whoever reads it."),
    "OP226": (
        "refresh tokens that are never issued, or never usable",
        "A refresh token needs the grant type `refresh_token` and a grant that issues it.",
    ),
    "OP231": (
        "tokens in addresses",
        "The implicit grant and hybrids with `token` put tokens where histories, logs, referrers and "
        "injected responses find them (RFC 9700 2.1.2). `code` with PKCE does the same job. Where a "
        "client cannot change yet, accept the warning with a reason.",
    ),
    "OP232": (
        "a front-channel response type that no client uses",
        "An offer without use helps only attackers.",
    ),
    "OP233": (
        "a native app whose users are not asked",
        "Another app can use the same client id and would get tokens silently (RFC 8252 8.6).",
    ),
    "OP237": (
        "introspection that is not there",
        "The setting is about an endpoint that the profile does not have: `endpoints: {introspection: true}`.",
    ),
    "OP238": (
        "unsigned ID Tokens are possible",
        "For the certification of the provider, which asks for `alg: none`; no application needs it.",
    ),
    "OP243": (
        "an issuer with a slash at its end",
        "Legal, but clients that lose the slash will not match it.",
    ),
    "OP246": ("an issuer with upper case in its host", "Clients that lower the host will not match it."),
    "OP251": ("a long lifetime", "Whoever steals a token can use it as long as it lives (RFC 9700 2.2)."),
    "OP262": ("the admin listener is reachable", "It shows metrics and configuration and takes reloads."),
    "OP263": ("the public listener has no TLS", "Passwords would cross the network readable."),
    "OP264": ("nothing is served", "There is no profile."),
    "OP266": ("storage that forgets", "A restart ends all sessions and replaces all generated signing keys."),
    "OP267": (
        "requests to this very machine",
        "Whoever can make the provider fetch an address could reach what listens on this machine only.",
    ),
    "OP271": (
        "nobody can register",
        "There is a registration endpoint, but nothing that it would accept. Clients that registered earlier go on.",
    ),
    "OP294": (
        "a logout address that nobody calls",
        "The client waits to be told that a session ended; its profile does not offer that kind of logout.",
    ),
    "OP284": (
        "unsigned request objects are possible",
        "For the certification of the provider, which asks for `alg: none`; no application needs it.",
    ),
    "OP275": (
        "anybody can register",
        "A stranger chooses the name and links that users see on the consent page. Such clients must use PKCE, "
        "are never granted anything silently, and end when nobody uses them; still, prefer `mode: token`.",
    ),
    "OP319": (
        "something that nothing refers to",
        "Either it is left over, or the name is misspelt elsewhere.",
    ),
    "OP448": ("a secret shared by clients", "Who knows the secret of one can be the other."),
    "OP505": ("a source without use", "No expression of the claims set looks into it."),
    "OP510": ("a profile without openid", "It issues access tokens only."),
    "OP511": ("a scope without words", "The consent page shows its bare name."),
    "OP514": (
        "everybody is verified",
        "Clients join accounts by verified addresses; a constant lets an unverified one take over an account.",
    ),
    "OP603": ("a higher level that asks less", "A login of a higher level counts for all lower ones."),
    "OP605": ("a step twice", "The same proof twice proves nothing more."),
    "OP902": ("an acceptance without use", "What it accepted is gone; the entry would hide its return."),
    "OP911": ("a secret that has ended", "It is not accepted any more and can be removed."),
    "OP912": ("the last secret ends soon", "Within 30 days the client could not authenticate any more."),
}

CODES: Mapping[str, CodeText] = MappingProxyType(
    {code: CodeText("error", *texts) for code, texts in _ERRORS.items()}
    | {code: CodeText("warning", *texts) for code, texts in _WARNINGS.items()}
)
