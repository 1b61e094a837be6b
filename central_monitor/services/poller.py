"""Polls the houses: one round asks all at once, and a dead house delays nobody (8.3)."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Protocol

from microgrid.sample import Sample
from microgrid.wire.messages import Fetch, HouseMessage, Poll, Reply, Target

DEAD_AFTER_ROUNDS = 5


class PolledLink(Protocol):
    """A house's link as the poller needs it."""

    def request(self, make: Callable[[int], Poll | Fetch | Target]) -> asyncio.Future[HouseMessage]:
        """Send a request made with the id it is given."""

    def close(self) -> None:
        """End the link."""


Heard = Callable[[str, Sample | None, int, bool, float], None]


class Poller:
    """Keeps at most one poll outstanding at each house."""

    def __init__(self, links: Mapping[str, PolledLink], heard: Heard) -> None:
        """`heard(house, sample, sample_ms, outbox, round_trip_ms)` is called for each answer as it comes."""
        self._links = links
        self._heard = heard
        self._outstanding: dict[str, asyncio.Future[HouseMessage]] = {}
        self._unanswered: dict[str, int] = {}

    async def round(
        self, now_ms: int, rate: int | None, tariff: int, pool_w: int, timeout_s: float
    ) -> list[str]:
        """Poll every linked house; returns who has not answered within `timeout_s` (real time).

        A house still silent after several rounds loses its link, so that it can connect afresh.
        """
        loop = asyncio.get_running_loop()
        for house, link in list(self._links.items()):
            if house in self._outstanding:
                self._count_silence(house, link)
                continue
            future = link.request(
                lambda request_id: Poll(
                    request_id=request_id, central_time_ms=now_ms, rate=rate, tariff=tariff, pool_w=pool_w
                )
            )
            self._outstanding[house] = future
            future.add_done_callback(self._settler(house, now_ms, loop.time()))
        waiting = list(self._outstanding.values())
        if waiting:
            await asyncio.wait(waiting, timeout=timeout_s)
            await asyncio.sleep(0)  # let the callbacks of the last answers run
        return sorted(self._outstanding)

    def _count_silence(self, house: str, link: PolledLink) -> None:
        self._unanswered[house] = self._unanswered.get(house, 0) + 1
        if self._unanswered[house] >= DEAD_AFTER_ROUNDS:
            link.close()

    def _settler(
        self, house: str, now_ms: int, asked_s: float
    ) -> Callable[[asyncio.Future[HouseMessage]], None]:
        loop = asyncio.get_running_loop()

        def settled(future: asyncio.Future[HouseMessage]) -> None:
            self._outstanding.pop(house, None)
            self._unanswered.pop(house, None)
            if future.cancelled() or future.exception() is not None:
                return
            reply = future.result()
            if isinstance(reply, Reply):
                round_trip_ms = (loop.time() - asked_s) * 1000
                self._heard(house, reply.sample, now_ms - reply.sample_age_ms, reply.outbox, round_trip_ms)

        return settled
