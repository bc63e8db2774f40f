"""Sign-up: accounts that can log in, and names and answers of strangers that tell nobody else's identity."""

from collections.abc import Iterator, Mapping

from appliance.config import expressions
from appliance.config.declared.access import Part, Policy
from appliance.config.declared.profile import Profile
from appliance.config.linking import Object, problem
from appliance.config.problems import Path, Problem
from appliance.config.rules.claims_rules import STANDARD_CLAIMS
from appliance.config.rules.rule import Rule, Scene, unknown
from appliance.protocol.login_name import canonical_login

#: Kinds of sources that make accounts, and of authenticators that one passes by making one.
MAKERS = frozenset({"store"})
_PASSWORDS = frozenset({"password"})
#: What every account has of its own.
_OWN = frozenset({"id", "login"})
_VERIFIED = ("email_verified", "phone_number_verified")

Steps = tuple[object, ...]


def accounts_can_be_made(profile: Object[Profile], scene: Scene) -> Iterator[Problem]:
    """The source is there and of a kind that grows."""
    sign_up, linked = profile.value.sign_up, scene.linked
    if sign_up is None:
        return
    path: Path = ("sign_up", "source")
    source = linked.sources.get(sign_up.source)
    if source is None:
        if linked.complete("sources"):
            yield unknown("OP316", profile, path, sign_up.source, "source", linked.sources)
    elif source.value.kind not in MAKERS:
        message = f"nobody can make an account in `{source.id}`, which is of kind `{source.value.kind}`"
        yield problem("OP331", profile, path, message, help="name a source of kind `store`")


def accounts_can_log_in(profile: Object[Profile], scene: Scene) -> Iterator[Problem]:
    """The lowest level begins with the password that was chosen."""
    sign_up, linked = profile.value.sign_up, scene.linked
    policies = _policies(profile, scene)
    if sign_up is None or not policies or sign_up.source not in linked.sources:
        return
    first = linked.authenticators.get(policies[0].value.steps[0].authenticate)
    if first is None:
        return
    if first.value.kind not in _PASSWORDS or str(first.written.get("source", "")) != sign_up.source:
        message = f"the lowest level begins with `{first.id}`, which asks for no password of `{sign_up.source}`"
        remedy = f"begin policy `{policies[0].id}` with an authenticator of kind `password` and that source"
        yield problem("OP332", profile, ("sign_up", "source"), message, help=remedy)


def accounts_reach_the_default_level(profile: Object[Profile], scene: Scene) -> Iterator[Problem]:
    """A password is all that a new account has."""
    declared = profile.value
    if declared.sign_up is None:
        return
    usual = [level.policy for level in declared.acr if declared.acr_default in (None, level.value)]
    policy = scene.linked.policies.get(usual[0]) if usual else None
    if policy is not None and len({step.authenticate for step in policy.value.steps}) > 1:
        path: Path = ("sign_up", "source") if declared.acr_default is None else ("acr_default",)
        message = f"the level that is usual here asks for more than a password, by policy `{policy.id}`"
        remedy = "let it be a level of a password alone, and clients ask for more by `acr_values`"
        yield problem("OP337", profile, path, message, help=remedy)


def strangers_are_by_themselves(profile: Object[Profile], scene: Scene) -> Iterator[Problem]:
    """A login name that its owner chose is joined with no other source, in this profile or through its claims."""
    seen = _sources(profile, scene)
    for name in sorted(seen & _strangers(scene)):
        for other in sorted(seen - {name}):
            path: Path = ("sign_up", "source") if profile.value.sign_up is not None else ("claims",)
            message = f"anybody can choose a login name in `{name}`, also one of somebody in `{other}`"
            remedy = f"give `{name}` a profile, authenticators and a claims set that know no other source"
            yield problem("OP333", profile, path, message, help=remedy)


def fields_are_apart(profile: Object[Profile], scene: Scene) -> Iterator[Problem]:
    """An attribute for each answer, and none inside of another."""
    sign_up = profile.value.sign_up
    seen: list[Steps] = []
    claims: set[str] = set()
    for position, field in enumerate(sign_up.fields if sign_up is not None else ()):
        path: Path = ("sign_up", "fields", position, "claim" if field.attribute is None else "attribute")
        shown = ".".join(field.steps)
        if field.steps[0] in _OWN:
            message = f"`{field.steps[0]}` is the account's own"
            yield problem("OP334", profile, path, message, help="choose another `attribute`")
        elif any(_overlap(field.steps, other) for other in seen):
            message = f"`{shown}` is another field's attribute, or a part of one"
            yield problem("OP334", profile, path, message, help="give each field an attribute of its own")
        elif field.claim in claims:
            path = ("sign_up", "fields", position, "claim")
            yield problem("OP334", profile, path, f"`{field.claim}` is asked for twice", help="remove one of them")
        seen.append(field.steps)
        claims.add(field.claim)


def fields_become_claims(profile: Object[Profile], scene: Scene) -> Iterator[Problem]:
    """The claims set takes the claim from where the answer is put."""
    sign_up = profile.value.sign_up
    claims = scene.linked.claims.get(profile.value.claims)
    if sign_up is None or claims is None:
        return
    written = claims.written.get("claims")
    mapped = written if isinstance(written, Mapping) else {}
    for position, field in enumerate(sign_up.fields):
        path: Path = ("sign_up", "fields", position, "claim")
        if field.claim not in mapped:
            kind = f"claim in claims set `{claims.id}` called"
            yield unknown("OP335", profile, path, field.claim, kind, mapped)
            continue
        taken = _steps_of(mapped[field.claim], sign_up.source, claims.value.sources)
        if not any(_overlap(field.steps, steps) for steps in taken):
            shown = ".".join(field.steps)
            message = f"claim `{field.claim}` of claims set `{claims.id}` is not taken from `{shown}`"
            yield problem("OP335", profile, path, message, help="write its path as `attribute`")


def answers_identify_nobody(profile: Object[Profile], scene: Scene) -> Iterator[Problem]:
    """Neither the subject nor what says that something was verified comes from what a stranger typed."""
    claims = scene.linked.claims.get(profile.value.claims)
    if claims is None:
        return
    own = profile.written.get("subject")
    subject: tuple[Object[object], Path, object] = (claims, ("subject",), claims.written.get("subject"))
    places = [subject if own is None else (profile, ("subject",), own)]
    written = claims.written.get("claims")
    for name, each in written.items() if isinstance(written, Mapping) else ():
        if str(name).partition("#")[0] in _VERIFIED:
            places.append((claims, ("claims", str(name)), each))
    typed = [
        (other.value.sign_up.source, field.steps)
        for other in scene.linked.profiles.values()
        if other.value.sign_up is not None
        for field in other.value.sign_up.fields
        if field.steps[0] not in _OWN
    ]
    for at, path, each in places:
        for source, steps in typed:
            if any(_overlap(steps, taken) for taken in _steps_of(each, source, claims.value.sources)):
                message = f"`{'.'.join(steps)}` is what somebody typed at sign-up, and nobody verified it"
                yield problem("OP336", at, path, message, help="take it from `id`, or leave the claim out")
                break


def fields_have_words(profile: Object[Profile], scene: Scene) -> Iterator[Problem]:
    """The page can name a claim of your own only if you tell it how."""
    sign_up = profile.value.sign_up
    for position, field in enumerate(sign_up.fields if sign_up is not None else ()):
        if field.claim not in STANDARD_CLAIMS and not field.label:
            message = f"people are asked for `{field.claim}` but not told what it is"
            path: Path = ("sign_up", "fields", position, "claim")
            yield problem("OP338", profile, path, message, help="add `label: {en: ...}`")


def locked_logins_are_names(source: Object[Part], scene: Scene) -> Iterator[Problem]:
    """What nobody could type locks nobody out."""
    logins = source.written.get("locked_logins") if source.value.kind in MAKERS else ()
    for position, login in enumerate(logins if isinstance(logins, list | tuple) else ()):
        if canonical_login(str(login)) is None:
            message = "this has a character that no login name can have"
            yield problem("OP339", source, ("locked_logins", position), message, help="write the name as it is typed")


def _policies(profile: Object[Profile], scene: Scene) -> list[Object[Policy]]:
    """The policies by which users of a profile log in, the lowest level's first."""
    declared, known = profile.value, scene.linked.policies
    names = [level.policy for level in declared.acr] or list(known)[:1]
    names += [each.selects_policy for each in declared.scopes.values() if each.selects_policy is not None]
    return [known[name] for name in dict.fromkeys(names) if name in known]


def _sources(profile: Object[Profile], scene: Scene) -> frozenset[str]:
    """Every source whose users or documents a profile joins by their login names."""
    linked = scene.linked
    names = {step.authenticate for policy in _policies(profile, scene) for step in policy.value.steps}
    parts = [linked.authenticators[name] for name in names if name in linked.authenticators]
    claims = linked.claims.get(profile.value.claims)
    found = {str(part.written.get("source", "")) for part in parts} - {""}
    if profile.value.sign_up is not None:
        found.add(profile.value.sign_up.source)
    return frozenset(found | ({*claims.value.sources.values()} if claims is not None else set()))


def _strangers(scene: Scene) -> frozenset[str]:
    profiles, sources = scene.linked.profiles.values(), scene.linked.sources
    named = {each.value.sign_up.source for each in profiles if each.value.sign_up is not None}
    return frozenset(name for name in named if name in sources and sources[name].value.kind in MAKERS)


def _steps_of(written: object, source: str, sources: Mapping[str, str]) -> list[Steps]:
    """The paths of an expression that lead into a source."""
    aliases = {alias for alias, name in sources.items() if name == source}
    return [path.steps for _, path in expressions.read_all(written).paths if path.source in aliases]


def _overlap(one: Steps, other: Steps) -> bool:
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]


SOURCE_RULES: tuple[Rule[Part], ...] = (locked_logins_are_names,)

RULES: tuple[Rule[Profile], ...] = (
    accounts_can_be_made,
    accounts_can_log_in,
    accounts_reach_the_default_level,
    strangers_are_by_themselves,
    fields_are_apart,
    fields_become_claims,
    fields_have_words,
    answers_identify_nobody,
)
