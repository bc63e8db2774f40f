"""OpenID Connect Core 8, 8.1: public and pairwise subjects, and the sector of a client."""

import base64
import hashlib
from dataclasses import replace
from typing import Any

import pytest

from appliance.parts.subject_types.pairwise import Pairwise
from appliance.protocol.errors import ServerError
from appliance.protocol.secret import Secret
from appliance.protocol.sector import UnknownSector, sector
from tests.support.minting import CLAIMS, CLIENT, JWT_SHOP, PAIRED, SALT, claims_of, mint, path

pytestmark = pytest.mark.spec("OpenID Connect Core 1.0", "8.1")


def hmac_by_hand(key: bytes, message: bytes) -> bytes:
    """RFC 2104, written out, so that the vectors do not come from the code they hold."""
    block = key.ljust(64, b"\0")
    inner = hashlib.sha256(bytes(octet ^ 0x36 for octet in block) + message).digest()
    return hashlib.sha256(bytes(octet ^ 0x5C for octet in block) + inner).digest()


@pytest.mark.attack("PS-04")
@pytest.mark.parametrize(("sector_", "local", "expected"), [
    ("rp.example", "teddie", "18lhJJruSHmEkj4uFoDR1fOho3aZiNIqiqT8sPPdRxs"),
    ("Sector Zort", "teddie", "x4YUD7xUgwxUXZSpenG1IEKjAtbcI4uBG_7oSmQUZHw"),
    ("rp.example", "ä", "6Eo0aTKnppV0g6fkoGeP5mn12tGjO79JlpOQaPqPa60"),
])  # fmt: skip
async def test_derives_the_same_pseudonym_for_ever(sector_: str, local: str, expected: str) -> None:
    parts = [part.encode() for part in (sector_, local)]
    message = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
    by_hand = base64.urlsafe_b64encode(hmac_by_hand(SALT.value, message)).rstrip(b"=").decode()
    assert Pairwise(salt=SALT).sub(local, sector_) == by_hand == expected


@pytest.mark.attack("PS-04")
async def test_keeps_sector_and_subject_apart() -> None:
    derive = Pairwise(salt=SALT)
    assert derive.sub("bc", "a") != derive.sub("c", "ab")
    assert derive.sub("bc", "a") == derive.sub("bc", "a")
    assert derive.sub("bc", "a") != Pairwise(salt=Secret(b"x" * 32, "other")).sub("bc", "a")


def pairwise(**changes: Any) -> Any:
    settings = {name: changes.pop(name) for name in ("sector_identifier",) if name in changes}
    return replace(PAIRED, op=replace(PAIRED.op, **settings), **changes)


@pytest.mark.parametrize(("client", "expected"), [
    (pairwise(), "rp.example"),
    (pairwise(redirect_uris=("https://RP.example:8443/a", "https://rp.example/b")), "rp.example"),
    (pairwise(redirect_uris=("http://127.0.0.1/cb",)), "127.0.0.1"),
    (pairwise(redirect_uris=("https://a.example/", "https://b.example/"),
              sector_identifier_uri="https://sector.example:444/uris.json"), "sector.example"),
    (pairwise(sector_identifier="Sector Zort", sector_identifier_uri="https://s.example/"), "Sector Zort"),
])  # fmt: skip
def test_knows_the_sector_of_a_client(client: Any, expected: str) -> None:
    assert sector(client) == expected


@pytest.mark.attack("PS-02")
@pytest.mark.parametrize("client", [
    pairwise(redirect_uris=()),
    pairwise(redirect_uris=("https://a.example/", "https://b.example/")),
    pairwise(redirect_uris=("com.example.app:/cb",)),
    pairwise(redirect_uris=("com.example.app:/cb", "https://a.example/")),
    pairwise(sector_identifier_uri="http://sector.example/"),
    pairwise(sector_identifier_uri="https:///nothing"),
])  # fmt: skip
async def test_never_guesses_a_sector(client: Any) -> None:
    with pytest.raises(UnknownSector):
        sector(client)
    op = await mint(clients=(client,))
    with pytest.raises(ServerError):
        await op.profile.claims.sub(op.users.users["alice"], client)


@pytest.mark.attack("PS-01", "SC-15")
async def test_shows_a_pairwise_client_nothing_but_the_pseudonym() -> None:
    jwt_format = replace(PAIRED.op, access_token_format="jwt")
    client = replace(PAIRED, op=jwt_format)
    op = await mint(clients=(client,))
    sub = await op.profile.claims.sub(op.users.users["alice"], client)
    answer = await op.redeem(await op.code(client, sub=sub), client)
    assert claims_of(answer["id_token"])["sub"] == sub
    assert claims_of(answer["access_token"])["sub"] == sub
    seen = (await op.look(answer["access_token"])).body
    assert seen["sub"] == sub
    everything = [claims_of(answer["id_token"]), claims_of(answer["access_token"]), seen, answer.body]
    assert "alice-1" not in repr(everything)


async def test_gives_one_sector_one_sub_and_public_clients_the_local_one() -> None:
    op = await mint()
    alice = op.users.users["alice"]
    same = replace(PAIRED, client_id="same-sector")
    other = replace(PAIRED, client_id="other-sector", redirect_uris=("https://else.example/cb",))
    subs = [await op.profile.claims.sub(alice, client) for client in (PAIRED, same, other, CLIENT, JWT_SHOP)]
    assert subs[0] == subs[1] != subs[2]
    assert subs[3] == subs[4] == "alice-1"
    assert len(subs[0]) == 43


@pytest.mark.spec("OpenID Connect Core 1.0", "2")
@pytest.mark.parametrize("local", [None, "", "  ", "a" * 256, "jörg"])
async def test_issues_no_sub_that_cannot_be_one(local: Any) -> None:
    op = await mint(claims_set=replace(CLAIMS, subject=path("nowhere", "id")))
    alice = replace(op.users.users["alice"], attributes={"nowhere": {"id": local}})
    with pytest.raises(ServerError):
        await op.profile.claims.sub(alice, CLIENT)
