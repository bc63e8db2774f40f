"""The Person API mapping of the Onegini seed, row by row: what the API holds, and the claim it becomes."""

from dataclasses import replace
from typing import Any

import pytest

from appliance.config.declared.claims import ClaimsSet
from appliance.config.expressions import read
from appliance.profile.claims import ClaimsRelease, Placement
from appliance.protocol.authorization import Subject
from appliance.seams import User
from tests.support.minting import AUTHORIZATION, CLIENT, PROFILE, scope

pytestmark = pytest.mark.seed("onegini")

MAPPING: dict[str, Any] = {
    "name": {"join": ["person.profile.name.first", "person.profile.name.last"]},
    "given_name": "person.profile.name.first",
    "family_name": "person.profile.name.last",
    "nickname": "person.profile.name.display_name",
    "preferred_username": "person.profile.name.display_name",
    "gender": "person.profile.gender",
    "birthdate": {"date": "person.profile.date_of_birth"},
    "locale": "person.profile.preferred_locale",
    "email": "person.profile.email_addresses[primary].value",
    "email_verified": {"boolean": "person.profile.email_addresses[primary].verified"},
    "phone_number": "person.profile.phone_numbers[primary].value",
    "phone_number_verified": {"boolean": "person.profile.phone_numbers[primary].verified"},
    "address": {
        "object": {
            "street_address": {
                "join": [
                    "person.profile.address.street_name",
                    "person.profile.address.house_number",
                    "person.profile.address.house_number_addition",
                ]
            },
            "locality": "person.profile.address.city",
            "region": "person.profile.address.region",
            "postal_code": "person.profile.address.postal_code",
            "country": "person.profile.address.country_name",
        }
    },
}

WHOLE: dict[str, Any] = {
    "id": "8f4c",
    "profile": {
        "name": {"first": "Jan", "last": "de Vries", "display_name": "jan"},
        "gender": "male",
        "date_of_birth": "1981-12-05T00:00:00.000Z",
        "preferred_locale": "nl_NL",
        "email_addresses": [
            {"value": "old@example.nl", "verified": False},
            {"value": "jan@example.nl", "verified": True},
            {"value": "new@example.nl", "verified": False},
        ],
        "phone_numbers": [
            {"value": "+31201234567", "verified": True},
            {"value": "+31612345678", "primary": True},
        ],
        "address": {
            "street_name": "Keizersgracht",
            "house_number": 123,
            "house_number_addition": "",
            "city": "Amsterdam",
            "region": "NH",
            "postal_code": "1015 CJ",
            "country_name": "Netherlands",
        },
    },
}

CLAIMS: dict[str, Any] = {
    "name": "Jan de Vries",
    "given_name": "Jan",
    "family_name": "de Vries",
    "nickname": "jan",
    "preferred_username": "jan",
    "gender": "male",
    "birthdate": "1981-12-05",
    "locale": "nl-NL",
    "email": "jan@example.nl",
    "email_verified": True,
    # The primary number is not known to be verified: nothing is claimed, least of all of another number.
    "phone_number": "+31612345678",
    "address": {
        "street_address": "Keizersgracht 123",
        "locality": "Amsterdam",
        "region": "NH",
        "postal_code": "1015 CJ",
        "country": "Netherlands",
    },
}


async def claims_of_person(attributes: dict[str, Any], granted: tuple[str, ...]) -> dict[str, object]:
    profile = replace(
        PROFILE,
        scopes={
            "openid": scope(),
            "profile": scope(*list(MAPPING)[:8]),
            "email": scope("email", "email_verified"),
            "phone": scope("phone_number", "phone_number_verified"),
            "address": scope("address"),
        },
    )
    claims_set = ClaimsSet(
        claims_set="person",
        sources={"person": "person-api"},
        subject=read("person.id"),
        claims={name: read(written) for name, written in MAPPING.items()},
    )
    release = ClaimsRelease(
        declared=profile, claims_set=claims_set, sources={}, subject_types={"public": _Public()}
    )
    client = replace(CLIENT, scope=tuple(profile.scopes))
    subject = Subject("person-api", "8f4c")
    authorization = replace(AUTHORIZATION, subject=subject, scope=("openid", *granted))
    user = User(subject, "jan", attributes, active=True)
    return await release.release(authorization, client, user, Placement.USERINFO)


class _Public:
    name = "public"

    def sub(self, local: str, sector: str) -> str:
        return local


async def test_maps_every_row_of_the_table() -> None:
    assert await claims_of_person(WHOLE, ("profile", "email", "phone", "address")) == CLAIMS


async def test_releases_the_claims_of_each_scope_alone() -> None:
    assert await claims_of_person(WHOLE, ("email",)) == {"email": "jan@example.nl", "email_verified": True}
    assert list(await claims_of_person(WHOLE, ("address",))) == ["address"]
    assert await claims_of_person(WHOLE, ()) == {}


@pytest.mark.parametrize("broken", [
    {}, {"profile": None}, {"profile": []}, {"profile": {"email_addresses": {}, "phone_numbers": "none"}},
    {"profile": {"name": "Jan", "email_addresses": [], "address": {}, "date_of_birth": "unknown"}},
])  # fmt: skip
async def test_leaves_out_what_the_api_does_not_hold(broken: dict[str, Any]) -> None:
    assert await claims_of_person(broken, ("profile", "email", "phone", "address")) == {}
