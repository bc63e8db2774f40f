"""Policies and authenticators: each step can be taken, in that order, by the users of the profile."""

import unicodedata
from collections.abc import Iterator, Mapping

from appliance.config.declared.access import Part, Policy
from appliance.config.linking import Object, label, problem
from appliance.config.problems import Path, Problem
from appliance.config.rules.rule import Rule, Scene, unknown

#: Kinds that need a user who is already known.
_SECOND_STEPS = frozenset({"totp"})
_LOGIN_REMEDY = "give each user names of his own"


def source_exists(authenticator: Object[Part], scene: Scene) -> Iterator[Problem]:
    """An authenticator's source is there."""
    name, linked = str(authenticator.written.get("source", "")), scene.linked
    if name and name not in linked.sources and linked.complete("sources"):
        yield unknown("OP316", authenticator, ("source",), name, "source", linked.sources)


def logins_are_of_one_user(source: Object[Part], scene: Scene) -> Iterator[Problem]:
    """A name that is typed leads to one account; case and width of letters do not tell accounts apart."""
    users = source.written.get("users")
    seen: dict[str, str] = {}
    for user, settings in users.items() if isinstance(users, Mapping) else ():
        logins = settings.get("login") if isinstance(settings, Mapping) else None
        for login in [logins] if isinstance(logins, str) else logins or ():
            name = unicodedata.normalize("NFKC", str(login)).casefold()
            if seen.setdefault(name, user) != user:
                message = f"`{login}` is a login of user `{seen[name]}` already"
                mark = label(source.where(("users", seen[name], "login")), "first here")
                path: Path = ("users", user, "login")
                yield problem("OP607", source, path, message, help="give each user names of his own", secondary=(mark,))


def authenticators_exist(policy: Object[Policy], scene: Scene) -> Iterator[Problem]:
    """Each step names an authenticator."""
    linked = scene.linked
    for position, step in enumerate(policy.value.steps):
        if step.authenticate not in linked.authenticators and linked.complete("authenticators"):
            path = ("steps", position, "authenticate")
            yield unknown("OP314", policy, path, step.authenticate, "authenticator", linked.authenticators)


def first_step_finds_the_user(policy: Object[Policy], scene: Scene) -> Iterator[Problem]:
    """A one-time code proves something only of a user who has said who he is."""
    first = scene.linked.authenticators.get(policy.value.steps[0].authenticate)
    if first is not None and first.value.kind in _SECOND_STEPS:
        message = f"`{first.id}` ({first.value.kind}) cannot be first: it does not find out who the user is"
        remedy = "put a step of kind `password` before it"
        yield problem("OP604", policy, ("steps", 0, "authenticate"), message, help=remedy)


def steps_differ(policy: Object[Policy], scene: Scene) -> Iterator[Problem]:
    """The same proof twice proves nothing more."""
    seen: set[str] = set()
    for position, step in enumerate(policy.value.steps):
        if step.authenticate in seen:
            message = f"`{step.authenticate}` is a step of this policy already"
            yield problem("OP605", policy, ("steps", position, "authenticate"), message, help="remove one of them")
        seen.add(step.authenticate)


def steps_are_of_one_source(policy: Object[Policy], scene: Scene) -> Iterator[Problem]:
    """All steps of a policy prove the same user, so they ask the same source."""
    found = [scene.linked.authenticators.get(step.authenticate) for step in policy.value.steps]
    sources = [str(each.written.get("source", "")) if each else "" for each in found]
    for position, source in enumerate(sources):
        if source and sources[0] and source != sources[0]:
            message = f"this step asks source `{source}`, but the first one found the user in `{sources[0]}`"
            path: Path = ("steps", position, "authenticate")
            yield problem("OP606", policy, path, message, help=f"use an authenticator of `{sources[0]}`")


SOURCE_RULES: tuple[Rule[Part], ...] = (logins_are_of_one_user,)

AUTHENTICATOR_RULES: tuple[Rule[Part], ...] = (source_exists,)

POLICY_RULES: tuple[Rule[Policy], ...] = (
    authenticators_exist,
    first_step_finds_the_user,
    steps_differ,
    steps_are_of_one_source,
)
