"""Level 2: how load is shared, who takes, what sellers are asked for and do (8.3.4, Fig 8.5)."""

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from central_monitor.operator import Operator
from central_monitor.snapshot import CentralSnapshot, HouseView
from central_monitor.ui.desk import DeskName, OrderDialog
from central_monitor.ui.live_list import LiveList
from central_monitor.ui.presentation import NO_FLOW_W, house_note
from central_monitor.ui.sharing_dialogs import (
    BackInServiceDialog,
    HoldDialog,
    OutOfServiceDialog,
    ReleaseDialog,
    StrategyDialog,
)
from central_monitor.ui.sharing_head import SharingHead
from central_monitor.ui.sharing_rows import (
    BAND_COLUMN,
    Line,
    Order,
    seller_cells,
    seller_headers,
    seller_rank,
    sells,
    shortage_w,
    taker_cells,
    taker_headers,
    taker_rank,
    takes,
)
from central_monitor.ui.sharing_words import count_words, held, order_sentences, out_of_service
from microgrid.units import SECONDS_PER_MINUTE
from node.qt.field import ListBox
from node.qt.format import power
from node.qt.table import Table
from node.qt.text import TextBlock, TextLine
from node.qt.theme import LIGHT, Theme, load_theme

_TAKERS, _SELLERS = 27, 73  # per cent of the width
_SIZE = 12  # of the tables' text: there is much to a seller


class SharingScreen(QWidget):
    """The Load Sharing window: its head over those that take, left, and the sellers, right.

    Without an operator and the name of who is at the desk nothing can be ordered here.

    Signals:
        house_chosen: the house whose line was opened.
    """

    house_chosen = Signal(str)

    def __init__(self, operator: Operator | None = None, desk: DeskName | None = None) -> None:
        super().__init__()
        self._operator, self._desk = operator, desk
        self._theme = load_theme(LIGHT)
        self._snapshot: CentralSnapshot | None = None
        self.head = SharingHead(orders=operator is not None)
        self.count = TextLine("", 13, bold=True)
        self.takers = Table(taker_headers(), self.tr("Houses that take"), _SIZE)
        self.sellers = Table(seller_headers(), self.tr("Sellers"), _SIZE, stretched=BAND_COLUMN)
        self.sellers.set_empty_text(self.tr("No house sells this month"))
        self.takers.set_empty_text(self.tr("No house takes now"))
        self._taker_list: LiveList[Line] = LiveList(self.takers, taker_cells)
        self._seller_list: LiveList[Line] = LiveList(self.sellers, seller_cells)
        self.ordered = TextLine("", 13, align=Qt.AlignmentFlag.AlignRight)
        self.chosen = TextBlock(2)
        self.legend = TextLine(
            self.tr(
                "Band: minimum to maximum of the contract; triangle: target; marks below: 10 % and 90 %"
                " of the maximum; positive powers are given, negative taken"
            ),
            12,
            quiet=True,
        )
        self._make_choices()
        self._make_buttons()
        self._lay_out()
        self.setFocusProxy(self.sellers)
        for table in (self.takers, self.sellers):
            table.chosen.connect(self._open_house)
        self.sellers.selectionModel().currentRowChanged.connect(self._show_chosen)

    def show_snapshot(self, snapshot: CentralSnapshot) -> None:
        """Show this snapshot."""
        self._snapshot = snapshot
        self.head.show_snapshot(snapshot)
        self._show_rows()

    def refresh(self) -> None:
        """Whoever comes back finds the rows sorted as of now."""
        self._taker_list.sort_anew()
        self._seller_list.sort_anew()

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        self._theme = theme
        lines = (self.count, self.ordered, self.chosen, self.legend)
        for part in (self.head, self.takers, self.sellers, *lines):
            part.set_theme(theme)

    def _make_choices(self) -> None:
        self.order_box = ListBox()
        for order, text in (
            (Order.DEVIATION, self.tr("trouble, then deviation")),
            (Order.HOUSE, self.tr("house")),
            (Order.SOURCE, self.tr("source and price")),
        ):
            self.order_box.addItem(text, order)
        self.order_box.currentIndexChanged.connect(self._sort_anew)

    def _make_buttons(self) -> None:
        self.hold_button = QPushButton(self.tr("&Hold …"))
        self.release_button = QPushButton(self.tr("&Release …"))
        self.out_button = QPushButton(self.tr("Out of ser&vice …"))
        self.back_button = QPushButton(self.tr("&Back in service …"))
        self.buttons = (self.hold_button, self.release_button, self.out_button, self.back_button)
        for button, slot in zip(
            self.buttons, (self._hold, self._release, self._take_out, self._take_back), strict=True
        ):
            button.clicked.connect(slot)
            button.setEnabled(False)
            button.setVisible(self._operator is not None)
        self.head.change_button.clicked.connect(self._change_strategy)

    def _lay_out(self) -> None:
        label = QLabel(self.tr("S&ort by"))
        label.setBuddy(self.order_box)
        order, orders = QHBoxLayout(), QHBoxLayout()
        order.setSpacing(6)
        order.addWidget(label)
        order.addWidget(self.order_box, 1)
        orders.setSpacing(6)
        orders.addWidget(self.ordered, 1)
        for button in self.buttons:
            orders.addWidget(button)
        columns = QGridLayout()
        columns.setHorizontalSpacing(10)
        columns.setVerticalSpacing(6)
        columns.addLayout(order, 0, 0)
        columns.addLayout(orders, 0, 1)
        columns.addWidget(self.takers, 1, 0)
        columns.addWidget(self.sellers, 1, 1)
        columns.setColumnStretch(0, _TAKERS)
        columns.setColumnStretch(1, _SELLERS)
        columns.setRowStretch(1, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self.head)
        layout.addWidget(self.count)
        layout.addLayout(columns, 1)
        layout.addWidget(self.chosen)
        layout.addWidget(self.legend)

    def _show_rows(self) -> None:
        assert self._snapshot is not None
        snapshot, order = self._snapshot, self.order_box.currentData()
        taking = {house.house: Line(house, snapshot) for house in snapshot.houses if takes(house)}
        selling = {house.house: Line(house, snapshot) for house in snapshot.houses if sells(house)}
        self._taker_list.show(taking, snapshot.now_s, taker_rank if order is Order.DEVIATION else None)
        rank = None if order is Order.HOUSE else lambda line: seller_rank(line, order)
        self._seller_list.show(selling, snapshot.now_s, rank)
        self._show_count(len(taking), tuple(line.house for line in selling.values()))
        self._show_chosen()

    def _show_count(self, taking: int, sellers: tuple[HouseView, ...]) -> None:
        assert self._snapshot is not None
        first = self.tr("Houses that take: {0}, that sell: {1}").format(taking, len(sellers))
        parts = [first, *([words] if (words := count_words(sellers)) else [])]
        short_w, imported_w = shortage_w(sellers), self._snapshot.pool.national_w
        if min(short_w, imported_w) >= NO_FLOW_W:
            words = self.tr("{0} short of their targets while {1} is imported")
            parts.append(words.format(power(short_w), power(imported_w)))
        self.count.set_text("; ".join(parts))

    def _seller(self) -> HouseView | None:
        """The seller whose row is selected."""
        key = self.sellers.current_key()
        houses = () if self._snapshot is None else self._snapshot.houses
        return next((house for house in houses if house.house == key and sells(house)), None)

    @Slot()
    def _show_chosen(self) -> None:
        """What is known of the selected seller's order, and what can be ordered of it."""
        house, snapshot = self._seller(), self._snapshot
        out = house is not None and out_of_service(house)
        self.hold_button.setEnabled(house is not None and not out)
        self.release_button.setEnabled(house is not None and held(house))
        self.out_button.setEnabled(house is not None and not out)
        self.back_button.setEnabled(out)
        if house is None or snapshot is None:
            self.chosen.set_text(self.tr("Select a seller to read its order in full; Enter opens the house."))
            self.ordered.set_text("")
            return
        self.ordered.set_text(self.tr("House {0}:").format(house.house) if self._operator is not None else "")
        sentences = order_sentences(house, snapshot.now_s, snapshot.zone)
        told = " ".join(sentences) or self.tr("It is asked for nothing now ({0}).").format(house_note(house))
        name = house.house if house.name == house.house else f"{house.house} {house.name}"
        self.chosen.set_text(f"{name}: {told}")

    @Slot()
    def _sort_anew(self) -> None:
        self.refresh()
        if self._snapshot is not None:
            self._show_rows()

    @Slot(object)
    def _open_house(self, house: object) -> None:
        self.house_chosen.emit(str(house))

    # --- orders -------------------------------------------------------------------------------------

    @Slot()
    def _change_strategy(self) -> None:
        if self._operator is None or self._desk is None or self._snapshot is None:
            return
        if (sharing := self._snapshot.sharing) is not None:
            self._open(StrategyDialog(self._operator, self._desk, sharing.strategy, self))

    @Slot()
    def _hold(self) -> None:
        self._open_for(HoldDialog)

    @Slot()
    def _release(self) -> None:
        self._open_for(ReleaseDialog)

    @Slot()
    def _take_back(self) -> None:
        self._open_for(BackInServiceDialog)

    @Slot()
    def _take_out(self) -> None:
        house, snapshot = self._seller(), self._snapshot
        if self._operator is None or self._desk is None or house is None or snapshot is None:
            return
        minute = int(snapshot.now_s) // SECONDS_PER_MINUTE
        self._open(OutOfServiceDialog(self._operator, self._desk, house, minute, snapshot.zone, self))

    def _open_for(self, kind: type[HoldDialog | ReleaseDialog | BackInServiceDialog]) -> None:
        house = self._seller()
        if self._operator is not None and self._desk is not None and house is not None:
            self._open(kind(self._operator, self._desk, house, self))

    def _open(self, dialog: OrderDialog) -> None:
        dialog.set_theme(self._theme)
        dialog.open()
