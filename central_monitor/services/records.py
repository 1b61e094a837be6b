"""The central's records, for reading: what settlement, drill-down and history are answered from."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from central_monitor.services.biller import MonthSoFar, Progress, month_so_far, settled_month
from central_monitor.services.habits import Habits
from db.central import CENTRAL, AgreementRepository, BillingRepository, MinuteStore
from db.engine import data_version, open_reader
from microgrid.energy import Profile
from microgrid.ledger import MonthLedger
from microgrid.minute import MeterMinute
from microgrid.terms import Terms

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Records:
    """Everything the database holds, on read-only connections of one thread.

    The weeks a habit is found in are read on a connection of their own: while a month is settled the
    other one is read ahead by another thread.
    """

    minutes: MinuteStore
    agreements: AgreementRepository
    billing: BillingRepository
    past: MinuteStore

    def version(self) -> object:
        """Another value than before if anything was recorded since."""
        with self.minutes.transaction() as connection:
            return data_version(connection)

    def habits(self, terms: Terms) -> Profile:
        """The profile by which long gaps are estimated (docs/estimation.md)."""
        return Habits(self.past, terms)

    def settle(
        self, terms: Terms, month: str, through: int | None = None, progress: Progress | None = None
    ) -> MonthLedger:
        """The month's ledger from the records alone."""
        return settled_month(self.minutes, terms, month, through, progress, self.habits(terms))

    def month_so_far(self, terms: Terms) -> tuple[Mapping[str, MeterMinute], MonthSoFar | None]:
        """Each house's newest row, and where the month of the newest of them stands."""
        with self.minutes.transaction():
            last = self.minutes.last_minutes()
            if not last:
                return last, None
            through = max(row.minute for row in last.values()) + 1
            return last, month_so_far(self.minutes, terms, through, self.habits(terms))


class Reader(Protocol):
    """Who asks the records, in whatever thread they live."""

    async def read(self, question: Callable[[Records], Answer]) -> Answer:
        """What the records answer."""


@contextmanager
def open_records(path: Path) -> Iterator[Records]:
    """The records of a database file; raises DatabaseError."""
    connection = open_reader(path, CENTRAL)
    try:
        past = open_reader(path, CENTRAL)
        try:
            yield Records(
                minutes=MinuteStore(connection),
                agreements=AgreementRepository(connection),
                billing=BillingRepository(connection),
                past=MinuteStore(past),
            )
        finally:
            past.close()
    finally:
        connection.close()
