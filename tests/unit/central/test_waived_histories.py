"""Through any history of runs, waivers and statements a waiver is posted once: not lost, not repeated.

Runs are made as the bookkeeper makes them: from what was known when their settlement began, and stored
later. What the operator waives meanwhile must not fall between.
"""

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from central_monitor.services.month_end import Issued, final_bill, first_run, later_run
from db.central import CENTRAL, AgreementRepository, BillingRepository
from db.engine import open_writer
from microgrid.bill import Bill, Cause, Change, check_bill
from microgrid.statement import PenaltyParts, Statements
from microgrid.terms import RESERVE
from microgrid.waiver import Waiver
from tests.unit.central.bureau import month
from tests.unit.central.parts import seller, terms
from tests.unit.rules.test_waiver import statements

JUNE, JULY, AUGUST = "2026-06", "2026-07", "2026-08"
TERMS = terms(seller("A", 8), seller("B", 9))
TERMS = replace(TERMS, houses=(TERMS.houses[0], replace(TERMS.houses[1], left=month(JUNE).stop - 999)))
CHANGE = Change(month=JUNE, house="A", cause=Cause.LATE, reason="late", made_s=1)


class Ledger:
    """A month that was settled: each house is charged so much in penalties."""

    def __init__(self, name: str, a: int = 0, b: int = 0) -> None:
        self.minutes = month(name)
        self._statements = statements(A=a, B=b)
        self._name, self._charged = name, {"A": a, "B": b}

    def statements(self) -> Statements:
        return replace(self._statements, month=self._name)

    def penalty_parts(self) -> dict[str, PenaltyParts]:
        return {house: PenaltyParts(minimum_amount=-amount) for house, amount in self._charged.items()}

    def days(self) -> tuple[()]:
        return ()


@dataclass
class Books:
    """June as it is settled again and again, and the months with which it is paid."""

    billing: BillingRepository
    made_s: int = 0
    waived: dict[str, int] = field(default_factory=lambda: {"A": 0, "B": 0})
    charged: dict[str, int] = field(default_factory=dict)  # by the newest run of June
    unpaid_months: list[str] = field(default_factory=lambda: [JULY, AUGUST])
    final: Bill | None = None

    def waive(self, house: str, amount: int) -> None:
        self.made_s += 1
        self.waived[house] += amount
        self.billing.waive(
            Waiver(
                month=JUNE, house=house, amount=amount, author="M", reason="R", entered_s=self.made_s
            )
        )  # fmt: skip

    def settled(self, name: str, a: int, b: int) -> Issued:
        """A run as the archive's thread makes it, not stored yet."""
        self.made_s += 1
        ledger, before = Ledger(name, a, b), self.billing.latest(name)
        if before is not None:
            return later_run(ledger, TERMS, before, [CHANGE], (), (), self.made_s)  # type: ignore[arg-type]
        carried, waivers = self.billing.uncarried(name), self.billing.waivers.of(name)
        finals = {} if self.final is None or name != JUNE else {"B": self.final}
        return first_run(ledger, TERMS, name, (), carried, finals, self.made_s, waivers)  # type: ignore[arg-type]

    def store(self, issued: Issued, charged: dict[str, int]) -> None:
        if issued.run.number > 1 and not issued.adjustments:
            return  # as the bookkeeper does: it made no difference
        self.billing.save(issued.run, issued.bills, issued.adjustments)
        if issued.run.month == JUNE:
            self.charged = charged

    def leave(self, b: int) -> None:
        """B leaves within June: its final bill."""
        if self.final is None and not self.charged:
            self.made_s += 1
            waivers = self.billing.waivers.of(JUNE)
            house = TERMS.house("B")
            ledger = Ledger(JUNE, 0, b)
            self.final = final_bill(ledger, TERMS, house, JUNE, self.made_s, (), waivers)  # type: ignore[arg-type]
            self.billing.add(self.final)


def check(books: Books) -> None:
    """What must hold whatever has happened."""
    billing = books.billing
    if not books.charged:
        assert billing.adjustments(JUNE) == ()
        return
    billed = [name for name in (JUNE, JULY, AUGUST) if billing.latest(name) is not None]
    adjustments = [*billing.carried(JUNE), *billing.adjustments(JUNE)]
    of_waivers = [one for one in adjustments if one.waiver]
    assert sum(one.total for one in of_waivers) == 0
    for house, charged in books.charged.items():
        due = min(books.waived[house], charged)
        assert sum(one.total for one in of_waivers if one.account == house) == due
        # Every coin of it stands on one bill, or waits for the next.
        last = {bill.month: bill for name in billed for bill in billing.bills(name) if bill.house == house}
        told = sum(bill.account.total for bill in last.values())
        waiting = sum(one.total for one in billing.uncarried() if one.account == house)
        assert told + waiting == due - charged
        assert all(check_bill(bill, None).sums_right for bill in last.values())
        assert all(0 <= bill.waived <= -bill.account.penalty_amount for bill in last.values())
    for name in billed:
        first = billing.runs(name)[0].statements
        carried = dict.fromkeys(first.accounts, 0)
        for one in billing.carried(name):
            carried[one.account] += one.total
        assert sum(account.total + carried[name] for name, account in first.accounts.items()) == 0
        assert {one.waiver for one in billing.carried(name) if one.account == RESERVE and one.waiver} == {
            one.waiver for one in billing.carried(name) if one.account in "AB" and one.waiver
        }
    for house in "AB":  # what stands on the month's own bill does not come again as a paper of its own
        papers = billing.undelivered(house)[1]
        assert papers == tuple(one for one in billing.adjustments(JUNE) if one.account == house)


AMOUNT = st.sampled_from([0, 40, 100])  # few, so that runs often agree
WAIVE = st.tuples(st.just("waive"), st.sampled_from("AB"), st.integers(1, 60))
RUN = st.tuples(st.just("run"), AMOUNT, AMOUNT, st.lists(WAIVE, max_size=2))
PAY = st.tuples(st.just("pay"), st.lists(WAIVE, max_size=2))
LEAVE = st.tuples(st.just("leave"), AMOUNT)


@settings(max_examples=50, deadline=None)
@example([("waive", "B", 30), ("leave", 40), ("run", 0, 40, []), ("pay", [])])  # the final bill stands
@example([("waive", "B", 30), ("leave", 40), ("waive", "B", 20), ("run", 0, 40, []), ("pay", [])])
@example([("run", 9, 9, []), ("pay", [("waive", "A", 5)]), ("run", 3, 9, []), ("pay", [])])
@given(st.lists(st.one_of(WAIVE, RUN, PAY, LEAVE), max_size=9))
def test_a_waiver_is_neither_lost_nor_repeated(steps: list[tuple]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        connection = open_writer(Path(folder) / "a.db", CENTRAL, power_safe=False)
        try:
            AgreementRepository(connection).found(TERMS, "test", "", 0)
            books = Books(BillingRepository(connection))
            for step in steps:
                play(books, step)
                check(books)
                books.billing = BillingRepository(connection)  # as after a restart: nothing is remembered
        finally:
            connection.close()


def play(books: Books, step: tuple) -> None:
    match step:
        case "waive", house, amount:
            books.waive(house, amount)
        case "leave", charged:
            books.leave(charged)
        case "run", a, b, meanwhile:
            issued = books.settled(JUNE, a, b)
            for _, house, amount in meanwhile:
                books.waive(house, amount)
            books.store(issued, {"A": a, "B": b})
        case "pay", meanwhile if books.charged and books.unpaid_months:
            issued = books.settled(books.unpaid_months.pop(0), 0, 0)
            for _, house, amount in meanwhile:
                books.waive(house, amount)
            books.store(issued, {})
