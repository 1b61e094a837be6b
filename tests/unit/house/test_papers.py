"""The house's papers: answers, bills and records on its disk, whatever happens in between."""

import asyncio

import pytest
from msgspec.structs import replace

from db.errors import DatabaseFull
from house_client.household import Refused
from house_client.link import Link
from house_client.snapshot import CentralState
from microgrid.agreements import Basis
from microgrid.bill import Adjustment, Bill, BillCheck, BillKind, Cause, Verdict
from microgrid.contracting import Wish
from microgrid.registers import Registers
from microgrid.statement import Account, PenaltyParts
from microgrid.swap import MeterSwap
from microgrid.terms import Role, Source
from microgrid.units import microcoins
from microgrid.wire.bodies import encode_body
from microgrid.wire.errors import WireCode
from microgrid.wire.lan import CentralConnection, frame
from microgrid.wire.messages import (
    ContractCall,
    Deliver,
    Delivered,
    ErrorMessage,
    FetchPost,
    Hello,
    MonthSoFar,
    PostTaken,
)
from tests.unit.central.bureau import month
from tests.unit.central.parts import ZONE, row
from tests.unit.house.home import NOON_MS, run, welcome

NOW_S = NOON_MS // 1000
JUNE, JULY, AUGUST = month("2026-06"), month("2026-07"), month("2026-08")
BUY = Wish(role=Role.CONSUMER, max_w=2000)
MORE = Wish(role=Role.CONSUMER, max_w=2500)
SELL = Wish(role=Role.PRODUCER, max_w=2000, min_w=100, price=microcoins(8), source=Source.SOLAR)
REFUSAL = {"price": "The solar price is above the tariff."}


def call(name="2026-07", minutes=JULY, **more):
    values = {"closes_s": minutes.start * 60, "tariff": microcoins(17.6), "connection_w": 5000}
    return ContractCall(month=name, first_minute=minutes.start, end_minute=minutes.stop, **{**values, **more})


CALL = call()
AGREED = replace(CALL, basis=Basis.ANSWERED, agreed=BUY.contract("B", JULY))
REST = call("2026-06", range(JUNE.start + 9000, JUNE.stop), closes_s=JUNE.stop * 60)  # of who joins now


class Desk:
    """What the central says over the link and what it hears, one after another."""

    def __init__(self, house):
        self.house = house
        self.requests = 100

    async def say(self, *messages):
        for message in messages:
            self.house.service.handle(message)
        await settled(self.house)

    async def fetch(self):
        self.requests += 1
        await self.say(FetchPost(request_id=self.requests))
        return self.house.sent[-1]

    async def take(self, post):
        await self.say(PostTaken(request_id=post.request_id))

    async def deliver(self, **paper):
        self.requests += 1
        await self.say(Deliver(request_id=self.requests, **paper))
        return self.house.sent[-1]

    async def answer(self, wish, to=CALL):
        await self.house.service.papers.answer(wish, to, NOW_S)

    @property
    def shown(self):
        return self.house.service.snapshot()

    @property
    def announced(self):
        return self.house.poll(1).post


async def settled(house):
    """Until nothing goes on beside the link."""
    while house.service._tasks:
        await asyncio.sleep(0.001)


def story(tmp_path, *tellings):
    """Each telling happens to the same house, which is started again in between."""
    for telling in tellings:
        run(tmp_path, lambda house, telling=telling: telling(house, Desk(house)))


@pytest.fixture
def full(monkeypatch):
    """Makes a house's disk full, and gives it room again."""

    def change(house, is_full):
        def fail(*_):
            raise DatabaseFull("There is no room left.")

        papers = house.journal.papers
        if is_full:
            monkeypatch.setattr(papers, "keep", fail)
            monkeypatch.setattr(papers, "drop", fail)
        else:
            monkeypatch.undo()

    return change


# --- calls and answers ------------------------------------------------------------------------------


def test_a_call_is_shown_answered_fetched_and_agreed(tmp_path):
    async def telling(house, desk):
        assert (desk.shown.call, desk.announced) == (None, False)
        await desk.say(CALL)
        assert (desk.shown.call, desk.shown.answer_waiting, desk.announced) == (CALL, False, False)
        await desk.answer(BUY)
        assert (desk.shown.answer_waiting, desk.announced) == (True, True)
        post = await desk.fetch()
        assert (post.house, post.answer.month, post.answer.wish) == ("B", "2026-07", BUY)
        assert post.answer.first_minute == JULY.start
        assert desk.shown.answer_waiting  # nothing is said of it yet
        await desk.say(AGREED, PostTaken(request_id=post.request_id))
        assert (desk.shown.call, desk.shown.answer_waiting, desk.announced) == (AGREED, False, False)
        empty = await desk.fetch()
        assert (empty.answer, empty.swap) == (None, None)

    story(tmp_path, telling)


def test_an_answer_is_kept_until_the_central_has_taken_it_whenever_the_house_restarts(tmp_path):
    async def answered(house, desk):
        await desk.say(CALL)
        await desk.answer(BUY)

    async def fetched(house, desk):
        assert (desk.shown.call, desk.shown.answer_waiting, desk.announced) == (CALL, True, True)
        assert (await desk.fetch()).answer.wish == BUY

    async def taken(house, desk):
        post = await desk.fetch()
        assert post.answer.wish == BUY
        await desk.take(post)
        assert not desk.announced

    async def afterwards(house, desk):
        assert (desk.shown.call, desk.shown.answer_waiting, desk.announced) == (CALL, False, False)
        await desk.say(AGREED)

    async def agreed(house, desk):
        assert desk.shown.call == AGREED
        (kept,) = (await history(house)).contracts
        assert (kept.month, kept.basis, kept.contract) == ("2026-07", Basis.ANSWERED, AGREED.agreed)

    story(tmp_path, answered, fetched, taken, afterwards, agreed)


async def history(house):
    return house.service.papers.history()


def test_what_was_fetched_over_a_link_that_is_lost_is_fetched_again(tmp_path):
    async def telling(house, desk):
        await desk.say(CALL)
        await desk.answer(BUY)
        lost = await desk.fetch()
        house.service.papers.link_lost()
        await desk.take(lost)  # of a link that is gone
        assert desk.announced
        assert (await desk.fetch()).answer.wish == BUY

    story(tmp_path, telling)


def test_after_a_refusal_the_household_may_answer_again(tmp_path):
    refused = replace(CALL, refusal=REFUSAL)

    async def telling(house, desk):
        await desk.say(CALL)
        await desk.answer(SELL)
        post = await desk.fetch()
        await desk.say(refused)
        assert desk.shown.answer_waiting  # until the central's last word on it
        await desk.take(post)
        assert (desk.shown.call.refusal, desk.shown.answer_waiting) == (REFUSAL, False)
        await desk.answer(BUY, refused)
        assert (await desk.fetch()).answer.wish == BUY

    story(tmp_path, telling)


def test_an_old_refusal_said_again_takes_no_new_answer_away(tmp_path):
    refused = replace(CALL, refusal=REFUSAL)

    async def telling(house, desk):
        await desk.say(refused)
        await desk.answer(BUY, refused)
        await desk.say(refused)  # another house answered, or the link was lost in between
        assert desk.announced
        assert (await desk.fetch()).answer.wish == BUY

    async def after_a_restart(house, desk):
        await desk.say(refused)
        assert (await desk.fetch()).answer.wish == BUY

    story(tmp_path, telling, after_a_restart)


def test_an_answer_given_while_another_is_being_taken_stays(tmp_path):
    async def telling(house, desk):
        await desk.say(CALL)
        await desk.answer(BUY)
        post = await desk.fetch()
        await desk.answer(MORE)
        await desk.take(post)
        assert desk.announced

    async def after_a_restart(house, desk):
        assert (await desk.fetch()).answer.wish == MORE

    story(tmp_path, telling, after_a_restart)


def test_what_is_agreed_is_final(tmp_path):
    async def telling(house, desk):
        await desk.say(CALL)
        await desk.answer(BUY)
        await desk.say(AGREED)  # the policy was quicker, or another kiosk
        assert not desk.announced
        with pytest.raises(Refused, match="2026-07 is agreed already; it is final"):
            await desk.answer(MORE)

    async def after_a_restart(house, desk):
        assert (desk.announced, desk.shown.call) == (False, AGREED)
        with pytest.raises(Refused, match="final for the month"):
            await desk.answer(MORE)

    story(tmp_path, telling, after_a_restart)


def test_what_cannot_be_agreed_is_refused_in_words(tmp_path):
    async def telling(house, desk):
        with pytest.raises(Refused, match="No contract is being asked for"):
            await desk.answer(BUY)
        await desk.say(CALL)
        with pytest.raises(Refused, match="tariff"):
            await desk.answer(replace(SELL, price=microcoins(18)))
        with pytest.raises(Refused, match=r"time to answer for 2026-07 is over"):
            await house.service.papers.answer(BUY, CALL, CALL.closes_s)
        assert not desk.announced

    story(tmp_path, telling)


def test_who_joins_is_asked_for_the_rest_of_this_month_and_for_the_next(tmp_path):
    async def telling(house, desk):
        await desk.say(CALL, REST)
        assert desk.shown.call == REST
        await desk.answer(BUY, REST)
        assert (desk.shown.call, desk.shown.answer_waiting) == (REST, True)
        await desk.answer(MORE, CALL)
        posts = []
        for _ in range(2):
            posts.append(await desk.fetch())
            await desk.take(posts[-1])
        assert [post.answer.first_minute for post in posts] == [REST.first_minute, JULY.start]
        assert not desk.announced
        await desk.say(replace(REST, basis=Basis.ANSWERED, agreed=BUY.contract("B", JUNE)))
        assert (desk.shown.call, desk.shown.answer_waiting) == (CALL, False)
        await desk.say(replace(AGREED, agreed=MORE.contract("B", JULY)))
        assert desk.shown.call.month == "2026-07"
        assert [kept.month for kept in (await history(house)).contracts] == ["2026-07", "2026-06"]

    story(tmp_path, telling)


def test_a_call_that_was_never_answered_does_not_stand_before_the_next(tmp_path):
    async def telling(house, desk):
        await desk.say(REST)
        house.clock.step_to(REST.closes_s * 1000)
        assert desk.shown.call == REST  # closed: the newest there is
        august = call("2026-08", AUGUST)
        await desk.say(august)
        assert desk.shown.call == august
        await house.service.papers.answer(BUY, august, REST.closes_s)
        assert desk.shown.answer_waiting

    story(tmp_path, telling)


def test_an_answer_that_cannot_be_kept_is_not_announced(tmp_path, full):
    async def telling(house, desk):
        await desk.say(CALL)
        full(house, True)
        with pytest.raises(DatabaseFull):
            await desk.answer(BUY)
        assert (desk.announced, desk.shown.answer_waiting) == (False, False)
        full(house, False)
        await desk.answer(BUY)
        assert desk.announced

    story(tmp_path, telling)


def test_a_call_is_shown_and_answered_even_if_it_could_not_be_kept(tmp_path, full):
    async def telling(house, desk):
        full(house, True)
        await desk.say(CALL)
        full(house, False)
        assert desk.shown.call == CALL
        await desk.answer(BUY)

    async def after_a_restart(house, desk):
        assert desk.shown.call is None
        assert (await desk.fetch()).answer.wish == BUY
        await desk.say(CALL)
        assert desk.shown.answer_waiting

    story(tmp_path, telling, after_a_restart)


def test_what_cannot_be_noted_as_taken_is_offered_again(tmp_path, full):
    async def telling(house, desk):
        await desk.say(CALL)
        await desk.answer(BUY)
        post = await desk.fetch()
        full(house, True)
        await desk.take(post)
        assert desk.announced
        full(house, False)
        await desk.take(await desk.fetch())
        assert not desk.announced

    story(tmp_path, telling)


# --- bills ------------------------------------------------------------------------------------------


def bill(net_ws, name="2026-05", **more):
    minutes = month(name)
    account = Account(
        role=Role.CONSUMER, microgrid_energy=net_ws, national_grid_energy=0, microgrid_amount=-microcoins(5),
        national_grid_amount=0, penalty_energy=0, penalty_amount=0, adjustments=0, total=-microcoins(5),
        max_power_kw=1.0, min_power_kw=0.0, estimated_energy=0, estimated_minutes=0,
    )  # fmt: skip
    made = Bill(
        house="B", name="House B", month=name, zone=ZONE, kind=BillKind.MONTH, first_minute=minutes.start,
        end_minute=minutes.stop, issued_s=minutes.stop * 60 + 60, contract=None, tariff=microcoins(17.6),
        account=account, penalties=PenaltyParts(),
    )  # fmt: skip
    return replace(made, **more)


def adjustment(number=2, **more):
    values = {
        "account": "B", "month": "2026-05", "made_s": NOW_S + number, "causes": (Cause.LATE,), "own": True,
        "reason": "Late.", "energy": -60, "microgrid_amount": -7, "national_grid_amount": 0,
        "penalty_amount": 0,
    }  # fmt: skip
    return Adjustment(number=number, **{**values, **more})


async def journal(house, *readings):
    """Minutes counted from the beginning of May, with what was imported until then."""
    start = month("2026-05").start
    rows = [row("B", start + minute, imported) for minute, imported in readings]
    await house.worker.submit(lambda: house.journal.append(rows))


MAY_MINUTES = len(month("2026-05"))
WHOLE_MAY = ((-1, 1000), (0, 1500), (MAY_MINUTES - 1, 91_000))


def test_a_bill_is_checked_against_the_journal_to_the_watt_second(tmp_path):
    async def telling(house, desk):
        await journal(house, *WHOLE_MAY)
        answer = await desk.deliver(bill=bill(-90_000))
        assert isinstance(answer, Delivered)
        check = BillCheck(
            verdict=Verdict.AGREES, billed_energy=-90_000, own_least=-90_000, own_most=-90_000,
            sums_right=True,
        )  # fmt: skip
        assert answer.check == check
        assert (desk.shown.bill.bill, desk.shown.bill.check) == (bill(-90_000), check)

    async def after_a_restart(house, desk):
        assert desk.shown.bill.check.verdict is Verdict.AGREES
        assert desk.shown.bill.bill == bill(-90_000)

    story(tmp_path, telling, after_a_restart)


@pytest.mark.parametrize(
    ("readings", "billed", "verdict"),
    [
        (WHOLE_MAY, -90_001, Verdict.DIFFERS),
        (WHOLE_MAY, -89_999, Verdict.DIFFERS),
        ((), -90_000, Verdict.UNCHECKED),
        (WHOLE_MAY[:2], -90_000, Verdict.UNCHECKED),  # ends before the month does
        (WHOLE_MAY[1:], -90_000, Verdict.UNCHECKED),  # the disk is new
        (WHOLE_MAY[1:], -89_500, Verdict.AGREES),
        # Nothing was heard as the month began: the energy may lie on either side.
        (((-60, 1000), (60, 5000), (MAY_MINUTES - 1, 91_000)), -87_000, Verdict.AGREES),
        (((-60, 1000), (60, 5000), (MAY_MINUTES - 1, 91_000)), -85_999, Verdict.DIFFERS),
    ],
)
def test_what_a_house_finds(tmp_path, readings, billed, verdict):
    async def telling(house, desk):
        await journal(house, *readings)
        assert (await desk.deliver(bill=bill(billed))).check.verdict is verdict

    story(tmp_path, telling)


def test_a_bill_whose_lines_do_not_add_up_differs(tmp_path):
    async def telling(house, desk):
        await journal(house, *WHOLE_MAY)
        good = bill(-90_000)
        wrong = replace(good, account=replace(good.account, total=0))
        check = (await desk.deliver(bill=wrong)).check
        assert (check.verdict, check.sums_right) == (Verdict.DIFFERS, False)

    story(tmp_path, telling)


def test_a_bill_that_comes_twice_is_one_bill(tmp_path):
    async def telling(house, desk):
        await journal(house, *WHOLE_MAY)
        first = await desk.deliver(bill=bill(-90_000))
        second = await desk.deliver(bill=bill(-90_000))
        assert (second.check, second.request_id) == (first.check, first.request_id + 1)
        assert len((await history(house)).bills) == 1

    async def after_a_restart(house, desk):
        await desk.deliver(bill=bill(-90_000))
        assert len((await history(house)).bills) == 1

    story(tmp_path, telling, after_a_restart)


def test_bills_stand_newest_first_and_a_final_one_beside_the_month(tmp_path):
    april, may = bill(-1, "2026-04"), bill(-90_000)
    final = bill(-2, kind="final", end_minute=may.first_minute + 500, issued_s=may.first_minute * 60 + 40_000)

    async def telling(house, desk):
        for each in (may, april, final):
            await desk.deliver(bill=each)
        assert [kept.bill for kept in (await history(house)).bills] == [may, final, april]

    async def after_a_restart(house, desk):
        assert [kept.bill for kept in (await history(house)).bills] == [may, final, april]

    story(tmp_path, telling, after_a_restart)


def test_adjustments_stand_beside_their_bill_in_their_order(tmp_path):
    async def telling(house, desk):
        await desk.deliver(bill=bill(-90_000))
        before = desk.shown.bill.check
        for number in (3, 2, 3):
            answer = await desk.deliver(adjustment=adjustment(number))
            assert (type(answer), answer.check) == (Delivered, None)
        await desk.deliver(adjustment=adjustment(2, month="2026-04"))
        assert desk.shown.bill.adjustments == (adjustment(2), adjustment(3))
        assert (desk.shown.bill.bill, desk.shown.bill.check) == (bill(-90_000), before)

    async def after_a_restart(house, desk):
        assert desk.shown.bill.adjustments == (adjustment(2), adjustment(3))

    story(tmp_path, telling, after_a_restart)


def test_what_was_waived_is_kept_beside_what_the_same_run_changed(tmp_path):
    async def telling(house, desk):
        await desk.deliver(bill=bill(-90_000))
        for waiver in (0, 4, 7, 4):
            await desk.deliver(adjustment=adjustment(2, waiver=waiver))

    async def after_a_restart(house, desk):
        assert sorted(one.waiver for one in desk.shown.bill.adjustments) == [0, 4, 7]

    story(tmp_path, telling, after_a_restart)


@pytest.mark.parametrize("paper", [{"bill": bill(-90_000)}, {"adjustment": adjustment()}])
def test_what_cannot_be_kept_is_not_taken_and_comes_again(tmp_path, full, paper):
    async def telling(house, desk):
        full(house, True)
        answer = await desk.deliver(**paper)
        assert isinstance(answer, ErrorMessage)
        assert (answer.request_id, answer.code) == (desk.requests, WireCode.NOT_AVAILABLE)
        assert (await history(house)).bills == ()
        full(house, False)
        assert isinstance(await desk.deliver(**paper), Delivered)

    story(tmp_path, telling)


def test_the_month_so_far_is_the_last_that_was_told(tmp_path):
    async def telling(house, desk):
        assert desk.shown.month is None
        for energy in (5, 7):
            month_so_far = MonthSoFar(
                month="2026-06", through=JUNE.start + 9, contract=None, microgrid_energy=energy,
                national_energy=0, microgrid_amount=0, national_amount=0, penalties=PenaltyParts(),
                adjustments=0,
            )  # fmt: skip
            await desk.say(month_so_far)
        assert desk.shown.month is not None
        assert desk.shown.month.microgrid_energy == 7

    story(tmp_path, telling)


# --- exchanged meters -------------------------------------------------------------------------------


def swap(at_s=NOW_S):
    registers = Registers(epoch=0, import_ws=1, export_ws=2, generation_ws=3)
    return MeterSwap(
        house="B", at_s=at_s, old=registers, new=replace(registers, epoch=1), old_meter="1.0, start 1",
        new_meter="1.0, start 2", installer="Asif", reason="broken",
    )  # fmt: skip


def test_exchanges_are_told_one_after_another_and_kept(tmp_path):
    first, second = swap(), swap(NOW_S + 60)

    async def exchanged(house, desk):
        await house.service.papers.exchanged(first)
        await house.service.papers.exchanged(second)
        assert desk.announced

    async def told(house, desk):
        assert (await history(house)).swaps == (second, first)
        fetched = []
        while (post := await desk.fetch()).swap is not None:
            fetched.append(post.swap)
            await desk.take(post)
        assert sorted(fetched, key=lambda each: each.at_s) == [first, second]
        assert not desk.announced

    async def afterwards(house, desk):
        assert (await history(house)).swaps == (second, first)
        assert (await desk.fetch()).swap is None

    story(tmp_path, exchanged, told, afterwards)


def test_an_exchange_the_disk_does_not_take_is_told_all_the_same(tmp_path, full):
    async def telling(house, desk):
        full(house, True)
        with pytest.raises(DatabaseFull):
            await house.service.papers.exchanged(swap())
        full(house, False)
        post = await desk.fetch()
        assert post.swap == swap()
        await desk.take(post)

    async def after_a_restart(house, desk):
        assert (await history(house)).swaps == (swap(),)
        assert not desk.announced

    story(tmp_path, telling, after_a_restart)


def test_an_answer_and_an_exchange_go_together(tmp_path):
    async def telling(house, desk):
        await desk.say(CALL)
        await desk.answer(BUY)
        await house.service.papers.exchanged(swap())
        post = await desk.fetch()
        assert (post.answer.wish, post.swap) == (BUY, swap())
        await desk.take(post)
        assert not desk.announced

    story(tmp_path, telling)


# --- a house's figures are its own (4.3) ------------------------------------------------------------


@pytest.mark.parametrize(
    "paper", [{"bill": bill(-90_000, house="A")}, {"adjustment": adjustment(account="A")}]
)
def test_what_is_another_houses_is_never_kept_and_ends_the_link(tmp_path, paper):
    async def telling(house, desk):
        heard, wire = [], CentralConnection()

        async def careless_central(reader, writer):
            while data := await reader.read(4096):
                for message in wire.receive_data(data):
                    heard.append(message)
                    if isinstance(message, Hello):
                        writer.write(wire.send(welcome()))
                        writer.write(frame(encode_body(Deliver(request_id=1, **paper))))
            writer.close()

        server = await asyncio.start_server(careless_central, "127.0.0.1", 0)
        link = Link(server.sockets[0].getsockname(), house.service, house.clock)
        house.service.send = link.send
        linking = asyncio.create_task(link.run())
        async with asyncio.timeout(5):
            while len(heard) < 2 or desk.shown.central is CentralState.LINKED:
                await asyncio.sleep(0.001)
        linking.cancel()
        server.close()
        assert [type(message) for message in heard] == [Hello, ErrorMessage]
        assert heard[1].code == WireCode.WRONG_HOUSE
        assert (desk.shown.bill, (await history(house)).bills) == (None, ())

    async def after_a_restart(house, desk):
        await desk.deliver(bill=bill(-90_000))
        assert desk.shown.bill.bill.house == "B"
        assert desk.shown.bill.adjustments == ()

    story(tmp_path, telling, after_a_restart)
