"""RFC 6749 3.1: whatever is sent, reading it gives a request or a protocol error, never anything else."""

from urllib.parse import unquote_to_bytes, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.protocol import authorization_request, form
from appliance.protocol.errors import OAuthError
from appliance.protocol.form import Params

NAMES = (*authorization_request.PARAMETERS, *authorization_request.REFUSED, "unknown")
JSON_LIKE = st.text(alphabet='{}[]":,truefalsn0123456789eE.-ab_id_token ', max_size=60)
VALUES = (
    st.text(max_size=40)
    | JSON_LIKE
    | st.sampled_from(["code", "openid", "none", "S256", "0", '{"id_token":{"sub":{}}}'])
)


@pytest.mark.attack("AZ-16", "SC-07")
@settings(deadline=None, max_examples=400)
@given(st.lists(st.tuples(st.sampled_from(NAMES), VALUES), max_size=12))
def test_gives_a_request_or_a_protocol_error(pairs: list[tuple[str, str]]) -> None:
    try:
        params = form.read(form.encode([(name, value) for name, value in pairs if value.isprintable()]))
        authorization_request.read_reply(params)
        read = authorization_request.read(params)
    except OAuthError as error:
        assert error.description.isascii() and '"' not in error.description
    else:
        assert read.mode and read.claims is not None
        # What is kept of it reads as the same request again.
        assert authorization_request.read(Params(read.parameters.items())).parameters == read.parameters


@pytest.mark.spec("RFC 6749", "B")
@settings(deadline=None, max_examples=400)
@given(st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), min_size=1, max_size=40))
def test_encodes_and_decodes_as_everybody_does(value: str) -> None:
    written = form.encode([("name", value)])
    assert written == urlencode({"name": value})
    assert form.read(written)["name"] == form.decode_component(written.removeprefix("name=")) == value


@pytest.mark.spec("RFC 6749", "B")
@settings(deadline=None, max_examples=400)
@given(st.lists(st.sampled_from([*"ab_=? .\r\n\t~é", *(f"%{number:02X}" for number in range(1, 128)), "%c3%A9"])))
def test_decodes_once_whatever_is_beside_the_escapes(pieces: list[str]) -> None:
    text = "".join(pieces)
    assert form.decode_component(text) == unquote_to_bytes(text).decode()


@pytest.mark.attack("SC-01")
def test_keeps_each_scope_once_in_the_order_asked() -> None:
    sent = {"client_id": "c", "response_type": "code", "scope": " b a  b openid "}
    assert authorization_request.read(Params(sent.items())).scope == ("b", "a", "openid")
