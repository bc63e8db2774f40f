"""Software statements (RFC 7591 2.3): what somebody we believe says of client software, signed."""

from collections.abc import Mapping
from typing import Final

from appliance.config.declared.registration import SoftwareStatements as Settings
from appliance.jose.algorithms import ASYMMETRIC_SIGNATURE_ALGORITHMS
from appliance.jose.claims import check_audience, check_times, read_text
from appliance.jose.keys import VerificationKey
from appliance.jose.problems import TokenProblem
from appliance.jose.public_keys import import_set, verification_keys
from appliance.jose.tokens import decode_strict, read_unverified_claims, verify
from appliance.protocol.errors import InvalidSoftwareStatement, UnapprovedSoftwareStatement
from appliance.seams import Tools

# RFC 8725 3.11: no type is registered for these, but a token of another type is none.
_TYPES: Final = frozenset({None, "JWT", "jwt", "software-statement+jwt"})
_MAX_LENGTH: Final = 16384
#: Claims of the statement itself, which are not about the software.
_OF_THE_TOKEN: Final = frozenset({"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "software_statement"})


class SoftwareStatements:
    """Verifies statements for one issuer. KeyProblem when a trusted key set cannot be read."""

    def __init__(self, *, settings: Settings, issuer: str, tools: Tools) -> None:
        self._issuer = issuer
        self._clock = tools.clock
        self._keys: Mapping[str, tuple[VerificationKey, ...]] = {
            name: verification_keys(import_set(jwks), ASYMMETRIC_SIGNATURE_ALGORITHMS)
            for name, jwks in settings.issuers.items()
        }

    def verify(self, statement: object) -> dict[str, object]:
        """The metadata that a statement asserts. InvalidSoftwareStatement, UnapprovedSoftwareStatement."""
        try:
            unverified = decode_strict(statement, max_length=_MAX_LENGTH)
            issuer = read_text(read_unverified_claims(unverified), "iss")
            keys = self._keys.get(issuer)
            if keys is None:
                raise UnapprovedSoftwareStatement("software_statement is of nobody who is trusted here")
            claims = verify(unverified, keys, algs=ASYMMETRIC_SIGNATURE_ALGORITHMS, typ=_TYPES).claims
            check_times(claims, self._clock(), leeway=60, required=())
            if "aud" in claims:
                check_audience(claims, (self._issuer,))
        except TokenProblem as problem:
            raise InvalidSoftwareStatement("software_statement is not valid", detail=str(problem)) from None
        return asserted(claims)


def read_verified(statement: str) -> dict[str, object]:
    """The metadata of a statement that was verified when it came. InvalidSoftwareStatement."""
    try:
        return asserted(read_unverified_claims(decode_strict(statement, max_length=_MAX_LENGTH)))
    except TokenProblem as problem:
        raise InvalidSoftwareStatement("software_statement is not valid", detail=str(problem)) from None


def asserted(claims: Mapping[str, object]) -> dict[str, object]:
    """What claims say of the software."""
    return {name: value for name, value in claims.items() if name not in _OF_THE_TOKEN}
