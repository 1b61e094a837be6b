"""Runs the operator's window, or draws it into a picture."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from pathlib import Path

from PySide6.QtCore import QSettings
from PySide6.QtTest import QTest

from central_monitor.operator import Operator
from central_monitor.snapshot import CentralSnapshot
from central_monitor.ui.main_window import MAIN, CentralWindow
from node.qt.bridge import SnapshotBridge
from node.qt.shell import ORGANISATION, application, draw_in_memory, quit_on_signals, save_picture
from node.qt.theme import LIGHT

ANSWERS_MS = 1000  # in which what a screen asks is answered, for a picture
APPLICATION = "Central Power Monitor"

# Starts whatever makes snapshots, given the function that publishes them from any thread, and hands out
# the side by which the window asks and orders; leaving the context stops it and returns only when it
# publishes no more.
Source = Callable[[Callable[[CentralSnapshot], None]], AbstractContextManager[Operator | None]]


def run_window(source: Source, settings: QSettings | None = None) -> int:
    """Show the window until it is closed or the process is told to end; returns the exit code.

    Without an operator's side only the live screens are offered.
    """
    app = application(APPLICATION)
    kept = settings if settings is not None else QSettings(ORGANISATION, APPLICATION)
    bridge = SnapshotBridge()
    timer = quit_on_signals(app)
    with source(bridge.publish) as operator:
        window = CentralWindow(kept, operator)
        bridge.arrived.connect(window.show_snapshot)
        window.show()
        code = app.exec()
    timer.stop()
    window.close()
    return code


def render(
    snapshot: CentralSnapshot,
    path: Path,
    size: tuple[int, int] = (1280, 800),
    *,
    theme: str = LIGHT,
    earlier: Iterable[CentralSnapshot] = (),
    screen: str = MAIN,
    house: str | None = None,
    operator: Operator | None = None,
) -> None:
    """Draw the window with this snapshot into a PNG file, without a screen.

    `earlier` snapshots fill the trends; `screen` is the key of the screen, `house` the one its detail shows.
    The operator's answers are waited for a while.
    OSError if the file cannot be written, KeyError if the screen is not offered.
    """
    draw_in_memory()
    app = application(APPLICATION)  # must outlive the window
    window = CentralWindow(QSettings(str(path.with_suffix(".none")), QSettings.Format.IniFormat), operator)
    window.set_theme(theme)
    window.resize(*size)
    if house is not None:
        window.detail.show_house(house)
    window.open_screen(screen)
    for each in (*earlier, snapshot):
        window.show_snapshot(each)
    if operator is not None:
        QTest.qWait(ANSWERS_MS)
    save_picture(window, path, size)
    window.deleteLater()
    app.processEvents()
