"""Time as a node sees it: the machine's clock, or a clock that stands still between ticks."""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Where time comes from; Unix milliseconds."""

    def now_ms(self) -> int:
        """The time now."""

    async def sleep(self, delay_s: float) -> None:
        """Wait until `delay_s` seconds of this clock have passed."""


class SystemClock:
    """The machine's own clock."""

    def now_ms(self) -> int:
        """The time now."""
        return time.time_ns() // 1_000_000

    async def sleep(self, delay_s: float) -> None:
        """Wait in real time."""
        await asyncio.sleep(delay_s)


class SteppedClock:
    """A clock that moves only when told to; sleepers wake as it passes them. For one event loop."""

    def __init__(self, now_ms: int = 0) -> None:
        self._now_ms = now_ms
        self._sleepers: list[tuple[int, asyncio.Future[None]]] = []

    def now_ms(self) -> int:
        """The virtual time now."""
        return self._now_ms

    def step_to(self, now_ms: int) -> None:
        """Move forward to this time and wake who waited for it."""
        self._now_ms = max(self._now_ms, now_ms)
        due = [future for at_ms, future in self._sleepers if at_ms <= self._now_ms]
        self._sleepers = [(at_ms, future) for at_ms, future in self._sleepers if at_ms > self._now_ms]
        for future in due:
            if not future.done():
                future.set_result(None)

    async def sleep(self, delay_s: float) -> None:
        """Wait until the clock was stepped this far."""
        if delay_s <= 0:
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self._now_ms + round(delay_s * 1000), future))
        await future
