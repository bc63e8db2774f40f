"""RFC 9126: requests that a client pushes, and what a browser can do with the reference."""

import asyncio
import json
from typing import Any

import pytest

from tests.support.browser import Browser, answer, header
from tests.support.objects import ISSUER, OTHER_URI, claims, mac, signed, unsigned
from tests.support.pushing import ASKED, REDIRECT_URI, Shop, metadata, pushing_provider

URN = "urn:ietf:params:oauth:request_uri:"


@pytest.mark.spec("RFC 9126", "2.2")
async def test_answers_with_a_reference_that_leads_to_the_login() -> None:
    async with pushing_provider() as op:
        shop = Shop(op)
        pushed = await shop.push()
        assert pushed.status == 201
        assert pushed.headers["Cache-Control"] == "no-store"
        assert pushed.headers["Content-Type"] == "application/json"
        assert pushed["request_uri"].startswith(URN) and len(pushed["request_uri"]) >= len(URN) + 43
        assert pushed["expires_in"] == 60
        assert (await shop.push())["request_uri"] != pushed["request_uri"]
        landed = await shop.log_in(await shop.visit(pushed["request_uri"]))
        assert landed["state"] == "pushed" and landed["iss"] == ISSUER
        tokens = await shop.redeem(landed["code"])
        assert tokens.status == 200 and "id_token" in tokens.body


@pytest.mark.spec("RFC 9126", "5")
async def test_tells_in_its_metadata_where_and_whether_only_there() -> None:
    async with pushing_provider() as op:
        found = await metadata(op)
        assert found["pushed_authorization_request_endpoint"] == f"{ISSUER}/par"
        assert found["require_pushed_authorization_requests"] is False
    async with pushing_provider(profile={"require_pushed_authorization_requests": True}) as op:
        assert (await metadata(op))["require_pushed_authorization_requests"] is True
    async with pushing_provider(profile={"endpoints": {}}) as op:
        found = await metadata(op)
        assert not [name for name in found if "pushed" in name]
        assert (await Shop(op).push()).status == 404


@pytest.mark.spec("RFC 9126", "2.3")
@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": None}, "invalid_request"),
        ({"redirect_uri": "https://evil.example/"}, "invalid_request"),
        ({"redirect_uri": None}, "invalid_request"),
        ({"response_mode": "fragment.jwt"}, "invalid_request"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"claims": "{"}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"scope": "open\u00e9"}, "invalid_scope"),
        ({"id_token_hint": "x"}, "invalid_request"),
        ({"registration": "{}"}, "registration_not_supported"),
        ({"request": "x"}, "invalid_request_object"),
        ({"resource": "https://unknown.example"}, "invalid_target"),
        ({"authorization_details": '[{"type":"x"}]'}, "invalid_authorization_details"),
    ],
)
async def test_checks_the_whole_request_when_it_is_pushed(changes: dict[str, Any], error: str) -> None:
    async with pushing_provider() as op:
        refused = await Shop(op).push(**changes)
        assert (refused.status, refused.error) == (400, error)
        assert "https://evil.example" not in str(refused.body)


@pytest.mark.spec("RFC 9126", "2")
@pytest.mark.attack("CA-07")
async def test_takes_requests_of_clients_that_prove_themselves() -> None:
    async with pushing_provider() as op:
        shop = Shop(op)
        shop.secret = "wrong"
        assert ((await shop.push()).status, (await shop.push()).error) == (401, "invalid_client")
        shop.secret = None
        assert (await shop.push()).error == "invalid_client"
        shop = Shop(op)
        assert (await shop.push(client_id="other")).error == "invalid_client"
        assert (await shop.push(client_id=None)).status == 201
    public: dict[str, Any] = {"token_endpoint_auth_method": "none", "client_secrets": []}
    async with pushing_provider(**public) as op:
        shop = Shop(op)
        shop.secret = None
        refused = await shop.push()
        assert (refused.status, refused.error) == (400, "unauthorized_client")
    async with pushing_provider(profile={"pushed_authorization_request": {"public_clients": True}}, **public) as op:
        shop = Shop(op)
        shop.secret = None
        landed = await shop.log_in(await shop.visit((await shop.push())["request_uri"]))
        assert landed["state"] == "pushed"
        assert (await shop.push(code_challenge=None, code_challenge_method=None)).error == "invalid_request"


@pytest.mark.spec("RFC 9126", "2.1")
@pytest.mark.attack("RO-11")
async def test_refuses_what_is_no_form_of_a_request() -> None:
    async with pushing_provider() as op:
        shop = Shop(op)
        reference = (await shop.push())["request_uri"]
        for request_uri in (reference, "https://shop.example.com/request.jwt", [reference, reference]):
            refused = await shop.push(request_uri=request_uri)
            assert (refused.status, refused.error) == (400, "invalid_request")
        for repeated in ("state", "scope", "redirect_uri", "unknown"):
            refused = await shop.push(**{repeated: ["a", "b"]})
            assert (refused.status, refused.error) == (400, "invalid_request")
        refused = await shop.post("/par", ASKED, content_type="application/json")
        assert (refused.status, refused.error) == (400, "invalid_request")
        assert (await shop.browser.request("GET", "/par")).status == 405


@pytest.mark.spec("RFC 9126", "4")
@pytest.mark.attack("RO-12")
async def test_looks_at_nothing_beside_the_reference() -> None:
    async with pushing_provider() as op:
        shop = Shop(op)
        reference = (await shop.push())["request_uri"]
        landed = await shop.log_in(
            await shop.visit(
                reference,
                scope="openid email offline_access",
                state="outside",
                redirect_uri=OTHER_URI,
                response_mode="form_post",
                prompt="none",
                code_challenge="x" * 43,
            )
        )
        assert landed["state"] == "pushed"
        tokens = await shop.redeem(landed["code"])
        assert tokens["scope"] == "openid"
        both = await shop.visit((await shop.push())["request_uri"], request=signed())
        assert both.status == 400 and b"invalid_request" in both.body
        twice = await shop.visit((await shop.push())["request_uri"], state=["a", "b"], client_id=["shop", "shop"])
        assert twice.status == 400


@pytest.mark.spec("RFC 9126", "7.3")
@pytest.mark.attack("RO-10")
async def test_answers_one_time_only_however_often_the_page_is_opened() -> None:
    async with pushing_provider() as op:
        shop = Shop(op)
        reference = (await shop.push())["request_uri"]
        first = await shop.visit(reference)
        for _ in range(3):
            # Reloading the page before the login is nothing special.
            first = await shop.visit(reference)
            assert b'id="password"' in first.body
        other = Shop(op, browser=Browser(op))
        elsewhere = await other.visit(reference)
        assert b'id="password"' in elsewhere.body
        assert "code" in await shop.log_in(first)
        again = await shop.visit(reference)
        assert again.status == 400 and b"invalid_request_uri" in again.body and header(again, "Location") is None
        late = await other.browser.login(elsewhere)
        assert late.status == 400 and header(late, "Location") is None


@pytest.mark.attack("RO-10")
async def test_answers_one_time_only_to_many_at_once() -> None:
    async with pushing_provider() as op:
        shop = Shop(op)
        await shop.log_in(await shop.ask())
        reference = (await shop.push())["request_uri"]
        # The session answers without a page, so that nothing but the request itself can be used up.
        answers = await asyncio.gather(*(shop.visit(reference) for _ in range(8)))
        assert sorted(answer.status for answer in answers) == [303, *[400] * 7]


@pytest.mark.attack("RO-10")
async def test_uses_a_request_up_by_a_refusal_as_well() -> None:
    async with pushing_provider(op={"profile": "main", "consent": "always"}) as op:
        shop = Shop(op)
        reference = (await shop.push())["request_uri"]
        assert (await shop.log_in(await shop.visit(reference), allow=False))["error"] == "access_denied"
        assert (await shop.visit(reference)).status == 400
        silent = (await shop.push(prompt="none"))["request_uri"]
        assert answer(await shop.visit(silent))["error"] == "consent_required"
        assert (await shop.visit(silent)).status == 400


@pytest.mark.spec("RFC 9126", "2.2")
@pytest.mark.attack("RO-10")
async def test_begins_no_login_after_the_time_of_the_reference() -> None:
    async with pushing_provider(profile={"ttl": {"pushed_authorization_request": "30s"}}) as op:
        shop = Shop(op)
        pushed = await shop.push()
        assert pushed["expires_in"] == 30
        op.clock.forward(29)
        page = await shop.visit(pushed["request_uri"])
        op.clock.forward(1)
        late = await shop.visit(pushed["request_uri"])
        assert late.status == 400 and b"invalid_request_uri" in late.body
        # Whoever arrived in time has the time of every login.
        op.clock.forward(500)
        assert "code" in await shop.log_in(page)


@pytest.mark.spec("RFC 9126", "7.1")
@pytest.mark.attack("RO-10")
async def test_is_bound_to_the_client_and_not_to_be_guessed() -> None:
    other = {"client_id": "other", "redirect_uris": [REDIRECT_URI], "token_endpoint_auth_method": "none"}
    async with pushing_provider() as op:
        await add_client(op, other)
        shop = Shop(op)
        reference = (await shop.push())["request_uri"]
        guesses = [reference[:-1], reference + "A", reference.upper(), URN, URN + "A" * 49, URN + reference]
        for client_id, request_uri in [("other", reference), ("nobody", reference), *(("shop", g) for g in guesses)]:
            refused = await shop.visit(request_uri, client_id=client_id)
            assert refused.status == 400 and header(refused, "Location") is None
        missing = await shop.visit(reference, client_id=None)
        assert missing.status == 400
        assert "code" in await shop.log_in(await shop.visit(reference))


async def add_client(op: Any, client: dict[str, Any]) -> None:
    """Declare another client and reload."""
    whole = {"scope": "openid", "op": {"profile": "main", "consent": "skip_first_party"}} | client
    (op.directory / "clients" / f"{client['client_id']}.yaml").write_text(json.dumps(whole))
    await op.load()


@pytest.mark.spec("RFC 9126", "5")
@pytest.mark.attack("RO-12")
@pytest.mark.parametrize("by_profile", [True, False])
async def test_takes_plain_requests_of_nobody_who_must_push(by_profile: bool) -> None:
    profile = {"require_pushed_authorization_requests": True} if by_profile else {}
    client: dict[str, Any] = {} if by_profile else {"require_pushed_authorization_requests": True}
    async with pushing_provider(profile=profile, **client) as op:
        shop = Shop(op)
        for changes in ({}, {"request": signed()}):
            refused = answer(await shop.ask(**changes))
            assert (refused["error"], refused["state"]) == ("invalid_request", "pushed")
        page = await shop.ask(redirect_uri="https://evil.example/")
        assert page.status == 400 and header(page, "Location") is None
        posted = await shop.browser.request("POST", "/authorize", form=ASKED)
        assert "error=invalid_request" in (header(posted, "Location") or "")
        assert "code" in await shop.log_in(await shop.visit((await shop.push())["request_uri"]))


@pytest.mark.spec("RFC 9126", "3")
async def test_takes_request_objects_that_are_pushed_as_the_whole_request() -> None:
    inside = {"code_challenge": ASKED["code_challenge"], "code_challenge_method": "S256"}
    async with pushing_provider() as op:
        shop = Shop(op)
        pushed = await shop.post("/par", {"request": signed(**inside)})
        assert pushed.status == 201
        landed = await shop.log_in(await shop.visit(pushed["request_uri"]))
        assert landed["state"] == "inside"
        # What stands beside it does not count, though it is an OpenID request of its own.
        mixed = await shop.push(request=signed(state=None, **inside), state="outside")
        assert "state" not in await shop.log_in(await shop.visit(mixed["request_uri"]))
        for wrong in (signed(client_id=None), unsigned(), mac(secret=b"x" * 40), signed(aud="https://other.example")):
            refused = await shop.push(request=wrong)
            assert (refused.status, refused.error) == (400, "invalid_request_object")
        assert (await shop.push(request=signed(client_id="other"))).error == "invalid_request"
        assert (await shop.push(request=signed(request_uri="x"))).error == "invalid_request_object"
        assert claims()["state"] == "inside"
    async with pushing_provider(require_signed_request_object=True) as op:
        assert (await Shop(op).push()).error == "invalid_request"
    async with pushing_provider(profile={"request_parameter_supported": False}) as op:
        assert (await Shop(op).push(request=signed())).error == "request_not_supported"


@pytest.mark.spec("RFC 9126", "2.4")
async def test_lets_a_declared_client_bring_its_redirect_uri() -> None:
    hosts = {
        "profile": "main",
        "consent": "skip_first_party",
        "pushed_redirect_hosts": ["*.shops.example", "a.example"],
    }
    async with pushing_provider(op=hosts) as op:
        shop = Shop(op)
        for uri in ("https://one.shops.example/cb", "https://a.example/cb?tenant=1"):
            page = await shop.visit((await shop.push(redirect_uri=uri))["request_uri"])
            landed = await shop.log_in(page)
            assert (await shop.redeem(landed["code"])).error == "invalid_grant"
            landed = await shop.log_in(await shop.visit((await shop.push(redirect_uri=uri))["request_uri"]))
            assert (await shop.redeem(landed["code"], redirect_uri=uri)).status == 200
            # The browser cannot bring it.
            plain = await shop.ask(redirect_uri=uri)
            assert plain.status == 400 and header(plain, "Location") is None
        wrong = [
            *("http://one.shops.example/cb", "https://shops.example/cb", "https://xshops.example/cb"),
            *(
                "https://b.example/cb",
                "https://a.example/cb#x",
                "https://x@a.example/cb",
                "https://a.example@evil.example",
            ),
            *(
                "https://evil.example/.shops.example",
                "https://a.example/cb?code=1",
                "com.example:/cb",
                "https://*.a.example",
            ),
            *("https://evil.example\\.shops.example/", "https://a.example.evil.example/"),
        ]
        for uri in wrong:
            refused = await shop.push(redirect_uri=uri)
            assert (refused.status, refused.error) == (400, "invalid_request"), uri
    async with pushing_provider() as op:
        assert (await Shop(op).push(redirect_uri="https://one.shops.example/cb")).error == "invalid_request"


@pytest.mark.attack("RO-15")
async def test_tells_nobody_else_what_was_pushed() -> None:
    secret = "pat.doe+private@example.com"
    async with pushing_provider() as op:
        shop = Shop(op)
        reference = (await shop.push(login_hint=secret, claims='{"userinfo":{"email":null}}'))["request_uri"]
        browser, seen = shop.browser, []
        response = await browser.request("GET", f"/authorize?client_id=shop&request_uri={reference}")
        for _ in range(4):
            location = header(response, "Location") or ""
            seen += [location, *(f"{cookie.name}={cookie.value}" for cookie in response.cookies)]
            if not location.startswith("/"):
                break
            response = await browser.request("GET", location)
        assert b'id="password"' in response.body
        told = " ".join([*seen, str(browser.cookies), str(op.report.refusals), str(op.report.notices)])
        assert seen and not [part for part in ("pat.doe", "private", "userinfo") if part in told]


@pytest.mark.spec("RFC 9126", "2.2")
async def test_judges_again_what_was_pushed_when_the_configuration_changed() -> None:
    async with pushing_provider(redirect_uris=[REDIRECT_URI, OTHER_URI]) as op:
        shop = Shop(op)
        reference = (await shop.push(redirect_uri=OTHER_URI))["request_uri"]
        path = op.directory / "clients" / "shop.yaml"
        path.write_text(path.read_text().replace(f', "{OTHER_URI}"', ""))
        await op.load()
        refused = await shop.visit(reference)
        assert refused.status == 400 and header(refused, "Location") is None
