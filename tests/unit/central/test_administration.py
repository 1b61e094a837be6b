"""The operator's orders on a real database: who joins, who leaves, tariffs, corrected readings."""

import asyncio

import pytest
from msgspec.structs import replace

from central_monitor.operator import OrderRefused
from central_monitor.services.month_end import GRACE_S, QUIET_S
from microgrid.agreements import Basis
from microgrid.bill import BillKind, Cause, check_bill
from microgrid.contracting import ContractPolicy, Silence, Wish
from microgrid.terms import House, Role, Source
from microgrid.units import microcoins
from tests.unit.central.bureau import DAY_S, at_work, month, steady
from tests.unit.central.parts import buyer, row, seller, tariff, terms

MAY, JUNE, JULY = (month(f"2026-{n:02}") for n in (5, 6, 7))
TERMS = terms(buyer("A"), seller("B", 8, source=Source.SOLAR), buyer("C"))
POWERS = {"A": -1200, "B": 1000, "C": -300}
JUNE_S, JULY_S = JUNE.stop * 60, JULY.stop * 60
MID = JUNE.start + 14_400
BUY = Wish(role=Role.CONSUMER, max_w=2000)
D = House(house="D", name="House D", connection_w=5000)


def flow(house: str, first: int, last: int) -> list:
    power = POWERS.get(house, -600)
    return steady(house, first, last, power, abs(power) * 60 * (first - JUNE.start + 1))


def all_rows(first: int, last: int, houses: str = "ABC") -> list:
    return [made for house in houses for made in flow(house, first, last)]


# --- who joins --------------------------------------------------------------------------------------


def test_a_house_joins_in_the_middle_of_a_month_and_is_billed_for_its_part(tmp_path):
    async def story(bureau):
        bureau.join("A", "B", "C")
        await bureau.record(all_rows(JUNE.start - 1, MID - 10), (MID - 9) * 60)
        await bureau.orders.add_house(replace(D, joined=MID), "Mehmet", (MID - 9) * 60)
        (d,) = bureau.join("D", now_s=(MID - 9) * 60)
        assert d.call("2026-06").first_minute == MID
        d.wish(BUY, "2026-06")
        await bureau.step((MID - 8) * 60)
        assert d.call("2026-06").basis is Basis.ANSWERED
        assert d.call("2026-06").permitted
        # Its own meter counted before it joined; that is nobody's business here.
        await bureau.record(flow("D", MID - 300, JUNE.stop - 1), JUNE_S)
        await bureau.record(all_rows(MID - 9, JUNE.stop - 1), JUNE_S)
        await bureau.step(JUNE_S)
        bill = bureau.bills("2026-06")["D"]
        assert (bill.first_minute, bill.end_minute) == (MID, JUNE.stop)
        assert bill.contract is not None
        assert (bill.contract.valid_from, bill.contract.max_w) == (MID, 2000)
        energy = bill.account.microgrid_energy + bill.account.national_grid_energy
        assert energy == -600 * 60 * (JUNE.stop - MID)
        assert check_bill(bill, (energy, energy)).sums_right
        bureau.restart()
        assert bureau.agreed.terms.contract_at("D", MID - 1) is None
        assert bureau.agreed.terms.contract_at("D", JUNE.stop - 1).max_w == 2000

    at_work(tmp_path, TERMS, story)


def test_a_house_that_cannot_join_is_refused_in_words(tmp_path):
    async def story(bureau):
        async def refusal(house, author="Mehmet"):
            with pytest.raises(OrderRefused) as fault:
                await bureau.orders.add_house(house, author, JUNE_S)
            return str(fault.value)

        await bureau.record(all_rows(JUNE.start - 1, JUNE.stop - 1), JUNE_S)
        await bureau.step(JUNE_S)
        assert "your name" in await refusal(D, "  ")
        assert "bills of that time are out" in await refusal(replace(D, joined=JUNE.stop - 1))
        assert "House A: this ID is listed twice" in await refusal(replace(D, house="A", joined=JUNE.stop))
        assert "connection" in await refusal(replace(D, connection_w=0, joined=JUNE.stop))
        assert "D" not in bureau.live.houses
        await bureau.orders.add_house(replace(D, joined=JUNE.stop), "Mehmet", JUNE_S)
        assert "D" in bureau.live.houses

    at_work(tmp_path, TERMS, story)


def test_an_old_contract_that_a_tariff_has_overtaken_keeps_nobody_out(tmp_path):
    async def story(bureau):
        cheaper = tariff(valid_from=0, national=microcoins(7))  # B's solar price is 8
        await bureau.orders.enter_tariff(cheaper, "Mehmet", "It fell.", JUNE.start * 60)
        await bureau.orders.add_house(replace(D, joined=MID), "Mehmet", JUNE.start * 60)
        assert bureau.agreed.terms.house("D").joined == MID

    at_work(tmp_path, TERMS, story)


def test_an_answer_and_a_house_that_joins_at_the_same_time_are_both_kept(tmp_path):
    async def story(bureau):
        now_s = JUNE_S - DAY_S
        (a,) = bureau.join("A")
        await bureau.step(now_s)
        a.wish(BUY, "2026-07")
        save = bureau.writer.save_round

        async def slowly(asked):
            await asyncio.sleep(0)
            stored = await save(asked)
            await asyncio.sleep(0)
            return stored

        bureau.writer.save_round = slowly
        joins = bureau.orders.add_house(replace(D, joined=MID), "Mehmet", now_s)
        await asyncio.gather(joins, bureau.step(now_s + 60))
        for again in range(2):
            asked = bureau.office.desk.newest
            assert (asked.houses, asked.waiting) == (("A", "B", "C", "D"), ("B", "C", "D"))
            assert again or bureau.restart() is None

    at_work(tmp_path, TERMS, story)


# --- who leaves -------------------------------------------------------------------------------------


def test_a_house_leaves_and_its_final_bill_is_its_only_one(tmp_path):
    async def story(bureau):
        a, *_ = bureau.join("A", "B", "C")
        await bureau.orders.end_membership("A", MID, "Mehmet", "It moves.", (MID - 500) * 60)
        assert bureau.agreed.terms.contract_at("A", MID) is None
        assert bureau.agreed.terms.contract_at("A", MID - 1) is not None
        await bureau.record(all_rows(JUNE.start - 1, MID - 2), MID * 60)
        await bureau.step(MID * 60)
        assert a.bills == []
        await bureau.record(all_rows(MID - 1, MID + 600), (MID + 601) * 60)
        await bureau.step((MID + 601) * 60)
        (final,) = a.bills
        assert (final.kind, final.first_minute, final.end_minute) == (BillKind.FINAL, JUNE.start, MID)
        assert final.account.microgrid_energy + final.account.national_grid_energy == -1200 * 60 * 14_400
        bureau.restart()
        await bureau.step((MID + 602) * 60)
        await bureau.record(all_rows(MID + 601, JUNE.stop - 1, "BC"), JUNE_S)
        await bureau.step(JUNE_S)
        assert bureau.bills("2026-06").keys() == {"B", "C"}
        assert a.bills == [final]
        book = {h: bill.account.total for h, bill in bureau.bills("2026-06").items()} | {
            "A": final.account.total
        }
        accounts = bureau.all_runs("2026-06")[0].statements.accounts
        assert {house: accounts[house].total for house in "ABC"} == book

    at_work(tmp_path, TERMS, story)


def test_a_final_bill_pays_what_earlier_months_still_owe_once(tmp_path):
    async def story(bureau):
        (a,) = bureau.join("A")
        await bureau.record(all_rows(JUNE.start - 1, JUNE.stop - 1), JUNE_S)
        await bureau.step(JUNE_S)
        dearer = tariff(valid_from=JUNE.start, valid_to=JUNE.stop, national=microcoins(18))
        await bureau.orders.enter_tariff(dearer, "Mehmet", "June.", JUNE_S + 60)
        await bureau.step(JUNE_S + 60 + QUIET_S)
        (owed,) = (paper for paper in bureau.adjustments("2026-06") if paper.account == "A")
        left = JULY.start + 1440
        await bureau.orders.end_membership("A", left, "Mehmet", "It moves.", (left - 60) * 60)
        await bureau.record(all_rows(JUNE.stop, left), left * 60)
        await bureau.step(left * 60 + 60)
        final = a.bills[-1]
        assert (final.kind, final.adjustments) == (BillKind.FINAL, (owed,))
        assert check_bill(final, None).sums_right
        await bureau.record(all_rows(left + 1, JULY.stop - 1, "BC"), JULY_S)
        await bureau.step(JULY_S)
        assert bureau.bills("2026-07").keys() == {"B", "C"}
        carried = bureau.ask(lambda records: records.billing.carried("2026-07"))
        assert sum(paper.total for paper in carried) == 0
        paid = [p for h in "BC" for p in bureau.bills("2026-07")[h].adjustments]
        assert owed in carried
        assert owed not in paid

    at_work(tmp_path, TERMS, story)


def test_a_final_bill_that_late_minutes_changed_is_replaced(tmp_path):
    async def story(bureau):
        (a,) = bureau.join("A")
        await bureau.orders.end_membership("A", MID, "Mehmet", "It moves.", (MID - 500) * 60)
        await bureau.record(all_rows(JUNE.start - 1, MID - 601), (MID - 600) * 60)
        await bureau.step((MID - 600) * 60)
        await bureau.step(MID * 60 + GRACE_S)
        assert [bill.kind for bill in a.bills] == [BillKind.FINAL]
        await bureau.record(all_rows(MID - 600, JUNE.stop - 1), JUNE_S)
        await bureau.step(JUNE_S)
        final, month_bill = a.bills
        assert (month_bill.kind, month_bill.end_minute) == (BillKind.MONTH, MID)
        more = month_bill.account.microgrid_energy + month_bill.account.national_grid_energy
        assert more == -1200 * 60 * 14_400
        assert final.account.total > month_bill.account.total

    at_work(tmp_path, TERMS, story)


def test_houses_that_left_in_two_months_hold_nothing_up(tmp_path):
    async def story(bureau):
        (_, _, c) = bureau.join("A", "B", "C")
        await bureau.record(all_rows(JUNE.start - 1, MID), MID * 60)
        await bureau.orders.end_membership("A", MID, "Mehmet", "It moves.", MID * 60 - 60)
        await bureau.step(MID * 60 + 60)
        assert bureau.bills("2026-06", BillKind.FINAL).keys() == {"A"}
        # B is silent, so June waits; C leaves on July's first day.
        left = JULY.start + 60
        await bureau.orders.end_membership("C", left, "Mehmet", "It moves.", JUNE_S)
        await bureau.record(flow("C", MID + 1, left), left * 60)
        for after_s in (60, 120):
            await bureau.step(left * 60 + after_s)
        assert bureau.bills("2026-07", BillKind.FINAL).keys() == {"C"}
        assert [bill.kind for bill in c.bills] == [BillKind.FINAL]

    at_work(tmp_path, TERMS, story)


def test_a_later_leaving_gives_the_contract_back(tmp_path):
    async def story(bureau):
        now_s = JUNE.start * 60
        contract = bureau.agreed.terms.contract_at("A", JUNE.start)
        await bureau.orders.end_membership("A", MID, "Mehmet", "It moves.", now_s)
        await bureau.orders.end_membership("A", MID + 5000, "Mehmet", "Not so soon.", now_s)
        for _ in range(2):
            found = bureau.agreed.terms
            assert found.contract_at("A", MID + 4999) == replace(
                contract, valid_from=MID, valid_to=MID + 5000
            )
            assert found.contract_at("A", MID - 1) == replace(contract, valid_to=MID)
            assert found.contract_at("A", MID + 5000) is None
            assert found.house("A").left == MID + 5000
            bureau.restart()
        await bureau.orders.end_membership("A", MID - 7, "Mehmet", "Sooner after all.", now_s)
        assert all(c.valid_to <= MID - 7 for c in bureau.agreed.terms.contracts if c.house == "A")

    at_work(tmp_path, TERMS, story)


def test_leaving_is_refused_where_it_cannot_be(tmp_path):
    async def story(bureau):
        async def refusal(minute, now_s, author="Mehmet", note="It moves."):
            with pytest.raises(OrderRefused) as fault:
                await bureau.orders.end_membership("A", minute, author, note, now_s)
            return str(fault.value)

        await bureau.record(all_rows(JUNE.start - 1, JUNE.stop - 1), JUNE_S)
        await bureau.step(JUNE_S)
        assert "your name" in await refusal(JULY.stop, JUNE_S, author="")
        assert "why the house leaves" in await refusal(JULY.stop, JUNE_S, note=" ")
        assert "bills of that time are out" in await refusal(JUNE.stop - 1, JUNE_S)
        await bureau.orders.end_membership("A", JUNE.stop + 5, "Mehmet", "It moves.", JUNE_S)
        assert "has left already" in await refusal(JULY.stop, JUNE_S + 300)

    at_work(tmp_path, TERMS, story)


# --- policy, tariffs, readings ----------------------------------------------------------------------


def test_policy_and_window_are_the_operators(tmp_path):
    async def story(bureau):
        orders = bureau.orders
        await orders.set_policy(ContractPolicy(opens_days=5, silence=Silence.NONE))
        with pytest.raises(OrderRefused, match="0 to 28 days"):
            await orders.set_policy(ContractPolicy(opens_days=29))
        with pytest.raises(OrderRefused, match="your name"):
            await orders.open_round("", JUNE.start * 60)
        await orders.open_round("Mehmet", JUNE.start * 60)
        with pytest.raises(OrderRefused, match="asked for already"):
            await orders.open_round("Mehmet", JUNE.start * 60)
        bureau.restart()
        assert bureau.office.desk.policy == ContractPolicy(opens_days=5, silence=Silence.NONE)
        assert bureau.office.desk.newest.opened_by == "Mehmet"

    at_work(tmp_path, TERMS, story)


def test_a_tariff_is_kept_with_who_entered_it_and_why(tmp_path):
    async def story(bureau):
        new = tariff(valid_from=JULY.start, national=microcoins(19))
        for author, note, fault in (("", "x", "your name"), ("Mehmet", "", "why the tariff")):
            with pytest.raises(OrderRefused, match=fault):
                await bureau.orders.enter_tariff(new, author, note, 5)
        with pytest.raises(OrderRefused, match="above 0"):
            await bureau.orders.enter_tariff(replace(new, national=0), "Mehmet", "x", 5)
        await bureau.orders.enter_tariff(new, "Mehmet", "By decree.", 5)
        entry = bureau.ask(lambda records: records.agreements.tariff_entries())[-1]
        assert (entry.tariff, entry.author, entry.note, entry.entered_s) == (new, "Mehmet", "By decree.", 5)
        assert bureau.agreed.terms.tariff_at(JULY.start - 1).national == microcoins(17.6)
        assert bureau.agreed.terms.tariff_at(JULY.start).national == microcoins(19)
        assert bureau.ask(lambda records: records.billing.pending_changes()) == []

    at_work(tmp_path, TERMS, story)


def test_a_corrected_reading_must_fit_between_those_around_it(tmp_path):
    async def story(bureau):
        await bureau.record([row("A", MID, 10_000), row("A", MID + 10, 20_000)], (MID + 11) * 60)

        async def correct(minute, import_ws, export_ws=0, reason="Misread.", now_s=(MID + 11) * 60):
            await bureau.orders.correct("A", minute, import_ws, export_ws, "Mehmet", reason, now_s)

        for import_ws, export_ws in ((20_001, 0), (9_999, 0), (15_000, 1)):
            with pytest.raises(OrderRefused, match="must lie between"):
                await correct(MID + 5, import_ws, export_ws)
        for minute, fault in ((MID - 1, "no reading before"), (MID + 11, "not over yet")):
            with pytest.raises(OrderRefused, match=fault):
                await correct(minute, 15_000)
        with pytest.raises(OrderRefused, match="why the reading"):
            await correct(MID + 5, 15_000, reason=" ")
        with pytest.raises(OrderRefused, match="5 kW can carry"):
            await correct(MID + 10, 10_000 + 5000 * 60 * 20)
        await correct(MID + 5, 19_000)
        before, found, after = bureau.ask(lambda records: records.minutes.around("A", MID + 5))
        assert (before.import_ws, found.import_ws, after.import_ws) == (10_000, 19_000, 20_000)
        assert found.covered_s == 0

    at_work(tmp_path, TERMS, story)


def test_a_correction_in_a_month_that_runs_reaches_back_over_a_gap_into_a_billed_one(tmp_path):
    async def story(bureau):
        await bureau.record(all_rows(JUNE.start - 1, JUNE.stop - 601), JUNE_S)
        await bureau.record(all_rows(JUNE.stop - 600, JUNE.stop + 599, "BC"), JUNE_S)
        (closing,) = flow("A", JUNE.stop + 599, JUNE.stop + 599)
        await bureau.record([closing], JUNE_S)
        await bureau.step(JUNE_S)
        assert bureau.runs("2026-06") == 1
        now_s = (JUNE.stop + 700) * 60
        less = closing.import_ws - 1_200_000
        await bureau.orders.correct("A", closing.minute, less, 0, "Mehmet", "Misread.", now_s)
        await bureau.step(now_s + QUIET_S)
        (own,) = (paper for paper in bureau.adjustments("2026-06") if paper.account == "A")
        assert (own.energy, own.causes) == (600_000, (Cause.CORRECTED,))

    at_work(tmp_path, TERMS, story)
