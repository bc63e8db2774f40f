"""The first second: the child that reads the files starts before this process loads what serves.

Both load about as much code, and mostly other code; one after the other they would take twice as long. So this
module loads next to nothing itself, and not even an event loop before the child runs.
"""

import gc
import os
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager

from appliance.server.child import Child, start_asked
from appliance.server.place import Place

#: After how many objects that stayed the collector looks through them, and how many such looks make a wider one.
THRESHOLDS = (10_000, 20, 20)

#: Serves a place, with the child that was asked to read it, until the process is to end.
Serve = Callable[[Place, Child], Coroutine[None, None, None]]


def launch(place: Place, load: Callable[[], Serve]) -> None:
    """The whole life of a serving process. `load` imports what serves. NotStarted when it does not begin."""
    # Loading makes nothing but what stays: a collector that looks through it again and again costs a sixth.
    gc.disable()
    child = start_asked(place)
    try:
        # Not above: what comes first of all is the start of the child.
        import uvloop

        _load_http()
        serve = load()
        # What was loaded stays: no collector needs to look at it again.
        gc.freeze()
        # Requests leave records behind and hardly ever a circle: to look for circles after every 700 objects that stay
        # is to look through the same records again and again.
        gc.set_threshold(*THRESHOLDS)
        gc.enable()
        uvloop.run(serve(place, child))
    finally:
        child.kill()
        child.wait()


def _load_http() -> None:
    """Import the HTTP library without the certification authorities that it reads for requests of its own.

    It reads them twice while it is imported, which takes a tenth of a second. Its two TLS contexts trust nobody
    then, and nobody uses them: `outbound` makes its own.
    """
    with _without_authorities():
        # Not above: what comes first of all is the start of the child.
        import aiohttp  # noqa: F401


@contextmanager
def _without_authorities() -> Iterator[None]:
    """Meanwhile OpenSSL looks for the authorities of the system where there are none."""
    before = {name: os.environ.get(name) for name in ("SSL_CERT_FILE", "SSL_CERT_DIR")}
    os.environ.update(dict.fromkeys(before, os.devnull))
    try:
        yield
    finally:
        for name, value in before.items():
            del os.environ[name]
            if value is not None:
                os.environ[name] = value
