"""Bills & Payments by keyboard: from the month to the proof of a minute and back; paper and files."""

from concurrent.futures import Future
from dataclasses import replace

import msgspec
import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from central_monitor.operator import OrderRefused
from central_monitor.snapshot import Work
from central_monitor.ui.bills import Level, Place
from central_monitor.ui.bills_accounts import TOTAL, total_words
from central_monitor.ui.bills_minutes import minute_rows
from microgrid.months import local_days, month_minutes, zone_of
from node.qt.theme import DARK, LIGHT, load_theme
from tests.ui.answers import done
from tests.ui.at_desk import bills_page
from tests.ui.images import picture, saturation
from tests.ui.keyboard import paste_path
from tests.ui.reading import plain, rows_of
from tests.ui.sample_books import (
    EARLIER,
    ISSUED,
    LARGE,
    LONG_NAME,
    RUNNING,
    SampleOperator,
    make_proof,
    make_table,
)
from tests.ui.sample_snapshots import make_central

KARACHI = zone_of("Asia/Karachi")
DAYS = local_days(month_minutes(ISSUED, KARACHI), KARACHI)
ALT = Qt.KeyboardModifier.AltModifier


@pytest.fixture
def operator():
    return SampleOperator()


@pytest.fixture
def page(qtbot, operator):
    with bills_page(qtbot, operator) as made:
        yield made


def press(qtbot, page, *keys, modifier=Qt.KeyboardModifier.NoModifier):
    for key in keys:
        qtbot.keyClick(page.window().focusWidget(), key, modifier)
        QApplication.processEvents()


def arrive(qtbot, page, level):
    qtbot.waitUntil(lambda: page.place.level is level)


def choose_issued(qtbot, page):
    press(qtbot, page, Qt.Key.Key_M, modifier=ALT)
    assert page.month_choice.hasFocus()
    press(qtbot, page, Qt.Key.Key_Down)
    qtbot.waitUntil(lambda: page.place == Place(ISSUED))
    tab_to(qtbot, page, page.accounts.table)


def tab_to(qtbot, page, widget):
    for _ in range(8):
        if widget.hasFocus():
            return
        press(qtbot, page, Qt.Key.Key_Tab)
    pytest.fail("the Tab key does not reach it")


def texts(table, key):
    return table.texts(table.keys.index(key))


def open_minutes(qtbot, page, account="B", day=3):
    choose_issued(qtbot, page)
    page.accounts.table.select(account)
    press(qtbot, page, Qt.Key.Key_Return)
    arrive(qtbot, page, Level.DAYS)
    page.days.table.select(day)
    press(qtbot, page, Qt.Key.Key_Return)
    arrive(qtbot, page, Level.MINUTES)


def answer_otherwise(operator, **changes):
    """Change the operator's answer to some questions: a function of the proper answer."""
    operator.answer = lambda name, result: done(changes.get(name, lambda proper: proper)(result()))


def with_line(index, **changes):
    """Change an account of a book: of its statement, or of the line itself."""

    def changed(book):
        lines = list(book.lines)
        mine = {key: value for key, value in changes.items() if key in ("name", "check", "adjusted")}
        rest = {key: value for key, value in changes.items() if key not in mine}
        statement = msgspec.structs.replace(lines[index].statement, **rest)
        lines[index] = replace(lines[index], statement=statement, **mine)
        return replace(book, lines=tuple(lines))

    return changed


def test_from_the_month_to_the_proof_and_back_by_keyboard(qtbot, page):
    choose_issued(qtbot, page)
    press(qtbot, page, Qt.Key.Key_Down, Qt.Key.Key_Return)
    arrive(qtbot, page, Level.DAYS)
    press(qtbot, page, Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Return)
    arrive(qtbot, page, Level.MINUTES)
    press(qtbot, page, Qt.Key.Key_Down, Qt.Key.Key_Return)
    arrive(qtbot, page, Level.PROOF)
    assert page.place.account == "B"
    assert page.place.day == 2
    minute = page.place.minute
    assert minute == DAYS[2].start + 1
    steps = [button.text() for button in page.trail.buttons if button.isVisible()]
    assert steps == ["All accounts", "› House B", "› 3 Dec 2024", "› 00:01"]
    said = plain(page.proof.text.toPlainText())
    assert "0.025000 kWh × 8.00 coins/kWh (the contract's price) = 0.200000 coins to receive." in said
    for level in (Level.MINUTES, Level.DAYS, Level.ACCOUNTS):
        press(qtbot, page, Qt.Key.Key_Escape)
        assert page.place.level is level
    assert page.accounts.table.current_key() == "B"
    assert page.days.table.current_key() == 2
    assert page.minutes.table.current_key() == minute
    press(qtbot, page, Qt.Key.Key_Escape)
    assert page.place == Place(ISSUED)


def test_who_comes_back_finds_the_keyboard_where_it_was(qtbot, page):
    open_minutes(qtbot, page)
    page.output.csv_button.setFocus()
    page.refresh()
    QApplication.processEvents()
    assert page.output.csv_button.hasFocus()
    page.setFocus(Qt.FocusReason.ShortcutFocusReason)
    assert page.minutes.table.hasFocus()


def test_every_amount_leads_on_by_one_click(qtbot, page):
    open_minutes(qtbot, page)
    views = {
        Level.MINUTES: page.minutes.table,
        Level.DAYS: page.days.table,
        Level.ACCOUNTS: page.accounts.table,
    }
    for level, table in views.items():
        for row in range(min(4, len(table.keys))):
            for column, header in enumerate(table.texts(row)):
                cell = table.cell(table.model().index(row, column))
                named = table.model().headerData(column, Qt.Orientation.Horizontal)
                if named.endswith("coins") and not cell.quiet:
                    assert cell.link, (level, named, header)
    table = page.minutes.table
    place = table.visualRect(table.model().index(0, 9)).center()
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    arrive(qtbot, page, Level.PROOF)


def test_the_trail_leads_back_and_marks_where_one_is(qtbot, page):
    open_minutes(qtbot, page)
    tab_back = page.trail.buttons[1]
    tab_back.setFocus()
    press(qtbot, page, Qt.Key.Key_Space)
    assert page.place == Place(ISSUED, "B")
    assert [button.isChecked() for button in page.trail.buttons] == [False, True, False, False]
    page.trail.buttons[1].setFocus()
    press(qtbot, page, Qt.Key.Key_Space)
    assert [button.isChecked() for button in page.trail.buttons] == [False, True, False, False]
    assert page.place == Place(ISSUED, "B")


def test_all_accounts_with_a_total_that_reads_zero(qtbot, page):
    choose_issued(qtbot, page)
    assert page.accounts.table.keys == ("A", "B", "C", "D", "national_grid", "reserve", "losses", TOTAL)
    row = texts(page.accounts.table, TOTAL)
    assert (row[0], row[1], row[10]) == ("All accounts", "", "0.00")
    assert plain(page.accounts.balance.text()) == "All accounts add up to 0.00 coins"
    assert not page.accounts.balance.emphasised
    page.accounts.table.select(TOTAL)
    press(qtbot, page, Qt.Key.Key_Return)
    assert page.place == Place(ISSUED)
    findings = [texts(page.accounts.table, key)[13] for key in ("A", "B", "C", "D", "reserve")]
    assert findings == ["agrees", "differs", "unchecked", "not told", ""]


def test_a_total_that_is_not_zero_is_said_to_the_last_micro_coin(qtbot, page, operator):
    answer_otherwise(operator, month=lambda book: replace(book, total=-1))
    choose_issued(qtbot, page)
    assert texts(page.accounts.table, TOTAL)[1] == "not zero"
    assert page.accounts.balance.emphasised
    assert "not add up to zero but to \N{MINUS SIGN}0.000001" in page.accounts.balance.text()
    assert total_words(0) != total_words(1)


def test_a_month_that_runs_is_so_far_and_has_no_bill(qtbot, page):
    assert page.place == Place(RUNNING)
    assert page.accounts.state.text() == (
        "January 2025: so far, not billed. Settled up to 14 Jan 2025, 14:05 PKT"
    )
    assert page.month_choice.itemText(0) == "January 2025: so far, not billed"
    assert page.month_choice.itemText(1) == "December 2024: issued, adjusted"
    assert not page.output.print_button.isEnabled()
    assert not page.output.all_button.isEnabled()
    assert {texts(page.accounts.table, key)[13] for key in "ABCD"} == {""}
    page.accounts.table.setFocus()
    press(qtbot, page, Qt.Key.Key_Return)
    arrive(qtbot, page, Level.DAYS)
    assert page.days.table.texts(13)[1] == "845"
    assert not page.days.bill.isVisible()
    assert plain(page.days.title.text()).endswith("so far 3,784.48 coins to pay")


def test_adjustments_stand_beside_the_issued_amount_with_their_causes(qtbot, page):
    choose_issued(qtbot, page)
    row = texts(page.accounts.table, "A")
    assert (row[10], row[11]) == ("\N{MINUS SIGN}8,511.00", "\N{MINUS SIGN}2.35")
    listed = page.accounts.adjustments
    assert [listed.texts(row)[0] for row in range(3)] == ["House A", "House B", "Reserve"]
    assert listed.texts(0)[3].startswith("Corrected reading: The reading of 12 December")
    assert listed.texts(1)[3] == "Corrected reading of another account changed this one's share"
    page.accounts.adjustments.setFocus()
    press(qtbot, page, Qt.Key.Key_Home, Qt.Key.Key_Return)
    arrive(qtbot, page, Level.DAYS)
    assert "adjusted since by \N{MINUS SIGN}2.35" in page.days.adjusted.text()
    press(qtbot, page, Qt.Key.Key_M, modifier=ALT)
    press(qtbot, page, Qt.Key.Key_Down)
    qtbot.waitUntil(lambda: page.place == Place(EARLIER))
    assert not page.accounts.adjustments.isVisible()


def test_days_have_what_the_bill_says_and_add_up(qtbot, page):
    choose_issued(qtbot, page)
    page.accounts.table.select("B")
    press(qtbot, page, Qt.Key.Key_Return)
    arrive(qtbot, page, Level.DAYS)
    said = plain(page.days.bill.text())
    assert said.startswith("Mean rate 8.00 coins/kWh")
    assert "penalty, asked to raise and not delivered: 0.06 kWh, \N{MINUS SIGN}1.08 coins" in said
    assert page.days.agreed.text().endswith("the house's check: differs")
    assert page.days.table.texts(31)[0] == "All days"
    assert page.days.table.texts(31)[8] == texts(page.accounts.table, "B")[10]
    page.days.table.select(-1)
    press(qtbot, page, Qt.Key.Key_Return)
    assert page.place.level is Level.DAYS


def test_minutes_of_a_kind_are_found_by_keyboard(qtbot, page):
    open_minutes(qtbot, page)
    assert len(page.minutes.table.keys) == 1440
    said = "House B  ·  2 Garden Lane  ·  producer  ·  4 Dec 2024, Asia/Karachi  ·  263.17 coins to receive"
    assert plain(page.minutes.title.text()) == said
    assert page.minutes.table.texts(130)[4] == "tariff"
    press(qtbot, page, Qt.Key.Key_H, modifier=ALT)
    press(qtbot, page, Qt.Key.Key_Down)
    assert page.minutes.count.text() == "10 of 1,440 minutes"
    assert page.minutes.table.texts(0)[0] == "18:20"
    assert page.minutes.table.texts(0)[7:9] == ["0.0017", "\N{MINUS SIGN}0.0293"]


def test_what_was_estimated_is_marked_on_the_way_down(qtbot, page):
    day = next(number for number, day in enumerate(DAYS) if make_table(2, day).estimated.any())
    open_minutes(qtbot, page, "C", day)
    assert texts(page.accounts.table, "C")[12] == "60"
    assert page.days.table.texts(day)[9] == "12"
    page.minutes.which.setFocus()
    press(qtbot, page, Qt.Key.Key_End)
    assert page.minutes.count.text() == "12 of 1,440 minutes"
    row = page.minutes.table.texts(0)
    assert row[0] == "10:00"
    assert row[2].startswith("≈")
    assert row[10] == "estimated"


def test_minutes_of_a_day_of_25_hours_have_their_own_times():
    zone = zone_of("Europe/Berlin")
    (day,) = (day for day in local_days(month_minutes("2024-10", zone), zone) if len(day) == 1500)
    rows = minute_rows(make_table(0, day), "Europe/Berlin", np.arange(1500))
    assert len({row[0].text for row in rows}) == 1500
    assert (rows[150][0].text, rows[210][0].text) == ("02:30:00 CEST", "02:30:00 CET")
    part = range(day.start, day.start + 60)
    assert minute_rows(make_table(0, part), "Europe/Berlin", np.arange(60))[59][0].text == "00:59"


def test_a_common_account_has_days_and_minutes_but_no_meter(qtbot, page, operator):
    open_minutes(qtbot, page, "reserve")
    press(qtbot, page, Qt.Key.Key_Return)
    assert page.place.level is Level.MINUTES
    assert page.notice.text().startswith("Reserve has no meter")
    assert "proof" not in {asked[0] for asked in operator.asked}
    assert not page.output.print_button.isEnabled()


def test_a_long_name_and_a_large_amount_cut_no_number(qtbot, page, operator):
    large = dict.fromkeys(("total", "microgrid_amount"), -LARGE)
    answer_otherwise(operator, month=with_line(0, name=LONG_NAME, **large))
    choose_issued(qtbot, page)
    table = page.accounts.table
    assert texts(table, "A")[10] == "\N{MINUS SIGN}123,456,789.01"
    assert texts(table, "A")[1] == LONG_NAME
    for column in range(2, 13):
        if table.cell(table.model().index(0, column)).align_right:
            assert table.columnWidth(column) >= table._wanted[column]
    assert table.horizontalScrollBar().maximum() == 0
    assert page.window().width() == 1280
    press(qtbot, page, Qt.Key.Key_Return)
    arrive(qtbot, page, Level.DAYS)
    assert LONG_NAME in page.days.title.text()
    assert page.window().width() == 1280


@pytest.mark.parametrize("question", ["days", "minutes", "proof"])
def test_a_fault_is_said_in_words_and_one_stays_where_one_is(qtbot, page, operator, question):
    choose_issued(qtbot, page)
    table = page.accounts.table
    for view, level in ((page.days, Level.DAYS), (page.minutes, Level.MINUTES), (page.proof, Level.PROOF)):
        if question == ("days", "minutes", "proof")[level - 1]:
            failed: Future[object] = Future()
            failed.set_exception(OrderRefused("The database is being repaired; try again in a minute."))
            operator.answer = lambda name, result: failed  # noqa: B023
            press(qtbot, page, Qt.Key.Key_Return)
            qtbot.waitUntil(lambda: page.notice.emphasised)
            assert page.notice.text() == "! The database is being repaired; try again in a minute."
            assert page.place.level == level - 1
            assert table.hasFocus()
            return
        press(qtbot, page, Qt.Key.Key_Return)
        arrive(qtbot, page, level)
        table = view.table


def test_a_fault_that_is_no_refusal_is_said_too(qtbot, page, operator):
    failed: Future[object] = Future()
    failed.set_exception(OSError("the disk is full"))
    operator.answer = lambda name, result: failed
    page.refresh()
    qtbot.waitUntil(lambda: page.notice.emphasised)
    assert page.notice.text() == "! This could not be had: the disk is full"
    operator.answer = lambda name, result: done(result())
    page.refresh()
    qtbot.waitUntil(lambda: not page.notice.emphasised)


def test_no_months_yet_is_said(qtbot, page, operator):
    answer_otherwise(operator, months=lambda months: ())
    page.refresh()
    qtbot.waitUntil(lambda: "nothing to bill" in page.notice.text())


def test_only_the_newest_answer_is_taken(qtbot, page, operator):
    choose_issued(qtbot, page)
    slow: Future[object] = Future()
    answer = operator.days(ISSUED, "A").result()
    operator.answer = lambda name, result: slow
    press(qtbot, page, Qt.Key.Key_Return)
    operator.answer = lambda name, result: done(result())
    page.accounts.table.select("B")
    press(qtbot, page, Qt.Key.Key_Return)
    arrive(qtbot, page, Level.DAYS)
    slow.set_result(answer)
    QApplication.processEvents()
    assert page.place == Place(ISSUED, "B")
    assert page.days.title.text().startswith("House B")


def test_leaving_does_not_wait_for_an_answer_that_is_under_way(qtbot, page, operator):
    choose_issued(qtbot, page)
    press(qtbot, page, Qt.Key.Key_Return)
    arrive(qtbot, page, Level.DAYS)
    slow: Future[object] = Future()
    operator.answer = lambda name, result: slow
    press(qtbot, page, Qt.Key.Key_Return, Qt.Key.Key_Escape)
    assert page.place == Place(ISSUED)
    slow.set_result(make_table(0, range(0, 10)))
    QApplication.processEvents()
    assert page.place == Place(ISSUED)


def test_when_papers_were_issued_what_is_shown_is_asked_for_anew(qtbot, page, operator):
    open_minutes(qtbot, page)
    place = page.place
    operator.asked.clear()
    snapshot = make_central()
    page.show_snapshot(snapshot)
    page.show_snapshot(replace(snapshot, work=Work("Settling December 2024", 3, 31)))
    page.show_snapshot(snapshot)
    assert operator.asked == []
    snapshot = replace(snapshot, papers=1)
    page.show_snapshot(snapshot)
    qtbot.waitUntil(lambda: len(operator.asked) == 3)
    assert [asked[0] for asked in operator.asked] == ["months", "month", "minutes"]
    QApplication.processEvents()
    assert page.place == place
    page.minutes.table.setFocus()
    press(qtbot, page, Qt.Key.Key_Escape)
    arrive(qtbot, page, Level.DAYS)
    assert [asked[0] for asked in operator.asked] == ["months", "month", "minutes", "days"]
    page.show_snapshot(snapshot)
    assert len(operator.asked) == 4


def test_a_reading_is_corrected_from_its_proof(qtbot, page):
    open_minutes(qtbot, page, "A")
    press(qtbot, page, Qt.Key.Key_Return)
    arrive(qtbot, page, Level.PROOF)
    with qtbot.waitSignal(page.correction_wanted) as wanted:
        press(qtbot, page, Qt.Key.Key_O, modifier=ALT)
    assert wanted.args == [page.proof.proof]
    assert wanted.args[0] == make_proof("A", page.place.minute)


@pytest.mark.parametrize("name", [LIGHT, DARK])
def test_no_screen_of_the_bills_has_a_colour(qtbot, page, name):
    theme = load_theme(name)
    page.window().setPalette(theme.palette())
    page.window().setStyleSheet(theme.style_sheet())
    page.set_theme(theme)
    open_minutes(qtbot, page)
    press(qtbot, page, Qt.Key.Key_Return)
    arrive(qtbot, page, Level.PROOF)
    for _ in Level:
        assert saturation(picture(page.window())).max() < 0.05
        press(qtbot, page, Qt.Key.Key_Escape)


def test_a_bill_as_pdf(qtbot, page, tmp_path):
    choose_issued(qtbot, page)
    page.accounts.table.select("B")
    assert page.output.scope.text() == "Bill of house B"
    press(qtbot, page, Qt.Key.Key_F, modifier=ALT)
    paste_path(qtbot, page, tmp_path / "mine")
    assert (tmp_path / "mine.pdf").read_bytes().startswith(b"%PDF-")
    assert page.notice.text() == f"The bill was written to {tmp_path / 'mine.pdf'}"


def test_a_bill_that_cannot_be_written_is_said(qtbot, page, tmp_path):
    choose_issued(qtbot, page)
    (tmp_path / "bill.pdf.part").mkdir()
    press(qtbot, page, Qt.Key.Key_F, modifier=ALT)
    paste_path(qtbot, page, tmp_path / "bill.pdf")
    assert page.notice.text().startswith("! It could not be written: Is a directory")


def test_all_bills_one_file_a_house(qtbot, page, tmp_path):
    choose_issued(qtbot, page)
    press(qtbot, page, Qt.Key.Key_A, modifier=ALT)
    paste_path(qtbot, page, tmp_path)
    qtbot.waitUntil(lambda: page.notice.text().startswith("4 bills were written"), timeout=10000)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f"bill-2024-12-{house}.pdf" for house in "ABCD"
    ]
    assert not page.output.bar.isVisible()
    assert page.output.all_button.isEnabled()


def test_long_work_can_be_cancelled_and_shows_how_far_it_is(qtbot, page, operator, tmp_path):
    choose_issued(qtbot, page)
    slow: Future[object] = Future()
    operator.answer = lambda name, result: slow
    press(qtbot, page, Qt.Key.Key_C, modifier=ALT)
    paste_path(qtbot, page, tmp_path)
    qtbot.waitUntil(page.output.bar.isVisible)
    assert not page.output.csv_button.isEnabled()
    qtbot.waitUntil(lambda: page.window().focusWidget() is page.output.cancel_button)
    press(qtbot, page, Qt.Key.Key_Space)
    assert not page.output.bar.isVisible()
    assert page.output.csv_button.isEnabled()
    slow.set_result(())
    QApplication.processEvents()
    assert list(tmp_path.iterdir()) == []


def test_a_question_that_fails_ends_the_work_with_a_word(qtbot, page, operator, tmp_path):
    choose_issued(qtbot, page)
    failed: Future[object] = Future()
    failed.set_exception(OrderRefused("The month is being settled; try again in a minute."))
    operator.answer = lambda name, result: failed
    press(qtbot, page, Qt.Key.Key_C, modifier=ALT)
    paste_path(qtbot, page, tmp_path)
    qtbot.waitUntil(lambda: page.notice.emphasised)
    assert (
        page.notice.text() == "! It could not be written: The month is being settled; try again in a minute."
    )
    assert not page.output.bar.isVisible()


def test_csv_of_everything(qtbot, page, tmp_path):
    open_minutes(qtbot, page, "A")
    press(qtbot, page, Qt.Key.Key_C, modifier=ALT)
    paste_path(qtbot, page, tmp_path)
    qtbot.waitUntil(lambda: "were written" in page.notice.text(), timeout=20000)
    files = {path.name: rows_of(path) for path in tmp_path.iterdir()}
    assert {name: len(rows) for name, rows in files.items()} == {
        "accounts-2024-12.csv": 7,
        "adjustments-2024-12.csv": 3,
        "days-2024-12.csv": 7 * 31,
        "minutes-2024-12-A.csv": 31 * 1440,
        "waivers-2024-12.csv": 0,
    }
    total = files["accounts-2024-12.csv"][0]["total_coins"]
    for name in ("days-2024-12.csv", "minutes-2024-12-A.csv"):
        mine = [row["total_coins"] for row in files[name] if row["account"] == "A"]
        assert f"{sum(round(float(coins) * 1e6) for coins in mine) / 1e6:.6f}" == total


def test_csv_without_an_open_account_has_no_minutes(qtbot, page, tmp_path):
    press(qtbot, page, Qt.Key.Key_C, modifier=ALT)
    paste_path(qtbot, page, tmp_path)
    qtbot.waitUntil(lambda: "were written" in page.notice.text(), timeout=20000)
    assert {path.name.partition("-")[0] for path in tmp_path.iterdir()} == {
        "accounts", "adjustments", "days", "waivers",
    }  # fmt: skip
