"""Who the house is, its meter's port, the central's address, its own limit: entered once, and kept (5.2)."""

from concurrent.futures import Future
from itertools import pairwise
from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QScroller, QVBoxLayout, QWidget

from house_client.household import Household, HouseSettings
from house_client.meter_address import EXAMPLES, modbus_address
from house_client.settings_file import address_text
from house_client.snapshot import HouseSnapshot
from house_client.ui.panels import Panel
from house_client.ui.presentation import central_words, meter_words
from microgrid.terms import HOUSE_ID, MAX_CONNECTION_W
from microgrid.units import watts
from node.qt.asking import ask
from node.qt.field import KIOSK_SIZE, FaultLine, Paragraph
from node.qt.form import Choice, Field, ListField, NumberField, TextField
from node.qt.format import power
from node.qt.text import ui_font
from node.stepped import host_and_port

PORTS_EVERY_MS = 2000
_ANSWER = 17.0  # text size on a screen of 1024 by 600
_LABEL_WIDTH = 10.5  # of the fields' labels, in text sizes
_MODBUS = "modbus"  # stands in the list of ports for a meter whose address is typed


class Answer(QWidget):
    """What a test said: plain if it is well, behind a mark if it is not; before that how things stand."""

    def __init__(self) -> None:
        super().__init__()
        self._plain, self._fault = Paragraph(""), FaultLine()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._plain)
        layout.addWidget(self._fault)
        self._answered = False
        self._number = 0  # of the newest question

    @property
    def text(self) -> str:
        """What is said."""
        return self._fault.text() or self._plain.text()

    @property
    def is_fault(self) -> bool:
        """Whether something is wrong."""
        return bool(self._fault.text())

    def show_state(self, text: str) -> None:
        """Say how things stand, unless a test's answer is being read."""
        if not self._answered:
            self._say(text, "")

    def show_answer(self, text: str) -> None:
        """Say that it is well."""
        self._answered = True
        self._say(text, "")

    def show_fault(self, text: str) -> None:
        """Say what is wrong."""
        self._answered = True
        self._say("", text)

    def clear(self) -> None:
        """The answer does not hold any more, nor one that is still to come."""
        self._answered = False
        self._number += 1
        self._say("", "")

    def asked(self) -> int:
        """A test was begun; returns its number."""
        self._number += 1
        return self._number

    def awaits(self, number: int) -> bool:
        """Whether this is the newest test, and what was tested still stands there."""
        return number == self._number

    def set_size(self, size: float) -> None:
        """Write in this many pixels."""
        self._plain.setFont(ui_font(int(size)))
        self._fault.set_size(size)

    def _say(self, plain: str, fault: str) -> None:
        self._plain.setText(plain)
        self._plain.setVisible(not fault)
        self._fault.set_text(fault)


class SetupPage(Panel):
    """The installer's settings of this house."""

    def __init__(self, household: Household) -> None:
        super().__init__()
        self._household = household
        self._data = Path()
        self._untouched = True
        self._offered: list[Choice] = []
        self._snapshot: HouseSnapshot | None = None
        self.house = TextField(self.tr("House &ID"), longest=32)
        self.port = ListField(self.tr("Meter's &port"))
        self.modbus = TextField(
            self.tr("Modb&us meter"), self.tr("such as {0}").format(EXAMPLES), longest=200
        )
        self.central = TextField(self.tr("Central's &address"), longest=120)
        self.most = NumberField(self.tr("&Gives at most"), "kW", 3)
        self.test_port = self._button(self.tr("&Listen"))
        self.test_central = self._button(self.tr("&Find it"))
        self.port_answer, self.central_answer = Answer(), Answer()
        self.connect_button = self._button(self.tr("Co&nnect to central"))
        self.told = Answer()
        self._fields: tuple[Field, ...] = (self.house, self.port, self.modbus, self.central, self.most)
        self._scroll = QScrollArea()
        self._timer = QTimer(self)
        self._timer.setInterval(PORTS_EVERY_MS)
        self._timer.timeout.connect(self._list_ports)
        self._connect()
        self._lay_out()
        self.refresh()

    # --- what is shown --------------------------------------------------------------------------------

    def show_snapshot(self, snapshot: HouseSnapshot) -> None:
        """Show what is connected now."""
        self._snapshot = snapshot
        self.port_answer.show_state(meter_words(snapshot))
        self.central_answer.show_state(central_words(snapshot))
        self.most.set_limit(self._limit_words())

    def set_scale(self, scale: float) -> None:
        """Make every text `scale` times its size on a screen of 1024 by 600."""
        super().set_scale(scale)
        for field in self._fields:
            field.set_size(KIOSK_SIZE * scale)
            if field is not self.most:  # which stands beside another
                field.label.setFixedWidth(round(KIOSK_SIZE * scale * _LABEL_WIDTH))
        for answer in (self.port_answer, self.central_answer, self.told):
            answer.set_size(_ANSWER * scale)

    def refresh(self) -> None:
        """Show what is set, unless somebody has typed something else; and the ports there are now."""
        if self._untouched:
            settings = self._household.settings()
            self._data = settings.data
            self.house.set_value(settings.house)
            self._show_meter(settings.meter)
            self.central.set_value("" if settings.central is None else address_text(settings.central))
            most_w = settings.max_export_w
            self.most.set_value(None if most_w is None else most_w / 1000)
            self._untouched = True
        self._list_ports()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._timer.stop()

    def _list_ports(self) -> None:
        before = self._untouched
        self._show_ports(self.port.value())
        self._untouched = before

    def _show_meter(self, address: str | None) -> None:
        is_modbus = address is not None and modbus_address(address) is not None
        self.modbus.set_value(address if is_modbus and address is not None else "")
        self._show_ports(_MODBUS if is_modbus else address)

    def _show_ports(self, chosen: str | None) -> None:
        """Offer the ports there are, none, an address, and the chosen one even if it is not there now."""
        choices = [Choice(None, self.tr("no meter yet"))]
        choices += [Choice(name, description) for name, description in self._household.ports()]
        choices.append(Choice(_MODBUS, self.tr("Modbus meter"), self.tr("(at the address below)")))
        if chosen not in [choice.value for choice in choices]:
            choices.append(Choice(chosen, str(chosen), self.tr("(not there now)")))
        if choices != self._offered:
            self._offered = choices
            self.port.set_choices(choices)
        if self.port.value() != chosen:
            self.port.set_value(chosen)
        self.modbus.setVisible(self.port.value() == _MODBUS)

    # --- tests ----------------------------------------------------------------------------------------

    def _ask_port(self) -> None:
        if not self._is_meter_well():
            return
        port = self._meter()
        if port is None:
            self.port_answer.show_fault(
                self.tr("Choose the port first; plug the meter in if it is not listed.")
            )
            return
        self.port_answer.show_answer(self.tr("Listening for a few seconds …"))
        self._ask(self._household.test_port(port), self.port_answer)

    def _ask_central(self) -> None:
        house, address = self._house(), self._address()
        if house is None or address is None:
            return
        self.central_answer.show_answer(self.tr("Asking the central …"))
        self._ask(self._household.test_central(house, address), self.central_answer)

    def _ask(self, future: "Future[str]", answer: Answer) -> None:
        """Show what the test says, unless what was tested is not what stands there any more."""
        number = answer.asked()
        ask(
            self,
            future,
            lambda text: answer.show_answer(text) if answer.awaits(number) else None,
            lambda fault: answer.show_fault(str(fault)) if answer.awaits(number) else None,
        )

    # --- the settings ---------------------------------------------------------------------------------

    def _apply(self) -> None:
        house, is_meter_well = self._house(), self._is_meter_well()
        address, is_limited = self._address(), self._is_limit_well()
        if house is None or address is None or not (is_meter_well and is_limited):
            return
        settings = HouseSettings(
            house=house,
            meter=self._meter(),
            central=address,
            data=self._data,
            max_export_w=self._most_w(),
        )
        self.told.show_answer(self.tr("One moment …"))
        ask(self, self._household.apply(settings), lambda _: self._kept(), self._not_kept)

    def _kept(self) -> None:
        self._untouched = True
        for answer in (self.port_answer, self.central_answer):
            self._clear(answer)
        self.told.show_answer(
            self.tr("Kept. The house connects by itself from now on, also after a power cut.")
        )

    def _not_kept(self, fault: Exception) -> None:
        self.told.show_fault(str(fault))

    def _house(self) -> str | None:
        """The house's ID; None, and said at the field, if what is typed is none."""
        text = self.house.value()
        if HOUSE_ID.fullmatch(text) is not None:
            return text
        words = self.tr("An ID has 1 to 32 letters, digits, hyphens or underscores; ask the operator.")
        self._blame(self.house, words)
        return None

    def _meter(self) -> str | None:
        """The meter's port, or what is typed as its address; None: no meter yet."""
        return self.modbus.value() if self.port.value() == _MODBUS else self.port.value()

    def _is_meter_well(self) -> bool:
        """Whether the meter's address, if one is to be typed, is one; if not that is said at the field."""
        if self.port.value() != _MODBUS:
            return True
        try:
            if modbus_address(self.modbus.value()) is not None:
                return True
            fault = self.tr("Write the meter's address like {0}.").format(EXAMPLES)
        except ValueError as wrong:
            fault = str(wrong)
        self._blame(self.modbus, fault)
        return False

    def _address(self) -> tuple[str, int] | None:
        """The central's address; None, and said at the field, if what is typed is none."""
        try:
            return host_and_port(self.central.value())
        except ValueError:
            words = self.tr("Write the address as HOST:PORT, such as 192.168.1.1:47474.")
            self._blame(self.central, words)
            return None

    def _most_w(self) -> int | None:
        """The house's own limit; None: there is none, or what is typed is none."""
        value = self.most.value()
        return None if value is None else watts(value)

    def _is_limit_well(self) -> bool:
        """Whether the house's own limit can be one; if not that is said at the field."""
        if not self.most.text().strip():
            return True
        fault = self.most.check()
        most_w, highest_w = self._most_w(), self._highest_w()
        if most_w is not None and not 0 < most_w <= highest_w:
            fault = self.tr("Enter a power above 0 and at most {0}, or leave this empty.").format(
                power(highest_w)
            )
        if fault:
            self._blame(self.most, fault)
        return not fault

    def _highest_w(self) -> int:
        """What the connection carries, as far as the central has told."""
        known_w = None if self._snapshot is None else self._snapshot.connection_w
        return MAX_CONNECTION_W if known_w is None else known_w

    def _limit_words(self) -> str:
        if self._snapshot is None or self._snapshot.connection_w is None:
            return self.tr("empty: no limit")
        return self.tr("empty: {0}").format(power(self._snapshot.connection_w))

    def _blame(self, field: Field, fault: str) -> None:
        first = not any(each.fault for each in self._fields)
        field.set_fault(fault)
        if first:
            field.setFocus()
            self._show_fault()

    def _show_fault(self) -> None:
        """Scroll to the first field with a fault, with all that is said of it."""
        for field in self._fields:
            if field.fault:
                self._scroll.ensureWidgetVisible(field)
                return

    def _connect(self) -> None:
        self.test_port.clicked.connect(self._ask_port)
        self.test_central.clicked.connect(self._ask_central)
        self.connect_button.clicked.connect(self._apply)
        self._scroll.verticalScrollBar().rangeChanged.connect(self._show_fault)  # a fault takes room
        self.port.changed.connect(lambda: self.modbus.setVisible(self.port.value() == _MODBUS))
        for tested in (self.port, self.modbus):
            tested.changed.connect(lambda: self._clear(self.port_answer))
        for tested in (self.house, self.central):
            tested.changed.connect(lambda: self._clear(self.central_answer))
        for field in self._fields:
            field.changed.connect(self._touched)

    def _clear(self, answer: Answer) -> None:
        """The test's answer does not hold any more: say again how things stand."""
        answer.clear()
        if self._snapshot is not None:
            self.show_snapshot(self._snapshot)

    def _touched(self) -> None:
        self._untouched = False
        self.told.clear()

    def _lay_out(self) -> None:
        content = QWidget()
        inside = QVBoxLayout(content)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(0)
        first = QHBoxLayout()
        first.setSpacing(6)
        first.addWidget(self.house, 1, Qt.AlignmentFlag.AlignTop)
        first.addWidget(self.most, 0, Qt.AlignmentFlag.AlignTop)
        inside.addLayout(first)
        rows: tuple[tuple[Field, QWidget, Answer], ...] = (
            (self.port, self.test_port, self.port_answer),
            (self.central, self.test_central, self.central_answer),
        )
        for field, button, answer in rows:
            row = QHBoxLayout()
            row.setSpacing(6)
            row.addWidget(field, 1)
            row.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
            inside.addLayout(row)
            if field is self.port:
                inside.addWidget(self.modbus)
            inside.addWidget(answer)
        inside.addStretch(1)
        # Scrolled only where faults and long answers need more room than a small screen has.
        self._scroll.setWidget(content)
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        QScroller.grabGesture(self._scroll.viewport(), QScroller.ScrollerGestureType.TouchGesture)
        end = QHBoxLayout()
        end.setSpacing(12)
        end.addWidget(self.connect_button)
        end.addWidget(self.told, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self._scroll, 1)
        layout.addLayout(end)
        for each in self._fields:
            each.set_kiosk(True)
        order = (
            self.house, self.most, self.port, self.modbus, self.test_port, self.central, self.test_central,
            self.connect_button,
        )  # fmt: skip
        for earlier, later in pairwise(order):
            QWidget.setTabOrder(earlier, later)
