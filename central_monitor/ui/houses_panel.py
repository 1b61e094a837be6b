"""Every house the central knows, and those that knocked; the way for one to join or to leave."""

from typing import NamedTuple

from PySide6.QtCore import QCoreApplication, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from central_monitor.operator import Operator
from central_monitor.snapshot import CentralSnapshot, HouseView, LinkState, Stranger
from central_monitor.ui.desk import DeskName, OrderDialog
from central_monitor.ui.house_dialogs import AddHouseDialog, LeaveDialog
from microgrid.terms import FOREVER, House
from microgrid.units import SECONDS_PER_MINUTE
from node.qt.asking import ask
from node.qt.field import FaultLine
from node.qt.format import moment, number
from node.qt.table import Cell, Table
from node.qt.text import TextLine
from node.qt.theme import LIGHT, Theme, load_theme

_CONTEXT = "houses"
translate = QCoreApplication.translate


class Knock(NamedTuple):
    """The key of a row that is no house yet."""

    house: str


def link_words(view: HouseView | None, house: House, now_s: float, zone: str) -> str:
    """Whether the house is linked now, or since when it is not."""
    if house.left * SECONDS_PER_MINUTE <= now_s:
        return translate(_CONTEXT, "has left")
    if house.joined * SECONDS_PER_MINUTE > now_s:
        return translate(_CONTEXT, "joins later")
    if view is None or view.link is LinkState.NEVER:
        return translate(_CONTEXT, "never linked")
    if view.link is LinkState.LINKED:
        return translate(_CONTEXT, "linked")
    if view.age_s is None:
        return translate(_CONTEXT, "not linked")
    return translate(_CONTEXT, "not linked since {0}").format(moment(now_s - view.age_s, zone))


def _since_minute(view: HouseView, now_s: float) -> int | None:
    """The minute in which a house that is not linked was heard last; None if it is linked or never was."""
    if view.link is LinkState.LINKED or view.age_s is None:
        return None
    return int(now_s - view.age_s) // SECONDS_PER_MINUTE


def house_row(house: House, view: HouseView | None, now_s: float, zone: str) -> list[Cell]:
    """One known house."""
    left = house.left * SECONDS_PER_MINUTE <= now_s
    words = link_words(view, house, now_s, zone)
    lost = view is not None and view.link is LinkState.LOST and not left
    joined = moment(house.joined * SECONDS_PER_MINUTE, zone) if house.joined > 0 else ""
    leaves = moment(house.left * SECONDS_PER_MINUTE, zone) if house.left < FOREVER else ""
    return [
        Cell(house.house, bold=not left, quiet=left),
        Cell(house.name, quiet=left, tip=house.name),
        Cell(number(house.connection_w / 1000, 3), align_right=True, quiet=left),
        Cell(joined or translate(_CONTEXT, "the beginning"), quiet=left or not joined),
        Cell(leaves, quiet=left),
        Cell(words, bold=lost, quiet=left),
    ]


def stranger_row(stranger: Stranger, zone: str) -> list[Cell]:
    """One that knocked and is not known."""
    words = translate(_CONTEXT, "knocked {0} and is not known: add it").format(moment(stranger.heard_s, zone))
    empty = Cell("")
    return [Cell(stranger.house, bold=True, link=True), empty, Cell("", align_right=True), empty, empty,
            Cell(words, bold=True, tip=words)]  # fmt: skip


class HousesPanel(QWidget):
    """The table of houses; one that knocked stands on top.

    Signals:
        house_chosen: the ID of a known house whose row was opened.
    """

    house_chosen = Signal(str)

    def __init__(self, operator: Operator, desk: DeskName) -> None:
        super().__init__()
        self._operator, self._desk = operator, desk
        self._theme = load_theme(LIGHT)
        self._houses: tuple[House, ...] = ()
        self._snapshot: CentralSnapshot | None = None
        self._shown: object = None  # what the table was made from
        self.fault = FaultLine()
        self.add_button = QPushButton(self.tr("Add a &house …"))
        self.leave_button = QPushButton(self.tr("House &leaves …"))
        self.table = Table(
            [self.tr("House"), self.tr("Name"), self.tr("Connection\nkW"), self.tr("Joined"), self.tr("Left"),
             self.tr("Link")],
            self.tr("Known houses"),
        )  # fmt: skip
        self.add_button.clicked.connect(self._add)
        self.leave_button.clicked.connect(self._leave)
        self.table.chosen.connect(self._chosen)
        for button in (self.add_button, self.leave_button):
            button.setEnabled(False)
        self._lay_out()

    def refresh(self) -> None:
        """Ask anew which houses are known."""
        ask(self, self._operator.houses(), self._take_houses, self._fail)

    def show_snapshot(self, snapshot: CentralSnapshot) -> None:
        """Show who is linked and who knocked."""
        self._snapshot = snapshot
        self._show()

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        self._theme = theme
        for line in self.findChildren(TextLine):
            line.set_theme(theme)
        self.table.set_theme(theme)

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.addWidget(TextLine(self.tr("Known houses"), 16, bold=True), 1)
        head.addWidget(self.add_button)
        head.addWidget(self.leave_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(head)
        layout.addWidget(self.fault)
        layout.addWidget(self.table, 1)

    def _take_houses(self, houses: tuple[House, ...]) -> None:
        self.fault.set_text("")
        self._houses = houses
        self._show()

    def _fail(self, error: Exception) -> None:
        self.fault.set_text(self.tr("The houses could not be read: {0}").format(error))

    def _members(self) -> list[House]:
        """Those that have not left."""
        now_s = self._snapshot.now_s if self._snapshot is not None else 0.0
        return [house for house in self._houses if house.left * SECONDS_PER_MINUTE > now_s]

    def _strangers(self) -> list[Stranger]:
        known = {house.house for house in self._houses}
        heard = self._snapshot.strangers if self._snapshot is not None else ()
        fresh = [stranger for stranger in heard if stranger.house not in known]
        return sorted(fresh, key=lambda stranger: stranger.heard_s, reverse=True)

    def _show(self) -> None:
        snapshot = self._snapshot
        if snapshot is None:
            return
        views = {view.house: view for view in snapshot.houses}
        strangers = self._strangers()
        links = [(view.house, view.link, _since_minute(view, snapshot.now_s)) for view in snapshot.houses]
        shown = (self._houses, strangers, links, int(snapshot.now_s) // SECONDS_PER_MINUTE)
        if shown == self._shown:
            return  # most snapshots change nothing here
        self._shown = shown
        keys: list[object] = [Knock(stranger.house) for stranger in strangers]
        rows = [stranger_row(stranger, snapshot.zone) for stranger in strangers]
        for house in self._houses:
            keys.append(house.house)
            rows.append(house_row(house, views.get(house.house), snapshot.now_s, snapshot.zone))
        self.table.set_rows(keys, rows)
        self.add_button.setEnabled(bool(self._houses))
        self.leave_button.setEnabled(bool(self._members()))

    @Slot(object)
    def _chosen(self, key: object) -> None:
        if isinstance(key, Knock):
            self._open_add(key.house)
        else:
            self.house_chosen.emit(key)

    @Slot()
    def _add(self) -> None:
        strangers = self._strangers()
        self._open_add(strangers[0].house if strangers else "")

    def _open_add(self, house: str) -> None:
        if self._snapshot is not None:
            self._open(
                AddHouseDialog(
                    self._operator, self._desk, self._houses, house, self._next_minute(),
                    self._snapshot.zone, self,
                )
            )  # fmt: skip

    @Slot()
    def _leave(self) -> None:
        if self._snapshot is not None:
            chosen = self.table.current_key()
            self._open(
                LeaveDialog(
                    self._operator, self._desk, self._members(), chosen if isinstance(chosen, str) else None,
                    self._next_minute(), self._snapshot.zone, self,
                )
            )  # fmt: skip

    def _next_minute(self) -> int:
        return int(self._snapshot.now_s) // SECONDS_PER_MINUTE + 1 if self._snapshot is not None else 0

    def _open(self, dialog: OrderDialog) -> None:
        dialog.set_theme(self._theme)
        dialog.accepted.connect(self.refresh)
        dialog.open()
