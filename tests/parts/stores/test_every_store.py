"""What every store must do: the one suite that each store of the catalogue passes."""

import asyncio
from dataclasses import replace

import pytest

from appliance.parts.stores import STORES
from appliance.protocol.records import Attempts, AuthorizationCode, Interaction, RefreshToken, Session, Used
from appliance.seams import Change, Store, StoreUnavailable
from tests.parts.stores import records
from tests.parts.stores.conftest import OPENERS, Bench


def test_the_suite_can_open_every_store_of_the_catalogue() -> None:
    assert set(OPENERS) == set(STORES)


async def test_the_store_returns_what_was_put(store: Store) -> None:
    assert await store.get(Session, "s1") is None
    assert await store.commit(Change(put=(records.session(),)))
    assert await store.get(Session, "s1") == records.session()


async def test_the_store_keeps_mappings_and_nested_values(store: Store) -> None:
    put = records.code()
    assert await store.commit(Change(put=(put, records.interaction(parameters={"state": "ä\0\"'"}))))
    found = await store.get(AuthorizationCode, "c1")
    assert found is not None
    assert found.authorization.claims.id_token == {"email": None}
    assert found.authorization.subject == put.authorization.subject
    assert list(found.authorization.claims.userinfo["acr"]["values"]) == ["1", "2"]  # type: ignore[index,arg-type]
    kept = await store.get(Interaction, "i1")
    assert kept is not None and kept.parameters == {"state": "ä\0\"'"}


async def test_the_store_replaces_a_record_whole(store: Store) -> None:
    await store.commit(Change(put=(records.session(user="old"),)))
    await store.commit(Change(put=(records.session(user="new"),)))
    assert await store.find(Session, "user", "old") == ()
    assert [found.id for found in await store.find(Session, "user", "new")] == ["s1"]


async def test_the_store_forgets_a_record_at_its_end(store: Store, bench: Bench) -> None:
    await store.commit(Change(put=(records.session(expires_at=bench.clock.now + 10),)))
    bench.clock.now += 9.999
    assert await store.get(Session, "s1") is not None
    bench.clock.now += 0.001
    assert await store.get(Session, "s1") is None
    assert await store.find(Session, "sid", "sid-s1") == ()
    assert await store.take(Session, "s1") is None
    assert await store.delete_by((Session,), "sid", "sid-s1") == 0


async def test_the_store_treats_an_expired_record_as_absent(store: Store, bench: Bench) -> None:
    old = records.used(expires_at=bench.clock.now + 1)
    await store.commit(Change(put=(old,)))
    bench.clock.now += 1
    assert not await store.commit(Change(expect=(old,), put=(records.used("other"),)))
    fresh = records.used(expires_at=bench.clock.now + 1)
    assert await store.commit(Change(absent=(fresh,), put=(fresh,)))
    assert await store.get(Used, "u1") == fresh


async def test_the_store_finds_by_every_index(store: Store) -> None:
    await store.commit(
        Change(put=(records.session("s1"), records.session("s2"), records.session("s3", user="accounts\x1fbob")))
    )
    assert {found.id for found in await store.find(Session, "user", "accounts\x1falice")} == {"s1", "s2"}
    assert {found.id for found in await store.find(Session, "sid", "sid-s3")} == {"s3"}
    assert await store.find(Session, "sid", "accounts\x1falice") == ()
    assert await store.find(Session, "user", "") == ()


async def test_the_store_does_not_confuse_an_index_with_another(store: Store) -> None:
    await store.commit(Change(put=(records.session("s1", user="sid=z", sid="user=z"),)))
    assert await store.find(Session, "sid", "z") == ()
    assert await store.find(Session, "user", "user=z") == ()
    assert len(await store.find(Session, "user", "sid=z")) == 1


@pytest.mark.attack("CD-07")
async def test_the_store_never_mixes_kinds(store: Store) -> None:
    await store.commit(Change(put=(records.code("same"), records.used("same"))))
    assert isinstance(await store.get(AuthorizationCode, "same"), AuthorizationCode)
    assert await store.get(RefreshToken, "same") is None
    assert await store.take(RefreshToken, "same") is None
    await store.commit(Change(delete=(records.used("same"),)))
    assert await store.get(AuthorizationCode, "same") is not None


async def test_the_store_never_mixes_issuers(store: Store) -> None:
    other = "https://op.example.com/workforce"
    await store.commit(Change(put=(records.session("s1"), records.session("s2", issuer=other))))
    found = {one.id: one.issuer for one in await store.find(Session, "user", "accounts\x1falice")}
    assert found == {"s1": records.ISSUER, "s2": other}


async def test_the_store_gives_a_taken_record_to_one_of_many(store: Store) -> None:
    await store.commit(Change(put=(records.code(),)))
    taken = await asyncio.gather(*(store.take(AuthorizationCode, "c1") for _ in range(64)))
    assert [one.id for one in taken if one is not None] == ["c1"]
    assert await store.get(AuthorizationCode, "c1") is None
    assert await store.find(AuthorizationCode, "authorization_id", "authorization-1") == ()


@pytest.mark.attack("CD-01", "RF-02")
async def test_the_store_lets_one_of_many_swap(store: Store) -> None:
    first = records.attempts(failures=0)
    await store.commit(Change(put=(first,)))
    swaps = [Change(expect=(first,), put=(replace(first, failures=n),)) for n in range(1, 65)]
    won = await asyncio.gather(*(store.commit(change) for change in swaps))
    assert won.count(True) == 1
    found = await store.get(Attempts, "a1")
    assert found is not None and found.failures == won.index(True) + 1


async def test_the_store_lets_one_of_many_be_the_first(store: Store) -> None:
    changes = [Change(absent=(records.attempts(),), put=(records.attempts(failures=n),)) for n in range(64)]
    won = await asyncio.gather(*(store.commit(change) for change in changes))
    assert won.count(True) == 1


async def test_the_store_counts_every_concurrent_swap(store: Store) -> None:
    await store.commit(Change(put=(records.attempts(failures=0),)))

    async def count() -> None:
        while True:
            seen = await store.get(Attempts, "a1")
            assert seen is not None
            if await store.commit(Change(expect=(seen,), put=(replace(seen, failures=seen.failures + 1),))):
                return

    await asyncio.gather(*(count() for _ in range(20)))
    found = await store.get(Attempts, "a1")
    assert found is not None and found.failures == 20


async def test_the_store_expects_what_it_gave_and_what_it_was_given(store: Store) -> None:
    put = records.code()
    await store.commit(Change(put=(put,)))
    read = await store.get(AuthorizationCode, "c1")
    assert read is not None
    assert await store.commit(Change(expect=(read,)))
    assert await store.commit(Change(expect=(put,)))
    assert not await store.commit(Change(expect=(replace(read, redeemed=True),)))
    assert not await store.commit(Change(expect=(records.code("none"),)))


@pytest.mark.parametrize("broken", ["expect", "absent"])
async def test_the_store_does_nothing_of_a_change_that_fails(store: Store, broken: str) -> None:
    kept, stored = records.session(), records.attempts()
    await store.commit(Change(put=(kept, stored)))
    change = Change(
        put=(records.used("new"), replace(kept, login="other")),
        delete=(stored,),
        expect=(replace(stored, failures=99),) if broken == "expect" else (stored,),
        absent=(kept,) if broken == "absent" else (),
    )
    assert not await store.commit(change)
    assert await store.get(Used, "new") is None
    assert await store.get(Session, "s1") == kept
    assert await store.get(Attempts, "a1") == stored


async def test_the_store_does_all_of_a_change_that_holds(store: Store) -> None:
    kept, stored = records.session(), records.attempts()
    await store.commit(Change(put=(kept, stored)))
    change = Change(
        put=(records.used("new"), replace(kept, login="other")),
        delete=(stored,),
        expect=(stored, kept),
        absent=(records.used("new"),),
    )
    assert await store.commit(change)
    assert await store.get(Used, "new") is not None
    assert await store.get(Attempts, "a1") is None
    found = await store.get(Session, "s1")
    assert found is not None and found.login == "other"


async def test_the_store_tells_neighbours_of_a_failed_change_their_own_result(store: Store) -> None:
    good = [store.commit(Change(put=(records.used(f"u{n}"),))) for n in range(20)]
    bad = [store.commit(Change(expect=(records.attempts("none"),), put=(records.used(f"b{n}"),))) for n in range(20)]
    results = await asyncio.gather(*(one for pair in zip(good, bad, strict=True) for one in pair))
    assert results == [True, False] * 20
    assert [await store.get(Used, f"b{n}") for n in range(20)] == [None] * 20


async def test_the_store_deletes_by_an_index_over_kinds(store: Store) -> None:
    await store.commit(
        Change(
            put=(
                records.code(),
                records.refresh_token(),
                records.code("c2", "authorization-2"),
                records.session(),
            )
        )
    )
    deleted = await store.delete_by((AuthorizationCode, RefreshToken), "authorization_id", "authorization-1")
    assert deleted == 2
    assert await store.get(AuthorizationCode, "c1") is None
    assert await store.get(RefreshToken, "r1") is None
    assert await store.get(AuthorizationCode, "c2") is not None
    assert await store.delete_by((RefreshToken,), "authorization_id", "authorization-2") == 0
    assert await store.get(AuthorizationCode, "c2") is not None


async def test_the_store_sweeps_the_expired_and_only_so_many(store: Store, bench: Bench) -> None:
    ends = [bench.clock.now + n for n in range(10)]
    await store.commit(Change(put=tuple(records.session(f"s{n}", expires_at=end) for n, end in enumerate(ends))))
    await store.commit(Change(put=(records.session("s0", expires_at=records.LATER),)))
    assert await store.sweep(bench.clock.now + 5, limit=3) == 3
    assert await store.sweep(bench.clock.now + 5, limit=3) == 2
    assert await store.sweep(bench.clock.now + 5, limit=3) == 0
    assert {one.id for one in await store.find(Session, "user", "accounts\x1falice")} == {
        "s0",
        "s6",
        "s7",
        "s8",
        "s9",
    }


@pytest.mark.parametrize(
    "id", ["", " ", "ä", "e\u0301", "\u00e9", "a\0b", "a", "A", "'; DROP TABLE records; --", "x" * 4000]
)
async def test_the_store_takes_ids_byte_for_byte(store: Store, id: str) -> None:
    ids = {"ä", "a", "A", "a\0c", "e\u0301", "\u00e9", id}
    await store.commit(Change(put=tuple(records.session(one, user=one) for one in ids)))
    found = await store.get(Session, id)
    assert found is not None and found.id == id
    assert [one.id for one in await store.find(Session, "user", id)] == ([id] if id else [])
    assert await store.take(Session, id) == found
    assert await store.get(Session, id) is None
    assert all([await store.get(Session, one) for one in ids - {id}])


async def test_the_store_keeps_big_records(store: Store) -> None:
    big = records.interaction(parameters={f"p{n}": "ä" * 1000 for n in range(1000)})
    await store.commit(Change(put=(big,)))
    assert await store.get(Interaction, "i1") == big


async def test_the_store_answers_a_ping_until_it_is_closed(bench: Bench) -> None:
    store = bench.open()
    await store.ping()
    await store.close()
    await store.close()
    for asked in (
        store.ping(),
        store.get(Used, "u1"),
        store.find(Session, "user", "x"),
        store.take(Used, "u1"),
        store.commit(Change(put=(records.used(),))),
        store.delete_by((Used,), "user", "x"),
        store.sweep(0.0),
    ):
        with pytest.raises(StoreUnavailable):
            await asked


@pytest.mark.attack("CD-13", "RF-08")
async def test_a_durable_store_remembers_across_a_restart(bench: Bench) -> None:
    first = bench.open()
    await first.commit(Change(put=(records.code(), records.session(), records.used())))
    await first.take(AuthorizationCode, "c1")
    await first.close()
    second = bench.open()
    found = await second.get(Session, "s1")
    indexed = await second.find(Session, "sid", "sid-s1")
    assert (found is not None) == second.durable
    assert bool(indexed) == second.durable
    assert await second.get(AuthorizationCode, "c1") is None
    await second.close()


async def test_closing_the_store_finishes_what_was_asked(bench: Bench) -> None:
    store = bench.open()
    asked = [asyncio.ensure_future(store.commit(Change(put=(records.used(f"u{n}"),)))) for n in range(50)]
    await asyncio.sleep(0)
    await store.close()
    assert await asyncio.gather(*asked) == [True] * 50
    again = bench.open()
    if again.durable:
        assert all([await again.get(Used, f"u{n}") for n in range(50)])
    await again.close()


async def test_the_store_shows_all_of_a_kind_page_by_page(store: Store, bench: Bench) -> None:
    names = [f"s{number:02}" for number in (7, 3, 9, 1, 5)]
    put = [records.session(name, expires_at=bench.clock.now + (1 if name == "s05" else 10)) for name in names]
    await store.commit(Change(put=(*put, records.used("s04"))))
    assert [found.id for found in await store.page(Session)] == sorted(names)
    first = await store.page(Session, limit=2)
    assert [found.id for found in first] == ["s01", "s03"]
    bench.clock.now += 1
    assert [found.id for found in await store.page(Session, first[-1].id, 2)] == ["s07", "s09"]
    assert await store.page(Session, "s09") == ()
    assert await store.page(Attempts) == ()
