"""Attacks on the authorization endpoint and its pages, by the ids of the list of attacks."""

from dataclasses import replace
from urllib.parse import quote

import pytest

from appliance.protocol.form import encode
from appliance.protocol.records import AuthorizationCode, Consent, Interaction, Session
from tests.support.browsing import (
    HYBRID,
    LEVEL_2,
    NATIVE,
    OFF,
    OWN,
    PROFILE,
    SHOP,
    SPA,
    Browser,
    Landed,
    address,
    house,
)
from tests.support.minting import CHALLENGE, REDIRECT_URI


def refused_on_a_page(end: Landed) -> bool:
    """An error page and no way out to anywhere."""
    headers = dict(end.response.headers)
    return end.page.template == "error.html" and end.reply.status in (400, 403) and "Location" not in headers


def refused_to_client(end: Landed, error: str) -> bool:
    """An error at the registered address, with state and iss, without anything issued."""
    return (
        end.location.startswith(REDIRECT_URI)
        and end.error == error
        and end["iss"] == "https://op.example/retail"
        and end.parameters.keys() <= {"error", "error_description", "state", "iss"}
        and end["error_description"].isascii()
    )


@pytest.mark.attack("RU-02", "RU-03", "RU-05", "RU-06", "RU-08", "RU-10", "RU-11", "RU-12", "RU-14", "RU-19", "RU-20")
@pytest.mark.attack("RU-18", "RU-21", "RU-28")
@pytest.mark.parametrize(
    "uri",
    [
        REDIRECT_URI + "/evil",
        REDIRECT_URI + "?foo=bar",
        "https://rp.example@evil.example/callback",
        "https://rp.example%5C@evil.example/callback",
        "https://rp.example\\@evil.example/callback",
        "HTTPS://RP.EXAMPLE/callback",
        "https://rp.example/CALLBACK",
        "https://rp.example/%63allback",
        REDIRECT_URI + "%252f..%252fevil",
        REDIRECT_URI + "/..;/evil",
        REDIRECT_URI + "#f",
        REDIRECT_URI + "%23f",
        REDIRECT_URI + "#",
        "",
        None,
        "/callback",
        "//rp.example/callback",
        " " + REDIRECT_URI,
        REDIRECT_URI + " ",
        REDIRECT_URI + "\0",
        REDIRECT_URI + "a" * 7000,
        "http://127.0.0.1:51004/cb",
    ],
)
async def test_never_leaves_for_an_unregistered_address(uri: str | None) -> None:
    op = await house()
    assert refused_on_a_page(await op.browser().authorize(redirect_uri=uri))
    assert refused_on_a_page(await op.browser().authorize(SPA, redirect_uri=uri))


@pytest.mark.attack("RU-04")
@pytest.mark.parametrize(
    "uri", ["https://rp.example/q?a=%2F&b=x", "https://rp.example/q", "https://rp.example/q?a=/&b=%20+"]
)
async def test_compares_the_registered_query_too(uri: str) -> None:
    assert refused_on_a_page(await (await house()).browser().authorize(HYBRID, redirect_uri=uri))


@pytest.mark.attack("RU-37")
async def test_keeps_the_registered_query_to_the_byte() -> None:
    op = await house()
    browser = op.browser()
    end = await browser.through(await browser.authorize(HYBRID, redirect_uri=HYBRID.redirect_uris[1]))
    assert end.location.startswith("https://rp.example/q?a=%2F&b=%20+&code=")


@pytest.mark.attack("RU-17", "RT-05")
async def test_refuses_repeated_parameters() -> None:
    op = await house()
    browser = op.browser()
    await browser.through(await browser.authorize())
    evil = "&redirect_uri=" + quote("https://evil.example/cb", safe="")
    assert refused_on_a_page(await browser.get(address() + evil))
    assert refused_on_a_page(
        await browser.get(address(redirect_uri=None) + evil + "&redirect_uri=" + quote(REDIRECT_URI))
    )
    assert refused_on_a_page(await browser.get(address() + "&client_id=own"))
    for repeated in ("response_type=token", "scope=openid", "nonce=2", "unknown=1&unknown=2"):
        assert refused_to_client(await browser.get(address() + "&" + repeated), "invalid_request")
    assert "state" not in await browser.get(address() + "&state=2")


@pytest.mark.attack("RU-38")
async def test_does_not_tell_an_unknown_client_from_a_wrong_address() -> None:
    op = await house()
    unknown = await op.browser().authorize(replace(SHOP, client_id="nobody"))
    wrong = await op.browser().authorize(redirect_uri="https://evil.example/")
    disabled = await op.browser().authorize(OFF)
    assert refused_on_a_page(unknown)
    assert unknown.reply == wrong.reply == disabled.reply


@pytest.mark.attack("RU-23", "RU-26", "RU-27", "RU-29")
@pytest.mark.spec("RFC 8252", "7.3")
@pytest.mark.parametrize(
    "uri",
    [
        "http://localhost:51004/cb",
        "http://127.1:51004/cb",
        "http://0x7f000001:51004/cb",
        "http://2130706433:51004/cb",
        "http://[::ffff:127.0.0.1]:51004/cb",
        "http://127.0.0.1:0/cb",
        "http://127.0.0.1:65536/cb",
        "http://127.0.0.1:\u0668\u0660/cb",
        "http://127.0.0.1:-1/cb",
        "http://127.0.0.1:/cb",
        "http://127.0.0.1:080/cb",
        "http://127.0.0.1:1234/cb/x",
        "http://127.0.0.1:1@evil.example/cb",
        "https://127.0.0.1:1234/cb",
        "http://127.0.0.1:1234/cb?x",
        "com.example.app://cb",
        "COM.EXAMPLE.APP:/cb",
        "com.example.app:/cb/x",
    ],
)
async def test_keeps_native_addresses_exact_but_for_the_port(uri: str) -> None:
    op = await house()
    assert refused_on_a_page(await op.browser().authorize(NATIVE, redirect_uri=uri))


@pytest.mark.spec("RFC 8252", "7.3")
@pytest.mark.parametrize(
    "uri", ["http://127.0.0.1/cb", "http://127.0.0.1:51004/cb", "http://127.0.0.1:65535/cb", "com.example.app:/cb"]
)
async def test_answers_native_apps_at_any_port(uri: str) -> None:
    op = await house()
    browser = op.browser()
    end = await browser.through(await browser.authorize(NATIVE, redirect_uri=uri))
    assert end.location.startswith(uri + "?code=")


@pytest.mark.attack("RT-01", "RT-02", "RT-03", "RT-04", "RT-07", "RT-09", "RT-10")
@pytest.mark.parametrize(
    ("changes", "error", "separator"),
    [
        ({"response_type": None}, "invalid_request", "?"),
        ({"response_type": "code code"}, "unsupported_response_type", "?"),
        ({"response_type": "code  id_token"}, "unsupported_response_type", "?"),
        ({"response_type": "CODE"}, "unsupported_response_type", "?"),
        ({"response_type": "foo"}, "unsupported_response_type", "?"),
        ({"response_type": "token"}, "unsupported_response_type", "#"),
        ({"response_type": "none"}, "unauthorized_client", "?"),
        ({"response_type": "code id_token"}, "unauthorized_client", "#"),
        ({"response_mode": "foo"}, "invalid_request", "?"),
        ({"response_mode": "web_message"}, "invalid_request", "?"),
        ({"response_mode": "query.jwt"}, "invalid_request", "?"),
    ],
)
async def test_refuses_response_types_and_modes(changes: dict[str, str | None], error: str, separator: str) -> None:
    end = await (await house()).browser().authorize(**changes)
    assert refused_to_client(end, error) and end.location.startswith(REDIRECT_URI + separator)


@pytest.mark.attack("RT-10", "RT-08", "RT-12")
async def test_never_carries_tokens_in_the_query() -> None:
    op = await house()
    browser = op.browser()
    end = await browser.authorize(HYBRID, response_type="code id_token", nonce=None)
    assert refused_to_client(end, "invalid_request") and "#" in end.location
    end = await browser.authorize(HYBRID, response_type="code id_token", response_mode="query")
    assert refused_to_client(end, "invalid_request") and "#" in end.location
    only = await house(profile=replace(PROFILE, response_modes_supported=("form_post",)))
    end = await only.browser().authorize(response_mode="query")
    assert end.page.template == "form_post.html" and end.error == "invalid_request"


@pytest.mark.attack("PK-02", "PK-06", "PK-08")
@pytest.mark.spec("RFC 7636", "4.4.1")
@pytest.mark.parametrize(
    "changes",
    [
        {"code_challenge_method": "plain"},
        {"code_challenge_method": None},
        {"code_challenge_method": "s256"},
        {"code_challenge_method": "SHA256"},
        {"code_challenge_method": "S512"},
        {"code_challenge": CHALLENGE[:-1]},
        {"code_challenge": "A" * 129},
        {"code_challenge": CHALLENGE + "="},
        {"code_challenge": "+" + CHALLENGE[1:]},
        {"code_challenge": "/" + CHALLENGE[1:]},
        {"code_challenge": "." + CHALLENGE[1:]},
        {"code_challenge": None},
    ],
)
async def test_takes_s256_challenges_alone(changes: dict[str, str | None]) -> None:
    op = await house()
    assert refused_to_client(await op.browser().authorize(**changes), "invalid_request")
    assert refused_to_client(await op.browser().authorize(SPA, **changes), "invalid_request")


@pytest.mark.spec("RFC 9700", "2.1.1")
async def test_requires_pkce_of_public_clients_and_where_it_is_declared() -> None:
    without = {"code_challenge": None, "code_challenge_method": None}
    op = await house()
    assert refused_to_client(await op.browser().authorize(SPA, **without), "invalid_request")
    assert (await op.browser().authorize(**without)).page.template == "login.html"
    strict = await house(profile=replace(PROFILE, require_pkce=True))
    assert refused_to_client(await strict.browser().authorize(**without), "invalid_request")


@pytest.mark.attack("AZ-07", "AZ-10", "AZ-16", "AZ-23", "AZ-24", "SC-01")
@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"max_age": "-1"}, "invalid_request"),
        ({"max_age": "1e9999"}, "invalid_request"),
        ({"max_age": "abc"}, "invalid_request"),
        ({"max_age": "9" * 22}, "invalid_request"),
        ({"max_age": "\u0663"}, "invalid_request"),
        ({"max_age": "+5"}, "invalid_request"),
        ({"prompt": "foo"}, "invalid_request"),
        ({"prompt": "create"}, "invalid_request"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"scope": 'openid "'}, "invalid_scope"),
        ({"scope": "openid \\"}, "invalid_scope"),
        ({"scope": "openid \x01"}, "invalid_scope"),
        ({"scope": "openid \u00e4"}, "invalid_scope"),
        ({"scope": "openid " + "s " * 5000}, "invalid_request"),
        ({"scope": "openid " + " ".join(f"s{n}" for n in range(300))}, "invalid_scope"),
        ({"login_hint": "x" * 60000}, "invalid_request"),
        ({"request": "e30.e30."}, "request_not_supported"),
        ({"request_uri": "https://rp.example/r"}, "request_uri_not_supported"),
        ({"registration": "{}"}, "registration_not_supported"),
        ({"authorization_details": '[{"type":"x"}]'}, "invalid_authorization_details"),
        ({"id_token_hint": "rubbish"}, "invalid_request"),
    ],
)
async def test_refuses_malformed_parameters(changes: dict[str, str], error: str) -> None:
    assert refused_to_client(await (await house()).browser().authorize(**changes), error)


@pytest.mark.attack("SC-07")
@pytest.mark.parametrize(
    "claims",
    [
        "x",
        "[]",
        '{"id_token":[]}',
        '{"userinfo":{"name":5}}',
        '{"id_token":{"sub":{"value":["a"]}}}',
        '{"id_token":{"acr":{"values":"1"}}}',
        '{"id_token":{"acr":{"values":[]}}}',
        '{"id_token":{"acr":{"essential":"yes"}}}',
        '{"id_token":{"sub":{"value":null}}}',
        '{"userinfo":{"a":{"value":{}}}}',
        "[" * 5000,
        '{"id_token":{},"id_token":{}}',
    ],
)
async def test_refuses_claims_requests_of_the_wrong_shape(claims: str) -> None:
    assert refused_to_client(await (await house()).browser().authorize(claims=claims), "invalid_request")


@pytest.mark.attack("SC-02", "SC-09", "SC-11")
async def test_leaves_out_or_refuses_what_is_not_the_client_s() -> None:
    op = await house()
    browser = op.browser()
    claims = '{"userinfo": {"tier": null, "iss": null, "__class__": null, "": null, "name": null}}'
    end = await browser.through(await browser.authorize(OWN, scope="openid loyalty nonsense", claims=claims))
    answer = await op.redeem(end["code"], OWN)
    assert answer["scope"] == "openid"
    assert (await op.mint.look(answer["access_token"])).body == {"sub": "alice-1", "name": "Alice Adams"}
    strict = await house(profile=replace(PROFILE, unknown_scopes="reject", claims_parameter_unmapped="reject"))
    assert refused_to_client(await strict.browser().authorize(OWN, scope="openid loyalty"), "invalid_scope")
    assert refused_to_client(
        await strict.browser().authorize(OWN, claims='{"userinfo":{"tier":null}}'), "invalid_request"
    )
    assert (await strict.browser().authorize(OWN, claims='{"userinfo":{"name":null}}')).page.template == "login.html"


@pytest.mark.attack("SC-10")
async def test_never_labels_one_user_as_another() -> None:
    op = await house()
    browser = op.browser()
    await browser.through(await browser.authorize(OWN))
    claims = '{"id_token": {"sub": {"value": "bob-1"}}}'
    assert refused_to_client(await browser.authorize(OWN, claims=claims, prompt="none"), "login_required")
    login = await browser.authorize(OWN, claims=claims)
    assert refused_to_client(await browser.login(login, "alice"), "login_required")
    end = await browser.login(await browser.authorize(OWN, claims=claims), "bob")
    assert (await op.claims(end, OWN))["sub"] == "bob-1"
    # Both sessions live: the one asked for answers, whichever is current.
    claims = '{"id_token": {"sub": {"value": "alice-1"}}}'
    assert (await op.claims(await browser.authorize(OWN, claims=claims, prompt="none"), OWN))["sub"] == "alice-1"


@pytest.mark.attack("AZ-03", "XS-05", "MX-01")
@pytest.mark.parametrize("state", ['"><script>', "a\r\nSet-Cookie:x=1", "\U0001f600\u2028", "a" * 3500, "%00+&=#"])
@pytest.mark.parametrize("mode", ["query", "fragment", "form_post"])
async def test_echoes_state_to_the_byte(state: str, mode: str) -> None:
    op = await house()
    browser = op.browser()
    for changes in ({"prompt": "none"}, {}):
        end = await browser.through(await browser.authorize(OWN, state=state, response_mode=mode, **changes))
        assert end["state"] == state and end["iss"] == op.profile.issuer and ("code" in end) is (changes == {})
        assert not set("\r\n") & set("".join(value for _, value in end.response.headers))
        assert ("Cache-Control", "no-store") in end.response.headers
        if mode == "form_post":
            assert end.page.redirect_uri == REDIRECT_URI and end.reply.form_action == ("https://rp.example",)
            assert end.reply.profile == "retail" and end.reply.client == OWN


@pytest.mark.attack("AZ-03")
async def test_refuses_state_that_it_could_not_echo() -> None:
    op = await house()
    assert refused_on_a_page(await op.browser().get(address(state="\0")))
    assert refused_on_a_page(await op.browser().authorize(state="a" * 9000))


@pytest.mark.attack("AZ-15", "AZ-16")
async def test_reads_parameters_from_one_place() -> None:
    op = await house()
    browser = op.browser()
    body = encode({"redirect_uri": REDIRECT_URI, "response_type": "code", "scope": "openid"}.items())
    assert refused_on_a_page(await browser.follow(await browser.send("POST", "/retail/authorize?client_id=shop", body)))
    no_form = await browser.send("POST", address())
    assert no_form.page is not None and no_form.page.status == 400
    assert refused_on_a_page(await browser.get("/retail/authorize?client_id=shop"))
    assert refused_on_a_page(await browser.get("/retail/authorize"))
    assert refused_on_a_page(await browser.get(address() + "&" + "&".join(f"u{n}=1" for n in range(2000))))
    assert refused_on_a_page(await browser.get(address() + "&%zz=1"))
    assert (await browser.get(address() + "&u=" + "x" * 6000)).page.template == "login.html"


@pytest.mark.attack("AZ-17", "AZ-18")
async def test_goes_by_its_own_record_of_the_request() -> None:
    op = await house()
    browser = op.browser()
    login = await browser.get(address(scope="openid") + "&approved=true&sub=admin&scope_granted=email&session_id=1")
    consent = await browser.login(login)
    end = await browser.submit(
        consent,
        decision="allow",
        scope="openid email",
        client_id="own",
        redirect_uri="https://evil.example",
        approved="true",
    )
    assert end.location.startswith(REDIRECT_URI) and (await op.redeem(end["code"]))["scope"] == "openid"


@pytest.mark.attack("AZ-19", "AZ-20")
async def test_binds_an_interaction_to_its_browser() -> None:
    op = await house()
    alice, bob = op.browser(), op.browser()
    login = await alice.authorize()
    await bob.through(await bob.authorize(), "bob")
    for other in (op.browser(), bob):
        for path in ("login", "authorize/resume", "consent", "accounts", "otp"):
            end = await other.get(f"/retail/{path}?{login.location.partition('?')[2]}")
            assert (
                refused_on_a_page(end) and end.page.message == "other_browser" and end.page.restart == SHOP.client_uri
            )
        assert refused_on_a_page(await other.login(login))
    assert "code" in await alice.through(login)
    for unknown in ("", "1", "A" * 49, login.location.partition("=")[2][:-1]):
        end = await alice.get(f"/retail/authorize/resume?interaction={unknown}")
        assert refused_on_a_page(end) and end.page.message == "expired"


@pytest.mark.attack("AZ-21")
async def test_keeps_two_tabs_apart() -> None:
    op = await house()
    browser = op.browser()
    one = await browser.authorize(nonce="one", scope="openid")
    two = await browser.authorize(OWN, nonce="two", scope="openid email")
    # The second tab's form with the first tab's field is of another purpose.
    assert refused_on_a_page(await browser.submit(two, csrf=one.reply.csrf, username="alice", password="alice"))
    second = await browser.through(two)
    first = await browser.through(await browser.get(one.location))
    assert (await op.claims(second, OWN))["nonce"] == "two"
    assert (await op.claims(first))["nonce"] == "one"


@pytest.mark.attack("AZ-08")
async def test_gives_nothing_for_an_aborted_new_login() -> None:
    op = await house()
    browser = op.browser()
    await browser.through(await browser.authorize(OWN))
    op.forward(2)
    login = await browser.authorize(OWN, max_age="1")
    resumed = await browser.get("/retail/authorize/resume?" + login.location.partition("?")[2])
    assert resumed.page.template == "login.html"
    op.forward(100)
    claims = await op.claims(await browser.login(resumed), OWN)
    assert claims["auth_time"] == int(op.mint.now[0])


@pytest.mark.attack("SE-01", "SE-03")
async def test_makes_a_new_handle_with_every_authentication() -> None:
    op = await house()
    browser = op.browser()
    name = op.profile.sessions.session_cookie
    assert name.startswith("__Host-")
    login = await browser.authorize(OWN)
    assert name not in browser.cookies
    seen = []
    await browser.through(login)
    seen.append(browser.cookies[name])
    await browser.through(await browser.authorize(OWN, acr_values=LEVEL_2))
    seen.append(browser.cookies[name])
    await browser.through(await browser.authorize(OWN, prompt="login"))
    seen.append(browser.cookies[name])
    assert len(set(seen)) == 3
    for old in seen[:-1]:
        thief = op.browser()
        thief.cookies[name] = old
        assert (await thief.authorize(OWN, prompt="none")).error == "login_required"
    answer = await op.browser().send("GET", address(OWN))
    (cookie,) = answer.cookies
    assert cookie.secure and cookie.http_only and cookie.same_site == "Lax" and cookie.max_age is None


@pytest.mark.attack("SE-02", "SE-04")
async def test_counts_planted_and_broken_cookies_as_none() -> None:
    op = await house()
    browser = op.browser()
    await browser.through(await browser.authorize(OWN))
    name = op.profile.sessions.session_cookie
    good = browser.cookies[name]
    flipped = good[:-1] + ("A" if good[-1] != "A" else "B")
    for header in (
        f"{name}={good}; {name}={good}",
        f"{name}={flipped}",
        f"{name}={good[:-1]}",
        f"{name}=" + "x" * 9000,
        f"{name}=.",
    ):
        browser = op.browser()
        browser.headers = {"cookie": (header,)}
        assert (await browser.authorize(OWN, prompt="none")).error == "login_required"
        cleared = await browser.send("GET", address(OWN))
        assert [cookie.max_age for cookie in cleared.cookies if cookie.name == name] == [0]


@pytest.mark.attack("SE-04")
async def test_ends_sessions_at_their_time() -> None:
    op = await house()
    browser = op.browser()
    await browser.through(await browser.authorize(OWN))
    for _ in range(10):
        op.forward(3500)
        assert "code" in await browser.authorize(OWN, prompt="none")
    op.forward(1001)  # the absolute life is over though the session was in use
    assert (await browser.authorize(OWN, prompt="none")).error == "login_required"
    await browser.through(await browser.authorize(OWN))
    op.forward(3601)
    assert (await browser.authorize(OWN, prompt="none")).error == "login_required"


@pytest.mark.attack("SE-05", "SE-06", "SE-07")
@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"sec_fetch_site": "cross-site", "origin": "null"},
        {"sec_fetch_site": "same-site"},
        {"origin": "https://op.example.evil.example"},
        {"origin": "http://op.example"},
    ],
)
async def test_refuses_forms_of_other_sites(headers: dict[str, str]) -> None:
    op = await house()
    browser = op.browser()
    login = await browser.authorize()
    assert refused_on_a_page(await browser.submit(login, headers=headers, username="alice", password="alice"))
    consent = await browser.login(login)
    end = await browser.submit(consent, headers=headers, decision="allow")
    assert refused_on_a_page(end) and end.reply.status == 403
    assert (await browser.get(consent.location)).page.template == "consent.html"
    # Our own pages send no referrer, so a browser's own post has the origin "null".
    assert "code" in await browser.submit(
        consent, headers={"origin": "null", "sec_fetch_site": "same-origin"}, decision="allow"
    )


@pytest.mark.attack("SE-07", "SE-11")
async def test_takes_an_anti_forgery_field_once_and_from_its_own_browser() -> None:
    op = await house()
    browser, other = op.browser(), op.browser()
    login, others = await browser.authorize(), await other.authorize()
    for csrf in ("", "x", others.reply.csrf, "\u00e9"):
        end = await browser.submit(login, csrf=csrf, username="alice", password="alice")
        assert refused_on_a_page(end) and end.reply.status == 403 and end.page.restart == login.location
    consent = await browser.login(login)
    assert "code" in await browser.submit(consent, decision="allow")
    codes = len(await op.store.find(AuthorizationCode, "user_client", _user_client(op.profile.issuer)))
    again = await browser.submit(consent, decision="allow")
    assert refused_on_a_page(again) and again.page.message == "expired"
    assert refused_on_a_page(await browser.submit(login, username="alice", password="alice"))
    assert len(await op.store.find(AuthorizationCode, "user_client", _user_client(op.profile.issuer))) == codes == 1


def _user_client(issuer: str) -> str:
    return "\x1f".join((issuer, "people", "alice", "shop"))


@pytest.mark.attack("SE-14")
async def test_never_mixes_one_user_s_consent_with_another_s_session() -> None:
    op = await house()
    browser = op.browser()
    await browser.login(await browser.authorize(OWN))
    alice = await browser.authorize()
    assert alice.page.template == "consent.html" and alice.page.login == "alice"
    await browser.login(await browser.authorize(OWN, prompt="login"), "bob")
    stale = await browser.submit(alice, decision="allow")
    assert refused_on_a_page(stale)
    bob = await browser.get(alice.location)
    assert bob.page.login == "bob" and (await op.store.find(Consent, "client_id", "shop")) == ()
    assert (await op.claims(await browser.submit(bob, decision="allow")))["sub"] == "bob-1"


@pytest.mark.attack("SE-14")
async def test_stays_with_the_account_that_an_open_tab_began_with() -> None:
    op = await house()
    browser = op.browser()
    consent = await browser.login(await browser.authorize())
    await browser.login(await browser.authorize(OWN, prompt="login"), "bob")
    assert (await op.claims(await browser.submit(consent, decision="allow")))["sub"] == "alice-1"


@pytest.mark.attack("SE-13")
async def test_keeps_little_of_a_stranger_and_not_for_long() -> None:
    op = await house()
    login = await op.browser().authorize(**{f"u{n}": "x" * 100 for n in range(50)})
    (handle,) = (login.location.partition("=")[2],)
    from appliance.protocol.handles import stored_id

    kept = await op.store.get(Interaction, stored_id(handle))
    assert kept is not None and len(repr(kept)) < 2000 and kept.expires_at - op.mint.now[0] <= 600


@pytest.mark.attack("SE-13")
async def test_stores_nothing_long_before_somebody_has_logged_in() -> None:
    op = await house()
    browser = op.browser()
    long = {"state": "s" * 2500, "login_hint": "l" * 500, "nonce": "n" * 1500}
    refused = await browser.authorize(**long)
    assert refused.error == "invalid_request"
    posted = await browser.send("POST", "/retail/authorize", address(**long).partition("?")[2])
    assert "error=invalid_request" in dict(posted.headers)["Location"]
    assert [kind for kind, _ in op.store._records if kind == Interaction.kind] == []
    assert (await browser.authorize(**(long | {"state": "s" * 1500}))).page.template == "login.html"
    # In UTF-8 it is octets that fill a store, and not characters.
    assert (await browser.authorize(state="\u20ac" * 1500)).error == "invalid_request"
    # A user whom we know may have a request as long as its parameters may be.
    await browser.through(await browser.authorize(OWN))
    assert "code" in await browser.through(await browser.authorize(OWN, **long))


@pytest.mark.attack("AZ-05", "AZ-06", "SC-06")
async def test_shows_no_page_and_sets_no_cookie_with_prompt_none() -> None:
    op = await house()
    response = await op.browser().send("GET", address(prompt="none"))
    assert response.status == 303 and response.page is None and response.cookies == ()
    browser = op.browser()
    await browser.through(await browser.authorize(OWN))
    assert (await browser.authorize(prompt="none")).error == "consent_required"
    posted = await browser.send("POST", "/retail/authorize", address(prompt="none").partition("?")[2])
    assert (await browser.follow(posted)).error == "consent_required"


async def test_is_unavailable_rather_than_wrong_when_the_store_or_a_source_is_down() -> None:
    op = await house()
    browser = op.browser()
    await browser.through(await browser.authorize(OWN))
    op.store.down = True
    page = await browser.authorize(OWN)
    assert page.page.message == "unavailable" and page.reply.status == 503
    assert ("Retry-After", "2") in page.response.headers
    assert (await browser.authorize(OWN, prompt="none")).error == "temporarily_unavailable"
    op.store.down = False
    op.mint.users.down = True
    assert (await browser.authorize(OWN)).reply.status == 503
    assert (await browser.authorize(OWN, prompt="none")).error == "temporarily_unavailable"
    op.mint.users.down = False
    assert "code" in await browser.authorize(OWN, prompt="none")


@pytest.mark.attack("XS-02")
async def test_renders_nothing_of_the_query_on_its_error_page() -> None:
    op = await house()
    end = await op.browser().get("/retail/authorize?error=x&error_description=%3Cimg%3E&client_id=%3Cb%3E")
    assert refused_on_a_page(end) and "<" not in repr(end.reply)


@pytest.mark.attack("MX-07")
async def test_reads_no_session_of_another_issuer() -> None:
    op = await house()
    browser = op.browser()
    await browser.through(await browser.authorize(OWN))
    name = op.profile.sessions.session_cookie
    from appliance.protocol.handles import stored_id
    from appliance.seams import Change

    session = await op.store.get(Session, stored_id(browser.cookies[name]))
    assert session is not None
    await op.store.commit(Change(put=(replace(session, issuer="https://op.example/other"),)))
    assert (await browser.authorize(OWN, prompt="none")).error == "login_required"


async def _switch(browser: Browser, user: str) -> None:
    """Log everybody out in another tab and log in as somebody else."""
    await browser.submit(await browser.get("/retail/logout"), decision="allow")
    await browser.through(await browser.authorize(OWN, acr_values=LEVEL_2), user)


@pytest.mark.attack("SE-14")
@pytest.mark.parametrize("prompt", ["login", "select_account"])
async def test_counts_no_proof_or_choice_of_a_session_that_ended(prompt: str) -> None:
    op = await house()
    browser = op.browser()
    await browser.through(await browser.authorize(OWN))
    first = await browser.authorize(OWN, prompt=prompt, acr_values=LEVEL_2)
    if prompt == "select_account":
        code = await browser.submit(first, account=first.page.accounts[0].id)
    else:
        code = await browser.login(first)
    assert code.page.template == "otp.html"
    op.forward(5)
    await _switch(browser, "bob")
    again = await browser.get(code.location)
    assert again.page.template == first.page.template


@pytest.mark.attack("SE-14")
async def test_counts_no_consent_of_a_session_that_ended() -> None:
    op = await house()
    browser = op.browser()
    consent = await browser.login(await browser.authorize())
    await browser.send("POST", consent.reply.action, f"csrf={consent.reply.csrf}&decision=allow")
    await _switch(browser, "bob")
    again = await browser.get(consent.location)
    assert again.page.template == "consent.html" and again.page.login == "bob"


@pytest.mark.attack("SE-14")
async def test_counts_one_user_s_factors_for_no_other() -> None:
    op = await house()
    browser = op.browser()
    await browser.through(await browser.authorize(OWN, acr_values=LEVEL_2), "bob")
    waiting = await browser.authorize(prompt="login consent", acr_values=LEVEL_2)
    consent = await browser.submit(await browser.login(waiting, "alice"), code="123456")
    assert consent.page.template == "consent.html"
    # Alice's session ends in another tab; bob's, with his earlier code, is the one that is left.
    (alice,) = await op.store.find(Session, "user", "people\x1falice")
    await op.store.take(Session, alice.id)
    login = await browser.get(consent.location)
    assert login.page.template == "login.html"
    assert (await browser.login(login, "bob")).page.template == "otp.html"


@pytest.mark.spec("OpenID Connect Core", "16.15")
async def test_takes_no_hint_that_was_issued_to_another_client() -> None:
    op = await house()
    browser = op.browser()
    end = await browser.through(await browser.authorize(OWN))
    token = (await op.redeem(end["code"], OWN))["id_token"]
    assert "code" in await browser.authorize(OWN, id_token_hint=token, prompt="none")
    assert refused_to_client(await browser.authorize(id_token_hint=token), "invalid_request")


@pytest.mark.attack("SE-11")
async def test_answers_only_who_was_first_to_finish() -> None:
    op = await house()
    browser = op.browser()
    login = await browser.authorize(OWN)

    async def lost(*_: object) -> None:
        return None

    op.store.take = lost
    end = await browser.login(login)
    assert refused_on_a_page(end) and end.page.message == "expired"
    assert await op.store.find(AuthorizationCode, "user_client", _user_client(op.profile.issuer)) == ()
