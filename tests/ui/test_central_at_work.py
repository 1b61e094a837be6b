"""The central's window on the real program and database, with the keyboard alone."""

from functools import partial

import pytest
from PySide6.QtCore import Qt

from central_monitor.services.month_end import QUIET_S
from central_monitor.ui.bills import Level
from central_monitor.ui.correction import CorrectionDialog
from central_monitor.ui.main_window import AGREEMENT, BILLS, CONTRACTS, DETAIL, SETTINGS
from microgrid.bill import BillKind
from microgrid.contracting import Wish
from microgrid.terms import Role
from microgrid.wire.messages import ContractAnswer, ContractCall, Deliver, Post, Refused, Welcome
from tests.ui.at_desk import NAME
from tests.ui.central_at_work import (
    DEFAULTED,
    JUNE,
    KNOWN_DAY,
    LONG_NAME,
    NOW,
    central_at_work,
    counted,
    make_database,
    until,
)
from tests.ui.images import picture, saturation
from tests.ui.keyboard import alt, closed, dialog_of, focus, paste_path, press, tab_to, type_moment, type_over
from tests.ui.reading import plain, rows_of, said, texts
from tests.unit.central.parts import row, sample

BUY = Wish(role=Role.CONSUMER, max_w=2000)
LIVE_W = {"A": -1200, "B": 1000, "C": 0, "D": 0}
Key, CTRL = Qt.Key, Qt.KeyboardModifier.ControlModifier


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    return make_database(tmp_path_factory.mktemp("central"))


@pytest.fixture
def central(qtbot, database, tmp_path):
    with central_at_work(database, tmp_path) as made:
        until(qtbot, lambda: made.window.snapshot_shown is not None)
        qtbot.waitUntil(made.window.isActiveWindow)
        yield made


def go(qtbot, central, key):
    """Press the number of a screen."""
    number = list(central.window._screens).index(key) + 1
    qtbot.keyClick(central.window, getattr(Key, f"Key_{number}"), CTRL)
    assert central.window.screen_shown == key
    return central.window.screen_of(key)


def figure(text):
    return float(text.replace("\N{MINUS SIGN}", "-").replace(",", ""))


def open_june(qtbot, central):
    """The bills of June, by keyboard."""
    page = go(qtbot, central, BILLS)
    until(qtbot, lambda: page.place is not None)
    alt(qtbot, page, "m")
    press(qtbot, Key.Key_Down)
    until(qtbot, lambda: page.place.month == "2026-06")
    tab_to(qtbot, page.accounts.table, 12)
    return page


def open_minute(qtbot, central, account, minute):
    """Down from the month to the proof of a minute of June."""
    page = open_june(qtbot, central)
    for _ in range(page.accounts.table.keys.index(account)):
        press(qtbot, Key.Key_Down)
    press(qtbot, Key.Key_Return)
    until(qtbot, lambda: page.place.level is Level.DAYS)
    day, within = divmod(minute - JUNE.start, 1440)
    for _ in range(day):
        press(qtbot, Key.Key_Down)
    press(qtbot, Key.Key_Return)
    until(qtbot, lambda: page.place.level is Level.MINUTES)
    for _ in range(within):
        press(qtbot, Key.Key_Down)
    press(qtbot, Key.Key_Return)
    until(qtbot, lambda: page.place.level is Level.PROOF)
    return page


def correction(qtbot, central):
    def opened():
        found = [each for each in central.window.findChildren(CorrectionDialog) if each.isVisible()]
        return found[0] if found else None

    until(qtbot, lambda: (dialog := opened()) is not None and dialog.isActiveWindow())
    return opened()


def heard(qtbot, central, *houses):
    """Wait until these houses have said in a poll that they have minutes to deliver."""

    def waiting():
        return {house.house for house in central.window.snapshot_shown.houses if house.minutes_waiting}

    until(qtbot, lambda: waiting() >= set(houses))


# --- bills ------------------------------------------------------------------------------------------


def test_from_the_bill_to_a_corrected_reading_and_its_adjustment(qtbot, central):
    minute = JUNE.start + KNOWN_DAY * 1440 + 5
    page = open_minute(qtbot, central, "A", minute)
    proof = plain(page.proof.text.toPlainText())
    assert "00:06:00 PKT" in proof
    assert "1.20 kW" in proof
    alt(qtbot, page, "o")
    dialog = correction(qtbot, central)
    before = dialog.imported.text()
    type_over(qtbot, f"{float(before) - 0.01:.7f}")
    press(qtbot, Key.Key_Return)
    assert "Say why" in dialog.reason.fault
    qtbot.keyClicks(focus(), "display misread")
    press(qtbot, Key.Key_Return)
    assert "Enter your name" in dialog.author.fault
    qtbot.keyClicks(focus(), NAME)
    alt(qtbot, dialog, "i")
    type_over(qtbot, "0")
    press(qtbot, Key.Key_Return)
    assert "a register does not fall" in dialog.imported.fault
    type_over(qtbot, f"{float(before) - 0.01:.7f}")
    press(qtbot, Key.Key_Return)
    closed(qtbot, dialog)
    until(qtbot, lambda: f"{NAME}: display misread" in plain(page.proof.text.toPlainText()))
    proof = plain(page.proof.text.toPlainText())
    assert "As it came" in proof
    assert "0.60 kW" in proof  # 0.01 of the minute's 0.02 kWh
    assert not page._book.adjustments
    central.clock.leap(QUIET_S + 10)
    until(qtbot, lambda: page._book.adjustments)
    for level in (Level.MINUTES, Level.DAYS, Level.ACCOUNTS):
        press(qtbot, Key.Key_Escape)
        until(qtbot, partial(lambda level: page.place.level is level, level))
    assert "adjusted since, settled 2 times" in page.accounts.state.text()
    rows = texts(page.accounts.adjustments)
    assert any(cells[0] == "House A" and "display misread" in cells[3] for cells in rows)
    assert plain(page.accounts.balance.text()) == "All accounts add up to 0.00 coins"
    assert page.month_choice.currentText() == "June 2026: issued, adjusted"


def test_paper_and_files_say_what_the_screen_says(qtbot, central, tmp_path):
    page = open_june(qtbot, central)
    press(qtbot, Key.Key_Down)
    assert page.output.scope.text() == "Bill of house B"
    shown = texts(page.accounts.table)
    alt(qtbot, page, "f")
    paste_path(qtbot, page, tmp_path / "mine.pdf")
    until(qtbot, lambda: page.notice.text() == f"The bill was written to {tmp_path / 'mine.pdf'}")
    assert (tmp_path / "mine.pdf").read_bytes().startswith(b"%PDF-")
    tab_to(qtbot, page.accounts.table, 12)
    press(qtbot, Key.Key_Return)
    until(qtbot, lambda: page.place.level is Level.DAYS)
    day = page.days.table.texts(KNOWN_DAY)
    folder = tmp_path / "files"
    folder.mkdir()
    alt(qtbot, page, "c")
    paste_path(qtbot, page, folder)
    until(qtbot, lambda: "were written" in page.notice.text())
    files = {path.name: rows_of(path) for path in folder.iterdir()}
    assert {name: len(rows) for name, rows in files.items()} == {
        "accounts-2026-06.csv": 7,
        "adjustments-2026-06.csv": 0,
        "days-2026-06.csv": 7 * 30,
        "minutes-2026-06-B.csv": 30 * 1440,
        "waivers-2026-06.csv": 0,
    }
    accounts = files["accounts-2026-06.csv"]
    for cells, line in zip(shown, accounts, strict=False):
        assert f"{float(line['total_coins']):,.2f}" == cells[10].replace("\N{MINUS SIGN}", "-")
    assert sum(round(float(line["total_coins"]) * 1e6) for line in accounts) == 0
    for name in ("days-2026-06.csv", "minutes-2026-06-B.csv"):
        mine = [line["total_coins"] for line in files[name] if line["account"] == "B"]
        assert sum(round(float(coins) * 1e6) for coins in mine) == round(
            float(accounts[1]["total_coins"]) * 1e6
        )
    # The day whose minutes all came has nothing estimated, and what was not delivered cost a penalty.
    assert (day[6] != "0.0", day[9]) == (True, "0")
    assert "estimated" in " ".join(page.days.bill.text().split()) or shown[1][12] == "41,760"


def test_a_penalty_leads_to_its_minutes_and_their_rule(qtbot, central):
    page = open_minute(qtbot, central, "B", DEFAULTED.start)
    proof = plain(page.proof.text.toPlainText())
    assert "2.40 kW" in proof  # what it was told to deliver
    assert "Penalty" in proof
    press(qtbot, Key.Key_Escape)
    until(qtbot, lambda: page.place.level is Level.MINUTES)
    alt(qtbot, page, "h")
    press(qtbot, Key.Key_Down)
    until(qtbot, lambda: page.minutes.count.text() == f"{len(DEFAULTED)} of 1,440 minutes")
    assert page.minutes.table.keys == tuple(DEFAULTED)


# --- settings ---------------------------------------------------------------------------------------


def test_a_tariff_is_refused_without_name_and_note_and_then_in_force(qtbot, central):
    page = go(qtbot, central, SETTINGS)
    until(qtbot, lambda: len(page.tariffs.table.keys) == 1)
    alt(qtbot, page, "t")
    dialog = dialog_of(qtbot, page)
    alt(qtbot, dialog, "n")
    type_over(qtbot, "18.25")
    press(qtbot, Key.Key_Return)
    assert "Say why" in dialog.note.fault
    qtbot.keyClicks(focus(), "announced by the utility")
    press(qtbot, Key.Key_Return)
    assert "Enter your name" in dialog.author.fault
    qtbot.keyClicks(focus(), NAME)
    press(qtbot, Key.Key_Return)
    closed(qtbot, dialog)
    until(qtbot, lambda: len(page.tariffs.table.keys) == 2)
    assert page.name.value() == NAME
    assert page.tariffs.table.texts(0)[0] == "to come"
    central.clock.leap(60)
    until(qtbot, lambda: "In force now: 18.2500 coins/kWh" in page.tariffs.in_force.text())
    until(qtbot, lambda: page.tariffs.table.texts(0)[0] == "in force")
    assert page.tariffs.table.texts(0)[9:11] == [NAME, "announced by the utility"]
    go(qtbot, central, AGREEMENT)
    until(qtbot, lambda: central.window.agreement.tariff.value.reading.shown == "18.25")


def test_a_tariff_corrected_for_a_billed_month_adjusts_its_bills(qtbot, central):
    page = go(qtbot, central, SETTINGS)
    alt(qtbot, page, "o")
    type_over(qtbot, NAME)
    until(qtbot, page.tariffs.new_button.isEnabled)
    alt(qtbot, page, "t")
    dialog = dialog_of(qtbot, page)
    alt(qtbot, dialog, "f")
    type_moment(qtbot, dialog.start, "10062026", "0000")
    alt(qtbot, dialog, "u")
    press(qtbot, Key.Key_Down)
    alt(qtbot, dialog, "d")
    type_moment(qtbot, dialog.until, "01072026", "0000")
    assert "settled again and adjusted beside them: June 2026" in said(dialog)
    alt(qtbot, dialog, "n")
    type_over(qtbot, "16.6")
    alt(qtbot, dialog, "t")
    type_over(qtbot, "misprint")
    press(qtbot, Key.Key_Return)
    closed(qtbot, dialog)
    until(qtbot, lambda: len(page.tariffs.table.keys) == 2)
    assert page.tariffs.table.texts(0)[0] == "past"
    bills = open_june(qtbot, central)
    assert not bills._book.adjustments
    central.clock.leap(QUIET_S + 10)
    until(qtbot, lambda: bills._book.adjustments)
    causes = {cells[0]: cells[3] for cells in texts(bills.accounts.adjustments)}
    assert "The national tariff was corrected: misprint" in causes["House A"]
    assert sum(each.total for each in bills._book.adjustments) == 0


def test_a_stranger_that_knocked_is_added_linked_and_asked_for_a_contract(qtbot, central):
    page = go(qtbot, central, SETTINGS)
    alt(qtbot, page, "o")
    type_over(qtbot, NAME)
    refused = central.connect("E-42")
    assert refused.of(Refused)
    until(qtbot, lambda: len(page.houses.table.keys) == 5)
    assert "knocked" in page.houses.table.texts(0)[5]
    alt(qtbot, page, "h")
    dialog = dialog_of(qtbot, page)
    assert dialog.house.value() == "E-42"
    assert dialog.name.isAncestorOf(focus())
    qtbot.keyClicks(focus(), "House of the well")
    alt(qtbot, dialog, "c")
    type_over(qtbot, "5")
    alt(qtbot, dialog, "j")
    type_moment(qtbot, dialog.joins, "20062026", "0000")
    press(qtbot, Key.Key_Return)
    until(qtbot, lambda: dialog.fault == "The bills of that time are out; let the house join later.")
    alt(qtbot, dialog, "j")
    type_moment(qtbot, dialog.joins, "05072026", "1300")
    press(qtbot, Key.Key_Return)
    closed(qtbot, dialog)
    until(qtbot, lambda: len(page.houses.table.keys) == 5 and page.houses.table.texts(4)[0] == "E-42")
    assert page.houses.table.texts(4)[5] == "joins later"
    central.do(refused.close())
    linked = central.connect("E-42")
    assert linked.of(Welcome)
    contracts = go(qtbot, central, CONTRACTS)
    until(qtbot, lambda: "E-42" in contracts.round_table.keys)
    assert contracts.counts.text() == "0 of 1 agreed  ·  1 waiting  ·  0 refused"


def test_a_house_leaves_and_its_final_bill_follows(qtbot, central):
    page = go(qtbot, central, SETTINGS)
    until(qtbot, lambda: len(page.houses.table.keys) == 4)
    alt(qtbot, page, "l")
    dialog = dialog_of(qtbot, page)
    for _ in range(2):
        press(qtbot, Key.Key_Down)
    assert dialog.house.value() == "C"
    alt(qtbot, dialog, "t")
    qtbot.keyClicks(focus(), "moved away")
    press(qtbot, Key.Key_Return)
    assert "Enter your name" in dialog.author.fault
    qtbot.keyClicks(focus(), NAME)
    alt(qtbot, dialog, "l")
    type_moment(qtbot, dialog.leaves, "15062026", "0000")
    press(qtbot, Key.Key_Return)
    until(qtbot, lambda: "The bills of that time are out" in dialog.fault)
    alt(qtbot, dialog, "l")
    type_moment(qtbot, dialog.leaves, "05072026", "1201")
    press(qtbot, Key.Key_Return)
    closed(qtbot, dialog)
    until(qtbot, lambda: "5 Jul 2026, 12:01 PKT" in page.houses.table.texts(2)[4])
    link = central.connect("C", sample(-300))
    link.pending = [row("C", NOW, counted("C", NOW - 1, NOW)[-1].import_ws)]
    heard(qtbot, central, "C")
    central.clock.leap(60)
    until(qtbot, lambda: page.houses.table.texts(2)[5] == "has left")
    until(qtbot, lambda: any(isinstance(m, Deliver) and m.bill.kind is BillKind.FINAL for m in link.heard))
    bills = go(qtbot, central, BILLS)
    until(qtbot, lambda: bills.place is not None)
    assert bills.month_choice.currentText() == "July 2026: so far, not billed"


# --- contracts --------------------------------------------------------------------------------------


def test_policy_and_a_round_opened_by_hand(qtbot, central):
    page = go(qtbot, central, CONTRACTS)
    until(qtbot, page.policy_button.isEnabled)
    assert page.policy_line.text().startswith("Houses are asked 3 days before")
    alt(qtbot, page, "w")
    dialog = dialog_of(qtbot, page)
    type_over(qtbot, "29")
    alt(qtbot, dialog, "k")
    qtbot.keyClicks(focus(), NAME)
    press(qtbot, Key.Key_Return)
    assert dialog.days.fault == "Enter 0 to 28 days."
    type_over(qtbot, "5")
    press(qtbot, Key.Key_Tab, Key.Key_Down, Key.Key_Return)
    closed(qtbot, dialog)
    until(qtbot, lambda: "asked 5 days before" in page.policy_line.text())
    assert page.policy_line.text().endswith("gets no contract.")
    house = central.connect("A", sample(-1000))
    alt(qtbot, page, "a")
    dialog = dialog_of(qtbot, page)
    assert "August 2026" in dialog.windowTitle()
    press(qtbot, Key.Key_Return)
    closed(qtbot, dialog)
    until(qtbot, lambda: set(page.round_table.keys) == set("ABCD"))
    assert page.counts.text() == "0 of 4 agreed  ·  4 waiting  ·  0 refused"
    assert not page.ask_button.isEnabled()
    call = central.do(house.told(ContractCall))
    assert call.month == "2026-08"
    house.post = Post(
        house="A", request_id=0,
        answer=ContractAnswer(month="2026-08", first_minute=call.first_minute, wish=BUY),
    )  # fmt: skip
    central.clock.leap(10)
    until(qtbot, lambda: page.counts.text() == "1 of 4 agreed  ·  3 waiting  ·  0 refused")
    until(qtbot, lambda: len(page.history_table.keys) == 4)
    assert page.history_table.texts(0)[:4] == ["August 2026", "A", "House A", "consumer"]


# --- live -------------------------------------------------------------------------------------------


def test_split_allotment_and_month_are_those_of_real_polls(qtbot, central):
    a, b, *_ = (central.connect(house, sample(power)) for house, power in LIVE_W.items())
    page = go(qtbot, central, AGREEMENT)
    until(qtbot, lambda: page.used.value.reading.shown == "1.20")
    rows = {cells[0]: cells for cells in texts(page.table)}
    # A takes 1.20 kW, of which B gives 1.00 kW; of B's 2.50 kW half is each buyer's share.
    assert rows["A"][8:11] == ["1.25", "\N{MINUS SIGN}1.00", "\N{MINUS SIGN}0.20"]
    assert rows["B"][9] == "+1.00"
    assert rows["B"][1] == LONG_NAME
    taken = figure(rows["A"][13]) + figure(rows["A"][14])
    assert taken == pytest.approx(-1.2 * 108, abs=0.2)  # of the month till noon
    # An hour later A has taken 4 kWh more and B given as always.
    central.clock.leap(3540)
    qtbot.wait(300)
    a.pending = [row("A", NOW + 59, counted("A", NOW - 1, NOW - 1)[-1].import_ws + 4 * 3_600_000)]
    b.pending = [row("B", NOW + 59, 0, counted("B", NOW - 1, NOW + 59)[-1].export_ws)]
    heard(qtbot, central, "A", "B")
    central.clock.leap(60)

    def taken_now():
        cells = next(cells for cells in texts(page.table) if cells[0] == "A")
        return figure(cells[13]) + figure(cells[14])

    until(qtbot, lambda: taken_now() != taken)
    assert taken_now() == pytest.approx(taken - 4, abs=0.11)
    qtbot.keyClick(central.window, Key.Key_F, CTRL)
    qtbot.keyClicks(focus(), "water tower")
    press(qtbot, Key.Key_Return)
    assert central.window.screen_shown == DETAIL
    detail = central.window.detail
    assert detail.house == "B"
    until(qtbot, lambda: detail.trade.microgrid.reading.shown == "1.00")
    assert detail.month.microgrid_energy.reading.shown.startswith("+")
    assert detail.next_button.hasFocus()
    assert saturation(picture(detail.next_button)).max() == 0  # the focus is no colour of Qt's own
    assert "5 Jul 2026, 13:00" in plain(detail.link.last_minute.text())


# --- faults, and the end ----------------------------------------------------------------------------


def test_a_fault_of_the_database_is_said_and_nothing_hangs(qtbot, central):
    page = open_june(qtbot, central)
    with central.path.open("r+b") as file:
        file.truncate(100)
    qtbot.wait(0)
    press(qtbot, Key.Key_Return)
    until(qtbot, lambda: page.notice.emphasised)
    assert "The database" in page.notice.text()
    settings = go(qtbot, central, SETTINGS)
    until(qtbot, lambda: "could not be read" in said(settings))


def test_a_window_that_is_closed_while_a_question_is_out_ends_at_once(qtbot, central):
    page = go(qtbot, central, BILLS)
    assert page.place is None  # the answer is on its way; the fixture sees that no thread is left
