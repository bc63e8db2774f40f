"""OpenID Connect Core 2, 3.1.3.3, 3.1.3.6, 3.2.2.10, 3.3.2.11: what an ID Token says."""

from dataclasses import replace

import pytest

from appliance.jose.algorithms import half_hash
from appliance.jose.tokens import decode_strict, sign, verify
from appliance.protocol.authorization import ClaimsRequest
from appliance.protocol.errors import InvalidRequest
from tests.support.minting import CLIENT, ISSUER, JWT_SHOP, NOW, PROFILE, claims_of, mint

pytestmark = pytest.mark.spec("OpenID Connect Core 1.0", "2")


async def test_says_who_for_whom_and_until_when() -> None:
    op = await mint()
    answer = await op.redeem(await op.code())
    claims = claims_of(answer["id_token"])
    assert claims == {
        "iss": ISSUER,
        "sub": "alice-1",
        "aud": "web:shop",
        "exp": int(NOW) + 300,
        "iat": int(NOW),
        "nonce": "n-0S6_WzA2Mj",
        "acr": "urn:level:1",
        "amr": ["pwd"],
        "sid": "session-1",
        "at_hash": half_hash("ES256", answer["access_token"]),
    }


async def test_is_signed_by_a_published_key_that_it_names() -> None:
    op = await mint()
    token = (await op.redeem(await op.code()))["id_token"]
    verified = verify(token, op.profile.keys.verification(), algs=("ES256",), typ=frozenset({"JWT"}))
    assert verified.header["kid"] == verified.key.kid
    assert str(verified.header["kid"]).encode() in op.profile.keys.jwks


async def test_is_signed_with_the_algorithm_the_client_registered() -> None:
    entries = (*PROFILE.keys.signing, replace(PROFILE.keys.signing[0], alg="EdDSA"))
    profile = replace(PROFILE, keys=replace(PROFILE.keys, signing=entries))
    client = replace(CLIENT, id_token_signed_response_alg="EdDSA")
    op = await mint(profile=profile, clients=(client,))
    token = (await op.redeem(await op.code(client)))["id_token"]
    assert decode_strict(token).alg == "EdDSA"


@pytest.mark.spec("OpenID Connect Core 1.0", "3.3.2.11")
async def test_is_bound_to_the_code_and_token_it_comes_with() -> None:
    op = await mint()
    front = await op.front({"code", "token", "id_token"})
    assert list(front) == ["code", "access_token", "token_type", "expires_in", "scope", "id_token"]
    claims = claims_of(front["id_token"])
    assert claims["c_hash"] == half_hash("ES256", front["code"])
    assert claims["at_hash"] == half_hash("ES256", front["access_token"])
    assert claims["nonce"] == "n-0S6_WzA2Mj"
    behind = claims_of((await op.redeem(front["code"]))["id_token"])
    for name in ("iss", "sub", "aud", "nonce", "sid"):
        assert behind[name] == claims[name]


@pytest.mark.spec("FAPI 1.0 Advanced", "5.1.1")
async def test_is_bound_to_the_state_of_the_response_in_front_and_only_there() -> None:
    op = await mint()
    front = await op.front({"code", "id_token"}, state="the-state")
    assert claims_of(front["id_token"])["s_hash"] == half_hash("ES256", "the-state")
    assert "s_hash" not in claims_of((await op.redeem(front["code"]))["id_token"])


@pytest.mark.spec("OpenID Connect Core 1.0", "3.2.2.10")
async def test_has_no_hash_of_what_is_not_there() -> None:
    op = await mint()
    front = await op.front({"id_token"})
    assert list(front) == ["id_token"]
    assert not {"at_hash", "c_hash", "s_hash"} & claims_of(front["id_token"]).keys()
    assert list(await op.front({"code"})) == ["code"]
    assert "at_hash" not in claims_of((await op.front({"code", "id_token"}))["id_token"])


@pytest.mark.spec("OpenID Connect Core 1.0", "5.4")
async def test_carries_the_claims_of_scopes_only_where_no_access_token_is_issued() -> None:
    op = await mint()
    alone = claims_of((await op.front({"id_token"}))["id_token"])
    assert alone["name"] == "Alice Adams"
    for kinds in ({"code", "id_token"}, {"token", "id_token"}):
        assert "name" not in claims_of((await op.front(kinds))["id_token"])


@pytest.mark.parametrize("required", [True, False])
async def test_tells_when_the_user_authenticated_if_it_must(required: bool) -> None:
    op = await mint()
    claims = claims_of((await op.redeem(await op.code(auth_time_required=required)))["id_token"])
    assert claims.get("auth_time") == (int(NOW) - 100 if required else None)
    asked = ClaimsRequest({"auth_time": {"essential": True}}, {})
    claims = claims_of((await op.redeem(await op.code(claims=asked)))["id_token"])
    assert claims["auth_time"] == int(NOW) - 100


@pytest.mark.attack("SC-11")
async def test_lets_no_mapping_override_what_the_provider_says() -> None:
    op = await mint()
    names = ("iss", "aud", "exp", "sub", "cnf", "__class__", "")
    asked = ClaimsRequest(dict.fromkeys(names), dict.fromkeys(names))
    answer = await op.redeem(await op.code(claims=asked))
    claims = claims_of(answer["id_token"])
    assert (claims["iss"], claims["aud"], claims["sub"]) == (ISSUER, "web:shop", "alice-1")
    assert claims["exp"] == int(NOW) + 300
    seen = (await op.look(answer["access_token"])).body
    assert seen["sub"] == "alice-1"
    assert not {"iss", "aud", "exp", "cnf", "__class__", ""} & seen.keys()


async def test_carries_the_claims_that_profile_or_client_want_in_it() -> None:
    client = replace(CLIENT, op=replace(CLIENT.op, claims_in_id_token=("name",)))
    op = await mint(profile=replace(PROFILE, claims_in_id_token=("locale", "email")), clients=(client,))
    claims = claims_of((await op.redeem(await op.code(client)))["id_token"])
    assert (claims["name"], claims["locale"]) == ("Alice Adams", "fi-FI")
    # Wanted there, but of a scope that was not granted.
    assert "email" not in claims


@pytest.mark.spec("OpenID Connect Core 1.0", "3.1.2.1")
async def test_reads_its_own_id_tokens_as_hints_even_expired_ones() -> None:
    op = await mint()
    token = (await op.redeem(await op.code()))["id_token"]
    op.forward(86400)
    assert op.profile.tokens.read_id_token_hint(token)["sub"] == "alice-1"


@pytest.mark.attack("RF-10")
async def test_reads_nothing_else_as_a_hint() -> None:
    op = await mint()
    answer = await op.redeem(await op.code(JWT_SHOP), JWT_SHOP)
    other = await mint(seed=7)
    foreign = (await other.redeem(await other.code()))["id_token"]
    unsigned = "eyJhbGciOiJub25lIn0." + answer["id_token"].split(".")[1] + "."
    stranger = sign(op.profile.keys.signing(None), {"iss": "https://op.example/workforce", "sub": "x"}, "JWT")
    for hint in (stranger, answer["access_token"], answer["refresh_token"], foreign, unsigned, "", "a.b.c"):
        with pytest.raises(InvalidRequest):
            op.profile.tokens.read_id_token_hint(hint)
