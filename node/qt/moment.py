"""A day and a minute of it, typed or taken from a calendar, in the micro-grid's own zone."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from PySide6.QtCore import QDate, QLocale, QPoint, QSignalBlocker, Qt, QTime
from PySide6.QtGui import QIcon, QTextCharFormat
from PySide6.QtWidgets import QCalendarWidget, QDateEdit, QLabel, QPushButton, QTimeEdit, QToolButton, QWidget

from microgrid.months import local_time, minute_of
from microgrid.units import SECONDS_PER_MINUTE
from node.qt.field import Field, ListBox, beside, plain
from node.qt.format import date, zone_name

_ROOMY = 1.3  # how much larger than it must be a calendar is
_FIRST, _LAST = QDate(1971, 1, 1), QDate(9998, 12, 30)


class MomentField(Field):
    """A moment in the micro-grid's zone, also on the days when the clock changes.

    A time that the clock leaps over is a fault in words; of one that it shows twice the field asks
    which is meant. What the clock is called then stands behind the time.
    """

    def __init__(self, label: str, zone: str, limit_text: str = "") -> None:
        day, time, which = QDateEdit(), QTimeEdit(), ListBox()
        button, letters = QPushButton("\N{BLACK DOWN-POINTING SMALL TRIANGLE}"), QLabel()
        super().__init__(label, (day, button, time, which), limit_text, (letters,))
        self._zone, self._day, self._time, self._which, self._letters = zone, day, time, which, letters
        button.setProperty("field", True)
        button.clicked.connect(self._open_calendar)
        button.setAccessibleName(self.tr("{0}: calendar").format(plain(label)))
        button.setToolTip(self.tr("Calendar"))
        for edit in (day, time):
            edit.lineEdit().setTextMargins(4, 0, 4, 0)
        day.setDateRange(_FIRST, _LAST)
        day.setDisplayFormat(_typed_format())
        time.setDisplayFormat("HH:mm")
        which.setAccessibleName(self.tr("The first or the second time"))
        self.place(beside(day, button, time, letters, which, stretch=True), wide=True)
        self.set_kiosk(False)
        day.dateChanged.connect(self._moved)
        time.timeChanged.connect(self._moved)
        which.currentIndexChanged.connect(self._touched)
        self._show_zone()

    def value(self) -> int | None:
        """The minute, as the rules count them; None if the clock never shows this time."""
        local = self._local()
        return None if _left_out(local) else minute_of(local)

    def set_value(self, minute: int) -> None:
        """Show this minute."""
        local = local_time(minute, ZoneInfo(self._zone))
        with QSignalBlocker(self._day), QSignalBlocker(self._time):
            self._day.setDate(QDate(local.year, local.month, local.day))
            self._time.setTime(QTime(local.hour, local.minute))
        self._show_zone()
        self._which.setCurrentIndex(local.fold)
        self._touched()

    def check(self) -> str:
        local = self._local()
        if not _left_out(local):
            return ""
        day = date(minute_of(local) * SECONDS_PER_MINUTE, self._zone)
        return self.tr(
            "On {0} the clock is put forward over {1}; choose a time before or after the leap."
        ).format(day, f"{local:%H:%M}")

    def _local(self) -> datetime:
        day, time = self._day.date(), self._time.time()
        fold = max(0, self._which.currentIndex())
        zone = ZoneInfo(self._zone)
        return datetime(
            day.year(), day.month(), day.day(), time.hour(), time.minute(), tzinfo=zone, fold=fold
        )

    def _open_calendar(self) -> None:
        calendar = _Calendar(self, self._day.date())
        calendar.activated.connect(self._day.setDate)
        calendar.clicked.connect(self._day.setDate)
        calendar.activated.connect(calendar.close)
        calendar.clicked.connect(calendar.close)
        calendar.setFont(self._day.font())
        calendar.resize(calendar.sizeHint() * _ROOMY)
        calendar.move(self._day.mapToGlobal(QPoint(0, self._day.height())))
        calendar.show()
        calendar.setFocus()

    def _moved(self) -> None:
        self._show_zone()
        self._touched()

    def _show_zone(self) -> None:
        """Say what the clock is called; ask which of the two if it shows this time twice."""
        local = self._local().replace(fold=0)
        both = [each.timestamp() for each in (local, local.replace(fold=1))]
        names = [zone_name(each, self._zone) for each in both]
        twice = both[0] < both[1] and not _left_out(local)
        self._letters.setText(f"{names[0]} ({self._zone})" if not twice else "")
        self._letters.setVisible(not twice)
        self._which.setVisible(twice)
        if twice != bool(self._which.count()):
            with QSignalBlocker(self._which):
                self._which.clear()
                if twice:
                    first, second = self.tr("the first, {0}"), self.tr("the second, {0}")
                    self._which.addItems([first.format(names[0]), second.format(names[1])])


class _Calendar(QCalendarWidget):
    """A month to take a day from: arrows and Enter, or a click; Esc closes it."""

    def __init__(self, parent: QWidget, day: QDate) -> None:
        super().__init__(parent)
        self.setWindowFlag(Qt.WindowType.Popup)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setDateRange(_FIRST, _LAST)
        self.setSelectedDate(day)
        self.setVerticalHeaderFormat(QCalendarWidget.VerticalHeaderFormat.NoVerticalHeader)
        self.setFirstDayOfWeek(QLocale().firstDayOfWeek())
        left, right = "\N{BLACK LEFT-POINTING SMALL TRIANGLE}", "\N{BLACK RIGHT-POINTING SMALL TRIANGLE}"
        for name, sign in (("prev", left), ("next", right)):
            for button in self.findChildren(QToolButton, f"qt_calendar_{name}month"):
                button.setIcon(QIcon())  # Qt's own is black in every theme
                button.setText(sign)
        for weekend in (Qt.DayOfWeek.Saturday, Qt.DayOfWeek.Sunday):
            self.setWeekdayTextFormat(weekend, QTextCharFormat())  # not red: colour is for alarms


def _left_out(local: datetime) -> bool:
    """Whether the zone's clock never shows this time."""
    there_and_back = local.astimezone(UTC).astimezone(local.tzinfo)
    return there_and_back.replace(tzinfo=None) != local.replace(tzinfo=None)


def _typed_format() -> str:
    """The locale's short date, with the year in full."""
    short = QLocale().dateFormat(QLocale.FormatType.ShortFormat)
    return short if "yyyy" in short else short.replace("yy", "yyyy")
