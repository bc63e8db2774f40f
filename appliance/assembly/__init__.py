"""Declared configuration in, one Snapshot out: the only room that knows every name.

Everything is built beside what serves now; nothing of the running generation is touched, so a failure here
changes nothing. Parts that hold resources are carried over while their declaration stays the same.
"""

from appliance.assembly.generation import Begun, assemble, begin, finish

__all__ = ["Begun", "assemble", "begin", "finish"]
