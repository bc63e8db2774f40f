"""Requests that are checked once and for all of their shape: no answer may differ from that of a whole check."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from appliance.endpoints import request_shapes
from appliance.endpoints.authorization_reply import Refused
from appliance.endpoints.request_shapes import FEWEST, MAX_LENGTH, RequestShapes
from appliance.endpoints.visits import read_asked
from appliance.profile.profile import Profile
from appliance.protocol.errors import OAuthError
from appliance.protocol.form import Params
from tests.support.provider import provider
from tests.support.registering import REDIRECT_URI, registrar

CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

#: For each parameter, values that are well, and values that are not: whatever is asked, both ways must agree.
VALUES: dict[str, tuple[str, ...]] = {
    "response_type": ("code", "code", "code", "id_token", "code id_token", "id_token code", "none", "nothing", ""),
    "response_mode": ("query", "fragment", "form_post", "jwt", "pigeon"),
    "scope": ("openid", "openid", "openid profile", "profile", "openid offline_access", "openid unheard", "op\x7f"),
    "state": ("a", "b", "s" * 513, "s" * 8193, "ä"),
    "nonce": ("a", "b", "n" * 513, "n" * 2049),
    "code_challenge": (CHALLENGE, CHALLENGE[::-1], "short", CHALLENGE + "x", CHALLENGE[:-1] + "="),
    "code_challenge_method": ("S256", "S256", "plain"),
    "prompt": ("none", "login", "none login", "consent", "create", "nothing"),
    "max_age": ("0", "60", "soon"),
    "login_hint": ("anna", "otto", "l" * 513),
    "acr_values": ("1", "2", "1 2"),
    "ui_locales": ("fi", "de fi"),
    "claims": ('{"userinfo":{"email":null}}', '{"id_token":{"acr":{"essential":true}}}', "[]"),
    "request": ("ey.ey.ey",),
    "request_uri": ("https://rp.example/1",),
    "registration": ("{}",),
    "consent": ("1", "0"),
    "id_token_hint": ("ey.ey.ey",),
    "resource": ("https://api.example", "nowhere"),
    "unknown": ("1", "2"),
}


@asynccontextmanager
async def _profile(case: str = "minimal") -> AsyncIterator[Profile]:
    async with provider(case) as op:
        yield next(iter(op.snapshot.profiles.values()))


def _asked(profile: Profile, **more: str) -> dict[str, str]:
    client = next(each for each in profile.clients if each.redirect_uris and "code" in each.response_types)
    asked = {
        "client_id": client.client_id,
        "redirect_uri": client.redirect_uris[0],
        "response_type": "code",
        "scope": "openid",
        "state": "one",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    return {name: value for name, value in (asked | more).items() if value}


async def _outcome(reading: Any) -> object:
    """What came of it, in a form that can be compared."""
    try:
        return await reading
    except Refused as refused:
        error = refused.error
        return "client", refused.channel, type(error), error.description, error.parameter
    except OAuthError as error:
        return "user", type(error), error.description, error.parameter


@pytest.mark.spec("OpenID Connect Core", "3.1.2.2")
@pytest.mark.parametrize("case", ["minimal", "config.example", "agents", "fapi2", "rich-requests", "sign-up"])
async def test_every_request_is_judged_as_if_it_were_the_first(case: str) -> None:
    chance = random.Random(7)
    async with provider(case) as op:
        for profile in op.snapshot.profiles.values():
            shapes = RequestShapes(profile)
            good = 0
            for _ in range(400):
                more = {name: chance.choice(VALUES[name]) for name in chance.sample([*VALUES], chance.randint(0, 4))}
                asked = [*_asked(profile, **more).items()]
                if chance.random() < 0.05:
                    asked.append(chance.choice(asked))
                params = Params(asked)
                whole = await _outcome(read_asked(params, profile))
                assert await _outcome(shapes.read(params)) == whole
                assert await _outcome(shapes.read(params)) == whole
                good += isinstance(whole, tuple) and not isinstance(whole[0], str)
            # What is compared are answers of both kinds.
            assert case == "fapi2" or 20 < good < 400


@pytest.mark.spec("OpenID Connect Core", "3.1.2.1")
async def test_what_is_new_in_a_request_is_that_request_s_own() -> None:
    async with _profile() as profile:
        shapes = RequestShapes(profile)
        await shapes.read(Params(_asked(profile, nonce="n1", login_hint="anna").items()))
        asked = _asked(profile, state="two", nonce="n2", login_hint="otto", code_challenge=CHALLENGE[::-1])
        channel, read = await shapes.read(Params(asked.items()))
        assert channel.state == "two"
        assert (read.state, read.nonce, read.login_hint) == ("two", "n2", "otto")
        assert read.code_challenge == CHALLENGE[::-1]
        assert read.parameters == asked


@pytest.mark.spec("RFC 7636", "4.3")
@pytest.mark.parametrize("challenge", ["short", CHALLENGE + "x", CHALLENGE[:-1] + "+"])
async def test_a_known_shape_lets_no_bad_challenge_pass(challenge: str) -> None:
    async with _profile() as profile:
        shapes = RequestShapes(profile)
        await shapes.read(Params(_asked(profile).items()))
        with pytest.raises(Refused) as refused:
            await shapes.read(Params(_asked(profile, code_challenge=challenge).items()))
        assert refused.value.error.parameter == "code_challenge"


@pytest.mark.spec("RFC 9700", "2.1.1")
async def test_a_known_shape_is_none_without_its_challenge() -> None:
    async with _profile() as profile:
        shapes = RequestShapes(profile)
        await shapes.read(Params(_asked(profile).items()))
        asked = Params(_asked(profile, code_challenge="", code_challenge_method="").items())
        assert await _outcome(shapes.read(asked)) == await _outcome(read_asked(asked, profile))


@pytest.mark.spec("RFC 6749", "3.1")
async def test_a_parameter_sent_twice_is_refused_however_well_the_rest_is_known() -> None:
    async with _profile() as profile:
        shapes = RequestShapes(profile)
        asked = _asked(profile)
        await shapes.read(Params(asked.items()))
        with pytest.raises(Refused):
            await shapes.read(Params([*asked.items(), ("nonce", "1"), ("nonce", "2")]))


async def test_strangers_do_not_fill_the_memory() -> None:
    async with _profile() as profile:
        shapes = RequestShapes(profile)
        for number in range(FEWEST + 50):
            await shapes.read(Params(_asked(profile, ui_locales=f"x{number}").items()))
        assert len(shapes._known) == FEWEST
        await shapes.read(Params(_asked(profile, acr_values="a" * MAX_LENGTH).items()))
        assert all("a" * MAX_LENGTH not in str(shape) for shape in shapes._known)


@pytest.mark.spec("RFC 7592", "2.3")
async def test_a_client_that_may_end_at_any_time_is_looked_up_each_time() -> None:
    async with registrar() as client:
        said = await client.register()
        profile = client.op.snapshot.profiles["main"]
        shapes = RequestShapes(profile)
        asked = {**_asked(profile), "client_id": said["client_id"], "redirect_uri": REDIRECT_URI}
        assert (await shapes.read(Params(asked.items())))[0].client.client_id == said["client_id"]
        await client.manage("DELETE", said)
        with pytest.raises(OAuthError):
            await shapes.read(Params(asked.items()))


async def test_a_shape_is_checked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    checked = 0

    async def counting(params: Params, profile: Profile) -> object:
        nonlocal checked
        checked += 1
        return await read_asked(params, profile)

    monkeypatch.setattr(request_shapes, "read_asked", counting)
    async with _profile() as profile:
        shapes = RequestShapes(profile)
        for number in range(5):
            await shapes.read(Params(_asked(profile, state=f"s{number}", nonce=f"n{number}").items()))
    assert checked == 1
