"""The two clocks: the machine's, and one that moves only when it is told to."""

import asyncio
import time

import pytest

from node.clock import SteppedClock, SystemClock


async def turns(count=3):
    for _ in range(count):
        await asyncio.sleep(0)


def test_the_system_clock_tells_unix_milliseconds_and_sleeps_in_real_time():
    clock = SystemClock()
    assert clock.now_ms() == pytest.approx(time.time() * 1000, abs=2000)
    begun = time.monotonic()
    asyncio.run(clock.sleep(0.02))
    assert time.monotonic() - begun >= 0.019


def test_a_stepped_clock_wakes_sleepers_as_it_passes_them_and_no_sooner():
    async def story():
        clock = SteppedClock(10_000)
        woken = []

        async def sleeper(name, delay_s):
            await clock.sleep(delay_s)
            woken.append((name, clock.now_ms()))

        tasks = [asyncio.create_task(sleeper(name, s)) for name, s in (("c", 3), ("a", 1), ("b", 1.5))]
        await turns()
        clock.step_to(10_999)
        await turns()
        assert woken == []
        clock.step_to(11_500)
        await turns()
        assert woken == [("a", 11_500), ("b", 11_500)]
        clock.step_to(60_000)
        await asyncio.gather(*tasks)
        assert woken[2:] == [("c", 60_000)]

    asyncio.run(story())


def test_a_stepped_clock_never_goes_back():
    clock = SteppedClock(5_000)
    clock.step_to(4_000)
    assert clock.now_ms() == 5_000


def test_no_delay_does_not_wait_for_a_step():
    async def story():
        clock = SteppedClock()
        await asyncio.wait_for(clock.sleep(0), 1)
        await asyncio.wait_for(clock.sleep(-1), 1)

    asyncio.run(story())


def test_a_cancelled_sleeper_does_not_disturb_the_step():
    async def story():
        clock = SteppedClock()
        gone = asyncio.create_task(clock.sleep(1))
        stays = asyncio.create_task(clock.sleep(1))
        await turns()
        gone.cancel()
        await turns()
        clock.step_to(1_000)
        await asyncio.wait_for(stays, 1)
        assert gone.cancelled()

    asyncio.run(story())
