"""The block `backchannel_authentication` of a profile (CIBA Core 1.0)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BackchannelAuthentication:
    """What is asked of requests that clients make about their users, and how long these wait; seconds."""

    backchannel_token_delivery_modes_supported: tuple[str, ...]
    ttl: int
    #: The longest that a client may ask for by `requested_expiry`.
    longest_ttl: int
    interval: int
    signed_requests_required: bool
    binding_message_required: bool
    #: Whether users who have a code are asked only by who knows it.
    backchannel_user_code_parameter_supported: bool
    #: "reject": a hint that means nobody is told; "conceal": it is accepted, and nobody ever decides.
    unknown_user: str
    #: How many requests a client may make about one user that he does not allow, before it must wait.
    unanswered: int
