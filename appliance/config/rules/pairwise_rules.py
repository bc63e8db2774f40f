"""Pairwise subjects: each client's sector can be told before its first user arrives (Core 8.1)."""

from collections.abc import Iterator

from appliance.config.linking import Object, label, problem
from appliance.config.problems import Mark, Problem
from appliance.config.rules.rule import Rule, Scene
from appliance.protocol import redirect_uri, sector
from appliance.protocol.client import Client


def subject_type_is_offered(client: Object[Client], scene: Scene) -> Iterator[Problem]:
    """The client's subject type is one of its profile's."""
    profile = scene.profile_of(client.value.op.profile)
    asked = client.value.subject_type
    if profile is None or asked is None or asked in profile.value.subject_types_supported:
        return
    offered = ", ".join(profile.value.subject_types_supported)
    message = f"profile `{profile.id}` does not offer `subject_type: {asked}`"
    yield problem("OP220", client, ("subject_type",), message, help=f"it offers: {offered}")


def sector_can_be_told(client: Object[Client], scene: Scene) -> Iterator[Problem]:
    """One host shared by all redirect URIs, or a sector that is said outright."""
    if not _is_pairwise(client.value, scene):
        return
    try:
        sector.sector(client.value)
    except sector.UnknownSector as unknown:
        reason = str(unknown)
    else:
        return
    if reason == sector.NO_SECTOR_HOST:
        message = "`sector_identifier_uri` must be an https URL: its host is the sector"
        yield problem("OP223", client, ("sector_identifier_uri",), message)
        return
    several = reason == sector.MANY_HOSTS
    words = "redirect URIs on several hosts" if several else "no redirect URI with a host"
    remedy = "set `op.sector_identifier`, or `sector_identifier_uri`, an https URL whose document lists them all"
    marks = tuple(_hosts(client)) if several else ()
    path: tuple[str, ...] = ("redirect_uris",) if client.value.redirect_uris else ()
    message = f"a pairwise client with {words} needs a sector"
    yield problem("OP221", client, path, message, help=remedy, key=bool(path), secondary=marks)


def _hosts(client: Object[Client]) -> Iterator[Mark]:
    seen: set[str] = set()
    for position, uri in enumerate(client.value.redirect_uris):
        for host in redirect_uri.hosts((uri,)) - seen:
            seen.add(host)
            yield label(client.where(("redirect_uris", position)), f"host {len(seen)}: {host}")


def sector_is_said_once_and_used(client: Object[Client], scene: Scene) -> Iterator[Problem]:
    """A sector that changes nothing, or two of them, mislead whoever reads the file."""
    value = client.value
    if value.op.sector_identifier and value.sector_identifier_uri:
        message = "`op.sector_identifier` wins; `sector_identifier_uri` has no effect"
        yield problem("OP222", client, ("sector_identifier_uri",), message, help="keep one of them", key=True)
    elif scene.profile_of(value.op.profile) and not _is_pairwise(value, scene):
        for path in (("op", "sector_identifier"), ("sector_identifier_uri",)):
            if value.op.sector_identifier if len(path) == 2 else value.sector_identifier_uri:
                message = "a sector has no effect here: the client's subject type is `public`"
                yield problem("OP222", client, path, message, help="add `subject_type: pairwise`", key=True)


def _is_pairwise(client: Client, scene: Scene) -> bool:
    profile = scene.profile_of(client.op.profile)
    default = profile.value.subject_types_supported[0] if profile else "public"
    logs_in = set(client.grant_types) - {"client_credentials"}
    return bool(logs_in) and (client.subject_type or default) == "pairwise"


RULES: tuple[Rule[Client], ...] = (
    subject_type_is_offered,
    sector_can_be_told,
    sector_is_said_once_and_used,
)
