"""Bills a month from the three facts in the database, and from nothing else (5.9)."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from microgrid.columns import BilledMinutes, EdgeRows, MinuteColumns, OrderColumns, StandingOrders
from microgrid.energy import Profile
from microgrid.ledger import MonthLedger, Segment
from microgrid.months import month_minutes, month_of, zone_of
from microgrid.registers import Registers
from microgrid.terms import Terms

Progress = Callable[[int, int], None]
"""Told how many minutes of how many are settled."""


Day = tuple[MinuteColumns, OrderColumns]
BilledDay = tuple[BilledMinutes, StandingOrders]


class MinuteReader(Protocol):
    """Reads recorded minutes day by day."""

    def days(self, first_minute: int, end_minute: int, houses: Iterable[str] | None = None) -> Iterable[Day]:
        """The range in order, cut at UTC days."""

    def billed_days(
        self, first_minute: int, end_minute: int, houses: Iterable[str] | None = None
    ) -> Iterable[BilledDay]:
        """The same, with only what a bill is made from."""


def _read_ahead(days: Iterable[BilledDay]) -> Iterator[BilledDay]:
    """The same days, the next one read by another thread while this one is settled.

    Inflating and adding up let other threads run; a month takes a third less time.
    """
    iterator = iter(days)
    with ThreadPoolExecutor(1, thread_name_prefix="read ahead") as thread:
        coming = thread.submit(next, iterator, None)
        while (day := coming.result()) is not None:
            coming = thread.submit(next, iterator, None)
            yield day


@dataclass(frozen=True)
class MonthSoFar:
    """Where a month stands: its ledger, and the registers each house began it with."""

    ledger: MonthLedger
    opening: dict[str, Registers]


def month_so_far(
    reader: MinuteReader, terms: Terms, through: int, profile: Profile | None = None
) -> MonthSoFar:
    """Where the month of minute `through` - 1 stands before minute `through`, for a central that restarts."""
    zone = zone_of(terms.zone)
    month = month_of(through - 1, zone)
    first = month_minutes(month, zone).start
    ledger = MonthLedger(terms, month, profile)
    opening: dict[str, Registers] = {}
    for columns, orders in reader.days(first, through, ledger.houses):
        ledger.add(columns, orders)
        for index, house in enumerate(columns.houses):
            if house not in opening and columns.opening.minute[index] >= 0:
                opening[house] = _registers_at(columns.opening, index)
    return MonthSoFar(ledger, opening)


def _registers_at(edge: EdgeRows, index: int) -> Registers:
    return Registers(
        epoch=int(edge.epoch[index]),
        import_ws=int(edge.import_ws[index]),
        export_ws=int(edge.export_ws[index]),
        generation_ws=int(edge.generation_ws[index]),
    )


def settled_month(
    reader: MinuteReader,
    terms: Terms,
    month: str,
    through: int | None = None,
    progress: Progress | None = None,
    profile: Profile | None = None,
) -> MonthLedger:
    """The month's ledger; `through` ends it early, at the minute that is no longer in it.

    `profile` is asked by this thread while another one reads ahead. ValueError for a month that is not
    one; LookupError where no tariff is in force.
    """
    minutes = month_minutes(month, zone_of(terms.zone))
    end = minutes.stop if through is None else min(minutes.stop, through)
    ledger = MonthLedger(terms, month, profile)
    keep_freed_memory()
    with ThreadPoolExecutor(1, thread_name_prefix="settle") as thread:
        settling: list[Future[Segment]] = []
        for columns, orders in _read_ahead(reader.billed_days(minutes.start, end, ledger.houses)):
            begun = [thread.submit(segment) for segment in ledger.begun(columns, orders)]
            _done(settling)
            settling = begun
            if progress is not None:
                progress(columns.end_minute - minutes.start, end - minutes.start)
        _done(settling)
    return ledger


def _done(settling: Iterable[Future[Segment]]) -> None:
    for segment in settling:
        segment.result()


def keep_freed_memory() -> None:
    """Let the allocator keep what a day's arrays free: fetching it anew from the system takes a sixth longer.

    The C library (glibc) raises its limits when a larger block than it has seen yet is freed.
    """
    np.empty(24 * 2**20, dtype=np.uint8)
