"""`private_key_jwt`: an assertion signed with a key of the client's own (RFC 7523 2.2, OpenID Connect Core 9)."""

from appliance.client_assertions import ClientAssertions, KeysOfClients
from appliance.protocol.client import Client
from appliance.protocol.errors import InvalidClient
from appliance.protocol.form import Params
from appliance.protocol.messages import Request


class PrivateKeyJwt:
    """Assertions with a key pair; only the client's registered keys are looked at, whatever a header names."""

    name = "private_key_jwt"
    algorithms: tuple[str, ...] = (
        *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
        *("ES256", "ES384", "ES512", "EdDSA"),
    )

    def __init__(self, *, assertions: ClientAssertions, keys: KeysOfClients) -> None:
        self._assertions = assertions
        self._keys = keys

    def claims(self, request: Request, form: Params) -> str | None:
        """The client_id that an assertion with one of these algorithms claims."""
        assertion = self._assertions.read(form)
        if assertion is None or assertion.alg not in self.algorithms:
            return None
        return self._assertions.client_id(assertion)

    async def verify(self, request: Request, form: Params, client: Client) -> None:
        """Return when one of the client's keys signed the assertion, and it is good and new."""
        assertion = self._assertions.read(form)
        if assertion is None:
            raise InvalidClient(detail="no client_assertion")
        kid = assertion.header.get("kid")
        keys = await self._keys.verification(client, assertion.alg, None if kid is None else str(kid))
        await self._assertions.redeem(assertion, client, keys, algs=self.algorithms)
