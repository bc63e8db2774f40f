"""Users written down in the configuration."""

from collections.abc import Iterator

import pytest

from appliance.parts.sources import SOURCES
from appliance.parts.sources.static import Options, Static, User
from appliance.passwords import Passwords
from appliance.protocol.authorization import Subject
from appliance.protocol.secret import Secret
from appliance.seams import User as Found
from tests.parts.users import CHEAP, TOTP_KEY, options, user


@pytest.fixture
def passwords() -> Iterator[Passwords]:
    """A pool with cheap hashes."""
    pool = Passwords(CHEAP)
    yield pool
    pool.close()


@pytest.fixture
def source(passwords: Passwords) -> Static:
    """Alice with two names, Bob who left, Carol without a password."""
    return Static(
        name="accounts",
        options=options(
            a1=user("Alice", "alice@example.com", totp=b"GEZD GNBV-gy3t QOJQ GEZDGNBVGY3TQOJQ"),
            b2=user("bob", active=False),
            c3=user("carol", password=None),
        ),
        passwords=passwords,
    )


def test_the_catalogue_names_it() -> None:
    assert SOURCES["static"] is Static


@pytest.mark.attack("AU-04", "AU-05")
@pytest.mark.parametrize("typed", ["alice", "ALICE", " alice ", "ａlice", "Alice@Example.com", "ALICE@EXAMPLE.COM"])
async def test_every_name_of_a_user_leads_to_one_account(source: Static, typed: str) -> None:
    found = await source.find(typed)
    assert found is not None
    assert (found.subject, found.login, found.active) == (Subject("accounts", "a1"), "Alice", True)


@pytest.mark.attack("AU-05")
@pytest.mark.parametrize("typed", ["", "alicе", "alice\0", "alice\u200b", "dave", "a1"])
async def test_other_names_lead_nowhere(source: Static, typed: str) -> None:
    assert await source.find(typed) is None


async def test_it_loads_by_id_and_shows_its_attributes_read_only(source: Static) -> None:
    found = await source.load("a1")
    assert found is not None and found.attributes == {"email": "x@example.com"}
    with pytest.raises(TypeError):
        found.attributes["email"] = "y"  # type: ignore[index]
    assert await source.load("alice") is None


async def test_only_the_right_password_of_an_active_user_passes(source: Static) -> None:
    alice, bob, carol = [await source.load(one) for one in ("a1", "b2", "c3")]
    assert await source.check_password(alice, "right")
    assert not await source.check_password(alice, "Right")
    assert not await source.check_password(bob, "right")
    assert not await source.check_password(carol, "right")
    assert not await source.check_password(None, "right")
    assert not await source.check_password(alice, "")


async def test_the_state_of_the_file_counts_and_not_what_the_caller_holds(source: Static) -> None:
    stale = Found(Subject("accounts", "b2"), "bob", {}, True)
    assert not await source.check_password(stale, "right")
    foreign = Found(Subject("other", "a1"), "Alice", {}, True)
    assert not await source.check_password(foreign, "right")
    assert await source.credential(foreign, "totp") is None


async def test_the_key_of_the_app_is_read_however_it_is_written(source: Static) -> None:
    alice, bob = await source.load("a1"), await source.load("b2")
    assert alice is not None and bob is not None
    assert await source.credential(alice, "totp") == TOTP_KEY
    assert await source.credential(alice, "other") is None
    assert await source.credential(bob, "totp") is None


@pytest.mark.attack("AU-05")
@pytest.mark.parametrize(
    ("users", "words"),
    [
        (options(a=user("Strauß"), b=user("STRAUSS")), "users a and b"),
        (options(a=user("x", "y"), b=user("Y")), "users a and b"),
        (options(a=user("x\u200b")), "user a: a login"),
        (options(a=user()), "user a: has no login"),
        (options(a=user("x", totp=b"not base32!")), "user a: the totp key is not base32"),
        (options(a=user("x", totp=b"GEZDGNBV")), "user a: the totp key is shorter"),
        (Options({"a": User(("x",), Secret(b"plain-text", "hash"), None, None, True, {})}), "user a: the password"),
        (
            Options({"a": User(("x",), Secret(b"\xff", "hash"), None, None, True, {})}),
            "user a: the password is not text",
        ),
    ],
)
def test_a_declaration_that_cannot_be_used_is_refused_by_user(passwords: Passwords, users: Options, words: str) -> None:
    with pytest.raises(ValueError, match=words) as refused:
        Static(name="accounts", options=users, passwords=passwords)
    assert "plain-text" not in str(refused.value)


async def test_one_user_may_declare_two_spellings_of_one_name(passwords: Passwords) -> None:
    source = Static(name="accounts", options=options(a=user("Alice", "alice")), passwords=passwords)
    assert await source.find("ALICE") is not None


async def test_a_secret_that_was_not_read_lets_nobody_in(passwords: Passwords) -> None:
    unread = User(("x",), Secret(b"", "env:X (not read)"), Secret(b"", "env:Y (not read)"), None, True, {})
    source = Static(name="accounts", options=Options({"a": unread}), passwords=passwords)
    found = await source.find("x")
    assert found is not None
    assert not await source.check_password(found, "x")
    assert await source.credential(found, "totp") is None
