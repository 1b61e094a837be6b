"""Bills are stored once with all they came from; what became of them is noted beside."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace
from sqlalchemy import Connection

from db.central import CENTRAL, BillingRepository, Run
from db.engine import open_reader, open_writer
from microgrid.bill import Adjustment, Bill, BillCheck, BillKind, Cause, Change, Verdict, with_adjustments
from microgrid.daybook import DaySums, LedgerPoint
from microgrid.statement import Account, EnergyBalance, PenaltyParts, Statements, Unit
from microgrid.terms import Contract, Role, Terms

ACCOUNTS = ("A", "B", "national_grid", "reserve", "losses")
HUGE = 2**62
CONTRACT = Contract(house="A", role=Role.CONSUMER, valid_from=0, valid_to=5, max_w=9)


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    opened = open_writer(tmp_path / "a.db", CENTRAL)
    yield opened
    opened.close()


@pytest.fixture
def books(connection: Connection) -> BillingRepository:
    return BillingRepository(connection)


def account(role: str = "consumer", amount: int = 0) -> Account:
    return Account(
        role=role,
        microgrid_energy=-HUGE,
        national_grid_energy=3,
        microgrid_amount=amount,
        national_grid_amount=0,
        penalty_energy=0,
        penalty_amount=0,
        adjustments=0,
        total=amount,
        max_power_kw=0.1,
        min_power_kw=0.0,
        estimated_energy=0,
        estimated_minutes=7,
    )


def statements(month: str) -> Statements:
    return Statements(
        month=month,
        zone="Asia/Karachi",
        unit=Unit(),
        postings_total=0,
        energy=EnergyBalance(sold=1, bought=2, imported=3, exported=2),
        accounts={name: account(name, amount) for amount, name in enumerate(ACCOUNTS)},
    )


def day_sums(first: int) -> DaySums:
    arrays = list(DaySums.__annotations__)[4:]
    return DaySums(
        first_minute=first,
        end_minute=first + 1440,
        start=LedgerPoint(minute=first, credit=first * 7, was_closed=(True, False)),
        accounts=ACCOUNTS,
        **{name: np.arange(5) * (first + 1) - HUGE + place for place, name in enumerate(arrays)},
    )


def run(month: str = "2026-07", number: int = 1, days: int = 2, open_houses: tuple[str, ...] = ()) -> Run:
    start = int(month[-2:]) * 43_200
    return Run(
        month=month,
        number=number,
        made_s=60 * start + number,
        first_minute=start,
        end_minute=start + 43_200,
        statements=statements(month),
        penalties={"A": PenaltyParts(deficit_energy=number, minimum_amount=-4), "B": PenaltyParts()},
        terms=Terms(zone="Asia/Karachi", houses=(), contracts=(CONTRACT,), tariffs=()),
        days=tuple(day_sums(start + 1440 * day) for day in range(days)),
        open_houses=open_houses,
    )


def bill(
    house: str = "A", month: str = "2026-07", adjustments: tuple[Adjustment, ...] = (), issued_s: int = 9
) -> Bill:
    return Bill(
        house=house,
        name="Häuschen",
        month=month,
        zone="Asia/Karachi",
        kind=BillKind.MONTH,
        first_minute=1,
        end_minute=2,
        issued_s=issued_s,
        contract=replace(CONTRACT, house=house),
        tariff=17_600_000,
        account=with_adjustments(account(), adjustments),
        penalties=PenaltyParts(deficit_energy=1),
        adjustments=adjustments,
    )


def adjustment(name: str = "A", month: str = "2026-07", number: int = 2, amount: int = 5) -> Adjustment:
    return Adjustment(
        account=name,
        month=month,
        number=number,
        made_s=5,
        causes=(Cause.LATE, Cause.TARIFF),
        own=True,
        reason="Ihre Minuten kamen später.",
        energy=-HUGE,
        microgrid_amount=amount,
        national_grid_amount=0,
        penalty_amount=0,
    )


CHECK = BillCheck(verdict=Verdict.AGREES, billed_energy=-HUGE, own_least=-HUGE, own_most=1, sums_right=True)


def assert_same(got: Run | None, want: Run) -> None:
    assert got is not None
    assert replaced(got) == replaced(want)
    assert len(got.days) == len(want.days)
    for mine, theirs in zip(got.days, want.days, strict=True):
        assert_same_day(mine, theirs)


def replaced(of: Run) -> dict[str, object]:
    return {name: value for name, value in vars(of).items() if name != "days"}


def assert_same_day(got: DaySums, want: DaySums) -> None:
    for name, value in vars(want).items():
        assert np.array_equal(getattr(got, name), value), name
        assert not isinstance(value, np.ndarray) or getattr(got, name).dtype == np.int64


def test_a_run_comes_back_with_its_days(tmp_path: Path, books: BillingRepository) -> None:
    first, second = run(open_houses=("B", "A")), run(number=2, days=3)
    books.save(first)
    assert_same(books.latest("2026-07"), first)
    books.save(second)
    reader = open_reader(tmp_path / "a.db", CENTRAL)
    assert_same(BillingRepository(reader).latest("2026-07"), second)
    assert [each.days for each in books.runs("2026-07")] == [(), ()]
    assert [replaced(each) for each in books.runs("2026-07")] == [replaced(first), replaced(second)]
    assert_same_day(BillingRepository(reader).day("2026-07", 1, 1), first.days[1])
    reader.close()
    assert (books.latest("2026-08"), books.runs("2026-08")) == (None, ())
    with pytest.raises(LookupError, match="run 1 of 2026-07 has no day 2"):
        books.day("2026-07", 1, 2)


def test_what_is_billed_follows_from_the_runs(books: BillingRepository) -> None:
    assert (books.months(), books.billed_until(), books.open_houses()) == ((), 0, frozenset())
    books.save(run("2025-12"))
    books.save(run("2026-02", open_houses=("A", "B")))
    books.save(run("2026-01", open_houses=("C",)))
    assert books.months() == ("2026-02", "2026-01", "2025-12")
    assert books.open_houses() == {"A", "B"}
    books.save(run("2026-02", 2, open_houses=("B",)))
    assert books.months() == ("2026-02", "2026-01", "2025-12")
    assert books.open_houses() == {"B"}
    assert books.billed_until() == 13 * 43_200


def test_bills_come_back_as_issued_and_once_only(books: BillingRepository) -> None:
    issued = (bill("B"), bill("A"))
    books.save(run(), issued)
    assert books.bills("2026-07") == (issued[1], issued[0])
    assert books.bill("2026-07", "B") == issued[0]
    assert books.bill("2026-07", "C") is None
    assert books.bills("2026-06") == ()
    with pytest.raises(Exception, match="UNIQUE"):
        books.save(run(number=2), [bill("B", issued_s=99)])
    assert books.bill("2026-07", "B") == issued[0]
    assert len(books.runs("2026-07")) == 1


def test_a_house_with_two_bills_in_a_month_is_shown_the_later(books: BillingRepository) -> None:
    final = replace(bill("A", issued_s=20), kind=BillKind.FINAL)
    books.save(run(), [final, bill("A", issued_s=10)])
    assert books.bill("2026-07", "A") == final
    assert len(books.bills("2026-07")) == 2


def test_a_run_that_cannot_be_stored_whole_leaves_nothing(books: BillingRepository) -> None:
    change = Change(month="2026-07", house="A", cause=Cause.LATE, reason="late", made_s=1)
    books.note([(change, "central")])
    ((number, _),) = books.pending_changes()
    unpaid = adjustment(month="2026-06")  # of a month that was never adjusted
    with pytest.raises(ValueError, match="the adjustment 2 of 2026-06 for A is not waiting to be paid"):
        books.save(run(), [bill("B"), bill("A", adjustments=(unpaid,))], [], [number])
    assert (books.latest("2026-07"), books.bills("2026-07"), books.months()) == (None, (), ())
    assert books.pending_changes() == [(number, change)]


def test_an_adjustment_is_paid_with_one_bill_only(books: BillingRepository) -> None:
    mine, others = adjustment("A"), adjustment("B", amount=-5)
    books.save(run(), [bill("A"), bill("B")])
    books.save(run(number=2), adjustments=[others, mine])
    assert books.adjustments("2026-07") == (mine, others)
    assert books.adjustments("2026-08") == ()
    assert books.uncarried("2026-07") == ()
    assert books.uncarried("2026-08") == (mine, others)
    carrying = bill("A", "2026-08", adjustments=(mine,))
    books.save(run("2026-08"), [carrying])
    assert books.bill("2026-08", "A") == carrying
    assert books.uncarried("2026-09") == (others,)
    with pytest.raises(ValueError, match="not waiting"):
        books.save(run("2026-09"), [bill("A", "2026-09", adjustments=(mine,))])
    assert books.adjustments("2026-07") == (mine, others)


def test_common_accounts_are_settled_with_the_next_month_that_is_billed(books: BillingRepository) -> None:
    books.save(run())
    books.save(run(number=2), adjustments=[adjustment("reserve"), adjustment("B")])
    books.save(run("2026-06"))  # billed later, but not a later month
    books.save(run(number=3), adjustments=[adjustment("national_grid", number=3)])
    assert {each.account for each in books.uncarried("2026-08")} == {"reserve", "B", "national_grid"}
    books.save(run("2026-08"))
    assert {each.account for each in books.uncarried("2026-09")} == {"B"}


def test_papers_wait_until_they_are_delivered(books: BillingRepository) -> None:
    first, second, theirs = bill("A"), bill("A", "2026-08"), bill("B")
    mine = adjustment("A")
    books.save(run("2026-08"), [second])
    books.save(run(), [first, theirs])
    books.save(run(number=2), adjustments=[mine, adjustment("B"), adjustment("reserve")])
    assert books.undelivered("A") == ((first, second), (mine,))
    books.delivered(first, 100)
    assert books.undelivered("A") == ((second,), (mine,))
    books.delivered(mine, 101)
    books.delivered(second, 102)
    assert books.undelivered("A") == ((), ())
    assert books.undelivered("B") == ((theirs,), (adjustment("B"),))
    assert books.undelivered("C") == ((), ())


def test_what_houses_found_is_kept_beside_their_bills(books: BillingRepository) -> None:
    books.save(run(), [bill("A"), bill("B"), bill("C")])
    differs = replace(CHECK, verdict=Verdict.DIFFERS, own_least=None, own_most=None)
    books.keep_check("2026-07", "A", BillKind.MONTH, differs)
    books.keep_check("2026-07", "B", BillKind.MONTH, differs)
    books.keep_check("2026-07", "A", BillKind.MONTH, CHECK)
    assert books.checks("2026-07") == {"A": CHECK, "B": differs}
    assert books.checks("2026-08") == {}
    assert books.bill("2026-07", "A") == bill("A")


def test_changes_are_pending_until_a_run_takes_them(books: BillingRepository) -> None:
    changes = [
        Change(
            month=f"2026-0{number}", house="A", cause=Cause.CORRECTED, reason=f"Grund {number}", made_s=number
        )
        for number in (7, 6, 7)
    ]
    books.note([(change, "Ada") for change in changes[:2]])
    books.note([(changes[2], "Bob")])
    numbers = [number for number, _ in books.pending_changes()]
    assert books.pending_changes() == list(zip(numbers, changes, strict=True))
    assert numbers == sorted(set(numbers))
    books.save(run(number=2), changes_taken=[numbers[0], numbers[2]])
    assert books.pending_changes() == [(numbers[1], changes[1])]
