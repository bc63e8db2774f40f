"""What the profiles of a generation are made of."""

from collections.abc import Mapping
from dataclasses import dataclass

from appliance.config.declared.whole import Declared
from appliance.profile.client_keys import KeySets
from appliance.profile.profile import Profile
from appliance.protocol.client import Client
from appliance.seams import Source, Store, Tools
from appliance.snapshot import Report


@dataclass(frozen=True, slots=True)
class Materials:
    """What the profiles of a generation are made of beside their own declarations."""

    whole: Declared
    #: Declared clients by profile.
    clients: Mapping[str, list[Client]]
    sources: Mapping[str, Source]
    key_sets: KeySets
    store: Store
    tools: Tools
    report: Report
    #: The profiles of the generation before, by id.
    previous: Mapping[str, Profile]
