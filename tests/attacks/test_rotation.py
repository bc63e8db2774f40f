"""Faults between nodes and over time: keys that change under load, nodes of two configurations on one store."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from appliance.endpoints.discovery import MAX_AGE
from appliance.jose.public_keys import import_set, verification_keys
from appliance.jose.tokens import verify
from tests.support.browser import answer
from tests.support.provider import ROOT, Provider, provider
from tests.support.relying import RelyingParty, claims_of
from tests.support.two_issuers import configuration, party, profile

DAY = 86400
ALGS = ("ES256", "EdDSA")


@pytest.mark.attack("JW-10")
@pytest.mark.spec("OpenID Connect Core", "10.1.1")
async def test_a_new_key_signs_nothing_before_every_cache_has_it_and_an_old_one_stays() -> None:
    async with provider("minimal", edit=configuration()) as op:
        keys = op.snapshot.profiles["a"].keys
        rp = party(op, "web", "a")
        # From before the publication of the second key to after its use, a round of maintenance every 12 hours.
        op.clock.forward(80 * DAY)
        refresh_token = (await rp.tokens("anna"))["refresh_token"]
        cached: list[tuple[float, Any]] = []
        alive: list[tuple[float, str]] = []
        signed_by: set[str] = set()
        for _ in range(30):
            document = (await rp.send("GET", "/jwks")).body
            cached.append((op.clock() + MAX_AGE, document))
            _, answers = await asyncio.gather(keys.refresh(), tokens(rp, refresh_token, 3))
            refresh_token = answers[0]["refresh_token"]
            issued = [given["id_token"] for given in answers]
            signed_by |= {header_of(token)["kid"] for token in issued}
            alive += [(claims_of(token)["exp"], token) for token in issued]
            for step in (0, MAX_AGE // 2, MAX_AGE // 2 - 1):
                op.clock.forward(step)
                alive = [(until, token) for until, token in alive if until > op.clock()]
                for until, document in cached:
                    if until > op.clock():
                        check_all(op, document, [token for _, token in alive])
            op.clock.forward(DAY / 2 - MAX_AGE)
        assert len(signed_by) == 2, "both keys were used"
        assert len(json.loads(keys.jwks)["keys"]) == 1, "the first one is gone"


async def tokens(rp: RelyingParty, refresh_token: str, count: int) -> list[Any]:
    """One refresh, and its repetitions by nodes that did not get the answer."""
    asked = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    answers = await asyncio.gather(*(rp.token(**asked) for _ in range(count)))
    assert {given.status for given in answers} == {200}
    return list(answers)


def header_of(token: str) -> dict[str, Any]:
    """The header of a JWT."""
    return dict(claims_of(f".{token.partition('.')[0]}."))


def check_all(op: Provider, document: Any, signed: Sequence[str]) -> None:
    """All of them verify with a key set that a relying party keeps."""
    published = verification_keys(import_set(document), ALGS)
    for token in signed:
        verify(token, published, algs=ALGS, typ=frozenset({"JWT"}))


@asynccontextmanager
async def replicas(scratch: Path, *versions: dict[str, str]) -> AsyncIterator[list[Provider]]:
    """Nodes of one store, each with its own version of the configuration."""
    state = scratch / "state"
    state.mkdir()
    minimal = ROOT / "tests" / "config" / "accepted" / "minimal"
    nodes = []
    for number, files in enumerate(versions):
        directory = scratch / f"version-{number}"
        whole = {str(path.relative_to(minimal)): path.read_text() for path in minimal.rglob("*.yaml")} | files
        for name, text in whole.items():
            if text:
                (directory / name).parent.mkdir(parents=True, exist_ok=True)
                (directory / name).write_text(f"{text}\n")
        node = Provider(directory, state, number)
        await node.load()
        if nodes:
            node.clock = nodes[0].clock
        nodes.append(node)
    try:
        yield nodes
        assert [node.report.failures for node in nodes] == [[] for _ in nodes]
    finally:
        for node in nodes:
            await node.close()


def versions() -> tuple[dict[str, str], dict[str, str]]:
    """A configuration and the next: another first key, other lifetimes, a scope and a level less, a client more."""
    stored = json.dumps({"version": 1, "name": "two", "storage": {"kind": "sqlite", "path": "op.sqlite"}})
    old = configuration() | {"op.yaml": stored}
    changes = {
        "keys": {"signing": [{"alg": "EdDSA"}, {"alg": "ES256"}]},
        "ttl": {"access_token": "5m", "id_token": "2m"},
        "acr": [{"value": "urn:example:acr:1", "policy": "password"}],
        "scopes": {"openid": {}, "profile": {"claims": ["name"]}, "offline_access": {}, "reports.read": {}},
        "title": "The next one",
    }
    more = {"client_id": "more-a", "redirect_uris": ["https://more.example/cb"], "token_endpoint_auth_method": "none"}
    clients = json.loads(old["clients/a.yaml"])["clients"]
    for client in clients.values():
        if "scope" in client:
            client["scope"] = client["scope"].replace(" email", "")
        client["id_token_signed_response_alg"] = "ES256"
    clients["spa-a"].pop("id_token_signed_response_alg")
    for name in ("mac-a", "machine-a"):
        clients[name].pop("id_token_signed_response_alg")
    new = old | {
        "profiles/a.yaml": profile("a", **changes),
        "clients/a.yaml": json.dumps({"clients": clients}),
        "clients/more.yaml": json.dumps({**more, "op": {"profile": "a"}}),
    }
    return old, new


@pytest.mark.attack("CF-20")
@pytest.mark.parametrize("first", [0, 1])
async def test_nodes_of_two_versions_take_what_the_other_made(tmp_path: Path, first: int) -> None:
    async with replicas(tmp_path, *versions()) as nodes:
        one, other = nodes[first], nodes[1 - first]
        here, there = party(one, "web", "a"), party(other, "web", "a")
        there.browser.cookies = here.browser.cookies
        # A login that begins at one node and ends at the other.
        page = await here.ask(scope="openid profile email")
        landed = answer(await there.through(await there.browser.visit(here.browser.path), "anna"))
        # A code of either at the other, and the session for a silent answer.
        given = await here.redeem(landed["code"])
        assert given.status == 200, (page.status, given)
        silent = await there.tokens("anna", prompt="none", scope="openid profile")
        assert silent.status == 200 and there.seen == ["login", "consent"]
        for token in (given, silent):
            for rp in (here, there):
                assert (await rp.userinfo(token["access_token"])).status == 200
        again = await there.token(grant_type="refresh_token", refresh_token=given["refresh_token"])
        assert again.status == 200
        # A replay at the other node is one.
        assert (await there.redeem(landed["code"])).error == "invalid_grant"
        assert (await here.userinfo(given["access_token"])).status == 401


@pytest.mark.attack("CF-20")
async def test_each_node_publishes_the_keys_of_both(tmp_path: Path) -> None:
    async with replicas(tmp_path, *versions()) as nodes:
        for _ in range(2):
            for node in nodes:
                for issuer in node.snapshot.profiles.values():
                    await issuer.keys.refresh()
        signed = []
        for node in nodes:
            for kind in ("web", "spa"):
                signed.append((await party(node, kind, "a").tokens("anna"))["id_token"])
        assert {header_of(token)["alg"] for token in signed} == {"ES256", "EdDSA"}
        for node in nodes:
            document = (await party(node, "web", "a").send("GET", "/jwks")).body
            check_all(node, document, signed)
