"""Every tariff ever entered, and the way to enter another."""

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from central_monitor.books import MonthEntry
from central_monitor.operator import Operator
from central_monitor.snapshot import CentralSnapshot
from central_monitor.ui.desk import DeskName
from central_monitor.ui.tariff_dialog import TariffDialog
from central_monitor.ui.tariff_rows import Standing, price_text, standings, tariff_row
from microgrid.agreements import TariffEntry
from microgrid.terms import Tariff
from microgrid.units import SECONDS_PER_MINUTE
from node.qt.asking import ask
from node.qt.field import FaultLine
from node.qt.table import Table
from node.qt.text import TextLine
from node.qt.theme import LIGHT, Theme, load_theme


class TariffsPanel(QWidget):
    """The table of tariffs, newest entry first."""

    def __init__(self, operator: Operator, desk: DeskName) -> None:
        super().__init__()
        self._operator, self._desk = operator, desk
        self._theme = load_theme(LIGHT)
        self._entries: tuple[TariffEntry, ...] = ()
        self._months: tuple[MonthEntry, ...] = ()
        self._snapshot: CentralSnapshot | None = None
        self.fault = FaultLine()
        self.in_force = TextLine("", 13)
        self.new_button = QPushButton(self.tr("New &tariff …"))
        self.new_button.setEnabled(False)
        self.new_button.clicked.connect(self._new)
        self.table = Table(
            [self.tr("State"), self.tr("Valid from"), self.tr("Valid until"), self.tr("National\ncoins/kWh"),
             self.tr("Feed-in\ncoins/kWh"), self.tr("Cap"), self.tr("Penalty\nbasis"), self.tr("Response\ns"),
             self.tr("Deadband\nW"), self.tr("By"), self.tr("Note"), self.tr("Entered")],
            self.tr("Tariffs"),
            size=12,
        )  # fmt: skip
        head = QHBoxLayout()
        head.addWidget(TextLine(self.tr("Tariffs"), 16, bold=True), 1)
        head.addWidget(self.in_force, 4)
        head.addWidget(self.new_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(head)
        layout.addWidget(self.fault)
        layout.addWidget(self.table, 1)

    def refresh(self) -> None:
        """Ask anew for the tariffs, and for the months whose bills are out."""
        ask(self, self._operator.tariff_history(), self._take_entries, self._fail)
        ask(self, self._operator.months(), self._take_months, self._fail)

    def show_snapshot(self, snapshot: CentralSnapshot) -> None:
        """Know the time: what is in force follows from it."""
        before, self._snapshot = self._snapshot, snapshot
        if before is None or before.now_s // SECONDS_PER_MINUTE != snapshot.now_s // SECONDS_PER_MINUTE:
            self._show()

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        self._theme = theme
        for line in self.findChildren(TextLine):
            line.set_theme(theme)
        self.table.set_theme(theme)

    def _take_entries(self, entries: tuple[TariffEntry, ...]) -> None:
        self.fault.set_text("")
        self._entries = entries
        self._show()

    def _take_months(self, months: tuple[MonthEntry, ...]) -> None:
        self._months = months

    def _fail(self, error: Exception) -> None:
        self.fault.set_text(self.tr("The tariffs could not be read: {0}").format(error))

    def _now_minute(self) -> int:
        return int(self._snapshot.now_s) // SECONDS_PER_MINUTE if self._snapshot is not None else 0

    def _show(self) -> None:
        if self._snapshot is None:
            return
        found = standings(self._entries, self._now_minute())
        numbers = range(len(self._entries) - 1, -1, -1)
        self.table.set_rows(
            numbers, [tariff_row(self._entries[n], found[n], self._snapshot.zone) for n in numbers]
        )
        self.new_button.setEnabled(True)
        tariff = self._in_force()
        words = self.tr("No tariff is in force: enter one")
        if tariff is not None:
            words = self.tr(
                "In force now: {0} coins/kWh from the national grid, feed-in {1} coins/kWh"
            ).format(price_text(tariff.national), price_text(tariff.feed_in))
        self.in_force.set_text(words)

    def _in_force(self) -> Tariff | None:
        found = standings(self._entries, self._now_minute())
        return self._entries[found.index(Standing.IN_FORCE)].tariff if Standing.IN_FORCE in found else None

    @Slot()
    def _new(self) -> None:
        if self._snapshot is None:
            return
        dialog = TariffDialog(
            self._operator, self._desk, self._in_force(), self._months, self._now_minute() + 1,
            self._snapshot.zone, self,
        )  # fmt: skip
        dialog.set_theme(self._theme)
        dialog.accepted.connect(self.refresh)
        dialog.open()
