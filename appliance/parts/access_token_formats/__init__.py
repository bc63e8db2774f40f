"""Forms of access tokens, named by `op.access_token_format`; issued and read by `profile.access_tokens`.

A form mints a token and tells the record behind a presented one. It knows neither the store nor HTTP: whether
a token still holds is the record's matter, for every form alike.
"""

from collections.abc import Callable, Mapping
from typing import Final

from appliance.parts.access_token_formats.jwt import Jwt
from appliance.parts.access_token_formats.opaque import Opaque
from appliance.seams import AccessTokenFormat, catalogue

ACCESS_TOKEN_FORMATS: Final[Mapping[str, Callable[..., AccessTokenFormat]]] = catalogue(Jwt, Opaque)
