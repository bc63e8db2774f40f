"""Requests that their user decides on elsewhere, and how their client learns of it."""
