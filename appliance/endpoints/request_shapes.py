"""Authorization requests that differ only in what is new in every one of them: read and checked once.

A client sends the same request again and again, with another `state`, `nonce` and `code_challenge`. All else that
is said of such a request follows from the rest of it and from the generation, which does not change; checking it
anew is a tenth of a login for a user who has a session.
"""

from collections.abc import Mapping
from typing import Final

from appliance.endpoints.authorization_reply import Channel
from appliance.endpoints.visits import read_asked
from appliance.profile.profile import Profile
from appliance.protocol import pkce
from appliance.protocol.authorization_request import (
    PARAMETERS,
    REFUSED,
    AuthorizationRequest,
    with_consent_parameter,
)
from appliance.protocol.errors import OAuthError
from appliance.protocol.form import Params
from appliance.protocol.frozen import changed

#: How many shapes are known at a time: by the client, which has few, and at least and at most of one profile.
SHAPES_OF_A_CLIENT: Final = 4
FEWEST: Final = 32
MOST: Final = 4096
#: How long the parameters of one may be, together.
MAX_LENGTH: Final = 1024
#: Longer values, though most are allowed, are looked at by the whole of the checks.
_MAX_NEW: Final = 512

Read = tuple[Channel, AuthorizationRequest]
Shape = tuple[object, ...]


class RequestShapes:
    """Reads the authorization requests of one profile."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._limit = min(max(SHAPES_OF_A_CLIENT * len(profile.clients), FEWEST), MOST)
        self._known: dict[Shape, Read] = {}

    async def read(self, params: Params) -> Read:
        """As `read_asked` does, whose errors it raises."""
        if self._profile.declared.compat.consent_parameter:
            params = with_consent_parameter(params)
        if params.repeated or not REFUSED.isdisjoint(params) or "id_token_hint" in params:
            # The hint is a token, which ends.
            return await read_asked(params, self._profile)
        sent = params.known(PARAMETERS.keys())
        shape = _shape(sent)
        seen = self._known.get(shape)
        found = None if seen is None else _again(seen, sent)
        if found is None:
            found = await read_asked(params, self._profile)
            self._remember(shape, sent, found)
        return found

    def _remember(self, shape: Shape, sent: Mapping[str, str], found: Read) -> None:
        channel, asked = found
        if asked.parameters != sent or not self._profile.clients.is_declared(channel.client.client_id):
            # Who registered himself may change, and end, at any time.
            return
        if sum(map(len, sent.values())) > MAX_LENGTH:
            return
        if len(self._known) >= self._limit:
            del self._known[next(iter(self._known))]
        self._known[shape] = found


def _shape(sent: Mapping[str, str]) -> Shape:
    """What requests are alike by: all parameters but the new ones, and which of these are there."""
    rest = dict(sent)
    there = (
        rest.pop("state", None) is None,
        rest.pop("nonce", None) is None,
        rest.pop("code_challenge", None) is None,
        rest.pop("login_hint", None) is None,
    )
    return (there, *rest.items())


def _again(seen: Read, sent: Mapping[str, str]) -> Read | None:
    """What was found for a request, for another one of its shape; None where that is not so plain."""
    channel, asked = seen
    state, nonce, login_hint = sent.get("state"), sent.get("nonce"), sent.get("login_hint", "")
    if len(state or "") > _MAX_NEW or len(nonce or "") > _MAX_NEW or len(login_hint) > _MAX_NEW:
        return None
    try:
        code_challenge = pkce.read_challenge(sent.get("code_challenge"), sent.get("code_challenge_method"))
    except OAuthError:
        return None
    renewed = changed(
        asked,
        state=state,
        nonce=nonce,
        login_hint=login_hint,
        code_challenge=code_challenge,
        parameters=sent,
    )
    return Channel(channel.client, channel.reply_to, channel.response_modes, state), renewed
