"""Runs the household's window, or draws it into a picture."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from PySide6.QtCore import QSettings

from house_client.household import Household
from house_client.snapshot import HouseSnapshot
from house_client.ui.main_window import HOME, HouseWindow
from node.qt.bridge import SnapshotBridge
from node.qt.shell import ORGANISATION, application, draw_in_memory, quit_on_signals, save_picture
from node.qt.theme import LIGHT

APPLICATION = "House client"
SMALL_KIOSK = (800, 480)

# Starts whatever makes snapshots, given the function that publishes them from any thread, and hands out
# the side by which the window answers; leaving the context stops it and returns only when it publishes
# no more.
Source = Callable[[Callable[[HouseSnapshot], None]], AbstractContextManager[Household | None]]


def run_window(source: Source, settings: QSettings | None = None, *, kiosk: bool = True) -> int:
    """Show the window until it is closed or the process is told to end; returns the exit code.

    `kiosk` fills the screen with it.
    """
    app = application(APPLICATION)
    kept = settings if settings is not None else QSettings(ORGANISATION, APPLICATION)
    bridge = SnapshotBridge()
    timer = quit_on_signals(app)
    with source(bridge.publish) as household:
        window = HouseWindow(kept, household)
        bridge.arrived.connect(window.show_snapshot)
        if kiosk:
            window.showFullScreen()
        else:
            window.show()
        code = app.exec()
    timer.stop()
    window.close()
    return code


@contextmanager
def beside() -> Iterator[Callable[[HouseSnapshot], None]]:
    """Show a house's window beside another program's, in the application that runs already.

    Gives the function that publishes its snapshots from any thread.
    """
    window = HouseWindow(QSettings(ORGANISATION, APPLICATION))
    bridge = SnapshotBridge()
    bridge.arrived.connect(window.show_snapshot)
    window.resize(*SMALL_KIOSK)
    corner = window.screen().availableGeometry().bottomRight()
    window.move(corner.x() - SMALL_KIOSK[0], corner.y() - SMALL_KIOSK[1])
    window.show()
    try:
        yield bridge.publish
    finally:
        window.close()


def render(
    snapshot: HouseSnapshot,
    path: Path,
    size: tuple[int, int] = (1024, 600),
    *,
    theme: str = LIGHT,
    page: int = HOME,
) -> None:
    """Draw the window with this snapshot, and this page, into a PNG file, without a screen.

    OSError if the file cannot be written.
    """
    draw_in_memory()
    app = application(APPLICATION)  # must outlive the window
    window = HouseWindow(QSettings(str(path.with_suffix(".none")), QSettings.Format.IniFormat))
    window.set_theme(theme)
    window.resize(*size)
    window.show_snapshot(snapshot)
    window.pages.choose(page)
    save_picture(window, path, size)
    window.deleteLater()
    app.processEvents()
