"""Security profiles: what is written against the set that was chosen is refused, with the section that forbids it."""

import dataclasses
from collections.abc import Iterable, Iterator

from appliance.config.declared.profile import Profile
from appliance.config.linking import Object, problem
from appliance.config.problems import Path, Problem
from appliance.config.rules.rule import Rule, Scene
from appliance.config.security_profiles import CLIENT_REQUIREMENTS, PROFILE_REQUIREMENTS, Requirement
from appliance.protocol.client import Client
from appliance.protocol.redirect_uri import is_on_device
from appliance.protocol.security_profile import FAPI2, includes, stricter

#: What stands in `compat` without bending anything.
_HARMLESS = frozenset({"until"})


def profile_keeps_its_security_profile(profile: Object[Profile], scene: Scene) -> Iterator[Problem]:
    """OAuth 2.1, FAPI 2.0: nothing of the profile is against the set that it chose."""
    chosen = profile.value.security_profile
    if chosen is None:
        return
    yield from _broken(profile, profile.value, chosen, PROFILE_REQUIREMENTS, "OP951")
    yield from _no_compat(profile, profile.value.compat, ("compat",), chosen, "OP951")


def client_keeps_its_security_profile(client: Object[Client], scene: Scene) -> Iterator[Problem]:
    """OAuth 2.1, FAPI 2.0: nothing of a client is against the set that it or its profile chose."""
    profile = scene.profile_of(client.value.op.profile)
    of_profile = None if profile is None else profile.value.security_profile
    chosen = stricter(client.value.op.security_profile, of_profile)
    if chosen is None:
        return
    yield from _broken(client, client.value, chosen, CLIENT_REQUIREMENTS, "OP952")
    yield from _no_compat(client, client.value.op.compat, ("op", "compat"), chosen, "OP952")
    if not includes(chosen, FAPI2):
        return
    for position, uri in enumerate(client.value.redirect_uris):
        native = client.value.application_type == "native" and is_on_device(uri)
        if uri.startswith("http:") and not native:
            message = f"`{chosen}` takes http only for loopback addresses of native clients"
            path: Path = ("redirect_uris", position)
            help_ = "use https (FAPI 2.0 Security Profile 5.3.2.2)"
            yield problem("OP952", client, path, message, help=help_)


def client_security_profile_can_be_kept(client: Object[Client], scene: Scene) -> Iterator[Problem]:
    """A client's own set needs endpoints of its profile."""
    own, profile = client.value.op.security_profile, scene.profile_of(client.value.op.profile)
    if own is None or profile is None or not includes(own, FAPI2):
        return
    if client.value.redirect_uris and not profile.value.endpoints.pushed_authorization_request:
        message = f"`{own}` needs pushed authorization requests, and profile `{profile.id}` has no endpoint for them"
        remedy = "add `endpoints: {pushed_authorization_request: true}` to the profile"
        yield problem("OP952", client, ("op", "security_profile"), message, help=remedy)


def _broken(
    at: Object[object], value: object, chosen: str, requirements: Iterable[Requirement], code: str
) -> Iterator[Problem]:
    said: set[Path] = set()
    # The stricter rule of two about one member says all there is to say.
    for requirement in reversed(tuple(requirements)):
        if not includes(chosen, requirement.profile) or requirement.path in said:
            continue
        found: object = value
        for step in requirement.path:
            found = getattr(found, str(step))
        if not requirement.fits(found):
            said.add(requirement.path)
            message = f"`{chosen}` {requirement.words}"
            remedy = f"remove or change it ({requirement.section}), or choose another `security_profile`"
            yield problem(code, at, requirement.path, message, help=remedy)


def _no_compat(at: Object[object], compat: object, path: Path, chosen: str, code: str) -> Iterator[Problem]:
    """Compatibility bends what the sets are made of: none of it goes together with them."""
    written: object = at.written
    for step in path:
        written = written.get(step, {}) if isinstance(written, dict) else {}
    for field in dataclasses.fields(compat):  # type: ignore[arg-type]
        value = getattr(compat, field.name)
        if field.name in _HARMLESS or value in (False, None, "exact", "seconds") or value == {}:
            continue
        message = f"`{chosen}` has no compatibility options"
        remedy = f"remove `{field.name}`, or choose another `security_profile`"
        yield problem(code, at, (*path, field.name), message, help=remedy, key=True)


PROFILE_RULES: tuple[Rule[Profile], ...] = (profile_keeps_its_security_profile,)
CLIENT_RULES: tuple[Rule[Client], ...] = (client_keeps_its_security_profile, client_security_profile_can_be_kept)
