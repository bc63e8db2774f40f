"""The configuration language: files in, a checked `Declared` or every mistake out.

Called by `appliance check` and by the reload's child process; knows nothing of what is built from it.
"""
