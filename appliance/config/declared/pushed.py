"""`pushed_authorization_request`: who may push what (RFC 9126)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PushedAuthorizationRequest:
    """What is asked of those who push authorization requests (RFC 9126 2)."""

    #: Whether clients may push that prove nothing.
    public_clients: bool
