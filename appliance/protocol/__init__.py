"""What the specifications say, as values and pure functions.

Everything above calls this room; it knows the standard library and nothing else: no HTTP server,
no YAML, no crypto package, no storage. A rule of an RFC that needs no state lives here once.
"""
