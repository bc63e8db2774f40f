"""Sealed values."""

import pytest

from appliance.jose.problems import SealProblem
from appliance.jose.sealing import seal, unseal
from appliance.protocol import base64url

SECRET, OTHER = b"s" * 32, b"t" * 32


@pytest.mark.parametrize("plaintext", [b"", b"successor", bytes(5000)])
def test_opens_what_it_sealed(plaintext):
    assert unseal(SECRET, seal(SECRET, plaintext, b"refresh"), b"refresh") == plaintext


def test_seals_the_same_value_differently_each_time():
    assert seal(SECRET, b"x", b"c") != seal(SECRET, b"x", b"c")


def test_opens_nothing_for_another_secret_or_context():
    sealed = seal(SECRET, b"successor", b"refresh")
    for secret, context in (
        (OTHER, b"refresh"),
        (SECRET, b"other"),
        (SECRET, b""),
        (SECRET + b"\0", b"refresh"),
    ):
        with pytest.raises(SealProblem):
            unseal(secret, sealed, context)


def test_opens_nothing_that_was_altered():
    sealed = seal(SECRET, b"successor", b"refresh")
    octets = base64url.decode(sealed)
    for index in range(len(octets)):
        altered = bytes([*octets[:index], octets[index] ^ 1, *octets[index + 1 :]])
        with pytest.raises(SealProblem):
            unseal(SECRET, base64url.encode(altered), b"refresh")
    for text in ("", "A", "AA", sealed + "=", sealed[:-1], sealed + "AAAA", "ä", "A" * 40, "A" * 1_100_000):
        with pytest.raises(SealProblem):
            unseal(SECRET, text, b"refresh")


def test_refuses_secrets_that_could_be_guessed():
    for act in (lambda: seal(b"short", b"x", b"c"), lambda: unseal(b"short", "AAAA", b"c")):
        with pytest.raises(SealProblem):
            act()
