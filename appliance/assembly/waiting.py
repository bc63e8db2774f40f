"""Requests whose users decide elsewhere: made of what a profile offers of them."""

from collections.abc import Mapping

from appliance.assembly.materials import Materials
from appliance.config.declared.profile import Profile as DeclaredProfile
from appliance.jose.algorithms import ASYMMETRIC_SIGNATURE_ALGORITHMS
from appliance.parts.grant_types.ciba import CibaGrant
from appliance.parts.grant_types.device_code import DeviceCodeGrant
from appliance.profile.claims import ClaimsRelease
from appliance.profile.client_keys import ClientKeys
from appliance.profile.clients import Clients
from appliance.profile.requests.signed_requests import SignedRequests
from appliance.profile.requests.user_hints import UserHints
from appliance.profile.tokens.mint import Tokens
from appliance.profile.waiting.backchannel import Backchannel
from appliance.profile.waiting.pending import PendingAuthorizations
from appliance.profile.waiting.ping_deliveries import PingDeliveries
from appliance.seams import Source
from appliance.throttle import AskThrottle, Throttle


def open_pending(
    declared: DeclaredProfile,
    materials: Materials,
    clients: Clients,
    client_keys: ClientKeys,
    claims: ClaimsRelease,
    tokens: Tokens,
) -> PendingAuthorizations | None:
    """None where no grant type of the profile has such requests."""
    if {DeviceCodeGrant.name, CibaGrant.name}.isdisjoint(declared.grant_types_supported):
        return None
    store, tools, issuer = materials.store, materials.tools, declared.issuer
    if CibaGrant.name not in declared.grant_types_supported:
        return PendingAuthorizations(store=store, tools=tools, issuer=issuer)
    sources, settings = _sources(declared, materials), declared.backchannel_authentication
    backchannel = Backchannel(
        hints=UserHints(issuer=issuer, sources=sources, claims=claims, tokens=tokens, store=store),
        signed_requests=SignedRequests(
            declared=declared,
            client_keys=client_keys,
            algorithms=ASYMMETRIC_SIGNATURE_ALGORITHMS,
            store=store,
            tools=tools,
        ),
        pings=PingDeliveries(
            issuer=issuer,
            clients=clients,
            outbound=materials.key_sets.client,
            store=store,
            tools=tools,
            report=materials.report,
        ),
        asks=AskThrottle(store, declared.throttle, issuer, settings.unanswered),
        guesses=Throttle(store=store, tools=tools, limits=declared.throttle, issuer=issuer),
        sources=sources,
    )
    return PendingAuthorizations(store=store, tools=tools, issuer=issuer, backchannel=backchannel)


def _sources(declared: DeclaredProfile, materials: Materials) -> Mapping[str, Source]:
    """Where people log in to this profile: the sources of the first steps of its levels, each once."""
    whole = materials.whole
    policies = [whole.policies[level.policy] for level in declared.acr] or list(whole.policies.values())[:1]
    parts = (whole.authenticators[policy.steps[0].authenticate] for policy in policies)
    # Each kind has Options of its own; those that name a source ask it.
    names = dict.fromkeys(str(getattr(part.options, "source", "")) for part in parts)
    return {name: materials.sources[name] for name in names if name in materials.sources}
