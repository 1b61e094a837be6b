"""A house that means harm, or is broken: it keeps neither the office busy nor fills notices and disk."""

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from central_monitor.services.clerk import SWAPS_A_DAY
from central_monitor.services.letters import few, letter
from microgrid.bill import Adjustment, Bill, BillCheck, Cause, Verdict, check_bill
from microgrid.contracting import Wish
from microgrid.terms import Role, Source
from microgrid.wire.bodies import encode_body
from microgrid.wire.limits import MAX_BILLED_ADJUSTMENTS, MAX_TOLD_CHARS
from microgrid.wire.messages import ContractAnswer, Deliver, FetchPost, Post, PostTaken
from tests.unit.central.bureau import DAY_S, at_work, month
from tests.unit.central.parts import MONTH
from tests.unit.central.test_clerk import JULY, JUNE_S, OPEN_S, SELL, SWAP, TERMS, asked, billed, rounds


def test_a_flag_for_post_that_is_always_empty_costs_a_question_and_nothing_else(tmp_path):
    async def story(bureau):
        (a,) = await asked(bureau, "A")
        before = bureau.notices
        for n in range(20):
            bureau.live.houses["A"].post = True
            await bureau.office.step(OPEN_S + 5 * n, 0.01)
        assert len(a.of(FetchPost)) == 20
        assert a.of(PostTaken) == []
        assert bureau.notices == before

    at_work(tmp_path, TERMS, story)


def test_who_never_answers_is_waited_for_once(tmp_path):
    async def story(bureau):
        await billed(bureau)
        (a,) = bureau.join("A")
        a.silent = (FetchPost, Deliver)
        a.answer = ContractAnswer(month="2026-07", first_minute=JULY.start, wish=SELL)
        loop = asyncio.get_running_loop()
        begun_s = loop.time()
        for n in range(20):
            bureau.live.houses["A"].post = True
            await bureau.office.step(JUNE_S + 60 + 5 * n, 0.2)
        assert loop.time() - begun_s < 2.0
        assert (len(a.of(FetchPost)), len(a.of(Deliver))) == (1, 1)

    at_work(tmp_path, TERMS, story)


def test_what_comes_late_counts_and_is_not_asked_for_again(tmp_path):
    async def story(bureau):
        await billed(bureau)
        (a,) = bureau.join("A")
        a.silent = (Deliver,)
        a.check = BillCheck(
            verdict=Verdict.DIFFERS, billed_energy=1, own_least=2, own_most=2, sums_right=True
        )
        await bureau.step(JUNE_S + 60)
        a.speak()
        for n in range(3):
            await bureau.step(JUNE_S + 120 + n)
        assert len(a.bills) == 1
        assert bureau.ask(lambda records: records.billing.checks(MONTH)) == {"A": a.check}
        assert len([text for text in bureau.notices if "differs" in text]) == 1

    at_work(tmp_path, TERMS, story)


def test_an_answer_of_a_link_that_is_gone_is_not_waited_for(tmp_path):
    async def story(bureau):
        await billed(bureau)
        (old,) = bureau.join("A")
        old.silent = (FetchPost, Deliver)
        old.swap = SWAP
        await bureau.step(JUNE_S + 60)
        (new,) = bureau.join("A")
        new.swap = SWAP
        await bureau.step(JUNE_S + 65)
        assert (len(new.bills), len(new.of(PostTaken))) == (1, 1)

    at_work(tmp_path, TERMS, story)


def test_records_of_exchanges_without_end_fill_neither_disk_nor_notices(tmp_path):
    async def story(bureau):
        (a,) = await asked(bureau, "A")
        before = len(bureau.notices)
        for n in range(3 * SWAPS_A_DAY):
            a.swap = replace(SWAP, at_s=n // 2)  # each of them twice
            await bureau.step(OPEN_S + 5 * n)
        assert len(a.of(PostTaken)) == 3 * SWAPS_A_DAY
        for n in range(20):
            a.swap = replace(SWAP, at_s=1000 + n)
            await bureau.step(OPEN_S + 500 + 5 * n)
        kept = bureau.ask(lambda records: records.minutes.swaps("A"))
        assert len(kept) == SWAPS_A_DAY
        said = bureau.notices[before:]
        assert len([text for text in said if "was exchanged" in text]) == SWAPS_A_DAY
        assert len([text for text in said if "not kept" in text]) == 1
        a.swap = replace(SWAP, at_s=5000)
        await bureau.step(OPEN_S + 2 * DAY_S)
        assert len(bureau.ask(lambda records: records.minutes.swaps("A"))) == SWAPS_A_DAY + 1

    at_work(tmp_path, TERMS, story)


@pytest.mark.parametrize(
    "answer",
    [
        ContractAnswer(month="2031-01", first_minute=JULY.start, wish=SELL),
        ContractAnswer(month="2026-07", first_minute=JULY.start + 1, wish=SELL),
        ContractAnswer(month="2026-07", first_minute=JULY.start, wish=replace(SELL, min_w=-2_000_000)),
        ContractAnswer(month="2026-07", first_minute=JULY.start, wish=replace(SELL, max_w=2_000_000)),
        ContractAnswer(month="2026-07", first_minute=JULY.start, wish=replace(SELL, max_w=-1, min_w=-2)),
        ContractAnswer(month="2026-07", first_minute=JULY.start, wish=replace(SELL, price=-500_000_000)),
        ContractAnswer(
            month="2026-07",
            first_minute=JULY.start,
            wish=replace(SELL, price=5_000_000_000, source=Source.GENERATOR),
        ),
        ContractAnswer(month="2026-07", first_minute=JULY.start, wish=replace(SELL, source=None)),
    ],
)
def test_an_absurd_answer_is_taken_refused_and_leaves_no_trace(tmp_path, answer):
    async def story(bureau):
        (b,) = await asked(bureau, "B")
        before, notices = rounds(bureau), bureau.notices
        for n in range(3):
            b.answer = answer
            await bureau.step(OPEN_S + 5 + n)
        assert len(b.of(PostTaken)) == 3
        assert rounds(bureau) == before
        assert bureau.notices == notices
        for call in b.told:
            encode_body(call)  # what it is told of it may travel

    at_work(tmp_path, TERMS, story)


def test_a_contract_of_another_house_cannot_be_answered(tmp_path):
    async def story(bureau):
        await asked(bureau, "A")
        stranger = bureau.join("B")[0]
        bureau.links["Z"] = stranger  # a link under a name that no round asks
        bureau.live.houses["Z"] = bureau.live.houses["B"]
        before = rounds(bureau)
        post = Post(
            house="Z",
            request_id=1,
            answer=ContractAnswer(
                month="2026-07", first_minute=JULY.start, wish=Wish(role=Role.CONSUMER, max_w=1)
            ),
        )
        await bureau.office._clerk._take("Z", post, OPEN_S)
        assert rounds(bureau) == before

    at_work(tmp_path, TERMS, story)


# --- letters ----------------------------------------------------------------------------------------


def adjusted(name: str, number: int = 2, **more: Any) -> Adjustment:
    values: dict[str, Any] = {
        "account": "A",
        "month": name,
        "number": number,
        "made_s": number,
        "causes": (Cause.LATE,),
        "own": False,
        "reason": f"Run {number}.",
        "energy": 1,
        "microgrid_amount": 10,
        "national_grid_amount": -3,
        "penalty_amount": -2,
    }
    return Adjustment(**{**values, **more})


def test_few_adjustments_are_told_one_by_one():
    listed = [adjusted(MONTH, number) for number in range(2, 2 + MAX_BILLED_ADJUSTMENTS)]
    assert few(listed) == listed


def test_many_adjustments_are_told_by_month_and_come_to_the_same():
    listed = [adjusted("2026-05", number) for number in range(2, 500)]
    listed += [adjusted("2026-06", 2, causes=(Cause.TARIFF,), own=True), adjusted("2026-06", 3)]
    may, june = few(listed)
    assert (may.month, may.number, may.own, may.energy, may.total) == ("2026-05", 499, False, 498, 5 * 498)
    assert (june.number, june.own, june.causes) == (3, True, (Cause.TARIFF, Cause.LATE))
    assert june.reason == "Run 2. Run 3."


def test_adjustments_of_very_many_months_are_told_with_the_oldest_together():
    listed = [adjusted(f"{year}-{n:02}") for year in range(2000, 2020) for n in range(1, 13)]
    told = few(listed)
    assert len(told) == MAX_BILLED_ADJUSTMENTS
    assert sum(one.total for one in told) == 5 * 240
    assert [one.month for one in told[:2]] == ["2012-07", "2012-08"]


def test_whatever_a_bill_holds_reaches_its_house_and_adds_up(tmp_path):
    async def story(bureau):
        await billed(bureau)
        (bill,) = (bill for house, bill in bureau.bills(MONTH).items() if house == "A")
        carried = tuple(
            adjusted("2026-05", n, reason=f"Late.\r\nVery\u202e late. {n:300}") for n in range(2000)
        )
        account = replace(bill.account, adjustments=10_000, total=bill.account.total + 10_000)
        heavy = replace(bill, name="A\n<b>" + "x" * 90, account=account, adjustments=carried)
        sent = letter(heavy, 1)
        assert isinstance(sent.bill, Bill)
        encode_body(sent)
        assert check_bill(sent.bill, None).sums_right
        (told,) = sent.bill.adjustments
        assert told.reason.startswith("Late. Very  late. ")
        assert (len(told.reason), told.reason[-1]) == (MAX_TOLD_CHARS, "…")
        encode_body(letter(carried[0], 1))

    at_work(tmp_path, TERMS, story)


def test_what_travels_well_travels_unchanged(tmp_path):
    async def story(bureau):
        await billed(bureau)
        for bill in bureau.bills(MONTH).values():
            assert letter(bill, 3) == Deliver(request_id=3, bill=bill)
        assert month(MONTH)

    at_work(tmp_path, TERMS, story)
