"""The process: sockets, the current generation, reloading, health and metrics.

The only room that knows the HTTP server and the file watcher; it calls `assembly` and hands out plain values.
"""
