"""The two halves of the kiosk's main screen: what matters to the household, and what the meter measures."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from house_client.snapshot import HouseSnapshot
from house_client.ui.presentation import (
    direction_words,
    energy_words,
    meter_state,
    pool_reading,
    power_factor,
    power_title,
    rate_reading,
    request_words,
    tariff_reading,
)
from node.qt.format import MINUS, Quantity, energy, number, power, price
from node.qt.symbols import BreakerWidget
from node.qt.text import TextLine
from node.qt.theme import Theme
from node.qt.value import Reading, ValueState, ValueWidget

_KW = Quantity(f"{MINUS}99.99", "kW")
_PHASES = 3

# Text sizes in pixels on a screen of 1024 by 600; `set_scale` makes them fit others.
_HUGE = 108.0
_LARGE = 36.0
_NORMAL = 25.0
_LABEL = 22.0


class Panel(QWidget):
    """A group of labels and values that scale and change colours together."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[tuple[TextLine | ValueWidget | BreakerWidget, float]] = []

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        for part, _ in self._parts:
            part.set_theme(theme)

    def set_scale(self, scale: float) -> None:
        """Make every text `scale` times its size on a screen of 1024 by 600."""
        for part, size in self._parts:
            part.set_size(size * scale)

    def _line(
        self, text: str = "", size: float = _LABEL, *, bold: bool = False, quiet: bool = True
    ) -> TextLine:
        line = TextLine(text, size, bold=bold, quiet=quiet)
        self._parts.append((line, size))
        return line

    def _value(self, template: Quantity, size: float = _NORMAL) -> ValueWidget:
        value = ValueWidget(template, size, noted=False)
        self._parts.append((value, size))
        return value

    def _breaker(self) -> BreakerWidget:
        breaker = BreakerWidget(_NORMAL)
        self._parts.append((breaker, _NORMAL))
        return breaker


class ExchangePanel(Panel):
    """Power now, the largest number on the screen; energy exchanged; prices; what the central asks."""

    def __init__(self) -> None:
        super().__init__()
        coins = Quantity("999.99", price(0).unit)
        self.power = self._value(_KW, _HUGE)
        self.direction = self._line("", _LARGE, bold=True, quiet=False)
        self.energy = self._value(Quantity(f"{MINUS}99,999.9", "kWh"), _LARGE)
        self.energy_direction = self._line("")
        self.rate, self.tariff = self._value(coins), self._value(coins)
        self.pool = self._value(_KW)
        self.request = self._line("", _NORMAL, bold=True, quiet=False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        self.title = self._line("")
        for part in (self.title, self.power, self.direction, self.request):
            layout.addWidget(part)
        layout.addStretch(1)
        rows = QGridLayout()
        rows.setColumnStretch(0, 4)
        rows.setColumnStretch(1, 7)
        rows.setVerticalSpacing(2)
        rows.addWidget(self._line(self.tr("Energy exchanged")), 0, 0)
        rows.addWidget(self.energy_direction, 1, 0)
        rows.addWidget(self.energy, 0, 1, 2, 1)
        named = (
            (self.tr("Rate now"), self.rate),
            (self.tr("National tariff"), self.tariff),
            (self.tr("Pool"), self.pool),
        )
        for row, (label, value) in enumerate(named, start=2):
            rows.addWidget(self._line(label), row, 0)
            rows.addWidget(value, row, 1)
        layout.addLayout(rows)

    def show_snapshot(self, snapshot: HouseSnapshot) -> None:
        """Show this snapshot."""
        sample, state = snapshot.sample, meter_state(snapshot)
        power_w = sample.exchange_p_w if sample is not None else 0
        self.power.set_reading(Reading(power(power_w, signed=True), state))
        doubtful = state not in (ValueState.GOOD, ValueState.DISCONNECTED)
        self.title.set_text(power_title(snapshot), emphasised=doubtful)
        self.direction.set_text(direction_words(snapshot), emphasised=state is ValueState.DISCONNECTED)
        net_ws = snapshot.export_ws - snapshot.import_ws
        # The registers are the house's own and stand while the meter is silent, but do not move on.
        energy_state = ValueState.STALE if state is ValueState.DISCONNECTED else ValueState.GOOD
        self.energy.set_reading(Reading(energy(net_ws, signed=True), energy_state))
        self.energy_direction.set_text(energy_words(net_ws))
        self.rate.set_reading(rate_reading(snapshot))
        self.tariff.set_reading(tariff_reading(snapshot))
        self.pool.set_reading(pool_reading(snapshot))
        self.request.set_text(request_words(snapshot))


class MeterPanel(Panel):
    """The generator, the load, both breakers, and each phase."""

    def __init__(self) -> None:
        super().__init__()
        self.generator_p = self._value(_KW)
        self.generator_q = self._value(_KW._replace(unit="kvar"))
        self.generator_s = self._value(_KW._replace(unit="kVA"))
        self.load = self._value(_KW)
        self.frequency = self._value(Quantity("99.99", "Hz"))
        self.generator_breaker, self.grid_breaker = self._breaker(), self._breaker()
        self.voltages = [self._value(Quantity("999.9", "V")) for _ in range(_PHASES)]
        self.currents = [self._value(Quantity("99.99", "A")) for _ in range(_PHASES)]
        self.power_factors = [self._value(Quantity("0.99", self.tr("lead"))) for _ in range(_PHASES)]
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setHorizontalSpacing(6)
        layout.setVerticalSpacing(2)
        layout.setColumnStretch(0, 5)
        for column in range(1, 1 + _PHASES):
            layout.setColumnStretch(column, 4)
        named = (
            (self.tr("Active power"), self.generator_p),
            (self.tr("Reactive power"), self.generator_q),
            (self.tr("Apparent power"), self.generator_s),
            (self.tr("Generator breaker"), self.generator_breaker),
            (self.tr("Micro-grid breaker"), self.grid_breaker),
            (self.tr("Load of the house"), self.load),
            (self.tr("Frequency"), self.frequency),
        )
        layout.addWidget(self._line(self.tr("Generator"), bold=True, quiet=False), 0, 0, 1, 2)
        for row, (label, part) in enumerate(named, start=1):
            layout.addWidget(self._line(label), row, 0, 1, 2)
            layout.addWidget(part, row, 2, 1, 2)
        self._add_phases(layout, 1 + len(named))

    def _add_phases(self, layout: QGridLayout, row: int) -> None:
        layout.setRowStretch(row, 1)
        right = Qt.AlignmentFlag.AlignRight
        for phase in range(_PHASES):
            title = TextLine(self.tr("Phase {0}").format(phase + 1), _LABEL, quiet=True, align=right)
            self._parts.append((title, _LABEL))
            layout.addWidget(title, row + 1, 1 + phase)
        tables = (
            (self.tr("Voltage"), self.voltages),
            (self.tr("Current"), self.currents),
            (self.tr("Power factor"), self.power_factors),
        )
        for below, (label, values) in enumerate(tables, start=row + 2):
            layout.addWidget(self._line(label), below, 0)
            for phase, value in enumerate(values):
                layout.addWidget(value, below, 1 + phase)

    def show_snapshot(self, snapshot: HouseSnapshot) -> None:
        """Show this snapshot."""
        sample, state = snapshot.sample, meter_state(snapshot)
        if sample is None:
            self._show_nothing()
            return
        self.generator_p.set_reading(Reading(power(sample.generator_p_w), state))
        self.generator_q.set_reading(Reading(power(sample.generator_q_var)._replace(unit="kvar"), state))
        self.generator_s.set_reading(Reading(power(sample.generator_s_va)._replace(unit="kVA"), state))
        self.load.set_reading(Reading(power(sample.load_w), state))
        self.frequency.set_reading(Reading(Quantity(number(sample.frequency_hz, 2), "Hz"), state))
        known = state is not ValueState.DISCONNECTED
        self.generator_breaker.set_closed(sample.generator_breaker_closed if known else None)
        self.grid_breaker.set_closed(sample.grid_breaker_closed if known else None)
        for phase in range(_PHASES):
            voltage = Quantity(number(sample.voltage_v[phase], 1), "V")
            self.voltages[phase].set_reading(Reading(voltage, state))
            current = Quantity(number(sample.current_a[phase], 2), "A")
            self.currents[phase].set_reading(Reading(current, state))
            self.power_factors[phase].set_reading(power_factor(sample, phase, state))

    def _show_nothing(self) -> None:
        for part, _ in self._parts:
            if isinstance(part, ValueWidget):
                # A power factor's word is a measurement too; any other unit stays.
                measured = part in self.power_factors
                absent = Quantity("", "") if measured else part.reading.quantity
                part.set_reading(Reading(absent, ValueState.DISCONNECTED))
            elif isinstance(part, BreakerWidget):
                part.set_closed(None)
