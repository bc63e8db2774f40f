"""What backchannel authentication of one profile is made of (CIBA Core 1.0)."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from appliance.profile.requests.signed_requests import SignedRequests
from appliance.profile.requests.user_hints import UserHints
from appliance.profile.waiting.ping_deliveries import PingDeliveries
from appliance.protocol.errors import InvalidUserCode, MissingUserCode, TooManyRequests
from appliance.protocol.records import user_key
from appliance.seams import Source, User
from appliance.throttle import AskThrottle, Throttle, Throttled

#: The kind of the credential by which users keep requests of strangers away (CIBA 7.1.2).
USER_CODE: Final = "user_code"


@dataclass(frozen=True, slots=True)
class Backchannel:
    """The tools of the endpoint."""

    hints: UserHints
    signed_requests: SignedRequests
    pings: PingDeliveries
    asks: AskThrottle
    guesses: Throttle
    sources: Mapping[str, Source]

    async def begin_asking(self, about: str, client_id: str, at: float) -> None:
        """Count a request about somebody. TooManyRequests when he was asked too often (CIBA 14)."""
        try:
            await self.asks.begin(about, client_id, at)
        except Throttled as throttled:
            raise TooManyRequests(throttled.retry_after) from None

    async def check_user_code(self, user: User | None, presented: str, at: float) -> None:
        """Nothing for who has no code. MissingUserCode, InvalidUserCode, TooManyRequests; SourceUnavailable."""
        source = None if user is None else self.sources.get(user.subject.source)
        known = None if source is None or user is None else await source.credential(user, USER_CODE)
        if known is None or user is None:
            return
        if not presented:
            raise MissingUserCode("the user is asked only by who knows his code")
        try:
            # Without a peer: the address is the client's, and its users must not wait for each other.
            attempt = await self.guesses.begin(f"{USER_CODE}\x1f{user_key(user.subject)}", "", at)
        except Throttled as throttled:
            raise TooManyRequests(throttled.retry_after) from None
        if not hmac.compare_digest(known, presented.encode("utf-8", "surrogatepass")):
            raise InvalidUserCode("that is not the code of the user")
        await self.guesses.success(attempt)
