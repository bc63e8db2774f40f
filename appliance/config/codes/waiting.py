"""Codes of requests whose users decide elsewhere: devices (RFC 8628) and CIBA."""

from collections.abc import Mapping
from types import MappingProxyType

from appliance.config.codes.text import CodeText

CODES: Mapping[str, CodeText] = MappingProxyType(
    {
        "OP961": CodeText(
            "error",
            "a client that may not ask about users",
            "Backchannel authentication is for clients that prove who they are: anybody else could ring up users at "
            "will (CIBA Core 1.0 7.1).",
        ),
        "OP962": CodeText(
            "error",
            "a client that cannot be told of decisions",
            "In the mode `ping` the client is called at its `backchannel_client_notification_endpoint`, over https, "
            "if the profile offers that mode (CIBA Core 1.0 4).",
        ),
        "OP963": CodeText(
            "error",
            "signed requests that cannot be verified, or are missing",
            "A signed request is verified with the client's own public key, and by the one algorithm that it "
            "registered (CIBA Core 1.0 4, 7.1.1).",
        ),
        "OP964": CodeText(
            "warning",
            "settings for a grant type that is not there",
            "The lines say how something is done that is never done.",
        ),
        "OP965": CodeText(
            "error",
            "a wait that no user can meet",
            "The user must find his browser, type, log in and answer; the client must be able to ask in the meantime.",
        ),
        "OP966": CodeText(
            "warning",
            "a code that lives long",
            "The longer a code can be typed, the longer it can be guessed, and sent to somebody else's victim "
            "(RFC 8628 5.1, 5.4).",
        ),
    }
)
