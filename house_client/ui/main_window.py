"""The household's window: a kiosk's pages behind large buttons, with clock, link and meter always in view."""

from PySide6.QtCore import QByteArray, QSettings, Qt, Slot
from PySide6.QtGui import QCloseEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QMainWindow, QVBoxLayout, QWidget

from house_client.household import Household
from house_client.snapshot import CentralState, HouseSnapshot, MeterState
from house_client.ui.bill_page import BillPage, news_of
from house_client.ui.commissioning_page import CommissioningPage
from house_client.ui.contract_creation import ContractCreation
from house_client.ui.contract_page import ContractPage
from house_client.ui.home_page import HomePage
from house_client.ui.idle import IdleWatch
from house_client.ui.pages import PageStack
from house_client.ui.panels import MeterPage
from house_client.ui.presentation import central_words, meter_words
from house_client.ui.setup_page import SetupPage
from node.qt.format import clock
from node.qt.text import TextLine
from node.qt.theme import DARK, LIGHT, load_theme

HOME, METER, CONTRACT, BILL, SETUP = range(5)  # pages, by their buttons
IDLE_MS = 120_000
_SCREEN = (1024, 600)  # the screen the sizes are given for
_LEAST = (640, 384)
_TITLE = 26.0
_STATUS = 18.0


class HouseWindow(QMainWindow):
    """The Individual Data Monitor (8.2)."""

    def __init__(
        self, settings: QSettings, household: Household | None = None, *, idle_ms: int = IDLE_MS
    ) -> None:
        """`household` None: nothing can be answered or set up here, as beside the demonstration."""
        super().__init__()
        self._settings = settings
        self._household = household
        self._snapshot: HouseSnapshot | None = None
        self.setWindowTitle(self.tr("House client"))
        self.title = TextLine("", _TITLE, bold=True)
        self.clock = TextLine("", _TITLE, align=Qt.AlignmentFlag.AlignRight)
        self.meter_line = TextLine("", _STATUS)
        self.central_line = TextLine("", _STATUS)
        self.waiting_line = TextLine("", _STATUS, align=Qt.AlignmentFlag.AlignRight)
        self.home, self.meter = HomePage(), MeterPage()
        self.contract, self.bill = ContractPage(household), BillPage(household)
        self.pages, self.setup = PageStack(), PageStack(buttons_above=True)
        self._add_pages()
        self._lay_out()
        self.creation = ContractCreation(self, household)
        self.idle = IdleWatch(idle_ms, self)
        self._connect()
        self._restore()
        if self._unset:
            self.pages.choose(SETUP)

    @Slot(object)
    def show_snapshot(self, snapshot: HouseSnapshot) -> None:
        """Show this snapshot."""
        self._snapshot = snapshot
        house = self.tr("House {0}").format(snapshot.house) if snapshot.house else self.tr("Not set up yet")
        self.title.set_text(f"{house}  {snapshot.name}" if snapshot.name != snapshot.house else house)
        self.clock.set_text(clock(snapshot.now_s, snapshot.zone))
        heard = snapshot.meter is MeterState.HEARD
        self.meter_line.set_text(meter_words(snapshot), emphasised=not heard)
        linked = snapshot.central is CentralState.LINKED
        self.central_line.set_text(central_words(snapshot), emphasised=not linked)
        waiting = self.tr("Minutes waiting: {0}").format(snapshot.minutes_waiting)
        fault = snapshot.journal_fault
        self.waiting_line.set_text(fault or waiting, emphasised=bool(fault))
        self.home.bill_seen = self._newest_bill is None or self._newest_bill == self._seen_bill
        self.creation.show_snapshot(snapshot)
        self.pages.show_snapshot(self.creation.with_answer(snapshot))
        if self.idle.is_idle:
            self._show_first()

    def set_theme(self, name: str) -> None:
        """Draw in the theme of this name, `light` or `dark`."""
        theme = load_theme(name)
        self.setPalette(theme.palette())
        self.setStyleSheet(theme.style_sheet())
        for line in (self.title, self.clock, self.meter_line, self.central_line, self.waiting_line):
            line.set_theme(theme)
        self.pages.set_theme(theme)
        self.creation.set_theme(theme)
        self.theme_button.setChecked(name == DARK)

    def resizeEvent(self, event: QResizeEvent) -> None:
        scale = min(self.width() / _SCREEN[0], self.height() / _SCREEN[1])
        self.pages.set_scale(scale)
        for line in (self.title, self.clock):
            line.set_size(_TITLE * scale)
        for line in (self.meter_line, self.central_line, self.waiting_line):
            line.set_size(_STATUS * scale)
        super().resizeEvent(event)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.idle.watch(self)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Keep the window's place and theme for the next start."""
        self._settings.setValue("house/geometry", self.saveGeometry())
        self._settings.setValue("house/theme", DARK if self.theme_button.isChecked() else LIGHT)
        self._settings.sync()
        super().closeEvent(event)

    @property
    def _unset(self) -> bool:
        """Whether nobody has said yet which house this is."""
        return self._household is not None and not self._household.settings().house

    @property
    def _newest_bill(self) -> str | None:
        bill = self._snapshot.bill if self._snapshot is not None else None
        return news_of(bill) if bill is not None else None

    @property
    def _seen_bill(self) -> object:
        return self._settings.value("house/bill_seen")

    @Slot()
    def _show_first(self) -> None:
        """What the kiosk shows when nobody is there: home, or a bill nobody has looked at."""
        self.creation.put_away()
        if self._unset:
            return
        unseen = self._newest_bill is not None and self._newest_bill != self._seen_bill
        first = BILL if unseen else HOME
        if unseen:
            self.bill.show_newest()
        if self.pages.index != first:
            self.pages.choose(first)

    @Slot()
    def _show_contract(self) -> None:
        self.pages.choose(CONTRACT)
        self.creation.begin()

    @Slot()
    def _show_bill(self) -> None:
        self.bill.show_newest()
        self.pages.choose(BILL)

    @Slot()
    def _note_seen(self) -> None:
        """Somebody is before the screen: the newest bill, if it is shown, has been looked at."""
        newest = self._newest_bill
        if self.pages.index == BILL and newest is not None and newest != self._seen_bill:
            self._settings.setValue("house/bill_seen", newest)

    @Slot(object)
    def _watch(self, dialog: QWidget) -> None:
        """What is done in a dialog counts as well."""
        self.idle.watch(dialog)

    def _add_pages(self) -> None:
        self.pages.add(self.tr("&Home"), self.home, self.home)
        self.pages.add(self.tr("&Meter"), self.meter, self.meter)
        self.pages.add(self.tr("&Contract"), self.contract, self.contract)
        self.pages.add(self.tr("&Bill"), self.bill, self.bill)
        self.pages.add(self.tr("&Set-up"), self.setup, self.setup)
        if self._household is not None:
            settings, commissioning = SetupPage(self._household), CommissioningPage(self._household)
            self.setup.add(self.tr("Se&ttings"), settings, settings)
            self.setup.add(self.tr("C&ommissioning"), commissioning, commissioning)
            commissioning.opened.connect(self._watch)
        self.theme_button = self.setup.button(self.tr("Dar&k screen"))
        self.theme_button.setCheckable(True)

    def _connect(self) -> None:
        self.theme_button.toggled.connect(lambda dark: self.set_theme(DARK if dark else LIGHT))
        self.home.contract_wanted.connect(self._show_contract)
        self.contract.contract_wanted.connect(self.creation.begin)
        self.creation.opened.connect(self._watch)
        self.home.bill_wanted.connect(self._show_bill)
        self.idle.idle.connect(self._show_first)
        self.idle.touched.connect(self._note_seen)
        self.pages.chosen.connect(lambda _: self._note_seen() if not self.idle.is_idle else None)

    def _lay_out(self) -> None:
        header = QHBoxLayout()
        header.addWidget(self.title, 5)
        header.addWidget(self.clock, 3)
        status = QHBoxLayout()
        status.addWidget(self.central_line, 7)
        status.addWidget(self.waiting_line, 2)
        whole = QWidget()
        layout = QVBoxLayout(whole)
        layout.setContentsMargins(10, 4, 10, 6)
        layout.setSpacing(3)
        layout.addLayout(header)
        layout.addWidget(self.meter_line)
        layout.addLayout(status)
        layout.addWidget(self.pages, 1)
        self.setCentralWidget(whole)
        # Given outright: the texts shrink with the window, so their present size is not its least.
        self.setMinimumSize(*_LEAST)

    def _restore(self) -> None:
        self.resize(*_SCREEN)
        geometry = self._settings.value("house/geometry")
        if isinstance(geometry, QByteArray):
            self.restoreGeometry(geometry)
        self.set_theme(DARK if self._settings.value("house/theme") == DARK else LIGHT)
