"""Windows of the tests are drawn into memory, and no locale of the machine changes a number."""

import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from functools import partial

import pytest
from PySide6.QtCore import QLocale, QSettings

from central_monitor.ui.desk import DeskName
from tests.ui.at_desk import NAME
from tests.ui.fake_operator import FakeOperator
from tests.ui.keyboard import show_active

pytest.importorskip("pytestqt")


@pytest.fixture(autouse=True)
def english() -> object:
    """Numbers and dates in English; the locale of before afterwards."""
    before = QLocale()
    QLocale.setDefault(QLocale(QLocale.Language.English, QLocale.Country.UnitedKingdom))
    yield
    QLocale.setDefault(before)


@pytest.fixture
def settings(tmp_path) -> QSettings:
    """Settings of their own for every test."""
    return QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)


@pytest.fixture
def show(qtbot):
    """Shows a widget as a window of its own, which takes the keys."""
    return partial(show_active, qtbot)


@pytest.fixture
def operator() -> FakeOperator:
    """Whom the central's pages ask and give their orders."""
    return FakeOperator()


@pytest.fixture
def desk(settings) -> DeskName:
    """The operator's name has been entered."""
    made = DeskName(settings)
    made.set_name(NAME)
    return made
