"""The grant types of a profile, each with what it takes besides what all take."""

from collections.abc import Mapping
from typing import Any

from appliance.assembly.materials import Materials
from appliance.config.declared.profile import Profile as DeclaredProfile
from appliance.endpoints.token import TokenEndpoint
from appliance.parts.grant_types import GRANT_TYPES
from appliance.parts.grant_types.jwt_bearer import JwtBearer
from appliance.parts.grant_types.password import PasswordGrant, PasswordLogin
from appliance.parts.grant_types.token_exchange import TokenExchange
from appliance.profile.claims import ClaimsRelease
from appliance.profile.standing import Standing
from appliance.profile.tokens.mint import Tokens
from appliance.profile.tokens.presented_tokens import PresentedTokens
from appliance.seams import GrantType
from appliance.trusted_issuers import TrustedIssuers


def grant_types(
    declared: DeclaredProfile,
    materials: Materials,
    login: PasswordLogin,
    tokens: Tokens,
    claims: ClaimsRelease,
    standing: Standing,
) -> Mapping[str, GrantType]:
    """The grant types that a profile offers, by their names. jose.KeyProblem."""
    store, tools = materials.store, materials.tools
    trusted = TrustedIssuers(
        declared=declared,
        token_endpoint=declared.issuer + TokenEndpoint.path,
        key_sets=materials.key_sets,
        sources=materials.sources,
        clock=tools.clock,
    )
    presented = PresentedTokens(
        declared=declared, tokens=tokens, trusted=trusted, standing=standing, store=store, tools=tools
    )
    own: Mapping[str, Mapping[str, Any]] = {
        PasswordGrant.name: {"login": login},
        JwtBearer.name: {"trusted": trusted, "sub": claims.sub},
        TokenExchange.name: {"presented": presented, "sub": claims.sub},
    }
    return {
        name: GRANT_TYPES[name](store=store, tools=tools, issuer=declared.issuer, profile=declared, **own.get(name, {}))
        for name in declared.grant_types_supported
        if name in GRANT_TYPES
    }
