"""Penalties are waived on a real database, before the bills are out and after; the house reads why."""

import asyncio

import pytest
from msgspec.structs import replace

from central_monitor.operator import OrderRefused
from central_monitor.services.inquiries import Inquiries
from central_monitor.services.month_end import QUIET_S
from microgrid.bill import BillKind, Cause, check_bill
from microgrid.terms import RESERVE
from microgrid.units import microcoins
from tests.unit.central.bureau import DAY_S, Bureau, at_work, month, steady
from tests.unit.central.parts import buyer, seller, tariff, terms

JUNE, JULY = month("2026-06"), month("2026-07")
MID = JUNE.start + 14_400
JUNE_S, JULY_S = JUNE.stop * 60, JULY.stop * 60
TERMS = terms(buyer("A"), seller("B", 8), buyer("C"))  # B owes 250 W and delivers 100 W
POWERS = {"A": -1200, "B": 100, "C": -300}
WHY = "The generator was being repaired."
PENALTY = 150 * 60 * len(JUNE) * microcoins(17.6) // 3_600_000  # of June: 0.15 kW at the tariff


def rows(first: int, last: int) -> list:
    return [
        made
        for house, power in POWERS.items()
        for made in steady(house, first, last, power, abs(power) * 60 * (first - JUNE.start + 1))
    ]


async def waive(bureau: Bureau, amount: int, now_s: int, *, name: str = "2026-06", **more: str) -> None:
    values = {"house": "B", "author": "Mehmet", "reason": WHY, **more}
    await bureau.orders.waive(month=name, amount=amount, now_s=now_s, **values)


async def billed(bureau: Bureau) -> None:
    await bureau.record(rows(JUNE.start - 1, JUNE.stop - 1), JUNE_S)
    await bureau.step(JUNE_S)
    assert bureau.runs("2026-06") == 1


def book(bureau: Bureau, name: str):
    """Bills & Payments, whose accounts always come to zero."""
    found = bureau.ask(lambda records: Inquiries(records).month_book(records.agreements.load(), name))
    assert found.total == 0
    assert sum(line.adjusted for line in found.lines) == 0
    assert sum(line.waived for line in found.lines) == 0
    return found, {line.account: line for line in found.lines}


# --- before the bills are out -----------------------------------------------------------------------


def test_what_is_waived_while_the_month_runs_stands_on_its_bill(tmp_path):
    async def story(bureau):
        await bureau.record(rows(JUNE.start - 1, MID - 1), MID * 60)
        bureau.restart()
        (b,) = bureau.join("B", now_s=MID * 60)
        await waive(bureau, 5_000_000, MID * 60)
        await bureau.step(MID * 60)
        assert (b.so_far.waived, b.so_far.adjustments) == (5_000_000, 0)
        _, lines = book(bureau, "2026-06")
        assert (lines["B"].waived, lines[RESERVE].waived) == (5_000_000, -5_000_000)
        assert lines["B"].statement.total == lines["B"].statement.penalty_amount + 5_000_000 + (
            lines["B"].statement.microgrid_amount
        )
        bureau.restart()
        (b,) = bureau.join("B", now_s=MID * 60)
        await bureau.step(MID * 60)
        assert b.so_far.waived == 5_000_000
        await bureau.record(rows(MID, JUNE.stop - 1), JUNE_S)
        await bureau.step(JUNE_S)
        bill = bureau.bills("2026-06")["B"]
        (line,) = bill.adjustments
        assert (line.month, line.causes, line.reason) == ("2026-06", (Cause.WAIVER,), WHY)
        assert (bill.waived, bill.earlier) == (5_000_000, 0)
        assert bill.account.penalty_amount == pytest.approx(-PENALTY, abs=len(JUNE))
        assert check_bill(bill, None).sums_right
        assert bureau.adjustments("2026-06") == ()  # nothing is left to be paid
        assert (b.bills, b.adjustments) == ([bill], [])
        _, lines = book(bureau, "2026-06")
        assert (lines["B"].waived, lines["B"].adjusted) == (5_000_000, 0)
        assert lines["B"].waivable == -lines["B"].statement.penalty_amount - 5_000_000

    at_work(tmp_path, TERMS, story)


def test_the_three_facts_are_settled_to_the_same_bytes_whatever_is_waived(tmp_path):
    async def story(bureau):
        await billed(bureau)
        await waive(bureau, 7_000_000, JUNE_S + DAY_S)
        (run,) = bureau.all_runs("2026-06")
        again = bureau.ask(lambda records: records.settle(bureau.agreed.terms, "2026-06").statements())
        assert again == run.statements

    at_work(tmp_path, TERMS, story)


# --- afterwards -------------------------------------------------------------------------------------


def test_what_is_waived_after_the_bill_is_told_beside_it_and_paid_with_the_next(tmp_path):
    async def story(bureau):
        (b, a) = bureau.join("B", "A")
        await billed(bureau)
        issued = bureau.bills("2026-06")["B"]
        await waive(bureau, 1_000_001, JUNE_S + DAY_S)
        bureau.restart()
        (b, a) = bureau.join("B", "A")
        await bureau.step(JUNE_S + DAY_S)
        (told,) = b.adjustments
        assert (told.total, told.causes, told.reason) == (1_000_001, (Cause.WAIVER,), WHY)
        assert a.adjustments == []  # it is nobody else's business
        assert b.so_far.adjustments == 1_000_001
        found, lines = book(bureau, "2026-06")
        assert [(w.author, w.reason, w.amount) for w in found.waivers] == [("Mehmet", WHY, 1_000_001)]
        assert (lines["B"].adjusted, lines[RESERVE].adjusted) == (1_000_001, -1_000_001)
        assert (lines["B"].waived, lines["B"].bill) == (0, issued)  # the bill never changes
        assert [one.account for one in found.adjustments] == ["B", RESERVE]
        await bureau.record(rows(JULY.start, JULY.stop - 1), JULY_S)
        await bureau.step(JULY_S)
        bill = bureau.bills("2026-07")["B"]
        assert bill.adjustments == (told,)
        assert (bill.waived, bill.earlier) == (0, 1_000_001)
        _, lines = book(bureau, "2026-07")
        assert lines[RESERVE].earlier == -1_000_001

    at_work(tmp_path, TERMS, story)


def test_a_smaller_penalty_does_not_pay_a_waiver_twice(tmp_path):
    async def story(bureau):
        (b,) = bureau.join("B")
        await billed(bureau)
        charged = -bureau.bills("2026-06")["B"].account.penalty_amount
        await waive(bureau, charged, JUNE_S + DAY_S)
        half = tariff(valid_from=JUNE.start, valid_to=JUNE.stop, national=microcoins(8.8))
        await bureau.orders.enter_tariff(half, "Mehmet", "it was half", JUNE_S + DAY_S)
        await bureau.step(JUNE_S + DAY_S + QUIET_S)
        assert bureau.runs("2026-06") == 2
        run = bureau.all_runs("2026-06")[1]
        left = -run.statements.accounts["B"].penalty_amount
        assert 0 < left < charged
        of_waiver = [one for one in bureau.adjustments("2026-06") if one.waiver and one.account == "B"]
        assert [one.total for one in of_waiver] == [charged, left - charged]
        assert "became smaller" in of_waiver[1].reason
        penalties = sum(one.penalty_amount for one in bureau.adjustments("2026-06") if one.account == "B")
        assert penalties == charged  # all that it had been charged, and no more
        await bureau.step(JUNE_S + DAY_S + QUIET_S)
        assert of_waiver[1] in b.adjustments
        assert book(bureau, "2026-06")[1]["B"].waivable == 0
        with pytest.raises(OrderRefused, match="not waived already"):
            await waive(bureau, 1, JUNE_S + 2 * DAY_S)

    at_work(tmp_path, TERMS, story)


def test_who_has_left_is_let_off_on_its_final_bill(tmp_path):
    async def story(bureau):
        await bureau.record(rows(JUNE.start - 1, MID - 1), MID * 60)
        await waive(bureau, 2_000_000, MID * 60)
        await bureau.orders.end_membership("B", MID + 60, "Mehmet", "it moves", MID * 60)
        await bureau.record(rows(MID, JUNE.stop - 1), JUNE_S - 60)
        await bureau.step(JUNE_S - 60)
        final = bureau.bills("2026-06", BillKind.FINAL)["B"]
        assert (final.waived, check_bill(final, None).sums_right) == (2_000_000, True)
        await bureau.step(JUNE_S)
        assert "B" not in bureau.bills("2026-06")  # the final bill stands
        assert bureau.adjustments("2026-06") == ()
        assert bureau.ask(lambda records: records.billing.uncarried()) == ()
        assert book(bureau, "2026-06")[1]["B"].waived == 2_000_000

    at_work(tmp_path, TERMS, story)


# --- refused ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"author": " "}, "your name"),
        ({"reason": ""}, "why the penalty is waived"),
        ({"amount": 0}, "above 0"),
        ({"amount": -5}, "above 0"),
        ({"amount": 10**15}, r"At most 1900\.800000 coins"),
        ({"house": "A"}, "House A has no penalty"),
        ({"house": "Z"}, "House Z has no penalty"),
        ({"name": "2026-08"}, "Nothing is recorded of 2026-08"),
        ({"name": "2026-04"}, "Nothing is recorded of 2026-04"),
        ({"name": "June"}, "is not known"),
    ],
)
def test_what_cannot_be_waived_is_refused_in_words(tmp_path, more, words):
    async def story(bureau):
        await billed(bureau)
        values = {"amount": 5, **more}
        with pytest.raises(OrderRefused, match=words):
            await waive(bureau, now_s=JUNE_S, **values)
        assert bureau.ask(lambda records: records.billing.waivers.of("2026-06")) == ()

    at_work(tmp_path, TERMS, story)


def test_the_limit_is_told_to_the_micro_coin_and_can_be_waived_to_it(tmp_path):
    async def story(bureau):
        await billed(bureau)
        charged = -bureau.bills("2026-06")["B"].account.penalty_amount
        with pytest.raises(OrderRefused) as fault:
            await waive(bureau, charged + 1, JUNE_S)
        assert f"{charged // 10**6}.{charged % 10**6:06} coins" in str(fault.value)
        await waive(bureau, charged - 1, JUNE_S)
        await waive(bureau, 1, JUNE_S)
        assert book(bureau, "2026-06")[1]["B"].waivable == 0

    at_work(tmp_path, TERMS, story)


def test_two_at_once_do_not_find_the_same_penalty(tmp_path):
    async def story(bureau):
        await billed(bureau)
        charged = -bureau.bills("2026-06")["B"].account.penalty_amount
        orders = [waive(bureau, charged, JUNE_S), waive(bureau, charged, JUNE_S)]
        results = await asyncio.gather(*orders, return_exceptions=True)
        assert [type(result) for result in results] == [type(None), OrderRefused]
        assert sum(one.total for one in bureau.adjustments("2026-06") if one.account == "B") == charged

    at_work(tmp_path, TERMS, story)


def test_a_waiver_given_while_the_month_is_billed_is_not_lost(tmp_path):
    async def story(bureau):
        await bureau.record(rows(JUNE.start - 1, JUNE.stop - 1), JUNE_S)
        issue = bureau.writer.issue

        async def later(issued, taken):
            await waive(bureau, 3_000_000, JUNE_S)
            return await issue(issued, taken)

        bureau.writer.issue = later
        (b,) = bureau.join("B")
        await bureau.step(JUNE_S)
        assert bureau.bills("2026-06")["B"].waived == 0  # the bill was made already
        assert [one.total for one in b.adjustments] == [3_000_000]
        assert book(bureau, "2026-06")[1]["B"].adjusted == 3_000_000

    at_work(tmp_path, replace(TERMS), story)
