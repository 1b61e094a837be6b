"""Keeps bills: the runs of a month with their days, bills, adjustments, and what changed since.

Runs, bills and adjustments are never changed once stored; only what became of them is noted beside.
"""

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec.structs import replace
from sqlalchemy import ColumnElement, Connection, RowMapping, Select, func, insert, select, update

from db.central import tables
from db.central.runs import Run, day_of, day_rows, houses_of, run_of, run_row
from db.central.waivers import WaiverRepository
from db.engine import transaction
from microgrid.bill import Adjustment, Bill, BillCheck, BillKind, Cause, Change
from microgrid.daybook import DaySums
from microgrid.terms import COMMON_ACCOUNTS, RESERVE
from microgrid.waiver import Waiver, waiver_postings


class BillingRepository:
    """Bills on one connection; every method is one transaction, or part of the caller's.

    `waivers` are the penalties that were waived; what comes of them is posted here.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.waivers = WaiverRepository(connection)

    # --- runs ---------------------------------------------------------------------------------------

    def save(
        self,
        run: Run,
        bills: Iterable[Bill] = (),
        adjustments: Iterable[Adjustment] = (),
        changes_taken: Iterable[int] = (),
    ) -> tuple[Adjustment, ...]:
        """Stores a run and what it made: all or nothing. Returns what it made of the month's waivers.

        Adjustments named in the bills are marked as paid with them. Those of the common accounts, which
        get no bills, are paid with run 1 of the next month that is billed, or with the house's if they are
        of a waiver. The changes are no longer pending.
        """
        issued = tuple(bills)
        with transaction(self._connection) as connection:
            connection.execute(insert(tables.run), run_row(run))
            if days := day_rows(run):
                connection.execute(insert(tables.run_day), days)
            if issued:
                connection.execute(insert(tables.bill), [_bill_row(bill) for bill in issued])
            self._insert_adjustments(adjustments)
            of_waivers = self._post_waivers(run, run.made_s)
            if run.number == 1:
                # Of a house that left, the final bill counts unless another one took its place.
                last = {bill.house: bill for bill in self.bills(run.month)}
                self._carry((paid, run.month) for bill in last.values() for paid in bill.adjustments)
                common = [paid for paid in self.uncarried(run.month) if paid.account in COMMON_ACCOUNTS]
                self._carry((paid, run.month) for paid in common if not paid.waiver)
            table = tables.change
            taken = table.c.number.in_(tuple(changes_taken))
            connection.execute(update(table).where(taken).values(run=run.number))
        return of_waivers

    def waive(self, waiver: Waiver) -> tuple[Adjustment, ...]:
        """Stores what the operator waives; of a month that is billed it is posted at once, else with run 1.

        Returns what was posted, which is paid with the next statement.
        """
        with transaction(self._connection):
            self.waivers.add(waiver)
            newest = self._newest(waiver.month)
            return () if newest is None else self._post_waivers(run_of(newest), waiver.entered_s)

    def months(self) -> tuple[str, ...]:
        """The months whose bills are out, newest first."""
        table = tables.run
        with transaction(self._connection) as connection:
            query = select(table.c.month).where(table.c.number == 1).order_by(table.c.month.desc())
            return tuple(connection.scalars(query))

    def settled(self) -> dict[str, tuple[int, int]]:
        """Of each month whose bills are out: when they were made (Unix seconds), and how many runs it has."""
        table = tables.run
        query = select(table.c.month, func.min(table.c.made_s), func.count()).group_by(table.c.month)
        with transaction(self._connection) as connection:
            return {month: (made_s, runs) for month, made_s, runs in connection.execute(query)}

    def runs(self, month: str) -> tuple[Run, ...]:
        """The month's runs in order, without their days."""
        table = tables.run
        with transaction(self._connection) as connection:
            query = select(table).where(table.c.month == month).order_by(table.c.number)
            return tuple(run_of(row) for row in connection.execute(query).mappings())

    def latest(self, month: str) -> Run | None:
        """The month's last run, with its days; None if the month is not billed."""
        day = tables.run_day
        with transaction(self._connection) as connection:
            row = self._newest(month)
            if row is None:
                return None
            is_its = (day.c.month == month) & (day.c.number == row["number"])
            bodies = connection.scalars(select(day.c.body).where(is_its).order_by(day.c.day))
            return run_of(row, tuple(day_of(body) for body in bodies))

    def day(self, month: str, number: int, index: int) -> DaySums:
        """The sums of one local day of a run, counted from 0; LookupError if there is none."""
        table = tables.run_day
        with transaction(self._connection) as connection:
            key = (table.c.month == month) & (table.c.number == number) & (table.c.day == index)
            body = connection.scalar(select(table.c.body).where(key))
        if body is None:
            raise LookupError(f"run {number} of {month} has no day {index}")
        return day_of(body)

    def billed_until(self) -> int:
        """The minute up to which bills are out; 0 if there are none."""
        table = tables.run
        with transaction(self._connection) as connection:
            end = connection.scalar(select(func.max(table.c.end_minute)).where(table.c.number == 1))
        return end or 0

    def open_houses(self) -> frozenset[str]:
        """The houses whose last minutes were missing in the newest run of the newest billed month."""
        table = tables.run
        with transaction(self._connection) as connection:
            query = select(table.c.open_houses).order_by(table.c.month.desc(), table.c.number.desc()).limit(1)
            houses = connection.scalar(query)
        return frozenset(() if houses is None else houses_of(houses))

    # --- bills and adjustments ----------------------------------------------------------------------

    def bills(self, month: str) -> tuple[Bill, ...]:
        """The month's bills by house, in the order they were issued."""
        return self._bills(select(tables.bill.c.body).where(tables.bill.c.month == month))

    def bill(self, month: str, house: str) -> Bill | None:
        """The house's bill of this month, the last one issued if there are two; None if there is none."""
        table = tables.bill
        of_house = (table.c.month == month) & (table.c.house == house)
        found = self._bills(select(table.c.body).where(of_house))
        return found[-1] if found else None

    def adjustments(self, month: str) -> tuple[Adjustment, ...]:
        """The adjustments beside this month's bills, by run and account: paid with later ones."""
        table = tables.adjustment
        return self._adjustments(_select_adjustments().where(table.c.month == month, _beside_its_bills()))

    def uncarried(self, before_month: str | None = None) -> tuple[Adjustment, ...]:
        """The adjustments that have not been paid with a statement yet: all, or those of earlier months."""
        table = tables.adjustment
        waiting = _select_adjustments().where(table.c.carried.is_(None))
        if before_month is not None:
            waiting = waiting.where(table.c.month < before_month)
        return self._adjustments(waiting)

    def carried(self, month: str) -> tuple[Adjustment, ...]:
        """The adjustments paid with this month's statements: of earlier months, and its own waivers."""
        return self._adjustments(_select_adjustments().where(tables.adjustment.c.carried == month))

    def undelivered(self, house: str) -> tuple[tuple[Bill, ...], tuple[Adjustment, ...]]:
        """The house's bills and adjustments that it does not have yet, oldest month first."""
        bill, adjustment = tables.bill, tables.adjustment
        of_bills = (bill.c.house == house) & bill.c.delivered_s.is_(None)
        waits = (adjustment.c.account == house) & adjustment.c.delivered_s.is_(None)
        of_adjustments = waits & _beside_its_bills()  # what stands on the month's own bill comes with it
        with transaction(self._connection):
            return (
                self._bills(select(bill.c.body).where(of_bills)),
                self._adjustments(_select_adjustments().where(of_adjustments)),
            )

    def delivered(self, paper: Bill | Adjustment, delivered_s: int) -> None:
        """Notes that the house has this bill or adjustment."""
        with transaction(self._connection) as connection:
            if isinstance(paper, Bill):
                is_it = _is_bill(paper.month, paper.house, paper.kind)
                connection.execute(update(tables.bill).where(is_it).values(delivered_s=delivered_s))
            else:
                values = {"delivered_s": delivered_s}
                connection.execute(update(tables.adjustment).where(_is_adjustment(paper)).values(values))

    def keep_check(self, month: str, house: str, kind: BillKind, check: BillCheck) -> None:
        """Keeps what a house found of its bill, instead of what it had found before."""
        with transaction(self._connection) as connection:
            is_it = _is_bill(month, house, kind)
            body = msgspec.msgpack.encode(check)
            connection.execute(update(tables.bill).where(is_it).values(check_body=body))

    def checks(self, month: str) -> dict[str, BillCheck]:
        """What each house that has told found of its bill of this month (of the last one it told of)."""
        table = tables.bill
        query = select(table.c.house, table.c.check_body).where(table.c.month == month)
        with transaction(self._connection) as connection:
            rows = connection.execute(query.order_by(table.c.house, table.c.issued_s)).all()
        last = {house: body for house, body in rows if body is not None}
        return {house: msgspec.msgpack.decode(body, type=BillCheck) for house, body in last.items()}

    # --- changes ------------------------------------------------------------------------------------

    def note(self, changes: Iterable[tuple[Change, str]]) -> None:
        """Notes changes to billed months, each with its author; they are pending until a run takes them."""
        rows = [{**msgspec.to_builtins(change), "author": author} for change, author in changes]
        with transaction(self._connection) as connection:
            for row in rows:  # one by one, so that they are numbered in their order
                connection.execute(insert(tables.change), row)

    def pending_changes(self) -> list[tuple[int, Change]]:
        """The changes no run has taken up yet, with their numbers, in the order noted."""
        table = tables.change
        query = select(table).where(table.c.run.is_(None)).order_by(table.c.number)
        with transaction(self._connection) as connection:
            return [(row["number"], _change(row)) for row in connection.execute(query).mappings()]

    def take_up(self, changes: Iterable[int], run: int) -> None:
        """Notes that these changes made no difference to the last run of their month, which is `run`."""
        table = tables.change
        with transaction(self._connection) as connection:
            connection.execute(update(table).where(table.c.number.in_(tuple(changes))).values(run=run))

    def add(self, bill: Bill) -> None:
        """Stores a bill that belongs to no run, a final one; its adjustments are paid with it.

        What was waived of the month itself is posted with the month's first run.
        """
        with transaction(self._connection) as connection:
            connection.execute(insert(tables.bill), _bill_row(bill))
            self._carry((paid, bill.month) for paid in bill.adjustments if paid.month != bill.month)

    # --- rows ---------------------------------------------------------------------------------------

    def _newest(self, month: str) -> RowMapping | None:
        """The month's last run; None if it is not billed."""
        table = tables.run
        query = select(table).where(table.c.month == month).order_by(table.c.number.desc()).limit(1)
        return self._connection.execute(query).mappings().one_or_none()

    def _insert_adjustments(self, adjustments: Iterable[Adjustment]) -> None:
        rows = [_adjustment_row(adjustment) for adjustment in adjustments]
        if rows:
            self._connection.execute(insert(tables.adjustment), rows)

    def _post_waivers(self, run: Run, made_s: int) -> tuple[Adjustment, ...]:
        """Posts what the month's newest run leaves to be posted of its waivers."""
        waivers = self.waivers.of(run.month)
        if not waivers:
            return ()
        table = tables.adjustment
        posted: dict[int, int] = {}
        of_waivers = (table.c.month == run.month) & (table.c.waiver > 0) & (table.c.account != RESERVE)
        for before in self._adjustments(_select_adjustments().where(of_waivers)):
            posted[before.waiver] = posted.get(before.waiver, 0) + before.total
        made = waiver_postings(waivers, run.statements, posted, run.number, made_s)
        self._insert_adjustments(made)
        return made

    def _carry(self, paid: Iterable[tuple[Adjustment, str]]) -> None:
        """Marks adjustments as paid with the statement of a month; ValueError if another month's did that.

        A bill that takes the place of a final one has the same adjustments. What a waiver gives a house and
        what it takes from the reserve are paid together.
        """
        carried = tables.adjustment.c.carried
        with_reserve = (
            (each, month)
            for adjustment, month in paid
            for each in (adjustment, replace(adjustment, account=RESERVE))[: 2 if adjustment.waiver else 1]
        )
        for adjustment, month in with_reserve:
            unpaid = _is_adjustment(adjustment) & (carried.is_(None) | (carried == month))
            marked = self._connection.execute(update(tables.adjustment).where(unpaid).values(carried=month))
            if marked.rowcount == 0:
                raise ValueError(
                    f"the adjustment {adjustment.number} of {adjustment.month} for {adjustment.account}"
                    " is not waiting to be paid"
                )

    def _bills(self, query: Select[Any]) -> tuple[Bill, ...]:
        table = tables.bill
        with transaction(self._connection) as connection:
            bodies = connection.scalars(query.order_by(table.c.month, table.c.house, table.c.issued_s))
            return tuple(msgspec.msgpack.decode(body, type=Bill) for body in bodies)

    def _adjustments(self, query: Select[Any]) -> tuple[Adjustment, ...]:
        with transaction(self._connection) as connection:
            bodies = connection.scalars(query)
            return tuple(msgspec.msgpack.decode(body, type=Adjustment) for body in bodies)


def _select_adjustments() -> Select[Any]:
    table = tables.adjustment
    return select(table.c.body).order_by(table.c.month, table.c.number, table.c.waiver, table.c.account)


def _beside_its_bills() -> ColumnElement[bool]:
    """The adjustments that do not stand on the bills of the very month they are of."""
    table = tables.adjustment
    return table.c.carried.is_(None) | (table.c.carried != table.c.month)


def _is_bill(month: str, house: str, kind: BillKind) -> ColumnElement[bool]:
    table = tables.bill
    return (table.c.month == month) & (table.c.house == house) & (table.c.kind == kind.value)


def _is_adjustment(adjustment: Adjustment) -> ColumnElement[bool]:
    table = tables.adjustment
    of_run = (table.c.month == adjustment.month) & (table.c.number == adjustment.number)
    return of_run & (table.c.waiver == adjustment.waiver) & (table.c.account == adjustment.account)


def _bill_row(bill: Bill) -> dict[str, object]:
    return {
        "month": bill.month,
        "house": bill.house,
        "kind": bill.kind.value,
        "issued_s": bill.issued_s,
        "body": msgspec.msgpack.encode(bill),
    }


def _adjustment_row(adjustment: Adjustment) -> dict[str, object]:
    return {
        "month": adjustment.month,
        "number": adjustment.number,
        "waiver": adjustment.waiver,
        "account": adjustment.account,
        "body": msgspec.msgpack.encode(adjustment),
    }


def _change(row: RowMapping) -> Change:
    return Change(
        month=row["month"],
        house=row["house"],
        cause=Cause(row["cause"]),
        reason=row["reason"],
        made_s=row["made_s"],
    )
