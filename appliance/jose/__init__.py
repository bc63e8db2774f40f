"""Keys, signatures, encryption: the only room that knows jwcrypto and cryptography.

What lives here: the closed tables of algorithms (`algorithms`), our own keys (`keys`), keys of
others (`public_keys`), signed tokens (`tokens`), rules for the registered claims (`claims`),
encrypted tokens (`encryption`) and sealed values for the store (`sealing`).

Who calls it: client authentication, the DPoP and request object readers, token issuance, the key
store and the key set endpoint.

What it must not know: clients, profiles, HTTP, configuration, where keys are kept, what a claim
means to an endpoint. It receives bytes and mappings and gives back trusted types or one of the
problems of `problems`.
"""
