"""When a month is billed, and settled again; what a run of it makes (5.9, 5.10).

Plain functions and one small state: times, rows and finished ledgers go in, runs, bills and adjustments
come out. Data that come after the bills never change them; they make adjustments beside them.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from msgspec.structs import replace

from db.central import Run
from microgrid.agreements import in_force
from microgrid.bill import (
    Adjustment,
    Bill,
    BillKind,
    Cause,
    Change,
    adjustments_between,
    make_bill,
)
from microgrid.ledger import MonthLedger
from microgrid.minute import MeterMinute
from microgrid.months import local_time, month_minutes, month_of, zone_of
from microgrid.terms import COMMON_ACCOUNTS, House, Terms
from microgrid.units import SECONDS_PER_MINUTE
from microgrid.waiver import Waiver, waiver_postings

GRACE_S = 24 * 3600  # after a month: how long its bills wait for minutes that have not come
LONGEST_QUIET_S = 6 * 3600  # who brings a minute now and then does not put off adjustments for ever
QUIET_S = 600  # after the last late minute: then the month is settled again, once for all of them
PATIENCE_S = 6 * 3600  # a backlog of months is delivered within minutes
BACKLOG_S = 3600  # a house of which nothing new came for so long is not delivering any more


@dataclass(frozen=True)
class Issued:
    """What one run of a month makes, to be stored together.

    `changes` are what it means for the months beside it: they are settled again as well.
    """

    run: Run
    bills: tuple[Bill, ...] = ()
    adjustments: tuple[Adjustment, ...] = ()
    changes: tuple[Change, ...] = ()


class Arrivals:
    """When something new last came of each house: who brings what it kept is waited for beyond the grace.

    So a central that was away for long does not bill months whose minutes are on their way. But a house
    that brings one now and then does not hold up everybody's bills for ever.
    """

    def __init__(self) -> None:
        self._newest: dict[str, tuple[int | None, int]] = {}
        self._began_s: dict[str, int] = {}  # when it began to deliver without a pause

    def delivering(self, terms: Terms, last: Mapping[str, int], now_s: int) -> set[str]:
        """The houses of which something came within `BACKLOG_S`, or that were not asked for so long.

        Each is waited for so for at most `PATIENCE_S`.
        """
        for house in (listed.house for listed in terms.houses):
            minute, at_s = last.get(house), self._newest[house][1] if house in self._newest else None
            if at_s is not None and self._newest[house][0] == minute:
                continue
            if at_s is None or now_s >= at_s + BACKLOG_S:
                self._began_s[house] = now_s
            self._newest[house] = minute, now_s
        return {
            house
            for house, (_, at_s) in self._newest.items()
            if now_s < at_s + BACKLOG_S and now_s < self._began_s[house] + PATIENCE_S
        }


class LateMinutes:
    """Notices minutes that come after their month's bills. Owned by the network thread."""

    def __init__(self, zone: str, billed_until: int, open_houses: Iterable[str]) -> None:
        """`open_houses`: those whose last minutes were missing when the newest month was billed."""
        self._zone = zone_of(zone)
        self._open = frozenset(open_houses)
        self.billed_until = billed_until

    @contextmanager
    def billing(self, end_minute: int, open_houses: Iterable[str]) -> Iterator[None]:
        """The bills up to this minute are being made: from now on rows before it are late.

        They are not if the bills cannot be made: this then leaves things as they were.
        """
        before = self.billed_until, self._open
        self.billed_until, self._open = end_minute, frozenset(open_houses)
        try:
            yield
        except BaseException:
            self.billed_until, self._open = before
            raise

    def changes(self, rows: Sequence[MeterMinute], now_s: int) -> list[Change]:
        """What these rows change in billed months once they are recorded: a change a house and month."""
        late: dict[tuple[str, str], list[int]] = {}
        for row in rows:
            if row.minute < self.billed_until:
                late.setdefault((month_of(row.minute, self._zone), row.house), []).append(row.minute)
        found = [
            Change(month=month, house=house, cause=Cause.LATE, reason=self._words(minutes), made_s=now_s)
            for (month, house), minutes in sorted(late.items())
        ]
        month = month_of(self.billed_until - 1, self._zone) if self.billed_until else ""
        reason = "Your meter was heard again after the month's end; what it counted meanwhile is now known."
        return found + [
            Change(month=month, house=house, cause=Cause.LATE, reason=reason, made_s=now_s)
            for house in sorted(self._heard_again(rows))
        ]

    def recorded(self, rows: Sequence[MeterMinute]) -> None:
        """These rows are on the disk, and what they change is noted."""
        self._open -= self._heard_again(rows)

    def _heard_again(self, rows: Sequence[MeterMinute]) -> frozenset[str]:
        """Houses whose first row after a silence beyond the month's end tells what flowed before it."""
        return self._open & {row.house for row in rows if row.minute >= self.billed_until}

    def _words(self, minutes: list[int]) -> str:
        first, last = (f"{local_time(m, self._zone):%-d %B %Y}" for m in (min(minutes), max(minutes)))
        days = first if first == last else f"{first} to {last}"
        return f"Minutes of your meter of {days} came after the bill."


def members(terms: Terms, minutes: range) -> list[House]:
    """The houses that are part of the micro-grid in some of these minutes."""
    return [h for h in terms.houses if h.joined < minutes.stop and h.left > minutes.start]


def missing(terms: Terms, minutes: range, last: Mapping[str, int]) -> tuple[str, ...]:
    """The houses that have not delivered all they will of these minutes.

    Minutes come in order, so a house whose `last` recorded minute is the last one has nothing more.
    """
    return tuple(
        house.house
        for house in members(terms, minutes)
        if last.get(house.house, -1) < min(minutes.stop, house.left) - 1
    )


def month_due(
    terms: Terms, first: int, billed_until: int, last: Mapping[str, int], now_s: int,
    delivering: Collection[str] = (),
) -> str | None:  # fmt: skip
    """The earliest month whose bills are due: all its minutes are in, or the grace is over.

    `first` is the first minute ever recorded; houses that are `delivering` are waited for beyond the grace.
    """
    zone = zone_of(terms.zone)
    month = month_of(max(first, billed_until), zone)
    minutes = month_minutes(month, zone)
    end_s = minutes.stop * SECONDS_PER_MINUTE
    if now_s < end_s:
        return None
    waiting = missing(terms, minutes, last)
    over = now_s >= end_s + GRACE_S and not any(house in delivering for house in waiting)
    return month if over or not waiting else None


def final_due(
    terms: Terms, billed_until: int, billed: Collection[str], last: Mapping[str, int], now_s: int,
    delivering: Collection[str] = (),
) -> House | None:  # fmt: skip
    """A house that left within a month that is not billed, and whose final bill is due."""
    for house in terms.houses:
        left_s = house.left * SECONDS_PER_MINUTE
        if house.house in billed or not billed_until < house.left or now_s < left_s:
            continue
        if last.get(house.house, -1) >= house.left - 1:
            return house
        if now_s >= left_s + GRACE_S and house.house not in delivering:
            return house
    return None


def first_run(
    ledger: MonthLedger, terms: Terms, month: str, open_houses: tuple[str, ...],
    carried: Sequence[Adjustment], finals: Mapping[str, Bill], made_s: int,
    waivers: Sequence[Waiver] = (),
) -> Issued:  # fmt: skip
    """Run 1 of a month with its bills; `carried` adjustments of earlier months are paid with them.

    So is what was waived of the month's own penalties: it is posted when the run is stored. A house with a
    final bill gets another one, in its place, only if that has changed.
    """
    run = _run(ledger, terms, month, 1, made_s, open_houses)
    of_waivers = waiver_postings(waivers, run.statements, {}, run.number, made_s)
    here = {house.house for house in members(terms, ledger.minutes)}
    concerned = here | {paid.account for paid in carried if paid.account not in COMMON_ACCOUNTS}
    bills = []
    for house in sorted(concerned):
        paid = [paid for paid in (*carried, *of_waivers) if paid.account == house]
        if (final := finals.get(house)) is not None:
            paid = [*(before for before in final.adjustments if before.month != month), *paid]
        bill = make_bill(
            terms, house, run.statements, run.penalties[house], ledger.minutes, made_s, adjustments=paid
        )
        if final is None or final.account != bill.account:
            bills.append(bill)
    return Issued(run, tuple(bills))


def later_run(
    ledger: MonthLedger, terms: Terms, before: Run, changes: Sequence[Change],
    open_houses: tuple[str, ...], beside: Iterable[str], made_s: int,
) -> Issued:  # fmt: skip
    """A month settled again after these changes: adjustments beside its bills.

    `beside` are the billed months next to it. What changed in a house's registers may have moved energy
    across the month's edge, or a habit by which a gap of theirs is laid out: they are settled again too.
    """
    run = _run(ledger, terms, before.month, before.number + 1, made_s, open_houses)
    made = adjustments_between(before.statements, run.statements, changes, run.number, made_s)
    spread = [replace(change, month=month) for month in beside for change in changes if change.house]
    return Issued(run, adjustments=made, changes=tuple(spread) if made else ())


def final_bill(
    ledger: MonthLedger, terms: Terms, house: House, month: str, made_s: int,
    carried: Sequence[Adjustment], waivers: Sequence[Waiver] = (),
) -> Bill:  # fmt: skip
    """The bill of a house that leaves, from a ledger through its last minute.

    Its `carried` adjustments of earlier months are paid with it, and what was waived of its penalties.
    """
    statements = ledger.statements()
    own = [waiver for waiver in waivers if waiver.house == house.house]
    of_waivers = waiver_postings(own, statements, {}, 1, made_s)
    return make_bill(
        terms,
        house.house,
        statements,
        ledger.penalty_parts()[house.house],
        range(ledger.minutes.start, house.left),
        made_s,
        kind=BillKind.FINAL,
        adjustments=(*carried, *(paid for paid in of_waivers if paid.account == house.house)),
    )


def _run(
    ledger: MonthLedger, terms: Terms, month: str, number: int, made_s: int, open_houses: tuple[str, ...]
) -> Run:
    return Run(
        month=month,
        number=number,
        made_s=made_s,
        first_minute=ledger.minutes.start,
        end_minute=ledger.minutes.stop,
        statements=ledger.statements(),
        penalties=ledger.penalty_parts(),
        terms=in_force(terms, ledger.minutes),
        days=ledger.days(),
        open_houses=open_houses,
    )
