"""Papers between the central and the houses: on the disk first, then said; and to each house only its own."""

import msgspec
import pytest
from msgspec.structs import replace

from central_monitor.services.month_end import QUIET_S
from microgrid.agreements import Basis
from microgrid.bill import BillCheck, Verdict
from microgrid.contracting import Wish
from microgrid.registers import Registers
from microgrid.swap import MeterSwap
from microgrid.terms import Role, Source
from microgrid.units import microcoins
from microgrid.wire.messages import ContractCall, Deliver, FetchPost, MonthSoFar, PostTaken
from tests.unit.central.bureau import DAY_S, at_work, month, steady
from tests.unit.central.parts import FIRST, MONTH, buyer, order_row, row, seller, tariff, terms

JUNE, JULY = month(MONTH), month("2026-07")
JUNE_S = JUNE.stop * 60
OPEN_S = JULY.start * 60 - DAY_S  # July's contracts are being asked for
TERMS = terms(seller("B", 8, source=Source.SOLAR), buyer("A"), buyer("C"))
BUY = Wish(role=Role.CONSUMER, max_w=2000)
SELL = Wish(role=Role.PRODUCER, max_w=2000, min_w=100, price=microcoins(9), source=Source.SOLAR)
SWAP = MeterSwap(
    house="A",
    at_s=5,
    old=Registers(epoch=0, import_ws=1, export_ws=2, generation_ws=3),
    new=Registers(epoch=1, import_ws=0, export_ws=0, generation_ws=0),
    old_meter="1.0/1",
    new_meter="1.1/2",
    installer="Aslam",
    reason="Broken.",
)


async def asked(bureau, *houses):
    """July's contracts are asked for; the houses are linked."""
    await bureau.step(OPEN_S)
    return bureau.join(*houses, now_s=OPEN_S)


async def billed(bureau):
    rows = [
        m for h, w in (("A", -1200), ("B", 1000), ("C", -300)) for m in steady(h, FIRST - 1, JUNE.stop - 1, w)
    ]
    await bureau.record(rows, JUNE_S)
    await bureau.step(JUNE_S)


def rounds(bureau):
    return bureau.ask(lambda records: records.agreements.rounds())


# --- contracts --------------------------------------------------------------------------------------


def test_an_answer_is_on_the_disk_before_the_house_is_told(tmp_path):
    async def story(bureau):
        a, b = await asked(bureau, "A", "B")
        a.wish(BUY, "2026-07")
        save, on_disk = bureau.writer.save_round, []

        async def saved(asked_round):
            assert not a.of(PostTaken)
            assert a.call("2026-07").basis is None
            found = await save(asked_round)
            on_disk.append(rounds(bureau)[-1].entry_of("A"))
            return found

        bureau.writer.save_round = saved
        await bureau.step(OPEN_S + 5)
        assert on_disk[0].contract == BUY.contract("A", JULY)
        assert a.call("2026-07").agreed == BUY.contract("A", JULY)
        assert len(a.of(PostTaken)) == 1
        assert b.call("2026-07").basis is None
        assert not b.of(FetchPost)  # it had nothing to fetch
        assert any("1 of 3 houses have answered" in text for text in bureau.notices)

    at_work(tmp_path, TERMS, story)


def test_an_answer_that_could_not_be_stored_stays_with_the_house(tmp_path):
    async def story(bureau):
        (a,) = await asked(bureau, "A")
        a.wish(BUY, "2026-07")
        save = bureau.writer.save_round

        async def full(asked_round):
            raise OSError("the disk is full")

        bureau.writer.save_round = full
        with pytest.raises(OSError, match="full"):
            await bureau.step(OPEN_S + 5)
        assert not a.of(PostTaken)
        assert a.call("2026-07").basis is None
        bureau.writer.save_round = save
        await bureau.step(OPEN_S + 10)
        assert a.call("2026-07").basis is Basis.ANSWERED
        assert len(a.of(PostTaken)) == 1

    at_work(tmp_path, TERMS, story)


def test_a_refused_answer_is_said_by_field_and_the_next_one_counts(tmp_path):
    async def story(bureau):
        (b,) = await asked(bureau, "B")
        b.wish(replace(SELL, price=microcoins(18)), "2026-07")
        await bureau.step(OPEN_S + 5)
        assert b.call("2026-07").refusal.keys() == {"price"}
        assert len(b.of(PostTaken)) == 1
        b.wish(SELL, "2026-07")
        await bureau.step(OPEN_S + 10)
        assert (b.call("2026-07").refusal, b.call("2026-07").agreed) == ({}, SELL.contract("B", JULY))

    at_work(tmp_path, TERMS, story)


def test_all_are_told_when_exchange_is_permitted_also_who_links_later(tmp_path):
    async def story(bureau):
        a, b = await asked(bureau, "A", "B")
        a.wish(BUY, "2026-07")
        b.wish(SELL, "2026-07")
        await bureau.step(OPEN_S + 5)
        assert not a.call("2026-07").permitted
        bureau.restart()
        await bureau.step(JULY.start * 60)  # C is silent
        assert a.call("2026-07").permitted
        assert b.call("2026-07").permitted
        (c,) = bureau.join("C", now_s=JULY.start * 60 + 60)
        assert (c.call("2026-07").permitted, c.call("2026-07").basis) == (True, Basis.CARRIED_OVER)
        assert any("exchange is permitted" in text for text in bureau.notices)
        # What is over concerns nobody any more.
        assert bureau.join("C", now_s=JULY.stop * 60)[0].of(ContractCall) == []

    at_work(tmp_path, TERMS, story)


def test_a_call_tells_the_largest_power_of_the_month_that_runs(tmp_path):
    async def story(bureau):
        rows = [row("A", FIRST - 1), row("A", FIRST, 100_000, max_w=-1500, min_w=-1750)]
        rows += [row("B", FIRST - 1), row("B", FIRST, 0, 60_000, max_w=1100, min_w=900), row("C", FIRST)]
        await bureau.record(rows, (FIRST + 1) * 60)
        bureau.restart()
        a, b = await asked(bureau, "A", "B")
        assert a.call("2026-07").last_max_w == 1750
        assert b.call("2026-07").last_max_w == 1100

    at_work(tmp_path, TERMS, story)


def test_a_month_without_a_tariff_yet_does_not_keep_houses_from_linking(tmp_path):
    async def story(bureau):
        (a,) = await asked(bureau, "A")
        assert a.of(ContractCall) == []
        await bureau.orders.enter_tariff(tariff(), "Mehmet", "Forgotten.", OPEN_S)
        bureau.office.linked("A", OPEN_S)
        assert a.call("2026-07").basis is None

    at_work(tmp_path, replace(TERMS, tariffs=(tariff(valid_to=JULY.start),)), story)


def test_who_does_not_answer_holds_up_nobody_else(tmp_path):
    async def story(bureau):
        a, b = await asked(bureau, "A", "B")
        a.wish(BUY, "2026-07")
        b.wish(SELL, "2026-07")
        a.silent = (FetchPost,)
        await bureau.step(OPEN_S + 5)
        assert (a.call("2026-07").basis, b.call("2026-07").basis) == (None, Basis.ANSWERED)
        await bureau.step(OPEN_S + 10)
        assert len(a.of(FetchPost)) == 1  # it has one to answer already
        a.speak()
        await bureau.step(OPEN_S + 15)
        assert a.call("2026-07").basis is Basis.ANSWERED
        assert len(a.of(PostTaken)) == 1

    at_work(tmp_path, TERMS, story)


def test_an_exchange_of_the_meter_is_kept_and_said_with_an_answer_or_without(tmp_path):
    async def story(bureau):
        (a,) = await asked(bureau, "A")
        a.swap = SWAP
        a.wish(BUY, "2026-07")
        await bureau.step(OPEN_S + 5)
        a.swap = replace(SWAP, at_s=6)
        await bureau.step(OPEN_S + 10)
        assert bureau.ask(lambda records: records.minutes.swaps("A")) == (SWAP, replace(SWAP, at_s=6))
        assert len(a.of(PostTaken)) == 2
        assert "House A: the meter was exchanged by Aslam." in bureau.notices
        assert a.call("2026-07").basis is Basis.ANSWERED

    at_work(tmp_path, TERMS, story)


# --- bills ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("restarted", [False, True])
def test_bills_wait_for_their_houses_and_are_handed_over_once(tmp_path, restarted):
    async def story(bureau):
        await billed(bureau)
        if restarted:
            bureau.restart()
        (a,) = bureau.join("A")
        a.silent = (Deliver,)
        await bureau.step(JUNE_S + 60)
        assert len(a.bills) == 1
        (a,) = bureau.join("A")  # and has lost its link meanwhile
        for after_s in (120, 180, DAY_S):
            await bureau.step(JUNE_S + after_s)
        assert len(a.bills) == 1
        assert {bill.house for bill in a.bills} == {"A"}
        bureau.join("A")
        await bureau.step(JUNE_S + 2 * DAY_S)
        assert bureau.links["A"].bills == []

    at_work(tmp_path, TERMS, story)


def test_each_house_gets_its_own_bill_alone(tmp_path):
    async def story(bureau):
        houses = {house.house: house for house in bureau.join("A", "B", "C")}
        await billed(bureau)
        for name, house in houses.items():
            assert [bill.house for bill in house.bills] == [name]
            for message in house.told:
                text = msgspec.json.encode(message).decode()
                assert not [other for other in "ABC" if other != name and f'"{other}"' in text]

    at_work(tmp_path, TERMS, story)


def test_what_a_house_finds_of_its_bill_is_kept_and_a_difference_is_said(tmp_path):
    async def story(bureau):
        a, b, _ = bureau.join("A", "B", "C")
        found = BillCheck(
            verdict=Verdict.AGREES, billed_energy=-5, own_least=-5, own_most=-5, sums_right=True
        )
        a.check = found
        b.check = replace(found, verdict=Verdict.DIFFERS)
        await billed(bureau)
        checks = bureau.ask(lambda records: records.billing.checks(MONTH))
        assert checks == {"A": a.check, "B": b.check}
        said = [text for text in bureau.notices if "differs" in text]
        assert said == [f"House B: the bill of {MONTH} differs from its own meter; look into it."]

    at_work(tmp_path, TERMS, story)


def test_a_bill_comes_before_what_adjusts_it(tmp_path):
    async def story(bureau):
        await billed(bureau)
        dearer = tariff(valid_from=JUNE.start, valid_to=JUNE.stop, national=microcoins(18))
        await bureau.orders.enter_tariff(dearer, "Mehmet", "June.", JUNE_S + 5)
        await bureau.step(JUNE_S + 5 + QUIET_S)
        (a,) = bureau.join("A")
        await bureau.step(JUNE_S + DAY_S)
        assert [paper.bill is not None for paper in a.of(Deliver)] == [True, False]
        assert a.adjustments[0].account == "A"
        assert bureau.office.papers == 3 + len(bureau.adjustments(MONTH))

    at_work(tmp_path, TERMS, story)


# --- the month so far -------------------------------------------------------------------------------


def test_a_house_is_told_its_own_month_so_far_once_a_minute(tmp_path):
    async def story(bureau):
        rows = [row(house, FIRST - 1) for house in "ABC"]
        rows += [row("A", FIRST, 72_000), row("B", FIRST, 0, 3000), row("C", FIRST)]
        order = order_row("B", FIRST, raise_standing=True, target_w=1000, command_id=1, acknowledged_s=0)
        await bureau.record(rows, (FIRST + 1) * 60, [order])
        bureau.restart()
        a, b, _ = bureau.join("A", "B", "C")
        now_s = (FIRST + 1) * 60
        for after_s in (0, 5, 10, 60):
            await bureau.step(now_s + after_s)
        assert len(a.of(MonthSoFar)) == 2
        ledger = bureau.ask(lambda records: records.settle(TERMS, MONTH, FIRST + 1))
        account, parts = ledger.statements().accounts, ledger.penalty_parts()
        for house, told in (("A", a.so_far), ("B", b.so_far)):
            assert (told.month, told.through) == (MONTH, FIRST + 1)
            assert told.contract == bureau.agreed.terms.contract_at(house, FIRST)
            assert told.microgrid_energy == account[house].microgrid_energy
            assert told.national_energy == account[house].national_grid_energy
            assert told.microgrid_amount == account[house].microgrid_amount
            assert told.national_amount == account[house].national_grid_amount
            assert told.penalties == parts[house]
            assert told.adjustments == 0
        assert b.so_far.penalties.deficit_energy > 0

    at_work(tmp_path, TERMS, story)


def test_a_house_is_not_told_of_a_month_that_has_not_begun(tmp_path):
    async def story(bureau):
        (a,) = bureau.join("A")
        await bureau.step(OPEN_S)
        assert a.of(MonthSoFar) == []
        assert bureau.office.statements() is None

    at_work(tmp_path, TERMS, story)
