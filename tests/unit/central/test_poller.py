"""The poller: every house asked at once, and a dead one delays nobody."""

import asyncio
import time
from typing import Any

from central_monitor.services.poller import DEAD_AFTER_ROUNDS, Poller, Told
from microgrid.wire.messages import Poll
from tests.unit.central.parts import FakeLink, sample

NOW_MS = 1_780_000_000_000
TOLD = Told(rate=8_000_000, tariff=17_600_000, pool_w=1300, allotments={"A": 900})


class Street:
    """Houses on fake links, and what the poller heard of them."""

    def __init__(self, *links):
        self.links = {link.house: link for link in links}
        self.heard: list[Any] = []
        self.poller = Poller(self.links, lambda *answer: self.heard.append(answer))

    async def round(self, timeout_s=0.05, now_ms=NOW_MS):
        return await self.poller.round(now_ms, TOLD, timeout_s)


def test_a_poll_tells_time_prices_and_pool_and_brings_the_sample():
    async def story():
        link = FakeLink("A")
        link.live_sample, link.age_ms = sample(-700), 400
        street = Street(link)
        assert await street.round() == []
        (poll,) = link.asked
        assert poll == Poll(
            request_id=1,
            central_time_ms=NOW_MS,
            rate=8_000_000,
            tariff=17_600_000,
            pool_w=1300,
            allotment_w=900,
        )
        ((reply, at_ms, round_trip_ms),) = street.heard
        assert (reply.house, reply.sample, at_ms) == ("A", link.live_sample, NOW_MS - 400)
        assert 0 <= round_trip_ms < 1000

    asyncio.run(story())


def test_a_round_without_houses_is_over_at_once():
    assert asyncio.run(Street().round(timeout_s=60)) == []


def test_one_poll_at_a_time_is_outstanding_at_a_house():
    async def story():
        street = Street(FakeLink("A", answers=False))
        for _ in range(3):
            assert await street.round(0.001) == ["A"]
        link = street.links["A"]
        assert len(link.asked) == 1
        link.answer()
        await asyncio.sleep(0)
        assert len(street.heard) == 1
        await street.round(0.001)
        assert len(link.asked) == 2

    asyncio.run(story())


def test_a_dead_house_delays_nobody():
    async def story():
        dead, living = FakeLink("A", answers=False), [FakeLink(f"B{n}") for n in range(5)]
        street = Street(dead, *living)
        for rounds in range(1, 4):
            begun = time.monotonic()
            assert await street.round(0.05) == ["A"]
            assert time.monotonic() - begun < 0.5
            assert len(street.heard) == 5 * rounds

    asyncio.run(story())


def test_who_answers_is_heard_at_once_not_at_the_end_of_the_round():
    async def story():
        street = Street(FakeLink("A", answers=False), FakeLink("B"))
        turn = asyncio.create_task(street.round(30))
        for _ in range(5):
            await asyncio.sleep(0)
        assert [reply.house for reply, *_ in street.heard] == ["B"]
        assert not turn.done()
        street.links["A"].answer()
        assert await asyncio.wait_for(turn, 1) == []

    asyncio.run(story())


def test_a_late_answer_is_heard_with_the_time_it_was_asked_at():
    async def story():
        link = FakeLink("A", answers=False)
        street = Street(link)
        await street.round(0.001)
        await street.round(0.001, now_ms=NOW_MS + 1000)
        link.answer()
        await asyncio.sleep(0)
        assert street.heard[0][1] == NOW_MS

    asyncio.run(story())


def test_a_house_that_stays_silent_loses_its_link_and_one_answer_saves_it():
    async def story():
        link = FakeLink("A", answers=False)
        street = Street(link)
        for _ in range(DEAD_AFTER_ROUNDS):
            await street.round(0.001)
        assert link.closed == 0
        link.answer()
        await asyncio.sleep(0)
        for _ in range(DEAD_AFTER_ROUNDS):
            await street.round(0.001)
        assert link.closed == 0
        await street.round(0.001)
        assert link.closed == 1

    asyncio.run(story())


def test_a_lost_link_frees_the_house_for_its_next_one():
    async def story():
        street = Street(FakeLink("A", answers=False))
        await street.round(0.001)
        _, future = street.links["A"].waiting[0]
        future.set_exception(ConnectionError("lost"))
        await asyncio.sleep(0)
        street.links["A"] = FakeLink("A")
        assert await street.round() == []
        assert len(street.heard) == 1

    asyncio.run(story())


def test_an_answer_that_is_an_error_is_no_news_and_no_crash():
    async def story():
        refusing, living = FakeLink("A", answers=False), FakeLink("B")
        street = Street(refusing, living)
        turn = asyncio.create_task(street.round(5))
        await asyncio.sleep(0)
        refusing.waiting.pop()[1].set_exception(RuntimeError("The house answered with an error."))
        assert await asyncio.wait_for(turn, 1) == []
        assert [reply.house for reply, *_ in street.heard] == ["B"]

    asyncio.run(story())


def test_houses_that_leave_during_a_round_do_not_disturb_it():
    async def story():
        street = Street(FakeLink("A"), FakeLink("B"))
        make = street.links["A"].request

        def leave(request):
            street.links.pop("B", None)
            return make(request)

        street.links["A"].request = leave
        assert await street.round() == []

    asyncio.run(story())
