"""What both programs' windows share: the application object, its end by signal, and pictures of a window."""

import os
import signal
import sys
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QWidget

from node.qt.text import ui_font

ORGANISATION = "P2P Micro-grid"


def application(name: str) -> QApplication:
    """The one QApplication, made if there is none yet, with the declared font and the program's name."""
    existing = QApplication.instance()
    app = existing if isinstance(existing, QApplication) else QApplication(sys.argv[:1])
    app.setOrganizationName(ORGANISATION)
    app.setApplicationName(name)
    app.setStyle("Fusion")
    app.setFont(ui_font(13))
    return app


def quit_on_signals(app: QApplication) -> QTimer:
    """Make SIGINT and SIGTERM end the event loop; keep the returned timer for as long as it runs.

    Python runs signal handlers only between its own instructions; the timer gives it some.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: app.exit(0))
    timer = QTimer()
    timer.timeout.connect(lambda: None)
    timer.start(200)
    return timer


def draw_in_memory() -> None:
    """Use no screen in this process, unless an application runs already or a platform was chosen."""
    if QGuiApplication.instance() is None:
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


def save_picture(window: QWidget, path: Path, size: tuple[int, int]) -> None:
    """Write the window, in this size, to a PNG file; OSError if the file cannot be written."""
    window.resize(*size)
    window.ensurePolished()
    QApplication.sendPostedEvents()  # lets texts that scale with the window find their places
    if not window.grab().save(str(path), "PNG"):
        raise OSError(f"the picture {path} could not be written")
