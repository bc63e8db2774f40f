"""Authorization details (RFC 9396) and all that the consent page says: schemas that hold, words for all of it."""

import re
from collections.abc import Iterator, Mapping

from appliance.config.declared.profile import Profile
from appliance.config.details_schemas import SchemaMistake, compile_schema, member_paths
from appliance.config.linking import Object, problem
from appliance.config.problems import Path, Problem
from appliance.config.rules.claims_rules import STANDARD_SCOPES
from appliance.config.rules.rule import Rule, Scene, unknown
from appliance.protocol.client import Client

_PLACE = re.compile(r"\{([^{}]*)\}")


def schemas_can_be_used(profile: Object[Profile], scene: Scene) -> Iterator[Problem]:
    """RFC 9396 2.1: what a type's objects are like can be told."""
    for name, each in profile.value.authorization_details_types.items():
        mistake = _mistake(each.schema)
        if mistake is not None:
            path = ("authorization_details_types", name, "schema", *mistake.place)
            yield problem("OP521", profile, path, mistake.message, help=mistake.remedy)


def _mistake(schema: Mapping[str, object]) -> SchemaMistake | None:
    try:
        compile_schema(schema)
    except SchemaMistake as mistake:
        return mistake
    return None


def words_are_about_members(profile: Object[Profile], scene: Scene) -> Iterator[Problem]:
    """What is said of an object is of members that it can have, and every member that it can have is said."""
    for name, each in profile.value.authorization_details_types.items():
        if _mistake(each.schema) is not None:
            # What its members are cannot be told.
            continue
        members = member_paths(each.schema)
        told: set[str] = set(each.fields)
        at: Path = ("authorization_details_types", name)
        for path in each.fields:
            if not _is_known(path, members):
                yield unknown("OP522", profile, (*at, "fields", path), path, "member in the schema called", members)
        for locale, words in each.text.items():
            for path in _PLACE.findall(words):
                told.add(path)
                if not _is_known(path, members):
                    kind = "member in the schema called"
                    yield unknown("OP522", profile, (*at, "text", locale), path, kind, members)
        silent = [path for path in members if not _is_told(path, told)]
        if silent:
            message = f"users read `{silent[0]}` by its own name"
            if len(silent) > 1:
                message = f"users read {', '.join(f'`{path}`' for path in silent)} by their own names"
            yield problem("OP523", profile, at, message, help="name it in `fields` or `text`", key=True)


def _is_known(path: str, members: tuple[str, ...]) -> bool:
    return any(each == path or each.startswith(f"{path}.") for each in members)


def _is_told(path: str, told: set[str]) -> bool:
    return any(path == each or path.startswith(f"{each}.") for each in told)


def words_are_in_every_language(profile: Object[Profile], scene: Scene) -> Iterator[Problem]:
    """What the consent page says can be said in each of the languages that were chosen for the profile."""
    if "ui_locales_supported" not in profile.written:
        # Those that the themes happen to have: nobody promised them to the users of this profile.
        return
    for path, texts in _texts(profile.value):
        missing = [each for each in profile.value.ui_locales_supported if not _has(texts, each)]
        if texts and missing:
            message = f"these words are missing in {', '.join(missing)}"
            remedy = f"add {', '.join(f'`{each}: ...`' for each in missing)}"
            yield problem("OP524", profile, path, message, help=remedy, key=True)


def _texts(profile: Profile) -> Iterator[tuple[Path, Mapping[str, str]]]:
    for name, scope in profile.scopes.items():
        # The themes have words of their own for the standard scopes.
        if scope.consent and scope.selects_policy is None and name not in STANDARD_SCOPES:
            yield ("scopes", name, "description"), scope.description
    for identifier, resource in profile.resources.items():
        yield ("resources", identifier, "title"), resource.title
    for name, each in profile.authorization_details_types.items():
        at: Path = ("authorization_details_types", name)
        yield (*at, "title"), each.title
        yield (*at, "text"), each.text
        for path, label in each.fields.items():
            yield (*at, "fields", path), label


def _has(texts: Mapping[str, str], locale: str) -> bool:
    return locale in texts or locale.split("-")[0] in texts


def types_of_registration_exist(profile: Object[Profile], scene: Scene) -> Iterator[Problem]:
    """What registered clients may have is declared."""
    declared = profile.value.authorization_details_types
    for position, name in enumerate(profile.value.registration.authorization_details_types):
        if name not in declared:
            path = ("registration", "authorization_details_types", position)
            yield unknown("OP383", profile, path, name, "type of authorization details called", declared)


def types_are_the_profiles(client: Object[Client], scene: Scene) -> Iterator[Problem]:
    """RFC 9396 10: each type that a client may ask for is one of its profile."""
    profile = scene.profile_of(client.value.op.profile)
    if profile is None:
        return
    declared = profile.value.authorization_details_types
    kind = f"type of authorization details in profile `{profile.id}` called"
    for position, name in enumerate(client.value.authorization_details_types):
        if name not in declared:
            yield unknown("OP383", client, ("authorization_details_types", position), name, kind, declared)


PROFILE_RULES: tuple[Rule[Profile], ...] = (
    schemas_can_be_used,
    words_are_about_members,
    words_are_in_every_language,
    types_of_registration_exist,
)
CLIENT_RULES: tuple[Rule[Client], ...] = (types_are_the_profiles,)
