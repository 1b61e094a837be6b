"""The month as far as it has come, settled minute by minute as minutes are recorded (for people to see).

It reads what the bill will read, but only what has come in so far; late and corrected minutes move it
when it is settled again from the database. Bills never come from here.
"""

from collections.abc import Mapping, Sequence

from central_monitor.services.agreed import Agreed
from microgrid.agreements import in_force
from microgrid.columns import minute_columns, order_columns
from microgrid.ledger import MonthLedger
from microgrid.minute import MeterMinute, OrderMinute
from microgrid.months import month_minutes, month_of, zone_of
from microgrid.statement import PenaltyParts, Statements


class RunningMonth:
    """Takes minutes in as they are recorded; settles them when somebody looks.

    It should be started again from the database, by `begin` and `start`, when it is `behind`: minutes came
    late. When it is `outdated`, the terms say otherwise of this month, it shows what it last knew till then.
    """

    def __init__(self, agreed: Agreed, last: Mapping[str, MeterMinute], ledger: MonthLedger | None) -> None:
        """`last` is each house's newest row, `ledger` the month of the newest of them through it."""
        self._agreed = agreed
        self._zone = zone_of(agreed.terms.zone)
        self._view: tuple[Statements, dict[str, PenaltyParts]] | None = None
        self.begin()
        self.start(last, ledger)

    def begin(self) -> None:
        """Minutes added from now on are kept for the ledger that is being settled from the database."""
        self._minutes: list[range] = []
        self._meter: list[MeterMinute] = []
        self._orders: list[OrderMinute] = []
        self._terms = self._agreed.terms  # that the ledger is settled under
        self._waiting = True
        self.behind = self.outdated = False

    def start(self, last: Mapping[str, MeterMinute], ledger: MonthLedger | None) -> None:
        """Carry on from a month settled from the database since `begin`."""
        self._last = dict(last)
        self._ledger = ledger
        self._view = None
        self._waiting = False

    def give_up(self) -> None:
        """The database could not tell: go on with what is known, until it is started again."""
        self._waiting = False
        self.behind = True

    def terms_changed(self) -> None:
        """Take note of new terms; those of coming months change nothing yet."""
        if self._ledger is None:
            self.outdated = True
            return
        minutes = self._ledger.minutes
        self.outdated |= in_force(self._terms, minutes) != in_force(self._agreed.terms, minutes)

    @property
    def through(self) -> int:
        """The minute up to which minutes were added; 0: none."""
        if self._minutes:
            return self._minutes[-1].stop
        return 0 if self._ledger is None else self._ledger.point().minute

    def add(self, minutes: range, meter: Sequence[MeterMinute], orders: Sequence[OrderMinute]) -> None:
        """Consecutive minutes just recorded, and rows of earlier ones that came with them."""
        if minutes:
            self.behind |= self._ledger is not None and any(row.minute < minutes.start for row in meter)
        else:
            self.behind |= bool(meter)  # more of a backlog than could be fetched at once
        if minutes and not self.outdated:
            self._minutes.append(minutes)
            self._meter += meter
            self._orders += orders
            self._view = None

    def statements(self) -> tuple[Statements, dict[str, PenaltyParts]] | None:
        """The running month's accounts and penalties through the last minute added; None before any.

        LookupError where no tariff is in force.
        """
        if not self._waiting and not self.outdated:
            self._settle()
        if self._view is None and self._ledger is not None:
            self._view = self._ledger.statements(), self._ledger.penalty_parts()
        return self._view

    def _settle(self) -> None:
        """Fold what was added into the ledger, month by month."""
        pending, self._minutes = self._minutes, []
        meter, self._meter = self._meter, []
        orders, self._orders = self._orders, []
        while pending:
            first, stop = pending[0].start, pending[-1].stop
            month = month_minutes(month_of(first, self._zone), self._zone)
            stop = min(stop, month.stop)
            self._fold(range(first, stop), meter, orders)
            pending = [range(max(p.start, stop), p.stop) for p in pending if p.stop > stop]

    def _fold(self, minutes: range, meter: list[MeterMinute], orders: list[OrderMinute]) -> None:
        terms = self._agreed.terms
        month = month_of(minutes.start, self._zone)
        houses = tuple(sorted(house.house for house in terms.houses))
        ledger = self._ledger
        if ledger is None or minutes.start not in ledger.minutes or ledger.houses != houses:
            ledger = MonthLedger(terms, month)
        # Minutes nobody recorded, from the ledger's last (or the month's first) on, are unknown ones.
        whole = range(ledger.point().minute, minutes.stop)
        if not whole:
            return  # already in the ledger that was settled from the database
        rows = [row for row in meter if row.minute in whole and row.house in houses]
        opening = {house: row for house, row in self._last.items() if row.minute < whole.start}
        ledger.add(
            minute_columns(houses, whole, rows, opening),
            order_columns(houses, whole, [order for order in orders if order.minute in whole]),
        )
        if ledger is not self._ledger:  # only now: without a tariff it would be a month of nothing
            self._ledger, self._terms = ledger, terms
        self._last.update({row.house: row for row in sorted(rows, key=lambda row: row.minute)})
