"""Level 1: the whole micro-grid, its houses and what was noticed last, without scrolling (8.3.1)."""

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from central_monitor.snapshot import CentralSnapshot, Notice
from central_monitor.ui.house_trends import HouseTrends
from central_monitor.ui.overview import Overview
from central_monitor.ui.single_line import SingleLine
from node.qt.format import clock
from node.qt.text import TextLine
from node.qt.theme import Theme

NOTICES = 6  # how many are listed
_COLUMN = 190


class MainScreen(QWidget):
    """The tiles of the micro-grid over its single-line diagram; pages of houses and notices beside them.

    Signals:
        house_chosen: the house that was opened.
    """

    house_chosen = Signal(str)

    def __init__(self, trends: HouseTrends) -> None:
        super().__init__()
        self._trends = trends
        self.overview = Overview()
        self.diagram = SingleLine()
        self.notices = [TextLine("", 12, quiet=True) for _ in range(2 * NOTICES)]
        self.page_line = TextLine("", 13)
        self.previous_button = QPushButton(self.tr("&Previous houses"))
        self.next_button = QPushButton(self.tr("&Next houses"))
        self.previous_button.clicked.connect(self._previous_page)
        self.next_button.clicked.connect(self._next_page)
        QShortcut(QKeySequence(Qt.Key.Key_PageUp), self, self._previous_page)
        QShortcut(QKeySequence(Qt.Key.Key_PageDown), self, self._next_page)
        self.theme_button = QPushButton(self.tr("&Dark screen"))
        self.theme_button.setCheckable(True)
        self._lay_out()
        self.setFocusProxy(self.diagram)
        self.diagram.pages_changed.connect(self._show_pages)
        self.diagram.house_chosen.connect(self.house_chosen)
        self._show_pages()

    def show_snapshot(self, snapshot: CentralSnapshot) -> None:
        """Show this snapshot; the trends of its houses have it already."""
        self.overview.show_snapshot(snapshot)
        self.diagram.show_snapshot(snapshot, self._trends.exchanged)
        newest = tuple(reversed(snapshot.notices[-NOTICES:]))
        for index in range(NOTICES):
            notice = newest[index] if index < len(newest) else Notice(0.0, "")
            when = clock(notice.time_s, snapshot.zone) if notice.text else ""
            self.notices[2 * index].set_text(when)
            self.notices[2 * index + 1].set_text(notice.text)

    def refresh(self) -> None:
        """Nothing is asked for: every snapshot has all there is."""

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        for line in (self.page_line, self.notices_title, *self.notices):
            line.set_theme(theme)
        self.overview.set_theme(theme)
        self.diagram.set_theme(theme)

    def _lay_out(self) -> None:
        diagram = QVBoxLayout()
        diagram.setSpacing(0)
        diagram.addWidget(self.overview)
        diagram.addWidget(self.diagram, 1)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addLayout(diagram, 1)
        layout.addWidget(self._column())

    def _column(self) -> QWidget:
        column = QWidget()
        column.setFixedWidth(_COLUMN)
        layout = QVBoxLayout(column)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        self.notices_title = TextLine(self.tr("Notices"), 13, bold=True)
        layout.addWidget(self.page_line)
        layout.addWidget(self.previous_button)
        layout.addWidget(self.next_button)
        layout.addWidget(self.notices_title)
        listed = QVBoxLayout()
        listed.setSpacing(0)
        for line in self.notices:
            listed.addWidget(line)
        layout.addLayout(listed)
        layout.addStretch(1)
        layout.addWidget(self.theme_button)
        return column

    @Slot()
    def _show_pages(self) -> None:
        page, pages = self.diagram.page, self.diagram.pages
        for part in (self.page_line, self.previous_button, self.next_button):
            part.setVisible(pages > 1)
        self.page_line.set_text(self.tr("Houses, page {0} of {1}").format(page + 1, pages))
        self.previous_button.setEnabled(page > 0)
        self.next_button.setEnabled(page < pages - 1)

    @Slot()
    def _previous_page(self) -> None:
        self.diagram.show_page(self.diagram.page - 1)

    @Slot()
    def _next_page(self) -> None:
        self.diagram.show_page(self.diagram.page + 1)
