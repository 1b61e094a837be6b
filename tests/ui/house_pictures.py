"""Draws the kiosk's pages and dialogs in every state: `python -m tests.ui.house_pictures DIRECTORY`."""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication, QWidget

from house_client.household import AgreedContract
from house_client.snapshot import HouseSnapshot
from house_client.ui.contract_dialogs import ConsumerDialog, ProducerDialog, RoleDialog
from house_client.ui.main_window import BILL, CONTRACT, HOME, METER, SETUP, HouseWindow
from microgrid.agreements import Basis
from node.qt.shell import application, draw_in_memory
from node.qt.theme import DARK, LIGHT
from tests.ui.fake_household import FakeHousehold
from tests.ui.sample_house import (
    NOVEMBER,
    STATES,
    buyer_contract,
    make_adjustment,
    make_bill,
    make_buyer,
    make_call,
    make_seller,
    received,
    seller_contract,
)

SIZES = ((1024, 600), (800, 480))
KEPT = (
    AgreedContract("2024-12", Basis.ANSWERED, seller_contract()),
    AgreedContract("2024-11", Basis.CARRIED_OVER, buyer_contract(NOVEMBER)),
    AgreedContract("2024-10", Basis.NO_ANSWER, None),
)
SELLER = replace(make_seller(), call=make_call(seller_contract()))
BUYER = replace(make_buyer(), call=make_call(buyer_contract()))
ADJUSTED = replace(make_seller(), bill=received(make_bill(), 0, (make_adjustment(),) * 4))


def role(window: HouseWindow) -> QWidget | None:
    """The first dialog of a contract."""
    window.creation.begin()
    return window.creation.dialog


def producer(window: HouseWindow) -> QWidget | None:
    """The second one of a producer."""
    dialog = role(window)
    assert isinstance(dialog, RoleDialog)
    dialog.producer.click()
    return window.creation.dialog


def faulty(window: HouseWindow) -> QWidget | None:
    """The same with wrong entries."""
    dialog = producer(window)
    assert isinstance(dialog, ProducerDialog)
    dialog.min_kw.set_value(9.0)
    dialog.price.set_value(25.0)
    dialog.send()
    return dialog


def summary(window: HouseWindow) -> QWidget | None:
    """The last one."""
    dialog = producer(window)
    assert isinstance(dialog, ProducerDialog)
    dialog.send()
    return window.creation.dialog


def consumer(window: HouseWindow) -> QWidget | None:
    """The second one of a consumer."""
    dialog = role(window)
    assert isinstance(dialog, RoleDialog)
    dialog.consumer.click()
    assert isinstance(window.creation.dialog, ConsumerDialog)
    return window.creation.dialog


def adjustments(window: HouseWindow) -> QWidget | None:
    """A bill's adjustments."""
    window.bill.adjustments.click()
    return window


DIALOGS: tuple[tuple[str, HouseSnapshot, int, Callable[[HouseWindow], QWidget | None]], ...] = (
    ("role", SELLER, HOME, role),
    ("producer", SELLER, HOME, producer),
    ("faulty", SELLER, HOME, faulty),
    ("summary", SELLER, HOME, summary),
    ("consumer", BUYER, HOME, consumer),
    ("adjustments", ADJUSTED, BILL, adjustments),
)


def draw_house(directory: Path) -> None:
    """Every page in every state, every dialog; both sizes, both themes."""
    draw_in_memory()
    application("House client")

    def draw(
        name: str,
        snapshot: HouseSnapshot,
        page: int,
        opened: Callable[[HouseWindow], QWidget | None] = lambda window: window,
    ) -> None:
        for size in SIZES:
            for theme in (LIGHT, DARK):
                path = directory / f"house-{name}-{size[0]}x{size[1]}-{theme}.png"
                kept = QSettings(str(path.with_suffix(".none")), QSettings.Format.IniFormat)
                window = HouseWindow(kept, FakeHousehold(contracts=KEPT))
                window.set_theme(theme)
                window.resize(*size)
                window.show()
                window.show_snapshot(snapshot)
                window.pages.choose(page)
                QApplication.processEvents()
                shown = opened(window)
                QApplication.processEvents()
                assert shown is not None
                shown.grab().save(str(path))
                window.hide()
                window.deleteLater()

    for name, snapshot in STATES.items():
        draw(f"home-{name}", snapshot, HOME)
        if snapshot.bill is not None:
            draw(f"bill-{name}", snapshot, BILL)
    draw("meter", STATES["seller"], METER)
    draw("contract", STATES["agreed"], CONTRACT)
    draw("contract-call", BUYER, CONTRACT)
    draw("set-up", STATES["seller"], SETUP)
    for dialog_name, shown_for, page, opened in DIALOGS:
        draw(dialog_name, shown_for, page, opened)


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    draw_house(target)
