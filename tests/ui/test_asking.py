"""Answers of futures reach the screens in their own thread, and only those that are still there."""

import gc
import weakref
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event, current_thread

import pytest
from PySide6.QtCore import SIGNAL, QObject
from PySide6.QtWidgets import QWidget
from shiboken6 import delete

from node.qt.asking import ask


class Ear:
    """Hears what is called, and in which thread."""

    def __init__(self):
        self.results, self.faults, self.threads = [], [], []

    def result(self, value):
        self.results.append(value)
        self.threads.append(current_thread())

    def fault(self, error):
        self.faults.append(error)
        self.threads.append(current_thread())


def pending() -> "Future[object]":
    """A future nobody has answered yet."""
    return Future()


@pytest.fixture
def ear():
    return Ear()


def test_a_result_of_another_thread_arrives_in_the_thread_of_the_screens(qtbot, ear):
    owner, go = QObject(), Event()
    with ThreadPoolExecutor(1) as pool:
        ask(owner, pool.submit(lambda: go.wait(10) and 42), ear.result, ear.fault)
        assert ear.results == []
        go.set()
        qtbot.waitUntil(lambda: ear.results == [42])
    assert ear.threads == [current_thread()]
    assert ear.faults == []


def test_a_fault_arrives_as_it_was_raised(qtbot, ear):
    owner, future = QObject(), pending()
    refused = RuntimeError("House B has left.")
    future.set_exception(refused)
    ask(owner, future, ear.result, ear.fault)
    qtbot.waitUntil(lambda: ear.faults == [refused])
    assert ear.results == []


def test_an_answer_that_is_there_already_still_waits_for_its_turn(qtbot, ear):
    owner, future = QObject(), pending()
    future.set_result("now")
    ask(owner, future, ear.result, ear.fault)
    assert ear.results == []
    qtbot.waitUntil(lambda: ear.results == ["now"])


def test_answers_come_in_the_order_they_were_given(qtbot, ear):
    owner, futures = QObject(), [pending() for _ in range(50)]
    for future in futures:
        ask(owner, future, ear.result, ear.fault)
    for number, future in enumerate(futures):
        future.set_result(number)
    qtbot.waitUntil(lambda: len(ear.results) == 50)
    assert ear.results == list(range(50))


def test_nothing_is_said_to_an_owner_that_is_gone(qtbot, ear):
    gone, still = QWidget(), QObject()
    early, late, last = pending(), pending(), pending()
    ask(gone, early, ear.result, ear.fault)
    ask(gone, late, ear.result, ear.fault)
    ask(still, last, ear.result, ear.fault)
    early.set_result("on its way")
    delete(gone)
    late.set_exception(RuntimeError("too late"))
    last.set_result("last")
    qtbot.waitUntil(lambda: ear.results == ["last"])
    assert ear.faults == []


def test_what_was_to_be_called_is_let_go_with_the_owner(qtbot):
    owner, ear, future = QWidget(), Ear(), pending()
    heard = weakref.ref(ear)
    ask(owner, future, ear.result, ear.fault)
    del ear
    gc.collect()
    assert heard() is not None
    delete(owner)
    gc.collect()
    assert heard() is None
    future.set_result("nobody")


def test_a_cancelled_future_says_nothing(qtbot, ear):
    owner, cancelled, after = QObject(), pending(), pending()
    ask(owner, cancelled, ear.result, ear.fault)
    ask(owner, after, ear.result, ear.fault)
    cancelled.cancel()
    after.set_result("after")
    qtbot.waitUntil(lambda: ear.results == ["after"])
    assert ear.faults == []


def test_an_owner_that_asks_often_keeps_nothing_of_it(qtbot, ear):
    owner = QObject()
    receivers: list[int] = []
    for number in range(20):
        future = pending()
        ask(owner, future, ear.result, ear.fault)
        future.set_result(number)
        qtbot.waitUntil(lambda: len(ear.results) == len(receivers) + 1)
        receivers.append(owner.receivers(SIGNAL("destroyed()")))
    assert receivers[-1] == receivers[0]
