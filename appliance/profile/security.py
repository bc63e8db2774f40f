"""Clients as their security profile wants them: whatever it asks of every client is switched on for each."""

from dataclasses import replace

from appliance.protocol.client import Client
from appliance.protocol.security_profile import FAPI2, FAPI2_MESSAGE_SIGNING, includes, stricter

#: FAPI 2.0 Security Profile 5.3.2.1: the longest life of a code, seconds.
LONGEST_CODE = 60


def fenced(client: Client, of_profile: str | None) -> Client:
    """The client under the stricter of its own and its profile's security profile (None: none)."""
    chosen = stricter(client.op.security_profile, of_profile)
    if chosen is None:
        return client
    settings = replace(client.op, security_profile=chosen, require_pkce=True)
    if not includes(chosen, FAPI2):
        return replace(client, op=settings)
    code = min(client.op.ttl.authorization_code or LONGEST_CODE, LONGEST_CODE)
    by_certificate = client.tls_client_certificate_bound_access_tokens
    signed = includes(chosen, FAPI2_MESSAGE_SIGNING)
    return replace(
        client,
        op=replace(settings, ttl=replace(client.op.ttl, authorization_code=code)),
        require_pushed_authorization_requests=True,
        # One of the two is a must, and a certificate will do as well (FAPI 2.0 Security Profile 5.3.2.1).
        dpop_bound_access_tokens=client.dpop_bound_access_tokens or not by_certificate,
        require_signed_request_object=client.require_signed_request_object or signed,
    )
