"""Answers to the operator's questions, from the records: months, days, minutes, and what one rests on.

Days are as stored with the run that made the bills; the minutes of a day are settled again from the day's
point, which gives the very figures of the run. Of a month that is not billed the answer is what it comes
to so far.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from central_monitor.books import (
    AccountLine,
    Agreements,
    DayLine,
    MinuteProof,
    MinuteTable,
    MonthBook,
    MonthEntry,
)
from central_monitor.services.biller import keep_freed_memory
from central_monitor.services.records import Records
from central_monitor.services.waiving import left_of, recorded_through
from microgrid.bill import with_adjustments
from microgrid.daybook import DaySums
from microgrid.ledger import MonthLedger, Segment
from microgrid.months import month_minutes, month_of, zone_of
from microgrid.settlement import allotments as allotments_ws
from microgrid.settlement import available_ws
from microgrid.statement import PenaltyParts, Statements
from microgrid.terms import COMMON_ACCOUNTS, Role, Terms
from microgrid.units import WS_PER_KWH
from microgrid.waiver import waiver_postings

STALE_MINUTES = 60  # of a month that runs: it is settled again for a question once it has grown by so many


def month_entries(records: Records, terms: Terms) -> tuple[MonthEntry, ...]:
    """Every month with minutes, newest first."""
    zone = zone_of(terms.zone)
    first, last = records.minutes.first_minute(), records.minutes.last_minutes()
    if first is None:
        return ()
    newest = month_of(max(row.minute for row in last.values()), zone)
    months, month = [], month_of(first + 1, zone)  # the first row of all only tells where registers stood
    while month <= newest:
        months.append(month)
        month = month_of(month_minutes(month, zone).stop, zone)
    settled = records.billing.settled()
    return tuple(MonthEntry(month, *settled.get(month, (None, 0))) for month in reversed(months))


def agreements(records: Records) -> Agreements:
    """The rounds of contracts, newest first, and the policy."""
    rounds = records.agreements.rounds()
    return Agreements(records.agreements.policy(), tuple(reversed(rounds)))


@dataclass(frozen=True)
class _Month:
    """A month as it is asked about: its last run if it is billed, else what it comes to so far."""

    terms: Terms  # that it was settled under
    statements: Statements
    days: tuple[DaySums, ...]
    end_minute: int


class Inquiries:
    """Answers questions; for one thread. A month that runs is settled again once an hour of its own."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._so_far: tuple[Terms, MonthLedger] | None = None
        self._settled_day: tuple[object, tuple[Segment, ...]] | None = None  # the last one, and of what

    def month_book(self, terms: Terms, month: str) -> MonthBook:
        """Bills & Payments of a month; LookupError if nothing is recorded of it."""
        billing = self._records.billing
        runs = billing.runs(month)
        made = billing.adjustments(month)
        bills = {bill.house: bill for bill in billing.bills(month)}
        checks = billing.checks(month)
        asked = self._month(terms, month)
        statements = runs[0].statements if runs else asked.statements
        waivers = billing.waivers.of(month)
        # Till bills are out a house that left may have paid its own; what is waived will stand on them.
        carried = billing.carried(month) if runs else waiver_postings(waivers, statements, {}, 1, 0)
        names = {house.house: house.name for house in terms.houses}
        lines = tuple(
            AccountLine(
                account=account,
                name=names.get(account, ""),
                statement=with_adjustments(statement, [a for a in carried if a.account == account]),
                waived=sum(a.total for a in carried if (a.account, a.month) == (account, month)),
                waivable=left_of(waivers, asked.statements, account),
                adjusted=sum(adjustment.total for adjustment in made if adjustment.account == account),
                bill=bills.get(account),
                check=checks.get(account),
            )
            for account, statement in statements.accounts.items()
        )
        return MonthBook(
            month=month,
            zone=terms.zone,
            first_minute=month_minutes(month, zone_of(terms.zone)).start,
            end_minute=asked.end_minute,
            issued_s=runs[0].made_s if runs else None,
            lines=lines,
            total=sum(line.statement.total for line in lines),
            adjustments=made,
            waivers=waivers,
        )

    def days(self, terms: Terms, month: str, account: str) -> tuple[DayLine, ...]:
        """The days of an account's month, as last settled; LookupError for an unknown account."""
        lines = []
        for day in self._month(terms, month).days:
            index = _place(day, account)
            lines.append(
                DayLine(
                    first_minute=day.first_minute,
                    end_minute=day.end_minute,
                    **{name: int(getattr(day, name)[index]) for name in _DAY_FIGURES},
                )
            )
        return tuple(lines)

    def minutes(self, terms: Terms, month: str, account: str, day: int) -> MinuteTable:
        """The minutes of the month's day number `day`; they sum to the day's figures."""
        asked = self._month(terms, month)
        sums = asked.days[day]
        index, houses = _place(sums, account), len(sums.accounts) - len(COMMON_ACCOUNTS)
        parts = self._segments(asked.terms, month, sums)

        def joined(of_house: str, of_common: str | None) -> np.ndarray:
            if index < houses:
                return np.concatenate([getattr(part.settled, of_house)[:, index] for part in parts])
            if of_common is None:
                return np.zeros(sums.end_minute - sums.first_minute, dtype=np.int64)
            return np.concatenate([getattr(part.settled, of_common) for part in parts])

        common = _COMMON_FIGURES.get(account, {})
        estimated = [part.estimated[:, index] for part in parts] if index < houses else []
        return MinuteTable(
            first_minute=sums.first_minute,
            end_minute=sums.end_minute,
            **{name: joined(of_house, common.get(name)) for name, of_house in _MINUTE_FIGURES.items()},
            estimated=np.concatenate(estimated)
            if estimated
            else np.zeros(sums.end_minute - sums.first_minute, bool),
            rate=np.concatenate([_rates(part) for part in parts]),
        )

    def proof(self, terms: Terms, house: str, minute: int) -> MinuteProof:
        """What one minute of a house rests on; LookupError if the month knows nothing of it."""
        month = month_of(minute, zone_of(terms.zone))
        asked = self._month(terms, month)
        day = next((d for d in asked.days if d.first_minute <= minute < d.end_minute), None)
        if day is None:
            raise LookupError("that minute is not settled yet")
        index = _place(day, house)
        parts = self._segments(asked.terms, month, day)
        part = next(p for p in reversed(parts) if p.first_minute <= minute)
        row = minute - part.first_minute
        minutes, settled, block = self._records.minutes, part.settled, part.block
        around = minutes.around(house, minute)
        corrections = minutes.corrections(house, minute, minute + 1)
        rate = int(_rates(part)[row])
        contract = asked.terms.contract_at(house, minute)
        buyer = contract is not None and contract.role is Role.CONSUMER
        allotted = allotments_ws(part.terms, available_ws(part.terms, block))[row, index]
        return MinuteProof(
            house=asked.terms.house(house),
            minute=minute,
            before=around.before,
            row=around.row,
            after=around.after,
            revisions=tuple(minutes.revisions(house, minute)),
            corrected_by=f"{corrections[-1].author}: {corrections[-1].reason}" if corrections else "",
            order=minutes.order(house, minute),
            contract=contract,
            tariff=asked.terms.tariff_at(minute),
            net_energy=int(block.net_ws[row, index]),
            estimated=bool(part.estimated[row, index]),
            rate=None if rate < 0 else rate,
            allotment=int(allotted) if buyer else None,
            produced=int(np.maximum(block.net_ws[row], 0).sum()),
            consumed=int(np.maximum(-block.net_ws[row], 0).sum()),
            penalties=PenaltyParts(
                **{name: int(getattr(settled, name)[row, index]) for name in PenaltyParts.__struct_fields__}
            ),
            **{
                name: int(getattr(settled, of_house)[row, index])
                for name, of_house in _MINUTE_FIGURES.items()
                if not name.startswith("penalty")
            },
        )

    def _month(self, terms: Terms, month: str) -> _Month:
        run = self._records.billing.latest(month)
        if run is not None:
            return _Month(run.terms, run.statements, run.days, run.end_minute)
        ledger = self._settled_so_far(terms, month)
        return _Month(terms, ledger.statements(), ledger.days(), ledger.point().minute)

    def _settled_so_far(self, terms: Terms, month: str) -> MonthLedger:
        records = self._records
        minutes = month_minutes(month, zone_of(terms.zone))
        through = recorded_through(records, terms, month)
        if self._so_far is not None and self._so_far[0] == terms and self._so_far[1].minutes == minutes:
            ledger = self._so_far[1]
            grown = through - ledger.point().minute
            if grown == 0 or (grown < STALE_MINUTES and through < minutes.stop):
                return ledger
        ledger = records.settle(terms, month, through)
        self._so_far = terms, ledger
        return ledger

    def _segments(self, terms: Terms, month: str, day: DaySums) -> tuple[Segment, ...]:
        """The day's minutes, settled again from where the day begins; kept till anything else is recorded."""
        records = self._records
        settled_of = (records.version(), terms, month, day.start, day.end_minute)
        if self._settled_day is None or self._settled_day[0] != settled_of:
            self._settled_day = None  # two days need not be in memory at once
            keep_freed_memory()
            ledger = MonthLedger(terms, month, records.habits(terms), day.start)
            read = records.minutes.billed_days(day.first_minute, day.end_minute, ledger.houses)
            parts = [part for columns, orders in read for part in ledger.segments(columns, orders)]
            self._settled_day = settled_of, tuple(parts)
        return self._settled_day[1]


def _place(day: DaySums, account: str) -> int:
    try:
        return day.accounts.index(account)
    except ValueError:
        raise LookupError(f"there is no account {account} in this month") from None


def _rates(part: Segment) -> NDArray[np.int64]:
    """What local energy cost in each minute, micro-coins per kWh; -1 where there was none."""
    energy, amount = part.settled.local_energy, part.settled.local_amount
    rates = np.floor(amount / np.maximum(energy, 1) * WS_PER_KWH + 0.5).astype(np.int64)
    return np.where(energy > 0, rates, -1)


_DAY_FIGURES = (
    "microgrid_energy",
    "national_grid_energy",
    "microgrid_amount",
    "national_grid_amount",
    "penalty_energy",
    "penalty_amount",
    "estimated_minutes",
)
# A figure of a minute, and the settlement's name for it: of a house, and of the common accounts.
_MINUTE_FIGURES = {
    "microgrid_energy": "microgrid_energy",
    "national_grid_energy": "national_energy",
    "microgrid_amount": "microgrid_amount",
    "national_grid_amount": "national_amount",
    "penalty_energy": "penalty_energy",
    "penalty_amount": "penalty_amount",
}
_COMMON_FIGURES = {
    "national_grid": {
        "microgrid_energy": "grid_microgrid_energy",
        "national_grid_energy": "grid_national_energy",
        "microgrid_amount": "grid_microgrid_amount",
        "national_grid_amount": "grid_national_amount",
    },
    "reserve": {"microgrid_amount": "reserve_microgrid_amount", "penalty_amount": "reserve_penalty_amount"},
    "losses": {"national_grid_energy": "losses_energy"},
}
