"""Draws the pages and dialogs of contracts and settings: `python -m tests.ui.settings_pictures DIRECTORY`."""

import os
import sys
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QLocale, QSettings
from PySide6.QtWidgets import QApplication, QWidget

from central_monitor.snapshot import CentralSnapshot, RoundView, Stranger
from central_monitor.ui.contracts import ContractsPage
from central_monitor.ui.correction import CorrectionDialog
from central_monitor.ui.desk import DeskName, OrderDialog
from central_monitor.ui.settings import SettingsPage
from node.qt.shell import application
from node.qt.theme import DARK, LIGHT, load_theme
from tests.ui.fake_operator import NEXT, FakeOperator, make_round
from tests.ui.sample_books import make_proof, missing_proof
from tests.ui.sample_snapshots import NOW_S, ZONE, lose, make_central

HOUSES = 40
SIZES = ((1280, 690), (1920, 970))  # what the window's head and foot leave


def busy_snapshot() -> CentralSnapshot:
    """An open round with refusals, a lost link and a house that knocks."""
    opened = make_round(NEXT, HOUSES, 30)
    refused = {
        "H031": "The solar price of 19 coins/kWh is above the national tariff of 17.6; a solar price may not"
        " exceed it."
    }
    view = RoundView(
        NEXT, opened.closes_s, tuple(entry.house for entry in opened.entries), opened.waiting, refused, False
    )
    strangers = (Stranger("E-42", NOW_S - 120),)
    return replace(lose(make_central(HOUSES), 33), round=view, strangers=strangers)


def draw(widget: QWidget, path: Path, theme: str, size: tuple[int, int] | None = None) -> None:
    """Write the widget as it is shown in this theme."""
    colours = load_theme(theme)
    widget.setPalette(colours.palette())
    widget.setStyleSheet(colours.style_sheet())
    widget.setAutoFillBackground(True)
    if hasattr(widget, "set_theme"):
        widget.set_theme(colours)
    if size is not None:
        widget.resize(*size)
    widget.show()
    for _ in range(6):
        QApplication.processEvents()
    widget.grab().save(str(path))


def draw_pages(directory: Path, desk: DeskName) -> None:
    """Both pages and every dialog they open, in both themes."""
    operator = FakeOperator(HOUSES)
    operator.rounds = (make_round(NEXT, HOUSES, 30), *operator.rounds)
    for theme in (LIGHT, DARK):
        for kind in (ContractsPage, SettingsPage):
            page = kind(operator, desk)
            page.show_snapshot(busy_snapshot())
            page.refresh()
            for size in SIZES:
                draw(page, directory / f"{kind.__name__}-{size[0]}-{theme}.png", theme, size)
            draw_dialogs(page, directory, theme)
            page.hide()


def draw_dialogs(page: ContractsPage | SettingsPage, directory: Path, theme: str) -> None:
    """Every dialog of a page: as it opens, and with what is wrong said."""
    if isinstance(page, ContractsPage):
        buttons = {"policy": page.policy_button, "ask": page.ask_button}
    else:
        houses = page.houses
        buttons = {"tariff": page.tariffs.new_button, "add": houses.add_button, "leave": houses.leave_button}
    for name, button in buttons.items():
        button.setEnabled(True)
        button.click()
        dialog = page.findChild(OrderDialog)
        assert dialog is not None
        draw(dialog, directory / f"{name}-{theme}.png", theme)
        dialog.send()
        dialog.set_fault("The bills of that time are out; let the house join later.")
        draw(dialog, directory / f"{name}-faults-{theme}.png", theme)
        dialog.reject()
        dialog.setParent(None)


def draw_corrections(directory: Path, desk: DeskName) -> None:
    """A corrected reading, and one of a minute that is missing."""
    for name, proof in (("reading", make_proof("B")), ("missing", missing_proof())):
        for theme in (LIGHT, DARK):
            dialog = CorrectionDialog(FakeOperator(), desk, proof, ZONE)
            draw(dialog, directory / f"correction-{name}-{theme}.png", theme)
            dialog.imported.set_value(1.5)
            dialog.send()
            draw(dialog, directory / f"correction-{name}-faults-{theme}.png", theme)


def main(directory: Path) -> None:
    """Draw everything."""
    directory.mkdir(parents=True, exist_ok=True)
    app = application("pictures")
    QLocale.setDefault(QLocale(QLocale.Language.English, QLocale.Country.UnitedKingdom))
    settings = QSettings(str(directory / "pictures.ini"), QSettings.Format.IniFormat)
    settings.clear()
    desk = DeskName(settings)
    draw_pages(directory, desk)
    draw_corrections(directory, desk)
    app.processEvents()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
