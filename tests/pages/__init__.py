"""Tests of the pages and of the themes that ship."""
