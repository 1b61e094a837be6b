"""Panels of the kiosk: power now, energy exchanged and prices, and what the meter measures."""

from typing import Protocol

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from house_client.snapshot import HouseSnapshot
from house_client.ui.buttons import KioskButton
from house_client.ui.presentation import (
    direction_words,
    energy_words,
    meter_state,
    pool_reading,
    power_title,
    rate_reading,
    tariff_reading,
)
from node.qt import measured
from node.qt.format import MINUS, Quantity, energy, power, price
from node.qt.symbols import BreakerWidget
from node.qt.text import TextLine
from node.qt.theme import Theme
from node.qt.value import Reading, ValueState, ValueWidget

KW = Quantity(f"{MINUS}99.99", "kW")
_PHASES = 3

# Text sizes in pixels on a screen of 1024 by 600; `set_scale` makes them fit others.
_HUGE = 94.0
_LARGE = 36.0
NORMAL = 25.0
LABEL = 22.0


class Part(Protocol):
    """What a panel is made of: something in a size and in a theme."""

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""

    def set_size(self, size: float) -> None:
        """Write in this many pixels."""


class Panel(QWidget):
    """A group of labels, values and further panels that scale and change colours together."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[tuple[Part, float]] = []
        self._panels: list[Panel] = []

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        for part, _ in self._parts:
            part.set_theme(theme)
        for panel in self._panels:
            panel.set_theme(theme)

    def set_scale(self, scale: float) -> None:
        """Make every text `scale` times its size on a screen of 1024 by 600."""
        for part, size in self._parts:
            part.set_size(size * scale)
        for panel in self._panels:
            panel.set_scale(scale)

    def refresh(self) -> None:
        """Fetch what does not come with snapshots; called when it is chosen as a page."""

    def _line(
        self,
        text: str = "",
        size: float = LABEL,
        *,
        bold: bool = False,
        quiet: bool = True,
        align: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft,
    ) -> TextLine:
        line = TextLine(text, size, bold=bold, quiet=quiet, align=align)
        self._parts.append((line, size))
        return line

    def _value(self, template: Quantity, size: float = NORMAL) -> ValueWidget:
        value = ValueWidget(template, size, noted=False)
        self._parts.append((value, size))
        return value

    def _breaker(self) -> BreakerWidget:
        breaker = BreakerWidget(NORMAL)
        self._parts.append((breaker, NORMAL))
        return breaker

    def _button(self, text: str, size: float = LABEL) -> KioskButton:
        button = KioskButton(text, size)
        self._parts.append((button, size))
        return button


class PowerPanel(Panel):
    """Power now, the largest number on the screen, and which way it flows."""

    def __init__(self) -> None:
        super().__init__()
        self.title = self._line("")
        self.power = self._value(KW, _HUGE)
        self.direction = self._line("", _LARGE, bold=True, quiet=False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        for part in (self.title, self.power, self.direction):
            layout.addWidget(part)

    def show_snapshot(self, snapshot: HouseSnapshot) -> None:
        """Show this snapshot."""
        sample, state = snapshot.sample, meter_state(snapshot)
        power_w = sample.exchange_p_w if sample is not None else 0
        self.power.set_reading(Reading(power(power_w, signed=True), state))
        doubtful = state not in (ValueState.GOOD, ValueState.DISCONNECTED)
        self.title.set_text(power_title(snapshot), emphasised=doubtful)
        self.direction.set_text(direction_words(snapshot), emphasised=state is ValueState.DISCONNECTED)


class ExchangePanel(Panel):
    """Power now, energy exchanged, prices and the pool."""

    def __init__(self) -> None:
        super().__init__()
        coins = Quantity("999.99", price(0).unit)
        self.now = PowerPanel()
        self._panels.append(self.now)
        self.energy = self._value(Quantity(f"{MINUS}99,999.9", "kWh"), _LARGE)
        self.energy_direction = self._line("")
        self.rate, self.tariff = self._value(coins), self._value(coins)
        self.pool = self._value(KW)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.now)
        layout.addStretch(1)
        rows = QGridLayout()
        rows.setColumnStretch(0, 5)
        rows.setColumnStretch(1, 6)
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
        self.now.show_snapshot(snapshot)
        net_ws = snapshot.export_ws - snapshot.import_ws
        # The registers are the house's own and stand while the meter is silent, but do not move on.
        silent = meter_state(snapshot) is ValueState.DISCONNECTED
        energy_state = ValueState.STALE if silent else ValueState.GOOD
        self.energy.set_reading(Reading(energy(net_ws, signed=True), energy_state))
        self.energy_direction.set_text(energy_words(net_ws))
        self.rate.set_reading(rate_reading(snapshot))
        self.tariff.set_reading(tariff_reading(snapshot))
        self.pool.set_reading(pool_reading(snapshot))


class MeterPanel(Panel):
    """The generator, the load, both breakers, and each phase."""

    def __init__(self) -> None:
        super().__init__()
        self.generator_p = self._value(KW)
        self.generator_q = self._value(KW._replace(unit="kvar"))
        self.generator_s = self._value(KW._replace(unit="kVA"))
        self.load = self._value(KW)
        self.frequency = self._value(measured.FREQUENCY)
        self.generator_breaker, self.grid_breaker = self._breaker(), self._breaker()
        self.voltages = [self._value(measured.VOLTAGE) for _ in range(_PHASES)]
        self.currents = [self._value(measured.CURRENT) for _ in range(_PHASES)]
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
            title = self._line(self.tr("Phase {0}").format(phase + 1), align=right)
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
        self.frequency.set_reading(measured.frequency(sample, state))
        known = state is not ValueState.DISCONNECTED
        self.generator_breaker.set_closed(sample.generator_breaker_closed if known else None)
        self.grid_breaker.set_closed(sample.grid_breaker_closed if known else None)
        for phase in range(_PHASES):
            self.voltages[phase].set_reading(measured.voltage(sample, phase, state))
            self.currents[phase].set_reading(measured.current(sample, phase, state))
            self.power_factors[phase].set_reading(measured.power_factor(sample, phase, state))

    def _show_nothing(self) -> None:
        for part, _ in self._parts:
            if isinstance(part, ValueWidget):
                # A power factor's word is a measurement too; any other unit stays.
                worded = part in self.power_factors
                absent = Quantity("", "") if worded else part.reading.quantity
                part.set_reading(Reading(absent, ValueState.DISCONNECTED))
            elif isinstance(part, BreakerWidget):
                part.set_closed(None)


class MeterPage(Panel):
    """The main window of 8.2: what is exchanged, the generator, the load, the breakers and each phase."""

    def __init__(self) -> None:
        super().__init__()
        self.exchange, self.meter = ExchangePanel(), MeterPanel()
        self._panels += [self.exchange, self.meter]
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(18)
        layout.addWidget(self.exchange, 10)
        layout.addWidget(self.meter, 11)

    def show_snapshot(self, snapshot: HouseSnapshot) -> None:
        """Show this snapshot."""
        self.exchange.show_snapshot(snapshot)
        self.meter.show_snapshot(snapshot)
