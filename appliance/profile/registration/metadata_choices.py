"""Metadata that names several values where one is registered: the first that this profile offers is taken.

OpenID Connect Relying Party Metadata Choices 1.0: a client that cannot be told what was chosen for it, or that does
not know the provider yet, says all that it can do.
"""

from collections.abc import Collection, Mapping
from typing import Final

from appliance.config.declared.profile import Profile as DeclaredProfile
from appliance.jose.algorithms import (
    ASYMMETRIC_SIGNATURE_ALGORITHMS,
    CONTENT_ENCRYPTIONS,
    KEY_MANAGEMENT_ALGORITHMS,
)
from appliance.profile.registration.client_metadata import Metadata, refusal

#: Members of several values to the member that one of them is registered as (RP Metadata Choices 2).
CHOICES: Final[Mapping[str, str]] = {
    "subject_types_supported": "subject_type",
    "id_token_signing_alg_values_supported": "id_token_signed_response_alg",
    "id_token_encryption_alg_values_supported": "id_token_encrypted_response_alg",
    "id_token_encryption_enc_values_supported": "id_token_encrypted_response_enc",
    "userinfo_signing_alg_values_supported": "userinfo_signed_response_alg",
    "userinfo_encryption_alg_values_supported": "userinfo_encrypted_response_alg",
    "userinfo_encryption_enc_values_supported": "userinfo_encrypted_response_enc",
    "request_object_signing_alg_values_supported": "request_object_signing_alg",
    "request_object_encryption_alg_values_supported": "request_object_encryption_alg",
    "request_object_encryption_enc_values_supported": "request_object_encryption_enc",
    "token_endpoint_auth_methods_supported": "token_endpoint_auth_method",
    "token_endpoint_auth_signing_alg_values_supported": "token_endpoint_auth_signing_alg",
    "backchannel_authentication_request_signing_alg_values_supported": (
        "backchannel_authentication_request_signing_alg"
    ),
    "authorization_signing_alg_values_supported": "authorization_signed_response_alg",
    "authorization_encryption_alg_values_supported": "authorization_encrypted_response_alg",
    "authorization_encryption_enc_values_supported": "authorization_encrypted_response_enc",
    "introspection_signing_alg_values_supported": "introspection_signed_response_alg",
    "introspection_encryption_alg_values_supported": "introspection_encrypted_response_alg",
    "introspection_encryption_enc_values_supported": "introspection_encrypted_response_enc",
}


def choose(said: Metadata, declared: DeclaredProfile) -> dict[str, object]:
    """Metadata with one value for each member of which several were named. InvalidClientMetadata.

    The single member, where it is there too, is what the client likes best, and must be one of the several.
    """
    found = {name: value for name, value in said.items() if name not in CHOICES}
    for several, single in CHOICES.items():
        values = said.get(several)
        if values is None:
            continue
        if not isinstance(values, list) or not values or not all(isinstance(each, str) for each in values):
            raise refusal(several, "is a list of texts")
        best = said.get(single)
        if best is not None and best not in values:
            raise refusal(single, "must be one of the values that are supported")
        offered = _offered(several, declared)
        wanted = [best, *values] if isinstance(best, str) else values
        chosen = next((each for each in wanted if each in offered), None)
        if chosen is None:
            raise refusal(several, "has no value that is offered here")
        found[single] = chosen
    return found


def _offered(several: str, declared: DeclaredProfile) -> Collection[str]:
    if several == "subject_types_supported":
        return declared.subject_types_supported
    if several == "token_endpoint_auth_methods_supported":
        return declared.token_endpoint_auth_methods_supported
    if several.endswith("_encryption_enc_values_supported"):
        return CONTENT_ENCRYPTIONS
    if several == "request_object_encryption_alg_values_supported":
        return [entry.alg for entry in declared.keys.encryption]
    if several.endswith("_encryption_alg_values_supported"):
        return [name for name, alg in KEY_MANAGEMENT_ALGORITHMS.items() if not alg.symmetric]
    if several.startswith(("request_object_", "token_endpoint_auth_", "backchannel_")):
        return ASYMMETRIC_SIGNATURE_ALGORITHMS
    # What we sign: with key pairs alone, for strangers share no secret with us.
    return [entry.alg for entry in declared.keys.signing]
