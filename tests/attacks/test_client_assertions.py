"""Attacks on client authentication by assertions."""

import asyncio
import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.jose.keys import public_jwk, symmetric
from appliance.jose.tokens import sign
from appliance.protocol import base64url
from appliance.protocol.records import Used
from appliance.seams import Change
from tests.support.assertions import (
    BOUND,
    CLIENTS,
    MAC,
    OTHER_SIGNER,
    SHARED,
    SIGNER,
    TOKEN_ENDPOINT,
    claims,
    key,
    post,
    present,
    provider,
    signed,
    spelt,
)
from tests.support.minting import CLIENT, ISSUER, NOW, SECRET, Answer, Mint, basic


def check_refused(answer: Answer) -> None:
    """401 invalid_client, and not a word about why."""
    assert (answer.status, answer.code) == (401, "invalid_client")
    assert answer.error is not None
    assert answer.error.description == "client authentication failed"


async def refused(op: Mint, assertion: str, **parameters: str | None) -> None:
    check_refused(await present(op, assertion, **parameters))


@pytest.mark.attack("CA-17")
@pytest.mark.parametrize("alg", ["none", "nOnE", "None", "", None, 5, ["RS256"], {"a": 1}, True, "ES256K", "RS1"])
async def test_the_provider_takes_no_algorithm_that_is_none(alg: Any) -> None:
    op = await provider()
    for header in ({"alg": alg}, {"alg": alg, "typ": "JWT"}):
        text = spelt(key("ES256"), header, json.dumps(claims()))
        await refused(op, text)
        await refused(op, text.rpartition(".")[0] + ".")
    await refused(op, spelt(key("ES256"), {"typ": "JWT"}, json.dumps(claims(jti="2"))))


@pytest.mark.attack("CA-18")
async def test_the_provider_takes_no_public_key_for_a_secret() -> None:
    op = await provider()
    jwk = public_jwk(key("RS256"))
    number = base64url.decode(jwk["n"])
    for position, text in enumerate(
        (json.dumps(jwk).encode(), json.dumps(jwk, separators=(",", ":")).encode(), jwk["n"].encode(), number)
    ):
        mac = symmetric(text, "HS256", kid=jwk["kid"])
        await refused(op, sign(mac, claims(jti=str(position))))
    # Nor the other way round: a secret's client shows a signature with a key that it sends along.
    header = {"alg": "ES256", "jwk": public_jwk(key("ES256"))}
    await refused(op, spelt(key("ES256"), header, json.dumps(claims(MAC))))


@pytest.mark.attack("CA-18")
async def test_the_provider_takes_no_key_from_a_header() -> None:
    op = await provider()
    stranger = key("ES256", "stranger")
    jwk = public_jwk(stranger)
    url = "https://evil.example/"
    for more in ({"jwk": jwk}, {"jku": url}, {"x5u": url}, {"x5c": ["AA=="]}):
        await refused(op, spelt(stranger, {"alg": "ES256", **more}, json.dumps(claims())))


@pytest.mark.attack("CA-20")
async def test_the_provider_takes_only_the_registered_algorithm() -> None:
    op = await provider()
    for alg in ("PS256", "RS256", "EdDSA"):
        await refused(op, signed(BOUND, alg=alg))
    assert (await present(op, signed(BOUND, alg="ES256"))).status == 200


AUDIENCES: list[Any] = [
    TOKEN_ENDPOINT,
    ISSUER + "/par",
    ISSUER + "/",
    ISSUER.upper(),
    ISSUER.replace("https", "HTTPS"),
    ISSUER + " ",
    ISSUER + "#",
    "op.example",
    "",
    [ISSUER, "https://evil.test"],
    [ISSUER, TOKEN_ENDPOINT],
    [ISSUER, ISSUER],
    [[ISSUER]],
    [],
    {},
    {ISSUER: 1},
    None,
    5,
    True,
    [5],
    ["https://evil.test"],
]


@pytest.mark.attack("CA-21", "CA-22")
@pytest.mark.spec("RFC 7523", "3")
@pytest.mark.parametrize("aud", AUDIENCES)
async def test_the_provider_takes_only_assertions_for_itself_alone(aud: Any) -> None:
    op = await provider()
    await refused(op, signed(aud=aud))


@pytest.mark.attack("CA-21", "CA-22")
async def test_the_provider_takes_its_token_endpoint_where_the_profile_says_so() -> None:
    op = await provider(audience="issuer_or_token_endpoint")
    for number, aud in enumerate((ISSUER, TOKEN_ENDPOINT, [TOKEN_ENDPOINT], [ISSUER, TOKEN_ENDPOINT])):
        assert (await present(op, signed(aud=aud, jti=str(number)))).status == 200
    for aud in ([ISSUER, "https://evil.test"], [TOKEN_ENDPOINT, "https://evil.test"], TOKEN_ENDPOINT + "/", [], {}):
        await refused(op, signed(aud=aud, jti="x"))


@pytest.mark.attack("CA-23")
async def test_the_provider_takes_its_issuer_as_the_one_member_of_a_list() -> None:
    op = await provider()
    assert (await present(op, signed(aud=[ISSUER]))).status == 200


@pytest.mark.attack("CA-21", "CA-22", "CA-23")
@pytest.mark.spec("FAPI 2.0 Security Profile", "5.3.2.1")
async def test_the_provider_takes_its_issuer_as_a_string_alone_where_the_profile_says_so() -> None:
    op = await provider(audience="issuer_only")
    assert (await present(op, signed(aud=ISSUER))).status == 200
    for aud in ([ISSUER], [ISSUER, ISSUER], [ISSUER, TOKEN_ENDPOINT], TOKEN_ENDPOINT, [], ISSUER + "/", {ISSUER: 1}):
        await refused(op, signed(aud=aud, jti="x"))


@pytest.mark.attack("CA-24")
@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "other-signer"},
        {"sub": "other-signer"},
        {"iss": "other-signer", "sub": "other-signer"},
        {"iss": None},
        {"sub": None},
        {"iss": ["signer"]},
        {"sub": ["signer"]},
        {"iss": ""},
        {"sub": ""},
        {"sub": "SIGNER"},
        {"sub": "signer "},
        {"sub": 5},
        {"iss": ISSUER},
        {"sub": "nobody-here", "iss": "nobody-here"},
        {"sub": "s" * 3000},
    ],
)
async def test_the_provider_takes_no_assertion_about_somebody_else(changes: dict[str, Any]) -> None:
    op = await provider()
    await refused(op, signed(**changes))
    await refused(op, signed(**changes), client_id="signer")


@pytest.mark.attack("CA-24")
async def test_the_provider_takes_no_client_id_beside_another() -> None:
    op = await provider()
    await refused(op, signed(), client_id="other-signer")
    assert (await present(op, signed(), client_id="signer")).status == 200


SPELT = [
    '"exp":9999999999',
    f'"exp":{int(NOW)}',
    f'"exp":{int(NOW) - 300}',
    f'"exp":{int(NOW) + 10 * 365 * 86400}',
    f'"exp":{(int(NOW) + 60) * 1000}',
    f'"exp":"{int(NOW) + 60}"',
    '"exp":"9999999999"',
    '"exp":true',
    '"exp":null',
    '"exp":[]',
    '"exp":1e400',
    '"exp":-1e400',
    '"exp":NaN',
    '"exp":Infinity',
    '"exp":-1',
    '"exp":0',
    '"exp":' + "9" * 5000,
    f'"exp":{int(NOW) + 60},"exp":{int(NOW) + 60}',
    '"x":1',
]


@pytest.mark.attack("CA-25")
@pytest.mark.parametrize("exp", SPELT, ids=lambda text: text[:24])
@pytest.mark.parametrize("unit", ["seconds", "auto"])
async def test_the_provider_takes_no_end_that_is_none_or_far(exp: str, unit: str) -> None:
    op = await provider(exp_unit=unit)
    payload = f'{{"iss":"signer","sub":"signer","aud":"{ISSUER}","jti":"1",{exp}}}'
    answer = await present(op, spelt(key("ES256"), {"alg": "ES256"}, payload))
    if unit == "auto" and exp == f'"exp":{(int(NOW) + 60) * 1000}':
        assert answer.status == 200
    else:
        check_refused(answer)


@pytest.mark.attack("CA-25", "CA-27")
@pytest.mark.seed("001")
async def test_the_provider_remembers_an_assertion_in_milliseconds_to_its_end() -> None:
    op = await provider(exp_unit="auto")
    text = signed(MAC, alg="HS256", exp=(int(NOW) + 60) * 1000, iat=None)
    assert (await present(op, text)).status == 200
    op.forward(59)
    await refused(op, text)
    op.forward(2)
    await refused(op, text)
    await refused(op, signed(MAC, alg="HS256", exp=(int(NOW) + 86400) * 1000, jti="far"))


@pytest.mark.attack("CA-26")
@pytest.mark.parametrize("name", ["iat", "nbf"])
async def test_the_provider_allows_clocks_a_minute_and_no_more(name: str) -> None:
    op = await provider()
    changes: dict[str, Any] = {name: int(NOW) + 61}
    await refused(op, signed(jti="a", **changes))
    for number, ahead in enumerate((8, 60, -86400)):
        changes = {name: int(NOW) + ahead}
        assert (await present(op, signed(jti=str(number), **changes))).status == 200
    for value in ("1", True, [], -1):
        changes = {name: value}
        await refused(op, signed(jti="b", **changes))


@pytest.mark.attack("CA-27")
async def test_the_provider_takes_an_assertion_once() -> None:
    op = await provider()
    text = signed()
    answers = await asyncio.gather(*(present(op, text) for _ in range(12)))
    assert sorted(answer.status for answer in answers) == [200] + [401] * 11 or {
        answer.status for answer in answers
    } == {200, 401, 429}
    assert [answer.status for answer in answers].count(200) == 1


@pytest.mark.attack("CA-28")
async def test_the_provider_takes_no_other_spelling_of_a_used_assertion() -> None:
    op = await provider()
    text = signed()
    assert (await present(op, text)).status == 200
    head, payload, signature = text.split(".")
    last = signature[-1]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    sibling = alphabet[alphabet.index(last) ^ 1]
    standard = base64.b64encode(base64url.decode(signature)).decode()
    spellings = [
        text + "=",
        text + "==",
        f"{head}=.{payload}.{signature}",
        f"{head}.{payload}.{standard}",
        f"{head}.{payload}.{signature[:-1]}{sibling}",
        text + "\n",
        " " + text,
        text + ".",
    ]
    for spelling in spellings:
        op.forward(0.001)
        await refused(op, spelling)
    # Signed anew the text is another, and still the same assertion.
    await refused(op, signed())
    await refused(op, signed(extra="member"))


@pytest.mark.attack("CA-29")
@pytest.mark.parametrize("jti", [None, "", "j" * 257, "j" * 5000, 5, True, ["a"], {"a": 1}])
async def test_the_provider_takes_no_assertion_without_a_name(jti: Any) -> None:
    op = await provider()
    await refused(op, signed(jti=jti))


@pytest.mark.attack("CA-29")
async def test_the_provider_takes_no_assertion_of_a_megabyte() -> None:
    op = await provider()
    text = signed(jti="j" * 1_000_000)
    assert (await present(op, text)).status in (400, 401)


@pytest.mark.attack("CA-29")
async def test_names_of_assertions_are_each_client_s_own() -> None:
    op = await provider()
    assert (await present(op, signed(jti="same"))).status == 200
    other = sign(key("ES256", "other"), claims(OTHER_SIGNER, jti="same"))
    assert (await present(op, other)).status == 200
    assert (await present(op, signed(MAC, alg="HS256", jti="same"))).status == 200
    assert (await present(op, signed(jti="j" * 256))).status == 200


@pytest.mark.attack("CA-29")
async def test_nothing_is_remembered_of_assertions_that_nobody_proved() -> None:
    op = await provider()
    written: list[Change] = []
    commit = op.store.commit

    async def watched(change: Change) -> bool:
        written.append(change)
        return await commit(change)

    op.store.commit = watched  # type: ignore[method-assign]
    await refused(op, sign(key("ES256", "stranger"), claims()))
    await refused(op, sign(key("ES256", "stranger"), claims(iss="nobody", sub="nobody")))
    await refused(op, signed(aud="https://evil.test"))
    assert not [record for change in written for record in change.put if isinstance(record, Used)]
    assert (await present(op, signed())).status == 200
    assert [record for change in written for record in change.put if isinstance(record, Used)]


@pytest.mark.attack("CA-30")
async def test_the_provider_knows_a_used_assertion_after_a_restart_and_in_another_process(tmp_path: Path) -> None:
    one = await provider(database=tmp_path / "op.sqlite")
    two = await provider(database=tmp_path / "op.sqlite")
    try:
        text, second = signed(), signed(jti="2")
        assert (await present(one, text)).status == 200
        await refused(two, text)
        answers = await asyncio.gather(present(one, second), present(two, second))
        assert sorted(answer.status for answer in answers) == [200, 401]
    finally:
        await one.store.close()
        await two.store.close()
    three = await provider(database=tmp_path / "op.sqlite")
    try:
        await refused(three, text)
    finally:
        await three.store.close()


@pytest.mark.attack("CA-31")
@pytest.mark.spec("RFC 7521", "4.2")
async def test_the_provider_takes_assertions_of_one_type_only() -> None:
    op = await provider()
    for kind in (
        None,
        "",
        "jwt-bearer",
        "urn:ietf:params:oauth:client-assertion-type:saml2-bearer",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "URN:IETF:PARAMS:OAUTH:CLIENT-ASSERTION-TYPE:JWT-BEARER",
    ):
        await refused(op, signed(), client_assertion_type=kind)
    kind = "client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
    text = f"client_assertion={signed()}"
    for doubled in (f"{kind}&{kind}&{text}", f"{kind}&client_assertion=a&{text}"):
        answer = await post(op, f"grant_type=client_credentials&{doubled}")
        assert (answer.status, answer.code) == (400, "invalid_request")


@pytest.mark.attack("CA-31", "CA-08")
@pytest.mark.spec("RFC 6749", "2.3")
async def test_the_provider_takes_one_credential_a_request() -> None:
    op = await provider()
    kind = "client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
    body = f"grant_type=client_credentials&scope=reports.read&{kind}&client_assertion={signed()}"
    for more, headers in (
        ("", {"authorization": basic(CLIENT.client_id, SECRET)}),
        ("&client_id=signer&client_secret=x", {}),
    ):
        answer = await post(op, body + more, **headers)
        assert (answer.status, answer.code) == (400, "invalid_request")
    assert (await post(op, body)).status == 200


@pytest.mark.attack("CA-32")
@pytest.mark.parametrize(
    "typ", ["at+jwt", "logout+jwt", "dpop+jwt", "oauth-authz-req+jwt", "secevent+jwt", "JWE", "application/x", "Jwt "]
)
async def test_the_provider_takes_no_token_of_another_type(typ: str) -> None:
    op = await provider()
    await refused(op, signed(typ=typ))


@pytest.mark.attack("CA-32")
@pytest.mark.parametrize(
    "member",
    [
        {"events": {"http://schemas.openid.net/event/backchannel-logout": {}}},
        {"nonce": "n"},
        {"at_hash": "x"},
        {"response_type": "code"},
        {"redirect_uri": "https://rp.example/callback"},
        {"htm": "POST", "htu": TOKEN_ENDPOINT},
    ],
)
async def test_the_provider_takes_no_token_with_members_of_another(member: dict[str, Any]) -> None:
    op = await provider()
    await refused(op, signed(**member))


@pytest.mark.attack("CA-32")
async def test_the_provider_takes_no_token_of_its_own() -> None:
    op = await provider(clients=(*CLIENTS, replace(SIGNER, client_id=ISSUER)))
    key_of_ours = op.profile.keys.signing(None)
    for claimed in (claims(iss=ISSUER), claims(), claims(iss=ISSUER, sub=ISSUER)):
        for typ in ("JWT", None, "at+jwt"):
            await refused(op, sign(key_of_ours, claimed, typ))
    tokens = await op.front({"code", "id_token"}, CLIENT)
    await refused(op, tokens["id_token"])


@pytest.mark.parametrize("typ", [None, "JWT", "client-authentication+jwt"])
async def test_the_provider_takes_assertions_that_say_what_they_are(typ: str | None) -> None:
    op = await provider()
    assert (await present(op, signed(typ=typ))).status == 200


@pytest.mark.attack("CA-35")
@pytest.mark.parametrize(
    "kid",
    [
        "../../etc/passwd",
        "' OR 1=1--",
        {"a": 1},
        ["a"],
        5,
        None,
        True,
        "k" * 1000,
        "other",
        "revoked",
        "\\u0000",
        "",
    ],
)
async def test_the_provider_looks_for_keys_among_the_client_s_own_only(kid: Any) -> None:
    op = await provider()
    for signer in (key("ES256"), key("ES256", "other")):
        await refused(op, spelt(signer, {"alg": "ES256", "kid": kid}, json.dumps(claims())))


@pytest.mark.attack("CA-35")
async def test_the_provider_takes_no_key_of_another_client_or_another_type() -> None:
    op = await provider()
    await refused(op, sign(key("ES256", "other"), claims()))
    await refused(op, spelt(key("ES256", "other"), {"alg": "ES256"}, json.dumps(claims())))
    named = {"alg": "ES256", "kid": key("PS256").kid}
    await refused(op, spelt(key("ES256"), named, json.dumps(claims())))


@pytest.mark.attack("CA-19")
async def test_the_provider_takes_no_mac_where_a_signature_is_registered_nor_the_reverse() -> None:
    op = await provider()
    await refused(op, signed(alg="HS256"))
    await refused(op, signed(MAC, alg="ES256"))
    await refused(op, sign(symmetric(SHARED, "HS256"), claims(CLIENT)))
    await refused(op, signed(CLIENT))


@pytest.mark.attack("CA-33")
@pytest.mark.parametrize("crit", [[], ["exp"], ["b64"], "exp", None])
async def test_the_provider_understands_no_critical_extension(crit: Any) -> None:
    op = await provider()
    await refused(op, spelt(key("ES256"), {"alg": "ES256", "crit": crit}, json.dumps(claims())))
    await refused(op, spelt(key("ES256"), {"alg": "ES256", "b64": False}, json.dumps(claims())))


@pytest.mark.attack("CA-34")
@pytest.mark.parametrize(
    "payload",
    ["", "[]", "null", "5", '"a"', "{", "[" * 5000, '{"a":' * 9 + "1" + "}" * 9, '{"sub":"\\ud800"}', "\udc80"],
    ids=lambda text: repr(text[:12]),
)
async def test_the_provider_answers_broken_claims_like_wrong_ones(payload: str) -> None:
    op = await provider()
    body = payload.encode("utf-8", "surrogateescape")
    await refused(op, spelt(key("ES256"), {"alg": "ES256"}, body))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from(["iss", "sub", "aud", "exp", "iat", "nbf", "jti", "nonce"])
HEADERS = st.sampled_from(["alg", "kid", "typ", "crit", "b64", "jwk", "cty", "zip"])
CHANGES = st.dictionaries(NAMES, JSON, min_size=1, max_size=3)


@pytest.mark.attack("CA-17", "CA-25", "CA-29", "CA-34", "CA-35")
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(changes=CHANGES, header=st.dictionaries(HEADERS, JSON, max_size=2), cut=st.integers(0, 40))
def test_no_assertion_whatever_makes_the_provider_fail(
    changes: dict[str, Any], header: dict[str, Any], cut: int
) -> None:
    async def attempt() -> None:
        op = await provider()
        text = spelt(key("ES256"), {"alg": "ES256", **header}, json.dumps(claims() | changes))
        for each in (text, text[: max(0, len(text) - cut)], text.replace(".", "", cut % 3)):
            answer = await present(op, each)
            assert answer.status in (200, 400, 401)
            if answer.status == 200:
                assert set(changes) <= {"iat", "nbf", "exp", "jti", "aud"}

    asyncio.run(attempt())


@pytest.mark.attack("CA-34")
@settings(max_examples=150, deadline=None)
@given(
    text=st.text(max_size=200)
    | st.from_regex(r"[A-Za-z0-9_-]{0,40}(\.[A-Za-z0-9_-]{0,40}){0,4}", fullmatch=True)
)
def test_no_text_whatever_makes_the_provider_fail(text: str) -> None:
    async def attempt() -> None:
        answer = await present(await provider(), text)
        assert answer.status in (400, 401)

    asyncio.run(attempt())
