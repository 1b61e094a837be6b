"""Records minutes: meter and order minutes of all houses in one transaction, acknowledged after commit."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from msgspec.structs import replace

from microgrid.bill import Change
from microgrid.minute import MeterMinute, OrderMinute, Origin
from microgrid.wire.messages import (
    MAX_BATCH_MINUTES,
    Fetch,
    HouseMessage,
    MinuteBatch,
    MinutesAcknowledged,
)

log = logging.getLogger(__name__)


class RecordedLink(Protocol):
    """A house's link as the recorder needs it."""

    def request(self, make: Callable[[int], Fetch]) -> asyncio.Future[HouseMessage]:
        """Send a request made with the id it is given."""

    def tell(self, message: MinutesAcknowledged) -> None:
        """Tell the house which minutes are on the disk."""


class Store(Protocol):
    """Where minutes go."""

    async def append(
        self, meter: Sequence[MeterMinute], orders: Sequence[OrderMinute], changes: Sequence[Change]
    ) -> None:
        """Commit all of these or raise."""


@dataclass
class Collected:
    """What one round of fetching brought, and who is owed an acknowledgement for it."""

    meter: list[MeterMinute] = field(default_factory=list)
    owed: list[tuple[str, MinutesAcknowledged]] = field(default_factory=list)
    more: list[str] = field(default_factory=list)  # houses with further minutes waiting


class Recorder:
    """Fetches what houses have journalled and commits it."""

    def __init__(self, links: Mapping[str, RecordedLink], store: Store) -> None:
        self._links = links
        self._store = store

    async def collect(self, houses: Iterable[str], live_from: int, end: int, timeout_s: float) -> Collected:
        """Fetch one batch from each of these houses; who does not answer within `timeout_s` is left out.

        Minutes before `live_from` are marked late: history, which moves no live display. Minutes from
        `end` on have not ended yet by the central's clock, whatever the house's says, and stay with it.
        """
        asked = {
            house: self._links[house].request(
                lambda request_id: Fetch(request_id=request_id, first_minute=0, limit=MAX_BATCH_MINUTES)
            )
            for house in houses
            if house in self._links
        }
        if asked:
            await asyncio.wait(asked.values(), timeout=timeout_s)
        collected = Collected()
        for house, future in sorted(asked.items()):
            if not future.done():
                log.warning("house %s did not deliver its minutes in time", house)
                future.add_done_callback(partial(self._decline, house))
                continue
            if future.exception() is not None:
                log.warning("house %s: %s", house, future.exception())
                continue
            batch = future.result()
            if isinstance(batch, MinuteBatch) and batch.minutes:
                rows = [_marked(row, live_from) for row in batch.minutes if row.minute < end]
                collected.meter += rows
                committed = tuple((row.minute, row.revision) for row in rows)
                acknowledgement = MinutesAcknowledged(request_id=batch.request_id, committed=committed)
                collected.owed.append((house, acknowledgement))
                if batch.more and rows:
                    collected.more.append(house)
        return collected

    async def commit(
        self, collected: Collected, orders: Sequence[OrderMinute], changes: Sequence[Change] = ()
    ) -> None:
        """Commit in one transaction, then acknowledge; if the commit fails nothing is acknowledged.

        `changes` are what the minutes change in months that are billed.
        """
        try:
            if collected.meter or orders:
                await self._store.append(collected.meter, orders, changes)
        except BaseException:
            for house, acknowledgement in collected.owed:
                self._acknowledge(house, replace(acknowledgement, committed=()))
            raise
        for house, acknowledgement in collected.owed:
            self._acknowledge(house, acknowledgement)

    def _acknowledge(self, house: str, acknowledgement: MinutesAcknowledged) -> None:
        link = self._links.get(house)
        if link is not None:
            link.tell(acknowledgement)

    def _decline(self, house: str, late: asyncio.Future[HouseMessage]) -> None:
        """A batch that came too late is fetched again; until it is declined the house waits for word."""
        if late.cancelled() or late.exception() is not None:
            return
        batch = late.result()
        if isinstance(batch, MinuteBatch) and batch.minutes:
            self._acknowledge(house, MinutesAcknowledged(request_id=batch.request_id, committed=()))


def _marked(row: MeterMinute, live_from: int) -> MeterMinute:
    """The row with how it came: that is the central's to say, whatever the house says."""
    origin = Origin.LATE if row.minute < live_from else Origin.LIVE
    return row if row.origin is origin else replace(row, origin=origin)
