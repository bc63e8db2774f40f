"""How an authorization response reaches the client: one file per value of `response_modes_supported`.

A mode is given a verified place and the parameters; it decides nothing about what they are.
"""

from collections.abc import Callable, Mapping
from typing import Final

from appliance.parts.response_modes.form_post import FormPost
from appliance.parts.response_modes.form_post_jwt import FormPostJwt
from appliance.parts.response_modes.fragment import Fragment
from appliance.parts.response_modes.fragment_jwt import FragmentJwt
from appliance.parts.response_modes.query import Query
from appliance.parts.response_modes.query_jwt import QueryJwt
from appliance.seams import ResponseMode, catalogue

RESPONSE_MODES: Final[Mapping[str, Callable[..., ResponseMode]]] = catalogue(
    Query, Fragment, FormPost, QueryJwt, FragmentJwt, FormPostJwt
)
