"""Clients that are not declared: they register themselves, or publish a document of what they are."""
