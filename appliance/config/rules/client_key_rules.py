"""Keys of clients and what they prove themselves by: there, public, strong enough, of the right kind."""

from collections.abc import Iterator, Mapping

from appliance.config.declared.profile import Profile
from appliance.config.linking import Object, problem
from appliance.config.problems import Path, Problem
from appliance.config.rules.private_key import MIN_RSA_BITS
from appliance.config.rules.rule import Rule, Scene, host_of, is_loopback, lengthy
from appliance.protocol import base64url, redirect_uri
from appliance.protocol.client import Client

_HASH_BYTES = {"HS256": 32, "HS384": 48, "HS512": 64}
_PRIVATE_MEMBERS = ("d", "p", "q", "dp", "dq", "qi", "oth", "k")
_MEMBERS: Mapping[str, tuple[str, ...]] = {"RSA": ("n", "e"), "EC": ("x", "y"), "OKP": ("x",)}
_CURVES: Mapping[str, tuple[str, ...]] = {"EC": ("P-256", "P-384", "P-521"), "OKP": ("Ed25519", "X25519")}
_LONGEST_ASSERTION = 3600


def keys_are_in_one_place(client: Object[Client], scene: Scene) -> Iterator[Problem]:
    """RFC 7591 2: `jwks` and `jwks_uri` must not both be there; and the method must have one."""
    value = client.value
    if value.jwks is not None and value.jwks_uri is not None:
        message = "`jwks` and `jwks_uri` are both there (RFC 7591 2)"
        remedy = "keep `jwks_uri` if the client publishes its keys, else `jwks`"
        yield problem("OP256", client, ("jwks_uri",), message, help=remedy, key=True)
    if value.token_endpoint_auth_method == "private_key_jwt" and value.jwks is None and value.jwks_uri is None:
        message = "`private_key_jwt` needs the client's public keys"
        yield problem("OP255", client, (), message, help="add `jwks_uri`, or `jwks` with the keys themselves")


def jwks_uri_can_be_fetched(client: Object[Client], scene: Scene) -> Iterator[Problem]:
    """OpenID Connect Core 10.1: over TLS, since whoever changes the keys on their way becomes the client."""
    yield from uri_faults(client, ("jwks_uri",), client.value.jwks_uri, scene)


def uri_faults(at: Object[object], path: Path, uri: str | None, scene: Scene) -> Iterator[Problem]:
    """What is wrong with an address of keys, at its place in an object."""
    outbound = scene.linked.root.value.outbound
    if uri is None:
        return
    origin = redirect_uri.origin(uri) or ""
    at_home = bool(origin) and is_loopback(host_of(origin))
    if at_home and not outbound.allow_loopback:
        message = "this address is on this very machine, which is not asked"
        remedy = "for development: `outbound: {allow_loopback: true}` in op.yaml"
        yield problem("OP258", at, path, message, help=remedy)
    elif not at_home and uri.startswith("http:"):
        message = "keys are fetched over https only"
        yield problem("OP258", at, path, message, help="publish them over https")
    elif "#" in uri:
        message = "a fragment is never sent, so it cannot say where the keys are"
        yield problem("OP258", at, path, message, help="leave it out")


def keys_are_public_and_sound(client: Object[Client], scene: Scene) -> Iterator[Problem]:
    """What can be seen of a key without computing with it; its numbers are looked at when it is used."""
    yield from key_faults(client, ("jwks",), client.value.jwks)


def key_faults(at: Object[object], place: Path, jwks: Mapping[str, object] | None) -> Iterator[Problem]:
    """What is wrong with the keys of a JWK Set, at its place in an object."""
    listed = jwks.get("keys") if jwks is not None else None
    seen: set[object] = set()
    for position, jwk in enumerate(listed if isinstance(listed, list | tuple) else ()):
        path: Path = (*place, "keys", position)
        fault = _fault(jwk) if isinstance(jwk, Mapping) else "is no object"
        kid = jwk.get("kid") if isinstance(jwk, Mapping) else None
        if fault is None and isinstance(kid, str) and kid in seen:
            fault = "has the `kid` of another"
        seen.add(kid if isinstance(kid, str) else None)
        if fault is not None:
            yield problem("OP257", at, path, f"this key {fault}", help=_KEY_REMEDY)


_KEY_REMEDY = "a public JWK has `kty`, the numbers of its type, a `kid` of its own and no private member"


def _fault(jwk: Mapping[str, object]) -> str | None:
    """Why a key is no good, to be read after "this key"; None where nothing is seen."""
    if any(name in jwk for name in _PRIVATE_MEMBERS):
        return "has private members: make a new one, this one has been told to others"
    kty = str(jwk.get("kty"))
    if kty not in _MEMBERS:
        return "is not of type RSA, EC or OKP"
    if kty in _CURVES and jwk.get("crv") not in _CURVES[kty]:
        return f"is on another curve than {', '.join(_CURVES[kty])}"
    for name in _MEMBERS[kty]:
        try:
            number = int.from_bytes(base64url.decode(str(jwk.get(name, "="))), "big")
        except ValueError:
            return f"has no member `{name}`, or it is not base64url"
        if name == "n" and number.bit_length() < MIN_RSA_BITS:
            return f"has {number.bit_length()} bits; {MIN_RSA_BITS} are the least (RFC 7518 3.3)"
    return None


def algorithm_fits_the_method(client: Object[Client], scene: Scene) -> Iterator[Problem]:
    """OpenID Connect Registration 2: what signs an assertion is what the method has to sign with."""
    method, alg = client.value.token_endpoint_auth_method, client.value.token_endpoint_auth_signing_alg
    if alg is None:
        return
    path: Path = ("token_endpoint_auth_signing_alg",)
    if method not in ("private_key_jwt", "client_secret_jwt"):
        message = f"`{method}` has no assertions that could be signed"
        yield problem("OP259", client, path, message, help="remove this line", key=True)
    elif (alg in _HASH_BYTES) != (method == "client_secret_jwt"):
        message = f"`{alg}` is not an algorithm of `{method}`"
        remedy = "use HS256, HS384 or HS512" if method == "client_secret_jwt" else "use for example ES256"
        yield problem("OP259", client, path, message, help=remedy)


def secrets_suffice_for_the_algorithm(client: Object[Client], scene: Scene) -> Iterator[Problem]:
    """RFC 7518 3.2: a MAC's key is no shorter than its hash. 32 bytes are asked of every secret elsewhere."""
    value = client.value
    least = _HASH_BYTES.get(value.token_endpoint_auth_signing_alg or "", 0)
    if value.token_endpoint_auth_method != "client_secret_jwt":
        return
    for position, each in enumerate(value.client_secrets):
        length = len(each.secret.value)
        if not each.secret.hashed and _HASH_BYTES["HS256"] <= length < least:
            message = f"this secret has {length} bytes; {value.token_endpoint_auth_signing_alg} needs {least}"
            remedy = f"`openssl rand -hex {least}` prints one that is long enough"
            yield problem("OP446", client, ("client_secrets", position), message, help=remedy)


def assertions_end_soon(profile: Object[Profile], scene: Scene) -> Iterator[Problem]:
    """RFC 7523 3: an assertion is made for one request."""
    seconds = profile.value.client_assertion.max_lifetime
    path: Path = ("client_assertion", "max_lifetime")
    if seconds == 0:
        yield problem("OP254", profile, path, "assertions would end before they begin", help="write 5m")
    elif seconds > _LONGEST_ASSERTION:
        message = f"assertions of {lengthy(seconds)} can be used as long by whoever steals one"
        yield problem("OP251", profile, path, message, help="minutes are enough for one request")


CLIENT_RULES: tuple[Rule[Client], ...] = (
    keys_are_in_one_place,
    jwks_uri_can_be_fetched,
    keys_are_public_and_sound,
    algorithm_fits_the_method,
    secrets_suffice_for_the_algorithm,
)
PROFILE_RULES: tuple[Rule[Profile], ...] = (assertions_end_soon,)
