"""Values that were never meant to stay: what examples, tutorials and impatience leave behind."""

_PLACEHOLDERS = (
    *(b"changeme", b"change-me", b"change_me", b"replaceme", b"replace-me", b"replace_me", b"placeholder"),
    *(b"insert", b"example", b"secret", b"password", b"your-", b"your_", b"default", b"xxxx"),
    *(b"12345678", b"<", b"${"),
)


def is_placeholder(value: bytes) -> bool:
    """Whether a secret begins like a placeholder, or has next to no variety."""
    text = value.strip().lower()
    return text.startswith(_PLACEHOLDERS) or len(set(text)) < min(6, len(text) // 2 + 1)
