"""Name and password, checked by a source (amr `pwd`, RFC 8176 2).

An unknown name, a wrong password and an inactive user are one and the same answer, after the same time.
"""

from dataclasses import dataclass
from typing import ClassVar

from appliance.passwords import TooBusy
from appliance.protocol.login_name import MAX_LENGTH, canonical_login
from appliance.protocol.pages import LoginPage
from appliance.protocol.records import user_key
from appliance.seams import Ask, Proved, Source, SourceUnavailable, StepRequest, Store, Tools, User
from appliance.throttle import Throttle, Throttled


@dataclass(frozen=True, slots=True)
class Options:
    """The name of the source that checks."""

    source: str


# Inside the class its own attribute of that name would be meant.
_Options = Options


class Password:
    """The login page: a first step, or a re-authentication of the user who is known already."""

    #: The kind; of an instance, the name it was declared by.
    name: str = "password"
    step: str = "login"
    Options: ClassVar[type[_Options]] = Options

    def __init__(
        self, name: str, options: _Options, source: Source, throttle: Throttle, store: Store, tools: Tools
    ) -> None:
        self.name = name
        self._source = source
        self._throttle = throttle

    async def begin(self, asked: StepRequest) -> Ask | Proved:
        """The login page, with the name filled in where it is known or hinted."""
        return _ask(asked, asked.login_hint)

    async def finish(self, asked: StepRequest) -> Ask | Proved:
        """Proved when name and password belong together; the page with its error otherwise."""
        typed = asked.form.get("username", "")
        password = asked.form.get("password", "")
        known = asked.user
        login = typed if known is None else known.login
        if not login.strip():
            return _ask(asked, "", "missing_login")
        if not password:
            return _ask(asked, login, "missing_password")
        try:
            user = await self._find(known, typed)
            attempt = await self._throttle.begin(self._account(user, login), asked.peer, asked.at)
        except Throttled:
            return _ask(asked, login, "throttled")
        except SourceUnavailable:
            return _ask(asked, login, "unavailable")
        try:
            right = await self._source.check_password(user, password)
        except SourceUnavailable as error:
            await self._throttle.withdraw(attempt)
            return _ask(asked, login, "throttled" if isinstance(error, TooBusy) else "unavailable")
        if not right or user is None or not user.active:
            return _ask(asked, login, "wrong_credentials")
        await self._throttle.success(attempt)
        return Proved(user, ("pwd",))

    async def _find(self, known: User | None, typed: str) -> User | None:
        """The user as he is now: the one who is known already, and then only he, or the one named."""
        if known is None:
            return await self._source.find(typed)
        if known.subject.source != self._source.name:
            return None
        if typed.strip():
            named = await self._source.find(typed)
            if named is None or named.subject != known.subject:
                return None
        return await self._source.load(known.subject.id)

    def _account(self, user: User | None, login: str) -> str:
        """One counter per account, whichever of its names is typed; one per name that nobody has."""
        if user is not None:
            return f"pwd\x1f{user_key(user.subject)}"
        return f"pwd?\x1f{self._source.name}\x1f{canonical_login(login) or login[:MAX_LENGTH]}"


def _ask(asked: StepRequest, login: str, error: str = "") -> Ask:
    fixed = asked.user is not None
    shown = asked.user.login if asked.user is not None else login[:MAX_LENGTH]
    return Ask(LoginPage(login=shown, login_fixed=fixed, error=error), {})
