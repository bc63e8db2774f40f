"""Tokens made, bound, protected and read back."""
