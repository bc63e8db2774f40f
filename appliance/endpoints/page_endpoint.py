"""What all endpoints have in common that people's browsers come to and no client calls."""

from abc import ABC, abstractmethod
from collections.abc import Mapping

from appliance.endpoints.authorization_reply import guard
from appliance.profile.profile import Profile
from appliance.protocol.messages import Request, Response


class PageEndpoint(ABC):
    """A page with its form: whatever goes wrong is told to the client, if there is a way, else on a page."""

    methods: frozenset[str] = frozenset({"GET", "POST"})
    #: Scripts of other sites have no business here.
    cors = "none"

    def __init__(self, profile: Profile) -> None:
        self._profile = profile

    async def handle(self, request: Request) -> Response:
        """The page, or the redirect to whatever comes next."""
        return await guard(self._profile, request, self._answer)

    def metadata(self) -> Mapping[str, object]:
        """Nothing beyond its own name, where it has one there."""
        return {}

    @abstractmethod
    async def _answer(self, request: Request) -> Response:
        """The answer; what it raises is told by `handle`."""
