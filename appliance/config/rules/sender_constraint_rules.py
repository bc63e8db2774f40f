"""Tokens bound to a key of the client: what is declared can be proved, and the proofs can arrive."""

import base64
import re
import ssl
from collections.abc import Iterator, Mapping
from ipaddress import ip_address

from appliance.config.declared.profile import Profile
from appliance.config.declared.root import Root
from appliance.config.linking import Object, problem
from appliance.config.problems import Path, Problem
from appliance.config.rules.rule import Rule, Scene
from appliance.protocol.client import Client
from appliance.protocol.distinguished_name import NameProblem, read_name
from appliance.protocol.pem import certificates

_PKI, _SELF_SIGNED = "tls_client_auth", "self_signed_tls_client_auth"
_SUBJECTS = tuple(f"tls_client_auth_{name}" for name in ("subject_dn", "san_dns", "san_uri", "san_ip", "san_email"))
_DNS = re.compile(r"(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.)*[A-Za-z0-9-]{1,63}")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!-~]+")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
#: Headers that say something else already.
_TAKEN = frozenset(
    {
        *("accept-language", "authorization", "content-encoding", "content-length", "content-type", "cookie"),
        *("connection", "dpop", "expect", "forwarded", "host", "if-none-match", "origin", "sec-fetch-site"),
        *("transfer-encoding", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"),
    }
)


def certificate_is_about_one_subject(client: Object[Client], scene: Scene) -> Iterator[Problem]:
    """RFC 8705 2.1.2: exactly one rule, and it can hold."""
    said = [name for name in _SUBJECTS if getattr(client.value, name) is not None]
    method = client.value.token_endpoint_auth_method
    if method == _PKI and len(said) != 1:
        message = "`tls_client_auth` needs one setting that says whom the certificate is about"
        remedy = "for example `tls_client_auth_subject_dn: CN=orders,O=Partner Ltd,C=FI`"
        if said:
            message, remedy = "more than one setting says whom the certificate is about", "keep one of them"
        path: Path = (said[1],) if said else ()
        yield problem("OP341", client, path, message, help=remedy, key=bool(said))
    elif method != _PKI and said:
        message = f"`{method}` looks at no certificate's subject"
        yield problem("OP341", client, (said[0],), message, help="remove this line", key=True)
    for name in said:
        if fault := _fault(name, str(getattr(client.value, name))):
            yield problem("OP342", client, (name,), fault[0], help=fault[1])


def _fault(name: str, value: str) -> tuple[str, str] | None:
    """Why no certificate can be about this, and the remedy; None where one can."""
    if name == "tls_client_auth_subject_dn":
        try:
            read_name(value)
        except NameProblem as why:
            return f"this is no distinguished name: {why}", "write it as `openssl x509 -subject -nameopt RFC2253`"
        return None
    if name == "tls_client_auth_san_ip":
        try:
            ip_address(value)
        except ValueError:
            return "this is no IP address", "write it without port or network"
        return None
    if name == "tls_client_auth_san_dns":
        fits = _DNS.fullmatch(value)
        return None if fits else ("this is no DNS name", "write one whole name; a wildcard is compared as it stands")
    form = _URI if name == "tls_client_auth_san_uri" else _EMAIL
    return None if form.fullmatch(value) else ("nothing of this form stands in a certificate", "write it out in full")


def certificate_is_registered(client: Object[Client], scene: Scene) -> Iterator[Problem]:
    """RFC 8705 2.2: what is registered is all that there is to believe."""
    value = client.value
    if value.token_endpoint_auth_method == _SELF_SIGNED and value.jwks is None and value.jwks_uri is None:
        message = "nobody knows the certificate of this client"
        yield problem("OP343", client, (), message, help="add `jwks` with its key, and the certificate in `x5c`")
    keys = value.jwks.get("keys") if value.jwks is not None else None
    for position, jwk in enumerate(keys if isinstance(keys, list | tuple) else ()):
        if isinstance(jwk, Mapping) and "x5c" in jwk and not _is_certificate(_first(jwk["x5c"])):
            message = "`x5c` of this key is no list of certificates in base64 of DER"
            remedy = "write the lines of the PEM file between its first and its last as one, or leave `x5c` out"
            yield problem("OP343", client, ("jwks", "keys", position), message, help=remedy)


def _first(chain: object) -> bytes:
    first = chain[0] if isinstance(chain, list | tuple) and chain else None
    try:
        return base64.b64decode(first, validate=True) if isinstance(first, str) else b""
    except ValueError:
        return b""


def _is_certificate(content: bytes | str) -> bool:
    """Whether OpenSSL can read it: DER, or PEM as text."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=content)
    except (ssl.SSLError, ValueError):
        return False
    return True


def bound_tokens_are_offered(client: Object[Client], scene: Scene) -> Iterator[Problem]:
    """A client that asks for what its profile does not have gets no token at all."""
    value, profile = client.value, scene.profile_of(client.value.op.profile)
    if profile is None:
        return
    dpop = bool(profile.value.dpop_signing_alg_values_supported)
    certificates = profile.value.tls_client_certificate_bound_access_tokens
    if value.tls_client_certificate_bound_access_tokens and not certificates:
        path: Path = ("tls_client_certificate_bound_access_tokens",)
        message = f"profile `{profile.id}` binds no tokens to certificates"
        yield problem("OP344", client, path, message, help="add the same line to the profile")
    if value.dpop_bound_access_tokens and not dpop:
        message = f"DPoP is off in profile `{profile.id}`"
        remedy = "name algorithms in its `dpop_signing_alg_values_supported`"
        yield problem("OP344", client, ("dpop_bound_access_tokens",), message, help=remedy)
    bound = value.dpop_bound_access_tokens or value.tls_client_certificate_bound_access_tokens
    for position, each in enumerate(value.response_types):
        if "token" in each.split(" ") and (bound or profile.value.dpop.required):
            message = f"response type `{each}` issues an access token that is bound to nothing"
            yield problem("OP345", client, ("response_types", position), message, help="use `code`")


def certificate_passes_the_handshake(client: Object[Client], scene: Scene) -> Iterator[Problem]:
    """Python's TLS lets nobody in whom OpenSSL cannot verify: see `listeners.mtls`."""
    value, listeners = client.value, scene.linked.root.value.listeners
    if listeners.mtls is None or listeners.client_certificate is not None:
        return
    keys = value.jwks.get("keys") if value.jwks is not None else None
    known = any("x5c" in key for key in (keys if isinstance(keys, list | tuple) else ()) if isinstance(key, Mapping))
    if value.token_endpoint_auth_method == _SELF_SIGNED and not known:
        message = "the listener does not know this client's certificate and cannot let it in"
        remedy = "add the certificate to its key in `jwks`, as `x5c`"
        yield problem("OP349", client, ("token_endpoint_auth_method",), message, help=remedy)


def proofs_can_be_made(profile: Object[Profile], scene: Scene) -> Iterator[Problem]:
    """Whatever is asked of clients, they can do."""
    value = profile.value
    for name in ("nonce_rotation", "proof_lifetime"):
        if getattr(value.dpop, name) == 0:
            message = f"`{name}` would end before it begins"
            yield problem("OP254", profile, ("dpop", name), message, help="write a length such as 60s")
    offered = value.dpop_signing_alg_values_supported or value.tls_client_certificate_bound_access_tokens
    if value.dpop.required and not offered:
        message = "every token must be bound, and there is nothing to bind it to"
        remedy = "name algorithms in `dpop_signing_alg_values_supported`"
        yield problem("OP344", profile, ("dpop", "required"), message, help=remedy)
    for position, each in enumerate(value.response_types_supported):
        if value.dpop.required and "token" in each.split(" "):
            message = f"response type `{each}` issues an access token that is bound to nothing"
            yield problem("OP345", profile, ("response_types_supported", position), message, help="take it away")


def authorities_are_there(profile: Object[Profile], scene: Scene) -> Iterator[Problem]:
    """RFC 8705 2.1: somebody vouches for the certificates."""
    value, methods = profile.value, profile.value.token_endpoint_auth_methods_supported
    authorities = value.mtls.client_ca
    if authorities is None and _PKI in methods:
        message = "`tls_client_auth` needs certification authorities to believe"
        path: Path = ("token_endpoint_auth_methods_supported", methods.index(_PKI))
        yield problem("OP346", profile, path, message, help="add `mtls: {client_ca: {file: tls/clients-ca.pem}}`")
    elif authorities is not None and authorities.value and not _is_certificate(certificates(authorities.value)):
        message = "these are no certificates in PEM"
        remedy = "such a file begins with -----BEGIN CERTIFICATE-----"
        yield problem("OP346", profile, ("mtls", "client_ca"), message, help=remedy)


def aliases_are_its_own(profile: Object[Profile], scene: Scene) -> Iterator[Problem]:
    """RFC 8705 5: what answers at an alias is this profile and no other."""
    at = profile.value.mtls.aliases_at
    for other in scene.linked.profiles.values() if at is not None else ():
        theirs = [other.value.issuer, *([other.value.mtls.aliases_at] if other.id < profile.id else [])]
        if other.id != profile.id and _address(at) in map(_address, theirs):
            message = f"profile `{other.id}` has this address already"
            remedy = "give each profile a path of its own"
            yield problem("OP245", profile, ("mtls", "aliases_at"), message, help=remedy)


def _address(url: str | None) -> str:
    return "" if url is None else url.partition("://")[2].rstrip("/").lower()


def certificates_arrive(profile: Object[Profile], scene: Scene) -> Iterator[Problem]:
    """What is only declared is not there yet."""
    value, listeners = profile.value, scene.linked.root.value.listeners
    if listeners.mtls is not None or listeners.client_certificate is not None:
        return
    methods = [name for name in value.token_endpoint_auth_methods_supported if name in (_PKI, _SELF_SIGNED)]
    if methods or value.tls_client_certificate_bound_access_tokens:
        by_method = ("token_endpoint_auth_methods_supported",)
        path: Path = by_method if methods else ("tls_client_certificate_bound_access_tokens",)
        message = "no listener asks clients for certificates, and no proxy is believed about them"
        remedy = "add `listeners.mtls` or `listeners.client_certificate` to op.yaml"
        yield problem("OP348", profile, path, message, help=remedy)


def listeners_are_apart(root: Object[Root], scene: Scene) -> Iterator[Problem]:
    """Each listener has a socket of its own."""
    listeners = root.value.listeners
    if listeners.mtls is not None and listeners.mtls.bind in (listeners.public.bind, listeners.admin.bind):
        message = "another listener has this address"
        yield problem("OP261", root, ("listeners", "mtls", "bind"), message, help="give it another port")


def header_is_the_proxies(root: Object[Root], scene: Scene) -> Iterator[Problem]:
    """RFC 8705 6.5: whoever can set the header can be any client."""
    listeners = root.value.listeners
    if listeners.client_certificate is None:
        return
    path: Path = ("listeners", "client_certificate")
    if not listeners.public.trusted_proxies:
        message = "no proxy is named whose word on certificates counts"
        remedy = "name its network in `listeners.public.trusted_proxies`"
        yield problem("OP347", root, path, message, help=remedy)
    if listeners.client_certificate.header.lower() in _TAKEN:
        message = "this header says something else already"
        yield problem("OP347", root, (*path, "header"), message, help="use `Client-Cert` (RFC 9440)")


CLIENT_RULES: tuple[Rule[Client], ...] = (
    certificate_is_about_one_subject,
    certificate_is_registered,
    bound_tokens_are_offered,
    certificate_passes_the_handshake,
)
PROFILE_RULES: tuple[Rule[Profile], ...] = (
    proofs_can_be_made,
    authorities_are_there,
    aliases_are_its_own,
    certificates_arrive,
)
ROOT_RULES: tuple[Rule[Root], ...] = (listeners_are_apart, header_is_the_proxies)
