"""grant_type=client_credentials (RFC 6749 4.4): a client acts for itself.

No user, so no ID Token; and no refresh token, because the client can ask again whenever it likes.
"""

from appliance.config.declared.profile import Profile as DeclaredProfile
from appliance.config.declared.profile import Scope
from appliance.protocol import base64url
from appliance.protocol import scope as scopes
from appliance.protocol.authorization import Authorization
from appliance.protocol.claims_request import NO_CLAIMS
from appliance.protocol.client import Client
from appliance.protocol.errors import InvalidScope, ServerError, UnauthorizedClient
from appliance.protocol.form import Params
from appliance.seams import Change, Redeemed, Store, Tools


class ClientCredentials:
    """The client's own scopes, for confidential clients."""

    name = "client_credentials"
    parameters = frozenset({"scope"})

    def __init__(self, *, store: Store, tools: Tools, issuer: str, profile: DeclaredProfile) -> None:
        self._entropy = tools.entropy
        self._issuer = issuer
        self._reject_unknown = profile.unknown_scopes == "reject"
        # Scopes about a user mean nothing without one.
        self._own = frozenset(
            name
            for name, scope in profile.scopes.items()
            if name not in (scopes.OPENID, scopes.OFFLINE_ACCESS) and _is_for_machines(scope)
        )

    async def authorize(self, form: Params, client: Client) -> Redeemed:
        """An authorization without a subject. UnauthorizedClient for public clients, InvalidScope."""
        if client.is_public:
            # RFC 6749 4.4: only for clients that can keep a credential.
            raise UnauthorizedClient("this grant type is for confidential clients")
        scope = self._scope(form.get("scope"), client)
        authorization = Authorization(
            id=base64url.encode(self._entropy(16)),
            issuer=self._issuer,
            client_id=client.client_id,
            subject=None,
            sub="",
            scope=scope,
            claims=NO_CLAIMS,
            acr=None,
            amr=(),
            auth_time=None,
            nonce=None,
            sid=None,
            auth_time_required=False,
            claims_locales=(),
        )
        return Redeemed(authorization, scope, Change(), _lost, begins_family=False, refresh_token=None, direct=True)

    def _scope(self, asked: str | None, client: Client) -> tuple[str, ...]:
        if asked is None:
            default = client.op.default_scope
            return tuple(name for name in client.scope if name in self._own and (default is None or name in default))
        wanted = scopes.read(asked)
        kept = tuple(name for name in wanted if name in client.scope and name in self._own)
        if not kept or (self._reject_unknown and len(kept) < len(wanted)):
            raise InvalidScope("a scope is not available to this client", parameter="scope")
        return kept


def _is_for_machines(scope: Scope) -> bool:
    return not scope.claims and scope.type != "identity" and scope.selects_policy is None


async def _lost() -> Redeemed:
    # Nothing is expected of the store, so nobody can have been first.
    raise ServerError(detail="a step without expectations was refused by the store")
