"""Draws the kiosk's pages and dialogs in every state: `python -m tests.ui.house_pictures DIRECTORY`."""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication, QWidget

from house_client.household import AgreedContract
from house_client.snapshot import HouseSnapshot
from house_client.ui.commissioning_page import CommissioningPage
from house_client.ui.contract_dialogs import ConsumerDialog, ProducerDialog, RoleDialog
from house_client.ui.exchange_dialogs import BeginDialog
from house_client.ui.main_window import BILL, CONTRACT, HOME, METER, SETUP, HouseWindow
from house_client.ui.setup_page import SetupPage
from microgrid.agreements import Basis
from node.qt.shell import application, draw_in_memory
from node.qt.theme import DARK, LIGHT
from simulation.wiring import RIGHT, Wiring
from tests.ui.fake_household import FakeHousehold
from tests.ui.installer import NEW, UNDER_WAY, stretch
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


def tested(window: HouseWindow) -> QWidget | None:
    """The installer's settings with what the tests said."""
    page = window.setup.pages[0]
    assert isinstance(page, SetupPage)
    page.port_answer.show_answer("A meter answers at /dev/ttyUSB0: firmware 1.0.4, 231 V, 50.0 Hz.")
    page.central_answer.show_fault(
        "The central at 192.168.1.1:47474 answers, but does not know house B; check the house ID, or ask the"
        " operator to enter the house."
    )
    page.told.show_answer("Kept. The house connects by itself from now on, also after a power cut.")
    return window


def mistyped(window: HouseWindow) -> QWidget | None:
    """The installer's settings with what cannot be."""
    page = window.setup.pages[0]
    assert isinstance(page, SetupPage)
    page.house.set_value("two words")
    page.central.set_value("192.168.1.1")
    page.most.set_value(7.5)
    page.port_answer.show_fault(
        "Port /dev/ttyUSB0 is open, but no meter is heard on it. See that the meter has power and its cable"
        " is in, or choose another port."
    )
    page.connect_button.click()
    return window


def modbus(window: HouseWindow) -> QWidget | None:
    """A meter whose address is typed, and does not answer."""
    page = window.setup.pages[0]
    assert isinstance(page, SetupPage)
    page.port.set_value("modbus")
    page.modbus.set_value("modbus-tcp://192.168.1.50?unit=3&generator=4")
    page.port_answer.show_fault(
        "Unit 3 at 192.168.1.50:502 does not answer; see that the meter has power and is set to this unit"
        " number, and, behind a gateway, that its two wires are not swapped."
    )
    return window


def modbus_mistyped(window: HouseWindow) -> QWidget | None:
    """A meter's address that is none."""
    page = window.setup.pages[0]
    assert isinstance(page, SetupPage)
    page.port.set_value("modbus")
    page.modbus.set_value("modbus-tcp://192.168.1.50?unit=300")
    page.connect_button.click()
    return window


def commissioning(window: HouseWindow, wiring: Wiring = RIGHT) -> CommissioningPage:
    """The meter's wiring."""
    window.setup.choose(1)
    for snapshot in stretch(wiring):
        window.show_snapshot(snapshot)
    page = window.setup.pages[1]
    assert isinstance(page, CommissioningPage)
    return page


def wired_wrong(window: HouseWindow) -> QWidget | None:
    """A transformer the wrong way round."""
    commissioning(window, Wiring(reversed=(False, True, False)))
    return window


def wired_right(window: HouseWindow) -> QWidget | None:
    """All well, and the sheet saved."""
    page = commissioning(window)
    page._tell("Saved as /home/kiosk/Documents/commissioning-B.pdf")
    return window


def beginning(window: HouseWindow) -> QWidget | None:
    """Who exchanges the meter, not said yet."""
    page = commissioning(window)
    page.exchange.click()
    assert isinstance(page.dialog, BeginDialog)
    page.dialog.send()
    return page.dialog


def exchanging(window: HouseWindow) -> QWidget | None:
    """The new meter is heard, and looks like the old one."""
    page = commissioning(window)
    swap = replace(UNDER_WAY, new=NEW, new_meter="1.0.4, start 9", like_old=True)
    window.show_snapshot(replace(make_seller(), swap=swap))
    page.exchange.click()
    return page.dialog


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
    ("set-up-tested", SELLER, SETUP, tested),
    ("set-up-mistyped", SELLER, SETUP, mistyped),
    ("set-up-modbus", SELLER, SETUP, modbus),
    ("set-up-modbus-mistyped", SELLER, SETUP, modbus_mistyped),
    ("commissioning-wrong", SELLER, SETUP, wired_wrong),
    ("commissioning-right", SELLER, SETUP, wired_right),
    ("exchange-begin", SELLER, SETUP, beginning),
    ("exchange", SELLER, SETUP, exchanging),
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
