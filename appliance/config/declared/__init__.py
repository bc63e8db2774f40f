"""The declared configuration: frozen dataclasses that mirror `schemas/`, nothing else.

A field repeats only the name and the Python type; description, constraint, default and example live in the
schema. `config.binding` makes these from validated documents; everything above reads them.
"""
