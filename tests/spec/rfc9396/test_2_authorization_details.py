"""RFC 9396: what is too fine for a scope is declared, asked, shown, granted, and told to those whom it concerns."""

import json
from typing import Any

import pytest

from tests.support.browser import answer
from tests.support.objects import signed
from tests.support.pushing import ASKED, Shop, metadata, pushing_provider
from tests.support.relying import claims_of

API = "https://api.example.com"
PAYMENT: dict[str, Any] = {
    "type": "payment_initiation",
    "instructedAmount": {"currency": "EUR", "amount": "123.50"},
    "creditorName": "Merchant A",
}
ACCOUNT: dict[str, Any] = {
    "type": "account_information",
    "actions": ["list_accounts", "read_balances"],
    "locations": [API],
}
TYPES: dict[str, Any] = {
    "payment_initiation": {
        "schema": {
            "type": "object",
            "required": ["instructedAmount", "creditorName"],
            "properties": {
                "instructedAmount": {"$ref": "#/$defs/amount"},
                "creditorName": {"type": "string", "minLength": 1, "maxLength": 140},
                "remittance": {"type": "string", "maxLength": 140},
                "when": {"type": "string", "format": "date"},
            },
            "$defs": {
                "amount": {
                    "type": "object",
                    "required": ["currency", "amount"],
                    "properties": {
                        "currency": {"enum": ["EUR", "SEK"]},
                        "amount": {"type": "string", "pattern": "^[0-9]{1,9}\\.[0-9]{2}$"},
                    },
                }
            },
        },
        "title": {"en": "Make a payment", "fi": "Tehdä maksu", "de": "Eine Zahlung ausführen"},
        "text": {
            "en": "Pay {instructedAmount.amount} {instructedAmount.currency} once",
            "fi": "Maksa kerran {instructedAmount.amount} {instructedAmount.currency}",
            "de": "Einmal {instructedAmount.amount} {instructedAmount.currency} zahlen",
        },
        "fields": {"creditorName": {"en": "To", "fi": "Saaja", "de": "An"}},
    },
    "account_information": {
        "schema": {
            "required": ["actions"],
            "properties": {
                "actions": {
                    "type": "array",
                    "items": {"enum": ["list_accounts", "read_balances", "read_transactions"]},
                    "minItems": 1,
                    "uniqueItems": True,
                },
                "locations": {"type": "array", "items": {"type": "string", "format": "uri"}, "maxItems": 5},
            },
        },
        "title": {"en": "See your accounts", "fi": "Nähdä tilisi", "de": "Ihre Konten sehen"},
        "fields": {
            "actions": {"en": "What", "fi": "Mitä", "de": "Was"},
            "locations": {"en": "Where", "fi": "Missä", "de": "Wo"},
        },
        "client_credentials": True,
    },
    "of_others": {"schema": {"properties": {}}, "title": {"en": "x", "fi": "x", "de": "x"}},
}
PROFILE: dict[str, Any] = {
    "authorization_details_types": TYPES,
    "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
    "resources": {
        API: {"scopes": ["accounts"], "access_token_format": "jwt"},
        "https://other.example": {"scopes": ["accounts"], "access_token_format": "jwt"},
    },
    "scopes": {"openid": {}, "accounts": {"description": {"en": "a", "fi": "a", "de": "a"}}},
}
CLIENT: dict[str, Any] = {
    "authorization_details_types": ["payment_initiation", "account_information"],
    "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
    "scope": "openid accounts",
    "op": {
        "profile": "main",
        "consent": "skip_first_party",
        "refresh_token": "always",
        "access_token_format": "jwt",
        "resources": [API, "https://other.example"],
    },
}


def detailed(profile: dict[str, Any] | None = None, **client: Any) -> Any:
    """A provider with types of authorization details."""
    return pushing_provider(profile=PROFILE | (profile or {}), **(CLIENT | client))


def text(*details: Any) -> str:
    """The parameter."""
    return json.dumps(details)


@pytest.mark.spec("RFC 9396", "10")
async def test_tells_the_types_in_its_metadata() -> None:
    async with detailed() as op:
        assert (await metadata(op))["authorization_details_types_supported"] == list(TYPES)
    async with pushing_provider() as op:
        assert "authorization_details_types_supported" not in await metadata(op)


@pytest.mark.spec("RFC 9396", "7")
async def test_answers_with_what_was_granted() -> None:
    async with detailed() as op:
        shop = Shop(op)
        tokens = await shop.tokens(authorization_details=text(PAYMENT, ACCOUNT))
        assert tokens["authorization_details"] == [PAYMENT, ACCOUNT]
        assert claims_of(tokens["access_token"])["authorization_details"] == [PAYMENT, ACCOUNT]
        told = await shop.post("/introspect", {"token": tokens["access_token"]})
        assert told["authorization_details"] == [PAYMENT, ACCOUNT]
        plain = await shop.tokens()
        assert "authorization_details" not in plain.body
        assert "authorization_details" not in claims_of(plain["access_token"])


@pytest.mark.spec("RFC 9396", "5")
@pytest.mark.attack("AZ-24")
@pytest.mark.parametrize(
    "details",
    [
        "",
        "null",
        "{}",
        "[]",
        "x",
        '[{"type":"payment_initiation"}',
        text("payment_initiation"),
        text({}),
        text({"type": 1}),
        text({"type": ["payment_initiation"]}),
        text({"type": "unknown"}),
        text(PAYMENT, {"type": "unknown"}),
        # Known, but not this client's.
        text({"type": "of_others"}),
        text({"type": "payment_initiation"}),
        text(PAYMENT | {"hidden": "all of it"}),
        text(PAYMENT | {"instructedAmount": {"currency": "EUR", "amount": "1.00", "more": 1}}),
        text(PAYMENT | {"instructedAmount": {"currency": "USD", "amount": "1.00"}}),
        text(PAYMENT | {"instructedAmount": {"currency": "EUR", "amount": "1.00\n"}}),
        text(PAYMENT | {"creditorName": ""}),
        text(PAYMENT | {"creditorName": "x" * 141}),
        text(PAYMENT | {"creditorName": True}),
        text(PAYMENT | {"when": "2026-02-30"}),
        text(ACCOUNT | {"actions": []}),
        text(ACCOUNT | {"actions": ["transfer_everything"]}),
        text(ACCOUNT | {"actions": ["list_accounts", "list_accounts"]}),
        text(ACCOUNT | {"locations": ["not a uri"]}),
        text(*[ACCOUNT] * 21),
        '[{"type":"account_information","actions":["list_accounts"],"actions":["read_balances"]}]',
        '[{"type":"account_information","actions":' + "[" * 50 + "]" * 50 + "}]",
        "[" * 9000,
        text({"type": "account_information", "actions": ["x" * 4096]}),
        json.dumps([PAYMENT | {"creditorName": "\u00e4" * 2040}], ensure_ascii=False),
    ],
)
async def test_refuses_what_is_not_of_a_declared_type(details: str) -> None:
    async with detailed() as op:
        shop = Shop(op)
        if not details:
            assert "code" in await shop.log_in(await shop.ask(authorization_details=details))
            return
        error = "invalid_request" if len(details) > 4096 else "invalid_authorization_details"
        refused = answer(await shop.ask(authorization_details=details))
        assert (refused["error"], refused["state"]) == (error, "pushed")
        pushed = await shop.push(authorization_details=details)
        assert (pushed.status, pushed.error) == (400, error)
        machine = await shop.post("/token", {"grant_type": "client_credentials", "authorization_details": details})
        assert (machine.status, machine.error) == (400, "invalid_authorization_details")


@pytest.mark.spec("RFC 9396", "12")
@pytest.mark.parametrize("consent", ["skip_first_party", "ask", "always"])
async def test_asks_the_user_each_time(consent: str) -> None:
    async with detailed(op=CLIENT["op"] | {"consent": consent}) as op:
        shop = Shop(op)
        for _ in range(2):
            page = await shop.ask(authorization_details=text(PAYMENT))
            page = await shop.browser.login(page) if b'id="password"' in page.body else page
            assert b'id="allow"' in page.body
            assert "code" in await shop.log_in(page)
        refused = answer(await shop.ask(authorization_details=text(PAYMENT), prompt="none"))
        assert refused["error"] == "consent_required"
        page = await shop.ask(authorization_details=text(PAYMENT))
        assert (await shop.log_in(page, allow=False))["error"] == "access_denied"


@pytest.mark.spec("RFC 9396", "12")
async def test_counts_the_yes_for_what_was_shown_and_nothing_else() -> None:
    async with detailed() as op:
        shop = Shop(op)
        await shop.log_in(await shop.ask(prompt="login"))
        page = await shop.ask(authorization_details=text(PAYMENT))
        other = await shop.ask(authorization_details=text(PAYMENT | {"creditorName": "Merchant B"}))
        assert answer(await shop.browser.submit(page, button="allow")).get("code")
        shown = await shop.browser.submit(other, button="allow")
        tokens = await shop.redeem(answer(shown)["code"])
        assert tokens["authorization_details"][0]["creditorName"] == "Merchant B"


@pytest.mark.spec("RFC 9396", "2")
@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("en", ["Make a payment", "\u2068123.50\u2069 \u2068EUR\u2069 once", "To:", "Merchant A"]),
        ("fi", ["Tehdä maksu", "Maksa kerran", "Saaja:"]),
        ("de", ["Eine Zahlung ausführen", "zahlen", "An:"]),
    ],
)
async def test_says_what_is_asked_in_the_users_words(locale: str, words: list[str]) -> None:
    async with detailed() as op:
        shop = Shop(op)
        page = await shop.ask(authorization_details=text(PAYMENT), ui_locales=locale)
        body = (await shop.browser.login(page)).body.decode()
        for word in words:
            assert word in body


@pytest.mark.attack("XS-02")
@pytest.mark.spec("RFC 9396", "12")
async def test_shows_all_of_it_and_lets_none_of_it_act() -> None:
    evil = {
        "creditorName": "<script>alert(1)</script>",
        "remittance": "\u202egnihton yaP {creditorName} \u0000".strip("\0"),
    }
    async with detailed() as op:
        shop = Shop(op)
        page = await shop.ask(authorization_details=text(PAYMENT | evil))
        body = (await shop.browser.login(page)).body.decode()
        assert "<script>alert" not in body and "&lt;script&gt;alert(1)" in body
        assert "\u202e" not in body and "gnihton yaP {creditorName}" in body
        # What no words were declared for is shown by its own name.
        assert "<code>remittance</code>" in body


@pytest.mark.spec("RFC 9396", "6")
async def test_gives_less_and_never_more_at_the_token_endpoint() -> None:
    balances = ACCOUNT | {"actions": ["read_balances"]}
    more = [
        ACCOUNT | {"actions": ["list_accounts", "read_transactions"]},
        {name: value for name, value in ACCOUNT.items() if name != "locations"},
        ACCOUNT | {"locations": ["https://other.example"]},
        PAYMENT | {"creditorName": "Merchant B"},
        PAYMENT | {"remittance": "x"},
        {"type": "of_others"},
    ]
    async with detailed() as op:
        shop = Shop(op)
        landed = await shop.log_in(await shop.ask(authorization_details=text(PAYMENT, ACCOUNT)))
        for each in more:
            refused = await shop.redeem(landed["code"], authorization_details=text(each))
            assert (refused.status, refused.error) == (400, "invalid_authorization_details")
        tokens = await shop.redeem(landed["code"], authorization_details=text(balances))
        assert tokens["authorization_details"] == [balances]
        assert claims_of(tokens["access_token"])["authorization_details"] == [balances]
        refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
        for each in more:
            refused = await shop.post("/token", refresh | {"authorization_details": text(each)})
            assert refused.error == "invalid_authorization_details"
        again = await shop.post("/token", refresh)
        # The family keeps what was granted, whatever one token had of it.
        assert again["authorization_details"] == [PAYMENT, ACCOUNT]
        none = await shop.tokens()
        refresh = {"grant_type": "refresh_token", "refresh_token": none["refresh_token"]}
        refused = await shop.post("/token", refresh | {"authorization_details": text(balances)})
        assert refused.error == "invalid_authorization_details"


@pytest.mark.spec("RFC 9396", "9")
async def test_tells_a_resource_only_what_is_for_it() -> None:
    async with detailed() as op:
        shop = Shop(op)
        asked = {"resource": [API, "https://other.example"], "authorization_details": text(PAYMENT, ACCOUNT)}
        landed = await shop.log_in(await shop.ask(**asked))
        tokens = await shop.redeem(landed["code"], resource="https://other.example")
        assert tokens["authorization_details"] == [PAYMENT]
        refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], "resource": API}
        assert (await shop.post("/token", refresh))["authorization_details"] == [PAYMENT, ACCOUNT]


@pytest.mark.spec("RFC 9396", "6")
async def test_gives_a_client_for_itself_only_what_needs_no_user() -> None:
    async with detailed() as op:
        shop = Shop(op)
        form = {"grant_type": "client_credentials", "authorization_details": text(ACCOUNT)}
        token = await shop.post("/token", form)
        assert token["authorization_details"] == [ACCOUNT]
        assert claims_of(token["access_token"])["sub"] == "shop"
        refused = await shop.post("/token", form | {"authorization_details": text(PAYMENT)})
        assert refused.error == "invalid_authorization_details"


@pytest.mark.spec("RFC 9396", "4")
async def test_reads_them_in_pushed_requests_and_request_objects() -> None:
    challenge = {name: ASKED[name] for name in ("code_challenge", "code_challenge_method")}
    async with detailed() as op:
        shop = Shop(op)
        pushed = await shop.push(authorization_details=text(PAYMENT))
        landed = await shop.log_in(await shop.visit(pushed["request_uri"], authorization_details=text(ACCOUNT)))
        assert (await shop.redeem(landed["code"]))["authorization_details"] == [PAYMENT]
        inside = signed(authorization_details=[ACCOUNT], **challenge)
        landed = await shop.log_in(await shop.ask(request=inside, authorization_details=text(PAYMENT)))
        assert (await shop.redeem(landed["code"]))["authorization_details"] == [ACCOUNT]


@pytest.mark.spec("RFC 9396", "10")
async def test_grants_no_more_what_a_client_may_not_have_any_more() -> None:
    async with detailed() as op:
        shop = Shop(op)
        tokens = await shop.tokens(authorization_details=text(PAYMENT, ACCOUNT))
        path = op.directory / "clients" / "shop.yaml"
        settings = json.loads(path.read_text()) | {"authorization_details_types": ["account_information"]}
        path.write_text(json.dumps(settings))
        await op.load()
        again = await shop.post("/token", {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]})
        assert again["authorization_details"] == [ACCOUNT]
