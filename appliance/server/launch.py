"""The first second: the child that reads the files starts before this process loads what serves.

Both load about as much code, and mostly other code; one after the other they would take twice as long.
"""

import gc
from collections.abc import Awaitable, Callable

import uvloop

from appliance.server.builder import Builder
from appliance.server.place import Place

#: Serves a place with a builder that has started, until the process is to end.
Serve = Callable[[Place, Builder], Awaitable[None]]


def launch(place: Place, load: Callable[[], Serve]) -> None:
    """The whole life of a serving process. `load` imports what serves. NotStarted when it does not begin."""
    uvloop.run(_launch(place, load))


async def _launch(place: Place, load: Callable[[], Serve]) -> None:
    # Loading makes nothing but what stays: a collector that looks through it again and again costs a sixth.
    gc.disable()
    builder = Builder(place.environment)
    await builder.ask_ahead(place.directory)
    try:
        serve = load()
        gc.enable()
        await serve(place, builder)
    finally:
        await builder.close()
