"""Authenticators: the ways to prove who one is, one step each."""

from collections.abc import Callable, Mapping
from typing import Final

from appliance.parts.authenticators.password import Password
from appliance.parts.authenticators.totp import Totp
from appliance.seams import Authenticator, catalogue

AUTHENTICATORS: Final[Mapping[str, Callable[..., Authenticator]]] = catalogue(Password, Totp)
