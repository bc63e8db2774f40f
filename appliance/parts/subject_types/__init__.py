"""Subject types: how the `sub` of a user is made from his local subject value; called by `profile.claims`.

A subject type knows neither the user nor the client, only the local value and the client's sector.
"""

from collections.abc import Callable, Mapping
from typing import Final

from appliance.parts.subject_types.pairwise import Pairwise
from appliance.parts.subject_types.public import Public
from appliance.seams import SubjectType, catalogue

SUBJECT_TYPES: Final[Mapping[str, Callable[..., SubjectType]]] = catalogue(Pairwise, Public)
