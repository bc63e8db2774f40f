"""The life of signing keys: generated, published before use, kept until the last token ended."""

import json
import random

import pytest

from appliance.config.declared.profile import EncryptionKeyEntry, SigningKeyEntry
from appliance.jose import keys as jose
from appliance.jose.encryption import decrypt, encrypt
from appliance.jose.problems import TokenProblem
from appliance.jose.tokens import sign, verify
from appliance.parts.stores.memory import Memory
from appliance.profile.keys import LEEWAY, KeyRing, UndeclaredAlgorithm
from appliance.protocol.secret import Secret
from appliance.seams import Tools

ISSUER = "https://op.test/a"
DAY = 86400
TOKEN = 3600


class Ring:
    """A ring over a store with a clock that the test moves."""

    def __init__(self) -> None:
        self.now = 1_000_000_000.0
        self.tools = Tools(clock=lambda: self.now, entropy=random.Random(7).randbytes)
        self.store = Memory(self.tools)

    async def open(
        self, *entries: SigningKeyEntry | EncryptionKeyEntry, longest_token: int = TOKEN, issuer: str = ISSUER
    ) -> KeyRing:
        ring = KeyRing(
            issuer=issuer, entries=entries, longest_token=longest_token, store=self.store, tools=self.tools
        )
        await ring.refresh()
        return ring


def entry(alg: str = "ES256", rotate_every: int = 90 * DAY, publish_before: int = 7 * DAY) -> SigningKeyEntry:
    return SigningKeyEntry(alg, None, None, rotate_every, publish_before)


def encryption(alg: str = "ECDH-ES", publish_before: int = 7 * DAY) -> EncryptionKeyEntry:
    return EncryptionKeyEntry(alg, None, None, 90 * DAY, publish_before)


def published(ring: KeyRing, use: str) -> list[str]:
    return [key["kid"] for key in json.loads(ring.jwks)["keys"] if key["use"] == use]


def opened(ring: KeyRing, token: str) -> bytes:
    keys = ring.decryption()
    return decrypt(token, keys, algs={key.alg for key in keys}, encs={"A128GCM"})


def kids(ring: KeyRing) -> list[str]:
    return [key["kid"] for key in json.loads(ring.jwks)["keys"]]


@pytest.mark.spec("OpenID Connect Core", "10.1.1")
async def test_publishes_the_next_key_before_use_and_keeps_the_old_until_its_last_token_ends() -> None:
    world = Ring()
    ring = await world.open(entry())
    first = ring.signing().kid
    assert kids(ring) == [first]

    world.now += 83 * DAY + 1
    await ring.refresh()
    assert len(kids(ring)) == 2
    assert ring.signing().kid == first
    second = next(kid for kid in kids(ring) if kid != first)

    world.now += 7 * DAY
    assert ring.signing().kid == second
    await ring.refresh()
    assert set(kids(ring)) == {first, second}

    world.now += TOKEN + LEEWAY
    await ring.refresh()
    assert kids(ring) == [second]


async def test_switches_at_the_declared_second_even_between_two_refreshes() -> None:
    world = Ring()
    ring = await world.open(entry())
    first = ring.signing().kid
    began = world.now
    world.now = began + 83 * DAY
    await ring.refresh()
    world.now = began + 90 * DAY - 1
    assert ring.signing().kid == first
    world.now = began + 90 * DAY
    assert ring.signing().kid != first


async def test_publishes_first_even_after_a_long_sleep() -> None:
    world = Ring()
    ring = await world.open(entry())
    first = ring.signing().kid
    world.now += 500 * DAY
    await ring.refresh()
    assert len(kids(ring)) == 2
    assert ring.signing().kid == first
    world.now += 7 * DAY
    assert ring.signing().kid != first


async def test_a_reload_never_loses_a_key() -> None:
    world = Ring()
    before = await world.open(entry("ES256"), entry("RS256"))
    rs256 = before.signing("RS256")
    token = sign(rs256, {"iss": ISSUER}, "JWT")
    after = await world.open(entry("ES256"))
    assert kids(before)[0] == kids(after)[0]
    with pytest.raises(UndeclaredAlgorithm):
        after.signing("RS256")
    assert (
        verify(token, after.verification(), algs=("RS256",), typ=frozenset({"JWT"})).claims["iss"] == ISSUER
    )
    world.now += TOKEN + LEEWAY + 1
    await after.refresh()
    assert rs256.kid not in kids(after)


async def test_a_line_that_comes_back_in_time_keeps_its_key() -> None:
    world = Ring()
    first = (await world.open(entry("ES256"), entry("RS256"))).signing("RS256").kid
    await world.open(entry("ES256"))
    world.now += 60
    again = await world.open(entry("ES256"), entry("RS256"))
    world.now += 30 * DAY
    await again.refresh()
    assert again.signing("RS256").kid == first


async def test_a_longer_token_life_prolongs_the_old_key() -> None:
    world = Ring()
    ring = await world.open(entry())
    first = ring.signing().kid
    await ring.rotate_now()
    assert ring.signing().kid != first
    longer = await world.open(entry(), longest_token=10 * TOKEN)
    world.now += 5 * TOKEN
    await longer.refresh()
    assert first in kids(longer)


async def test_two_nodes_that_begin_at_once_make_one_key() -> None:
    world = Ring()
    one = KeyRing(
        issuer=ISSUER, entries=(entry(),), longest_token=TOKEN, store=world.store, tools=world.tools
    )
    other = KeyRing(
        issuer=ISSUER, entries=(entry(),), longest_token=TOKEN, store=world.store, tools=world.tools
    )
    import asyncio

    await asyncio.gather(one.refresh(), other.refresh())
    await one.refresh()
    assert kids(one) == kids(other)
    assert len(kids(one)) == 1


async def test_issuers_never_share_keys() -> None:
    world = Ring()
    a = await world.open(entry())
    b = await world.open(entry(), issuer="https://op.test/b")
    assert not set(kids(a)) & set(kids(b))


@pytest.mark.attack("JW-09")
async def test_publishes_no_private_member_and_names_kid_use_and_alg() -> None:
    world = Ring()
    ring = await world.open(entry("ES256"), entry("RS256"), entry("EdDSA"))
    for key in json.loads(ring.jwks)["keys"]:
        assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & key.keys()
        assert key["kid"] and key["use"] == "sig" and key["alg"] in ("ES256", "RS256", "EdDSA")


@pytest.mark.attack("JW-11")
async def test_a_key_file_that_is_taken_away_verifies_nothing_any_more() -> None:
    world = Ring()
    made = jose.generate("ES256")
    file = SigningKeyEntry("ES256", Secret(jose.export_private(made).encode(), "file"), None, DAY, DAY)
    with_file = await world.open(file)
    assert with_file.signing().kid == made.kid
    without = await world.open(entry())
    assert made.kid not in kids(without)


@pytest.mark.attack("JW-09")
async def test_publishes_keys_to_encrypt_to_after_those_that_sign() -> None:
    world = Ring()
    ring = await world.open(encryption("RSA-OAEP-256"), entry("ES256"), encryption("ECDH-ES+A256KW"))
    listed = json.loads(ring.jwks)["keys"]
    assert [(key["use"], key["alg"]) for key in listed] == [
        ("sig", "ES256"), ("enc", "RSA-OAEP-256"), ("enc", "ECDH-ES+A256KW"),
    ]  # fmt: skip
    assert all(key["kid"] and not {"d", "p", "q", "dp", "dq", "qi", "k"} & key.keys() for key in listed)
    assert ring.algorithms == ("ES256",)
    assert len(ring.verification()) == 1
    with pytest.raises(UndeclaredAlgorithm):
        ring.signing("RSA-OAEP-256")


@pytest.mark.spec("OpenID Connect Core", "10.2.1")
async def test_an_encryption_key_leaves_the_key_set_before_it_stops_opening() -> None:
    world = Ring()
    ring = await world.open(entry(), encryption())
    (first,) = published(ring, "enc")
    token = encrypt(ring.decryption()[0].encryption(), b"old", enc="A128GCM")

    world.now += 83 * DAY + 1
    await ring.refresh()
    assert len(published(ring, "enc")) == 2
    # Whoever reads the key set early may begin with the next one at once.
    early = encrypt(ring.decryption()[0].encryption(), b"new", enc="A128GCM")
    assert opened(ring, early) == b"new"

    world.now += 7 * DAY
    await ring.refresh()
    (second,) = published(ring, "enc")
    assert second != first
    assert opened(ring, token) == b"old"

    world.now += 7 * DAY + LEEWAY
    await ring.refresh()
    assert [key.kid for key in ring.decryption()] == [second]
    with pytest.raises(TokenProblem):
        opened(ring, token)


async def test_a_new_encryption_key_on_demand_keeps_the_old_one_readable() -> None:
    world = Ring()
    ring = await world.open(entry(), encryption())
    (first,) = published(ring, "enc")
    token = encrypt(ring.decryption()[0].encryption(), b"old", enc="A128GCM")
    await ring.rotate_now()
    assert first not in published(ring, "enc")
    assert opened(ring, token) == b"old"
    # A process that starts now reads the same from the store.
    assert opened(await world.open(entry(), encryption()), token) == b"old"


async def test_a_line_of_encryption_keys_that_is_removed_opens_for_a_while_and_is_not_published() -> None:
    world = Ring()
    ring = await world.open(entry(), encryption())
    token = encrypt(ring.decryption()[0].encryption(), b"old", enc="A128GCM")
    without = await world.open(entry())
    assert published(without, "enc") == []
    assert len(published(without, "sig")) == 1
    assert opened(without, token) == b"old"
    world.now += TOKEN + LEEWAY + 1
    await without.refresh()
    assert without.decryption() == ()


@pytest.mark.attack("JW-11")
async def test_an_encryption_key_of_a_file_is_there_as_long_as_it_is_declared() -> None:
    world = Ring()
    made = jose.generate_decryption("ECDH-ES", crv="X25519")
    file = EncryptionKeyEntry("ECDH-ES", Secret(jose.export_private(made).encode(), "file"), None, DAY, DAY)
    ring = await world.open(entry(), file)
    assert published(ring, "enc") == [made.kid]
    assert opened(ring, encrypt(made.encryption(), b"x", enc="A128GCM")) == b"x"
    assert (await world.open(entry())).decryption() == ()


@pytest.mark.spec("OpenID Connect Core 1.0", "10.2.1")
async def test_tells_what_is_encrypted_to_and_not_what_only_opens() -> None:
    ring = Ring()
    keys = await ring.open(entry(), encryption())
    first = [key.kid for key in keys.published_decryption()]
    await keys.rotate_now()
    assert [key.kid for key in keys.published_decryption()] == published(keys, "enc") != first
    assert len(keys.decryption()) == 2
