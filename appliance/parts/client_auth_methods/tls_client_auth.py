"""`tls_client_auth`: a certificate of an authority that the profile believes, about the right subject (RFC 8705 2.1).

That the sender holds the certificate's key was proved when the connection was made, by TLS itself.
"""

from collections.abc import Callable, Mapping
from ipaddress import ip_address
from typing import Final

from appliance.jose.certificates import Authorities, ClientCertificate, read_certificate
from appliance.jose.problems import KeyProblem
from appliance.protocol.client import Client
from appliance.protocol.distinguished_name import NameProblem, read_name
from appliance.protocol.errors import InvalidClient
from appliance.protocol.form import Params
from appliance.protocol.messages import Request

_Judge = Callable[[ClientCertificate, str], bool]


class TlsClientAuth:
    """Certificates of public key infrastructures: authority, validity and one subject rule must agree."""

    name = "tls_client_auth"
    algorithms: tuple[str, ...] = ()

    def __init__(self, *, authorities: Authorities | None, **tools: object) -> None:
        #: None: the profile believes nobody, and so no certificate.
        self._authorities = authorities

    def claims(self, request: Request, form: Params) -> str | None:
        """The client_id in the form, when a certificate is the only proof in the request."""
        if request.certificate is None or "authorization" in request.headers:
            return None
        return None if "client_secret" in form or "client_assertion" in form else form.get("client_id")

    async def verify(self, request: Request, form: Params, client: Client) -> None:
        """Return when the certificate is valid, of an authority of the profile, and about this client."""
        if request.certificate is None or self._authorities is None:
            raise InvalidClient(detail="no client certificate, or no authority to believe")
        try:
            certificate = read_certificate(request.certificate)
            self._authorities.check(certificate, request.at)
            matches = _matches(certificate, client)
        except KeyProblem as problem:
            raise InvalidClient(detail=f"client certificate: {problem}") from None
        if not matches:
            raise InvalidClient(detail="client certificate: it is about somebody else")


def _matches(certificate: ClientCertificate, client: Client) -> bool:
    """Whether the one subject rule of a client holds (RFC 8705 2.1.2). KeyProblem."""
    rules = [(judge, value) for name, judge in _RULES.items() if (value := getattr(client, name)) is not None]
    # None, or more than one, is no registration: nobody said which of them was meant.
    return len(rules) == 1 and rules[0][0](certificate, rules[0][1])


def _is_subject(certificate: ClientCertificate, text: str) -> bool:
    try:
        return certificate.subject == read_name(text)
    except NameProblem:
        return False


def _is_dns(certificate: ClientCertificate, name: str) -> bool:
    # Compared whole: a wildcard speaks for many and so for nobody in particular.
    return name.lower() in {each.lower() for each in certificate.dns}


def _is_uri(certificate: ClientCertificate, uri: str) -> bool:
    return uri in certificate.uris


def _is_address(certificate: ClientCertificate, text: str) -> bool:
    try:
        return str(ip_address(text)) in certificate.addresses
    except ValueError:
        return False


def _is_email(certificate: ClientCertificate, address: str) -> bool:
    return address in certificate.emails


_RULES: Final[Mapping[str, _Judge]] = {
    "tls_client_auth_subject_dn": _is_subject,
    "tls_client_auth_san_dns": _is_dns,
    "tls_client_auth_san_uri": _is_uri,
    "tls_client_auth_san_ip": _is_address,
    "tls_client_auth_san_email": _is_email,
}
