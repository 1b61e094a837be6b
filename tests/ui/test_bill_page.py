"""The bill at the kiosk: Fig 5.7 for its role, the house's own check, history, adjustments, paper."""

from dataclasses import replace

import pytest
from msgspec.structs import replace as changed
from PySide6.QtCore import QStandardPaths, Qt
from PySide6.QtPrintSupport import QPrintDialog
from PySide6.QtWidgets import QApplication

from house_client.household import AgreedContract
from house_client.ui.bill_page import BillPage
from house_client.ui.bill_words import check_words
from house_client.ui.contract_page import ContractPage
from house_client.ui.main_window import BILL, HouseWindow
from microgrid.agreements import Basis
from microgrid.bill import BillKind, Cause, Verdict, check_bill, with_adjustments
from microgrid.terms import Role
from node.qt.format import MINUS
from node.qt.theme import DARK
from node.qt.value import ValueState
from tests.ui.fake_household import FakeHousehold
from tests.ui.images import grey, picture
from tests.ui.sample_house import (
    DECEMBER,
    NOVEMBER,
    billed,
    buyer_contract,
    make_adjustment,
    make_bill,
    make_buyer,
    make_seller,
    received,
    seller_contract,
)

SP = "\N{NO-BREAK SPACE}"
SPACE = Qt.Key.Key_Space


@pytest.fixture(autouse=True)
def _papers_of_tests():
    QStandardPaths.setTestModeEnabled(True)
    yield
    QStandardPaths.setTestModeEnabled(False)


@pytest.fixture
def page(qtbot):
    def shown(*bills, household=None):
        made = BillPage(household or FakeHousehold(bills))
        qtbot.addWidget(made)
        made.resize(800, 340)
        made.show()
        made.activateWindow()
        if bills:
            made.show_snapshot(replace(make_buyer(), bill=bills[0]))
        QApplication.processEvents()
        QApplication.processEvents()
        return made

    return shown


def figures(page):
    rows = page.view.figures.rows
    return {label.text(): str(value.reading.quantity) for label, value in rows if not value.isHidden()}


def lines(page):
    return [
        tuple(
            part.text() if number == 0 else part.reading.shown
            for number, part in enumerate(row)
            if not part.isHidden()
        )
        for row in page.view.account.rows
        if not row[0].isHidden()
    ]


def press(qtbot, button):
    button.setFocus()
    qtbot.keyClick(button, SPACE)


# --- Fig 5.7 ----------------------------------------------------------------------------------------


def test_a_consumers_bill(page):
    shown = page(received(make_bill()))
    assert shown.view.title.text() == "Bill for November 2024"
    assert shown.view.issued.text() == "issued 2 Dec 2024"
    assert figures(shown) == {
        "Max power consumed": f"1.73{SP}kW",
        "Min power consumed": f"0.08{SP}kW",
        "Mean rate": f"12.35{SP}coins/kWh",
        "National tariff": f"17.60{SP}coins/kWh",
    }
    assert lines(shown) == [
        ("From the micro-grid", "301.2", f"{MINUS}3,719.43"),
        ("From the national grid", "26.6", f"{MINUS}468.16"),
        ("Earlier months", "0.00"),
    ]
    assert shown.view.account.total_title.text() == "Total to pay"
    assert shown.view.account.total.reading.shown == "4,187.59"


def test_a_producers_payment_with_penalties_by_reason(page):
    shown = page(received(make_bill(Role.PRODUCER)))
    # Fig 5.7's "KE" lines: own imports and what was owed and not given.
    assert figures(shown)["National, with penalties"] == f"29.6{SP}kWh"
    assert figures(shown)["… its amount"] == f"{MINUS}520.96{SP}coins"
    assert figures(shown)["Max power produced"] == f"2.41{SP}kW"
    assert lines(shown)[2:4] == [
        ("Penalty: not delivered", "2.5", f"{MINUS}44.00"),
        ("Penalty: below minimum", "0.5", f"{MINUS}8.80"),
    ]
    assert shown.view.account.total_title.text() == "Total to receive"
    assert shown.view.account.total.reading.shown == "1,889.04"


def test_the_sign_of_the_total_decides_who_pays_not_the_role(page):
    bill = make_bill(Role.PRODUCER)
    poor = changed(bill, account=changed(bill.account, total=-5_000_000))
    assert page(received(poor)).view.account.total_title.text() == "Total to pay"


def test_without_energy_there_is_no_mean_rate(page):
    bill = make_bill()
    idle = changed(bill, account=changed(bill.account, microgrid_energy=0, microgrid_amount=0))
    assert page(received(idle)).view.figures.rows[2][1].reading.state is ValueState.DISCONNECTED


def test_estimates_are_marked(page):
    bill = make_bill()
    account = changed(bill.account, estimated_energy=-11_520_000, estimated_minutes=341)
    shown = page(received(changed(bill, account=account)))
    assert shown.view.estimated.text() == (
        f"≈ 3.2{SP}kWh of 5 h 41 min estimated, because nobody heard the meter"
    )
    assert page(received(bill)).view.estimated.isHidden()


def test_a_final_bill_says_so(page):
    assert page(received(make_bill(kind=BillKind.FINAL))).view.title.text() == "Final bill for November 2024"


# --- the house's own check --------------------------------------------------------------------------


def test_the_check_is_told_before_any_payment(page):
    shown = page(received(make_bill()))
    assert shown.view.check.text() == "Agrees with our own meter"
    assert not shown.view.check.emphasised
    shown = page(received(make_bill(), 4_320_000))
    assert shown.view.check.text() == (
        f"Differs from our own meter by 1.2{SP}kWh: do not pay before asking the operator"
    )
    assert shown.view.check.emphasised
    shown = page(received(make_bill(), None))
    assert shown.view.check.text().startswith("Could not be checked: our own records do not reach")


def test_a_small_difference_is_told_in_watt_hours_and_wrong_sums_as_such():
    bill = make_bill()
    assert f"by 2.0{SP}Wh" in check_words(check_bill(bill, (billed(bill) - 7200,) * 2))
    assert f"by 2.0{SP}Wh" in check_words(check_bill(bill, (billed(bill) + 7200, billed(bill) + 9999)))
    wrong = changed(bill, account=changed(bill.account, total=0))
    check = check_bill(wrong, (billed(bill),) * 2)
    assert check.verdict is Verdict.DIFFERS
    assert check_words(check) == "Its lines do not add up: do not pay before asking the operator"


# --- history and adjustments ------------------------------------------------------------------------


def history():
    older = changed(make_bill(), month="2024-10", issued_s=NOVEMBER.start * 60)
    return received(make_bill()), received(older)


def test_older_bills_by_keyboard(page, qtbot):
    shown = page(*history())
    assert not shown.newer.isEnabled()
    press(qtbot, shown.older)
    assert shown.view.title.text() == "Bill for October 2024"
    assert not shown.older.isEnabled()
    press(qtbot, shown.newer)
    assert shown.view.title.text() == "Bill for November 2024"


def test_an_older_bill_that_is_being_read_stays_when_a_new_one_comes(page, qtbot):
    shown = page(*history())
    press(qtbot, shown.older)
    newest = received(changed(make_bill(), month="2024-12", issued_s=DECEMBER.stop * 60))
    shown.show_snapshot(replace(make_buyer(), bill=newest))
    QApplication.processEvents()
    assert shown.view.title.text() == "Bill for October 2024"
    shown.show_newest()
    assert shown.view.title.text() == "Bill for December 2024"


def test_adjustments_stand_beside_the_bill_and_name_their_cause(page, qtbot):
    carried = make_adjustment("2024-10", coins=1.5)
    bill = make_bill()
    bill = changed(bill, adjustments=(carried,), account=with_adjustments(bill.account, (carried,)))
    other = changed(make_adjustment(), own=False, reason="", causes=(Cause.TARIFF, Cause.LATE))
    shown = page(received(bill, 0, (make_adjustment(), other)))
    assert shown.view.account.total.reading.shown == "4,186.09"
    assert lines(shown)[-1] == ("Earlier months", "+1.50")
    assert shown.view.adjusted.text() == f"Adjusted since: {MINUS}6.40{SP}coins, with the next bill"
    assert shown.adjustments.text() == "&Adjustments (3)"
    press(qtbot, shown.adjustments)
    text = shown.reasons.toPlainText()
    assert shown.reasons.isVisible()
    assert "Paid with this bill: +1.50 coins for October 2024, settled again on 5 Dec 2024" in text
    assert "Late minutes: 41 minutes of the 28th arrived late.\n" in text
    assert "Corrected tariff, late minutes of another account" in text
    press(qtbot, shown.adjustments)
    assert shown.view.isVisible()


def test_reasons_are_dark_on_a_dark_screen(qtbot, settings):
    window = HouseWindow(settings, FakeHousehold())
    qtbot.addWidget(window)
    window.set_theme(DARK)
    window.show()
    window.show_snapshot(replace(make_buyer(), bill=received(make_bill(), 0, (make_adjustment(),))))
    window.pages.choose(BILL)
    press(qtbot, window.bill.adjustments)
    assert grey(picture(window.bill.reasons)).mean() < 80


def test_without_a_bill_the_page_says_when_one_comes(page):
    shown = page()
    assert shown.nothing.isVisible()
    assert "The first one comes when the month is over." in shown.nothing.text()
    assert not any(b.isEnabled() for b in (shown.older, shown.newer, shown.printing, shown.saving))


def test_history_that_cannot_be_read_is_told_and_the_newest_bill_stays(page):
    household = FakeHousehold()
    household.unreadable = OSError("the disk is gone")
    shown = page(received(make_bill()), household=household)
    assert shown.told.text() == "the disk is gone"
    assert shown.view.title.text() == "Bill for November 2024"


# --- paper ------------------------------------------------------------------------------------------


def test_pdf_by_keyboard(page, qtbot):
    shown = page(received(make_bill(), 0, (make_adjustment(),)))
    press(qtbot, shown.saving)
    place = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
    assert shown.told.text() == f"Saved as {place}/bill-B-2024-11-month.pdf"
    with open(f"{place}/bill-B-2024-11-month.pdf", "rb") as file:
        assert file.read(5) == b"%PDF-"


def test_a_pdf_that_cannot_be_written_is_told(page, qtbot, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("house_client.ui.bill_page.write_pdf", full)
    shown = page(received(make_bill()))
    press(qtbot, shown.saving)
    assert shown.told.text() == "Not saved: No space left on device"


def test_print_asks_for_a_printer(page, qtbot):
    shown = page(received(make_bill()))
    press(qtbot, shown.printing)
    dialog = shown.findChild(QPrintDialog)
    assert dialog.windowTitle() == "Bill for November 2024, house B"
    dialog.reject()


# --- in the window, and the contracts beside it -----------------------------------------------------


def test_the_window_offers_the_bills_the_house_keeps(qtbot, settings):
    bills = history()
    window = HouseWindow(settings, FakeHousehold(bills))
    qtbot.addWidget(window)
    window.show()
    window.show_snapshot(replace(make_seller(), bill=bills[0]))
    window.pages.choose(BILL)
    qtbot.waitUntil(window.bill.older.isEnabled)


def test_contracts_of_earlier_months(qtbot):
    kept = (
        AgreedContract("2024-12", Basis.ANSWERED, seller_contract()),
        AgreedContract("2024-11", Basis.CARRIED_OVER, buyer_contract(NOVEMBER)),
        AgreedContract("2024-10", Basis.NO_ANSWER, None),
    )
    made = ContractPage(FakeHousehold(contracts=kept))
    qtbot.addWidget(made)
    made.show_snapshot(make_seller())
    made.refresh()
    qtbot.waitUntil(lambda: len(made.earlier.keys) == 3)
    assert [made.earlier.texts(row) for row in range(3)] == [
        ["December 2024", "Producer", "0.25 – 2.50", "8.00", "solar, by daylight", "answered"],
        ["November 2024", "Consumer", "2.00", "", "", "carried over"],
        ["October 2024", "none", "", "", "", "no answer"],
    ]
    assert made.in_force.text().startswith("Producer (solar), 0.25")
    assert made.until.text() == "until 1 Jan 2025, 00:00 PKT; final for the month"


def test_another_houses_bills_go_when_the_id_is_corrected(qtbot):
    page = BillPage(FakeHousehold())
    qtbot.addWidget(page)
    page.show_snapshot(replace(make_buyer(), bill=received(make_bill())))
    assert page.current is not None
    page.show_snapshot(replace(make_buyer(), house="C", bill=None))
    assert page.current is None
    assert page.nothing.isVisibleTo(page)
