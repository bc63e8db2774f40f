"""Dynamic registration: who may register is somebody, what is promised is offered, templates are whole."""

from collections.abc import Iterator, Mapping

from appliance.config.declared.profile import Profile
from appliance.config.linking import Object, problem
from appliance.config.problems import Path, Problem
from appliance.config.rules import client_rules, client_secret_rules, compat_rules, pairwise_rules, redirect_rules
from appliance.config.rules.rule import Rule, Scene, unknown
from appliance.config.rules.weak_secrets import is_placeholder
from appliance.protocol.client import Client

_MIN_TOKEN = 32
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


def somebody_can_register(profile: Object[Profile], scene: Scene) -> Iterator[Problem]:
    """RFC 7591 3, 5: neither nobody nor, unnoticed, everybody."""
    value = profile.value.registration
    path: Path = ("registration", "mode")
    if value.mode == "token" and not value.initial_access_tokens and not value.software_statements.issuers:
        message = "nobody can register: there is no initial access token and no trusted issuer of statements"
        yield problem("OP271", profile, path, message, help="add `initial_access_tokens: [{id: ..., file: ...}]`")
    if value.mode != "open":
        return
    if not value.software_statements.required:
        message = "anybody can register a client here, with any name (RFC 7591 5)"
        remedy = "use `mode: token`, or accept it: ignore: [{code: OP275, reason: ...}]"
        yield problem("OP275", profile, path, message, help=remedy)
    if value.expires_after is None:
        message = "what anybody can register has to end when nobody uses it"
        yield problem("OP274", profile, ("registration", "expires_after"), message, help="write a length such as 90d")


def initial_access_tokens_are_strong(profile: Object[Profile], scene: Scene) -> Iterator[Problem]:
    """RFC 7591 5: whoever guesses one may register; and one that has ended admits nobody."""
    for position, each in enumerate(profile.value.registration.initial_access_tokens):
        path: Path = ("registration", "initial_access_tokens", position)
        if each.not_after is not None and each.not_after <= scene.now:
            message = "this initial access token has ended and is not accepted any more"
            yield problem("OP911", profile, (*path, "not_after"), message, help="remove it")
        value = each.secret.value
        if value and not each.secret.hashed and (len(value) < _MIN_TOKEN or is_placeholder(value)):
            message = f"an initial access token has {_MIN_TOKEN} bytes at least, and nobody can guess it"
            yield problem("OP272", profile, path, message, help="`appliance secret new` makes one")


def required_subject_type_is_offered(profile: Object[Profile], scene: Scene) -> Iterator[Problem]:
    """What every client must ask for is something that a client can get."""
    asked = profile.value.registration.require.subject_type
    if asked is not None and asked not in profile.value.subject_types_supported:
        message = f"clients must ask for `{asked}`, which this profile does not offer"
        remedy = f"add `{asked}` to `subject_types_supported`"
        path = ("registration", "require", "subject_type")
        yield problem("OP273", profile, path, message, help=remedy)


def scopes_are_declared(profile: Object[Profile], scene: Scene) -> Iterator[Problem]:
    """Each scope for registered clients is one of the profile."""
    scopes = profile.value.scopes
    for position, name in enumerate(profile.value.registration.scopes or ()):
        if name not in scopes:
            kind = f"scope in profile `{profile.id}` called"
            yield unknown("OP318", profile, ("registration", "scopes", position), name, kind, scopes)


def templates_are_the_profiles(profile: Object[Profile], scene: Scene) -> Iterator[Problem]:
    """Each template exists and belongs to this profile."""
    linked = scene.linked
    if not (linked.complete("clients") and linked.complete("client_templates")):
        return
    own = {name: each for name, each in linked.client_templates.items() if each.value.op.profile == profile.id}
    for position, name in enumerate(profile.value.registration.templates):
        if name not in own:
            kind = "client template of this profile called"
            yield unknown("OP320", profile, ("registration", "templates", position), name, kind, own)


def statement_keys_are_public(profile: Object[Profile], scene: Scene) -> Iterator[Problem]:
    """RFC 7517 9.2: who verifies needs no private key, and whoever reads it here could sign."""
    for issuer, jwks in profile.value.registration.software_statements.issuers.items():
        keys = jwks.get("keys")
        if any(isinstance(key, Mapping) and _PRIVATE & key.keys() for key in (keys if isinstance(keys, list) else ())):
            message = "one of these keys is a private or a shared one"
            # The line of the key itself is better not shown.
            path: Path = ("registration", "software_statements", "issuers", issuer)
            yield problem("OP276", profile, path, message, help="write the public key alone", key=True)


def template_has_no_secrets(template: Object[Client], scene: Scene) -> Iterator[Problem]:
    """RFC 6749 2.3.1: each client that is made from it gets a secret of its own."""
    if template.value.client_secrets:
        message = "a template has no secrets: each client that registers from it gets its own"
        yield problem("OP277", template, ("client_secrets",), message, help="remove them", key=True)


PROFILE_RULES: tuple[Rule[Profile], ...] = (
    somebody_can_register,
    initial_access_tokens_are_strong,
    required_subject_type_is_offered,
    scopes_are_declared,
    templates_are_the_profiles,
    statement_keys_are_public,
)

#: What holds for clients holds for what they are made from, but for secrets and sectors, which they bring.
TEMPLATE_RULES: tuple[Rule[Client], ...] = (
    client_rules.profile_exists,
    client_rules.theme_exists,
    client_rules.scopes_are_the_profiles,
    client_rules.levels_are_the_profiles,
    client_rules.response_types_are_the_profiles,
    client_rules.grant_types_are_the_profiles,
    client_rules.grant_types_fit_response_types,
    client_rules.client_credentials_need_a_secret,
    client_rules.public_clients_use_pkce,
    client_rules.refresh_settings_agree,
    client_rules.claims_in_id_token_are_released,
    client_rules.front_channel_is_meant,
    client_rules.native_clients_ask,
    client_rules.lifetimes_are_short,
    redirect_rules.redirect_uris_are_sound,
    redirect_rules.post_logout_uris_are_sound,
    redirect_rules.cors_origins_are_secure,
    pairwise_rules.subject_type_is_offered,
    client_secret_rules.method_is_offered,
    template_has_no_secrets,
    *compat_rules.CLIENT_RULES,
)
