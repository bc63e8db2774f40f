"""Attacks on what is issued: replays, races between processes, all that a family of tokens can go through."""

import asyncio
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from appliance.protocol.records import AccessToken, RefreshToken
from appliance.seams import Change
from tests.support.minting import CLIENT, PROFILE, Mint, mint

LONG = replace(
    PROFILE,
    ttl=replace(
        PROFILE.ttl,
        access_token=10**6,
        refresh_token=replace(PROFILE.ttl.refresh_token, idle=10**6, absolute=10**6),
    ),
)
GRACE = 10
ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.attack("CD-01", "CD-08")
async def test_parallel_redemptions_have_one_winner_whose_tokens_end_with_the_replay() -> None:
    op = await mint()
    code = await op.code()
    answers = await asyncio.gather(*(op.redeem(code) for _ in range(16)))
    winners = [answer for answer in answers if answer.status == 200]
    assert len(winners) == 1
    assert {answer.code for answer in answers if answer.status != 200} == {"invalid_grant"}
    assert (await op.look(winners[0]["access_token"])).status == 401
    assert await op.store.find(RefreshToken, "authorization_id", "authorization-1") == ()


@pytest.mark.attack("CD-01")
async def test_a_redemption_that_loses_the_race_at_the_store_revokes() -> None:
    op = await mint()
    code = await op.code()
    grant = op.profile.grant_types["authorization_code"]
    authorize, first = grant.authorize, []

    async def slow(form: Any, client: Any) -> Any:
        redeemed = await authorize(form, client)
        grant.authorize = authorize  # type: ignore[method-assign]
        first.append(await op.redeem(code))
        return redeemed

    grant.authorize = slow  # type: ignore[method-assign]
    assert (await op.redeem(code)).code == "invalid_grant"
    assert first[0].status == 200
    assert (await op.look(first[0]["access_token"])).status == 401


@pytest.mark.attack("RF-02")
@pytest.mark.parametrize("repeated", [False, True])
async def test_a_family_revoked_during_a_refresh_yields_nothing(repeated: bool) -> None:
    op = await mint()
    token = (await op.redeem(await op.code()))["refresh_token"]
    if repeated:
        await op.refresh(token)
    grant = op.profile.grant_types["refresh_token"]
    authorize = grant.authorize

    async def slow(form: Any, client: Any) -> Any:
        redeemed = await authorize(form, client)
        await op.store.delete_by((AccessToken, RefreshToken), "authorization_id", "authorization-1")
        return redeemed

    grant.authorize = slow  # type: ignore[method-assign]
    assert (await op.refresh(token)).code == "invalid_grant"
    assert await op.store.find(AccessToken, "authorization_id", "authorization-1") == ()
    assert await op.store.find(RefreshToken, "authorization_id", "authorization-1") == ()


@pytest.mark.attack("CD-12", "RF-14")
@pytest.mark.parametrize("what", ["code", "refresh"])
async def test_stores_everything_of_one_answer_in_one_step(what: str) -> None:
    op = await mint()
    code = await op.code()
    token = (await op.redeem(code))["refresh_token"] if what == "refresh" else ""
    commit, changes = op.store.commit, []

    async def counting(change: Change) -> bool:
        changes.append(change)
        return await commit(change)

    op.store.commit = counting  # type: ignore[method-assign]
    answer = await (op.refresh(token) if what == "refresh" else op.redeem(code))
    assert answer.status == 200
    (change,) = changes
    assert len(change.expect) == 1
    assert sorted(record.kind for record in change.put) == sorted(
        ["access_token", "refresh_token", "refresh_token" if what == "refresh" else "authorization_code"]
    )


_REDEEM = """
import asyncio, json, pathlib, sys
from tests.support.minting import mint

async def main():
    op = await mint(database=pathlib.Path(sys.argv[1]), seed=int(sys.argv[2]))
    print("ready", flush=True)
    sys.stdin.readline()
    answers = await asyncio.gather(*(op.redeem(sys.argv[3]) for _ in range(8)))
    print(json.dumps([answer.body.get("access_token", answer.code) for answer in answers]))
    await op.store.close()

asyncio.run(main())
"""


@pytest.mark.attack("CD-01")
async def test_one_of_two_processes_redeems_a_code(tmp_path: Path) -> None:
    database = tmp_path / "state.db"
    op = await mint(database=database)
    code = await op.code()
    processes = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", _REDEEM, str(database), str(seed), code),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            cwd=ROOT,
        )
        for seed in (2, 3)
    ]
    for process in processes:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
    told = await asyncio.gather(*(process.communicate(b"\n") for process in processes))
    answers = [outcome for out, _ in told for outcome in json.loads(out)]
    winners = [outcome for outcome in answers if outcome != "invalid_grant"]
    assert len(answers) == 16
    assert len(winners) == 1
    assert winners[0].startswith("op_at_")
    assert (await op.look(winners[0])).status == 401
    await op.store.close()


class Families(RuleBasedStateMachine):
    """One authorization through any order of redemptions, refreshes, repeats and waits."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.op: Mint = self.runner.run(mint(profile=LONG))
        self.code = self.runner.run(self.op.code())
        self.line: list[str] = []
        self.rotated_at: list[float] = []
        self.access: list[str] = []
        self.alive = False

    def teardown(self) -> None:
        self.runner.close()

    @rule()
    def redeem(self) -> None:
        """The first time gives tokens, every later time takes all of them."""
        answer = self.runner.run(self.op.redeem(self.code))
        if self.line:
            assert answer.code == "invalid_grant"
            self.alive = False
            return
        self.line, self.alive = [answer["refresh_token"]], True
        self.access.append(answer["access_token"])

    @precondition(lambda self: bool(self.line))
    @rule(back=st.integers(0, 3), narrow=st.booleans())
    def refresh(self, back: int, narrow: bool) -> None:
        """The newest token rotates, its predecessor has its grace, anything older ends it all."""
        index = max(len(self.line) - 1 - back, 0)
        newest = index == len(self.line) - 1
        recent = index == len(self.line) - 2 and self.op.now[0] - self.rotated_at[index] < GRACE
        parameters = {"scope": "openid"} if narrow else {}
        answer = self.runner.run(self.op.refresh(self.line[index], **parameters))
        if not self.alive or not (newest or recent):
            assert answer.code == "invalid_grant"
            self.alive = False
            return
        assert answer.status == 200
        self.access.append(answer["access_token"])
        if newest:
            self.line.append(answer["refresh_token"])
            self.rotated_at.append(self.op.now[0])
        else:
            assert answer["refresh_token"] == self.line[-1]

    @precondition(lambda self: bool(self.line))
    @rule()
    def ask_too_much(self) -> None:
        """A refusal for the scope changes nothing."""
        answer = self.runner.run(self.op.refresh(self.line[-1], scope="openid email"))
        assert answer.code == ("invalid_scope" if self.alive else "invalid_grant")

    @rule(seconds=st.sampled_from([1, 4, 11]))
    def wait(self, seconds: int) -> None:
        """Time passes."""
        if self.line:
            self.op.forward(seconds)

    @invariant()
    def one_live_branch_or_none(self) -> None:
        """What is live in the store is what the model says."""
        find = self.op.store.find(RefreshToken, "authorization_id", "authorization-1")
        live = [token for token in self.runner.run(find) if not token.rotated_at]
        assert len(live) == int(self.alive)
        for token in self.access[-2:]:
            status = self.runner.run(self.op.look(token)).status
            assert status == (200 if self.alive else 401)


Families.TestCase.settings = settings(max_examples=40, stateful_step_count=15, deadline=None)
TestFamilies = pytest.mark.attack("RF-02", "RF-15", "CD-01")(Families.TestCase)


@pytest.mark.attack("CA-13")
def test_compares_secrets_of_any_length_and_content_by_digest() -> None:
    for wrong in (b"", b"c", b"\xff" * 9000, CLIENT.client_secrets[0].secret.value[:-1]):
        assert not CLIENT.has_secret(wrong, 0)
    assert CLIENT.has_secret(CLIENT.client_secrets[0].secret.value, 0)


@pytest.mark.attack("HD-01")
async def test_nothing_with_a_token_or_claim_may_be_stored_by_caches() -> None:
    op = await mint()
    answer = await op.redeem(await op.code())
    for response in (answer, await op.look(answer["access_token"])):
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["Pragma"] == "no-cache"
