"""Bills the months as they end, and settles them again when their data change (5.9, 5.10).

What is due is decided in `month_end`; here it is read, stored and handed to the clerk. A run reads the
records in the archive's thread, so minutes go on being stored meanwhile.
"""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol

from central_monitor.services.agreed import Agreed
from central_monitor.services.clerk import Clerk
from central_monitor.services.live import LiveState
from central_monitor.services.month_end import (
    LONGEST_QUIET_S,
    QUIET_S,
    Arrivals,
    Issued,
    LateMinutes,
    final_bill,
    final_due,
    first_run,
    later_run,
    missing,
    month_due,
)
from central_monitor.services.records import Answer, Reader, Records
from central_monitor.snapshot import Work
from microgrid.bill import Adjustment, Bill, BillKind, Change
from microgrid.months import month_minutes, month_of, zone_of
from microgrid.terms import House, Terms
from microgrid.units import SECONDS_PER_MINUTE

log = logging.getLogger(__name__)


class BillStore(Protocol):
    """Where runs and bills are kept."""

    async def issue(self, issued: Issued, taken: Sequence[int]) -> tuple[Adjustment, ...]:
        """Keep a run, its bills and adjustments; these changes are taken up by it.

        Returns what the run makes of the month's waivers, which is kept with it.
        """

    async def note(self, changes: Sequence[Change]) -> None:
        """Note what changed in months that are billed."""

    async def take_up(self, changes: Sequence[int], run: int) -> None:
        """These changes made no difference to the run."""

    async def issue_final(self, bill: Bill) -> None:
        """Keep the final bill of a house that leaves, with which its adjustments are paid."""


class Bookkeeper:
    """Owned by the network thread. `work` is what is being settled now."""

    def __init__(
        self,
        archive: Reader,
        store: BillStore,
        agreed: Agreed,
        live: LiveState,
        clerk: Clerk,
        late: LateMinutes,
    ) -> None:
        self._archive = archive
        self._store = store
        self._agreed = agreed
        self._live = live
        self._clerk = clerk
        self._late = late
        self._zone = zone_of(agreed.terms.zone)
        self._first: int | None = None  # the first minute that may hold energy
        self._unsettled: Terms | None = None  # terms under which a month that is due cannot be settled
        self._arrivals = Arrivals()
        self._changed_s: int | None = 0  # when data of a billed month last changed; 0: perhaps, before
        self._first_change_s = 0  # of those that no run has taken up
        self._unnoted: list[Change] = []
        self.work: Work | None = None

    def changed(self, now_s: int, unnoted: Sequence[Change] = ()) -> None:
        """Data of a billed month have just changed: it is settled again once that has come to rest.

        `unnoted` are changes that were not noted with the data: the month was being billed meanwhile.
        """
        if self._changed_s is None:
            self._first_change_s = now_s
        self._changed_s = now_s
        self._unnoted += unnoted

    async def step(self, now_s: int) -> None:
        """Do what is due. A month that cannot be settled is said once, and tried again with other terms."""
        if self._agreed.terms is self._unsettled:
            return
        try:
            await self._do_due(now_s)
        except LookupError as fault:  # no tariff in force
            self._unsettled = self._agreed.terms
            self._live.notice(now_s * 1000, f"Bills cannot be made: {fault}")
            log.error("bills cannot be made: %s", fault)

    async def _do_due(self, now_s: int) -> None:
        last = {house: live.last.minute for house, live in self._live.houses.items() if live.last}
        if not last:
            return
        if self._first is None:
            first = await self._archive.read(lambda records: records.minutes.first_minute())
            self._first = (first or 0) + 1  # the first row of all only tells where registers stood
        terms = self._agreed.terms
        delivering = self._arrivals.delivering(terms, last, now_s)
        while month := month_due(terms, self._first, self._late.billed_until, last, now_s, delivering):
            await self._bill(terms, month, last, now_s)
        await self._bill_leavers(terms, last, now_s, delivering)
        since_s = self._changed_s
        if since_s is not None and now_s >= min(since_s + QUIET_S, self._first_change_s + LONGEST_QUIET_S):
            self._changed_s = None
            try:
                await self._settle_again(terms, last, now_s)
            except BaseException:
                self._changed_s = self._changed_s or since_s  # it is still to be done
                raise

    async def _bill(self, terms: Terms, month: str, last: Mapping[str, int], now_s: int) -> None:
        minutes = month_minutes(month, self._zone)
        waiting = missing(terms, minutes, last)

        def settle(records: Records) -> Issued:
            ledger = records.settle(terms, month, progress=self._progress(month))
            finals = {bill.house: bill for bill in records.billing.bills(month)}
            carried = records.billing.uncarried(month)
            waivers = records.billing.waivers.of(month)
            return first_run(ledger, terms, month, waiting, carried, finals, now_s, waivers)

        with self._late.billing(minutes.stop, waiting):
            issued = await self._asked(settle)
            of_waivers = await self._store.issue(issued, ())
        self._clerk.issued([*issued.bills, *of_waivers])
        await self.owe()
        text = f"The bills of {month} are out."
        if waiting:
            text += f" Minutes are missing from house {', '.join(waiting)}; they will be adjusted."
        self._live.notice(now_s * 1000, text)

    async def _bill_leavers(
        self, terms: Terms, last: Mapping[str, int], now_s: int, delivering: Collection[str]
    ) -> None:
        until = self._late.billed_until
        left = [house for house in terms.houses if until < house.left <= now_s // SECONDS_PER_MINUTE]
        if not left:
            return
        months = {month_of(house.left - 1, self._zone) for house in left}
        bills = await self._archive.read(
            lambda records: [b for m in months for b in records.billing.bills(m)]
        )
        billed = {bill.house for bill in bills if bill.kind is BillKind.FINAL}
        while house := final_due(terms, until, billed, last, now_s, delivering):
            bill = await self._final(terms, house, now_s)
            await self._store.issue_final(bill)
            self._clerk.issued([bill])
            await self.owe()
            self._live.notice(now_s * 1000, f"House {house.house} has left; its final bill is out.")
            billed.add(house.house)

    async def _final(self, terms: Terms, house: House, now_s: int) -> Bill:
        month = month_of(house.left - 1, self._zone)

        def settle(records: Records) -> Bill:
            ledger = records.settle(terms, month, house.left, self._progress(month))
            carried = [paid for paid in records.billing.uncarried(month) if paid.account == house.house]
            waivers = records.billing.waivers.of(month)
            return final_bill(ledger, terms, house, month, now_s, carried, waivers)

        return await self._asked(settle)

    async def _settle_again(self, terms: Terms, last: Mapping[str, int], now_s: int) -> None:
        unnoted = tuple(self._unnoted)
        await self._store.note(unnoted)
        del self._unnoted[: len(unnoted)]
        done: set[str] = set()
        while True:  # what changes a month may change the billed ones beside it
            pending = await self._archive.read(lambda records: records.billing.pending_changes())
            months = {change.month for _, change in pending} - done
            if not months:
                break
            month = min(months)
            done.add(month)
            changes = [(number, change) for number, change in pending if change.month == month]
            await self._adjust(terms, month, changes, done, last, now_s)
        await self.owe()

    async def _adjust(
        self,
        terms: Terms,
        month: str,
        changes: list[tuple[int, Change]],
        done: Collection[str],
        last: Mapping[str, int],
        now_s: int,
    ) -> None:
        minutes = month_minutes(month, self._zone)
        waiting = missing(terms, minutes, last)
        neighbours = {month_of(minute, self._zone) for minute in (minutes.start - 1, minutes.stop)}

        def settle(records: Records) -> Issued | None:
            before = records.billing.latest(month)
            if before is None:
                return None  # the month is not billed: its bill will know
            beside = sorted(neighbours.intersection(records.billing.months()).difference(done))
            ledger = records.settle(terms, month, progress=self._progress(month))
            return later_run(ledger, terms, before, [change for _, change in changes], waiting, beside, now_s)

        issued = await self._asked(settle)
        numbers = [number for number, _ in changes]
        if issued is None:
            return
        if not issued.adjustments:
            await self._store.take_up(numbers, issued.run.number - 1)
            return
        of_waivers = await self._store.issue(issued, numbers)
        self._clerk.issued([*issued.adjustments, *of_waivers])
        self._live.notice(now_s * 1000, f"{month} was settled again; adjustments are beside its bills.")

    async def owe(self) -> None:
        """Tell the clerk anew what waits for the next bills, for the month so far."""
        waiting = await self._archive.read(
            lambda records: (records.billing.uncarried(), records.billing.waivers.to_be_billed())
        )
        self._clerk.owe(*waiting)

    async def _asked(self, question: Callable[[Records], Answer]) -> Answer:
        try:
            return await self._archive.read(question)
        finally:
            self.work = None

    def _progress(self, month: str) -> Callable[[int, int], None]:
        def told(done: int, total: int) -> None:  # in the archive's thread: one assignment, whole or not
            self.work = Work(f"Settling {month}", done, total)

        return told
