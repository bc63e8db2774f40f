"""Tests of the outbound room, over real sockets of this machine."""
