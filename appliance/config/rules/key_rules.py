"""Keys and salts: there, strong, and of one profile alone."""

import hmac
from collections.abc import Iterator

from appliance.config.declared.profile import EncryptionKeyEntry, Profile, SigningKeyEntry
from appliance.config.linking import Object, label, problem
from appliance.config.problems import Problem
from appliance.config.rules.private_key import fault
from appliance.config.rules.rule import Rule, Scene, lengthy
from appliance.config.rules.weak_secrets import is_placeholder

_MIN_SALT = 32

#: Where a line of keys is declared: `keys`, its list, its position.
_EntryPath = tuple[str, str, int]


def salt_is_there_and_strong(profile: Object[Profile], scene: Scene) -> Iterator[Problem]:
    """Core 8.1: without an unguessable salt anybody can compute everybody's pairwise `sub`."""
    value = profile.value
    remedy = "`openssl rand -hex 32 > secrets/...` makes one; keep it for ever"
    if value.pairwise is None:
        if "pairwise" in value.subject_types_supported:
            path = ("subject_types_supported", value.subject_types_supported.index("pairwise"))
            message = "pairwise subjects need `pairwise: {salt: {file: ...}}`"
            yield problem("OP441", profile, path, message, help=remedy)
        return
    salt = value.pairwise.salt
    if not salt.value:
        return  # checked without secrets
    if len(salt.value) < _MIN_SALT:
        message = f"the salt has {len(salt.value)} bytes; {_MIN_SALT} are the least"
        yield problem("OP442", profile, ("pairwise", "salt"), message, help=remedy)
    elif is_placeholder(salt.value):
        message = "the salt looks like a placeholder, which others have too"
        yield problem("OP443", profile, ("pairwise", "salt"), message, help=remedy)


def keys_are_of_one_profile(profile: Object[Profile], scene: Scene) -> Iterator[Problem]:
    """RFC 8725 3.8: a key that signs for two issuers lets the tokens of one pass for the other's."""
    for path, entry in _entries(profile.value):
        if entry.file is None or not entry.file.value:
            continue
        twin = next(_same_key(profile, path, entry.file.value, scene), None)
        if twin is None:
            continue
        other, theirs = twin
        message = f"this key signs for profile `{other.id}` as well (RFC 8725 3.8)"
        if "encryption" in (path[1], theirs[1]):
            message = f"this key is one of profile `{other.id}` as well (RFC 8725 3.8)"
        if other.id == profile.id:
            message = "this key serves two algorithms (RFC 8725 3.1)"
        mark = label(other.where((*theirs, "file")), f"profile `{other.id}`")
        remedy = "give each its own key, or leave `file` out and let it be generated"
        yield problem("OP444", profile, (*path, "file"), message, help=remedy, secondary=(mark,))


def _entries(profile: Profile) -> list[tuple[_EntryPath, SigningKeyEntry | EncryptionKeyEntry]]:
    """All lines of keys with their places in the file."""
    found: list[tuple[_EntryPath, SigningKeyEntry | EncryptionKeyEntry]] = []
    found += [(("keys", "signing", number), entry) for number, entry in enumerate(profile.keys.signing)]
    return found + [(("keys", "encryption", number), entry) for number, entry in enumerate(profile.keys.encryption)]


def _same_key(
    profile: Object[Profile], path: _EntryPath, key: bytes, scene: Scene
) -> Iterator[tuple[Object[Profile], _EntryPath]]:
    """Earlier entries, in the order of profile ids, with the same key."""
    for other in sorted(scene.linked.profiles.values(), key=lambda each: each.id):
        if other.id > profile.id:
            return
        for theirs, entry in _entries(other.value):
            if other.id == profile.id and theirs == path:
                break
            if entry.file is not None and hmac.compare_digest(key.strip(), entry.file.value.strip()):
                yield other, theirs


def key_entries_are_sound(profile: Object[Profile], scene: Scene) -> Iterator[Problem]:
    """One entry for each algorithm; sizes are of RSA keys; a key is published before it signs."""
    seen: set[str] = set()
    for path, entry in _entries(profile.value):
        if entry.alg in seen:
            message = f"`{entry.alg}` has an entry already"
            yield problem("OP449", profile, (*path, "alg"), message, help="keep one; it rotates by itself")
        seen.add(entry.alg)
        if entry.size is not None and not entry.alg.startswith(("RS", "PS")):
            message = f"keys for `{entry.alg}` come in one size"
            yield problem("OP451", profile, (*path, "size"), message, help="remove `size`", key=True)
        if entry.file is None and entry.publish_before >= entry.rotate_every:
            used, before = lengthy(entry.rotate_every), lengthy(entry.publish_before)
            does = "sign" if isinstance(entry, SigningKeyEntry) else "are encrypted to"
            message = f"keys {does} for {used} but are published {before} before"
            yield problem("OP253", profile, path, message, help="make `publish_before` the shorter one")
        if entry.file is not None and entry.file.value and (why := fault(entry.file.value, entry.alg)):
            yield problem("OP450", profile, (*path, "file"), f"this key {why}", help=_KEY_REMEDIES[entry.alg[:2]])


_KEY_REMEDIES = {
    "RS": "`openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072` makes one; or leave `file` out",
    "PS": "`openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072` makes one; or leave `file` out",
    "ES": "`openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256` makes one; or leave `file` out",
    "EC": "`openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256` makes one; or leave `file` out",
    "Ed": "`openssl genpkey -algorithm ED25519` makes one; or leave `file` out",
}

RULES: tuple[Rule[Profile], ...] = (
    salt_is_there_and_strong,
    keys_are_of_one_profile,
    key_entries_are_sound,
)
