"""The one way from a working thread to the screen."""

import threading

from PySide6.QtCore import QObject, Qt, Signal, Slot


class SnapshotBridge(QObject):
    """Carries snapshots from any thread to the thread this object lives in; the latest wins.

    However fast snapshots are published, at most one delivery waits in the event queue, so a slow
    screen skips pictures instead of falling behind.

    Signals:
        arrived: the latest snapshot, in the thread of this object.
    """

    arrived = Signal(object)
    _wake = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lock = threading.Lock()
        self._latest: object = None
        self._pending = False
        self._wake.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    def publish(self, snapshot: object) -> None:
        """Take the snapshot for delivery in place of one still waiting; any thread, never blocks for long."""
        with self._lock:
            self._latest = snapshot
            if self._pending:
                return
            self._pending = True
        self._wake.emit()

    @Slot()
    def _deliver(self) -> None:
        with self._lock:
            snapshot, self._latest = self._latest, None
            self._pending = False
        self.arrived.emit(snapshot)
