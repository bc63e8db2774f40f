"""The whole declared configuration of one generation."""

from collections.abc import Mapping
from dataclasses import dataclass

from appliance.config.declared.access import Part, Policy
from appliance.config.declared.claims import ClaimsSet
from appliance.config.declared.profile import Profile
from appliance.config.declared.root import Root
from appliance.config.declared.theme import ThemeFiles
from appliance.protocol.client import Client


@dataclass(frozen=True, slots=True)
class Declared:
    """Everything the files say, checked and resolved. `digest` names this generation (hex SHA-256)."""

    digest: str
    root: Root
    profiles: Mapping[str, Profile]
    #: By client_id; each names its profile in `op.profile`.
    clients: Mapping[str, Client]
    #: What clients have that register from it, by the template's id.
    client_templates: Mapping[str, Client]
    claims: Mapping[str, ClaimsSet]
    sources: Mapping[str, Part]
    authenticators: Mapping[str, Part]
    policies: Mapping[str, Policy]
    themes: Mapping[str, ThemeFiles]
