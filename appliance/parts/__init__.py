"""Everything configuration or discovery can name, one file each, in families with one explicit list."""
