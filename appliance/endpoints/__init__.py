"""One file per endpoint of provider metadata, and the pages between an authorization request and its answer."""
