"""New passwords: length, and none that is tried first."""

import pytest

from appliance.protocol.new_password import fault


@pytest.mark.spec("NIST SP 800-63B", "3.1.1.2")
@pytest.mark.parametrize(
    "password",
    [
        "correct horse",
        "   x   y",
        "zxq vwt 8",
        "пароль-и-ещё",
        "密码密码学习很有趣",
        "🔑🗝🚪🪟🧱🪜🧰🔩",
        "aaaaaaab",
        "x" * 64,
    ],
)
async def test_no_composition_is_asked_for(password: str) -> None:
    assert fault(password, least=8, known=("anna",)) == ("" if password != "x" * 64 else "common_password")


@pytest.mark.spec("NIST SP 800-63B", "3.1.1.2")
def test_characters_are_counted_after_composition() -> None:
    assert fault("a\u0308o\u0308u\u0308 xyz", least=8) == "short_password"
    assert fault("äöü xyzq", least=8) == ""
    assert fault("😀" * 7, least=8) == "short_password"
    assert fault("x y" * 400, least=8) == "long_password"
    assert fault(" ".join(["word"] * 13) + " end", least=64) == ""


@pytest.mark.spec("NIST SP 800-63B", "3.1.1.2")
@pytest.mark.parametrize(
    "password",
    """password Password1 P@ssw0rd123! 12345678 87654321 1234567890 abcdefgh zyxwvuts aaaaaaaa abababab abcdabcd
    qwertyuiop QWERTYUI asdfghjkl salasana1 Passwort99 iloveyou sunshine2024 monkeymonkey 0000000000 1q1q1q1q
    ｐａｓｓｗｏｒｄ 11111111111111111111""".split(),
)
def test_the_first_that_are_tried_are_refused(password: str) -> None:
    assert fault(password, least=8) == "common_password"


@pytest.mark.spec("NIST SP 800-63B", "3.1.1.2")
def test_what_is_known_of_the_account_makes_no_password() -> None:
    known = ("virtanen", "anna@example.com")
    for password in ("virtanen", "Virtanen1", "nenatriv12", "virtanenvirtanen", "anna@example.com"):
        assert fault(password, least=8, known=known) == "common_password"
    assert fault("virtanen und die sieben zwerge", least=8, known=known) == ""
    assert fault("Sunrise-Shop", least=8, blocked=("sunrise-shop",)) == "common_password"
    assert fault("sunrise-shopping", least=8, blocked=("sunrise-shop",)) == ""
