"""The files of themes: style sheets, pictures, fonts."""

from collections.abc import Mapping

from appliance.protocol.messages import Request, Response


class Asset:
    """One file of a theme."""

    name = "asset"
    methods = frozenset({"GET"})
    cors = "none"

    def __init__(self, path: str, response: Response) -> None:
        self.path = path
        self._response = response

    async def handle(self, request: Request) -> Response:
        """The file."""
        return self._response

    def metadata(self) -> Mapping[str, object]:
        """Nothing."""
        return {}
