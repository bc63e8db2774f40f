"""The public subject type (OpenID Connect Core 8): every client knows the user by the same `sub`."""


class Public:
    """The local subject value, unmodified."""

    name = "public"

    def sub(self, local: str, sector: str) -> str:
        """The local value; the sector plays no part."""
        return local
