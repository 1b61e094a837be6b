"""The kiosk against the checks for screens: every page, healthy and upset, on both sizes of screen."""

from dataclasses import replace

import msgspec
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenuBar, QPushButton, QWidget

from house_client.snapshot import CentralState, MeterState
from house_client.ui.bill_page import news_of
from house_client.ui.buttons import NoticeButton
from house_client.ui.main_window import BILL, CONTRACT, HOME, METER, SETUP, HouseWindow
from house_client.ui.presentation import direction_words
from microgrid.sample import Quality
from node.qt.format import MINUS
from node.qt.symbols import BreakerWidget
from node.qt.text import TextBlock, TextLine
from node.qt.theme import DARK, LIGHT
from node.qt.value import ValueState, ValueWidget
from tests.ui.fake_household import FakeHousehold
from tests.ui.images import picture, place_in, saturation
from tests.ui.sample_house import STATES, make_adjustment, make_bill, make_buyer, make_seller, received
from tests.ui.sample_snapshots import make_kiosk, make_sample

SIZES = [(1024, 600), (800, 480)]


@pytest.fixture
def window(qtbot, settings):
    made = HouseWindow(settings, FakeHousehold())
    qtbot.addWidget(made)
    made.show()
    return made


def show(window, size, snapshot, page=HOME):
    window.resize(*size)
    window.show_snapshot(snapshot)
    window.pages.choose(page)
    for _ in range(4):
        QApplication.processEvents()  # texts that have been scaled find their places
    picture(window)


def parts(window) -> list[QWidget]:
    kinds = (TextLine, TextBlock, ValueWidget, BreakerWidget, QPushButton)
    return [part for kind in kinds for part in window.findChildren(kind) if part.isVisible()]


# --- every page and state ---------------------------------------------------------------------------


@pytest.mark.parametrize("page", [HOME, METER, CONTRACT, BILL])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("state", STATES)
def test_everything_is_inside_the_screen_and_nothing_overlaps(window, size, state, page):
    show(window, size, STATES[state], page)
    assert window.size().toTuple() == size
    shown = parts(window)
    places = [place_in(part, window) for part in shown]
    for index, place in enumerate(places):
        assert window.rect().contains(place)
        others = [other for other in places[index + 1 :] if place.intersects(other)]
        assert others == [], shown[index].accessibleName()


@pytest.mark.parametrize("page", [HOME, METER, CONTRACT, BILL])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("state", STATES)
def test_no_text_is_shortened(window, size, state, page):
    show(window, size, STATES[state], page)
    lines = [
        *window.findChildren(TextLine),
        *window.findChildren(TextBlock),
        *window.findChildren(NoticeButton),
    ]
    shortened = [line.toolTip() for line in lines if line.isVisible() and line.toolTip()]
    if state == "refused":  # the whole refusal is read in the dialog
        shortened = [tip for tip in shortened if "solar price" not in tip]
    assert shortened == []


@pytest.mark.parametrize("page", [HOME, METER, CONTRACT, BILL, SETUP])
@pytest.mark.parametrize("size", SIZES)
def test_touch_targets(window, size, page):
    show(window, size, STATES["beyond"], page)
    for button in window.findChildren(QPushButton):
        assert not button.isVisible() or min(button.size().toTuple()) >= 48
    assert window.findChildren(QMenuBar) == []


@pytest.mark.parametrize("theme", [LIGHT, DARK])
@pytest.mark.parametrize("page", [HOME, METER, CONTRACT, BILL])
@pytest.mark.parametrize("state", ["seller", "beyond"])
def test_no_colour_at_all(window, state, theme, page):
    window.set_theme(theme)
    show(window, SIZES[1], STATES[state], page)
    assert saturation(picture(window)).max() < 0.05


@pytest.mark.parametrize("page", [HOME, METER, CONTRACT, BILL, SETUP])
def test_clock_link_and_meter_are_in_view_on_every_page(window, page):
    show(window, SIZES[1], STATES["unlinked"], page)
    assert window.clock.text() == "14:05:09 PKT"
    assert window.central_line.text().startswith("Connecting to the central: no answer")
    assert window.meter_line.text() == "Meter heard, 0 s ago"
    assert window.waiting_line.text() == "Minutes waiting: 17"
    for line in (window.clock, window.central_line, window.meter_line, window.waiting_line):
        assert line.isVisible()


@pytest.mark.parametrize("size", SIZES)
def test_large_numbers_do_not_move_the_layout(window, size):
    for page, value in ((HOME, window.home.now), (METER, window.meter)):
        show(window, size, make_seller(), page)
        before = [place_in(part, window) for part in value.findChildren(QWidget)]
        sample = msgspec.structs.replace(make_sample(-1_234_500, 1_234_500), voltage_v=(1234.5,) * 3)
        large = replace(
            make_seller(), sample=sample, export_ws=98_765_432 * 3_600_000, name="A very long name " * 5
        )
        show(window, size, large, page)
        assert [place_in(part, window) for part in value.findChildren(QWidget)] == before


# --- pages and keyboard -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "page"),
    [(Qt.Key.Key_M, METER), (Qt.Key.Key_C, CONTRACT), (Qt.Key.Key_B, BILL), (Qt.Key.Key_S, SETUP)],
)
def test_pages_are_reached_by_keyboard(window, qtbot, key, page):
    show(window, SIZES[1], make_seller())
    with qtbot.waitActive(window):
        window.activateWindow()
    qtbot.keyClick(window.home, key, Qt.KeyboardModifier.AltModifier)
    qtbot.waitUntil(lambda: window.pages.index == page)
    window.pages.buttons[HOME].setFocus()
    qtbot.keyClick(window.pages.buttons[HOME], Qt.Key.Key_Space)
    assert window.pages.index == HOME


def test_a_page_that_is_chosen_shows_the_last_snapshot(window):
    show(window, SIZES[1], make_seller())
    window.show_snapshot(replace(make_seller(), sample=make_sample(777, 900)))
    window.pages.choose(METER)
    assert window.meter.exchange.now.power.reading.shown == "+0.78"


def test_dark_screen_is_kept(window, qtbot, settings):
    show(window, SIZES[1], make_seller(), SETUP)
    window.activateWindow()
    window.theme_button.setFocus()
    qtbot.keyClick(window.theme_button, Qt.Key.Key_Space)
    window.close()
    assert settings.value("house/theme") == DARK
    assert HouseWindow(settings).theme_button.isChecked()


def test_without_a_house_set_up_comes_first_and_stays(qtbot, settings):
    made = HouseWindow(settings, FakeHousehold(house=""), idle_ms=1)
    qtbot.addWidget(made)
    made.show()
    assert made.pages.index == SETUP
    qtbot.waitUntil(lambda: made.idle.is_idle)
    made.show_snapshot(make_seller())
    assert made.pages.index == SETUP


# --- nobody there -----------------------------------------------------------------------------------


def touch(window):
    QTest.mouseClick(window.windowHandle(), Qt.MouseButton.LeftButton, pos=QPoint(400, 12))


def test_two_minutes_without_touch_lead_home(qtbot, settings):
    made = HouseWindow(settings, FakeHousehold(), idle_ms=400)
    qtbot.addWidget(made)
    made.show()
    made.show_snapshot(make_seller())
    touch(made)
    made.pages.choose(METER)
    qtbot.waitUntil(lambda: made.pages.index == HOME, timeout=2000)


def test_touch_and_keys_put_it_off(window, qtbot):
    show(window, SIZES[1], make_seller(), METER)
    for act in (touch, lambda w: QTest.keyClick(w.windowHandle(), Qt.Key.Key_Shift)):
        with qtbot.waitSignal(window.idle.touched):
            act(window)
    assert not window.idle.is_idle


def test_a_new_bill_stands_first_until_somebody_is_there(qtbot, settings):
    made = HouseWindow(settings, FakeHousehold(), idle_ms=1)
    qtbot.addWidget(made)
    made.show()
    show(made, SIZES[1], make_seller())
    qtbot.waitUntil(lambda: made.idle.is_idle)
    newest = received(make_bill())
    made.show_snapshot(replace(make_seller(), bill=newest))
    assert made.pages.index == BILL
    assert settings.value("house/bill_seen") is None
    touch(made)
    assert settings.value("house/bill_seen") == news_of(newest)
    qtbot.waitUntil(lambda: made.pages.index == HOME, timeout=2000)


def test_home_keeps_the_newest_bill_and_opens_it(window, qtbot, settings):
    newest = received(make_bill(), 4_320_000)
    show(window, SIZES[1], replace(make_buyer(), bill=newest))
    assert window.home.bill.lines == (
        "November 2024: 4,187.59\N{NO-BREAK SPACE}coins to pay",
        "Bill differs by 1.2\N{NO-BREAK SPACE}kWh: ask before you pay",
    )
    window.activateWindow()
    window.home.bill.setFocus()
    qtbot.keyClick(window.home.bill, Qt.Key.Key_Space)
    assert window.pages.index == BILL
    assert settings.value("house/bill_seen") == news_of(newest)


def test_a_bill_looked_at_is_no_longer_emphasised(window):
    snapshot = replace(make_buyer(), bill=received(make_bill()))
    show(window, SIZES[1], snapshot)
    assert window.home.bill.emphasised
    show(window, SIZES[1], snapshot, BILL)
    show(window, SIZES[1], snapshot)
    assert not window.home.bill.emphasised


def test_a_bill_that_was_adjusted_is_news_again(window):
    first = received(make_bill())
    show(window, SIZES[1], replace(make_buyer(), bill=first), BILL)
    adjusted = replace(first, adjustments=(make_adjustment(),))
    show(window, SIZES[1], replace(make_buyer(), bill=adjusted))
    assert window.home.bill.emphasised
    assert window.home.bill.lines[1] == f"Bill adjusted since: {MINUS}3.20\N{NO-BREAK SPACE}coins"


def test_what_is_done_in_a_dialog_counts_as_somebody_there(window, qtbot):
    show(window, SIZES[1], STATES["beyond"])
    window.home.call.click()
    with qtbot.waitSignal(window.idle.touched):
        QTest.keyClick(window.creation.dialog.windowHandle(), Qt.Key.Key_Tab)


# --- power and meter --------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
def test_power_now_is_the_largest_number_and_all_is_legible(window, size):
    show(window, size, make_seller())
    values = [value for value in window.home.findChildren(ValueWidget) if value.isVisible()]
    power = window.home.now.now.power
    others = [value.height() for value in values if value is not power]
    assert power.height() > 2 * max(others)
    assert min(others) >= 20


def test_sign_is_told_in_words(window):
    show(window, SIZES[0], make_kiosk(), METER)
    exchange = window.meter.exchange
    assert exchange.now.power.reading.shown == "+1.25"
    assert exchange.now.direction.text() == "to the micro-grid"
    taking = replace(make_kiosk(), sample=make_sample(-400, 0), export_ws=0)
    show(window, SIZES[0], taking, METER)
    assert exchange.now.power.reading.shown == f"{MINUS}0.40"
    assert exchange.now.direction.text() == "from the micro-grid"
    assert exchange.energy_direction.text() == "from the micro-grid"
    assert direction_words(replace(taking, sample=make_sample(0, 0))) == "nothing exchanged"


def test_silent_meter_shows_no_number_and_says_how_long(window):
    show(window, SIZES[1], STATES["silent"], METER)
    measured = [window.meter.exchange.now.power, *window.meter.meter.findChildren(ValueWidget)]
    assert {value.reading.shown for value in measured} == {"—"}
    assert window.meter.exchange.now.direction.text() == "last heard 2 min 10 s ago"
    assert window.meter_line.text().startswith("Meter silent: nothing heard")
    assert window.meter_line.emphasised
    assert window.meter.exchange.energy.reading.state is ValueState.STALE


def test_never_heard_meter(window):
    never = replace(make_kiosk(), meter=MeterState.NO_PORT, sample=None, age_s=None)
    show(window, SIZES[1], make_kiosk(), METER)
    show(window, SIZES[1], never, METER)
    assert {value.reading.shown for value in window.meter.meter.findChildren(ValueWidget)} == {"—"}
    show(window, SIZES[1], never)
    assert window.home.now.now.direction.text() == "never heard"


@pytest.mark.parametrize("quality", [Quality.STALE, Quality.ESTIMATED, Quality.BAD])
def test_doubtful_values_tell_their_age(window, quality):
    show(window, SIZES[0], replace(make_kiosk(), quality=quality, age_s=12.0))
    now = window.home.now.now
    assert "12 s old" in now.title.text()
    assert now.title.emphasised
    assert now.title.toolTip() == ""
    assert now.direction.text() == "to the micro-grid"


def test_unlinked_house_shows_no_live_rate(window):
    show(window, SIZES[0], replace(make_kiosk(), central=CentralState.CONNECTING, minutes_waiting=17))
    now = window.home.now
    assert now.rate.reading.shown == "—"
    assert now.tariff.reading.state is ValueState.STALE
    assert window.home.steering.request.text().startswith("Asked before the link was lost")


def test_a_journal_that_fails_is_told(window):
    show(window, SIZES[1], replace(make_kiosk(), journal_fault="The disk is full"))
    assert window.waiting_line.text() == "The disk is full"
    assert window.waiting_line.emphasised
