"""Draws every screen of the central at work: `python -m tests.ui.at_work_pictures DIRECTORY`."""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import cast

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QLocale
from PySide6.QtWidgets import QApplication

from central_monitor.ui.bills import BillsPage, Place
from central_monitor.ui.main_window import AGREEMENT, BILLS, CONTRACTS, DETAIL, MAIN, SETTINGS
from microgrid.units import microcoins
from node.qt.dialog import FormDialog
from node.qt.shell import application, save_picture
from node.qt.theme import DARK, LIGHT
from tests.ui.central_at_work import (
    DEFAULTED,
    JUNE,
    KNOWN_DAY,
    NOW,
    CentralAtWork,
    central_at_work,
    make_database,
)
from tests.unit.central.parts import sample, tariff

SIZES = ((1280, 800), (1920, 1080))
POWERS_W = {"A": -1200, "B": 1500, "C": -1400}


def wait(app: QApplication, condition: Callable[[], object], most_s: float = 30) -> None:
    """Let the window run until this holds."""
    end = time.monotonic() + most_s
    while not condition():
        app.processEvents()
        time.sleep(0.002)
        if time.monotonic() > end:
            raise TimeoutError("the window does not come to it")


def settle_down(app: QApplication, seconds: float = 0.6) -> None:
    """Let answers that are on their way arrive."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        app.processEvents()
        time.sleep(0.002)


def make_busy(central: CentralAtWork) -> None:
    """Houses are linked, one has gone, one knocks; a reading and a tariff were corrected, a round is open."""
    operator = central.operator
    for house, power_w in POWERS_W.items():
        central.connect(house, sample(power_w))
    central.connect("E-42")
    proof = operator.proof("A", JUNE.start + KNOWN_DAY * 1440 + 5).result()
    assert proof.row is not None
    operator.correct("A", proof.minute, proof.row.import_ws - 36_000, 0, "M. Desk", "misread").result()
    old = tariff(valid_from=JUNE.start, valid_to=JUNE.stop, national=microcoins(480), feed_in=microcoins(4))
    operator.enter_tariff(old, "M. Desk", "misprint").result()
    operator.open_round("M. Desk").result()


def draw(app: QApplication, central: CentralAtWork, directory: Path) -> None:
    """Every screen, size and theme."""
    window = central.window

    def shoot(name: str) -> None:
        for theme in (LIGHT, DARK):
            window.set_theme(theme)
            for size in SIZES:
                window.resize(*size)
                settle_down(app, 0.15)
                save_picture(window, directory / f"{name}-{size[0]}-{theme}.png", size)

    for screen in (MAIN, AGREEMENT, CONTRACTS, SETTINGS):
        window.open_screen(screen)
        settle_down(app)
        shoot(screen)
    for house in "ABD":
        window.open_house(house)
        shoot(f"{DETAIL}-{house}")
    window.open_screen(BILLS)
    page = cast(BillsPage, window.screen_of(BILLS))
    wait(app, lambda: page.place is not None)
    shoot("bills-running")
    day, missing = KNOWN_DAY, JUNE.start + 12 * 1440 + 30
    page.month_choice.setCurrentIndex(page.month_choice.findData("2026-06"))
    page.month_choice.activated.emit(page.month_choice.currentIndex())
    wait(app, lambda: page.place == Place("2026-06"))
    shoot("bills-accounts")
    for name, place in {
        "bills-days": Place("2026-06", "B"),
        "bills-minutes": Place("2026-06", "B", day),
        "bills-proof": Place("2026-06", "B", day, DEFAULTED.start),
        "bills-proof-corrected": Place("2026-06", "A", day, JUNE.start + day * 1440 + 5),
        "bills-proof-missing": Place("2026-06", "A", 12, missing),
    }.items():
        page._go(place)
        wait(app, partial(lambda wanted: page.place == wanted, place))
        shoot(name)
    page.proof.correct_button.click()
    settle_down(app)
    for dialog in window.findChildren(FormDialog):
        if dialog.isVisible():
            dialog.send()
            settle_down(app)
            dialog.grab().save(str(directory / "correction.png"))
            dialog.reject()


def main(directory: Path) -> None:
    """Make a database and draw."""
    directory.mkdir(parents=True, exist_ok=True)
    QLocale.setDefault(QLocale(QLocale.Language.English, QLocale.Country.UnitedKingdom))
    app = application("pictures")
    with tempfile.TemporaryDirectory() as made, tempfile.TemporaryDirectory() as folder:
        database = make_database(Path(made))
        with central_at_work(database, Path(folder), NOW) as central:
            make_busy(central)
            central.clock.leap(620)
            wait(app, lambda: (shown := central.window.snapshot_shown) is not None and shown.papers)
            settle_down(app, 3)
            central.do(central.houses["C"].close())
            settle_down(app, 2)
            draw(app, central, directory)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
