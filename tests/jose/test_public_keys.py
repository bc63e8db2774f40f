"""Keys of strangers."""

import base64

import pytest
from jwcrypto.jwk import JWK

from appliance.jose import jwk as jwk_members
from appliance.jose.keys import public_jwk
from appliance.jose.problems import KeyProblem, UnsupportedKey
from appliance.jose.public_keys import (
    RememberedKeys,
    choose_encryption_key,
    import_public,
    import_set,
    verification_keys,
)
from appliance.protocol import base64url
from tests.jose.conftest import make_key

P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P


def b64(octets):
    """Unpadded base64url."""
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def number(value):
    """A number as JWKs write it."""
    return b64(value.to_bytes((value.bit_length() + 7) // 8 or 1, "big"))


def ed25519(octets):
    """An Ed25519 JWK of 32 octets."""
    return {"kty": "OKP", "crv": "Ed25519", "x": b64(octets)}


def rsa():
    """A good RSA JWK."""
    return {name: value for name, value in public_jwk(make_key("RS256")).items() if name in ("kty", "n", "e")}


def add(one, other):
    """Sum of two points of the Edwards curve."""
    (x1, y1), (x2, y2) = one, other
    product = D * x1 * x2 * y1 * y2
    x = (x1 * y2 + x2 * y1) * pow(1 + product, -1, P)
    y = (y1 * y2 + x1 * x2) * pow(1 - product, -1, P)
    return x % P, y % P


def torsion_ys():
    """y of every point whose order divides 8, found by computing 8 times points of the curve."""
    order = 2**252 + 27742317777372353535851937790883648493
    found = set()
    y = 2
    while len(found) < 5:
        ratio = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
        root = pow(ratio, (P + 3) // 8, P)
        if root * root % P != ratio:
            root = root * pow(2, (P - 1) // 4, P) % P
        if root * root % P == ratio:
            point, times, result = (root, y), order, (0, 1)
            while times:
                result = add(result, point) if times & 1 else result
                point, times = add(point, point), times >> 1
            found.add(result[1])
        y += 1
    return found


@pytest.mark.attack("JW-04")
def test_refuses_every_small_order_ed25519_key():
    ys = torsion_ys()
    assert len(ys) == 5
    for y in ys:
        # Also y + p where that fits, the encodings that are not canonical, with both signs.
        for encoded in {y, y + P} if y + P < 2**255 else {y}:
            for sign in (0, 1 << 255):
                with pytest.raises(KeyProblem):
                    import_public(ed25519((encoded | sign).to_bytes(32, "little")))


@pytest.mark.attack("JW-04")
def test_refuses_an_ed25519_key_off_the_curve_or_not_canonical():
    off = next(
        y for y in range(2, 100) if pow((y * y - 1) * pow(D * y * y + 1, -1, P) % P, (P - 1) // 2, P) == P - 1
    )
    for value in (off, P, P + 3, 2**255 - 1):
        with pytest.raises(KeyProblem):
            import_public(ed25519(value.to_bytes(32, "little")))
    for length in (0, 31, 33, 64):
        with pytest.raises(KeyProblem):
            import_public(ed25519(b"\x03" * length))


@pytest.mark.attack("JW-17")
@pytest.mark.parametrize("u", [*sorted(jwk_members._X25519_LOW_ORDER), P, P + 1, 2**255 - 1, 2**256 - 1])
def test_refuses_low_order_x25519_keys(u):
    with pytest.raises(KeyProblem):
        import_public({"kty": "OKP", "crv": "X25519", "x": b64(u.to_bytes(32, "little"))})


@pytest.mark.attack("JW-05")
@pytest.mark.parametrize("e", [0, 1, 2, 3, 17, 65535, 65536, 65538, 2**32 + 1, 2**2047 + 1])
def test_refuses_rsa_exponents_that_sign_for_anybody_or_take_forever(e):
    with pytest.raises(KeyProblem):
        import_public({**rsa(), "e": number(e)})


@pytest.mark.attack("JW-05")
def test_refuses_rsa_moduli_that_are_small_huge_even_or_easy():
    n = int.from_bytes(base64url.decode(rsa()["n"]), "big")
    small = int.from_bytes(base64url.decode(JWK.generate(kty="RSA", size=1024)["n"]), "big")
    for bad in (0, 1, small, n - 1, 2**8192 + 1, n * 2**7000 + 1, n * 3, n * 751 * 2 + 751):
        with pytest.raises(KeyProblem):
            import_public({**rsa(), "n": number(bad)})


@pytest.mark.spec("RFC 7518", "6.2.1.2")
def test_refuses_ec_keys_off_their_curve_or_of_another_length():
    good = JWK.generate(kty="EC", crv="P-256").export_public(as_dict=True)
    x = base64url.decode(good["x"])
    for change in (
        {"x": b64(x[::-1])},
        {"x": b64(b"\0" + x)},
        {"x": b64(x[:-1])},
        {"x": b64(bytes(32)), "y": b64(bytes(32))},
        {"x": b64(b"\xff" * 32)},
        {"crv": "P-384"},
        {"crv": "Ed25519"},
        {"y": None},
        {"y": 5},
    ):
        with pytest.raises(KeyProblem):
            import_public({**good, **change})


@pytest.mark.parametrize("member", ["d", "p", "q", "dp", "dq", "qi", "oth", "k"])
def test_refuses_private_material_where_a_public_key_belongs(member):
    with pytest.raises(KeyProblem, match="private"):
        import_public({**rsa(), member: "AQAB"})
    with pytest.raises(KeyProblem, match="symmetric"):
        import_public({"kty": "oct"})


@pytest.mark.spec("RFC 7638", "3.1")
def test_gives_one_thumbprint_to_all_texts_of_one_key():
    jwk = rsa()
    padded = b64(b"\0\0" + base64url.decode(jwk["n"]))
    assert (
        import_public({**jwk, "n": padded, "e": "AAEAAQ", "extra": "x"}).thumbprint == make_key("RS256").kid
    )


@pytest.mark.parametrize(
    "text", ["AQAB=", "AQAB==", "AQ+B", "AQ/B", " AQAB", "AQAB\n", "AQ.B", "A", "", "AQAC" * 400]
)
def test_refuses_members_that_are_not_canonical(text):
    with pytest.raises(KeyProblem):
        import_public({**rsa(), "e": text})


@pytest.mark.attack("CA-35")
@pytest.mark.parametrize(
    "change",
    [
        {"kid": {"a": 1}},
        {"kid": "k" * 257},
        {"kid": ""},
        {"kid": None},
        {"kid": "\n"},
        {"alg": 5},
        {"use": []},
    ]
    + [{"key_ops": ops} for ops in ("verify", [], [1], ["verify", "verify"], ["x"] * 99)]
    + [{str(index): "" for index in range(40)}],
)
def test_refuses_members_of_the_wrong_type(change):
    with pytest.raises(KeyProblem):
        import_public({**rsa(), **change})


@pytest.mark.spec("RFC 8725", "3.1")
def test_binds_a_stranger_s_key_to_its_algorithm_and_use():
    jwk = rsa()
    assert import_public(jwk).verification("RS256").alg == "RS256"
    for change, alg in (
        ({"alg": "PS256"}, "RS256"),
        ({"use": "enc"}, "RS256"),
        ({"use": "other"}, "RS256"),
        ({"key_ops": ["encrypt"]}, "RS256"),
        ({}, "ES256"),
        ({}, "HS256"),
        ({}, "EdDSA"),
        ({}, "none"),
    ):
        with pytest.raises(KeyProblem):
            import_public({**jwk, **change}).verification(alg)
    with pytest.raises(KeyProblem):
        import_public({**jwk, "use": "sig"}).encryption("RSA-OAEP")


@pytest.mark.spec("RFC 7517", "5")
def test_leaves_out_keys_of_unknown_kinds_but_refuses_a_bad_one():
    unknown = [
        {"kty": "AKP"},
        {"kty": "EC", "crv": "secp256k1"},
        {**rsa(), "alg": "RSA1_5"},
        {"kty": ["x"]},
        {},
    ]
    assert len(import_set({"keys": [*unknown, rsa()]})) == 1
    for bad in ({**rsa(), "e": "AQ"}, {**rsa(), "d": "AQ"}, "text", None, {"kty": "oct", "k": "AAAA"}):
        with pytest.raises(KeyProblem):
            import_set({"keys": [rsa(), bad]})
        assert len(import_set({"keys": [rsa(), bad]}, strict=False)) == 1
    for not_set in (None, [], {"keys": {}}, {}, {"keys": [rsa()] * 33}):
        with pytest.raises(KeyProblem):
            import_set(not_set, strict=False)


def test_says_which_keys_are_merely_unknown():
    with pytest.raises(UnsupportedKey):
        import_public({"kty": "OKP", "crv": "Ed448", "x": "AA"})


def test_offers_only_the_allowed_algorithms_of_a_set():
    found = import_set({"keys": [rsa(), public_jwk(make_key("ES256")), public_jwk(make_key("PS256"))]})
    assert [key.alg for key in verification_keys(found, {"RS256", "ES256", "none", "HS256"})] == [
        "RS256",
        "ES256",
    ]
    assert [key.alg for key in verification_keys(found, {"PS256"})] == ["PS256", "PS256"]


@pytest.mark.attack("JW-08")
@pytest.mark.spec("OIDC Core", "10.2.1")
def test_encrypts_to_the_encryption_key_and_never_to_a_signature_key():
    signature = {**rsa(), "use": "sig", "kid": "s"}
    anything = {**rsa(), "kid": "a"}
    encryption = {**rsa(), "use": "enc", "kid": "e"}
    found = import_set({"keys": [signature, anything, encryption]})
    assert choose_encryption_key(found, "RSA-OAEP-256").kid == "e"
    assert choose_encryption_key(found[:2], "RSA-OAEP-256").kid == "a"
    for alg in ("RSA-OAEP-256", "RSA1_5", "ECDH-ES", "dir"):
        with pytest.raises(KeyProblem):
            choose_encryption_key(found[:1], alg)


@pytest.mark.attack("TB-02")
def test_a_remembered_key_is_found_by_all_that_it_says():
    keys, jwk = RememberedKeys(8), public_jwk(make_key("ES256"))
    jwk.pop("key_ops", None)
    known = keys.import_public(jwk)
    assert keys.import_public(dict(reversed(jwk.items()))) is known
    assert keys.import_public({**jwk, "use": "enc"}) is not known
    assert keys.import_public({**jwk, "use": "enc"}).use == "enc"
    bad = ({"d": jwk["x"]}, {"y": jwk["x"]}, {"x": jwk["x"] + "="}, {"alg": "none"}, {"use": 1}, {"k": None})
    for changed in bad * 2:
        with pytest.raises(KeyProblem):
            keys.import_public({**jwk, **changed})
    listed = {**jwk, "key_ops": ["verify"]}
    assert keys.import_public(listed).thumbprint == known.thumbprint
    assert keys.import_public(listed) is not known
    # Neither a refusal nor what has lists in it is kept.
    assert len(keys) == 2


@pytest.mark.attack("TB-18")
def test_remembered_keys_are_so_many_and_those_in_use_stay():
    keys, jwk = RememberedKeys(3), public_jwk(make_key("ES256"))
    jwk.pop("key_ops", None)
    known = keys.import_public(jwk)
    for number_ in range(10):
        keys.import_public({**jwk, "kid": f"other-{number_}"})
        assert keys.import_public(jwk) is known
    assert len(keys) == 3
    first = {**jwk, "kid": "other-0"}
    assert keys.import_public(first) is keys.import_public(first)
