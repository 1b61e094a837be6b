"""Bills a month from the three facts in the database, and from nothing else (5.9)."""

from collections.abc import Callable, Iterable
from typing import Protocol

from microgrid.columns import MinuteColumns, OrderColumns
from microgrid.ledger import MonthLedger
from microgrid.months import month_minutes, zone_of
from microgrid.statement import Statements
from microgrid.terms import Terms

Progress = Callable[[int, int], None]
"""Told how many minutes of how many are settled."""


class MinuteReader(Protocol):
    """Reads recorded minutes day by day."""

    def days(
        self, first_minute: int, end_minute: int, houses: Iterable[str] | None = None
    ) -> Iterable[tuple[MinuteColumns, OrderColumns]]:
        """The range in order, cut at UTC days."""


def settle_month(
    reader: MinuteReader,
    terms: Terms,
    month: str,
    through: int | None = None,
    progress: Progress | None = None,
) -> Statements:
    """The month's statements; `through` ends it early, at the minute that is no longer in it.

    ValueError for a month that is not one; LookupError where no tariff is in force.
    """
    minutes = month_minutes(month, zone_of(terms.zone))
    end = minutes.stop if through is None else min(minutes.stop, through)
    ledger = MonthLedger(terms, month)
    for columns, orders in reader.days(minutes.start, end, ledger.houses):
        ledger.add(columns, orders)
        if progress is not None:
            progress(columns.end_minute - minutes.start, end - minutes.start)
    return ledger.statements()
