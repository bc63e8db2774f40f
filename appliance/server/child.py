"""The build process as a process: how it is started, spoken to and ended. Apart from `builder`, which loads a hundred
times as much.

It is started without an event loop: at a start of the provider it runs before there is one.
"""

import socket
import subprocess
import sys
from collections.abc import Sequence

from appliance.server.place import Place

#: As `-m appliance.server.build_worker`, but with the collector off while it loads (see `launch`).
COMMAND = (sys.executable, "-c", "import gc; gc.disable(); from appliance.server.build_worker import main; main()")


class Child:
    """A running build process, and the socket that is its standard input and output."""

    def __init__(self, process: "subprocess.Popen[bytes]", ours: socket.socket) -> None:
        self.socket = ours
        self._process = process

    @property
    def returncode(self) -> int | None:
        """What it ended with; None while it runs."""
        return self._process.poll()

    def kill(self) -> None:
        """End it at once, unless it has ended."""
        self._process.kill()

    def wait(self) -> int:
        """What it ended with, when it has."""
        return self._process.wait()


def start(command: Sequence[str] = COMMAND) -> Child:
    """A child that waits for questions. OSError when it cannot be started."""
    ours, theirs = socket.socketpair()
    with theirs:
        end = theirs.fileno()
        try:
            return Child(subprocess.Popen(command, stdin=end, stdout=end), ours)  # noqa: S603 - our own command
        except BaseException:
            ours.close()
            raise


def start_asked(place: Place) -> Child:
    """A child that reads the configuration of a place as soon as it can, as if it had been asked to."""
    asked = [str(place.directory), str(place.state)]
    if place.environment is not None:
        asked.append(place.environment)
    return start((*COMMAND, *asked))
