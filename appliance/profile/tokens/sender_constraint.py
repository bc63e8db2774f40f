"""Tokens that count only with a key of the client: bound where they are issued, checked where they are used.

The key is that of a DPoP proof (RFC 9449), of the client's TLS certificate (RFC 8705), or both. No grant type
knows of this: the token endpoint asks once, and the mint binds what it mints.
"""

import hmac
from collections.abc import Mapping

from appliance.config.declared.profile import Profile as DeclaredProfile
from appliance.jose.certificates import thumbprint
from appliance.profile.tokens.dpop import HEADER, DpopProofs
from appliance.protocol.authorization import Confirmation
from appliance.protocol.client import Client
from appliance.protocol.errors import InvalidDpopProof, InvalidGrant, InvalidRequest, InvalidToken
from appliance.protocol.form import Params
from appliance.protocol.messages import Request
from appliance.seams import Store, Tools

DPOP = "dpop"
BEARER = "bearer"


class SenderConstraint:
    """What one profile asks of whoever gets and uses its tokens."""

    def __init__(self, *, declared: DeclaredProfile, store: Store, tools: Tools) -> None:
        self._required = declared.dpop.required
        self._certificates = declared.tls_client_certificate_bound_access_tokens
        self._offered = bool(declared.dpop_signing_alg_values_supported)
        self._proofs = DpopProofs(declared=declared, store=store, tools=tools)

    @property
    def algs(self) -> tuple[str, ...]:
        """The algorithms of DPoP proofs; none where DPoP is off."""
        return self._proofs.algs

    @property
    def dpop_required(self) -> bool:
        """Whether no access token is taken as Bearer, for each is bound to the key of a proof."""
        return self._required

    async def verify(self, request: Request, client: Client) -> Confirmation | None:
        """To what the tokens of a token request are to be bound; None: to nothing.

        InvalidDpopProof, UseDpopNonce; InvalidRequest when the certificate is missing; StoreUnavailable.
        """
        jkt = await self._proofs.verify(request) if self._offered and HEADER in request.headers else None
        certified = self._certificates and client.tls_client_certificate_bound_access_tokens
        if jkt is None:
            if not certified:
                self._check_unbound(client)
                return None
            if client.dpop_bound_access_tokens:
                raise InvalidDpopProof("a DPoP proof is needed")
        return Confirmation(jkt, _thumbprint(request) if certified else None)

    def _check_unbound(self, client: Client) -> None:
        if client.dpop_bound_access_tokens or self._required:
            raise InvalidDpopProof("a DPoP proof is needed")
        if client.tls_client_certificate_bound_access_tokens:
            # Only where the profile stopped to offer it: a token that counts for everybody was not asked for.
            raise InvalidRequest("tokens are not bound to certificates here")

    def must_bind(self, client: Client) -> bool:
        """Whether a client must not get a token that everybody could use."""
        return self._required or client.dpop_bound_access_tokens or client.tls_client_certificate_bound_access_tokens

    @staticmethod
    def check_binding(bound: Confirmation | None, proved: Confirmation | None) -> None:
        """InvalidGrant unless all that a code or refresh token is bound to was proved."""
        if bound is not None and not _holds(bound, proved or Confirmation()):
            raise InvalidGrant("the grant is bound to another key", detail="sender constraint: another key, or none")

    async def with_dpop_jkt(self, request: Request, params: Params) -> Params:
        """Pushed parameters with the `dpop_jkt` that a proof beside them stands for (RFC 9449 10.1).

        InvalidDpopProof, also when the parameter names another key; UseDpopNonce; StoreUnavailable.
        """
        if not self._offered or HEADER not in request.headers:
            return params
        jkt = await self._proofs.verify(request)
        if params.get("dpop_jkt", jkt) != jkt:
            raise InvalidDpopProof("dpop_jkt is not the key of the DPoP proof")
        return params if "dpop_jkt" in params else Params((*params.pairs(), ("dpop_jkt", jkt)))

    async def check_use(self, request: Request, scheme: str, token: str, bound: Confirmation | None) -> None:
        """Return when whoever presents an access token may use it. InvalidToken; InvalidDpopProof, UseDpopNonce.

        `scheme` is that of the Authorization header, `bound` what the token is bound to.
        """
        jkt = None if bound is None else bound.jkt
        if (scheme == DPOP) != (jkt is not None):
            # RFC 9449 7.1, 7.2: neither may pass for the other.
            raise InvalidToken("the access token is not of this scheme", detail=f"sender constraint: used as {scheme}")
        if jkt is not None and not hmac.compare_digest(await self._proofs.verify(request, token), jkt):
            raise InvalidToken("the access token is bound to another key", detail="sender constraint: another key")
        if bound is None or bound.x5t_s256 is None:
            return
        certificate = request.certificate
        if certificate is None or not hmac.compare_digest(thumbprint(certificate), bound.x5t_s256):
            raise InvalidToken("the access token is bound to a certificate", detail="sender constraint: not this one")

    async def headers(self, request: Request) -> tuple[tuple[str, str], ...]:
        """What an answer to a good proof hands out: the nonce for the next (RFC 9449 8.2). StoreUnavailable."""
        if HEADER not in request.headers or not (self._offered and self._proofs.nonce_required):
            return ()
        return (("DPoP-Nonce", await self._proofs.nonces.current()),)

    def metadata(self) -> Mapping[str, object]:
        """Provider metadata (RFC 9449 5.1, RFC 8705 3.3)."""
        found: dict[str, object] = {}
        if self._offered:
            found["dpop_signing_alg_values_supported"] = list(self.algs)
        if self._certificates:
            found["tls_client_certificate_bound_access_tokens"] = True
        return found


def token_type(confirmation: Confirmation | None) -> str:
    """The `token_type` of an access token (RFC 9449 5, RFC 6750)."""
    return "DPoP" if confirmation is not None and confirmation.jkt is not None else "Bearer"


def _holds(bound: Confirmation, proved: Confirmation) -> bool:
    return all(
        expected is None or (found is not None and hmac.compare_digest(found, expected))
        for expected, found in ((bound.jkt, proved.jkt), (bound.x5t_s256, proved.x5t_s256))
    )


def _thumbprint(request: Request) -> str:
    if request.certificate is None:
        raise InvalidRequest("a client certificate is needed")
    return thumbprint(request.certificate)
