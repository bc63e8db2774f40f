"""What the certification plans of the OpenID Foundation check, walked module by module against deploy/conformance.

Each test bears the name of its module, does what the module does and asserts what it asserts: what the suite
warns of fails here.
"""
