"""Pages of the central as the operator has them before them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from PySide6.QtWidgets import QMainWindow

from central_monitor.ui.bills import BillsPage
from central_monitor.ui.desk import DeskName
from central_monitor.ui.settings import SettingsPage
from node.qt.theme import LIGHT, load_theme
from tests.ui.fake_operator import FakeOperator
from tests.ui.keyboard import show_active
from tests.ui.sample_snapshots import ZONE, make_central

NAME = "M. Desk"  # of whoever sits there
PAGE_SIZE = (1264, 690)  # a page's place in the smallest window


def settings_page(qtbot, operator: FakeOperator, desk: DeskName) -> SettingsPage:
    """The settings, once their lists are there."""
    made = show_active(qtbot, SettingsPage(operator, desk), PAGE_SIZE)
    made.show_snapshot(make_central())
    made.refresh()
    qtbot.waitUntil(lambda: made.houses.table.keys != () and made.tariffs.table.keys != ())
    qtbot.wait(10)
    return made


def shows(page: Any, *, zone: str = ZONE, **changes: Any) -> None:
    """Let the page show the healthy micro-grid with these changes."""
    page.show_snapshot(replace(make_central(), zone=zone, **changes))


@contextmanager
def bills_page(qtbot, operator: Any) -> Iterator[BillsPage]:
    """The bills in a window of their own, with the list of months they were shown first.

    The operator need only answer the questions that the bills ask, as `SampleOperator` does.
    """
    window = QMainWindow()
    qtbot.addWidget(window)
    made = BillsPage(operator)
    window.setCentralWidget(made)
    theme = load_theme(LIGHT)
    window.setStyleSheet(theme.style_sheet())
    made.set_theme(theme)
    window.resize(1280, 730)
    window.show()
    window.activateWindow()
    made.refresh()
    qtbot.waitUntil(lambda: made.place is not None)
    yield made
    window.close()
