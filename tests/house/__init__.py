"""The rules of the house, read from the source text with the standard library's ast alone.

Each rule is a function from modules to complaints, so that test_bites.py can show every one of them a
small house which breaks it.
"""
