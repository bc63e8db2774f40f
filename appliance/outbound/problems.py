"""The one way this room says no."""


class OutboundProblem(Exception):
    """A request was not sent, or its answer is not used; the words name neither the address nor the answer."""
