"""RFC 9449: tokens bound to a key of the client, from the token request to their use."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from appliance.endpoints.introspection import IntrospectionEndpoint
from appliance.jose.keys import generate
from appliance.profile.tokens.dpop_nonces import DpopNonces
from appliance.protocol.authorization import Confirmation
from appliance.protocol.errors import UseDpopNonce
from appliance.protocol.records import RefreshToken, SharedSecret
from appliance.seams import Tools
from tests.support.minting import (
    CLIENT,
    CLIENTS,
    ISSUER,
    JWT_SHOP,
    PROFILE,
    SPA,
    answer,
    claims_of,
    mint,
    request,
)
from tests.support.proving import (
    KEY,
    NONCES,
    OTHER_KEY,
    claims_of_proof,
    jkt_of,
    look,
    proof,
    redeem,
    refresh,
    send,
    use_proof,
    with_dpop,
)

BOUND = replace(SPA, client_id="bound-spa", dpop_bound_access_tokens=True)


@pytest.mark.spec("RFC 9449", "5")
async def test_the_provider_issues_a_dpop_token_for_a_proof_and_takes_it_with_another() -> None:
    op = await mint()
    answered = await redeem(op)
    assert (answered.status, answered["token_type"]) == (200, "DPoP")
    token = answered["access_token"]
    used = await look(op, token, use_proof(KEY, op.now[0], token))
    assert (used.status, used["sub"]) == (200, "alice-1")
    assert "DPoP-Nonce" not in used.headers


@pytest.mark.spec("RFC 9449", "5")
async def test_the_provider_issues_bearer_tokens_where_nobody_asks_for_more() -> None:
    op = await mint()
    answered = await op.redeem(await op.code(SPA), SPA)
    assert answered["token_type"] == "Bearer"
    used = await look(op, answered["access_token"], scheme="Bearer")
    assert used.status == 200


@pytest.mark.spec("RFC 9449", "6.1")
@pytest.mark.spec("RFC 9449", "6.2")
async def test_the_provider_names_the_key_in_jwt_tokens_and_introspection() -> None:
    op = await mint()
    answered = await redeem(op, client=JWT_SHOP)
    assert claims_of(answered["access_token"])["cnf"] == {"jkt": jkt_of(KEY)}
    asked = request(CLIENT, now=op.now[0], token=(await redeem(op, client=CLIENT))["access_token"])
    told = await answer(IntrospectionEndpoint(op.profile), asked)
    assert told["cnf"] == {"jkt": jkt_of(KEY)}
    assert told["token_type"] == "DPoP"
    plain = await op.redeem(await op.code(JWT_SHOP), JWT_SHOP)
    assert "cnf" not in claims_of(plain["access_token"])


@pytest.mark.spec("RFC 9449", "7.1")
async def test_the_provider_refuses_a_bound_token_as_bearer_and_a_bearer_token_as_bound() -> None:
    op = await mint()
    bound, free = (await redeem(op))["access_token"], (await op.redeem(await op.code(SPA), SPA))["access_token"]
    for used in (
        await look(op, bound, scheme="Bearer"),
        await look(op, bound, use_proof(KEY, op.now[0], bound), scheme="Bearer"),
        await look(op, free, use_proof(KEY, op.now[0], free)),
    ):
        assert (used.status, used.code) == (401, "invalid_token")
    assert used.headers["WWW-Authenticate"].startswith(f'DPoP realm="{ISSUER}", error="invalid_token"')
    assert 'algs="ES256 EdDSA PS256"' in used.headers["WWW-Authenticate"]


@pytest.mark.spec("RFC 9449", "7.1")
@pytest.mark.parametrize("header", ["Bearer nothing", "Basic YTpi", ""])
async def test_the_provider_names_the_scheme_dpop_beside_the_one_that_failed(header: str) -> None:
    op = await mint()
    used = await look(op, "", headers={"authorization": (header,)})
    said = used.headers["WWW-Authenticate"]
    assert used.status == 401
    assert said.startswith(f'Bearer realm="{ISSUER}", error="invalid_token"')
    assert said.endswith(', DPoP algs="ES256 EdDSA PS256"')


@pytest.mark.spec("RFC 9449", "7.1")
async def test_the_provider_names_no_other_scheme_where_that_would_not_mend_it() -> None:
    op = await mint()
    few = (await op.redeem(await op.code(SPA, scope=("profile",)), SPA))["access_token"]
    for used in (
        await look(op, few, scheme="Bearer"),
        await look(op, few, scheme="Bearer", query="access_token=x"),
    ):
        assert used.status in (400, 403)
        assert "DPoP" not in used.headers["WWW-Authenticate"]


@pytest.mark.spec("RFC 9449", "7.1")
async def test_the_provider_challenges_in_the_schemes_that_it_takes() -> None:
    required = replace(PROFILE, dpop=replace(PROFILE.dpop, required=True))
    off = replace(PROFILE, dpop_signing_alg_values_supported=())
    for profile, expected in (
        (PROFILE, f'Bearer realm="{ISSUER}", DPoP algs="ES256 EdDSA PS256"'),
        (required, f'DPoP realm="{ISSUER}", algs="ES256 EdDSA PS256"'),
        (off, f'Bearer realm="{ISSUER}"'),
    ):
        used = await look(await mint(profile=profile), "", headers={})
        assert (used.status, used.headers["WWW-Authenticate"]) == (401, expected)
    tried = await look(await mint(profile=off), "abc")
    assert tried.status == 401
    assert tried.headers["WWW-Authenticate"].startswith("Bearer ") and "DPoP" not in tried.headers["WWW-Authenticate"]


@pytest.mark.spec("RFC 9449", "7.1")
async def test_the_provider_refuses_a_bound_token_in_a_form() -> None:
    op = await mint()
    token = (await redeem(op))["access_token"]
    headers = {"content-type": ("application/x-www-form-urlencoded",)}
    body = f"access_token={token}".encode()
    used = await look(op, token, method="POST", headers=headers, body=body)
    assert (used.status, used.code) == (401, "invalid_token")


@pytest.mark.spec("RFC 9449", "4.3")
@pytest.mark.parametrize(
    "changes",
    [{"ath": None}, {"ath": "x" * 43}, {"ath": 5}, {"htm": "POST"}, {"htu": f"{ISSUER}/token"}],
    ids=lambda changes: next(iter(changes)),
)
async def test_the_provider_refuses_a_proof_for_another_use(changes: dict[str, Any]) -> None:
    op = await mint()
    token = (await redeem(op))["access_token"]
    used = await look(op, token, use_proof(KEY, op.now[0], token, **changes))
    assert (used.status, used.code) == (401, "invalid_dpop_proof")
    assert used.headers["WWW-Authenticate"].startswith("DPoP ")


@pytest.mark.spec("RFC 9449", "7.1")
async def test_the_provider_refuses_a_token_with_somebody_elses_key_or_none() -> None:
    op = await mint()
    token = (await redeem(op))["access_token"]
    stolen = await look(op, token, use_proof(OTHER_KEY, op.now[0], token))
    assert (stolen.status, stolen.code) == (401, "invalid_token")
    bare = await look(op, token)
    assert (bare.status, bare.code) == (401, "invalid_dpop_proof")


@pytest.mark.spec("RFC 9449", "11.1")
async def test_the_provider_takes_each_proof_once_on_every_node(tmp_path: Path) -> None:
    one = await mint(database=tmp_path / "op.sqlite")
    other = await mint(database=tmp_path / "op.sqlite", seed=2)
    text = proof(KEY, one.now[0])
    answered = await redeem(one, text)
    token = answered["access_token"]
    assert (await look(other, token, use_proof(KEY, one.now[0], token))).status == 200
    assert (await look(other, token, scheme="Bearer")).status == 401
    for node in (one, other):
        again = await redeem(node, text, id=f"authorization-of-{node is one}")
        assert (again.status, again.code) == (400, "invalid_dpop_proof")
    # Another key's proof of the same name is another proof.
    claims = claims_of_proof(one.now[0], jti="same")
    assert (await redeem(one, proof(KEY, one.now[0], **claims))).status == 200
    assert (await redeem(other, proof(OTHER_KEY, one.now[0], **claims), id="a-3")).status == 200
    await one.store.close()
    await other.store.close()


@pytest.mark.spec("RFC 9449", "11.1")
async def test_the_provider_remembers_a_proof_for_as_long_as_it_counts() -> None:
    op = await mint()
    text = proof(KEY, op.now[0] + 60)
    assert (await redeem(op, text)).status == 200
    for _ in range(4):
        op.forward(30)
        again = await redeem(op, text, id=f"at-{op.now[0]}")
        assert (again.status, again.code) == (400, "invalid_dpop_proof")


@pytest.mark.spec("RFC 9449", "5")
async def test_the_provider_binds_refresh_tokens_of_public_clients_to_the_key() -> None:
    op = await mint()
    token = (await redeem(op))["refresh_token"]
    for text in (None, proof(OTHER_KEY, op.now[0])):
        refused = await refresh(op, token, text)
        assert (refused.status, refused.code) == (400, "invalid_grant")
    renewed = await refresh(op, token, proof(KEY, op.now[0]))
    assert (renewed.status, renewed["token_type"]) == (200, "DPoP")
    again = await refresh(op, renewed["refresh_token"], proof(OTHER_KEY, op.now[0]))
    assert again.code == "invalid_grant"
    assert (await refresh(op, renewed["refresh_token"], proof(KEY, op.now[0]))).status == 200


@pytest.mark.spec("RFC 9449", "5")
async def test_the_provider_does_not_bind_refresh_tokens_of_confidential_clients() -> None:
    op = await mint()
    answered = await redeem(op, client=CLIENT, confirmation=Confirmation(jkt=jkt_of(KEY)))
    renewed = await refresh(op, answered["refresh_token"], proof(OTHER_KEY, op.now[0]), CLIENT)
    assert (renewed.status, renewed["token_type"]) == (200, "DPoP")
    token = renewed["access_token"]
    assert (await look(op, token, use_proof(OTHER_KEY, op.now[0], token))).status == 200
    assert (await op.store.find(RefreshToken, "authorization_id", "authorization-1"))[
        0
    ].authorization.confirmation is None


@pytest.mark.spec("RFC 9449", "10")
async def test_the_provider_redeems_a_code_only_with_the_key_of_dpop_jkt() -> None:
    op = await mint()
    bound = {"confirmation": Confirmation(jkt=jkt_of(KEY))}
    stolen = await redeem(op, proof(OTHER_KEY, op.now[0]), **bound)
    assert (stolen.status, stolen.code) == (400, "invalid_grant")
    bare = await op.redeem(await op.code(SPA, **bound), SPA)
    assert (bare.status, bare.code) == (400, "invalid_grant")
    assert (await redeem(op, **bound)).status == 200


@pytest.mark.spec("RFC 9449", "5.2")
@pytest.mark.attack("TB-16")
async def test_the_provider_gives_no_bearer_token_to_who_must_bind() -> None:
    op = await mint(clients=(*CLIENTS, BOUND))
    refused = await op.redeem(await op.code(BOUND), BOUND)
    assert (refused.status, refused.code) == (400, "invalid_dpop_proof")
    assert (await redeem(op, client=BOUND))["token_type"] == "DPoP"
    strict = await mint(profile=with_dpop(required=True))
    for answered in (
        await strict.redeem(await strict.code(SPA), SPA),
        await strict.ask(CLIENT, grant_type="client_credentials"),
    ):
        assert (answered.status, answered.code) == (400, "invalid_dpop_proof")
    assert (await redeem(strict))["token_type"] == "DPoP"


@pytest.mark.spec("RFC 9449", "5")
async def test_the_provider_binds_whatever_the_grant_type() -> None:
    op = await mint()
    answered = await send(op, (proof(KEY, op.now[0]),), CLIENT, grant_type="client_credentials")
    assert answered["token_type"] == "DPoP"


@pytest.mark.spec("RFC 9449", "5.1")
async def test_the_provider_reads_no_proof_where_dpop_is_off() -> None:
    op = await mint(profile=replace(PROFILE, dpop_signing_alg_values_supported=()))
    answered = await redeem(op, "anything")
    assert (answered.status, answered["token_type"]) == (200, "Bearer")
    assert op.profile.sender_constraint.metadata() == {}


@pytest.mark.spec("RFC 9449", "4.3")
@pytest.mark.parametrize("alg", ["ES256", "EdDSA", "PS256"])
async def test_the_provider_takes_every_algorithm_that_it_names(alg: str) -> None:
    op = await mint()
    assert alg in op.profile.sender_constraint.metadata()["dpop_signing_alg_values_supported"]  # type: ignore[operator]
    assert (await redeem(op, proof(generate(alg), op.now[0]))).status == 200


async def nonce_of(op: Any) -> str:
    """What a request without a nonce is told to use."""
    asked = await redeem(op)
    assert (asked.status, asked.code) == (400, "use_dpop_nonce")
    assert isinstance(asked.error, UseDpopNonce)
    assert asked.error.nonce
    return asked.error.nonce


@pytest.mark.spec("RFC 9449", "8")
@pytest.mark.attack("TB-11", "TB-12")
async def test_the_provider_asks_for_a_nonce_and_takes_the_retry() -> None:
    op = await mint(profile=NONCES)
    nonce = await nonce_of(op)
    answered = await redeem(op, proof(KEY, op.now[0], nonce=nonce))
    assert answered.status == 200
    assert answered.headers["DPoP-Nonce"] == nonce
    token = answered["access_token"]
    asked = await look(op, token, use_proof(KEY, op.now[0], token))
    assert (asked.status, asked.code) == (401, "use_dpop_nonce")
    assert 'DPoP realm="' in asked.headers["WWW-Authenticate"]
    assert 'error="use_dpop_nonce"' in asked.headers["WWW-Authenticate"]
    assert asked.error is not None
    used = await look(op, token, use_proof(KEY, op.now[0], token, nonce=asked.error.nonce))
    assert (used.status, used.headers["DPoP-Nonce"]) == (200, nonce)
    # Once is not for ever.
    await nonce_of(op)


@pytest.mark.spec("RFC 9449", "8")
@pytest.mark.attack("TB-11")
async def test_the_provider_refuses_nonces_that_ended_or_are_of_others() -> None:
    op = await mint(profile=NONCES)
    nonce = await nonce_of(op)
    op.forward(300)
    assert (await redeem(op, proof(KEY, op.now[0], nonce=nonce))).status == 200
    op.forward(300)
    elsewhere = await nonce_of(await mint(profile=NONCES, seed=5))
    for text in (nonce, elsewhere, "", "é", 5, None, [await nonce_of(op)]):
        refused = await redeem(op, proof(KEY, op.now[0], nonce=text))
        assert refused.code == "use_dpop_nonce"


@pytest.mark.spec("RFC 9449", "8")
@pytest.mark.attack("TB-11")
async def test_the_provider_knows_its_nonces_on_every_node_and_after_a_restart(tmp_path: Path) -> None:
    one = await mint(profile=NONCES, database=tmp_path / "op.sqlite")
    nonce = await nonce_of(one)
    other = await mint(profile=NONCES, database=tmp_path / "op.sqlite", seed=7)
    assert (await redeem(other, proof(KEY, other.now[0], nonce=nonce))).status == 200
    await one.store.close()
    await other.store.close()
    later = await mint(profile=NONCES, database=tmp_path / "op.sqlite", seed=8)
    assert (await redeem(later, proof(KEY, later.now[0], nonce=nonce), id="a-2")).status == 200
    # A clock that is ahead gives out nonces of a time that is still to come.
    later.forward(300)
    ahead = await nonce_of(later)
    later.forward(-300)
    assert (await redeem(later, proof(KEY, later.now[0], nonce=ahead), id="a-3")).status == 200
    assert "value" not in repr(SharedSecret(id="i", issuer="i", expires_at=1, value="secret"))
    await later.store.close()


@pytest.mark.spec("RFC 9449", "8")
@pytest.mark.attack("TB-11")
async def test_the_provider_gives_each_issuer_nonces_of_its_own() -> None:
    op = await mint()
    tools = Tools(clock=lambda: op.now[0], entropy=bytes)
    nonces = [
        DpopNonces(issuer=issuer, rotation=rotation, store=op.store, tools=tools)
        for issuer, rotation in ((ISSUER, 300), (f"{ISSUER}/other", 300), (ISSUER, 600))
    ]
    given = [await each.current() for each in nonces]
    accepted = [[await each.accepts(nonce) for nonce in given] for each in nonces]
    assert accepted == [[True, False, False], [False, True, False], [False, False, True]]


@pytest.mark.spec("RFC 9449", "8")
async def test_the_provider_does_not_use_up_a_proof_or_a_code_when_it_asks_for_a_nonce() -> None:
    op = await mint(profile=NONCES)
    code = await op.code(SPA)
    parameters = {"redirect_uri": "https://rp.example/callback", "grant_type": "authorization_code", "code": code}
    parameters["code_verifier"] = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    asked = await send(op, (proof(KEY, op.now[0], jti="mine"),), **parameters)
    assert asked.error is not None
    again = proof(KEY, op.now[0], jti="mine", nonce=asked.error.nonce)
    assert (await send(op, (again,), **parameters)).status == 200
