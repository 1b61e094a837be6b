"""The installer's settings by keyboard alone, each answer and each refusal."""

from concurrent.futures import Future
from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QComboBox, QLineEdit, QPushButton

from house_client.household import Refused
from house_client.snapshot import CentralState, MeterState
from house_client.ui import setup_page
from house_client.ui.setup_page import SetupPage
from node.qt.theme import DARK, LIGHT, load_theme
from tests.ui.images import picture, saturation
from tests.ui.installer import InstallersHousehold
from tests.ui.sample_snapshots import make_kiosk

SIZES = [((1024, 390), 1.0), ((800, 280), 0.78)]


@pytest.fixture
def household():
    return InstallersHousehold()


@pytest.fixture
def page(qtbot, household):
    made = SetupPage(household)
    qtbot.addWidget(made)
    made.setStyleSheet(load_theme(LIGHT).style_sheet())
    made.set_theme(load_theme(LIGHT))
    made.set_scale(1.0)
    made.resize(1024, 390)
    made.show_snapshot(make_kiosk())
    made.show()
    made.activateWindow()
    qtbot.waitUntil(made.isActiveWindow)
    return made


def press(qtbot, key, modifier=Qt.KeyboardModifier.NoModifier):
    """A key to whatever has the focus."""
    focused = QApplication.focusWidget()
    assert focused is not None
    qtbot.keyClick(focused, key, modifier)


def alt(qtbot, page, letter):
    page.house.setFocus()
    press(qtbot, getattr(Qt.Key, f"Key_{letter}"), Qt.KeyboardModifier.AltModifier)


def push(qtbot, page, letter):
    """Press the button of this mnemonic; Qt lets go of it a moment later."""
    button = next(b for b in page.findChildren(QPushButton) if f"&{letter}".lower() in b.text().lower())
    with qtbot.waitSignal(button.clicked):
        alt(qtbot, page, letter)


def type_over(qtbot, page, letter, text):
    """Go to a field by its mnemonic and type this in place of what stands there."""
    alt(qtbot, page, letter)
    focused = QApplication.focusWidget()
    assert isinstance(focused, QLineEdit)
    focused.selectAll()
    qtbot.keyClicks(focused, text)


def test_it_shows_what_is_set_and_what_is_connected(page):
    assert page.house.value() == "B"
    assert page.port.value() == "/dev/ttyUSB0"
    assert page.central.value() == "192.168.1.1:47474"
    assert page.port_answer.text.startswith("Meter heard")
    assert page.central_answer.text == "Linked to the central"
    lost = replace(make_kiosk(), central=CentralState.REFUSED, central_detail="House B is not known here.")
    page.show_snapshot(replace(lost, meter=MeterState.SILENT, meter_detail="nothing heard"))
    assert page.port_answer.text == "Meter silent: nothing heard"
    assert "House B is not known here." in page.central_answer.text


def test_the_meter_is_tested_by_keyboard(page, household, qtbot):
    household.answers["test_port"] = "A meter answers at /dev/ttyUSB0: firmware 1.0, 231 V, 50.0 Hz."
    push(qtbot, page, "L")
    qtbot.waitUntil(lambda: page.port_answer.text.startswith("A meter answers"))
    assert not page.port_answer.is_fault
    assert household.calls == [("test_port", "/dev/ttyUSB0")]
    page.show_snapshot(make_kiosk())  # a second later: the answer is still being read
    assert page.port_answer.text.startswith("A meter answers")


def test_while_it_listens_it_says_so(page, household, qtbot):
    waiting: Future[Any] = Future()
    household.answers["test_port"] = waiting
    push(qtbot, page, "L")
    assert page.port_answer.text == "Listening for a few seconds …"
    waiting.set_exception(Refused("Port /dev/ttyUSB0 is in use by another program."))
    qtbot.waitUntil(lambda: page.port_answer.is_fault)
    assert page.port_answer.text == "Port /dev/ttyUSB0 is in use by another program."


def test_an_answer_about_another_port_is_not_shown(page, household, qtbot):
    waiting: Future[Any] = Future()
    household.answers["test_port"] = waiting
    household.listed = (*household.listed, ("/dev/ttyUSB1", "FTDI (ttyUSB1)"))
    page.refresh()
    push(qtbot, page, "L")
    alt(qtbot, page, "P")
    press(qtbot, Qt.Key.Key_Down)
    assert page.port.value() == "/dev/ttyUSB1"
    waiting.set_result("A meter answers at /dev/ttyUSB0.")
    QApplication.processEvents()
    QApplication.processEvents()
    assert page.port_answer.text.startswith("Meter heard")


def test_no_port_to_listen_on(page, household, qtbot):
    alt(qtbot, page, "P")
    press(qtbot, Qt.Key.Key_Home)
    assert page.port.value() is None
    push(qtbot, page, "L")
    assert page.port_answer.is_fault
    assert page.port_answer.text.startswith("Choose the port first")
    assert household.calls == []


def test_the_list_of_ports_renews_itself_and_keeps_what_is_chosen(page, household, qtbot, monkeypatch):
    page.hide()
    monkeypatch.setattr(setup_page, "PORTS_EVERY_MS", 20)
    page._timer.setInterval(20)
    page.show()
    box = page.port.findChild(QComboBox)
    household.listed = ()
    qtbot.waitUntil(lambda: "not there now" in box.currentText())
    assert page.port.value() == "/dev/ttyUSB0"
    household.listed = (("/dev/ttyACM0", "Arduino Uno (ttyACM0)"), ("/dev/ttyUSB0", "FTDI (ttyUSB0)"))
    qtbot.waitUntil(lambda: box.currentText() == "FTDI (ttyUSB0)")
    assert [box.itemText(n) for n in range(box.count())][1] == "Arduino Uno (ttyACM0)"


# --- a Modbus meter ---------------------------------------------------------------------------------

TCP = "modbus-tcp://192.168.1.50?unit=1&generator=2"


def choose_modbus(qtbot, page):
    alt(qtbot, page, "P")
    press(qtbot, Qt.Key.Key_End)


def test_its_address_is_typed_tested_and_kept(page, household, qtbot):
    assert not page.modbus.isVisible()
    choose_modbus(qtbot, page)
    assert page.modbus.isVisible()
    type_over(qtbot, page, "U", f" {TCP} ")
    household.answers["test_port"] = "A meter answers."
    push(qtbot, page, "L")
    qtbot.waitUntil(lambda: page.port_answer.text == "A meter answers.")
    push(qtbot, page, "N")
    qtbot.waitUntil(lambda: page.told.text.startswith("Kept."))
    assert household.calls[0] == ("test_port", TCP)
    assert household.kept.meter == TCP
    page.refresh()
    assert (page.modbus.value(), page.modbus.isVisible()) == (TCP, True)
    alt(qtbot, page, "P")
    press(qtbot, Qt.Key.Key_Home)
    assert not page.modbus.isVisible()
    push(qtbot, page, "N")
    qtbot.waitUntil(lambda: household.kept.meter is None)


def test_on_a_small_screen_a_fault_is_scrolled_to_with_all_that_is_said_of_it(page, qtbot):
    page.resize(800, 280)
    page.set_scale(0.78)
    choose_modbus(qtbot, page)
    page.modbus.set_value("modbus-tcp://192.168.1.50?unit=300")
    before = page.modbus.height()
    push(qtbot, page, "N")
    viewport = page._scroll.viewport()
    qtbot.waitUntil(lambda: page.modbus.height() > before)
    QApplication.processEvents()
    bottom = page.modbus.mapTo(viewport, page.modbus.rect().bottomLeft()).y()
    assert bottom < viewport.height()


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "Write the meter's address like modbus-tcp://192.168.1.50?unit=1 or"),
        ("/dev/ttyUSB0", "Write the meter's address like"),
        ("modbus-tcp://host?unit=0", "its unit is not a number from 1 to 247. Write it like"),
    ],
)
def test_an_address_of_a_meter_that_is_none_is_said_at_its_field(page, household, qtbot, typed, words):
    choose_modbus(qtbot, page)
    page.modbus.set_value(typed)
    push(qtbot, page, "L")
    assert QApplication.focusWidget() is page.modbus.focusProxy()
    push(qtbot, page, "N")
    assert words in page.modbus.fault
    assert household.calls == []


def test_what_is_typed_stays_while_the_list_of_ports_renews_itself(page, household, qtbot):
    choose_modbus(qtbot, page)
    type_over(qtbot, page, "U", "modbus-")
    household.listed = ()
    page.refresh()
    assert (page.modbus.value(), page.modbus.isVisible()) == ("modbus-", True)


# --- the central --------------------------------------------------------------------------------------


def test_the_central_is_asked_with_what_is_typed(page, household, qtbot):
    household.answers["test_central"] = Refused("The central answers, but does not know house C.")
    type_over(qtbot, page, "I", "C")
    type_over(qtbot, page, "A", "central.local:9000")
    push(qtbot, page, "F")
    assert household.calls == [("test_central", "C", ("central.local", 9000))]
    qtbot.waitUntil(lambda: page.central_answer.is_fault)
    assert page.central_answer.text == "The central answers, but does not know house C."
    type_over(qtbot, page, "I", "B")
    assert page.central_answer.text == "Linked to the central"  # the answer was about another house


def test_connect_keeps_everything_that_was_typed(page, household, qtbot):
    type_over(qtbot, page, "I", "House-7")
    type_over(qtbot, page, "A", "10.0.0.2:47474")
    push(qtbot, page, "N")
    qtbot.waitUntil(lambda: page.told.text.startswith("Kept."))
    assert household.kept.house == "House-7"
    assert household.kept.central == ("10.0.0.2", 47474)
    assert (household.kept.meter, household.kept.data.name) == ("/dev/ttyUSB0", "data")
    type_over(qtbot, page, "I", "House-8")
    assert page.told.text == ""


def test_everything_is_reached_by_tab(page, qtbot):
    page.house.setFocus()
    seen = []
    for _ in range(7):
        focused = QApplication.focusWidget()
        seen.append(focused.text() if isinstance(focused, QPushButton) else type(focused).__name__)
        press(qtbot, Qt.Key.Key_Tab)
    assert seen == [
        "QLineEdit", "QLineEdit", "ListBox", "&Listen", "QLineEdit", "&Find it", "Co&nnect to central",
    ]  # fmt: skip


@pytest.mark.parametrize(("typed", "kept_w"), [("2.345", 2345), ("5", 5000), ("", None)])
def test_the_houses_own_limit_is_kept(page, household, qtbot, typed, kept_w):
    type_over(qtbot, page, "G", typed)
    push(qtbot, page, "N")
    qtbot.waitUntil(lambda: page.told.text.startswith("Kept."))
    assert household.kept.max_export_w == kept_w
    page.refresh()
    assert page.most.text() == (f"{kept_w / 1000:.3f}" if kept_w else "")


@pytest.mark.parametrize("typed", ["0", "-1", "5.001", "much", "2.3456"])
def test_a_limit_that_cannot_be_is_said_at_its_field(page, household, qtbot, typed):
    page.show_snapshot(replace(make_kiosk(), connection_w=5000))
    type_over(qtbot, page, "G", typed)
    push(qtbot, page, "N")
    assert page.most.fault
    assert household.calls == []
    assert page.most.text() == typed


def test_what_the_connection_carries_stands_beside_the_limit(page):
    assert page.most.limit_text == "empty: no limit"
    page.show_snapshot(replace(make_kiosk(), connection_w=5000))
    assert page.most.limit_text == "empty: 5.00\N{NO-BREAK SPACE}kW"


@pytest.mark.parametrize("typed", ["", "no spaces", "-x"])
def test_a_house_id_that_is_none_is_said_at_the_field(page, household, qtbot, typed):
    page.house.set_value(typed)
    for letter in ("F", "N"):
        push(qtbot, page, letter)
        assert page.house.fault.startswith("An ID has 1 to 32 letters")
    assert QApplication.focusWidget() is page.house.focusProxy()
    assert household.calls == []
    assert page.house.value() == typed.strip()


@pytest.mark.parametrize("typed", ["", "192.168.1.1", "host:", ":7000", "host:70000", "host:port"])
def test_an_address_that_is_none_is_said_at_the_field(page, household, qtbot, typed):
    type_over(qtbot, page, "A", typed or " ")
    push(qtbot, page, "N")
    assert page.central.fault.startswith("Write the address as HOST:PORT")
    assert QApplication.focusWidget() is page.central.focusProxy()
    assert household.calls == []


def test_what_cannot_be_kept_is_said_and_nothing_typed_is_lost(page, household, qtbot):
    household.answers["apply"] = Refused("The settings cannot be kept: the disk is full.")
    type_over(qtbot, page, "I", "C")
    push(qtbot, page, "N")
    qtbot.waitUntil(lambda: page.told.is_fault)
    assert page.told.text == "The settings cannot be kept: the disk is full."
    page.refresh()  # another page was looked at meanwhile
    assert page.house.value() == "C"


def test_a_kiosk_nobody_has_set_up_yet(qtbot):
    page = SetupPage(InstallersHousehold(house="", port=None))
    qtbot.addWidget(page)
    assert (page.house.value(), page.port.value(), page.central.value()) == ("", None, "")


@pytest.mark.parametrize(("size", "scale"), SIZES)
def test_targets_are_large_and_a_fault_is_in_view(page, qtbot, size, scale):
    page.set_scale(scale)
    page.resize(*size)
    page.port_answer.show_fault("Port /dev/ttyUSB0 is open, but no meter is heard on it. " * 2)
    page.house.set_value("no spaces")
    page.connect_button.click()
    qtbot.wait(1)
    picture(page)
    for target in (
        *page.findChildren(QPushButton),
        *page.findChildren(QLineEdit),
        *page.findChildren(QComboBox),
    ):
        assert target.height() >= 48, target
    assert page.house.fault
    field = page.house
    assert page.rect().contains(field.mapTo(page, field.rect().topLeft()))
    assert page.rect().contains(field.mapTo(page, field.rect().bottomLeft()))


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_no_colour_at_all(page, theme):
    page.setStyleSheet(load_theme(theme).style_sheet())
    page.set_theme(load_theme(theme))
    page.central_answer.show_fault("Nobody answers.")
    assert saturation(picture(page)).max() < 0.05
