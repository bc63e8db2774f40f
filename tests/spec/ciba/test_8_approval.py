"""CIBA Core 8: the user, his list, and his decision."""

import pytest

from tests.support.browser import Browser, forms, header
from tests.support.provider import provider
from tests.support.relying import claims_of
from tests.support.waiting import LEVEL, Caller, backchannels, text_of


@pytest.mark.spec("CIBA Core 1.0", "8")
async def test_lists_what_waits_for_a_user_and_leads_to_his_yes() -> None:
    async with provider(edit=backchannels()) as op:
        caller = Caller(op)
        await caller.begin(scope="openid email", binding_message="W4SCT 12,00")
        shown = await caller.list("anna")
        assert caller.seen == ["login"] and caller.browser.path == "/retail/approvals"
        words = text_of(shown)
        assert "Bank" in words and "W4SCT 12,00" in words and "See your email address" in words
        question = await caller.browser.submit(shown, button="review-1")
        assert caller.browser.path.startswith("/retail/approval?")
        words = text_of(question)
        assert "Bank asks for access" in words and "W4SCT 12,00" in words and "If not, choose Deny" in words
        await caller.browser.submit(question, button="allow")
        assert caller.browser.path == "/retail/approval/done"
        assert "Nobody is waiting" in text_of(await caller.list())
        assert (await caller.wait_and_poll()).status == 200


@pytest.mark.spec("CIBA Core 1.0", "8", "11")
@pytest.mark.parametrize("early", [True, False])
async def test_tells_the_client_of_a_no(early: bool) -> None:
    async with provider(edit=backchannels()) as op:
        caller = Caller(op)
        await caller.begin()
        if early:
            await caller.browser.submit(await caller.list(), button="deny-1")
        else:
            await caller.decide(allow=False)
        assert caller.browser.path == "/retail/approval/denied"
        assert (await caller.wait_and_poll()).error == "access_denied"
        assert (await caller.wait_and_poll()).error == "access_denied"


@pytest.mark.spec("CIBA Core 1.0", "8")
async def test_shows_each_user_his_own_requests_only() -> None:
    async with provider(edit=backchannels()) as op:
        caller, other = Caller(op), Caller(op, browser=Browser(op))
        await caller.begin(login_hint="anna", binding_message="ANNA")
        await other.begin(login_hint="ben", binding_message="BEN")
        assert "ANNA" in text_of(await caller.list("anna")) and "BEN" in text_of(await other.list("ben"))
        assert "BEN" not in text_of(await caller.list()) and "ANNA" not in text_of(await other.list())


@pytest.mark.spec("CIBA Core 1.0", "7.1")
async def test_holds_the_user_to_the_level_that_the_client_asks_for() -> None:
    async with provider(edit=backchannels()) as op:
        caller = Caller(op)
        await caller.begin(acr_values=f"{LEVEL}3")
        await caller.decide()
        assert caller.seen == ["login", "otp", "consent"]
        assert claims_of((await caller.wait_and_poll())["id_token"])["acr"] == f"{LEVEL}4"


@pytest.mark.spec("CIBA Core 1.0", "11")
async def test_tells_the_client_when_its_request_cannot_be_met() -> None:
    """The scope that it asked for was taken from it in the meantime, and with it the grant type."""
    async with provider(edit=backchannels()) as op:
        caller = Caller(op)
        await caller.begin()
        shown = await caller.list()
        path = op.directory / "clients" / "retail" / "bank.yaml"
        path.write_text(path.read_text().replace('"urn:openid:params:grant-type:ciba", ', ""))
        path.write_text(path.read_text().replace('"response_types": []', '"response_types": ["code"]'))
        whole = path.read_text().replace('"grant_types": ["refresh_token"]', '"grant_types": ["authorization_code"]')
        path.write_text(whole.replace('"scope"', '"redirect_uris": ["https://bank.example/cb"], "scope"'))
        await op.load()
        refused = await caller.browser.submit(shown, button="review-1")
        assert refused.status == 400 and b'id="error-page"' in refused.body
        path.write_text(whole.replace('["authorization_code"]', '["urn:openid:params:grant-type:ciba"]'))
        path.write_text(path.read_text().replace('"response_types": ["code"]', '"response_types": []'))
        await op.load()
        assert (await caller.wait_and_poll()).error == "transaction_failed"


@pytest.mark.spec("CIBA Core 1.0", "10.1.1")
async def test_gives_tokens_of_the_user_with_all_that_an_id_token_needs() -> None:
    async with provider(edit=backchannels()) as op:
        caller = Caller(op)
        await caller.begin(scope="openid profile offline_access")
        await caller.decide()
        answer = await caller.wait_and_poll()
        claims = claims_of(answer["id_token"])
        assert claims["aud"] == "bank" and "at_hash" in claims and "sid" not in claims
        assert (await caller.userinfo(answer["access_token"]))["name"].startswith("Anna")
        again = await caller.token(grant_type="refresh_token", refresh_token=answer["refresh_token"])
        assert again.status == 200


@pytest.mark.spec("CIBA Core 1.0", "10.1", "11")
async def test_lets_clients_wait_and_slows_down_who_cannot() -> None:
    async with provider(edit=backchannels()) as op:
        caller = Caller(op)
        await caller.begin(requested_expiry="60")
        assert (await caller.poll()).error == "authorization_pending"
        assert (await caller.poll()).error == "slow_down"
        op.clock.forward(8)
        assert (await caller.poll()).error == "slow_down"
        op.clock.forward(52)
        assert (await caller.poll()).error == "expired_token"
        assert "Nobody is waiting" in text_of(await caller.list())


@pytest.mark.spec("CIBA Core 1.0", "8")
async def test_protects_the_list_like_all_other_pages() -> None:
    async with provider(edit=backchannels()) as op:
        caller = Caller(op)
        await caller.begin()
        shown = await caller.list()
        assert header(shown, "X-Frame-Options") == "DENY"
        assert "frame-ancestors 'none'" in (header(shown, "Content-Security-Policy") or "")
        form = forms(shown)[0]
        for fields in ({"request": form.fields["request"], "decision": "deny"}, {**form.fields, "csrf": "AAAA"}):
            forged = await caller.browser.request("POST", "/retail/approvals", form=fields)
            assert forged.status == 403
        sent = {**form.fields, "decision": "deny"}
        foreign = {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}
        assert (await caller.browser.request("POST", "/retail/approvals", form=sent, headers=foreign)).status == 403
        assert (await caller.poll()).error == "authorization_pending"


@pytest.mark.spec("CIBA Core 1.0", "8")
async def test_keeps_requests_and_their_decisions_over_a_reload() -> None:
    async with provider(edit=backchannels()) as op:
        caller = Caller(op)
        await caller.begin()
        await op.load()
        await caller.decide()
        await op.load()
        assert (await caller.wait_and_poll()).status == 200
