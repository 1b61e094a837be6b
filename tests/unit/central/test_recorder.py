"""The recorder: one commit for all houses, and no word to a house before it."""

import asyncio
import time

import pytest

from central_monitor.services.recorder import Recorder
from db.errors import DatabaseFull
from microgrid.minute import Origin
from microgrid.wire.messages import MAX_BATCH_MINUTES, Fetch, MinutesAcknowledged
from tests.unit.central.parts import NOON, FakeLink, order_row, row


class FakeStore:
    """Keeps what was committed; looks at the links to see who was told too early."""

    def __init__(self, links=()):
        self.commits = []
        self.fault = None
        self._links = links

    async def append(self, meter, orders, changes):
        await asyncio.sleep(0)
        assert not any(link.acknowledged for link in self._links)
        if self.fault is not None:
            raise self.fault
        self.commits.append((list(meter), list(orders)))


def house(name, *minutes, more=False, answers=True, **changes):
    link = FakeLink(name, answers)
    link.batch = [row(name, minute, 100, **changes) for minute in minutes]
    link.more = more
    return link


def recorder(*links):
    store = FakeStore(links)
    return Recorder({link.house: link for link in links}, store), store


async def collect(work, *houses, live_from=NOON, timeout_s=0.05):
    return await work.collect(houses, live_from, NOON + 10, timeout_s)


def test_minutes_of_several_houses_and_orders_go_into_one_commit_and_are_acknowledged_after_it():
    async def story():
        a, b = house("A", NOON, NOON + 1), house("B", NOON, revision=2)
        work, store = recorder(a, b)
        collected = await collect(work, "B", "A")
        assert a.asked == [Fetch(request_id=1, first_minute=0, limit=MAX_BATCH_MINUTES)]
        assert not a.acknowledged
        orders = [order_row("B", NOON)]
        await work.commit(collected, orders)
        ((meter, ordered),) = store.commits
        assert [(r.house, r.minute) for r in meter] == [("A", NOON), ("A", NOON + 1), ("B", NOON)]
        assert ordered == orders
        assert a.acknowledged == [MinutesAcknowledged(request_id=1, committed=((NOON, 0), (NOON + 1, 0)))]
        assert b.acknowledged == [MinutesAcknowledged(request_id=1, committed=((NOON, 2),))]

    asyncio.run(story())


def test_a_failed_commit_acknowledges_nothing_and_gives_the_batch_back():
    async def story():
        a, b = house("A", NOON), house("B", NOON)
        work, store = recorder(a, b)
        store.fault = DatabaseFull("There is no room left.")
        collected = await collect(work, "A", "B")
        with pytest.raises(DatabaseFull):
            await work.commit(collected, [])
        for link in (a, b):
            assert link.acknowledged == [MinutesAcknowledged(request_id=1, committed=())]

    asyncio.run(story())


def test_a_commit_that_is_cancelled_gives_the_batch_back_too():
    async def story():
        a = house("A", NOON)
        work, store = recorder(a)
        collected = await collect(work, "A")
        store.append = lambda *rows: asyncio.Event().wait()
        task = asyncio.create_task(work.commit(collected, []))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert a.acknowledged == [MinutesAcknowledged(request_id=1, committed=())]

    asyncio.run(story())


def test_how_a_minute_came_is_the_centrals_to_say():
    async def story():
        a = house("A", NOON - 1, NOON)
        a.batch.append(row("A", NOON - 2, origin=Origin.CORRECTED))
        work, _ = recorder(a)
        collected = await collect(work, "A")
        origins = {r.minute: r.origin for r in collected.meter}
        assert origins == {NOON - 1: Origin.LATE, NOON: Origin.LIVE, NOON - 2: Origin.LATE}

    asyncio.run(story())


def test_a_house_that_does_not_deliver_in_time_delays_nobody_and_its_batch_is_declined_when_it_comes():
    async def story():
        slow, quick = house("A", NOON, answers=False), house("B", NOON)
        work, store = recorder(slow, quick)
        begun = time.monotonic()
        collected = await collect(work, "A", "B", timeout_s=0.05)
        assert time.monotonic() - begun < 0.5
        assert [r.house for r in collected.meter] == ["B"]
        await work.commit(collected, [])
        assert slow.acknowledged == []
        slow.answer()
        await asyncio.sleep(0)
        # Until it is declined the house would wait for word of this batch.
        assert slow.acknowledged == [MinutesAcknowledged(request_id=1, committed=())]
        assert len(store.commits) == 1

    asyncio.run(story())


def test_a_late_answer_that_is_empty_an_error_or_cancelled_needs_no_word():
    async def story():
        links = [house(name, answers=False) for name in "ABC"]
        work, _ = recorder(*links)
        await collect(work, "A", "B", "C", timeout_s=0.001)
        links[0].answer()
        links[1].waiting[0][1].set_exception(ConnectionError("lost"))
        links[2].waiting[0][1].cancel()
        await asyncio.sleep(0)
        assert [link.acknowledged for link in links] == [[], [], []]

    asyncio.run(story())


def test_a_house_that_answers_with_an_error_is_left_out():
    async def story():
        bad, good = house("A", NOON, answers=False), house("B", NOON)
        work, _ = recorder(bad, good)
        task = asyncio.create_task(collect(work, "A", "B", timeout_s=5))
        await asyncio.sleep(0)
        bad.waiting.pop()[1].set_exception(RuntimeError("The journal is not available."))
        collected = await asyncio.wait_for(task, 1)
        assert [r.house for r in collected.meter] == ["B"]
        assert [name for name, _ in collected.owed] == ["B"]

    asyncio.run(story())


def test_who_has_more_is_named():
    async def story():
        a, b = house("A", NOON, more=True), house("B", NOON)
        empty = house("C", more=True)
        work, _ = recorder(a, b, empty)
        # A house without minutes has nothing more, whatever it says: it would be asked for ever.
        assert (await collect(work, "A", "B", "C")).more == ["A"]

    asyncio.run(story())


def test_minutes_that_have_not_ended_by_the_centrals_clock_stay_with_the_house():
    async def story():
        a, b = house("A", NOON + 8, NOON + 9, NOON + 10, more=True), house("B", NOON + 10, more=True)
        work, _ = recorder(a, b)
        collected = await collect(work, "A", "B")
        assert [(r.house, r.minute) for r in collected.meter] == [("A", NOON + 8), ("A", NOON + 9)]
        # Who had nothing else is not asked again at once: that would never end.
        assert collected.more == ["A"]
        await work.commit(collected, [])
        assert a.acknowledged[0].committed == ((NOON + 8, 0), (NOON + 9, 0))
        assert b.acknowledged[0].committed == ()

    asyncio.run(story())


def test_houses_that_are_not_linked_are_not_asked():
    async def story():
        work, store = recorder()
        collected = await collect(work, "A", timeout_s=60)
        await work.commit(collected, [])
        assert store.commits == []

    asyncio.run(story())


def test_orders_are_committed_though_no_house_delivered():
    async def story():
        work, store = recorder(house("A"))
        await work.commit(await collect(work, "A"), [order_row("B", NOON)])
        assert store.commits == [([], [order_row("B", NOON)])]

    asyncio.run(story())


def test_a_house_that_left_meanwhile_is_committed_and_fetched_again_by_its_next_link():
    async def story():
        a = house("A", NOON)
        links = {"A": a}
        store = FakeStore()
        work = Recorder(links, store)
        collected = await work.collect(["A"], NOON, NOON + 1, 0.05)
        links.clear()
        await work.commit(collected, [])
        assert len(store.commits) == 1
        assert a.acknowledged == []

    asyncio.run(story())
