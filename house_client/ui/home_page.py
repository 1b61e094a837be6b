"""The kiosk's first page: power now, how near the limit is, the month so far, what waits for an answer."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout

from house_client.snapshot import HouseSnapshot
from house_client.ui.bill_words import brief_words
from house_client.ui.buttons import NoticeButton
from house_client.ui.contract_words import CallState, call_state, call_words
from house_client.ui.limit_bar import LimitBar
from house_client.ui.margin import Nearness, margin_of, margin_words
from house_client.ui.month_panel import MonthPanel
from house_client.ui.panels import LABEL, Panel, PowerPanel
from house_client.ui.presentation import rate_reading, tariff_reading
from house_client.ui.steering_words import is_hindered, manner_words, request_words
from microgrid.bill import Verdict
from microgrid.units import SECONDS_PER_MINUTE
from node.qt.format import Quantity, price
from node.qt.text import TextBlock

_NOTICE = 23.0
_BAR = 34.0
_MANNER = 18.0
_LEFT, _RIGHT = 9, 11  # widths of the columns


class NowPanel(Panel):
    """Power now, the distance to what costs more, and the prices."""

    def __init__(self) -> None:
        super().__init__()
        coins = Quantity("999.99", price(0).unit)
        self.now = PowerPanel()
        self._panels.append(self.now)
        self.distance = self._line("", LABEL, bold=True, quiet=False)
        self.bar = LimitBar(_BAR)
        self._parts.append((self.bar, _BAR))
        self.cost = self._line("")
        self.rate, self.tariff = self._value(coins), self._value(coins)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(1)
        layout.addWidget(self.now)
        layout.addStretch(1)
        for part in (self.distance, self.bar, self.cost):
            layout.addWidget(part)
        layout.addStretch(1)
        prices = QGridLayout()
        prices.setVerticalSpacing(1)
        prices.setColumnStretch(0, 4)
        prices.setColumnStretch(1, 6)
        named = ((self.tr("Rate now"), self.rate), (self.tr("National tariff"), self.tariff))
        for row, (label, value) in enumerate(named):
            prices.addWidget(self._line(label), row, 0)
            prices.addWidget(value, row, 1)
        layout.addLayout(prices)

    def show_snapshot(self, snapshot: HouseSnapshot) -> None:
        """Show this snapshot."""
        self.now.show_snapshot(snapshot)
        margin = margin_of(snapshot)
        distance, cost = margin_words(snapshot, margin)
        warned = margin is not None and margin.nearness is not Nearness.FAR
        self.distance.set_text(distance, emphasised=warned)
        self.bar.set_margin(margin)
        self.cost.set_text(cost)
        self.rate.set_reading(rate_reading(snapshot))
        self.tariff.set_reading(tariff_reading(snapshot))


class SteeringPanel(Panel):
    """What the central asks or the house holds by itself, how that is met, and why; no room if nothing is."""

    def __init__(self) -> None:
        super().__init__()
        self.request = self._line("", LABEL, bold=True, quiet=False)
        self.manner = TextBlock(2, _MANNER)
        self._parts.append((self.manner, _MANNER))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 2, 0, 0)
        layout.setSpacing(18)
        layout.addWidget(self.request, _LEFT)
        layout.addWidget(self.manner, _RIGHT)

    def show_snapshot(self, snapshot: HouseSnapshot) -> None:
        """Show this snapshot."""
        margin = margin_of(snapshot)
        short = margin is not None and margin.missing_w > 0
        request = request_words(snapshot, margin)
        self.request.set_text(request, emphasised=short or is_hindered(snapshot))
        self.manner.set_text(manner_words(snapshot))
        self.setVisible(bool(request))


class HomePage(Panel):
    """Level 1 of the kiosk. `bill_seen`: the newest bill has been looked at.

    Signals:
        contract_wanted: the household pressed the call for a contract.
        bill_wanted: it pressed the newest bill.
    """

    contract_wanted = Signal()
    bill_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.now, self.month, self.steering = NowPanel(), MonthPanel(), SteeringPanel()
        self._panels += [self.now, self.month, self.steering]
        self.bill_seen = True
        self.call, self.bill = NoticeButton(_NOTICE), NoticeButton(_NOTICE)
        for notice in (self.call, self.bill):
            self._parts.append((notice, _NOTICE))
            notice.hide()
        self.call.clicked.connect(self.contract_wanted)
        self.bill.clicked.connect(self.bill_wanted)
        right = QVBoxLayout()
        right.setSpacing(6)
        right.addWidget(self.month)
        right.addStretch(1)
        right.addWidget(self.call)
        right.addWidget(self.bill)
        columns = QHBoxLayout()
        columns.setSpacing(18)
        columns.addWidget(self.now, _LEFT)
        columns.addLayout(right, _RIGHT)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(columns, 1)
        layout.addWidget(self.steering)

    def show_snapshot(self, snapshot: HouseSnapshot) -> None:
        """Show this snapshot; `bill_seen` says whether its bill has been looked at."""
        self.now.show_snapshot(snapshot)
        self.month.show_snapshot(snapshot)
        self.steering.show_snapshot(snapshot)
        self._show_call(snapshot)
        self._show_bill(snapshot)

    def _show_call(self, snapshot: HouseSnapshot) -> None:
        call, state = snapshot.call, call_state(snapshot)
        begun = call is not None and snapshot.now_s >= call.first_minute * SECONDS_PER_MINUTE
        if call is None or (state is CallState.AGREED and begun and call.permitted):
            self.call.hide()
            return
        wanted = state in (CallState.OPEN, CallState.REFUSED)
        self.call.set_notice(*call_words(snapshot, call, state), emphasised=wanted)
        self.call.show()

    def _show_bill(self, snapshot: HouseSnapshot) -> None:
        received = snapshot.bill
        self.bill.setVisible(received is not None)
        if received is None:
            return
        differs = received.check.verdict is Verdict.DIFFERS
        self.bill.set_notice(*brief_words(received), emphasised=differs or not self.bill_seen)
