"""Attacks on DPoP proofs: whoever sends one has chosen every octet of it, the key included."""

import base64
import json
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.jose.keys import generate, public_jwk, symmetric
from appliance.protocol import base64url
from appliance.protocol.http_uri import normalised
from tests.support.assertions import spelt
from tests.support.minting import ISSUER, JWT_SHOP, NOW, SPA, Answer, Mint, claims_of, mint, request
from tests.support.proving import (
    KEY,
    OTHER_KEY,
    TOKEN,
    USERINFO,
    claims_of_proof,
    jkt_of,
    jwk_of,
    look,
    proof,
    redeem,
    use_proof,
)

RSA = generate("PS256")
MEMBERS = st.sampled_from(["typ", "alg", "jwk", "kid", "kty", "crv", "x", "y", "n", "e", "x5c", "crit"])
HEADS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: st.dictionaries(MEMBERS, inner, max_size=5) | st.lists(inner, max_size=3),
    max_leaves=12,
)
CLAIMS = st.dictionaries(
    st.sampled_from(["jti", "htm", "htu", "iat", "ath", "nonce", "exp", "nbf"]),
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.lists(st.integers()),
)


def check_refused(answered: Answer, status: int = 400) -> None:
    assert (answered.status, answered.code) == (status, "invalid_dpop_proof")
    assert answered.error is not None
    assert answered.error.description == "the DPoP proof is not valid for this request"


async def refused(op: Mint, *proofs: str) -> None:
    """Refused at the token endpoint, and nothing is used up: a good proof redeems the same code."""
    code = await op.code(SPA)
    for text in proofs:
        asked = request(
            SPA, now=op.now[0], headers={"dpop": (text,)}, grant_type="authorization_code", code=code,
            redirect_uri="https://rp.example/callback", code_verifier="dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
        )  # fmt: skip
        check_refused(await op.send(asked))


@pytest.mark.attack("TB-01")
@pytest.mark.parametrize("name", ["typ", "alg", "jwk", "jti", "htm", "htu", "iat"])
async def test_the_provider_takes_no_proof_that_lacks_a_member(name: str) -> None:
    op = await mint()
    token = (await redeem(op))["access_token"]
    in_header = name in ("typ", "alg", "jwk")
    head, claims = ({name: None}, {}) if in_header else (None, {name: None})
    await refused(op, proof(KEY, op.now[0], head, **claims))
    check_refused(await look(op, token, use_proof(KEY, op.now[0], token, head, **claims)), 401)


@pytest.mark.attack("TB-02")
@pytest.mark.parametrize(
    "typ", ["jwt", "JWT", "dpop+JWT", "DPOP+jwt", "application/dpop+jwt", "dpop", "", 5, ["dpop+jwt"]]
)
async def test_the_provider_takes_no_other_type_for_a_proof(typ: Any) -> None:
    await refused(await mint(), proof(KEY, NOW, {"typ": typ}))


@pytest.mark.attack("TB-02")
async def test_the_provider_takes_no_algorithm_that_it_does_not_name() -> None:
    op = await mint()
    claims = json.dumps(claims_of_proof(op.now[0]))
    secret = symmetric(b"0" * 64, "HS256")
    oct_key = {"kty": "oct", "k": base64url.encode(b"0" * 64)}
    public = public_jwk(KEY)
    mac = symmetric(json.dumps(jwk_of(KEY)).encode().ljust(64), "HS256")
    ed = generate("EdDSA")
    await refused(
        op,
        *(proof(KEY, op.now[0], {"alg": alg}) for alg in ("none", "nOnE", "", "RS256", "HS256", "ES384", "EdDSA", 5)),
        spelt(KEY, {"typ": "dpop+jwt", "alg": "none", "jwk": public}, claims).rpartition(".")[0] + ".",
        spelt(secret, {"typ": "dpop+jwt", "alg": "HS256", "jwk": oct_key}, claims),
        spelt(mac, {"typ": "dpop+jwt", "alg": "HS256", "jwk": jwk_of(KEY)}, claims),
        # A good signature by an algorithm that is not offered, and keys of another type than the algorithm.
        proof(generate("RS256"), op.now[0]),
        proof(generate("ES384"), op.now[0]),
        proof(KEY, op.now[0], {"jwk": jwk_of(ed)}),
        proof(ed, op.now[0], {"alg": "ES256"}),
    )


@pytest.mark.attack("TB-02")
async def test_the_provider_takes_no_key_but_a_good_public_one() -> None:
    op = await mint()
    private = {**jwk_of(KEY), "d": base64url.encode(b"\1" * 32)}
    identity = {"kty": "OKP", "crv": "Ed25519", "x": base64url.encode(b"\1" + bytes(31))}
    point = {**jwk_of(KEY), "y": base64url.encode(b"\1" * 32)}
    zeros = spelt(KEY, {"typ": "dpop+jwt", "alg": "EdDSA", "jwk": identity}, json.dumps(claims_of_proof(NOW)))
    await refused(
        op,
        *(proof(KEY, op.now[0], {"jwk": jwk}) for jwk in (private, identity, point, jwk_of(OTHER_KEY), {}, [], "x", 5)),
        *(proof(KEY, op.now[0], {"jwk": None, name: "https://evil.example/"}) for name in ("jku", "x5u", "kid")),
        proof(KEY, op.now[0], {"jwk": {**jwk_of(KEY), "use": "enc"}}),
        proof(KEY, op.now[0], {"jwk": {**jwk_of(KEY), "x5c": ["?"]}}),
        proof(KEY, op.now[0], {"crit": ["b64"], "b64": False}),
        zeros.rpartition(".")[0] + "." + base64url.encode(bytes(64)),
    )


@pytest.mark.attack("TB-05")
@pytest.mark.parametrize("htm", ["PUT", "post", "Post", "GET", "", "POST ", 5, None, ["POST"]])
async def test_the_provider_takes_no_proof_for_another_method(htm: Any) -> None:
    await refused(await mint(), proof(KEY, NOW, htm=htm))


@pytest.mark.attack("TB-05", "TB-06", "TB-07")
@pytest.mark.parametrize(
    "htu",
    [
        "https://evil.example/retail/token",
        "https://op.example.evil.example/retail/token",
        "https://op.example@evil.example/retail/token",
        "https://user@op.example/retail/token",
        "http://op.example/retail/token",
        "https://op.example:8443/retail/token",
        "https://op.example/retail/userinfo",
        "https://op.example/retail/token/",
        "https://op.example/retail/TOKEN",
        "https://op.example/retail//token",
        "https://op.example/retail/x/../token",
        "https://op.example/retail/token/../other",
        "https://op.example/retail/./token",
        "https://op.example/retail/%2e%2e/retail/token",
        "https://op.example/retail%2Ftoken",
        "https://op.example/retail/tok%65n\\",
        "https://op.example\\@evil.example/retail/token",
        "https://op.example/retail/token\n",
        " https://op.example/retail/token",
        "https://op.example/retail/tökén",
        "https://op.example/retail/%zz",
        "https:/op.example/retail/token",
        "//op.example/retail/token",
        "/retail/token",
        "token",
        "https://op.example",
        "https://op.example/retail/token" + "?" + "q" * 4000,
        {"url": TOKEN},
        [TOKEN],
        5,
        True,
        None,
        "",
    ],
    ids=str,
)
async def test_the_provider_takes_no_proof_for_another_address(htu: Any) -> None:
    await refused(await mint(), proof(KEY, NOW, htu=htu))


@pytest.mark.attack("TB-05")
async def test_the_provider_knows_its_address_whatever_the_request_says() -> None:
    op = await mint()
    text = proof(KEY, op.now[0], htu="https://evil.example/retail/token")
    headers = dict.fromkeys(("host", "x-forwarded-host", "forwarded", "x-forwarded-for"), ("evil.example",))
    asked = request(SPA, now=NOW, headers={**headers, "dpop": (text,)}, grant_type="authorization_code", code="x")
    check_refused(await op.send(asked))


@pytest.mark.attack("TB-06", "MA-04")
@pytest.mark.parametrize(
    "htu",
    [
        "HTTPS://OP.EXAMPLE:443/retail/token",
        "https://op.example:0443/retail/token",
        "https://op.example/retail/%74oken",
        "https://op.example/%72etail/toke%6E?q=1&r=/../x#f",
        "https://op.example/retail/token?",
        "https://op.example/retail/token#",
        TOKEN,
    ],
)
async def test_the_provider_takes_every_spelling_of_its_address(htu: str) -> None:
    assert (await redeem(await mint(), proof(KEY, NOW, htu=htu))).status == 200


@pytest.mark.attack("TB-08")
@pytest.mark.parametrize(
    "iat", [NOW + 3600, NOW - 3600, NOW + 61, NOW - 61, str(int(NOW)), True, -1, 0, None, [NOW], {}, 1e300], ids=str
)
async def test_the_provider_takes_no_proof_of_another_time(iat: Any) -> None:
    await refused(await mint(), proof(KEY, NOW, iat=iat))


@pytest.mark.attack("TB-08")
@pytest.mark.parametrize("number", ["1e400", "-1e400", "NaN", "Infinity", "9" * 400, "1795262400e0x"])
async def test_the_provider_survives_numbers_beyond_all_clocks(number: str) -> None:
    op = await mint()
    claims = json.dumps(claims_of_proof(NOW, iat=12345)).replace("12345", number)
    await refused(op, spelt(KEY, {"typ": "dpop+jwt", "alg": "ES256", "jwk": jwk_of(KEY)}, claims))


@pytest.mark.attack("TB-08", "MA-04")
@pytest.mark.parametrize("ahead", [-59, -10, 0, 10, 59])
async def test_the_provider_takes_proofs_of_clocks_that_are_a_little_off(ahead: int) -> None:
    assert (await redeem(await mint(), proof(KEY, NOW + ahead))).status == 200


@pytest.mark.attack("TB-08")
async def test_the_provider_takes_no_proof_that_says_itself_that_it_ended() -> None:
    await refused(await mint(), proof(KEY, NOW, exp=int(NOW) - 61), proof(KEY, NOW, nbf=int(NOW) + 61))


@pytest.mark.attack("TB-10")
async def test_the_provider_does_not_take_a_proof_again_in_another_spelling() -> None:
    op = await mint()
    text = proof(KEY, op.now[0])
    assert (await redeem(op, text)).status == 200
    head, payload, signature = text.split(".")
    raw = base64.urlsafe_b64decode(signature + "==")
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    twin = raw[:32] + (order - int.from_bytes(raw[32:], "big")).to_bytes(32, "big")
    last = signature[:-1] + chr(ord(signature[-1]) + 1)
    await refused(
        op,
        text,
        f"{text}=",
        f"{text}==",
        f" {text}",
        f"{text} ",
        f"{text}\n",
        f"{head}.{payload}.{last}",
        f"{head}.{payload}=.{signature}",
        ".".join((head, payload, base64.b64encode(raw).decode())),
        ".".join((head, payload, base64url.encode(twin))),
        f"{text},{text}",
        f"{text}.",
        "",
    )


@pytest.mark.attack("TB-10")
async def test_the_provider_takes_no_two_proofs() -> None:
    op = await mint()
    for proofs in ((proof(KEY, NOW), proof(KEY, NOW)), (proof(KEY, NOW), "")):
        asked = request(SPA, now=NOW, headers={"dpop": proofs}, grant_type="refresh_token", refresh_token="x")
        check_refused(await op.send(asked))


@pytest.mark.attack("TB-17")
async def test_the_provider_knows_a_key_however_it_is_spelt() -> None:
    op = await mint()
    jwk = jwk_of(RSA)
    number = base64url.decode(jwk["n"])
    longer = {**jwk, "n": base64url.encode(b"\0" + number)}
    more = {**jwk, "alg": "PS256", "use": "sig", "kid": "whatever", "ext": True, "x": "y"}
    expected = jkt_of(RSA)
    for spelling in (jwk, longer, more, dict(reversed(jwk.items()))):
        answered = await redeem(op, proof(RSA, op.now[0], {"jwk": spelling}), JWT_SHOP)
        if answered.status == 200:
            assert claims_of(answered["access_token"])["cnf"] == {"jkt": expected}
        else:
            check_refused(answered)
    assert (await redeem(op, proof(RSA, op.now[0], {"jwk": more}), JWT_SHOP)).status == 200
    padded = {**jwk, "n": jwk["n"] + "="}
    await refused(op, proof(RSA, op.now[0], {"jwk": padded}))


@pytest.mark.attack("TB-18")
async def test_the_provider_refuses_monsters_before_it_reads_them() -> None:
    op = await mint()
    head = {"typ": "dpop+jwt", "alg": "ES256", "jwk": jwk_of(KEY)}
    good = json.dumps(claims_of_proof(NOW))
    monsters = [
        spelt(KEY, head, "[" * 100_000 + "]" * 100_000),
        spelt(KEY, head, '{"a":' * 1500 + "1" + "}" * 1500),
        spelt(KEY, {**head, "x": "y" * 2_000_000}, good),
        spelt(KEY, head, good[:-1] + f', "htu": "{TOKEN}"}}'),
        spelt(KEY, json.dumps(head)[:-1] + ', "alg": "ES256"}', good),
        spelt(KEY, head, "[1]"),
        spelt(KEY, head, "\ud800".encode("utf-8", "surrogatepass")),
        spelt(KEY, head, ""),
        "a.b.c",
        "...",
        "\0",
        "é" * 100,
    ]
    for monster in monsters:
        began = time.process_time()
        await refused(op, monster)
        assert time.process_time() - began < 0.5


@pytest.mark.attack("TB-18")
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(head=HEADS, claims=CLAIMS)
async def test_the_provider_answers_any_proof(head: Any, claims: Any) -> None:
    op = await mint()
    good = {"typ": "dpop+jwt", "alg": "ES256", "jwk": jwk_of(KEY)}
    header = good | head if isinstance(head, dict) else head
    text = spelt(KEY, json.dumps(header), json.dumps(claims))
    check_refused(await redeem(op, text))
    token = (await redeem(op, id="again"))["access_token"]
    assert (await look(op, token, text)).code in ("invalid_dpop_proof", "invalid_token")


@pytest.mark.attack("MA-04")
@pytest.mark.parametrize("scheme", ["DPoP", "dpop", "DPOP"])
async def test_the_provider_knows_the_scheme_in_any_case(scheme: str) -> None:
    op = await mint()
    token = (await redeem(op))["access_token"]
    text = use_proof(KEY, op.now[0], token, htu=f"{USERINFO}?schema=openid")
    assert (await look(op, token, text, scheme=scheme)).status == 200


@given(st.text(max_size=60))
def test_every_text_has_a_form_or_none(text: str) -> None:
    for uri in (text, "https://op.example" + text, f"{ISSUER}/{text}"):
        form = normalised(uri)
        assert form is None or normalised(form) == form
