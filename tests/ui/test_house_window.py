"""The kiosk against the checks for screens."""

from dataclasses import replace

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QMenuBar, QPushButton, QWidget

from house_client.snapshot import CentralState, MeterState
from house_client.ui.main_window import HouseWindow
from house_client.ui.presentation import direction_words, power_factor
from microgrid.sample import Quality
from node.qt.format import MINUS
from node.qt.symbols import BreakerWidget
from node.qt.text import TextLine, text_width
from node.qt.theme import DARK, LIGHT
from node.qt.value import ValueState, ValueWidget
from tests.ui.images import picture, place_in, saturation
from tests.ui.sample_snapshots import make_kiosk, make_sample

SIZES = [(1024, 600), (800, 480)]


@pytest.fixture
def window(qtbot, settings):
    made = HouseWindow(settings)
    qtbot.addWidget(made)
    made.show()
    return made


def show(window, size, snapshot):
    window.resize(*size)
    window.show_snapshot(snapshot)
    QApplication.processEvents()  # texts that have been scaled find their places
    picture(window)


def parts(window) -> list[QWidget]:
    return [
        *window.findChildren(TextLine),
        *window.findChildren(ValueWidget),
        *window.findChildren(BreakerWidget),
    ]


@pytest.mark.parametrize("size", SIZES)
def test_everything_is_inside_the_screen_and_nothing_overlaps(window, size):
    show(window, size, make_kiosk())
    assert window.size().toTuple() == size
    places = [place_in(part, window) for part in [*parts(window), window.theme_button]]
    for index, place in enumerate(places):
        assert window.rect().contains(place)
        assert not any(place.intersects(other) for other in places[index + 1 :]), parts(window)[index]


@pytest.mark.parametrize("size", SIZES)
def test_no_text_is_shortened(window, size):
    show(window, size, make_kiosk())
    shortened = [line.text() for line in window.findChildren(TextLine) if line.toolTip()]
    assert shortened == []


@pytest.mark.parametrize("size", SIZES)
def test_power_now_is_the_largest_number_and_all_is_legible(window, size):
    show(window, size, make_kiosk())
    largest = window.exchange.power.height()
    others = [value for value in window.findChildren(ValueWidget) if value is not window.exchange.power]
    assert all(largest > 2 * other.height() for other in others)
    assert min(value.height() for value in others) >= 22


@pytest.mark.parametrize("size", SIZES)
def test_touch_targets(window, size):
    show(window, size, make_kiosk())
    for button in window.findChildren(QPushButton):
        assert min(button.size().toTuple()) >= 48
    assert window.findChildren(QMenuBar) == []


def test_sign_is_told_in_words(window):
    show(window, SIZES[0], make_kiosk())
    assert window.exchange.power.reading.shown == "+1.25"
    assert window.exchange.direction.text() == "to the micro-grid"
    taking = replace(make_kiosk(), sample=make_sample(-400, 0), export_ws=0)
    show(window, SIZES[0], taking)
    assert window.exchange.power.reading.shown == f"{MINUS}0.40"
    assert window.exchange.direction.text() == "from the micro-grid"
    assert window.exchange.energy_direction.text() == "from the micro-grid"
    assert direction_words(replace(taking, sample=make_sample(0, 0))) == "nothing exchanged"


def test_silent_meter_shows_no_number_and_says_how_long(window):
    silent = replace(make_kiosk(), meter=MeterState.SILENT, meter_detail="see the cable", age_s=130.0)
    show(window, SIZES[1], silent)
    measured = [window.exchange.power, *window.meter.findChildren(ValueWidget)]
    assert {value.reading.shown for value in measured} == {"—"}
    assert window.exchange.direction.text() == "last heard 2 min 10 s ago"
    assert window.meter_line.text() == "Meter silent: see the cable"
    assert window.meter_line.emphasised
    assert window.exchange.energy.reading.state is ValueState.STALE


def test_never_heard_meter(window):
    show(window, SIZES[1], make_kiosk())
    never = replace(make_kiosk(), meter=MeterState.NO_PORT, sample=None, age_s=None)
    show(window, SIZES[1], never)
    assert {value.reading.shown for value in window.meter.findChildren(ValueWidget)} == {"—"}
    assert window.exchange.direction.text() == "never heard"


@pytest.mark.parametrize("quality", [Quality.STALE, Quality.ESTIMATED, Quality.BAD])
def test_doubtful_values_tell_their_age(window, quality):
    show(window, SIZES[0], replace(make_kiosk(), quality=quality, age_s=12.0))
    assert "12 s old" in window.exchange.title.text()
    assert window.exchange.title.emphasised
    assert window.exchange.title.toolTip() == ""
    assert window.exchange.direction.text() == "to the micro-grid"


def test_unlinked_house_shows_no_live_rate(window):
    unlinked = replace(
        make_kiosk(), central=CentralState.CONNECTING, central_detail="no answer", minutes_waiting=17
    )
    show(window, SIZES[0], unlinked)
    assert window.exchange.rate.reading.shown == "—"
    assert window.exchange.tariff.reading.state is ValueState.STALE
    assert window.exchange.request.text().startswith("Asked before the link was lost")
    assert window.waiting_line.text() == "Minutes waiting: 17"
    assert window.central_line.text() == "Connecting to the central: no answer"


def test_power_factor_leads_or_lags():
    sample, good = make_sample(), ValueState.GOOD
    assert [power_factor(sample, phase, good).quantity.unit for phase in range(3)] == ["lag", "lead", ""]


@pytest.mark.parametrize("size", SIZES)
def test_large_numbers_do_not_move_the_layout(window, size):
    show(window, size, make_kiosk())
    before = [place_in(part, window) for part in parts(window)]
    sample = msgspec.structs.replace(make_sample(-1_234_500, 1_234_500), voltage_v=(1234.5,) * 3)
    large = replace(
        make_kiosk(), sample=sample, export_ws=98_765_432 * 3_600_000, name="A very long name " * 5
    )
    show(window, size, large)
    assert [place_in(part, window) for part in parts(window)] == before


@pytest.mark.parametrize("theme", [LIGHT, DARK])
@pytest.mark.parametrize("size", SIZES)
def test_no_colour_at_all(window, size, theme):
    window.set_theme(theme)
    show(window, size, make_kiosk())
    assert saturation(picture(window)).max() < 0.05


def test_button_is_reached_by_keyboard_and_shows_its_whole_text(window, qtbot):
    show(window, SIZES[1], make_kiosk())
    window.activateWindow()
    window.theme_button.setFocus()
    qtbot.keyClick(window.theme_button, Qt.Key.Key_Space)
    assert window.theme_button.isChecked()
    button = window.theme_button
    assert (
        text_width(button.text().replace("&", ""), button.font().pixelSize(), bold=True) < button.width() - 26
    )
