"""verification_uri (RFC 8628 3.3): where a person types the code that his device shows.

A code in the address (3.3.1) only fills the field in: it is the person who says that it is his. What was wrong is
told by the address as well, so that reloading never sends a code again.
"""

from typing import Final

from appliance.endpoints.page_endpoint import PageEndpoint
from appliance.endpoints.page_replies import check_csrf, check_own_form, locales, read_form, reply
from appliance.endpoints.visits import Visits
from appliance.endpoints.waiting import read_waiting
from appliance.profile.profile import Profile
from appliance.profile.sign_on.sessions import Browser
from appliance.protocol import user_code
from appliance.protocol.form import Params, read
from appliance.protocol.messages import Request, Response
from appliance.protocol.pages import DevicePage, PageReply
from appliance.protocol.records import PendingAuthorization
from appliance.protocol.redirects import see_other, with_query
from appliance.throttle import Throttled, UserCodeThrottle

_CODE: Final = "user_code"
_ERROR: Final = "error"
#: What the page may say: message keys.
_ERRORS: Final = ("wrong_user_code", "missing_user_code", "throttled")


class DevicePageEndpoint(PageEndpoint):
    """Asks for the code, and leads into the login that the device's request needs."""

    name = "device_page"
    path = "/device"

    def __init__(self, profile: Profile) -> None:
        super().__init__(profile)
        self._visits = Visits(profile)
        self._settings = profile.declared.device_authorization.user_code
        self._throttle = UserCodeThrottle(
            profile.store, profile.declared.throttle, profile.issuer, self._settings.failures
        )

    async def _answer(self, request: Request) -> Response:
        profile = self._profile
        if request.method == "POST":
            check_own_form(request, profile.issuer)
        browser = profile.sessions.bind(await profile.sessions.read(request))
        if request.method == "POST":
            return await self._judge(request, browser, read_form(request))
        return self._show(request, browser)

    def _show(self, request: Request, browser: Browser) -> Response:
        asked = read(request.query)
        error = asked.get(_ERROR, "")
        here = self._address(asked.get(_CODE, ""), error)
        page = PageReply(
            page=DevicePage(
                user_code=self._shown(asked.get(_CODE, "")),
                error=error if error in _ERRORS else "",
            ),
            profile=self._profile.id,
            action=self._profile.path + self.path,
            csrf=browser.csrf(self.name),
            locales=locales(request),
            here=here,
        )
        return reply(page).with_cookies(*self._profile.sessions.cookies(browser))

    async def _judge(self, request: Request, browser: Browser, form: Params) -> Response:
        typed = form.get(_CODE, "")
        check_csrf(browser, form, self.name, restart=self._address("", ""))
        code = user_code.read(typed, self._settings.length)
        if not code:
            return self._again(typed, "wrong_user_code" if typed else "missing_user_code")
        try:
            pending = await self._find(request, browser, code)
        except Throttled:
            return self._again(typed, "throttled")
        if pending is None:
            return self._again(typed, "wrong_user_code")
        way, asked = await read_waiting(pending.id, pending.parameters, self._profile)
        visit = await self._visits.begin(await self._visits.look(way, asked, browser, None, ""))
        return self._visits.resume(visit)

    async def _find(self, request: Request, browser: Browser, code: str) -> PendingAuthorization | None:
        """The request of a code. Throttled."""
        user = "" if browser.current is None else browser.current.user
        attempt = await self._throttle.begin(user, browser.digest, request.peer, request.at)
        pending = None if self._profile.pending is None else await self._profile.pending.find_by_code(code)
        if pending is not None:
            await self._throttle.right(attempt)
        return pending

    def _again(self, typed: str, error: str) -> Response:
        return see_other(self._address(typed, error))

    def _address(self, typed: str, error: str) -> str:
        shown = self._shown(typed)
        members = ((_CODE, shown), (_ERROR, error if error in _ERRORS else ""))
        return with_query(self._profile.path + self.path, [(name, value) for name, value in members if value])

    def _shown(self, typed: str) -> str:
        """What was typed as the device shows it; nothing of what is no code comes back to a page."""
        return user_code.shown(user_code.read(typed, self._settings.length))
