"""Polls the houses: one round asks all at once, and a dead house delays nobody (8.3)."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from microgrid.wire.messages import HouseMessage, Poll, Reply

DEAD_AFTER_ROUNDS = 5


class PolledLink(Protocol):
    """A house's link as the poller needs it."""

    def request(self, make: Callable[[int], Poll]) -> asyncio.Future[HouseMessage]:
        """Send a request made with the id it is given."""

    def close(self) -> None:
        """End the link."""


Heard = Callable[[Reply, int, float], None]


@dataclass(frozen=True, slots=True)
class Told:
    """What a poll tells the houses: rate now, tariff, pool, and to each consumer its allotment."""

    rate: int | None
    tariff: int
    pool_w: int
    allotments: Mapping[str, int]


class Poller:
    """Keeps at most one poll outstanding at each house."""

    def __init__(self, links: Mapping[str, PolledLink], heard: Heard) -> None:
        """`heard(reply, sample_ms, round_trip_ms)` is called for each answer as it comes."""
        self._links = links
        self._heard = heard
        self._outstanding: dict[str, asyncio.Future[HouseMessage]] = {}
        self._unanswered: dict[str, int] = {}

    async def round(self, now_ms: int, told: Told, timeout_s: float) -> list[str]:
        """Poll every linked house; returns who has not answered within `timeout_s` (real time).

        A house still silent after several rounds loses its link, so that it can connect afresh.
        """
        loop = asyncio.get_running_loop()
        for house, link in list(self._links.items()):
            if house in self._outstanding:
                self._count_silence(house, link)
                continue
            future = link.request(_poll(now_ms, told, told.allotments.get(house)))
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
                self._heard(reply, now_ms - reply.sample_age_ms, round_trip_ms)

        return settled


def _poll(now_ms: int, told: Told, allotment_w: int | None) -> Callable[[int], Poll]:
    return lambda request_id: Poll(
        request_id=request_id,
        central_time_ms=now_ms,
        rate=told.rate,
        tariff=told.tariff,
        pool_w=told.pool_w,
        allotment_w=allotment_w,
    )
