"""The room of keys and tokens, attacked."""
