"""Windows of the tests are drawn into memory, and no locale of the machine changes a number."""

import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import pytest
from PySide6.QtCore import QLocale, QSettings

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
