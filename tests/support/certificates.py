"""Certificates of clients and of who issues them, good and bad."""

import base64
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from jwcrypto.jwk import JWK

from tests.support.provider import START

_OIDS = {
    "C": NameOID.COUNTRY_NAME,
    "O": NameOID.ORGANIZATION_NAME,
    "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "CN": NameOID.COMMON_NAME,
}
CLIENT_AUTH = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
SERVER_AUTH = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])


@dataclass(frozen=True)
class Certified:
    """A certificate with its private key."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def key_pem(self) -> str:
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()

    def jwk(self, *, x5c: bool = True) -> dict[str, object]:
        """Its key as a client registers it."""
        members: dict[str, object] = dict(JWK.from_pyca(self.key.public_key()).export_public(as_dict=True))
        members.pop("kid", None)
        return members | ({"x5c": [base64.b64encode(self.der).decode()]} if x5c else {})


def names(*, dns: str = "", uri: str = "", ip: str = "", email: str = "") -> x509.SubjectAlternativeName:
    """Alternative names, of each kind one."""
    found: list[x509.GeneralName] = []
    if dns:
        found.append(x509.DNSName(dns))
    if uri:
        found.append(x509.UniformResourceIdentifier(uri))
    if ip:
        found.append(x509.IPAddress(ipaddress.ip_address(ip)))
    if email:
        found.append(x509.RFC822Name(email))
    return x509.SubjectAlternativeName(found)


def certify(
    subject: str = "C=FI,O=Partner,CN=orders",
    issuer: Certified | None = None,
    *,
    extensions: Iterable[x509.ExtensionType] = (),
    ca: bool = False,
    days: tuple[float, float] = (-1, 30),
    key: ec.EllipticCurvePrivateKey | None = None,
    at: float = START,
) -> Certified:
    """A certificate, self-signed without an issuer; `subject` from the top of the tree, `days` around `at`."""
    own = key or ec.generate_private_key(ec.SECP256R1())
    parts = [part.partition("=") for part in subject.split(",")]
    name = x509.Name([x509.NameAttribute(_OIDS[kind], value) for kind, _, value in parts])
    now = datetime.fromtimestamp(at, UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name if issuer is None else issuer.certificate.subject)
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=days[0]))
        .not_valid_after(now + timedelta(days=days[1]))
    )
    if ca:
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    for each in extensions:
        builder = builder.add_extension(each, critical=False)
    return Certified(own, builder.sign(own if issuer is None else issuer.key, hashes.SHA256()))
