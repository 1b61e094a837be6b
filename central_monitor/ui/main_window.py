"""The operator's window: header, banner, level 1 screen, screen buttons and the line of link health."""

from PySide6.QtCore import QByteArray, QSettings, Qt, Slot
from PySide6.QtGui import QCloseEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QMainWindow, QPushButton, QVBoxLayout, QWidget

from central_monitor.snapshot import CentralSnapshot, Notice
from central_monitor.ui.banner import Banner
from central_monitor.ui.overview import Overview
from central_monitor.ui.presentation import conditions, house_state, link_line
from central_monitor.ui.single_line import SingleLine
from node.qt.format import clock, date
from node.qt.text import TextLine
from node.qt.theme import DARK, LIGHT, load_theme
from node.qt.trend import Trend
from node.qt.value import ValueState

NEW_NOTICE_S = 60.0  # for so long a notice stands out
_NOTICES = 6  # how many are listed
_COLUMN = 190


class CentralWindow(QMainWindow):
    """The Main Window of 8.3.1: the whole micro-grid, its houses and what is wrong, without scrolling."""

    def __init__(self, settings: QSettings) -> None:
        super().__init__()
        self._settings = settings
        self._trends: dict[str, Trend] = {}
        self.setWindowTitle(self.tr("Central Power Monitor"))
        self.title = TextLine(self.tr("Micro-grid"), 18, bold=True)
        self.notice = TextLine("", 15)
        self.day = TextLine("", 15)
        self.clock = TextLine("", 15, bold=True, align=Qt.AlignmentFlag.AlignRight)
        self.banner = Banner()
        self.overview = Overview()
        self.diagram = SingleLine()
        self.links = TextLine("", 13)
        self.notices = [TextLine("", 12, quiet=True) for _ in range(2 * _NOTICES)]
        self._make_buttons()
        self._lay_out()
        self.diagram.pages_changed.connect(self._show_pages)
        self._restore()
        self._show_pages()

    @Slot(object)
    def show_snapshot(self, snapshot: CentralSnapshot) -> None:
        """Show this snapshot and add it to the trends."""
        for house in snapshot.houses:
            live = house_state(house) not in (ValueState.DISCONNECTED, ValueState.STALE)
            power_w = house.sample.exchange_p_w if live and house.sample is not None else None
            self._trends.setdefault(house.house, Trend()).add(snapshot.now_s, power_w)
        self.overview.show_snapshot(snapshot)
        self.diagram.show_snapshot(snapshot, self._trends)
        self.banner.show_conditions(conditions(snapshot))
        self.links.set_text(link_line(snapshot))
        self.clock.set_text(f"{date(snapshot.now_s, snapshot.zone)}  {clock(snapshot.now_s, snapshot.zone)}")
        self.day.set_text(self.tr("Day") if snapshot.pool.is_day else self.tr("Night"))
        self._show_notices(snapshot)

    def set_theme(self, name: str) -> None:
        """Draw in the theme of this name, `light` or `dark`."""
        theme = load_theme(name)
        self.setPalette(theme.palette())
        self.setStyleSheet(theme.style_sheet())
        for line in self.findChildren(TextLine):
            line.set_theme(theme)
        for screen in (self.banner, self.overview, self.diagram):
            screen.set_theme(theme)
        self.theme_button.setChecked(name == DARK)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Keep the window's place and theme for the next start."""
        self._settings.setValue("central/geometry", self.saveGeometry())
        self._settings.setValue("central/theme", DARK if self.theme_button.isChecked() else LIGHT)
        self._settings.sync()
        super().closeEvent(event)

    def _make_buttons(self) -> None:
        self.previous_button = QPushButton(self.tr("&Previous houses"))
        self.next_button = QPushButton(self.tr("&Next houses"))
        self.page_line = TextLine("", 13)
        self.theme_button = QPushButton(self.tr("&Dark screen"))
        self.theme_button.setCheckable(True)
        self.theme_button.toggled.connect(lambda dark: self.set_theme(DARK if dark else LIGHT))
        self.previous_button.clicked.connect(self._previous_page)
        self.next_button.clicked.connect(self._next_page)
        QShortcut(QKeySequence(Qt.Key.Key_PageUp), self, self._previous_page)
        QShortcut(QKeySequence(Qt.Key.Key_PageDown), self, self._next_page)

    def _lay_out(self) -> None:
        header = QHBoxLayout()
        header.addWidget(self.title, 2)
        header.addWidget(self.notice, 6)
        header.addWidget(self.day, 1)
        header.addWidget(self.clock, 4)
        screen = QVBoxLayout()
        screen.setSpacing(0)
        screen.addWidget(self.overview)
        screen.addWidget(self.diagram, 1)
        middle = QHBoxLayout()
        middle.setSpacing(8)
        middle.addLayout(screen, 1)
        middle.addWidget(self._column())
        whole = QWidget()
        layout = QVBoxLayout(whole)
        layout.setContentsMargins(8, 4, 8, 2)
        layout.setSpacing(4)
        layout.addLayout(header)
        layout.addWidget(self.banner)
        layout.addLayout(middle, 1)
        layout.addWidget(self.links)
        self.setCentralWidget(whole)
        self.setMinimumSize(960, 600)

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

    def _show_notices(self, snapshot: CentralSnapshot) -> None:
        newest = tuple(reversed(snapshot.notices[-_NOTICES:]))
        fresh = bool(newest) and snapshot.now_s - newest[0].time_s < NEW_NOTICE_S
        self.notice.set_text(newest[0].text if fresh else "", emphasised=fresh)
        for index in range(_NOTICES):
            notice = newest[index] if index < len(newest) else Notice(0.0, "")
            when = clock(notice.time_s, snapshot.zone) if notice.text else ""
            self.notices[2 * index].set_text(when)
            self.notices[2 * index + 1].set_text(notice.text)

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

    def _restore(self) -> None:
        self.resize(1280, 800)
        geometry = self._settings.value("central/geometry")
        if isinstance(geometry, QByteArray):
            self.restoreGeometry(geometry)
        self.set_theme(DARK if self._settings.value("central/theme") == DARK else LIGHT)
