"""The bridge: the latest snapshot, in the thread of the screen, at most one waiting."""

import threading

from PySide6.QtCore import QThread
from PySide6.QtWidgets import QApplication

from node.qt.bridge import SnapshotBridge


def test_latest_wins_and_at_most_one_waits(qtbot):
    bridge = SnapshotBridge()
    seen: list[object] = []
    bridge.arrived.connect(lambda snapshot: seen.append((snapshot, QThread.currentThread())))

    def publish_many():
        for number in range(1000):
            bridge.publish(number)

    thread = threading.Thread(target=publish_many)
    thread.start()
    thread.join()
    assert seen == [], "delivered outside the event loop"
    QApplication.processEvents()
    assert seen == [(999, QApplication.instance().thread())]
    QApplication.processEvents()
    assert len(seen) == 1


def test_every_later_snapshot_still_arrives(qtbot):
    bridge = SnapshotBridge()
    seen: list[object] = []
    bridge.arrived.connect(seen.append)
    for number in range(3):
        bridge.publish(number)
        QApplication.processEvents()
    assert seen == [0, 1, 2]


def test_a_snapshot_published_while_one_is_shown_is_not_lost(qtbot):
    bridge = SnapshotBridge()
    seen: list[object] = []

    def show(snapshot):
        seen.append(snapshot)
        if snapshot == "first":
            bridge.publish("second")

    bridge.arrived.connect(show)
    bridge.publish("first")
    qtbot.waitUntil(lambda: seen == ["first", "second"], timeout=1000)
