"""Knows when nobody has touched a window for a while."""

from PySide6.QtCore import QEvent, QObject, QTimer, Signal
from PySide6.QtWidgets import QWidget

_INPUT = (
    QEvent.Type.MouseButtonPress,
    QEvent.Type.MouseButtonRelease,
    QEvent.Type.TouchBegin,
    QEvent.Type.TouchEnd,
    QEvent.Type.KeyPress,
    QEvent.Type.Wheel,
)


class IdleWatch(QObject):
    """Watches windows for touch, mouse and keys.

    Signals:
        touched: somebody is there.
        idle: nobody has been for `after_ms`; once, until somebody is there again.
    """

    touched = Signal()
    idle = Signal()

    def __init__(self, after_ms: int, parent: QObject) -> None:
        super().__init__(parent)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(after_ms)
        self._timer.timeout.connect(self.idle)
        self._timer.start()

    @property
    def is_idle(self) -> bool:
        """Whether nobody is there."""
        return not self._timer.isActive()

    def watch(self, window: QWidget) -> None:
        """Count what is done in this top-level window; it must have been shown."""
        handle = window.windowHandle()
        if handle is not None:
            handle.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in _INPUT:
            self._timer.start()
            self.touched.emit()
        return False
