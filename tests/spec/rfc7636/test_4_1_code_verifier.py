"""RFC 7636 4.1 to 4.6: verifiers and S256 challenges."""

import pytest

from appliance.protocol import pkce
from tests.support.minting import CHALLENGE, VERIFIER

SPEC = "RFC 7636"


@pytest.mark.spec(SPEC, "4.6")
def test_takes_the_verifier_of_the_challenge() -> None:
    assert pkce.challenge_of(VERIFIER) == CHALLENGE
    assert pkce.verify(VERIFIER, CHALLENGE)
    assert pkce.read_challenge(CHALLENGE, "S256") == CHALLENGE
    assert pkce.read_challenge(None, None) is None


@pytest.mark.spec(SPEC, "4.1")
@pytest.mark.parametrize("length", [43, 128])
def test_takes_verifiers_of_every_allowed_length_and_character(length: int) -> None:
    verifier = ("abzAZ019-._~" * 20)[:length]
    assert pkce.verify(verifier, pkce.challenge_of(verifier))


@pytest.mark.attack("PK-05")
@pytest.mark.parametrize(
    "verifier", ["", "a" * 42, "a" * 129, "a" * 42 + " ", "a" * 42 + "\u00e4", "a" * 43 + "\n", "a" * 42 + "+"]
)
def test_refuses_malformed_verifiers(verifier: str) -> None:
    import base64
    import hashlib

    digest = hashlib.sha256(verifier.encode()).digest()
    assert not pkce.verify(verifier, base64.urlsafe_b64encode(digest).rstrip(b"=").decode())


@pytest.mark.attack("PK-07")
def test_compares_challenges_as_texts() -> None:
    # Same 256 bits, other trailing bits in the last character.
    altered = CHALLENGE[:-1] + chr(ord(CHALLENGE[-1]) + 1)
    assert pkce.read_challenge(altered, "S256") == altered
    assert not pkce.verify(VERIFIER, altered)
    assert not pkce.verify(VERIFIER, "\u00e4" * 43)
