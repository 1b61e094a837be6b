"""The installer's page by keyboard alone: the checks in words, the exchange of the meter, the sheet."""

from dataclasses import replace

import pytest
from PySide6.QtCore import QStandardPaths, Qt
from PySide6.QtWidgets import QApplication, QLineEdit, QPushButton

from house_client.household import Refused
from house_client.snapshot import MeterState
from house_client.ui.commissioning_page import CommissioningPage
from house_client.ui.commissioning_sheet import Sheet, sheet_html
from house_client.ui.commissioning_words import finding_words, flag_words, to_do_words, verdict_word
from house_client.ui.exchange_dialogs import BeginDialog, ExchangeDialog
from microgrid.commissioning import Check, CheckKind, Expected, Finding, Flow, Verdict
from microgrid.sample import MeterFlag
from node.qt.format import MINUS
from node.qt.paper import document_of
from node.qt.text import TextLine
from node.qt.theme import DARK, LIGHT, load_theme
from node.qt.value import ValueWidget
from simulation.wiring import Wiring
from tests.ui.images import grey, picture, place_in, saturation
from tests.ui.installer import NEW, SWAP, UNDER_WAY, InstallersHousehold, stretch

SIZES = [((1004, 379), 1.0), ((780, 278), 0.78)]  # the page's place in the kiosk's window
SWAPPED = Wiring(current_of=(1, 0, 2))


@pytest.fixture
def household():
    return InstallersHousehold()


@pytest.fixture
def page(qtbot, household):
    made = CommissioningPage(household)
    qtbot.addWidget(made)
    made.setStyleSheet(load_theme(LIGHT).style_sheet())
    made.set_theme(load_theme(LIGHT))
    made.set_scale(1.0)
    made.resize(*SIZES[0][0])
    made.show()
    made.activateWindow()
    qtbot.waitUntil(made.isActiveWindow)
    return made


def hear(page, wiring=None, **change):
    for snapshot in stretch(**({} if wiring is None else {"wiring": wiring}), **change):
        page.show_snapshot(snapshot)
    return snapshot


def push(qtbot, window, letter):
    """Press the button of this mnemonic; Qt lets go of it a moment later."""
    button = next(
        b for b in window.findChildren(QPushButton) if b.isVisible() and f"&{letter}" in b.text().lower()
    )
    with qtbot.waitSignal(button.clicked):
        qtbot.keyClick(window, letter, Qt.KeyboardModifier.AltModifier)


def chosen(page):
    return page.checks.check.kind


def verdicts(page):
    return {check.kind: check.verdict for check in page.results}


def test_a_meter_wired_rightly(page):
    hear(page)
    assert set(verdicts(page).values()) == {Verdict.RIGHT}
    assert page.overall.text() == "In order: every check is right"
    assert [value.reading.shown for value in page.phases.powers] == [f"{MINUS}0.87"] * 3
    assert [line.text() for line in page.phases.directions] == ["draws"] * 3
    assert [value.reading.quantity.unit for value in page.phases.power_factors] == ["lag", "lead", ""]
    assert page.found.text() == "231.4, 229.8, 230.6\N{NO-BREAK SPACE}V: alike, and between 207 and 253 V."
    assert page.to_do.text() == ""


def test_a_swap_is_explained_before_what_follows_from_it(page):
    hear(page, SWAPPED)
    assert page.overall.text() == "Not in order: 2 wrong, 0 not yet telling"
    assert page.found.text() == "The current transformers of phases 1 and 2 are swapped."
    assert page.to_do.text().startswith("Switch off; exchange these two transformers")


def test_the_expected_direction_is_chosen_by_keyboard(page, qtbot):
    hear(page, power_w=2600)
    assert verdicts(page)[CheckKind.DIRECTION] is Verdict.WRONG
    assert page.found.text() == "Every phase gives power, though the house is said to draw."
    push(qtbot, page, "e")
    assert page.expected == Expected(Flow.EXPORTS)
    assert page.overall.text() == "In order: every check is right"
    push(qtbot, page, "d")
    assert page.expected.flow is Flow.DRAWS


def test_a_house_on_one_phase_is_chosen_by_keyboard(page, qtbot):
    hear(page, voltage_v=(230.0, 0.0, 0.0), current_a=(5.0, 0.0, 0.0))
    assert page.found.text() == "No voltage on phases 2 and 3."
    push(qtbot, page, "1")
    assert page.expected.phases == (1,)
    assert page.overall.text() == "In order: every check is right"
    push(qtbot, page, "1")
    assert page.expected.phases == (1, 2, 3)


def test_another_check_is_read_by_arrow_keys_and_stays_chosen(page, qtbot):
    hear(page)
    page.checks.setFocus()
    for _ in range(7):
        qtbot.keyClick(page.checks, Qt.Key.Key_Down)
    assert page.found.text() == "The import counter moves as the power does."
    page.show_snapshot(stretch()[-1])
    assert chosen(page) == CheckKind.COUNTERS
    for _ in range(20):
        qtbot.keyClick(page.checks, Qt.Key.Key_Up)
    assert chosen(page) == CheckKind.VOLTAGE
    page.refresh()
    hear(page, SWAPPED)
    assert chosen(page) == CheckKind.SWAPPED


def test_a_check_is_read_by_a_touch(page, qtbot):
    hear(page)
    place = page.checks.rect().bottomLeft()
    qtbot.mouseClick(page.checks, Qt.MouseButton.LeftButton, pos=place + place.__class__(20, -8))
    assert chosen(page) == CheckKind.FLAGS


def test_a_silent_meter_is_no_reading_and_begins_anew(page):
    snapshot = hear(page)
    page.show_snapshot(replace(snapshot, meter=MeterState.SILENT))
    assert {value.reading.shown for value in page.phases.powers} == {"—"}
    assert {line.text() for line in page.phases.directions} == {""}
    assert set(verdicts(page).values()) == {Verdict.OPEN}
    assert page.found.text() == "Listening to the meter; a few packets more are wanted."


# --- exchange of the meter ------------------------------------------------------------------------------


def begin(page, qtbot):
    """Open the first dialog, and bring it to the front."""
    page.activateWindow()
    qtbot.waitUntil(page.isActiveWindow)
    push(qtbot, page, "x")
    qtbot.waitUntil(lambda: page.dialog is not None and page.dialog.isActiveWindow())
    return page.dialog


def fill(qtbot, *texts):
    for text in texts:
        focused = QApplication.focusWidget()
        assert isinstance(focused, QLineEdit)
        qtbot.keyClicks(focused, text)
        qtbot.keyClick(focused, Qt.Key.Key_Tab)


def test_an_exchange_from_beginning_to_end_by_keyboard(page, household, qtbot):
    snapshot = hear(page)
    opened: list[object] = []
    page.opened.connect(opened.append)
    dialog = begin(page, qtbot)
    assert isinstance(dialog, BeginDialog)
    qtbot.waitUntil(dialog.isActiveWindow)
    dialog.installer.setFocus()
    fill(qtbot, "Asif", "broken display")
    qtbot.keyClick(dialog, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: isinstance(page.dialog, ExchangeDialog))
    assert household.calls == [("begin_swap", "Asif", "broken display")]
    second = page.dialog
    page.show_snapshot(replace(snapshot, swap=UNDER_WAY))
    assert page.exchange.text() == "E&xchanging …"
    assert "import 7,200 Ws, export 5,000,000 Ws, generation 44 Ws" in second.old.text()
    assert second.new.text() == "New meter: not heard yet. Put it on and plug its cable in."

    household.answers["finish_swap"] = Refused("The new meter is not heard yet.")
    qtbot.keyClick(second, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: second.fault == "The new meter is not heard yet.")

    heard = replace(UNDER_WAY, new=NEW, new_meter="1.0.4, start 9")
    page.show_snapshot(replace(snapshot, swap=heard))
    assert "import 0 Ws, export 77 Ws, generation 0 Ws" in second.new.text()
    assert "same one" not in second.new.text()
    page.show_snapshot(replace(snapshot, swap=replace(heard, like_old=True)))
    assert "is it the same one?" in second.new.text()

    household.answers["finish_swap"] = SWAP
    qtbot.keyClick(second, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: page.swap == SWAP)
    assert page.told.text().startswith("Exchanged")
    assert len(opened) == 2


def test_who_and_why_are_asked_at_their_fields(page, household, qtbot):
    hear(page)
    dialog = begin(page, qtbot)
    qtbot.keyClick(dialog, Qt.Key.Key_Return)
    assert dialog.installer.fault
    assert dialog.reason.fault
    assert household.calls == []
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible()
    assert household.calls == []


def test_a_refused_beginning_is_said_in_the_dialog(page, household, qtbot):
    household.answers["begin_swap"] = Refused("The meter is not heard, so its last counters cannot be kept.")
    hear(page)
    dialog = begin(page, qtbot)
    dialog.installer.set_value("Asif")
    dialog.reason.set_value("dead")
    qtbot.keyClick(dialog, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "cannot be kept" in dialog.fault)
    assert page.dialog is dialog
    assert dialog.installer.value() == "Asif"


def test_an_exchange_goes_on_later_or_is_given_up(page, household, qtbot):
    snapshot = replace(hear(page), swap=UNDER_WAY)
    page.show_snapshot(snapshot)
    dialog = begin(page, qtbot)
    assert isinstance(dialog, ExchangeDialog)
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)  # later
    assert household.calls == []
    dialog = begin(page, qtbot)
    qtbot.keyClick(dialog, "o", Qt.KeyboardModifier.AltModifier)
    qtbot.waitUntil(lambda: dialog.what.value() is False)
    qtbot.keyClick(dialog, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: household.calls == [("cancel_swap",)])
    qtbot.waitUntil(lambda: page.told.text() == "The old meter stays.")
    assert page.swap is None


# --- the sheet -------------------------------------------------------------------------------------------


def test_the_sheet_says_everything_and_takes_no_name_for_markup(page):
    snapshot = hear(page, SWAPPED)
    html = sheet_html(Sheet(snapshot, page.expected, page.results, SWAP))
    text = document_of(html).toPlainText()
    for words in (
        "Commissioning of house B", "Not in order: 2 wrong", "the house draws, its source is off",
        "Phase 3", "wrong", "The current transformers of phases 1 and 2 are swapped.", "Asif <Co>",
        "import 7,200 Ws, export 5,000,000 Ws, generation 44 Ws", "1.0.4, start 9", "Place and date",
    ):  # fmt: skip
        assert words in text
    right = sheet_html(Sheet(snapshot, page.expected, page.results))
    assert "Meter exchanged" not in document_of(right).toPlainText()


def test_the_sheet_is_saved_or_it_is_said_why_not(page, qtbot, tmp_path, monkeypatch):
    hear(page)
    folder = tmp_path / "documents"
    monkeypatch.setattr(QStandardPaths, "writableLocation", lambda _: str(folder))
    push(qtbot, page, "f")
    assert (folder / "commissioning-B.pdf").read_bytes().startswith(b"%PDF")
    assert page.told.text() == f"Saved as {folder / 'commissioning-B.pdf'}"
    folder.rename(tmp_path / "elsewhere")
    folder.write_text("a file in its place")
    page.saving.click()
    assert page.told.text().startswith("Not saved: ")


# --- words and looks -------------------------------------------------------------------------------------


@pytest.mark.parametrize("finding", Finding)
def test_every_finding_has_words_and_every_fault_something_to_do(finding):
    figures = (231.0, 0.0, -2600.0) if finding is not Finding.SUM_DIFFERS else (1.0, 2.0)
    for verdict in Verdict:
        check = Check(CheckKind.COUNTERS, verdict, finding, (2,), figures, MeterFlag.SUPPLY_LOW)
        words = finding_words(check, Expected(Flow.DRAWS))
        assert words.endswith((".", "?"))
        assert "{" not in words + to_do_words(check)
        if verdict is Verdict.WRONG and finding not in (Finding.GOOD, Finding.ONE_PHASE):
            assert to_do_words(check)
    assert len({verdict_word(verdict) for verdict in Verdict}) == 3


def test_every_flag_has_words():
    assert len({flag_words(flag) for flag in MeterFlag}) == len(MeterFlag)
    assert flag_words(MeterFlag.SUPPLY_LOW | MeterFlag.REVERSE_FLOW) == "reverse flow, its supply is low"


@pytest.mark.parametrize(("size", "scale"), SIZES)
@pytest.mark.parametrize("wiring", [Wiring(), SWAPPED, Wiring((1, 0, 2), (False, False, True))])
def test_everything_is_in_view_and_nothing_overlaps_or_is_cut(page, qtbot, size, scale, wiring):
    page.set_scale(scale)
    hear(page, wiring)
    qtbot.wait(1)  # texts that have been scaled make room
    page.resize(*size)
    qtbot.wait(1)
    picture(page)
    assert (page.width(), page.height()) == size
    shown = [
        part
        for kind in (QPushButton, TextLine, ValueWidget)
        for part in page.findChildren(kind)
        if part.isVisible()
    ]
    shown += [page.checks, page.found, page.to_do]
    places = [place_in(part, page) for part in shown]
    for number, place in enumerate(places):
        assert page.rect().contains(place), shown[number]
        assert not any(place.intersects(other) for other in places[number + 1 :]), shown[number]
    assert [line.text() for line in page.findChildren(TextLine) if line.toolTip()] == []
    for paragraph in (page.found, page.to_do):
        assert paragraph.height() >= paragraph.heightForWidth(paragraph.width())
    for button in page.findChildren(QPushButton):
        assert min(button.width(), button.height()) >= 48


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_no_colour_and_what_is_wrong_is_seen_in_grey(page, theme):
    page.setStyleSheet(load_theme(theme).style_sheet())
    page.setPalette(load_theme(theme).palette())
    page.set_theme(load_theme(theme))
    hear(page, SWAPPED)
    drawn, place = picture(page), place_in(page.checks, page)
    assert saturation(drawn).max() < 0.05
    rows = grey(drawn[place.top() : place.bottom() + 1, place.left() : place.right()]).mean(axis=1)
    height = len(rows) / len(CheckKind)
    means = [rows[round(n * height) : round((n + 1) * height)].mean() for n in range(len(CheckKind))]
    right = means[1]
    wrong = means[list(CheckKind).index(CheckKind.DIRECTION)]
    assert abs(wrong - right) > 80, means
