"""The operator's window: head, banner and link health around every screen, and the way between screens."""

from typing import cast

from PySide6.QtCore import QByteArray, QSettings, Qt, Slot
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QHBoxLayout, QMainWindow, QStackedWidget, QVBoxLayout, QWidget

from central_monitor.books import MinuteProof
from central_monitor.operator import Operator
from central_monitor.snapshot import CentralSnapshot
from central_monitor.ui.agreement import AgreementScreen
from central_monitor.ui.banner import Banner
from central_monitor.ui.bills import BillsPage
from central_monitor.ui.contracts import ContractsPage
from central_monitor.ui.correction import CorrectionDialog
from central_monitor.ui.desk import DeskName, OrderDialog
from central_monitor.ui.house_trends import HouseTrends
from central_monitor.ui.main_screen import MainScreen
from central_monitor.ui.navigation import Screen, ScreenBar
from central_monitor.ui.presentation import conditions, link_line
from central_monitor.ui.settings import SettingsPage
from central_monitor.ui.sharing import SharingScreen
from central_monitor.ui.trading_detail import TradingDetail
from central_monitor.ui.waiving import WaiverDialog
from central_monitor.ui.work_line import WorkLine
from node.qt.text import TextLine
from node.qt.theme import DARK, LIGHT, load_theme

MAIN, AGREEMENT, SHARING, DETAIL = "main", "agreement", "sharing", "detail"
CONTRACTS, BILLS, SETTINGS = "contracts", "bills", "settings"


class CentralWindow(QMainWindow):
    """All screens of the central, one at a time.

    `operator` answers and carries out what the screens of contracts, bills and settings ask; without one
    they are not offered.
    """

    def __init__(self, settings: QSettings, operator: Operator | None = None) -> None:
        super().__init__()
        self._settings = settings
        self._snapshot: CentralSnapshot | None = None
        self._trends = HouseTrends()
        self._before_detail = MAIN
        self.setWindowTitle(self.tr("Central Power Monitor"))
        self.banner = Banner()
        self.bar = ScreenBar()
        self.links = TextLine("", 13)
        self.work = WorkLine()
        self.main = MainScreen(self._trends)
        self.agreement = AgreementScreen()
        self.detail = TradingDetail(self._trends)
        self._stack = QStackedWidget()
        self._screens: dict[str, Screen] = {}
        for key, title, screen in self._offered(operator):
            self._add(key, title, screen)
        self._lay_out()
        self.bar.chosen.connect(self.open_screen)
        self.bar.finder.found.connect(self.open_house)
        self.main.theme_button.toggled.connect(lambda dark: self.set_theme(DARK if dark else LIGHT))
        self.detail.back_asked.connect(self._leave_detail)
        self._restore()

    def _offered(self, operator: Operator | None) -> list[tuple[str, str, QWidget]]:
        """Every screen with its key and title, in the order of its buttons: a new one is a line here."""
        desk = DeskName(self._settings)
        offered: list[tuple[str, str, QWidget]] = [
            (MAIN, self.tr("Main"), self.main),
            (AGREEMENT, self.tr("Agreement"), self.agreement),
            (SHARING, self.tr("Sharing"), SharingScreen(operator, desk)),
            (DETAIL, self.tr("House"), self.detail),
        ]
        if operator is None:
            return offered
        bills = BillsPage(operator)
        bills.correction_wanted.connect(lambda proof: self._correct(operator, desk, proof))
        bills.waiver_wanted.connect(
            lambda book, line: self._ask(WaiverDialog(operator, desk, book, line, self))
        )
        return [
            *offered,
            (CONTRACTS, self.tr("Contracts"), ContractsPage(operator, desk)),
            (BILLS, self.tr("Bills"), bills),
            (SETTINGS, self.tr("Settings"), SettingsPage(operator, desk)),
        ]

    @property
    def screen_shown(self) -> str:
        """The key of the screen that is shown."""
        return list(self._screens)[self._stack.currentIndex()]

    @property
    def snapshot_shown(self) -> CentralSnapshot | None:
        """What is shown; None before the first snapshot."""
        return self._snapshot

    def screen_of(self, key: str) -> Screen:
        """The screen of this key; KeyError if it is not offered."""
        return self._screens[key]

    @Slot(str)
    def open_screen(self, key: str) -> None:
        """Show the screen of this key, as it stands now; KeyError if it is not offered."""
        screen = self._screens[key]
        if key == DETAIL and self.screen_shown != DETAIL:
            self._before_detail = self.screen_shown
        self._stack.setCurrentWidget(cast(QWidget, screen))
        self.bar.mark(key)
        screen.refresh()
        if self._snapshot is not None:
            screen.show_snapshot(self._snapshot)
        cast(QWidget, screen).setFocus(Qt.FocusReason.ShortcutFocusReason)

    @Slot(str)
    def open_house(self, house: str) -> None:
        """Show the trading detail of this house."""
        self.detail.show_house(house)
        self.open_screen(DETAIL)

    @Slot(object)
    def show_snapshot(self, snapshot: CentralSnapshot) -> None:
        """Show this snapshot and add it to the trends."""
        self._snapshot = snapshot
        self._trends.add(snapshot)
        self.main.show_snapshot(snapshot)  # also while hidden: its tiles have trends
        if self.screen_shown != MAIN:
            self._screens[self.screen_shown].show_snapshot(snapshot)
        self.bar.show_snapshot(snapshot)
        self.banner.show_conditions(conditions(snapshot))
        self.links.set_text(link_line(snapshot))
        self.work.show_work(snapshot.work)

    def set_theme(self, name: str) -> None:
        """Draw in the theme of this name, `light` or `dark`."""
        self._theme = theme = load_theme(name)
        self.setPalette(theme.palette())
        self.setStyleSheet(theme.style_sheet())
        for part in (self.bar, self.banner, self.links, self.work):
            part.set_theme(theme)
        for screen in self._screens.values():
            screen.set_theme(theme)
        self.main.theme_button.setChecked(name == DARK)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Keep the window's place, theme and screen for the next start."""
        dark = self.main.theme_button.isChecked()
        self._settings.setValue("central/geometry", self.saveGeometry())
        self._settings.setValue("central/theme", DARK if dark else LIGHT)
        self._settings.setValue("central/screen", self.screen_shown)
        self._settings.setValue("central/house", self.detail.house or "")
        self._settings.sync()
        super().closeEvent(event)

    @Slot()
    def _leave_detail(self) -> None:
        self.open_screen(self._before_detail)

    def _correct(self, operator: Operator, desk: DeskName, proof: MinuteProof) -> None:
        assert self._snapshot is not None
        self._ask(CorrectionDialog(operator, desk, proof, self._snapshot.zone, self))

    def _ask(self, dialog: OrderDialog) -> None:
        """Ask for an order about bills; once it is carried out they are asked for anew."""
        dialog.set_theme(self._theme)
        dialog.accepted.connect(self._screens[BILLS].refresh)
        dialog.open()

    def _add(self, key: str, title: str, screen: QWidget) -> None:
        self._screens[key] = cast(Screen, screen)
        self._stack.addWidget(screen)
        self.bar.add(key, title)
        if hasattr(screen, "house_chosen"):
            screen.house_chosen.connect(self.open_house)

    def _lay_out(self) -> None:
        foot = QHBoxLayout()
        foot.addWidget(self.links, 1)
        foot.addWidget(self.work)
        whole = QWidget()
        layout = QVBoxLayout(whole)
        layout.setContentsMargins(8, 4, 8, 2)
        layout.setSpacing(4)
        layout.addWidget(self.bar)
        layout.addWidget(self.banner)
        layout.addWidget(self._stack, 1)
        layout.addLayout(foot)
        self.setCentralWidget(whole)
        self.setMinimumSize(960, 600)

    def _restore(self) -> None:
        self.resize(1280, 800)
        geometry = self._settings.value("central/geometry")
        if isinstance(geometry, QByteArray):
            self.restoreGeometry(geometry)
        self.set_theme(DARK if self._settings.value("central/theme") == DARK else LIGHT)
        if house := self._settings.value("central/house"):
            self.detail.show_house(str(house))
        screen = self._settings.value("central/screen")
        self.open_screen(screen if screen in self._screens else MAIN)
