"""What clients get signed and encrypted: with keys that are there, and never less than was asked for."""

from collections.abc import Iterator, Mapping

from appliance.config.declared.profile import Profile
from appliance.config.linking import Object, label, problem
from appliance.config.problems import Problem
from appliance.config.rules.rule import Rule, Scene
from appliance.protocol import base64url, response_type
from appliance.protocol.client import Client

_RESPONSES = ("id_token", "userinfo", "authorization", "introspection")
_SIGNED = tuple(f"{name}_signed_response_alg" for name in _RESPONSES)
_ENCRYPTED = tuple(f"{name}_encrypted_response" for name in _RESPONSES)
#: Octets of the hash, which a shared secret may not be shorter than (RFC 7518 3.2).
_SHARED = {"HS256": 32, "HS384": 48, "HS512": 64}
#: Octets of the key that a secret gives, which it may not be shorter than (OpenID Connect Core 10.2, 16.19).
_WRAPPED = {"A128KW": 16, "A192KW": 24, "A256KW": 32}
_DIRECT = {
    "A128GCM": 16,
    "A192GCM": 24,
    "A256GCM": 32,
    "A128CBC-HS256": 32,
    "A192CBC-HS384": 48,
    "A256CBC-HS512": 64,
}
_DEFAULT_ENC = "A128CBC-HS256"
_MIN_RSA_BITS = 2048
_CURVES = frozenset({"P-256", "P-384", "P-521", "X25519"})
_OPERATIONS = frozenset({"encrypt", "wrapKey", "deriveKey", "deriveBits"})


def algorithms_have_keys(client: Object[Client], scene: Scene) -> Iterator[Problem]:
    """What the client wants is signed with a key that the profile has."""
    profile = scene.profile_of(client.value.op.profile)
    if profile is None:
        return
    declared = tuple(entry.alg for entry in profile.value.keys.signing)
    for name in _SIGNED:
        alg = getattr(client.value, name)
        if alg is None or alg == "none" or alg in _SHARED or alg in declared:
            continue
        message = f"profile `{profile.id}` has no signing key for `{alg}`"
        remedy = f"it has: {', '.join(declared)}; or add {{alg: {alg}}} to its `keys.signing`"
        yield problem("OP225", client, (name,), message, help=remedy)


def shared_secrets_are_there(client: Object[Client], scene: Scene) -> Iterator[Problem]:
    """Core 10.1: HS256 and its like sign with the client's own secret, so both sides must have it."""
    for name in _SIGNED:
        alg = getattr(client.value, name)
        if alg not in _SHARED:
            continue
        if not client.value.client_secrets:
            message = f"`{alg}` signs with a secret of the client, and it has none (OpenID Connect Core 10.1)"
            yield problem("OP229", client, (name,), message, help="use RS256, or a method with a secret")
        yield from _secrets_sign(client, alg)


def _secrets_sign(client: Object[Client], alg: str) -> Iterator[Problem]:
    for position, each in enumerate(client.value.client_secrets):
        size = len(each.secret.value)
        if each.secret.hashed:
            message = f"`{alg}` needs the secret itself; a hash cannot sign with it"
            remedy = "use `file:` or `env:` here, or another algorithm"
            yield problem("OP211", client, ("client_secrets", position, "hash"), message, help=remedy, key=True)
        elif 0 < size < _SHARED[alg]:
            message = f"`{alg}` needs a secret of at least {_SHARED[alg]} bytes; this has {size} (RFC 7518 3.2)"
            remedy = f"make one with `openssl rand -hex {_SHARED[alg]}`, or use HS256"
            yield problem("OP446", client, ("client_secrets", position), message, help=remedy)


def unsigned_tokens_are_for_tests(client: Object[Client], scene: Scene) -> Iterator[Problem]:
    """Core 2: `none` only where asked for, and never by way of the browser."""
    value, path = client.value, ("id_token_signed_response_alg",)
    profile = scene.profile_of(value.op.profile)
    if value.id_token_signed_response_alg != "none" or profile is None:
        return
    if not profile.value.compat.unsigned_id_tokens:
        message = f"profile `{profile.id}` issues no unsigned ID Tokens"
        remedy = "use RS256; only conformance tests need `compat: {unsigned_id_tokens: true}` in the profile"
        yield problem("OP228", client, path, message, help=remedy)
    front = [each for each in value.response_types if response_type.carries_tokens(frozenset(each.split(" ")))]
    if front:
        message = f"response type `{front[0]}` goes by way of the browser, where anybody can write a token"
        yield problem("OP228", client, path, message, help="keep only `response_types: [code]` (Core 2)")
    if value.id_token_encrypted_response_alg is not None:
        message = "what is encrypted must be signed: anybody can encrypt (RFC 8725 2.3)"
        yield problem("OP228", client, path, message, help="use RS256, or take the encryption away")


def encryption_is_complete(client: Object[Client], scene: Scene) -> Iterator[Problem]:
    """Registration 2: `enc` says nothing without `alg`, and `alg` nothing without a key of the client."""
    for prefix in _ENCRYPTED:
        alg, enc = getattr(client.value, f"{prefix}_alg"), getattr(client.value, f"{prefix}_enc")
        if alg is None and enc is not None:
            message = f"without `{prefix}_alg` nothing is encrypted"
            remedy = f"add it, for example `{prefix}_alg: RSA-OAEP-256`"
            yield problem("OP234", client, (f"{prefix}_enc",), message, help=remedy, key=True)
        if alg is not None and is_shared(alg):
            yield from secrets_encrypt(client, f"{prefix}_alg", alg, enc)
        elif alg is not None:
            yield from _key_fits(client, f"{prefix}_alg", alg)


def is_shared(alg: str) -> bool:
    """Whether a key management algorithm takes its key from the client's secret."""
    return alg == "dir" or alg in _WRAPPED


def secrets_encrypt(client: Object[Client], name: str, alg: str, enc: str | None) -> Iterator[Problem]:
    """Core 10.2: every secret of the client is known in clear, and long enough for the key that it gives."""
    if not client.value.client_secrets:
        message = f"`{alg}` encrypts with a secret of the client, and it has none (OpenID Connect Core 10.2)"
        yield problem("OP229", client, (name,), message, help="use ECDH-ES with `jwks`, or a method with a secret")
    least = _WRAPPED.get(alg) or _DIRECT[enc or _DEFAULT_ENC]
    for position, each in enumerate(client.value.client_secrets):
        size = len(each.secret.value)
        if each.secret.hashed:
            message = f"`{alg}` needs the secret itself; no key can be made of a hash"
            remedy = "use `file:` or `env:` here, or ECDH-ES with `jwks`"
            yield problem("OP211", client, ("client_secrets", position, "hash"), message, help=remedy, key=True)
        elif 0 < size < least:
            message = f"`{alg}` with `{enc or _DEFAULT_ENC}` needs a secret of at least {least} bytes; this has {size}"
            remedy = f"make one with `openssl rand -hex {least}`, or use A128GCM"
            yield problem("OP446", client, ("client_secrets", position), message, help=remedy)


def _key_fits(client: Object[Client], name: str, alg: str) -> Iterator[Problem]:
    if client.value.jwks is None:
        if client.value.jwks_uri is None:
            message = f"there is no key to encrypt to with `{alg}`"
            yield problem("OP235", client, (name,), message, help="add the client's `jwks` or `jwks_uri`")
        return
    listed = client.value.jwks.get("keys")
    reasons = [_unfit(jwk, alg) for jwk in listed] if isinstance(listed, list | tuple) else []
    if None not in reasons:
        message = f"no key in `jwks` can be encrypted to with `{alg}`"
        why = "; ".join(f"key {number}: {reason}" for number, reason in enumerate(reasons, 1))
        mark = (label(client.where(("jwks",), key=True), "its keys"),)
        yield problem("OP235", client, (name,), message, help=why or "it has no keys", secondary=mark)


def _unfit(jwk: object, alg: str) -> str | None:
    """Why a key is not for an algorithm, in a few words; None when nothing is seen (`jose` looks in earnest)."""
    if not isinstance(jwk, Mapping):
        return "no object"
    kinds = ("RSA",) if alg.startswith("RSA") else ("EC", "OKP")
    if jwk.get("kty") not in kinds:
        return f"not of type {' or '.join(kinds)}"
    if jwk.get("use", "enc") != "enc":
        return "not for encryption"
    if jwk.get("alg", alg) != alg:
        return "for another algorithm"
    operations = jwk.get("key_ops")
    if isinstance(operations, list | tuple) and not _OPERATIONS & set(map(str, operations)):
        return "not for encryption"
    if kinds == ("RSA",):
        return None if _bits(jwk.get("n")) >= _MIN_RSA_BITS else f"fewer than {_MIN_RSA_BITS} bits"
    return None if jwk.get("crv") in _CURVES else "of another curve"


def _bits(modulus: object) -> int:
    try:
        return int.from_bytes(base64url.decode(str(modulus)), "big").bit_length()
    except ValueError:
        return 0


def introspection_is_possible(client: Object[Client], scene: Scene) -> Iterator[Problem]:
    """RFC 7662 2.1: whoever introspects proves himself, at an endpoint that is there."""
    if client.value.op.introspection != "all":
        return
    path = ("op", "introspection")
    profile = scene.profile_of(client.value.op.profile)
    if client.value.is_public:
        message = "a public client may not introspect (RFC 7662 2.1)"
        yield problem("OP236", client, path, message, help="give it a secret or a key, or remove this line")
    elif profile is not None and not profile.value.endpoints.introspection:
        message = f"profile `{profile.id}` has no introspection endpoint"
        remedy = "add `endpoints: {introspection: true}` to it, or remove this line"
        yield problem("OP237", client, path, message, help=remedy)


def exceptions_are_meant(profile: Object[Profile], scene: Scene) -> Iterator[Problem]:
    """What is allowed beyond the specifications has its effect, and somebody has read what it is."""
    value = profile.value
    if value.compat.introspection_accepts_id_tokens and not value.endpoints.introspection:
        message = "there is no introspection endpoint"
        path = ("compat", "introspection_accepts_id_tokens")
        yield problem("OP237", profile, path, message, help="add `endpoints: {introspection: true}`")
    if value.compat.unsigned_id_tokens:
        message = "clients of this profile may get ID Tokens that nobody signed"
        remedy = "remove it outside of conformance tests, or accept it: ignore: [{code: OP238, reason: ...}]"
        yield problem("OP238", profile, ("compat", "unsigned_id_tokens"), message, help=remedy)


CLIENT_RULES: tuple[Rule[Client], ...] = (
    algorithms_have_keys,
    shared_secrets_are_there,
    unsigned_tokens_are_for_tests,
    encryption_is_complete,
    introspection_is_possible,
)
PROFILE_RULES: tuple[Rule[Profile], ...] = (exceptions_are_meant,)
