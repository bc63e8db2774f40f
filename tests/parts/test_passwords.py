"""Passwords: schemes, forms, bounds."""

import asyncio
import base64
import hashlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from appliance.passwords import Passwords, TooBusy, Verified, check_supported
from tests.parts.users import CHEAP


@pytest.fixture
def passwords() -> Iterator[Passwords]:
    """A pool with cheap hashes."""
    pool = Passwords(CHEAP)
    yield pool
    pool.close()


def adapted64(content: bytes) -> str:
    """Base64 as the modular crypt format has it."""
    return base64.b64encode(content).decode().rstrip("=").replace("+", ".")


async def test_a_new_hash_is_argon2id_and_verifies(passwords: Passwords) -> None:
    encoded = await passwords.hash("correct horse")
    assert encoded.startswith("$argon2id$v=19$m=64,t=1,p=1$")
    check_supported(encoded)
    assert await passwords.verify(encoded, "correct horse") == Verified(True, False)
    assert await passwords.verify(encoded, "correct hors") == Verified(False, False)


async def test_a_hash_of_another_cost_is_due_for_a_new_one(passwords: Passwords) -> None:
    other = Passwords(replace(CHEAP, iterations=2))
    encoded = await other.hash("x")
    other.close()
    assert await passwords.verify(encoded, "x") == Verified(True, True)


@pytest.mark.parametrize("name", ["sha256", "sha512"])
async def test_pbkdf2_verifies_and_is_due_for_a_new_hash(passwords: Passwords, name: str) -> None:
    digest = hashlib.pbkdf2_hmac(name, "pässword".encode(), b"salt\xff\xfe\xfb", 1000)
    encoded = f"$pbkdf2-{name}$1000${adapted64(b'salt' + bytes([255, 254, 251]))}${adapted64(digest)}"
    check_supported(encoded)
    assert await passwords.verify(encoded, "pässword") == Verified(True, True)
    assert await passwords.verify(encoded, "password") == Verified(False, False)


async def test_scrypt_verifies_and_is_due_for_a_new_hash(passwords: Passwords) -> None:
    digest = hashlib.scrypt(b"password", salt=b"saltsalt", n=1 << 10, r=8, p=1, dklen=32)
    encoded = f"$scrypt$ln=10,r=8,p=1${adapted64(b'saltsalt')}${adapted64(digest)}"
    check_supported(encoded)
    assert await passwords.verify(encoded, "password") == Verified(True, True)
    assert await passwords.verify(encoded, "Password") == Verified(False, False)


@pytest.mark.parametrize(
    "encoded",
    [
        "",
        "plain",
        "$2b$12$" + "a" * 53,
        "$1$salt$digest",
        "$argon2id$v=19$m=9999999,t=1,p=1$" + "A" * 22 + "$" + "A" * 43,
        "$scrypt$ln=40,r=8,p=1$c2FsdA$" + "A" * 43,
    ],
)
async def test_a_hash_that_cannot_be_verified_is_refused_and_never_right(passwords: Passwords, encoded: str) -> None:
    with pytest.raises(ValueError) as refused:
        check_supported(encoded)
    assert not encoded or encoded not in str(refused.value)
    if "argon2" not in encoded and "scrypt" not in encoded:
        assert not (await passwords.verify(encoded, encoded or "x")).right


@pytest.mark.attack("MA-11")
@pytest.mark.parametrize("password", ["a" * 64, "p" * 1024, "ä€😀 \u3042 ' \" < & + %", "  spaces kept  "])
async def test_long_and_foreign_passwords_are_accepted_whole(passwords: Passwords, password: str) -> None:
    encoded = await passwords.hash(password)
    assert (await passwords.verify(encoded, password)).right
    assert not (await passwords.verify(encoded, password[:-1])).right
    assert not (await passwords.verify(encoded, password.strip() + "x")).right


@pytest.mark.attack("AU-13")
@pytest.mark.parametrize("password", ["", "x" * 1025, "ä" * 513, "\ud800"])
async def test_empty_and_too_long_passwords_are_refused(passwords: Passwords, password: str) -> None:
    encoded = await passwords.hash("x")
    assert await passwords.verify(encoded, password) == Verified(False, False)
    with pytest.raises(ValueError):
        await passwords.hash(password)


@pytest.mark.spec("RFC 8265", "4.2.2")
async def test_it_does_not_matter_how_a_letter_or_a_space_was_typed(passwords: Passwords) -> None:
    encoded = await passwords.hash("zo\u00eb pass")
    assert (await passwords.verify(encoded, "zoe\u0308\u00a0pass")).right
    assert not (await passwords.verify(encoded, "zoe pass")).right
    assert not (await passwords.verify(encoded, "ZO\u00cb pass")).right


async def test_a_hash_of_the_very_bytes_that_are_typed_verifies(passwords: Passwords) -> None:
    digest = hashlib.pbkdf2_hmac("sha256", "zoe\u0308".encode(), b"salt", 1000)
    encoded = f"$pbkdf2-sha256$1000${adapted64(b'salt')}${adapted64(digest)}"
    assert (await passwords.verify(encoded, "zoe\u0308")).right


@pytest.mark.parametrize("decoy", [None, "own"])
async def test_no_user_costs_one_verification_and_is_never_right(
    passwords: Passwords, monkeypatch: pytest.MonkeyPatch, decoy: str | None
) -> None:
    encoded = await passwords.hash("x")
    seen: list[str] = []
    import appliance.passwords as module

    matches: Callable[..., bool] = module._matches

    def watched(hasher: Any, target: str, password: bytes) -> bool:
        seen.append(target)
        return matches(hasher, target, password)

    monkeypatch.setattr(module, "_matches", watched)
    assert await passwords.verify(None, "x", encoded if decoy else None) == Verified(False, False)
    assert len(seen) == 1
    assert seen[0] == encoded if decoy else seen[0].startswith("$argon2id$v=19$m=64,t=1,p=1$")
    check_supported(seen[0])


async def test_a_full_queue_is_too_busy_and_an_asker_who_left_keeps_his_place_until_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pool = Passwords(replace(CHEAP, workers=1, queue=2))
    encoded = await pool.hash("x")
    gate, entered = threading.Event(), threading.Event()

    def slow(*_: Any) -> bool:
        entered.set()
        return gate.wait(60)

    monkeypatch.setattr("appliance.passwords._matches", slow)
    asked = [asyncio.ensure_future(pool.verify(encoded, "x")) for _ in range(3)]
    await asyncio.to_thread(entered.wait, 60)
    with pytest.raises(TooBusy):
        await pool.verify(encoded, "x")
    asked[0].cancel()  # it is running: the thread cannot be stopped
    with pytest.raises(asyncio.CancelledError):
        await asked[0]
    with pytest.raises(TooBusy):
        await pool.verify(encoded, "x")
    gate.set()
    assert [one.right for one in await asyncio.gather(*asked[1:])] == [True, True]
    assert (await pool.verify(encoded, "x")).right
    pool.close()
    with pytest.raises(TooBusy):
        await pool.verify(encoded, "x")
