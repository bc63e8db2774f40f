"""One issuer, compiled and immutable: what its endpoints ask. Knows no HTTP server and no file."""
