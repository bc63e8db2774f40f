"""CIBA Core 4 and 7: what a client asks about its user, and what it gets."""

import pytest

from tests.support.provider import Provider, provider
from tests.support.waiting import CIBA, ISSUER, Caller, backchannels, client, retail

TOKEN = "8d67dc78-7faa-4d41-aabd-67707b374255"


@pytest.mark.spec("CIBA Core 1.0", "7.3")
async def test_acknowledges_a_request() -> None:
    async with provider(edit=backchannels()) as op:
        begun = await Caller(op).begin()
        assert begun.status == 200 and set(begun.body) == {"auth_req_id", "expires_in", "interval"}
        assert begun["auth_req_id"].startswith("op_aq_") and len(begun["auth_req_id"]) > 43
        assert (begun["expires_in"], begun["interval"]) == (300, 5)


@pytest.mark.spec("CIBA Core 1.0", "7.1")
@pytest.mark.parametrize(("asked", "given"), [("60", 60), ("1800", 1800), ("86400", 1800)])
async def test_lets_the_client_say_how_long_it_waits(asked: str, given: int) -> None:
    async with provider(edit=backchannels()) as op:
        assert (await Caller(op).begin(requested_expiry=asked))["expires_in"] == given


@pytest.mark.spec("CIBA Core 1.0", "13")
@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"scope": None}, "invalid_request"),
        ({"scope": "profile"}, "invalid_scope"),
        ({"login_hint": None}, "invalid_request"),
        ({"id_token_hint": "x.y.z"}, "invalid_request"),
        ({"login_hint": None, "login_hint_token": "x.y.z"}, "invalid_request"),
        ({"login_hint": None, "id_token_hint": "x.y.z"}, "invalid_request"),
        ({"login_hint": "nobody"}, "unknown_user_id"),
        ({"requested_expiry": "0"}, "invalid_request"),
        ({"requested_expiry": "soon"}, "invalid_request"),
        ({"binding_message": "x" * 101}, "invalid_binding_message"),
        ({"binding_message": "one\nother"}, "invalid_binding_message"),
        ({"binding_message": "\u202eRUE 001"}, "invalid_binding_message"),
        ({"binding_message": "a\u200bb"}, "invalid_binding_message"),
        ({"binding_message": "  "}, "invalid_binding_message"),
        ({"client_notification_token": "a b"}, "invalid_request"),
        ({"client_notification_token": "x" * 1025}, "invalid_request"),
    ],
)
async def test_says_what_is_wrong_with_a_request(form: dict[str, str | None], error: str) -> None:
    async with provider(edit=backchannels()) as op:
        answer = await Caller(op).begin(**form)
        assert (answer.status, answer.error) == (400, error)


@pytest.mark.spec("CIBA Core 1.0", "7.1")
@pytest.mark.parametrize("message", ["W4SCT", "120,00 € an Müller", "ääni 42", "支払い 1/2"])
async def test_takes_messages_that_people_can_read(message: str) -> None:
    async with provider(edit=backchannels()) as op:
        assert (await Caller(op).begin(binding_message=message)).status == 200


@pytest.mark.spec("FAPI CIBA", "5.2.2")
async def test_wants_a_message_where_that_is_declared() -> None:
    async with provider(edit=backchannels(backchannel_authentication={"binding_message_required": True})) as op:
        assert (await Caller(op).begin(binding_message=None)).error == "invalid_binding_message"
        assert (await Caller(op).begin()).status == 200


@pytest.mark.spec("CIBA Core 1.0", "7.1")
async def test_wants_a_token_of_clients_that_are_pinged() -> None:
    async with provider(edit=backchannels()) as op:
        assert (await Caller(op, "shop").begin()).error == "invalid_request"
        assert (await Caller(op, "shop").begin(client_notification_token=TOKEN)).status == 200


@pytest.mark.spec("CIBA Core 1.0", "7.2")
async def test_hears_clients_that_prove_themselves_and_may() -> None:
    plain = client("web", response_types=["code"], redirect_uris=["https://web.example/cb"])
    async with provider(edit=backchannels() | plain) as op:
        unproved = await Caller(op).post(
            "/backchannel_authentication", {"client_id": "bank", "scope": "openid", "login_hint": "anna"}
        )
        assert (unproved.status, unproved.error) == (401, "invalid_client")
        assert (await Caller(op, "web").begin()).error == "unauthorized_client"
        assert (await Caller(op, "web").poll(auth_req_id="op_aq_x")).error == "unauthorized_client"


@pytest.mark.spec("CIBA Core 1.0", "7.2")
async def test_never_asks_users_who_are_switched_off() -> None:
    async with provider(edit=backchannels()) as op:
        users = op.directory / "sources" / "customers.yaml"
        users.write_text(users.read_text().replace("attributes:", "active: false\n        attributes:", 1))
        await op.load()
        assert (await Caller(op).begin()).error == "unknown_user_id"


async def _tokens_of(op: Provider) -> tuple[Caller, dict[str, str]]:
    caller = Caller(op)
    await caller.begin()
    await caller.decide()
    return caller, (await caller.wait_and_poll()).body


@pytest.mark.spec("CIBA Core 1.0", "7.1", "14")
async def test_knows_users_by_their_id_tokens_however_old() -> None:
    async with provider(edit=backchannels()) as op:
        caller, tokens = await _tokens_of(op)
        op.clock.forward(5000)
        begun = await caller.begin(login_hint=None, id_token_hint=tokens["id_token"])
        assert begun.status == 200
        await caller.decide("anna")
        assert (await caller.poll()).status == 200


@pytest.mark.spec("CIBA Core 1.0", "14")
async def test_takes_no_id_token_of_another_client_and_no_forged_one() -> None:
    async with provider(edit=backchannels() | client("box", grant_types=[CIBA])) as op:
        _, tokens = await _tokens_of(op)
        hint = tokens["id_token"]
        other = Caller(op, "box")
        assert (await other.begin(login_hint=None, id_token_hint=hint)).error == "invalid_request"
        forged = f"{hint[:-6]}AAAAAA"
        assert (await Caller(op).begin(login_hint=None, id_token_hint=forged)).error == "invalid_request"


@pytest.mark.spec("CIBA Core 1.0", "4")
async def test_tells_of_it_in_its_metadata_only_where_it_is_offered() -> None:
    async with provider(edit=backchannels()) as op:
        document = await Caller(op).send("GET", "/.well-known/openid-configuration")
        assert document["backchannel_authentication_endpoint"] == f"{ISSUER}/backchannel_authentication"
        assert document["backchannel_token_delivery_modes_supported"] == ["poll", "ping"]
        assert document["backchannel_user_code_parameter_supported"] is False
        algorithms = document["backchannel_authentication_request_signing_alg_values_supported"]
        assert {"ES256", "PS256"} <= set(algorithms) and not {"HS256", "none"} & set(algorithms)
        assert CIBA in document["grant_types_supported"]
    async with provider(edit=retail()) as op:
        document = await Caller(op).send("GET", "/.well-known/openid-configuration")
        assert not [name for name in document.body if name.startswith("backchannel_") and "logout" not in name]
        for path in ("/backchannel_authentication", "/approvals", "/approval"):
            assert (await Caller(op).send("GET", path)).status == 404


@pytest.mark.spec("CIBA Core 1.0", "7.1.2")
async def test_asks_users_with_a_code_only_for_who_knows_it() -> None:
    settings = {"backchannel_user_code_parameter_supported": True}
    careful = client("bank", grant_types=[CIBA], backchannel_user_code_parameter=True)
    async with provider(edit=backchannels(backchannel_authentication=settings) | careful) as op:
        users = op.directory / "sources" / "customers.yaml"
        (op.directory / "secrets" / "anna-code").write_text("4711\n")
        users.write_text(users.read_text().replace("totp:", "user_code: {file: secrets/anna-code}\n        totp:", 1))
        await op.load()
        caller = Caller(op)
        assert (await caller.begin()).error == "missing_user_code"
        assert (await caller.begin(user_code="4712")).error == "invalid_user_code"
        assert (await caller.begin(user_code="4711")).status == 200
        assert (await caller.begin(login_hint="ben")).status == 200, "a user who has no code"
