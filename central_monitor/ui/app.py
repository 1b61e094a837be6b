"""Runs the operator's window, or draws it into a picture."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from pathlib import Path

from PySide6.QtCore import QSettings

from central_monitor.snapshot import CentralSnapshot
from central_monitor.ui.main_window import CentralWindow
from node.qt.bridge import SnapshotBridge
from node.qt.shell import ORGANISATION, application, draw_in_memory, quit_on_signals, save_picture
from node.qt.theme import LIGHT

APPLICATION = "Central Power Monitor"

# Starts whatever makes snapshots, given the function that publishes them from any thread; leaving the
# context stops it and returns only when it publishes no more.
Source = Callable[[Callable[[CentralSnapshot], None]], AbstractContextManager[object]]


def run_window(source: Source, settings: QSettings | None = None) -> int:
    """Show the window until it is closed or the process is told to end; returns the exit code."""
    app = application(APPLICATION)
    window = CentralWindow(settings if settings is not None else QSettings(ORGANISATION, APPLICATION))
    bridge = SnapshotBridge()
    bridge.arrived.connect(window.show_snapshot)
    timer = quit_on_signals(app)
    window.show()
    with source(bridge.publish):
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
) -> None:
    """Draw the window with this snapshot into a PNG file, without a screen.

    `earlier` snapshots fill the trends. OSError if the file cannot be written.
    """
    draw_in_memory()
    app = application(APPLICATION)  # must outlive the window
    window = CentralWindow(QSettings(str(path.with_suffix(".none")), QSettings.Format.IniFormat))
    window.set_theme(theme)
    window.resize(*size)
    for each in (*earlier, snapshot):
        window.show_snapshot(each)
    save_picture(window, path, size)
    window.deleteLater()
    app.processEvents()
