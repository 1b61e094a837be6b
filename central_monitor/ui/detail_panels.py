"""The panels of the Energy Trading Detail window: groups of labelled values that change size together."""

from collections.abc import Sequence
from math import ceil

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QGridLayout, QWidget

from central_monitor.snapshot import CentralSnapshot, HouseView
from central_monitor.ui.agreement_rows import obligation_word
from central_monitor.ui.band import BandBar
from central_monitor.ui.deviation import breach_words, deviation
from central_monitor.ui.overview import rate_reading
from central_monitor.ui.presentation import house_state, role_words
from central_monitor.ui.sharing_words import order_sentences
from microgrid.terms import Role
from microgrid.units import SECONDS_PER_MINUTE
from node.qt import measured
from node.qt.format import MINUS, Quantity, duration, energy, moment, money, power, price
from node.qt.symbols import BreakerWidget
from node.qt.text import TextBlock, TextLine
from node.qt.theme import LIGHT, Theme, load_theme
from node.qt.value import Reading, ValueState, ValueWidget

_PHASES = 3
# A panel is laid out in 16 columns: a label and three values share them evenly, one value gets seven.
_COLUMNS = 16
_MANY, _SINGLE = 4, 7
SMALLEST = 11.0  # text size in pixels
_SIZE = 13.0  # as the parts begin
_LEAST_WIDTH = 200
_ORDER_LINES = 5  # for what a seller is told and what it did
_ENERGY = Quantity(f"{MINUS}99,999.9", "kWh")
_MONEY = Quantity(f"{MINUS}9,999,999.99", "coins")
_RIGHT = Qt.AlignmentFlag.AlignRight

Part = TextLine | TextBlock | ValueWidget | BreakerWidget | BandBar


class Panel(QWidget):
    """A framed group under a title: rows of a label and up to three values."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self._theme = load_theme(LIGHT)
        self._parts: list[Part] = []
        self._rows = 0
        self._size = _SIZE
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(8, 4, 8, 6)
        self._grid.setHorizontalSpacing(2)
        self._grid.setVerticalSpacing(1)
        for column in range(_COLUMNS):
            self._grid.setColumnStretch(column, 1)
        self.title = TextLine(title, bold=True)
        self.add_line(self.title)

    def add_row(self, label: str, *values: Part) -> TextLine:
        """A label with one or three values. Returns the label."""
        line = TextLine(label, quiet=True)
        width = _SINGLE if len(values) == 1 else _MANY
        first = _COLUMNS - width * len(values)
        self._grid.addWidget(line, self._rows, 0, 1, first)
        for number, value in enumerate(values):
            if not isinstance(value, TextLine):
                value.setAccessibleName(label)
            self._grid.addWidget(value, self._rows, first + number * width, 1, width)
        self._parts += (line, *values)
        self._rows += 1
        return line

    def add_line(self, part: Part) -> None:
        """A part over the whole width."""
        self._grid.addWidget(part, self._rows, 0, 1, _COLUMNS)
        self._parts.append(part)
        self._rows += 1

    def show_row(self, label: TextLine, *values: Part, shown: bool) -> None:
        """Show or hide a row that not every house has."""
        for part in (label, *values):
            part.setVisible(shown)

    def add_spring(self) -> None:
        """What height is left goes here."""
        self._grid.setRowStretch(self._rows, 1)
        self._rows += 1

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        self._theme = theme
        for part in self._parts:
            part.set_theme(theme)
        self.update()

    def set_size(self, size: float) -> None:
        """Write in this many pixels."""
        self._size = size
        for part in self._parts:
            part.set_size(size)

    def minimumSizeHint(self) -> QSize:
        """The room it needs in the smallest text: a larger one must not keep the window from shrinking."""
        height = super().minimumSizeHint().height() * SMALLEST / self._size
        return QSize(_LEAST_WIDTH, ceil(height))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw ground and frame."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theme.panel)
        painter.setPen(QPen(self._theme.line, 1))
        painter.drawRect(self.rect().adjusted(0, 0, -1, -1))


class PhasePanel(Panel):
    """Voltage, current and power factor of each phase; the frequency."""

    def __init__(self) -> None:
        super().__init__("")
        self.title.set_text(self.tr("Phases"))
        names = [TextLine(f"L{phase + 1}", align=_RIGHT, quiet=True) for phase in range(_PHASES)]
        self.voltages = [_value(measured.VOLTAGE) for _ in names]
        self.currents = [_value(measured.CURRENT) for _ in names]
        self.power_factors = [_value(Quantity("0.99", self.tr("lead"))) for _ in names]
        self.frequency = _value(measured.FREQUENCY)
        self.add_row("", *names)
        self.add_row(self.tr("Voltage"), *self.voltages)
        self.add_row(self.tr("Current"), *self.currents)
        self.add_row(self.tr("Power factor"), *self.power_factors)
        self.add_row(self.tr("Frequency"), self.frequency)
        self.add_spring()

    def show_house(self, house: HouseView) -> None:
        """Show this house's last sample, by how far it may be trusted."""
        sample, state = house.sample, house_state(house)
        for phase in range(_PHASES):
            self.voltages[phase].set_reading(measured.voltage(sample, phase, state))
            self.currents[phase].set_reading(measured.current(sample, phase, state))
            self.power_factors[phase].set_reading(measured.power_factor(sample, phase, state))
        self.frequency.set_reading(measured.frequency(sample, state))


class PowerPanel(Panel):
    """Active, reactive and apparent power of generation, exchange and load; both breakers."""

    def __init__(self) -> None:
        super().__init__("")
        self.title.set_text(self.tr("Power"))
        kinds = (self.tr("active"), self.tr("reactive"), self.tr("apparent"))
        self.generated, self.exchanged, self.load = (_power_values() for _ in range(3))
        self.generator_breaker, self.grid_breaker = BreakerWidget(), BreakerWidget()
        self.add_row("", *(TextLine(kind, align=_RIGHT, quiet=True) for kind in kinds))
        self.add_row(self.tr("Generation"), *self.generated)
        self.add_row(self.tr("Exchange"), *self.exchanged)
        self.add_row(self.tr("Load"), *self.load)
        self.add_row(self.tr("Generator breaker"), self.generator_breaker)
        self.add_row(self.tr("Grid breaker"), self.grid_breaker)
        self.add_spring()

    def show_house(self, house: HouseView) -> None:
        """Show this house's last sample; load is what is generated and not exchanged (4.4)."""
        sample, state = house.sample, house_state(house)
        known = sample is not None and state is not ValueState.DISCONNECTED
        self.generator_breaker.set_closed(
            sample.generator_breaker_closed if known and sample is not None else None
        )
        self.grid_breaker.set_closed(sample.grid_breaker_closed if known and sample is not None else None)
        if sample is None:
            pairs, apparent = ((0, 0),) * 3, 0
        else:
            load_var = sample.generator_q_var - sample.exchange_q_var
            pairs = (
                (sample.generator_p_w, sample.generator_q_var),
                (sample.exchange_p_w, sample.exchange_q_var),
                (sample.load_w, load_var),
            )
            apparent = sample.generator_s_va
        for values, (p_w, q_var) in zip((self.generated, self.exchanged, self.load), pairs, strict=True):
            readings = measured.powers(p_w, q_var, state, signed=values is self.exchanged)
            for value, reading in zip(values, readings, strict=True):
                value.set_reading(reading)
        # A generator's apparent power is measured itself.
        self.generated[2].set_reading(Reading(power(apparent)._replace(unit="kVA"), state))


class TradePanel(Panel):
    """What the power is traded as now, its place in the contract, and the order the house stands under."""

    def __init__(self) -> None:
        super().__init__("")
        self.title.set_text(self.tr("Trade now"))
        self.band = BandBar()
        self.microgrid, self.national, self.default = (_value(measured.POWER) for _ in range(3))
        self.deviation = _value(measured.POWER)
        self.rate = _value(Quantity("999.99", price(0).unit))
        self.order = TextBlock(_ORDER_LINES)
        self.add_line(self.band)
        self.microgrid_label = self.add_row("", self.microgrid)
        self.national_label = self.add_row("", self.national)
        self.default_label = self.add_row(self.tr("In default"), self.default)
        self.deviation_label = self.add_row("", self.deviation)
        self.add_row(self.tr("Rate now"), self.rate)
        self.add_line(self.order)
        self.add_spring()

    def show_house(self, house: HouseView, snapshot: CentralSnapshot) -> None:
        """Show this house's trade."""
        self.band.show_house(house)
        split, state = house.split, house_state(house)
        if split is None:
            state = ValueState.DISCONNECTED
        into_w, national_w, default_w = (
            (0, 0, 0) if split is None else (split.microgrid_w, split.national_w, split.default_w)
        )
        self.microgrid_label.set_text(
            self.tr("Delivered to the micro-grid") if _gives(house) else self.tr("Taken from the micro-grid")
        )
        self.national_label.set_text(
            self.tr("To the national grid") if national_w > 0 else self.tr("From the national grid")
        )
        self.microgrid.set_reading(Reading(power(abs(into_w)), state))
        self.national.set_reading(Reading(power(abs(national_w)), state))
        self.default.set_reading(Reading(power(default_w), state))
        self.show_row(self.default_label, self.default, shown=_sells(house))
        self._show_deviation(house, snapshot)
        self.rate.set_reading(rate_reading(snapshot))
        self.order.setVisible(_sells(house))
        sentences = order_sentences(house, snapshot.now_s, snapshot.zone)
        self.order.set_text(" ".join(sentences))

    def _show_deviation(self, house: HouseView, snapshot: CentralSnapshot) -> None:
        found = deviation(house, snapshot.pool.is_day)
        if found is None:
            self.deviation_label.set_text(self.tr("Deviation"))
            self.deviation.set_reading(Reading(power(0), ValueState.DISCONNECTED))
            return
        words = breach_words(found.breach)
        self.deviation_label.set_text(
            self.tr("Deviation: {0}").format(words) if words else self.tr("Deviation")
        )
        self.deviation.set_reading(Reading(power(found.power_w)))


class ContractPanel(Panel):
    """What the house agreed to this month (5.4)."""

    def __init__(self) -> None:
        super().__init__("")
        self.role = TextLine("", align=_RIGHT)
        self.minimum, self.maximum, self.allotment = (_value(measured.POWER) for _ in range(3))
        self.price = _value(Quantity("999.99", price(0).unit))
        self.obligation = TextLine("", align=_RIGHT)
        self.add_row(self.tr("Role"), self.role)
        self.maximum_label = self.add_row(self.tr("Maximum"), self.maximum)
        self.minimum_label = self.add_row(self.tr("Minimum"), self.minimum)
        self.obligation_label = self.add_row(self.tr("Minimum owed"), self.obligation)
        self.price_label = self.add_row(self.tr("Price"), self.price)
        self.allotment_label = self.add_row(self.tr("Allotment now"), self.allotment)
        self.add_spring()

    def show_house(self, house: HouseView, month: str) -> None:
        """Show this house's contract of the month, and only what its role has."""
        self.title.set_text(self.tr("Contract of {0}").format(month))
        contract, share_w = house.contract, house.allotment_w
        self.role.set_text(role_words(contract))
        self.obligation.set_text(obligation_word(contract))
        self.show_row(self.maximum_label, self.maximum, shown=contract is not None)
        self.show_row(self.minimum_label, self.minimum, shown=_sells(house))
        self.show_row(self.obligation_label, self.obligation, shown=_sells(house))
        self.show_row(self.price_label, self.price, shown=_sells(house))
        self.show_row(self.allotment_label, self.allotment, shown=share_w is not None)
        if contract is not None:
            self.maximum.set_reading(Reading(power(contract.max_w)))
            self.minimum.set_reading(Reading(power(contract.min_w)))
            self.price.set_reading(Reading(price(contract.price)))
        if share_w is not None:
            self.allotment.set_reading(Reading(power(share_w)))


class MonthPanel(Panel):
    """The month so far, settled from what is recorded."""

    def __init__(self) -> None:
        super().__init__("")
        self.microgrid_energy, self.national_energy = _value(_ENERGY), _value(_ENERGY)
        self.microgrid_amount, self.national_amount = _value(_MONEY), _value(_MONEY)
        self.penalties, self.total = _value(_MONEY), _value(_MONEY)
        self.add_row(self.tr("Micro-grid energy"), self.microgrid_energy)
        self.add_row(self.tr("National grid energy"), self.national_energy)
        self.add_row(self.tr("Micro-grid amount"), self.microgrid_amount)
        self.add_row(self.tr("National grid amount"), self.national_amount)
        self.add_row(self.tr("Penalties"), self.penalties)
        self.add_row(self.tr("Total"), self.total)
        self.add_line(TextLine(self.tr("Positive: given, or to be paid to the house"), quiet=True))
        self.add_spring()

    def show_house(self, house: HouseView, name: str) -> None:
        """Show this house's month, of this name; it stands still while the link is lost."""
        self.title.set_text(self.tr("{0} so far").format(name))
        month = house.month
        lost = house_state(house) is ValueState.DISCONNECTED
        state = ValueState.STALE if lost else ValueState.GOOD
        if month is None:
            for part in (self.microgrid_energy, self.national_energy):
                part.set_reading(Reading(energy(0), ValueState.DISCONNECTED))
            for part in (self.microgrid_amount, self.national_amount, self.penalties, self.total):
                part.set_reading(Reading(money(0), ValueState.DISCONNECTED))
            return
        self.microgrid_energy.set_reading(Reading(energy(month.microgrid_energy, signed=True), state))
        self.national_energy.set_reading(Reading(energy(month.national_energy, signed=True), state))
        amounts = (month.microgrid_amount, month.national_amount, month.penalty_amount)
        parts = (self.microgrid_amount, self.national_amount, self.penalties, self.total)
        for part, amount in zip(parts, (*amounts, sum(amounts)), strict=True):
            part.set_reading(Reading(money(amount, signed=True), state))


class LinkPanel(Panel):
    """How well the house is heard, and up to when its minutes are recorded."""

    def __init__(self) -> None:
        super().__init__("")
        self.title.set_text(self.tr("Link"))
        self.age, self.round_trip, self.last_minute, self.waiting, self.firmware = (
            TextLine("", align=_RIGHT) for _ in range(5)
        )
        self.add_row(self.tr("Age of values"), self.age)
        self.add_row(self.tr("Round trip"), self.round_trip)
        self.add_row(self.tr("Recorded up to"), self.last_minute)
        self.add_row(self.tr("Minutes to deliver"), self.waiting)
        self.add_row(self.tr("Meter's firmware"), self.firmware)
        self.add_spring()

    def show_house(self, house: HouseView, zone: str) -> None:
        """Show this house's link."""
        self.age.set_text(self.tr("never heard") if house.age_s is None else duration(house.age_s))
        trip = house.round_trip_ms if house_state(house) is not ValueState.DISCONNECTED else None
        self.round_trip.set_text("" if trip is None else self.tr("{0} ms").format(round(trip)))
        recorded = self.tr("nothing recorded")
        if house.last_minute is not None:
            recorded = moment((house.last_minute + 1) * SECONDS_PER_MINUTE, zone)
        self.last_minute.set_text(recorded)
        self.waiting.set_text(self.tr("yes") if house.minutes_waiting else self.tr("no"))
        self.firmware.set_text("" if house.sample is None else house.sample.firmware)


def _value(template: Quantity) -> ValueWidget:
    return ValueWidget(template, noted=False)


def _power_values() -> Sequence[ValueWidget]:
    return tuple(_value(measured.POWER._replace(unit=unit)) for unit in ("kW", "kvar", "kVA"))


def _gives(house: HouseView) -> bool:
    """Whether the house gives now, or, while nothing flows, is one that sells."""
    flow_w = house.split.microgrid_w if house.split is not None else 0
    return flow_w > 0 or (flow_w == 0 and _sells(house))


def _sells(house: HouseView) -> bool:
    return house.contract is not None and house.contract.role is Role.PRODUCER
