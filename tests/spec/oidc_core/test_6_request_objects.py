"""OpenID Connect Core 6: authorization requests as JWT, by value and by reference."""

import hashlib
import json
from typing import Any

import pytest

from appliance.protocol import base64url
from tests.outbound.servers import plain, serving
from tests.support.browser import Browser, answer, header
from tests.support.minting import CHALLENGE, basic, claims_of
from tests.support.objects import (
    ASKED,
    ENCRYPTED,
    KEY,
    OTHER_URI,
    REDIRECT_URI,
    RSA_KEY,
    SECRET,
    address,
    claims,
    end,
    mac,
    raw,
    sealed,
    shop_provider,
    signed,
    unsigned,
)

UNSIGNED = {"compat": {"unsigned_request_objects": True}}
LOOPBACK = {"outbound": {"allow_loopback": True}}


async def metadata(op: Any) -> Any:
    return json.loads((await Browser(op).visit("/.well-known/openid-configuration")).body)


@pytest.mark.spec("OpenID Connect Core", "6.1")
@pytest.mark.parametrize("request_object", [signed(), signed(RSA_KEY), mac(), mac("HS256", aud=["http://localhost:8080"])])
async def test_reads_an_object_that_the_client_signed(request_object: str) -> None:
    async with shop_provider() as op:
        found = await end(op, address(request=request_object, state=None))
        assert found.parameters.keys() == {"code", "state", "iss"}
        assert found.parameters["state"] == "inside"


@pytest.mark.spec("OpenID Connect Core", "6.1")
async def test_takes_values_of_the_object_before_those_beside_it() -> None:
    async with shop_provider() as op:
        found = await end(op, address(request=signed(redirect_uri=OTHER_URI), redirect_uri="https://evil.example/cb"))
        assert found.location is not None and found.location.startswith(OTHER_URI)
        assert found.parameters["state"] == "inside"


@pytest.mark.spec("OpenID Connect Core", "6.3.3")
async def test_takes_from_outside_what_the_object_does_not_have() -> None:
    async with shop_provider() as op:
        found = await end(op, address(request=signed(state=None, nonce=None), state="outside", nonce="n-outside"))
        assert found.parameters["state"] == "outside"
        assert await nonce_of(op, found.parameters["code"], REDIRECT_URI) == "n-outside"


@pytest.mark.spec("OpenID Connect Core", "6.1")
async def test_gives_the_nonce_of_the_object_to_the_id_token() -> None:
    async with shop_provider() as op:
        found = await end(op, address(request=signed()))
        assert await nonce_of(op, found.parameters["code"], REDIRECT_URI) == "n-inside"


async def nonce_of(op: Any, code: str, redirect_uri: str) -> Any:
    browser = Browser(op)
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
    response = await browser.request("POST", "/token", form=form, headers={"Authorization": basic("shop", SECRET)})
    return claims_of(json.loads(response.body)["id_token"])["nonce"]


@pytest.mark.spec("OpenID Connect Core", "6.1")
async def test_reads_claims_max_age_and_prompt_of_the_object() -> None:
    async with shop_provider() as op:
        asked = signed(prompt="none", max_age=60, claims={"id_token": {"auth_time": {"essential": True}}})
        assert (await end(op, address(request=asked))).error == "login_required"
        wrong = signed(claims={"id_token": {"auth_time": 1}})
        assert (await end(op, address(request=wrong))).error == "invalid_request"


@pytest.mark.spec("OpenID Connect Core", "6.1")
async def test_remembers_the_request_and_not_the_object_while_the_user_logs_in() -> None:
    async with shop_provider() as op:
        browser = Browser(op)
        login = await browser.visit(address(request=signed(exp=int(op.clock()) + 30)))
        op.clock.forward(120)
        assert answer(await browser.login(login))["state"] == "inside"


@pytest.mark.spec("OpenID Connect Core", "6.1")
async def test_takes_an_object_that_is_posted() -> None:
    async with shop_provider() as op:
        browser = Browser(op, origin="http://localhost:8080")
        first = await browser.request("POST", "/authorize", form=ASKED | {"request": signed()})
        login = await browser.visit((header(first, "Location") or "").removeprefix(browser.origin))
        assert answer(await browser.login(login))["state"] == "inside"


@pytest.mark.spec("OpenID Connect Core", "6.1")
async def test_says_which_parameter_it_does_not_support() -> None:
    off = {"request_parameter_supported": False, "request_uri_parameter_supported": False}
    async with shop_provider(profile=off) as op:
        assert (await end(op, address(request=signed()))).error == "request_not_supported"
        by_reference = await end(op, address(request_uri="https://shop.example.com/request.jwt"))
        assert by_reference.error == "request_uri_not_supported"
        found = await metadata(op)
        assert found["request_parameter_supported"] is found["request_uri_parameter_supported"] is False
        assert "request_object_signing_alg_values_supported" not in found


@pytest.mark.spec("OpenID Connect Discovery", "3")
async def test_advertises_what_it_reads() -> None:
    async with shop_provider(profile=UNSIGNED) as op:
        found = await metadata(op)
        assert found["request_parameter_supported"] is found["request_uri_parameter_supported"] is True
        assert found["require_request_uri_registration"] is True
        assert {"RS256", "ES256", "none"} <= set(found["request_object_signing_alg_values_supported"])
    async with shop_provider() as op:
        assert "none" not in (await metadata(op))["request_object_signing_alg_values_supported"]


@pytest.mark.spec("OpenID Connect Core", "6.1")
async def test_reads_unsigned_objects_only_where_the_profile_says_so() -> None:
    async with shop_provider(profile=UNSIGNED) as op:
        found = await end(op, address(request=unsigned(), state=None))
        assert found.parameters["state"] == "inside"
    async with shop_provider() as op:
        assert (await end(op, address(request=unsigned()))).error == "invalid_request_object"


@pytest.mark.spec("OpenID Connect Core", "6.3.2")
@pytest.mark.parametrize(
    ("registered", "request_object"),
    [("ES256", signed(RSA_KEY)), ("ES256", mac()), ("ES256", unsigned()), ("none", signed()), ("HS512", mac("HS256"))],
)
async def test_reads_no_other_algorithm_than_the_registered_one(registered: str, request_object: str) -> None:
    async with shop_provider(profile=UNSIGNED, request_object_signing_alg=registered) as op:
        assert (await end(op, address(request=request_object))).error == "invalid_request_object"


@pytest.mark.spec("RFC 9101", "6.1")
@pytest.mark.parametrize("alg", ["ECDH-ES", "RSA-OAEP-256"])
@pytest.mark.parametrize("enc", ["A128CBC-HS256", "A256GCM"])
async def test_opens_an_object_that_was_signed_and_then_encrypted(alg: str, enc: str) -> None:
    async with shop_provider(profile=ENCRYPTED) as op:
        for inside in (signed(), signed(RSA_KEY), mac()):
            found = await end(op, address(request=sealed(op, inside, alg, enc), state=None))
            assert found.parameters.get("state") == "inside", found.parameters


@pytest.mark.spec("OpenID Connect Core", "6.2")
async def test_opens_an_encrypted_object_by_reference() -> None:
    site = plain(b"")
    async with serving(lambda *asked: site(*asked)) as server:
        uri = server.url("/request.jwt")
        async with shop_provider(root=LOOPBACK, profile=ENCRYPTED, request_uris=[uri]) as op:
            site = plain(sealed(op, signed()).encode(), kind="application/oauth-authz-req+jwt")
            assert (await end(op, address(request_uri=uri, state=None))).parameters["state"] == "inside"
            site = plain(sealed(op, sealed(op, signed())).encode())
            assert (await end(op, address(request_uri=uri))).error == "invalid_request_object"


@pytest.mark.spec("OpenID Connect Registration", "2")
async def test_reads_other_encryptions_than_the_registered_one_and_none() -> None:
    """What is registered says what the client may use; it may still use the rest."""
    registered = {"request_object_encryption_alg": "ECDH-ES", "request_object_encryption_enc": "A256GCM"}
    async with shop_provider(profile=ENCRYPTED, **registered) as op:
        objects = (
            sealed(op, signed(), enc="A256GCM"),
            sealed(op, signed(), enc="A128CBC-HS256"),
            sealed(op, signed(), "RSA-OAEP-256", "A256GCM"),
            signed(),
        )
        for each in objects:
            assert (await end(op, address(request=each))).error is None


@pytest.mark.spec("OpenID Connect Core", "10.2.1")
async def test_opens_what_was_encrypted_before_the_keys_changed() -> None:
    async with shop_provider(profile=ENCRYPTED) as op:
        before = sealed(op, signed())
        await op.snapshot.profiles["main"].keys.rotate_now()
        assert (await end(op, address(request=before))).error is None
        assert (await end(op, address(request=sealed(op, signed())))).error is None


@pytest.mark.spec("OpenID Connect Discovery", "3")
async def test_advertises_encryption_only_of_requests_that_it_reads() -> None:
    shared = ["A128KW", "A192KW", "A256KW", "dir"]
    alg, enc = (f"request_object_encryption_{each}_values_supported" for each in ("alg", "enc"))
    off = {"request_parameter_supported": False, "request_uri_parameter_supported": False}
    async with shop_provider(profile=ENCRYPTED) as op:
        found = await metadata(op)
        assert found[alg] == ["ECDH-ES", "RSA-OAEP-256", *shared]
        assert {"A128CBC-HS256", "A256GCM"} <= set(found[enc])
        listed = json.loads((await Browser(op).visit("/jwks")).body)["keys"]
        assert [(key["use"], key["alg"]) for key in listed] == [
            ("sig", "RS256"), ("enc", "ECDH-ES"), ("enc", "RSA-OAEP-256"),
        ]  # fmt: skip
    async with shop_provider() as op:
        assert (await metadata(op))[alg] == shared
    async with shop_provider(profile=ENCRYPTED | off) as op:
        assert not {alg, enc} & (await metadata(op)).keys()


@pytest.mark.spec("OpenID Connect Core", "6.2.3")
async def test_fetches_a_registered_object_without_its_fragment() -> None:
    async with serving(plain(signed().encode(), kind="application/oauth-authz-req+jwt")) as server:
        uri = server.url("/request.jwt")
        async with shop_provider(root=LOOPBACK, request_uris=[uri + "#old"]) as op:
            found = await end(op, address(request_uri=uri + "#new", redirect_uri="https://evil.example", state=None))
            assert found.location is not None and found.location.startswith(REDIRECT_URI)
            assert found.parameters["state"] == "inside"
            assert server.asked[0].startswith(b"GET /request.jwt HTTP/1.1")


@pytest.mark.spec("OpenID Connect Core", "6.2")
async def test_remembers_an_object_by_its_hash_alone() -> None:
    text = (signed() + "\n").encode()
    digest = base64url.encode(hashlib.sha256(text).digest())
    async with serving(plain(text)) as server:
        uri = server.url("/request.jwt")
        async with shop_provider(root=LOOPBACK, request_uris=[uri]) as op:
            tries = (("", 1), ("", 2), ("#other", 3), ("#other", 4), (f"#{digest}", 5), (f"#{digest}", 5))
            for fragment, times in tries:
                assert (await end(op, address(request_uri=uri + fragment))).error is None
                assert len(server.asked) == times


@pytest.mark.spec("OpenID Connect Core", "3.1.2.6")
@pytest.mark.parametrize("status", ["404 Not Found", "302 Found", "500 Oops"])
async def test_calls_an_address_without_an_object_invalid(status: str) -> None:
    async with serving(plain(signed().encode(), "Location: /elsewhere", status=status)) as server:
        uri = server.url("/request.jwt")
        async with shop_provider(root=LOOPBACK, request_uris=[uri]) as op:
            assert (await end(op, address(request_uri=uri))).error == "invalid_request_uri"
            assert len(server.asked) == 1


@pytest.mark.spec("OpenID Connect Core", "6.1")
async def test_takes_the_challenge_from_where_its_method_is() -> None:
    async with shop_provider() as op:
        inside = signed(code_challenge=CHALLENGE)
        # The method that stands outside does not belong to the challenge inside: alone that means `plain`.
        mixed = await end(op, address(request=inside, code_challenge="x" * 43, code_challenge_method="S256"))
        assert mixed.error == "invalid_request"


@pytest.mark.spec("OpenID Connect Core", "6.3")
async def test_shows_a_page_where_nothing_verified_leads_to_the_client() -> None:
    async with shop_provider() as op:
        broken = raw({"alg": "ES256", "kid": KEY.kid}, json.dumps(claims()), "A" * 86)
        for outside in (None, "https://evil.example/cb"):
            found = await end(op, address(request=broken, redirect_uri=outside))
            assert found.on_page and found.location is None
        assert (await end(op, address(request=signed(redirect_uri="https://evil.example/cb")))).on_page
