"""The head of the Load Sharing window: how load is shared, by whom, and what that gives now."""

from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from central_monitor.snapshot import CentralSnapshot, SharingView
from central_monitor.ui.overview import Figure, national_reading, rate_reading, tariff_reading, trust
from central_monitor.ui.presentation import NO_FLOW_W, house_state
from central_monitor.ui.sharing_words import since_words, strategy_words
from microgrid.terms import Source
from microgrid.units import SECONDS_PER_MINUTE
from node.qt.format import MINUS, Quantity, duration, money, power, price
from node.qt.text import TextLine
from node.qt.theme import Theme
from node.qt.value import Reading, ValueState

_KW = Quantity(f"{MINUS}9,999.99", "kW")
_COINS = Quantity(f"{MINUS}99,999.99", money(0).unit)


class SharingHead(QWidget):
    """The strategy in force, day or night, the powers and prices of now, and what sharing saved today."""

    def __init__(self, *, orders: bool) -> None:
        """`orders`: the strategy can be changed here."""
        super().__init__()
        rate = Quantity("999.99", price(0).unit)
        self.strategy = TextLine("", 17, bold=True)
        self.author = TextLine("", 13, quiet=True)
        self.turn = TextLine("", 14)
        self.demand = Figure(self.tr("Taken by houses"), _KW)
        self.solar = Figure(self.tr("Delivered by the sun"), _KW)
        self.generators = Figure(self.tr("Delivered by generators"), _KW)
        self.national = Figure(self.tr("National grid"), _KW)
        self.rate = Figure(self.tr("Rate now"), rate)
        self.tariff = Figure(self.tr("National tariff"), rate)
        self.saved = Figure(self.tr("Saved against no sharing"), _COINS)
        self.figures = (
            self.demand, self.solar, self.generators, self.national, self.rate, self.tariff, self.saved,
        )  # fmt: skip
        self.change_button = QPushButton(self.tr("&Change sharing …"))
        self.change_button.setVisible(orders)
        self.change_button.setEnabled(False)
        self._lay_out()

    def show_snapshot(self, snapshot: CentralSnapshot) -> None:
        """Show this snapshot."""
        sharing = snapshot.sharing
        self.change_button.setEnabled(sharing is not None)
        self._show_strategy(snapshot, sharing)
        self._show_powers(snapshot)
        self.national.value.set_reading(national_reading(snapshot))
        self.rate.value.set_reading(rate_reading(snapshot))
        self.tariff.value.set_reading(tariff_reading(snapshot))
        self.saved.value.set_reading(self._saved_reading(snapshot, sharing))

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        for part in (self.strategy, self.author, self.turn, *self.figures):
            part.set_theme(theme)

    def _lay_out(self) -> None:
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(self.strategy)
        words.addWidget(self.author)
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addLayout(words, 3)
        top.addWidget(self.turn, 2)
        top.addWidget(self.change_button)
        figures = QHBoxLayout()
        for figure in self.figures:
            figures.addWidget(figure, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(top)
        layout.addLayout(figures)

    def _show_strategy(self, snapshot: CentralSnapshot, sharing: SharingView | None) -> None:
        day = self.tr("Day now") if snapshot.pool.is_day else self.tr("Night now")
        if sharing is None:
            self.strategy.set_text(self.tr("How load is shared is not known yet"))
            self.author.set_text("")
            self.turn.set_text(day)
            return
        self.strategy.set_text(strategy_words(sharing.strategy))
        chosen = self.tr("Chosen by {0}: {1}").format(sharing.author, sharing.note)
        self.author.set_text(chosen if sharing.author else self.tr("Nobody has changed it"))
        turns_s = sharing.turns_minute * SECONDS_PER_MINUTE
        night, morning = self.tr("{0}; night from {1}, in {2}"), self.tr("{0}; day from {1}, in {2}")
        words = night if snapshot.pool.is_day else morning
        at = since_words(turns_s, snapshot.now_s, snapshot.zone)
        left_s = max(0.0, turns_s - snapshot.now_s) // SECONDS_PER_MINUTE * SECONDS_PER_MINUTE
        self.turn.set_text(words.format(day, at, duration(left_s)))

    def _show_powers(self, snapshot: CentralSnapshot) -> None:
        state, without = trust(snapshot)
        given = {Source.SOLAR: 0, Source.GENERATOR: 0, None: 0}
        for house in snapshot.houses:
            if house.sample is not None and house_state(house) is not ValueState.DISCONNECTED:
                source = None if house.contract is None else house.contract.source
                given[source] += max(0, house.sample.exchange_p_w)
        self.demand.value.set_reading(Reading(power(snapshot.pool.consumed_w), state, without))
        self.solar.value.set_reading(Reading(power(given[Source.SOLAR]), state, without))
        others = self.tr("and {0} by others").format(power(given[None])) if given[None] >= NO_FLOW_W else ""
        self.generators.value.set_reading(Reading(power(given[Source.GENERATOR]), state, others or without))

    def _saved_reading(self, snapshot: CentralSnapshot, sharing: SharingView | None) -> Reading:
        if sharing is None or sharing.saved is None:
            return Reading(money(0), ValueState.DISCONNECTED, self.tr("not known yet"))
        at_s = sharing.saved_from_minute * SECONDS_PER_MINUTE
        since = since_words(at_s, snapshot.now_s, snapshot.zone)
        note = self.tr("estimated, since {0}").format(since)
        return Reading(money(sharing.saved, signed=True), ValueState.ESTIMATED, note)
