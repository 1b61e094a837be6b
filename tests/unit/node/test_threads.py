"""The loop beside a window, and the one thread that owns a database connection."""

import asyncio
import threading
import time

import pytest

from node.loop_thread import LoopThread
from node.worker import Worker


def names():
    return {thread.name for thread in threading.enumerate()}


def test_a_loop_thread_runs_work_and_hands_back_results_and_faults():
    async def works():
        return threading.current_thread().name

    async def fails():
        raise ValueError("no")

    thread = LoopThread("loop under test")
    try:
        assert thread.submit(works()).result(5) == "loop under test"
        with pytest.raises(ValueError, match="no"):
            thread.submit(fails()).result(5)
    finally:
        thread.stop()
    assert "loop under test" not in names()


def test_stop_cancels_what_is_running_and_lets_it_clean_up():
    cleaned = []

    async def works():
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.01)
            cleaned.append(True)

    thread = LoopThread("loop under test")
    future = thread.submit(works())
    thread.submit(asyncio.sleep(0)).result(5)
    thread.stop()
    assert future.cancelled()
    assert cleaned == [True]


def test_stop_waits_for_what_was_handed_to_other_threads_and_ends_these():
    before, done = set(threading.enumerate()), []

    def slow():
        time.sleep(0.05)
        done.append(True)

    async def hands_on():
        asyncio.get_running_loop().run_in_executor(None, slow)

    thread = LoopThread("loop under test")
    thread.submit(hands_on()).result(5)
    thread.stop()
    assert done == [True]
    assert set(threading.enumerate()) == before


def test_a_forgotten_stop_is_noticed_because_the_thread_is_no_daemon():
    thread = LoopThread("loop under test")
    try:
        found = next(t for t in threading.enumerate() if t.name == "loop under test")
        assert not found.daemon
    finally:
        thread.stop()


def test_a_worker_does_its_jobs_in_order_and_in_one_thread():
    async def story(worker):
        done, threads = [], set()

        def job(number):
            time.sleep(0.01 * (5 - number))
            threads.add(threading.get_ident())
            done.append(number)
            return number * 10

        results = await asyncio.gather(*(worker.submit(lambda n=n: job(n)) for n in range(5)))
        assert results == [0, 10, 20, 30, 40]
        assert done == [0, 1, 2, 3, 4]
        assert len(threads) == 1
        assert threading.get_ident() not in threads

    worker = Worker("worker under test")
    asyncio.run(story(worker))
    worker.close()


def test_a_worker_hands_back_faults_and_goes_on():
    worker = Worker("worker under test")
    with pytest.raises(ZeroDivisionError):
        worker.run(lambda: 1 // 0)
    assert worker.run(lambda: 5) == 5
    worker.close()


def test_close_finishes_what_was_submitted_and_ends_the_thread():
    done = []

    async def story(worker):
        waiting = [asyncio.ensure_future(worker.submit(lambda n=n: done.append(n))) for n in range(20)]
        await asyncio.sleep(0)
        worker.close()
        await asyncio.gather(*waiting)

    worker = Worker("worker under test")
    worker.run(lambda: time.sleep(0.01))
    asyncio.run(story(worker))
    assert done == list(range(20))
    assert not any(name.startswith("worker under test") for name in names())
    with pytest.raises(RuntimeError):
        worker.run(lambda: None)


def test_who_asks_a_stopped_loop_gets_a_cancelled_future():
    thread = LoopThread("loop under test")
    thread.stop()

    async def never() -> None:
        raise AssertionError

    assert thread.submit(never()).cancelled()
