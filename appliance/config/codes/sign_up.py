"""Codes of sign-up, OP33x: accounts that people make themselves."""

from collections.abc import Mapping
from types import MappingProxyType

from appliance.config.codes.text import CodeText

_ERRORS: Mapping[str, tuple[str, str]] = {
    "OP331": (
        "a source in which nobody can make an account",
        "Accounts are made in sources of kind `store`; the others are written by somebody else.",
    ),
    "OP332": (
        "accounts that could not log in",
        "Who makes an account has proved its password, and from then on logs in by it: the first step of the "
        "profile's lowest level asks for a password of that very source.",
    ),
    "OP333": (
        "login names of strangers beside another source",
        "Whoever signs up chooses his login name. Where a profile knows users of another source too, or takes claims "
        "from one, he could choose the name of somebody there and be taken for him.",
    ),
    "OP334": (
        "a sign-up field for what is there already",
        "Each answer has an attribute of its own; `id` and `login` are the account's.",
    ),
    "OP335": (
        "a sign-up field that no claim is taken from",
        "What is asked is meant to become a claim; otherwise it is only kept.",
    ),
    "OP336": (
        "a typed answer that tells who somebody is",
        "Nobody verifies what is typed at sign-up. As subject it would let anybody be any user; as `email_verified` "
        "or `phone_number_verified`, take over accounts at clients that join them by verified addresses.",
    ),
    "OP339": (
        "a locked login name that cannot be one",
        "Login names have no control characters and no invisible ones, so this entry would keep nobody out.",
    ),
}
_WARNINGS: Mapping[str, tuple[str, str]] = {
    "OP337": (
        "accounts that do not reach the usual level",
        "A new account has a password and nothing else. Where requests ask for more by default, `prompt=create` is "
        "refused and the login page has no link to sign-up.",
    ),
    "OP338": ("a sign-up field without words", "The page shows its bare name."),
}

CODES: Mapping[str, CodeText] = MappingProxyType(
    {code: CodeText("error", *texts) for code, texts in _ERRORS.items()}
    | {code: CodeText("warning", *texts) for code, texts in _WARNINGS.items()}
)
