"""`client_secret_basic`: id and secret in the Authorization header, form-encoded first (RFC 6749 2.3.1)."""

import binascii

from appliance.protocol.client import Client
from appliance.protocol.errors import InvalidClient, InvalidRequest
from appliance.protocol.form import Params, decode_component
from appliance.protocol.messages import Request

_MAX_LENGTH = 8192


class ClientSecretBasic:
    """HTTP Basic credentials (RFC 7617) whose parts are decoded exactly once."""

    name = "client_secret_basic"
    algorithms: tuple[str, ...] = ()

    def __init__(self, **tools: object) -> None:
        """None of the tools is needed: what is presented is the proof, or there is none."""

    def claims(self, request: Request, form: Params) -> str | None:
        """The client_id in Basic credentials; InvalidClient when they cannot be read."""
        header = request.header("authorization")
        if header is None or header[:6].lower() != "basic ":
            return None
        return _decode(_read(header)[0])

    async def verify(self, request: Request, form: Params, client: Client) -> None:
        """Return when the secret is one of the client's live ones."""
        _, secret = _read(request.header("authorization") or "")
        if not client.has_secret(_decode(secret).encode("utf-8", "surrogatepass"), request.at):
            raise InvalidClient(detail="wrong client_secret")


def _read(header: str) -> tuple[str, str]:
    """Id and secret, still form-encoded."""
    credentials = header[6:].strip(" ")
    if len(credentials) > _MAX_LENGTH:
        raise InvalidClient(detail="Basic credentials are too long")
    try:
        text = binascii.a2b_base64(credentials, strict_mode=True).decode("utf-8")
    except (binascii.Error, ValueError):
        raise InvalidClient(detail="Basic credentials are not base64 of UTF-8") from None
    client_id, separator, secret = text.partition(":")
    if not separator:
        raise InvalidClient(detail="Basic credentials have no colon")
    return client_id, secret


def _decode(component: str) -> str:
    # Decoded once: a raw "%" or "+" means what it means encoded, so a raw secret with one never matches.
    try:
        return decode_component(component)
    except InvalidRequest:
        raise InvalidClient(detail="Basic credentials are not form-encoded") from None
