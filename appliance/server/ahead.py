"""What a first start makes while its themes are still rehearsed: the store, the keys, the profiles.

Nothing of it is served before the word that the configuration is good. It happens only where no generation was ever
live: what serves, or would serve instead, is not touched for files that may be refused.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from appliance.assembly import Begun
from appliance.config.declared.whole import Declared


class Ahead:
    """At most one generation that is begun and may never be finished."""

    def __init__(self, begin: Callable[[Declared], Awaitable[Begun]]) -> None:
        self._begin = begin
        self._begun: tuple[Declared, asyncio.Task[Begun]] | None = None

    def start(self, declared: Declared) -> None:
        """Begin the generation of this configuration."""
        if self._begun is None:
            self._begun = (declared, asyncio.ensure_future(self._make(declared)))

    async def take(self, declared: Declared) -> Begun:
        """The generation of this very object, begun before or only now; whatever `begin` raises."""
        if self._begun is not None and self._begun[0] is declared:
            (_, task), self._begun = self._begun, None
            return await task
        await self.drop()
        return await self._begin(declared)

    async def drop(self) -> None:
        """Let go of what was begun, if anything."""
        if self._begun is not None:
            (_, task), self._begun = self._begun, None
            # What went wrong with it is of no interest: it is not wanted.
            with suppress(Exception):
                await (await task).drop()

    async def _make(self, declared: Declared) -> Begun:
        return await self._begin(declared)
