"""Contracts, bills and papers as one part of the central: made, joined and moved on here."""

import logging
from collections.abc import Mapping, Sequence

from central_monitor.adapters.archive import Archive
from central_monitor.adapters.writer import DatabaseWriter
from central_monitor.services.administration import Administration
from central_monitor.services.agreed import Agreed
from central_monitor.services.biller import MonthSoFar
from central_monitor.services.bookkeeper import Bookkeeper
from central_monitor.services.clerk import Clerk, PaperLink
from central_monitor.services.contracts import ContractDesk
from central_monitor.services.live import LiveState
from central_monitor.services.month_end import LateMinutes
from central_monitor.services.running import RunningMonth
from central_monitor.snapshot import Work
from microgrid.bill import Change
from microgrid.minute import MeterMinute
from microgrid.statement import Statements
from microgrid.units import SECONDS_PER_MINUTE

log = logging.getLogger(__name__)

TELL_MINUTES = 1
RESTART_S = 3600  # how often the running month is settled anew after late minutes


class Office:
    """Owned by the network thread."""

    def __init__(
        self,
        links: Mapping[str, PaperLink],
        writer: DatabaseWriter,
        archive: Archive,
        agreed: Agreed,
        live: LiveState,
        last: Mapping[str, MeterMinute],
        so_far: MonthSoFar | None,
        tell_minutes: int = TELL_MINUTES,
    ) -> None:
        """`last` and `so_far` are where the database stands; houses are told every `tell_minutes`."""
        self._archive = archive
        self._agreed = agreed
        self._live = live
        self._tell_minutes = tell_minutes
        self._told = 0
        self._noted: list[Change] = []  # with the rows that are being recorded
        self._restarted_s = 0
        rounds, policy = writer.load_rounds()
        billed_until, open_houses, owed, waivers = writer.load_billed()
        self.running = RunningMonth(agreed, last, None if so_far is None else so_far.ledger)
        self.desk = ContractDesk(agreed, rounds, policy)
        self._late = LateMinutes(agreed.terms.zone, billed_until, open_houses)
        self._clerk = Clerk(links, writer, agreed, live, self.desk, self.running)
        self._clerk.owe(owed, waivers)
        self._bookkeeper = Bookkeeper(archive, writer, agreed, live, self._clerk, self._late)
        self.administration = Administration(
            writer, archive, agreed, self.desk, self._clerk, self._bookkeeper, self._late
        )

    @property
    def work(self) -> Work | None:
        """What is being settled now."""
        return self._bookkeeper.work

    @property
    def papers(self) -> int:
        """How many bills and adjustments were issued since the start."""
        return self._clerk.papers

    def statements(self) -> Statements | None:
        """The running month, as far as it has come."""
        view = self._clerk.month_so_far()
        return None if view is None else view[0]

    def linked(self, house: str, now_s: int) -> None:
        """A house is linked."""
        self._clerk.linked(house, now_s)

    def changes(self, rows: Sequence[MeterMinute], now_s: int) -> list[Change]:
        """What rows that are about to be recorded change in months that are billed."""
        self._noted = self._late.changes(rows, now_s)
        return self._noted

    def recorded(self, rows: Sequence[MeterMinute], now_s: int) -> None:
        """These rows are on the disk, with what they were known to change."""
        changes = self._late.changes(rows, now_s)
        if changes:  # more than were noted if a month has begun to be billed meanwhile
            self._bookkeeper.changed(now_s, [change for change in changes if change not in self._noted])
        self._late.recorded(rows)

    async def step(self, now_s: int, timeout_s: float) -> None:
        """Do what is due at this time; `timeout_s` is real time a house has to answer."""
        await self._clerk.keep_rounds(lambda: self.desk.due(now_s), now_s)
        posting = [house for house, live in self._live.houses.items() if live.post]
        await self._clerk.collect(posting, now_s, timeout_s)
        await self._bookkeeper.step(now_s)
        await self._clerk.deliver(now_s, timeout_s)
        await self._keep_up(now_s)
        minute = now_s // SECONDS_PER_MINUTE // self._tell_minutes
        if minute != self._told:
            self._told = minute
            self._clerk.tell_month()

    async def _keep_up(self, now_s: int) -> None:
        """Settle the running month anew under other terms; if it is behind, not after every late minute."""
        behind = self.running.behind and now_s >= self._restarted_s + RESTART_S
        if not behind and not self.running.outdated:
            return
        self._restarted_s = now_s
        terms = self._agreed.terms
        self.running.begin()
        try:
            last, so_far = await self._archive.read(lambda records: records.month_so_far(terms))
        except BaseException as fault:
            self.running.give_up()
            if not isinstance(fault, LookupError):
                raise
            log.info("the running month cannot be settled: %s", fault)  # for want of a tariff
            return
        self.running.start(last, None if so_far is None else so_far.ledger)
