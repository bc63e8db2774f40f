"""`client_secret_jwt`: an assertion with a MAC made of the client's secret (RFC 7523 2.2, OpenID Connect Core 9)."""

from collections.abc import Iterator

from appliance.client_assertions import ClientAssertions, KeysOfClients
from appliance.jose.keys import VerificationKey, symmetric
from appliance.jose.problems import KeyProblem
from appliance.protocol.client import Client
from appliance.protocol.errors import InvalidClient
from appliance.protocol.form import Params
from appliance.protocol.messages import Request


class ClientSecretJwt:
    """Assertions with a shared secret, which therefore has to be known here and not only by its hash."""

    name = "client_secret_jwt"
    algorithms: tuple[str, ...] = ("HS256", "HS384", "HS512")

    def __init__(self, *, assertions: ClientAssertions, keys: KeysOfClients) -> None:
        self._assertions = assertions

    def claims(self, request: Request, form: Params) -> str | None:
        """The client_id that an assertion with one of these algorithms claims."""
        assertion = self._assertions.read(form)
        if assertion is None or assertion.alg not in self.algorithms:
            return None
        return self._assertions.client_id(assertion)

    async def verify(self, request: Request, form: Params, client: Client) -> None:
        """Return when one of the client's live secrets made the MAC, and the assertion is good and new."""
        assertion = self._assertions.read(form)
        if assertion is None:
            raise InvalidClient(detail="no client_assertion")
        keys = list(_keys(client, assertion.alg, request.at))
        await self._assertions.redeem(assertion, client, keys, algs=self.algorithms)


def _keys(client: Client, alg: str, now: float) -> Iterator[VerificationKey]:
    for entry in client.live_secrets(now):
        if entry.secret.hashed:
            continue
        try:
            yield symmetric(entry.secret.value, alg).verification()
        except KeyProblem:
            # RFC 7518 3.2: shorter than the hash. It may still serve another algorithm.
            continue
