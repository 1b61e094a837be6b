"""Settings at the central: who is at the desk, the tariffs, and the houses."""

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QVBoxLayout, QWidget

from central_monitor.operator import Operator
from central_monitor.snapshot import CentralSnapshot
from central_monitor.ui.desk import LONGEST_NAME, DeskName
from central_monitor.ui.houses_panel import HousesPanel
from central_monitor.ui.tariffs_panel import TariffsPanel
from node.qt.form import TextField
from node.qt.theme import Theme

_NAME_WIDTH = 640


class SettingsPage(QWidget):
    """What the operator sets; every change is kept with the name of who made it.

    Signals:
        house_chosen: the ID of a known house whose row was opened.
    """

    house_chosen = Signal(str)

    def __init__(self, operator: Operator, desk: DeskName) -> None:
        super().__init__()
        self._desk = desk
        self.name = TextField(
            self.tr("&Operator at the desk"),
            self.tr("Remembered here; every change is kept with it, and none is made without it."),
            longest=LONGEST_NAME,
        )
        self.tariffs = TariffsPanel(operator, desk)
        self.houses = HousesPanel(operator, desk)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self.name)
        layout.addWidget(self.tariffs, 2)
        layout.addWidget(self.houses, 3)
        self.houses.house_chosen.connect(self.house_chosen)
        self.name.setMaximumWidth(_NAME_WIDTH)
        self.name.set_value(desk.name)
        self.name.changed.connect(self._keep_name)
        desk.changed.connect(self._show_name)

    def refresh(self) -> None:
        """Ask anew for tariffs and houses."""
        self.tariffs.refresh()
        self.houses.refresh()

    def show_snapshot(self, snapshot: CentralSnapshot) -> None:
        """Show what of it concerns the settings."""
        self.tariffs.show_snapshot(snapshot)
        self.houses.show_snapshot(snapshot)

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        self.tariffs.set_theme(theme)
        self.houses.set_theme(theme)

    @Slot()
    def _keep_name(self) -> None:
        self._desk.set_name(self.name.value())

    @Slot(str)
    def _show_name(self, name: str) -> None:
        if name != self.name.value():
            self.name.set_value(name)
