"""The one way out: requests of the provider itself to addresses that clients or operators name.

What lives here: which addresses may be spoken to (`addresses`), which URLs are understood (`urls`), the guarded
HTTP client (`client`) and the cache of JSON documents (`documents`).

Who calls it: whatever needs a client's key set, later back-channel logout and request objects by reference.

What it must not know: clients, profiles, keys, configuration. It gives back bytes or values, or one
OutboundProblem whose words are safe to log and never repeat what the other side said.
"""
