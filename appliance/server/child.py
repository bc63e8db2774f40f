"""The build process as a process: how it is started. Apart from `builder`, which loads a hundred times as much."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence

from appliance.server.place import Place

#: As `-m appliance.server.build_worker`, but with the collector off while it loads (see `launch`).
COMMAND = (sys.executable, "-c", "import gc; gc.disable(); from appliance.server.build_worker import main; main()")


async def start(command: Sequence[str] = COMMAND) -> Process:
    """A child that waits for questions."""
    return await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)


async def start_asked(place: Place) -> Process:
    """A child that reads the configuration of a place as soon as it can, as if it had been asked to."""
    asked = [str(place.directory), str(place.state)]
    if place.environment is not None:
        asked.append(place.environment)
    return await start((*COMMAND, *asked))
