"""The one writing connection to the central's database, in a thread of its own."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from central_monitor.services.biller import MonthSoFar, month_so_far
from db.central import CENTRAL, AgreementRepository, MinuteStore
from db.engine import open_writer
from microgrid.minute import MeterMinute, OrderMinute
from microgrid.terms import Terms
from node.worker import InlineWorker, Worker

MINUTES_PER_DAY = 1440
_DONE = object()


class DatabaseWriter:
    """Opens, migrates and owns the database. Raises DatabaseError where it cannot."""

    def __init__(self, path: Path, worker: Worker | None = None) -> None:
        """`worker` runs the database's jobs; by default a thread of its own. It is closed with the writer.

        Jobs run inline belong to virtual time, whose commits are not flushed one by one (`open_writer`).
        """
        self._worker = worker or Worker("database")
        power_safe = not isinstance(worker, InlineWorker)
        try:
            self._connection = self._worker.run(lambda: open_writer(path, CENTRAL, power_safe=power_safe))
        except BaseException:
            self._worker.close()
            raise
        self._store = MinuteStore(self._connection)

    def save_terms(self, terms: Terms) -> None:
        """Store a grid file's terms in a new database; for start-up, before the event loop runs."""
        self._worker.run(lambda: AgreementRepository(self._connection).found(terms, "grid file", "", 0))

    def load_terms(self) -> Terms:
        """The stored terms; LookupError if there are none yet."""
        return self._worker.run(lambda: AgreementRepository(self._connection).load())

    def last_minutes(self) -> Mapping[str, MeterMinute]:
        """The newest recorded minute of every house; for start-up."""
        return self._worker.run(self._store.last_minutes)

    def month_so_far(self, terms: Terms, last: Mapping[str, MeterMinute]) -> MonthSoFar:
        """Where the month of the newest recorded minute stands; for start-up."""
        if not last:
            return MonthSoFar(credit=0, opening={})
        through = max(row.minute for row in last.values()) + 1
        return self._worker.run(lambda: month_so_far(self._store, terms, through))

    async def append(self, meter: Sequence[MeterMinute], orders: Sequence[OrderMinute]) -> None:
        """Commit these minutes; on return they are on the disk."""
        await self._worker.submit(lambda: self._store.append(meter, orders))

    async def seal(self, day: int) -> None:
        """Pack a finished UTC day into columns, in jobs short enough for minutes to be stored in between."""
        steps = self._store.seal_in_steps(day)
        while await self._worker.submit(lambda: next(steps, _DONE)) is not _DONE:
            pass

    def close(self) -> None:
        """Finish what was submitted and close the file."""
        self._worker.run(self._connection.close)
        self._worker.close()
