"""The two ways this room says no; both messages are safe for logs and never repeat input."""


class KeyProblem(Exception):
    """A key cannot be used; the message tells its owner why."""


class UnsupportedKey(KeyProblem):
    """A key of a kind this provider does not know, which a key set may hold (RFC 7517 5)."""


class TokenProblem(Exception):
    """A token is refused."""


class SealProblem(Exception):
    """A sealed value does not open."""
