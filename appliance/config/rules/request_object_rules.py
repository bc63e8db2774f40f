"""Request objects: of clients whose profile reads them, with keys that are there, at addresses that are fetched."""

from collections.abc import Iterator

from appliance.config.declared.profile import Profile
from appliance.config.linking import Object, problem
from appliance.config.problems import Problem
from appliance.config.rules.response_crypto_rules import is_shared, secrets_encrypt
from appliance.config.rules.rule import Rule, Scene, host_of, is_loopback
from appliance.protocol import redirect_uri
from appliance.protocol.client import Client

_SHARED = ("HS256", "HS384", "HS512")


def addresses_can_be_fetched(client: Object[Client], scene: Scene) -> Iterator[Problem]:
    """Core 6.2, RFC 9101 10.4.1: over TLS; on this very machine only where that is meant."""
    at_home_too = scene.linked.root.value.outbound.allow_loopback
    for position, uri in enumerate(client.value.request_uris):
        address = uri.partition("#")[0]
        origin = redirect_uri.origin(address) or ""
        at_home = bool(origin) and is_loopback(host_of(origin))
        path = ("request_uris", position)
        if not origin or redirect_uri.problem(address) is not None:
            message = "this is no plain absolute https URL"
            yield problem("OP281", client, path, message, help="begin with https:// and a host")
        elif at_home and not at_home_too:
            message = "this address is on this very machine, which is not asked"
            remedy = "for development: `outbound: {allow_loopback: true}` in op.yaml"
            yield problem("OP281", client, path, message, help=remedy)
        elif not at_home and uri.startswith("http:"):
            message = "request objects are fetched over https only"
            yield problem("OP281", client, path, message, help="publish them over https")


def algorithm_can_be_verified(client: Object[Client], scene: Scene) -> Iterator[Problem]:
    """Core 6.3.2: what the client signs its requests with is known here, or it signs nothing and may."""
    value, path = client.value, ("request_object_signing_alg",)
    alg, profile = value.request_object_signing_alg, scene.profile_of(value.op.profile)
    if alg is None or profile is None:
        return
    if alg == "none":
        if not profile.value.compat.unsigned_request_objects:
            message = f"profile `{profile.id}` reads no unsigned request objects"
            remedy = "use ES256; only conformance tests need `compat: {unsigned_request_objects: true}`"
            yield problem("OP282", client, path, message, help=remedy)
        elif value.require_signed_request_object:
            message = "`require_signed_request_object` and `none` exclude each other (RFC 9101 10.5)"
            yield problem("OP282", client, path, message, help="keep one of them")
    elif alg in _SHARED:
        if all(each.secret.hashed for each in value.client_secrets):
            message = f"`{alg}` is verified with the client's secret itself, and none is known here"
            remedy = "give it a secret by `file:` or `env:`, or use ES256 with `jwks`"
            yield problem("OP282", client, path, message, help=remedy)
    elif value.jwks is None and value.jwks_uri is None:
        message = f"there is no key of the client to verify `{alg}` with"
        yield problem("OP282", client, path, message, help="add the client's `jwks` or `jwks_uri`")


def encrypted_ones_can_be_opened(client: Object[Client], scene: Scene) -> Iterator[Problem]:
    """Core 6.1: what the client encrypts its requests to is there."""
    value, profile = client.value, scene.profile_of(client.value.op.profile)
    alg, enc = value.request_object_encryption_alg, value.request_object_encryption_enc
    if alg is None and enc is not None:
        message = "without `request_object_encryption_alg` nothing is encrypted"
        remedy = "add it, for example `request_object_encryption_alg: RSA-OAEP-256`"
        yield problem("OP234", client, ("request_object_encryption_enc",), message, help=remedy, key=True)
    if alg is None or profile is None:
        return
    declared = tuple(dict.fromkeys(entry.alg for entry in profile.value.keys.encryption))
    if is_shared(alg):
        yield from secrets_encrypt(client, "request_object_encryption_alg", alg, enc)
    elif alg not in declared:
        message = f"profile `{profile.id}` has no key that `{alg}` could encrypt to"
        remedy = f"it has: {', '.join(declared)}; or add" if declared else "add"
        remedy += f" {{alg: {alg}}} to its `keys.encryption`"
        yield problem("OP285", client, ("request_object_encryption_alg",), message, help=remedy)
    if value.request_object_signing_alg == "none":
        message = "what is encrypted must be signed: anybody can encrypt (RFC 9101 6.1)"
        yield problem("OP285", client, ("request_object_signing_alg",), message, help="use ES256")


def objects_are_read(client: Object[Client], scene: Scene) -> Iterator[Problem]:
    """What a client is registered for is offered: else its requests are refused, all or some."""
    value, profile = client.value, scene.profile_of(client.value.op.profile)
    if profile is None:
        return
    by_value = profile.value.request_parameter_supported
    by_reference = profile.value.request_uri_parameter_supported
    if value.require_signed_request_object and not (by_value or by_reference):
        message = f"profile `{profile.id}` reads no request objects, so this client can log nobody in"
        remedy = "add `request_parameter_supported: true` to the profile, or remove this line"
        yield problem("OP283", client, ("require_signed_request_object",), message, help=remedy)
    elif value.request_object_encryption_alg is not None and not (by_value or by_reference):
        message = f"profile `{profile.id}` reads no request objects, encrypted or not"
        remedy = "add `request_parameter_supported: true` to the profile, or remove this line"
        yield problem("OP283", client, ("request_object_encryption_alg",), message, help=remedy)
    elif value.request_uris and not by_reference:
        message = f"profile `{profile.id}` fetches no request objects"
        remedy = "add `request_uri_parameter_supported: true` to the profile, or remove them"
        yield problem("OP283", client, ("request_uris",), message, help=remedy, key=True)


def exceptions_are_meant(profile: Object[Profile], scene: Scene) -> Iterator[Problem]:
    """RFC 9101 10.1: a request that nobody signed is only as good as the address bar that it came through."""
    if profile.value.compat.unsigned_request_objects:
        message = "clients of this profile may send request objects that nobody signed"
        remedy = "remove it outside of conformance tests, or accept it: ignore: [{code: OP284, reason: ...}]"
        yield problem("OP284", profile, ("compat", "unsigned_request_objects"), message, help=remedy)


CLIENT_RULES: tuple[Rule[Client], ...] = (
    addresses_can_be_fetched,
    algorithm_can_be_verified,
    encrypted_ones_can_be_opened,
    objects_are_read,
)
PROFILE_RULES: tuple[Rule[Profile], ...] = (exceptions_are_meant,)
