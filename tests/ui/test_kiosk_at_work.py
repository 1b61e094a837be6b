"""The kiosk on the real house program against a real central, by keyboard alone."""

import pytest
from msgspec.structs import replace
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit

import central_monitor.program as central_module
from house_client import link, meter_port, running
from house_client import setup as house_setup
from house_client.bootstrap import main
from house_client.household import HouseSettings
from house_client.meter_port import PortInfo
from house_client.settings_file import FILE_NAME, read_settings
from house_client.snapshot import CentralState, MeterState
from house_client.ui.bill_page import news_of
from house_client.ui.contract_dialogs import ConsumerDialog, ProducerDialog, RoleDialog, SummaryDialog
from house_client.ui.contract_words import CallState
from house_client.ui.exchange_dialogs import BeginDialog, ExchangeDialog
from house_client.ui.main_window import BILL, HOME, SETUP
from microgrid.bill import Verdict
from microgrid.commissioning import CheckKind
from microgrid.commissioning import Verdict as Wired
from microgrid.terms import Obligation, Role, Source
from microgrid.units import microcoins
from simulation.wiring import wiring_of
from tests.e2e.cable import Cable
from tests.ui.at_work import JULY, JUNE, WAIT_MS, Central, Kiosk, LiveMeter, journalled
from tests.ui.keyboard import alt, focus, press, tab_to, type_over
from tests.unit.central.parts import tariff

ENTER, SPACE, DOWN = Qt.Key.Key_Return, Qt.Key.Key_Space, Qt.Key.Key_Down
END_OF_JUNE_S = JUNE.stop * 60
CALLING_S = END_OF_JUNE_S - 2 * 86_400  # the contracts of July are asked for


@pytest.fixture(autouse=True)
def brisk(monkeypatch):
    """Nobody waits for back-offs and periods that are for a whole month's work."""
    monkeypatch.setattr(central_module, "OFFICE_PERIOD_S", 0.1)
    monkeypatch.setattr(central_module, "POLL_PERIOD_S", 0.2)
    monkeypatch.setattr(link, "FIRST_BACKOFF_S", 0.1)
    monkeypatch.setattr(running, "SNAPSHOT_PERIOD_S", 0.05)
    monkeypatch.setattr(meter_port, "REOPEN_S", 0.05)


@pytest.fixture
def central(tmp_path):
    begun = []

    def begin(now_s):
        (tmp_path / "central").mkdir(exist_ok=True)
        begun.append(Central(tmp_path / "central", now_s))
        return begun[-1]

    yield begin
    for each in begun:
        each.stop()


@pytest.fixture
def kiosk(qtbot, settings, tmp_path):
    begun = []

    def begin(kept=None, **more):
        values = {"house": "B", "meter": None, "central": None, "data": tmp_path / "house", **more}
        begun.append(Kiosk(qtbot, settings, kept or HouseSettings(**values)))
        return begun[-1]

    yield begin
    for each in begun:
        each.close()


@pytest.fixture
def meter(tmp_path):
    begun = []

    def put_on(**more):
        begun.append(LiveMeter(tmp_path / "ttyUSB7", 2400, **more))
        return begun[-1]

    yield put_on
    begun[-1].stop()


def type_in(at, letter, text):
    """Alt and the field's letter, then this in place of what stands there."""
    alt(at.qtbot, focus(), letter)
    assert isinstance(focus(), QLineEdit)
    type_over(at.qtbot, text)


def answer_as_producer(at, price):
    """From the call on the home page to the summary, and agree."""
    at.activate(at.window)
    tab_to(at.qtbot, at.window.home.call, 40)
    press(at.qtbot, SPACE)
    at.expect(RoleDialog)
    alt(at.qtbot, focus(), "P")
    dialog = at.expect(ProducerDialog)
    type_in(at, "P", price)
    press(at.qtbot, ENTER)
    at.expect(SummaryDialog)
    press(at.qtbot, ENTER)
    return dialog


# --- contracts --------------------------------------------------------------------------------------


def test_a_call_is_answered_and_agreed_at_the_central(central, kiosk, qtbot):
    office = central(CALLING_S)
    at = kiosk(central=office.address)
    at.until(lambda: at.window.home.call.isVisible())
    title, detail = at.window.home.call.lines
    assert title == "Create contract for July 2026"
    assert detail.startswith("Open for 1 d 23 h")
    answer_as_producer(at, "9.25")
    at.until(lambda: at.window.contract.call.lines[0] == "Contract for July 2026 agreed")
    agreed = office.contract_of("B", JULY.start)
    assert (agreed.role, agreed.min_w, agreed.max_w) == (Role.PRODUCER, 250, 2500)
    assert (agreed.price, agreed.source) == (microcoins(9.25), Source.SOLAR)
    assert agreed.obligation is Obligation.ALWAYS
    assert (agreed.valid_from, agreed.valid_to) == (JULY.start, JULY.stop)
    assert office.contract_of("B", JULY.start - 1).price == microcoins(8)
    (kept,) = at.household.history().result(5).contracts
    assert (kept.month, kept.contract) == ("2026-07", agreed)
    waits = "Exchange is permitted when every house"  # A has not answered
    assert at.window.contract.call.lines[1].startswith(waits)


def test_a_refusal_by_the_central_comes_back_at_the_field_with_what_was_typed(central, kiosk, qtbot):
    office = central(CALLING_S)
    at = kiosk(central=office.address)
    at.until(lambda: at.window.home.call.isVisible())
    office.order(
        lambda desk: desk.enter_tariff(
            tariff(valid_from=JULY.start, national=microcoins(15)), "Mehmet", "cheaper", office.now_s
        )
    )
    assert at.shown.call.tariff == microcoins(17.6)  # the house has not heard
    first = answer_as_producer(at, "17")
    dialog = at.expect(ProducerDialog)
    assert dialog is first
    at.until(lambda: dialog.price.fault != "")
    assert "15" in dialog.price.fault
    assert dialog.price.value() == 17
    assert focus() is dialog.price.focusProxy()
    assert office.contract_of("B", JULY.start).price == microcoins(8)
    type_over(qtbot, "14.5")
    press(qtbot, ENTER)
    at.expect(SummaryDialog)
    press(qtbot, ENTER)
    at.until(lambda: at.window.creation.state is CallState.AGREED)
    assert office.contract_of("B", JULY.start).price == microcoins(14.5)


@pytest.mark.parametrize("power_cut", [False, True])
def test_an_answer_given_while_the_link_is_lost_reaches_the_central_later(central, kiosk, power_cut):
    office = central(CALLING_S)
    with Cable(office.address[1]) as cable:
        at = kiosk(central=("127.0.0.1", cable.port))
        at.until(lambda: at.window.home.call.isVisible())
        cable.cut()
        at.until(lambda: at.shown.central is CentralState.CONNECTING)
        answer_as_producer(at, "9")
        at.until(lambda: at.window.creation.dialog is None)
        at.until(lambda: at.shown.answer_waiting)
        said = ("Contract for July 2026 sent", "Waiting for the central's word")
        at.until(lambda: at.window.contract.call.lines == said)
        assert office.contract_of("B", JULY.start).price == microcoins(8)
        if power_cut:
            kept = at.household.settings()
            at.close()
            at = kiosk(kept)
            at.until(lambda: at.shown is not None and at.shown.answer_waiting)
        cable.join()
        at.until(lambda: at.window.creation.state is CallState.AGREED)
        assert office.contract_of("B", JULY.start).price == microcoins(9)
        at.close()


def test_a_consumer_sees_what_it_used_last_month(central, kiosk, qtbot):
    office = central(CALLING_S)
    at = kiosk(house="A", central=office.address)
    at.until(lambda: at.window.home.call.isVisible())
    tab_to(qtbot, at.window.home.call, 40)
    press(qtbot, SPACE)
    at.expect(RoleDialog)
    alt(qtbot, focus(), "O")
    dialog = at.expect(ConsumerDialog)
    assert dialog.max_kw.value() == 3.0
    assert "most used last month" in dialog.max_kw.limit_text
    type_in(at, "M", "2.2")
    press(qtbot, ENTER)
    at.expect(SummaryDialog)
    press(qtbot, ENTER)
    at.until(lambda: at.window.creation.state is CallState.AGREED)
    assert office.contract_of("A", JULY.start).max_w == 2200


# --- month and bill ---------------------------------------------------------------------------------


def test_the_month_so_far_arrives(central, kiosk):
    office = central(CALLING_S)
    at = kiosk(central=office.address)
    at.until(lambda: at.window.home.month.title.text() == "June 2026 so far")
    month = at.shown.month
    # 1 kW for 28 days, all of which A takes.
    assert month.microgrid_energy == pytest.approx(1000 * (CALLING_S - JUNE.start * 60), rel=1e-3)
    assert month.microgrid_amount > 0
    assert at.window.home.month.as_of.text() == "as of 00:00"


@pytest.mark.parametrize(
    ("missing_ws", "verdict"), [(0, Verdict.AGREES), (3_600_000, Verdict.DIFFERS), (None, Verdict.UNCHECKED)]
)
def test_a_bill_is_delivered_and_shown_with_what_the_house_found(
    central, kiosk, tmp_path, missing_ws, verdict
):
    office = central(END_OF_JUNE_S + 30)
    rows = office.rows["B"]
    if missing_ws is not None:
        *before, last = rows
        journalled(tmp_path / "house", [*before, replace(last, export_ws=last.export_ws + missing_ws)])
    at = kiosk(central=office.address)
    at.until(lambda: at.shown is not None and at.shown.bill is not None)
    bill = at.shown.bill
    assert (bill.bill.house, bill.bill.month, bill.check.verdict) == ("B", "2026-06", verdict)
    energy = rows[-1].export_ws - rows[0].export_ws
    assert bill.check.billed_energy == energy
    assert at.window.home.bill.emphasised
    tab_to(at.qtbot, at.window.home.bill, 40)
    press(at.qtbot, SPACE)
    assert at.window.pages.index == BILL
    assert at.window.bill.current == bill
    assert at.window._settings.value("house/bill_seen") == news_of(bill)
    differs = "House B: the bill of 2026-06 differs from its own meter; look into it."
    at.until(lambda: (differs in office.notices()) is (verdict is Verdict.DIFFERS))


# --- set-up -----------------------------------------------------------------------------------------


def listed(monkeypatch, cable):
    info = PortInfo(str(cable), cable.name, "Arduino Uno", True)
    monkeypatch.setattr(house_setup, "list_ports", lambda: [info] if cable.exists() else [])


def set_up(at, meter, address):
    """What the installer does with a keyboard at a kiosk nobody has set up."""
    page = at.window.setup.pages[at.window.setup.index]
    page.house.setFocus()
    type_in(at, "I", "A")
    alt(at.qtbot, focus(), "P")
    press(at.qtbot, Qt.Key.Key_Home, DOWN)
    assert page.port.value() == str(meter.cable)
    alt(at.qtbot, focus(), "L")
    at.until(lambda: page.port_answer.text.startswith("A meter answers at"))
    type_in(at, "A", f"{address[0]}:{address[1]}")
    alt(at.qtbot, focus(), "F")
    at.until(lambda: page.central_answer.text.endswith("answers and knows this house: A, House A."))
    alt(at.qtbot, focus(), "N")
    at.until(lambda: page.told.text.startswith("Kept."))
    return page


def test_a_kiosk_is_set_up_and_comes_back_by_itself(central, kiosk, meter, monkeypatch, tmp_path):
    office, plugged = central(CALLING_S), meter()
    listed(monkeypatch, plugged.cable)
    at = kiosk(house="")
    assert at.window.pages.index == SETUP
    at.until(lambda: at.window.title.text() == "Not set up yet")
    page = set_up(at, plugged, office.address)
    assert not page.port_answer.is_fault
    at.until(lambda: at.window.central_line.text() == "Linked to the central")
    at.until(lambda: at.window.meter_line.text().startswith("Meter heard"))
    assert at.window.title.text() == "House A  House A"
    at.until(lambda: "House A is now part of the network." in office.notices())
    alt(at.qtbot, focus(), "L")  # what it listens on itself is told without opening it twice
    at.until(lambda: page.port_answer.text.startswith("A meter answers at"))
    alt(at.qtbot, focus(), "F")
    at.until(lambda: page.central_answer.text.endswith("knows house A, which is linked already."))
    at.close()

    again = kiosk(read_settings(tmp_path / "house"))
    again.until(lambda: again.shown is not None and again.shown.central is CentralState.LINKED)
    again.until(lambda: again.shown.meter is MeterState.HEARD)
    assert again.window.pages.index == HOME
    alt(again.qtbot, again.window, "S")
    again.until(lambda: again.window.pages.index == SETUP)
    page = again.window.setup.pages[0]
    assert (page.house.value(), page.port.value()) == ("A", str(plugged.cable))
    assert page.central.value() == "{}:{}".format(*office.address)


def test_a_wrong_central_is_said_and_the_house_goes_on_trying(central, kiosk):
    office = central(CALLING_S)
    at = kiosk(central=office.address)
    at.until(lambda: at.shown is not None and at.shown.central is CentralState.LINKED)
    alt(at.qtbot, at.window, "S")
    at.until(lambda: at.window.pages.index == SETUP)
    page = at.window.setup.pages[at.window.setup.index]
    page.house.setFocus()
    type_in(at, "A", "127.0.0.1:9")
    alt(at.qtbot, focus(), "F")
    at.until(lambda: page.central_answer.is_fault)
    assert "no central answers at 127.0.0.1:9" in page.central_answer.text
    alt(at.qtbot, focus(), "N")
    at.until(lambda: page.told.text.startswith("Kept."))
    sentence = "Connecting to the central: The central at 127.0.0.1:9 does not answer; trying again."
    at.until(lambda: at.window.central_line.text() == sentence)
    assert page.central_answer.text == sentence
    at.until(lambda: office.linked() == [])
    page.house.setFocus()
    type_in(at, "I", "Z")
    type_in(at, "A", "{}:{}".format(*office.address))
    alt(at.qtbot, focus(), "N")
    at.until(lambda: at.shown.central is CentralState.REFUSED)
    assert at.window.central_line.text().startswith("Refused by the central: House Z is not listed")
    page.house.setFocus()
    type_in(at, "I", "B")
    alt(at.qtbot, focus(), "N")
    at.until(lambda: at.window.central_line.text() == "Linked to the central")
    assert office.linked() == ["B"]


def test_settings_that_cannot_be_kept_leave_the_house_linked(central, kiosk, tmp_path):
    office = central(CALLING_S)
    at = kiosk(central=office.address)
    at.until(lambda: at.shown is not None and at.shown.central is CentralState.LINKED)
    (tmp_path / "house" / f"{FILE_NAME}.part").mkdir()
    alt(at.qtbot, at.window, "S")
    at.until(lambda: at.window.pages.index == SETUP)
    page = at.window.setup.pages[at.window.setup.index]
    page.house.setFocus()
    type_in(at, "I", "A")
    alt(at.qtbot, focus(), "N")
    at.until(lambda: page.told.is_fault)
    assert page.told.text.startswith("The settings could not be taken over")
    assert page.house.value() == "A"
    at.until(lambda: office.linked() == ["B"])


def test_a_start_without_a_window_says_what_to_do(tmp_path, capsys):
    assert main(["--headless", "--data", str(tmp_path)]) == 1
    assert capsys.readouterr().err.endswith(
        "this house is not set up yet; name it with --house, or set it up at the kiosk.\n"
    )


# --- commissioning ----------------------------------------------------------------------------------


def commissioning(at):
    at.until(lambda: at.shown is not None and at.shown.meter is MeterState.HEARD)
    alt(at.qtbot, at.window, "S")
    at.until(lambda: at.window.pages.index == SETUP)
    alt(at.qtbot, at.window, "O")
    at.until(lambda: at.window.setup.index == 1)
    return at.window.setup.pages[at.window.setup.index]


def test_a_transformer_the_wrong_way_round_is_found_live(central, kiosk, meter):
    plugged = meter(wiring=wiring_of("1,2r,3"))
    at = kiosk(house="A", meter=str(plugged.cable))
    page = commissioning(at)
    at.until(lambda: page.phases.voltages[0].reading.shown not in ("—", "0.0"))
    assert [line.text() for line in page.phases.directions] == ["draws", "gives", "draws"]

    def found():
        return {check.kind: check for check in page.results if check.verdict is Wired.WRONG}

    at.until(lambda: CheckKind.REVERSED in found())
    assert found()[CheckKind.REVERSED].phases == (2,)
    assert page.checks.check.kind is CheckKind.REVERSED
    assert page.to_do.text() != ""


def test_the_meter_is_exchanged_at_the_kiosk_and_the_central_has_the_record(central, kiosk, meter, tmp_path):
    office, old = central(CALLING_S), meter()
    journalled(tmp_path / "house", office.rows["A"])
    at = kiosk(house="A", meter=str(old.cable), central=office.address)
    page = commissioning(at)
    at.until(lambda: at.shown.central is CentralState.LINKED)
    tab_to(at.qtbot, page.exchange, 40)
    press(at.qtbot, SPACE)
    at.expect(BeginDialog, page)
    type_in(at, "I", "Asif")
    type_in(at, "R", "broken display")
    press(at.qtbot, ENTER)
    dialog = at.expect(ExchangeDialog, page)
    at.until(lambda: "not heard yet" in dialog.new.text())
    press(at.qtbot, ENTER)
    at.until(lambda: dialog.fault.startswith("The new meter is not heard yet"))
    old.stop()
    meter(seed=2)
    at.until(lambda: dialog.new.text().startswith("New meter ("))
    press(at.qtbot, ENTER)
    at.until(lambda: page.swap is not None)
    assert (page.swap.installer, page.swap.reason) == ("Asif", "broken display")
    at.until(lambda: "House A: the meter was exchanged by Asif." in office.notices())
    (kept,) = at.household.history().result(WAIT_MS / 1000).swaps
    assert kept == page.swap
    assert kept.new.epoch == kept.old.epoch + 1
