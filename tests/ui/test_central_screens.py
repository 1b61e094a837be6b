"""The operator's window with an operator behind it: all of its screens."""

import pytest
from PySide6.QtCore import Qt

from central_monitor.ui.correction import CorrectionDialog
from central_monitor.ui.main_window import (
    AGREEMENT,
    BILLS,
    CONTRACTS,
    DETAIL,
    MAIN,
    SETTINGS,
    SHARING,
    CentralWindow,
)
from node.qt.theme import DARK, LIGHT
from tests.ui.fake_operator import FakeOperator
from tests.ui.images import picture, saturation
from tests.ui.sample_books import make_proof
from tests.ui.sample_snapshots import make_central

SCREENS = (MAIN, AGREEMENT, SHARING, DETAIL, CONTRACTS, BILLS, SETTINGS)


class CountingOperator(FakeOperator):
    """Knows how often the list of months was asked for: once for each refresh of the bills."""

    months_asked = 0

    def months(self):
        self.months_asked += 1
        return super().months()


@pytest.fixture
def operator():
    return CountingOperator()


@pytest.fixture
def window(qtbot, settings, operator):
    made = CentralWindow(settings, operator)
    qtbot.addWidget(made)
    with qtbot.waitActive(made):
        made.show()
        made.activateWindow()
    made.show_snapshot(make_central())
    return made


@pytest.mark.parametrize(("number", "screen"), list(enumerate(SCREENS, start=1)))
def test_every_screen_is_reached_by_its_number_from_every_other(window, qtbot, number, screen):
    for other in SCREENS:
        window.open_screen(other)
        qtbot.keyClick(window, str(number), Qt.KeyboardModifier.ControlModifier)
        assert window.screen_shown == screen


def test_without_an_operator_only_the_live_screens_are_offered(qtbot, settings):
    window = CentralWindow(settings)
    qtbot.addWidget(window)
    assert list(window.bar.buttons) == [MAIN, AGREEMENT, SHARING, DETAIL]


def test_screens_that_ask_survive_a_restart_too(window, qtbot, settings):
    window.open_screen(BILLS)
    window.close()
    second = CentralWindow(settings, FakeOperator())
    qtbot.addWidget(second)
    assert second.screen_shown == BILLS
    third = CentralWindow(settings)
    qtbot.addWidget(third)
    assert third.screen_shown == MAIN


def test_a_reading_that_is_to_be_corrected_opens_its_dialog_and_bills_are_asked_anew(window, operator):
    window.open_screen(BILLS)
    window.screen_of(BILLS).correction_wanted.emit(make_proof("A", 28_884_000))
    dialog = window.findChild(CorrectionDialog)
    assert dialog.isVisible()
    before = operator.months_asked
    dialog.reject()
    assert operator.months_asked == before
    dialog.accept()
    assert operator.months_asked == before + 1


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("size", [(1280, 800), (1920, 1080), (960, 600)])
def test_every_screen_fits_its_window(window, qtbot, screen, size):
    window.open_screen(screen)
    window.resize(*size)
    qtbot.wait(10)
    assert window.size().toTuple() == size


@pytest.mark.parametrize("screen", [SHARING, CONTRACTS, BILLS, SETTINGS])
@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_screens_without_plots_have_no_colour(window, screen, theme):
    window.set_theme(theme)
    window.open_screen(screen)
    assert saturation(picture(window)).max() < 0.05
