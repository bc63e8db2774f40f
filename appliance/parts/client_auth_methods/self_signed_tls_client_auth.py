"""`self_signed_tls_client_auth`: a certificate that the client itself registered among its keys (RFC 8705 2.2).

That the sender holds the certificate's key was proved when the connection was made, by TLS itself.
"""

from typing import Protocol

from appliance.jose.certificates import read_certificate, thumbprint
from appliance.jose.problems import KeyProblem
from appliance.jose.public_keys import PublicKey
from appliance.protocol.client import Client
from appliance.protocol.errors import InvalidClient
from appliance.protocol.form import Params
from appliance.protocol.messages import Request


class RegisteredKeys(Protocol):
    """Where the public keys of clients are."""

    async def registered(self, client: Client, wanted: str) -> tuple[PublicKey, ...]:
        """The client's keys with that thumbprint. InvalidClient when there are none to be had."""


class SelfSignedTlsClientAuth:
    """Certificates that nobody vouches for but the client's registration: by key, and to the octet with `x5c`."""

    name = "self_signed_tls_client_auth"
    algorithms: tuple[str, ...] = ()

    def __init__(self, *, keys: RegisteredKeys, **tools: object) -> None:
        self._keys = keys

    def claims(self, request: Request, form: Params) -> str | None:
        """The client_id in the form, when a certificate is the only proof in the request."""
        if request.certificate is None or "authorization" in request.headers:
            return None
        return None if "client_secret" in form or "client_assertion" in form else form.get("client_id")

    async def verify(self, request: Request, form: Params, client: Client) -> None:
        """Return when the certificate is valid now and one that the client registered."""
        if request.certificate is None:
            raise InvalidClient(detail="no client certificate")
        try:
            certificate = read_certificate(request.certificate)
            certificate.check_time(request.at)
            wanted = certificate.key_thumbprint()
        except KeyProblem as problem:
            raise InvalidClient(detail=f"client certificate: {problem}") from None
        presented = thumbprint(request.certificate)
        for key in await self._keys.registered(client, wanted):
            if key.use in (None, "sig") and key.certificate in (None, presented):
                return
        raise InvalidClient(detail="client certificate: the client did not register it")
