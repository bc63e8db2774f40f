"""Client certificates (RFC 8705, RFC 5280): what they say, whose signature they have, which key is in them."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509 import verification
from cryptography.x509.oid import ExtendedKeyUsageOID
from jwcrypto.jwk import JWK

from appliance.jose.problems import KeyProblem, UnsupportedKey
from appliance.jose.public_keys import import_public
from appliance.protocol import base64url
from appliance.protocol.distinguished_name import DistinguishedName

#: More than any client certificate has, octets.
MAX_CERTIFICATE: Final = 16384

_AGNOSTIC: Final = verification.Criticality.AGNOSTIC
_Names = Callable[[x509.SubjectAlternativeName], list[str]]


@contextmanager
def _reading(words: str) -> Iterator[None]:
    """KeyProblem with these words, whatever goes wrong inside: the library has an error for each oddity of DER."""
    try:
        yield
    except KeyProblem:
        raise
    except Exception:  # noqa: BLE001 - every one of them means that the octets are no good
        raise KeyProblem(words) from None


def thumbprint(certificate: bytes) -> str:
    """`x5t#S256` of a certificate in DER (RFC 8705 3.1)."""
    return base64url.encode(hashlib.sha256(certificate).digest())


@dataclass(frozen=True, eq=False)
class ClientCertificate:
    """A certificate of a client, read but not yet believed."""

    _read: x509.Certificate

    @cached_property
    def subject(self) -> DistinguishedName:
        """The subject's name: relative names, each a set of (OID, value). KeyProblem."""
        with _reading("the subject of the certificate cannot be read"):
            return tuple(
                frozenset((attribute.oid.dotted_string, str(attribute.value)) for attribute in relative)
                for relative in self._read.subject.rdns
            )

    @property
    def dns(self) -> list[str]:
        """Alternative names that are DNS names."""
        return self._alternative(lambda names: names.get_values_for_type(x509.DNSName))

    @property
    def uris(self) -> list[str]:
        """Alternative names that are URIs."""
        return self._alternative(lambda names: names.get_values_for_type(x509.UniformResourceIdentifier))

    @property
    def addresses(self) -> list[str]:
        """Alternative names that are IP addresses, in their shortest form."""
        return self._alternative(lambda names: [str(each) for each in names.get_values_for_type(x509.IPAddress)])

    @property
    def emails(self) -> list[str]:
        """Alternative names that are mail addresses."""
        return self._alternative(lambda names: names.get_values_for_type(x509.RFC822Name))

    def key_thumbprint(self) -> str:
        """The RFC 7638 thumbprint of its key. KeyProblem when it is a kind or size of key that is not used here."""
        with _reading("the key of the certificate cannot be read"):
            key = self._read.public_key()
            if not isinstance(key, RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey):
                raise UnsupportedKey("the certificate has a key of a kind that is not supported")
            members: dict[str, object] = JWK.from_pyca(key).export_public(as_dict=True)
        return import_public({name: value for name, value in members.items() if name != "kid"}).thumbprint

    def check_time(self, now: float) -> None:
        """KeyProblem unless it is valid at a moment in epoch seconds."""
        with _reading("the dates of the certificate cannot be read"):
            begins, ends = self._read.not_valid_before_utc.timestamp(), self._read.not_valid_after_utc.timestamp()
        if not begins <= now <= ends:
            raise KeyProblem("the certificate is not valid now")

    def _alternative(self, names: _Names) -> list[str]:
        with _reading("the extensions of the certificate cannot be read"):
            try:
                return names(self._read.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
            except x509.ExtensionNotFound:
                return []


def read_certificate(der: bytes) -> ClientCertificate:
    """A certificate in DER. KeyProblem."""
    if len(der) > MAX_CERTIFICATE:
        raise KeyProblem("the certificate is too large")
    with _reading("not a certificate"):
        return ClientCertificate(x509.load_der_x509_certificate(der))


class Authorities:
    """Certification authorities whose client certificates are believed."""

    def __init__(self, pem: bytes) -> None:
        """Of one or more certificates in PEM. KeyProblem."""
        with _reading("not certificates in PEM"):
            self._store = verification.Store(x509.load_pem_x509_certificates(pem))

    def check(self, certificate: ClientCertificate, now: float) -> None:
        """KeyProblem unless one of the authorities signed it, for TLS clients, and it is valid now (epoch s)."""
        verifier = (
            verification.PolicyBuilder()
            .store(self._store)
            .time(datetime.fromtimestamp(now, UTC))
            .extension_policies(ca_policy=_OF_AUTHORITIES, ee_policy=_OF_CLIENTS)
            .build_client_verifier()
        )
        with _reading("the certificate is not one of the authorities'"):
            verifier.verify(certificate._read, [])


def _check_key_usage(_policy: object, _certificate: x509.Certificate, usage: x509.KeyUsage | None) -> None:
    if usage is not None and not usage.key_cert_sign:
        raise ValueError("the key of an authority is not for certificates")


def _check_purpose(_policy: object, _certificate: x509.Certificate, usage: x509.ExtendedKeyUsage | None) -> None:
    purposes = (ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE)
    if usage is not None and not any(purpose in usage for purpose in purposes):
        raise ValueError("the certificate is not for TLS clients")


# Private authorities rarely write all that the web's public ones must; what tells an authority from a client,
# and a client from a server, is asked for all the same.
_OF_AUTHORITIES: Final = (
    verification.ExtensionPolicy.permit_all()
    .require_present(x509.BasicConstraints, _AGNOSTIC, None)
    .may_be_present(x509.KeyUsage, _AGNOSTIC, _check_key_usage)
)
_OF_CLIENTS: Final = verification.ExtensionPolicy.permit_all().may_be_present(
    x509.ExtendedKeyUsage, _AGNOSTIC, _check_purpose
)
