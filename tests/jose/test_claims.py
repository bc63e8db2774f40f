"""The registered claims, sent with every type JSON has."""

import pytest

from appliance.jose.claims import check_audience, check_issuer, check_times, read_text
from appliance.jose.problems import TokenProblem

NOW = 1_800_000_000.0


def times(claims, **options):
    """Checks against a fixed clock."""
    check_times(claims, NOW, **options)


@pytest.mark.attack("CA-25", "TB-08")
@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
@pytest.mark.parametrize(
    "value", ["9999999999", True, False, None, [], {}, float("inf"), float("nan"), -1, 2**53, 1e300, 10**400]
)
def test_refuses_times_that_are_not_times(name, value):
    with pytest.raises(TokenProblem):
        times({"exp": NOW + 60, name: value})


@pytest.mark.attack("CA-25")
@pytest.mark.spec("RFC 7519", "4.1.4")
def test_refuses_tokens_that_are_over_or_last_too_long():
    times({"exp": NOW + 1})
    times({"exp": NOW - 9.5}, leeway=10)
    times({"exp": NOW + 300}, max_ttl=300)
    times({}, required=())
    for claims, options in (
        ({}, {}),
        ({"exp": NOW}, {}),
        ({"exp": NOW - 300}, {"leeway": 10}),
        ({"exp": NOW - 10}, {"leeway": 10}),
        ({"exp": NOW + 315_360_000}, {"max_ttl": 300}),
        ({"exp": (NOW + 60) * 1000}, {"max_ttl": 300}),
        ({"exp": NOW + 60}, {"required": ("exp", "iat")}),
    ):
        with pytest.raises(TokenProblem):
            times(claims, **options)


@pytest.mark.attack("CA-26")
def test_refuses_tokens_from_the_future_and_from_long_ago():
    times({"iat": NOW + 8, "nbf": NOW + 8}, required=("iat",), leeway=60)
    for name in ("iat", "nbf"):
        with pytest.raises(TokenProblem):
            times({"exp": NOW + 600, name: NOW + 61}, leeway=60)
    with pytest.raises(TokenProblem):
        times({"exp": NOW + 60, "iat": NOW - 86400}, max_age=3600, leeway=60)


@pytest.mark.attack("CA-26")
def test_a_clock_that_is_ahead_may_write_so_but_gives_no_longer_life():
    times({"exp": NOW + 60, "iat": NOW + 9, "nbf": NOW + 9}, early=10)
    for claims in (
        {"exp": NOW + 60, "iat": NOW + 11},
        {"exp": NOW + 60, "nbf": NOW + 11},
        {"exp": NOW - 1},
    ):
        with pytest.raises(TokenProblem):
            times(claims, early=10)
    with pytest.raises(TokenProblem):
        times({"exp": NOW + 61}, early=10, max_ttl=60)


@pytest.mark.attack("CA-22", "CA-23")
@pytest.mark.spec("RFC 7519", "4.1.3")
def test_accepts_its_own_audience_only():
    here, there = "https://op.test/a", "https://op.test/b"
    check_audience({"aud": here}, {here}, sole=True, as_text=True)
    check_audience({"aud": [here]}, {here}, sole=True)
    check_audience({"aud": [there, here]}, {here})
    for aud in (
        [],
        {},
        None,
        5,
        True,
        "",
        [""],
        [5],
        [here, 5],
        [here, None],
        here + "/",
        here.upper(),
        [here] * 17,
        "a" * 3000,
    ):
        with pytest.raises(TokenProblem):
            check_audience({"aud": aud}, {here})
    for claims, options in (
        ({}, {}),
        ({"aud": there}, {}),
        ({"aud": [here, there]}, {"sole": True}),
        ({"aud": [here, here]}, {"sole": True}),
        ({"aud": [here]}, {"as_text": True}),
    ):
        with pytest.raises(TokenProblem):
            check_audience(claims, {here}, **options)


@pytest.mark.attack("CA-24")
@pytest.mark.parametrize(
    "iss", ["https://op.test/a/", "https://OP.test/a", "", None, 5, ["https://op.test/a"], True]
)
def test_compares_the_issuer_to_the_letter(iss):
    check_issuer({"iss": "https://op.test/a"}, "https://op.test/a")
    with pytest.raises(TokenProblem):
        check_issuer({"iss": iss}, "https://op.test/a")
    with pytest.raises(TokenProblem):
        check_issuer({}, "https://op.test/a")


@pytest.mark.attack("CA-29")
@pytest.mark.parametrize("jti", [None, 5, "", "j" * 1_000_000, ["a"], True])
def test_refuses_a_jti_that_is_no_short_text(jti):
    assert read_text({"jti": "a"}, "jti", max_length=256) == "a"
    with pytest.raises(TokenProblem):
        read_text({"jti": jti}, "jti", max_length=256)
