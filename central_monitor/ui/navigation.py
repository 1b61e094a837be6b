"""How one comes from screen to screen: the bar of screens, and the field that finds a house."""

from typing import Protocol

from PySide6.QtCore import QPoint, QSize, QStringListModel, Qt, Signal, Slot
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QCompleter,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QToolTip,
    QVBoxLayout,
    QWidget,
)

from central_monitor.snapshot import CentralSnapshot
from central_monitor.ui.presentation import round_lines
from node.qt.format import clock, date
from node.qt.text import TextLine, text_width
from node.qt.theme import Theme

NEW_NOTICE_S = 60.0  # for so long a notice stands out
_FINDER, _LEAST_FINDER = 170, 90
_BUTTON_EDGES = 24  # pixels beside a button's text
_CLOCK = 150
_LINE = 12


class Screen(Protocol):
    """What every screen of the window can do; one with a signal `house_chosen(str)` opens houses by it."""

    def show_snapshot(self, snapshot: CentralSnapshot) -> None:
        """Show this snapshot; called for each while the screen is the one shown."""

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""

    def refresh(self) -> None:
        """Ask anew for what no snapshot holds; called whenever the screen comes up."""


class HouseFinder(QLineEdit):
    """Takes a part of a house's ID or name; Enter opens the house.

    Signals:
        found: the ID of the house.
    """

    found = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._houses: tuple[tuple[str, str], ...] = ()
        self._lines = QStringListModel(self)
        completer = QCompleter(self._lines, self)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.activated.connect(self._open)
        self.setCompleter(completer)
        self.setPlaceholderText(self.tr("Find a house (Ctrl+F)"))
        self.setAccessibleName(self.tr("Find a house by ID or name"))
        self.setMinimumWidth(_LEAST_FINDER)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.returnPressed.connect(self._search)

    def sizeHint(self) -> QSize:
        """Room for its own words; less where the window is small."""
        return QSize(_FINDER, super().sizeHint().height())

    def set_houses(self, houses: tuple[tuple[str, str], ...]) -> None:
        """The houses there are: ID and name."""
        if houses != self._houses:
            self._houses = houses
            self._lines.setStringList([_line(*each) for each in houses])

    def match(self, text: str) -> str | None:
        """The house this text means: its ID, or part of only one ID or name; None if it is not clear."""
        wanted = text.strip().casefold()
        for house, name in self._houses:
            if wanted in (house.casefold(), _line(house, name).casefold()):
                return house
        found = [house for house, name in self._houses if wanted in _line(house, name).casefold()]
        return found[0] if wanted and len(found) == 1 else None

    @Slot()
    def _search(self) -> None:
        self._open(self.text())

    @Slot(str)
    def _open(self, text: str) -> None:
        # The completer's choice and Enter both come here; the second one finds the field empty.
        if not text.strip() or not self.text():
            return
        house = self.match(text)
        if house is None:
            self.selectAll()
            words = self.tr("No house, or more than one, is called {0}").format(text)
            QToolTip.showText(self.mapToGlobal(QPoint(0, self.height())), words, self)
            return
        self.clear()
        self.found.emit(house)


class ScreenBar(QWidget):
    """The head of the window: a button for each screen, what happened last, the finder and the clock.

    The buttons are also reached by Alt or Ctrl and their number. The lines beside them tell a new notice, and
    how the round of contracts stands while one is open.

    Signals:
        chosen: the key of the screen whose button was pressed.
    """

    chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.buttons: dict[str, QPushButton] = {}
        self.finder = HouseFinder()
        self.lines = (TextLine("", _LINE), TextLine("", _LINE))
        right = Qt.AlignmentFlag.AlignRight
        self.clock = (TextLine("", _LINE, bold=True, align=right), TextLine("", _LINE, align=right))
        self._shown = ""
        self._row = QHBoxLayout()
        self._row.setSpacing(2)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addLayout(self._row)
        layout.addLayout(_stacked(self.lines), 1)
        layout.addWidget(self.finder)
        layout.addLayout(_stacked(self.clock))
        for line in self.clock:
            line.setFixedWidth(_CLOCK)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        QShortcut(QKeySequence("Ctrl+F"), self, self._find)

    def add(self, key: str, title: str) -> None:
        """A button for one more screen."""
        number = len(self.buttons) + 1
        button = QPushButton(f"&{number} {title}")
        button.setProperty("bar", "true")
        button.setCheckable(True)
        button.setToolTip(self.tr("Ctrl+{0}").format(number))
        button.clicked.connect(lambda: self._press(key))
        QShortcut(QKeySequence(f"Ctrl+{number}"), self, lambda: self._press(key))
        # As wide as its bold text, so that no mark moves the others or cuts its own.
        button.setMinimumWidth(round(text_width(f"{number} {title}", 13, bold=True)) + _BUTTON_EDGES)
        self.buttons[key] = button
        self._row.addWidget(button)

    def mark(self, key: str) -> None:
        """This screen is shown now."""
        self._shown = key
        for each, button in self.buttons.items():
            button.setChecked(each == key)

    def show_snapshot(self, snapshot: CentralSnapshot) -> None:
        """Know its houses, tell what is new, and the time."""
        self.finder.set_houses(tuple((house.house, house.name) for house in snapshot.houses))
        first, second = round_lines(snapshot)
        newest = snapshot.notices[-1] if snapshot.notices else None
        if newest is not None and snapshot.now_s - newest.time_s < NEW_NOTICE_S:
            self.lines[0].set_text(newest.text, emphasised=True)
            self.lines[1].set_text(first)
        else:
            self.lines[0].set_text(first)
            self.lines[1].set_text(second)
        words = self.tr("Day") if snapshot.pool.is_day else self.tr("Night")
        self.clock[0].set_text(clock(snapshot.now_s, snapshot.zone))
        self.clock[1].set_text(f"{date(snapshot.now_s, snapshot.zone)} · {words}")

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        for line in (*self.lines, *self.clock):
            line.set_theme(theme)

    def _press(self, key: str) -> None:
        self.mark(self._shown)  # a press on the screen that is shown must not take its mark away
        self.chosen.emit(key)

    @Slot()
    def _find(self) -> None:
        self.finder.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.finder.selectAll()


def _stacked(lines: tuple[TextLine, ...]) -> QVBoxLayout:
    layout = QVBoxLayout()
    layout.setSpacing(0)
    for line in lines:
        layout.addWidget(line)
    return layout


def _line(house: str, name: str) -> str:
    return house if name == house else f"{house}  {name}"
