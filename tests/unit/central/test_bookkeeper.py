"""Months are billed, adjusted and paid from a real database, also when the central was killed in between."""

import msgspec
import pytest
from msgspec.structs import replace

from central_monitor.services.month_end import BACKLOG_S, GRACE_S, QUIET_S
from microgrid.bill import Adjustment, Bill, Cause
from microgrid.terms import COMMON_ACCOUNTS
from microgrid.units import microcoins
from tests.unit.central.bureau import DAY_S, Bureau, at_work, month, steady
from tests.unit.central.parts import buyer, seller, tariff, terms

MAY, JUNE, JULY, AUGUST = (month(f"2026-{n:02}") for n in (5, 6, 7, 8))
TERMS = terms(buyer("A"), seller("B", 8), buyer("C"))
POWERS = {"A": -1200, "B": 1000, "C": -300}
JUNE_S, JULY_S = JUNE.stop * 60, JULY.stop * 60


def flow(house: str, first: int, last: int, power_w: int | None = None) -> list:
    """Rows as of a meter that has counted since June began."""
    power = POWERS[house] if power_w is None else power_w
    return steady(house, first, last, power, abs(power) * 60 * (first - JUNE.start + 1))


def june(**cut: int) -> list:
    """All rows of June; a house in `cut` was last heard at that minute."""
    return [made for h in POWERS for made in flow(h, JUNE.start - 1, cut.get(h, JUNE.stop - 1))]


def july() -> list:
    return [made for h in POWERS for made in flow(h, JULY.start, JULY.stop - 1)]


async def billed(bureau: Bureau, rows: list | None = None, now_s: int = JUNE_S) -> None:
    """June is recorded and its bills are out."""
    await bureau.record(june() if rows is None else rows, now_s)
    await bureau.step(now_s)
    if bureau.runs("2026-06") == 0:
        await bureau.step(now_s + BACKLOG_S)
    assert bureau.runs("2026-06") == 1


def total(papers: "tuple[Adjustment, ...]") -> int:
    return sum(paper.total for paper in papers)


def privately(paper: Adjustment | Bill, other: str) -> bool:
    """Whether nothing in the paper names the other house."""
    text = msgspec.json.encode(paper).decode()
    return f'"{other}"' not in text and f"House {other}" not in text and f"house {other}" not in text


# --- bills ------------------------------------------------------------------------------------------


def test_bills_are_out_when_all_minutes_are_in_and_add_up_to_zero(tmp_path):
    async def story(bureau):
        (a, *_) = bureau.join("A", "B", "C")
        await bureau.record(june(A=JUNE.stop - 2), JUNE_S)
        await bureau.step(JUNE_S)
        assert bureau.runs("2026-06") == 0
        await bureau.record(flow("A", JUNE.stop - 1, JUNE.stop - 1), JUNE_S)
        await bureau.step(JUNE_S + 60)
        bills = bureau.bills("2026-06")
        assert bills.keys() == {"A", "B", "C"}
        assert bills["B"].account.microgrid_energy == 60_000 * len(JUNE)
        (run,) = bureau.all_runs("2026-06")
        assert sum(account.total for account in run.statements.accounts.values()) == 0
        assert {h: bill.account for h, bill in bills.items()} == {
            h: run.statements.accounts[h] for h in POWERS
        }
        assert (a.bills, run.open_houses) == ([bills["A"]], ())
        await bureau.step(JUNE_S + 120)
        assert len(a.bills) == 1

    at_work(tmp_path, TERMS, story)


def test_after_the_grace_bills_are_out_with_what_there_is(tmp_path):
    async def story(bureau):
        await bureau.record(june(A=JUNE.start + 14_400), JUNE_S)
        for now_s in (JUNE_S, JUNE_S + GRACE_S - 60):
            await bureau.step(now_s)
            assert bureau.runs("2026-06") == 0
        await bureau.step(JUNE_S + GRACE_S)
        (run,) = bureau.all_runs("2026-06")
        assert run.open_houses == ("A",)
        # After its last row a house has taken nothing, as far as is known.
        assert _energy(bureau.bills("2026-06")["A"].account) == -1200 * 60 * 14_401
        assert any("Minutes are missing from house A" in text for text in bureau.notices)

    at_work(tmp_path, TERMS, story)


def test_a_central_that_was_away_does_not_bill_what_is_on_its_way(tmp_path):
    async def story(bureau):
        await bureau.record(june(A=JUNE.start + 9, B=JUNE.start + 9, C=JUNE.start + 9), JUNE_S)
        bureau.restart()
        now_s = JUNE_S + 20 * DAY_S
        await bureau.step(now_s)
        for house, after_s in (("A", 600), ("B", 3000), ("C", 6000)):
            await bureau.record(flow(house, JUNE.start + 10, JUNE.stop - 1), now_s + after_s)
            assert bureau.runs("2026-06") == 0
            await bureau.step(now_s + after_s)
        assert bureau.runs("2026-06") == 1
        assert all(bill.account.estimated_minutes < 60 * 721 for bill in bureau.bills("2026-06").values())
        (run,) = bureau.all_runs("2026-06")
        assert run.open_houses == ()

    at_work(tmp_path, TERMS, story)


def test_a_month_without_a_tariff_is_said_once_and_billed_when_there_is_one(tmp_path):
    async def story(bureau):
        await bureau.record(june(), JUNE_S)
        for after_s in (0, 60, 120):
            await bureau.step(JUNE_S + after_s)
        assert sum("Bills cannot be made" in text for text in bureau.notices) == 1
        assert bureau.runs("2026-06") == 0
        await bureau.orders.enter_tariff(tariff(), "Mehmet", "It was forgotten.", JUNE_S + 130)
        await bureau.step(JUNE_S + 180)
        assert bureau.runs("2026-06") == 1
        assert bureau.adjustments("2026-06") == ()

    at_work(tmp_path, replace(TERMS, tariffs=(tariff(valid_to=JUNE.start),)), story)


def test_a_run_again_of_an_unchanged_month_is_the_same_to_the_byte(tmp_path):
    async def story(bureau):
        await billed(bureau)
        bureau.restart()
        (run,) = bureau.all_runs("2026-06")
        again = bureau.ask(lambda records: records.settle(bureau.agreed.terms, "2026-06"))
        assert msgspec.json.encode(again.statements()) == msgspec.json.encode(run.statements)
        assert msgspec.json.encode(again.penalty_parts()) == msgspec.json.encode(run.penalties)
        await bureau.step(JUNE_S + 3600)
        assert bureau.runs("2026-06") == 1

    at_work(tmp_path, TERMS, story)


# --- late data --------------------------------------------------------------------------------------


@pytest.mark.parametrize("killed", [False, True])
def test_a_row_that_closes_a_gap_over_the_months_end_adjusts_once(tmp_path, killed):
    async def story(bureau):
        a, b, _ = bureau.join("A", "B", "C")
        heard_s = JUNE_S + GRACE_S + 7200
        await billed(bureau, june(A=JUNE.stop - 601), JUNE_S + GRACE_S)
        await bureau.record(flow("A", heard_s // 60, heard_s // 60), heard_s)
        if killed:  # between the commit and the run
            bureau.restart()
        else:
            await bureau.step(heard_s + QUIET_S - 1)
            assert bureau.adjustments("2026-06") == ()
        for after_s in (QUIET_S, 2 * QUIET_S, DAY_S):
            await bureau.step(heard_s + after_s)
        made = bureau.adjustments("2026-06")
        assert {paper.account for paper in made} >= {"A", "B", "national_grid"}
        assert total(made) == 0
        by_house = {paper.account: paper for paper in made}
        assert by_house["A"].energy == -1200 * 60 * 600
        assert (by_house["A"].causes, by_house["A"].own) == ((Cause.LATE,), True)
        assert by_house["A"].reason.startswith("Your meter was heard again")
        assert (by_house["B"].causes, by_house["B"].own, by_house["B"].reason) == ((Cause.LATE,), False, "")
        assert all(privately(by_house[one], other) for one, other in (("A", "B"), ("B", "A"), ("B", "C")))
        assert (a.adjustments, b.adjustments) == ([by_house["A"]], [by_house["B"]])
        # The bill itself stays as it was issued.
        assert a.bills == [bureau.bills("2026-06")["A"]]

    at_work(tmp_path, TERMS, story)


@pytest.mark.parametrize("killed", [False, True])
def test_late_minutes_adjust_once_after_they_have_come_to_rest(tmp_path, killed):
    async def story(bureau):
        now_s = JUNE_S + GRACE_S + 3600
        await billed(bureau, june(A=JUNE.start + 28_800), JUNE_S + GRACE_S)
        rows = flow("A", JUNE.start + 28_801, JUNE.stop - 1, -600)
        shift = 600 * 60 * 28_801  # from here on it took half
        rows = [replace(made, import_ws=made.import_ws + shift) for made in rows]
        await bureau.record(rows[:100], now_s)
        await bureau.record(rows[100:], now_s + 300)
        await bureau.step(now_s + QUIET_S)  # not yet: more came meanwhile
        assert bureau.runs("2026-06") == 1
        if killed:
            bureau.restart()
        for after_s in (300 + QUIET_S, DAY_S):
            await bureau.step(now_s + after_s)
        assert bureau.runs("2026-06") == 2
        by_house = {paper.account: paper for paper in bureau.adjustments("2026-06")}
        assert by_house["A"].energy == -600 * 60 * (len(JUNE) - 28_801)
        assert by_house["A"].reason.startswith("Minutes of your meter of 2")
        # The same minutes again, since an acknowledgement got lost, change nothing.
        await bureau.record(rows, now_s + 2 * DAY_S)
        for after_s in (QUIET_S, 3 * QUIET_S):
            await bureau.step(now_s + 2 * DAY_S + after_s)
        assert bureau.runs("2026-06") == 2
        assert bureau.ask(lambda records: records.billing.pending_changes()) == []

    at_work(tmp_path, TERMS, story)


def test_a_silence_over_two_months_ends_adjusts_both(tmp_path):
    async def story(bureau):
        await billed(bureau, june(A=JUNE.stop - 1441), JUNE_S + GRACE_S)
        await bureau.record([made for made in july() if made.house != "A"], JULY_S)
        for after_s in (0, GRACE_S):
            await bureau.step(JULY_S + after_s)
        assert bureau.runs("2026-07") == 1
        heard_s = JULY_S + GRACE_S + 3600
        await bureau.record(flow("A", heard_s // 60, heard_s // 60), heard_s)
        bureau.restart()
        await bureau.step(heard_s + QUIET_S)
        for name, minutes in (("2026-06", 1440), ("2026-07", len(JULY))):
            by_house = {paper.account: paper for paper in bureau.adjustments(name)}
            assert by_house["A"].energy == pytest.approx(-1200 * 60 * minutes, rel=0.02)
            assert total(bureau.adjustments(name)) == 0
        runs = [bureau.all_runs(name)[-1] for name in ("2026-06", "2026-07")]
        rest = 1200 * 60 * (heard_s // 60 - JULY.stop + 1)
        energy = sum(_energy(run.statements.accounts["A"]) for run in runs)
        assert energy == pytest.approx(-1200 * 60 * (len(JUNE) + len(JULY)), abs=rest)

    at_work(tmp_path, TERMS, story)


def _energy(account) -> int:
    return account.microgrid_energy + account.national_grid_energy


def test_minutes_stored_while_the_bills_are_being_made_are_late(tmp_path):
    async def story(bureau):
        await bureau.record(june(A=JUNE.stop - 601), JUNE_S + GRACE_S)
        await bureau.step(JUNE_S + GRACE_S)
        read = bureau.archive.read

        async def slowly(question):
            answer = await read(question)
            if "settle" in question.__name__ and bureau.runs("2026-06") == 0:
                await bureau.record(flow("A", JUNE.stop - 600, JUNE.stop - 1), JUNE_S + GRACE_S + BACKLOG_S)
            return answer

        bureau.archive.read = slowly
        await bureau.step(JUNE_S + GRACE_S + BACKLOG_S)
        assert bureau.bills("2026-06")["A"].account.estimated_minutes > 600
        await bureau.step(JUNE_S + GRACE_S + BACKLOG_S + QUIET_S)
        (own,) = [paper for paper in bureau.adjustments("2026-06") if paper.account == "A"]
        assert own.energy == -1200 * 60 * 600

    at_work(tmp_path, TERMS, story)


def test_a_run_that_fails_is_tried_again(tmp_path):
    async def story(bureau):
        await billed(bureau, june(A=JUNE.stop - 601), JUNE_S + GRACE_S)
        now_s = JUNE_S + GRACE_S + 3 * BACKLOG_S
        await bureau.record(flow("A", JUNE.stop - 600, JUNE.stop - 1), now_s)
        issue, bureau.writer.issue = bureau.writer.issue, _full
        with pytest.raises(OSError, match="full"):
            await bureau.step(now_s + QUIET_S)
        bureau.writer.issue = issue
        await bureau.step(now_s + QUIET_S + 5)
        assert bureau.runs("2026-06") == 2

    at_work(tmp_path, TERMS, story)


async def _full(issued, taken):
    raise OSError("the disk is full")


# --- corrections ------------------------------------------------------------------------------------


@pytest.mark.parametrize("killed", [False, True])
def test_a_corrected_tariff_adjusts_the_months_it_covers_for_everybody(tmp_path, killed):
    async def story(bureau):
        bureau.join("A", "B", "C")
        await billed(bureau)
        now_s = JUNE_S + DAY_S
        dearer = tariff(valid_from=JUNE.start, national=microcoins(18))
        await bureau.orders.enter_tariff(dearer, "Mehmet", "It rose in June.", now_s)
        if killed:
            bureau.restart()
        for after_s in (QUIET_S, DAY_S):
            await bureau.step(now_s + after_s)
        made = bureau.adjustments("2026-06")
        assert total(made) == 0
        assert {paper.account for paper in made} == {"A", "C", "national_grid"}
        assert {(paper.causes, paper.own) for paper in made} == {((Cause.TARIFF,), True)}
        assert {paper.reason for paper in made} == {"The national tariff was corrected: It rose in June."}
        bought = 500 * 60 * len(JUNE) / 3_600_000
        by_house = {paper.account: paper.total for paper in made}
        assert by_house["national_grid"] == pytest.approx(microcoins(0.4) * bought, rel=1e-3)
        assert bureau.runs("2026-06") == 2

    at_work(tmp_path, TERMS, story)


def test_a_corrected_reading_at_the_months_edge_adjusts_both_months(tmp_path):
    async def story(bureau):
        last = [replace(made, minute=JUNE.stop - 1) for made in flow("A", JUNE.stop - 1, JUNE.stop - 1)]
        await billed(bureau)
        await bureau.record(july(), JULY_S)
        await bureau.step(JULY_S)
        assert bureau.runs("2026-07") == 1
        less = last[0].import_ws - 30_000
        await bureau.orders.correct("A", JUNE.stop - 1, less, 0, "Mehmet", "Misread.", JULY_S + 60)
        for after_s in (QUIET_S, DAY_S):
            await bureau.step(JULY_S + 60 + after_s)
        found = [{p.account: p for p in bureau.adjustments(name)} for name in ("2026-06", "2026-07")]
        assert [papers["A"].energy for papers in found] == [30_000, -30_000]
        assert all(total(bureau.adjustments(name)) == 0 for name in ("2026-06", "2026-07"))
        assert {papers["A"].causes for papers in found} == {(Cause.CORRECTED,)}
        assert all("Misread." in papers["A"].reason for papers in found)
        assert all(privately(papers["B"], "A") for papers in found if "B" in papers)
        assert bureau.ask(lambda records: records.billing.pending_changes()) == []

    at_work(tmp_path, TERMS, story)


def test_adjustments_are_paid_with_the_next_statement_and_only_once(tmp_path):
    async def story(bureau):
        (a, *_) = bureau.join("A", "B", "C")
        await billed(bureau)
        dearer = tariff(valid_from=JUNE.start, valid_to=JUNE.stop, national=microcoins(18))
        await bureau.orders.enter_tariff(dearer, "Mehmet", "June.", JUNE_S + 60)
        await bureau.step(JUNE_S + 60 + QUIET_S)
        made = {paper.account: paper for paper in bureau.adjustments("2026-06")}
        await bureau.record(july(), JULY_S)
        assert a.so_far.adjustments == made["A"].total
        bureau.restart()
        bureau.join("A")
        await bureau.step(JULY_S)
        bills = bureau.bills("2026-07")
        assert bills["A"].adjustments == (made["A"],)
        assert bills["A"].account.adjustments == made["A"].total
        assert bills["B"].adjustments == ()
        carried = bureau.ask(lambda records: records.billing.carried("2026-07"))
        assert {paper.account for paper in carried} == made.keys()
        (run,) = bureau.all_runs("2026-07")
        commons = sum(run.statements.accounts[name].total for name in COMMON_ACCOUNTS)
        paid = sum(made[name].total for name in COMMON_ACCOUNTS if name in made)
        assert sum(bill.account.total for bill in bills.values()) + commons + paid == 0
        await bureau.record(
            [m for h in POWERS for m in flow(h, AUGUST.start, AUGUST.stop - 1)], AUGUST.stop * 60
        )
        await bureau.step(AUGUST.stop * 60)
        assert all(bill.adjustments == () for bill in bureau.bills("2026-08").values())
        assert bureau.ask(lambda records: records.billing.uncarried("9999-12")) == ()

    at_work(tmp_path, TERMS, story)
