"""When a month is billed, and settled again; what a run of it makes (5.9, 5.10).

Plain functions and one small state: times, rows and finished ledgers go in, runs, bills and adjustments
come out. Data that come after the bills never change them; they make adjustments beside them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from db.central import Run
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

GRACE_S = 24 * 3600  # after a month: how long its bills wait for minutes that have not come
QUIET_S = 600  # after the last late minute: then the month is settled again, once for all of them


@dataclass(frozen=True)
class Issued:
    """What one run of a month makes, to be stored together."""

    run: Run
    bills: tuple[Bill, ...] = ()
    adjustments: tuple[Adjustment, ...] = ()


class LateMinutes:
    """Notices minutes that come after their month's bills. Owned by the network thread."""

    def __init__(self, zone: str, billed_until: int, open_houses: Iterable[str]) -> None:
        """`open_houses`: those whose last minutes were missing when the newest month was billed."""
        self._zone = zone_of(zone)
        self._open = set(open_houses)
        self.billed_until = billed_until

    def billed(self, run: Run) -> None:
        """A month's bills are out."""
        self.billed_until = max(self.billed_until, run.end_minute)
        self._open = set(run.open_houses)

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

    def _heard_again(self, rows: Sequence[MeterMinute]) -> set[str]:
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


def month_due(terms: Terms, first: int, billed_until: int, last: Mapping[str, int], now_s: int) -> str | None:
    """The earliest month whose bills are due: all its minutes are in, or the grace is over.

    `first` is the first minute ever recorded.
    """
    zone = zone_of(terms.zone)
    month = month_of(max(first, billed_until), zone)
    minutes = month_minutes(month, zone)
    end_s = minutes.stop * SECONDS_PER_MINUTE
    if now_s < end_s:
        return None
    return month if now_s >= end_s + GRACE_S or not missing(terms, minutes, last) else None


def final_due(
    terms: Terms, billed_until: int, billed: Iterable[str], last: Mapping[str, int], now_s: int
) -> House | None:
    """A house that left within a month that is not billed, and whose final bill is due."""
    done = set(billed)
    for house in terms.houses:
        left_s = house.left * SECONDS_PER_MINUTE
        if house.house in done or not billed_until < house.left or now_s < left_s:
            continue
        if now_s >= left_s + GRACE_S or last.get(house.house, -1) >= house.left - 1:
            return house
    return None


def first_run(
    ledger: MonthLedger, terms: Terms, month: str, open_houses: tuple[str, ...],
    carried: Sequence[Adjustment], finals: Mapping[str, Bill], made_s: int,
) -> Issued:  # fmt: skip
    """Run 1 of a month with its bills; `carried` adjustments of earlier months are paid with them.

    A house with a final bill gets another one only if that has changed.
    """
    run = _run(ledger, month, 1, made_s, open_houses)
    here = {house.house for house in members(terms, ledger.minutes)}
    concerned = here | {paid.account for paid in carried if paid.account not in COMMON_ACCOUNTS}
    bills = []
    for house in sorted(concerned):
        paid = [adjustment for adjustment in carried if adjustment.account == house]
        final = finals.get(house)
        if final is not None and not paid and final.account == run.statements.accounts[house]:
            continue
        bills.append(
            make_bill(
                terms, house, run.statements, run.penalties[house], ledger.minutes, made_s, adjustments=paid
            )
        )
    return Issued(run, tuple(bills))


def later_run(
    ledger: MonthLedger, before: Run, changes: Sequence[Change], open_houses: tuple[str, ...], made_s: int
) -> Issued:
    """A month settled again after these changes: adjustments beside its bills."""
    run = _run(ledger, before.month, before.number + 1, made_s, open_houses)
    made = adjustments_between(before.statements, run.statements, changes, run.number, made_s)
    return Issued(run, adjustments=made)


def final_bill(ledger: MonthLedger, terms: Terms, house: House, month: str, made_s: int) -> Bill:
    """The bill of a house that leaves, from a ledger through its last minute."""
    return make_bill(
        terms,
        house.house,
        ledger.statements(),
        ledger.penalty_parts()[house.house],
        range(ledger.minutes.start, house.left),
        made_s,
        kind=BillKind.FINAL,
    )


def _run(ledger: MonthLedger, month: str, number: int, made_s: int, open_houses: tuple[str, ...]) -> Run:
    return Run(
        month=month,
        number=number,
        made_s=made_s,
        first_minute=ledger.minutes.start,
        end_minute=ledger.minutes.stop,
        statements=ledger.statements(),
        penalties=ledger.penalty_parts(),
        days=ledger.days(),
        open_houses=open_houses,
    )
