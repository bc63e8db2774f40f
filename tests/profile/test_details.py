"""How authorization details are shown: all of them, in declared words where there are some."""

from typing import Any

import pytest

from appliance.config.declared.authorization_details import DetailsType
from appliance.profile.details import DetailsTypes


def shown(detail: dict[str, Any], **declared: Any) -> tuple[dict[str, str], dict[str, str]]:
    """The sentences by language and the fields by name."""
    settings = {"schema": {"additionalProperties": True}, "title": {}, "text": {}, "fields": {}} | declared
    types = DetailsTypes({"x": DetailsType(**settings, client_credentials=False)})
    view = types.view({"type": "x"} | detail)
    return dict(view.text), {field.name: field.value for field in view.fields}


@pytest.mark.spec("RFC 9396", "12")
def test_every_member_is_shown_once() -> None:
    detail = {
        "amount": {"value": "1.00", "currency": "EUR"},
        "lines": [{"text": "one", "n": 1}, {"text": "two", "n": 2}],
        "tags": ["a", "b"],
        "flag": True,
        "nothing": None,
        "empty": [],
    }
    text, fields = shown(detail, text={"en": "Pay {amount.value}"}, fields={"lines": {"en": "Lines"}})
    assert text == {"en": "Pay \u20681.00\u2069"}
    assert fields == {
        "lines": "one, two, 1, 2",
        "amount.currency": "EUR",
        "tags": "a, b",
        "flag": "true",
        "nothing": "null",
        "empty": "",
    }


@pytest.mark.spec("RFC 9396", "12")
def test_a_value_cannot_speak_for_another() -> None:
    text, fields = shown({"a": "{b}", "b": "\u202eevil\u2066\n", "c": "x" * 5000}, text={"en": "{a} {missing}"})
    assert text == {"en": "\u2068{b}\u2069 \u2068\u2069"}
    assert fields["b"] == "\ufffdevil\ufffd\ufffd"
    assert len(fields["c"]) == 2001 and fields["c"].endswith("…")


@pytest.mark.spec("RFC 9396", "12")
def test_members_of_what_is_free_are_shown_too() -> None:
    _, fields = shown({"free": {"anything": {"at": ["all"]}}, "object": {}}, fields={"other": {"en": "Other"}})
    assert fields == {"free.anything.at": "all"}
