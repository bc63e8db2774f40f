"""What has to happen now and then whether requests come or not.

Keys rotate, clients that could not be told of a logout are told again, expired records go.
"""

import asyncio

import structlog

from appliance.protocol.handles import Clock
from appliance.server.dispatch import Current
from appliance.snapshot import Snapshot

#: Seconds between two rounds.
PERIOD = 30.0
#: Records that are removed at once, so that no request waits long for the store.
BITE = 200
BITES = 500


class Maintenance:
    """Rounds over the generation that serves; a failing store is tried again in the next one."""

    def __init__(self, current: Current, clock: Clock, period: float = PERIOD) -> None:
        self._current = current
        self._clock = clock
        self._period = period
        self._log = structlog.get_logger()

    async def run(self) -> None:
        """Go on until cancelled."""
        while True:
            await asyncio.sleep(self._period)
            snapshot = self._current.snapshot
            if snapshot is not None:
                await self.round(snapshot)

    async def round(self, snapshot: Snapshot) -> None:
        """Rotate the keys of every profile, tell clients of logouts again, and sweep the store."""
        # The store must not be closed by a reload in the middle.
        snapshot.enter()
        try:
            for profile in snapshot.profiles.values():
                await profile.keys.refresh()
                for deliveries in profile.deliveries:
                    await deliveries.resume()
            for _ in range(BITES):
                if await snapshot.shared.store.sweep(self._clock(), BITE) < BITE:
                    break
                await asyncio.sleep(0)
        except Exception as error:  # noqa: BLE001 - the next round tries again, whatever it was
            self._log.error("maintenance failed", exception=type(error).__name__, detail=str(error))
        finally:
            snapshot.leave()
