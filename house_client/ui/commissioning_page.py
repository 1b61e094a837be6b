"""The installer's page: each phase live, checks of the wiring, the meter's exchange, a printable sheet."""

from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from PySide6.QtCore import QStandardPaths, Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QDialog, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from house_client.household import Household
from house_client.snapshot import HouseSnapshot
from house_client.ui.buttons import KioskButton
from house_client.ui.check_list import CheckList
from house_client.ui.commissioning_sheet import Sheet, sheet_html, sheet_title
from house_client.ui.commissioning_words import finding_words, overall_words, to_do_words
from house_client.ui.exchange_dialogs import BeginDialog, ExchangeDialog
from house_client.ui.panels import KW, Panel
from house_client.ui.presentation import meter_state
from microgrid.commissioning import (
    PHASES,
    Check,
    Expected,
    Finding,
    Flow,
    Verdict,
    check_wiring,
    phase_powers,
)
from microgrid.sample import Sample
from microgrid.swap import MeterSwap
from node.qt import measured
from node.qt.field import Paragraph
from node.qt.format import Quantity, power
from node.qt.paper import print_with_dialog, write_pdf
from node.qt.text import ui_font
from node.qt.theme import LIGHT, Theme, load_theme
from node.qt.value import Reading, ValueState

STRETCH = 30  # packets the checks look at: half a minute
ONE_PHASE = (1,)

# Text sizes in pixels on a screen of 1024 by 600.
_TEXT = 19.0
_VALUE = 21.0
_CHECK = 18.0
_ADVICE = 17.0


class PhasePanel(Panel):
    """Voltage, current, power factor and signed power of each phase."""

    def __init__(self) -> None:
        super().__init__()
        factor = Quantity("0.99", self.tr("lead"))
        self.voltages = [self._value(measured.VOLTAGE, _VALUE) for _ in PHASES]
        self.currents = [self._value(measured.CURRENT, _VALUE) for _ in PHASES]
        self.power_factors = [self._value(factor, _VALUE) for _ in PHASES]
        self.powers = [self._value(KW, _VALUE) for _ in PHASES]
        right = Qt.AlignmentFlag.AlignRight
        self.directions = [self._line("", _TEXT, quiet=False, align=right) for _ in PHASES]
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setHorizontalSpacing(6)
        layout.setVerticalSpacing(0)
        layout.setColumnStretch(0, 5)
        rows: tuple[tuple[str, Sequence[QWidget]], ...] = (
            (self.tr("Voltage"), self.voltages),
            (self.tr("Current"), self.currents),
            (self.tr("Power factor"), self.power_factors),
            (self.tr("Power"), self.powers),
            ("", self.directions),
        )
        for phase in PHASES:
            layout.setColumnStretch(phase, 4)
            title = self._line(self.tr("Phase {0}").format(phase), _TEXT, align=right)
            layout.addWidget(title, 0, phase)
        for row, (label, parts) in enumerate(rows, start=1):
            layout.addWidget(self._line(label, _TEXT), row, 0)
            for phase, part in zip(PHASES, parts, strict=True):
                layout.addWidget(part, row, phase)

    def show_snapshot(self, snapshot: HouseSnapshot) -> None:
        """Show this snapshot."""
        sample, state = snapshot.sample, meter_state(snapshot)
        powers = (0j, 0j, 0j) if sample is None else phase_powers(sample)
        for at in range(len(PHASES)):
            self.voltages[at].set_reading(measured.voltage(sample, at, state))
            self.currents[at].set_reading(measured.current(sample, at, state))
            self.power_factors[at].set_reading(measured.power_factor(sample, at, state))
            self.powers[at].set_reading(Reading(power(powers[at].real, signed=True), state))
            known = state is not ValueState.DISCONNECTED and sample is not None
            self.directions[at].set_text(self._direction(powers[at].real) if known else "")

    def _direction(self, power_w: float) -> str:
        if abs(power_w) < 0.5:
            return self.tr("no power")
        return self.tr("gives") if power_w > 0 else self.tr("draws")


class CommissioningPage(Panel):
    """Set-up of the meter (5.2).

    Signals:
        opened: a dialog is on the screen.
    """

    opened: ClassVar[Signal] = Signal(object)

    def __init__(self, household: Household) -> None:
        super().__init__()
        self._household = household
        self._theme = load_theme(LIGHT)
        self._snapshot: HouseSnapshot | None = None
        self._heard: deque[Sample] = deque(maxlen=STRETCH)
        self._chosen_by_hand = False
        self.swap: MeterSwap | None = None  # the one that was finished on this occasion
        self.dialog: QDialog | None = None
        self.phases = PhasePanel()
        self._panels.append(self.phases)
        self.overall = self._line("", _TEXT, bold=True, quiet=False)
        self.checks = CheckList(_CHECK)
        self.found, self.to_do = Paragraph(), Paragraph()
        self._parts.append((self.checks, _CHECK))
        self.draws = self._choice(self.tr("House &draws"))
        self.exports = self._choice(self.tr("Source &exports"))
        self.one_phase = self._choice(self.tr("&1 phase"))
        self._flow = QButtonGroup(self)
        for button in (self.draws, self.exports):
            self._flow.addButton(button)
        self.draws.setChecked(True)
        self.exchange = self._button(self.tr("E&xchange …"), _TEXT)
        self.printing = self._button(self.tr("&Print"), _TEXT)
        self.saving = self._button(self.tr("PD&F"), _TEXT)
        self.told = self._line("", _TEXT)
        self.exchange.clicked.connect(self._exchange)
        self.printing.clicked.connect(self._print)
        self.saving.clicked.connect(self._save)
        self.checks.chosen.connect(self._choose)
        self._lay_out()

    @property
    def expected(self) -> Expected:
        """What the installer says of the house."""
        flow = Flow.DRAWS if self.draws.isChecked() else Flow.EXPORTS
        return Expected(flow, ONE_PHASE if self.one_phase.isChecked() else PHASES)

    @property
    def results(self) -> tuple[Check, ...]:
        """The checks as they stand now."""
        return check_wiring(self._heard, self.expected)

    def show_snapshot(self, snapshot: HouseSnapshot) -> None:
        """Show this snapshot, and look at its packet with those before it."""
        self._snapshot = snapshot
        sample = snapshot.sample
        if meter_state(snapshot) is not ValueState.GOOD:
            self._heard.clear()
        elif sample is not None and (not self._heard or self._heard[-1] != sample):
            self._heard.append(sample)
        self.phases.show_snapshot(snapshot)
        self.exchange.setText(self.tr("E&xchange …") if snapshot.swap is None else self.tr("E&xchanging …"))
        if isinstance(self.dialog, ExchangeDialog):
            self.dialog.show_snapshot(snapshot)
        self._show_results()

    def set_scale(self, scale: float) -> None:
        """Make every text `scale` times its size on a screen of 1024 by 600."""
        super().set_scale(scale)
        self.found.setFont(ui_font(int(_ADVICE * scale)))
        self.to_do.setFont(ui_font(int(_ADVICE * scale), bold=True))

    def refresh(self) -> None:
        """Begin anew: what is wrong is explained, not what was looked at last."""
        self._chosen_by_hand = False
        self._tell("")
        self._show_results()

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        super().set_theme(theme)
        self._theme = theme

    def _show_results(self) -> None:
        results = self.results
        self.checks.set_checks(results)
        self.overall.set_text(overall_words(results))
        if not self._chosen_by_hand:
            self.checks.choose(min(results, key=_urgency).kind)
        check = self.checks.check
        assert check is not None
        to_do = "" if check.verdict is Verdict.RIGHT else to_do_words(check)
        self.found.setText(finding_words(check, self.expected))
        self.to_do.setText(to_do)

    def _choose(self) -> None:
        self._chosen_by_hand = True
        self._show_results()

    # --- exchange of the meter -----------------------------------------------------------------------

    def _exchange(self) -> None:
        under_way = self._snapshot is not None and self._snapshot.swap is not None
        self._open_exchange() if under_way else self._open_begin()

    def _open_begin(self) -> None:
        dialog = BeginDialog(self._household, parent=self)
        dialog.accepted.connect(self._open_exchange)
        self._open(dialog)

    def _open_exchange(self) -> None:
        dialog = ExchangeDialog(self._household, parent=self)
        if self._snapshot is not None:
            dialog.show_snapshot(self._snapshot)
        dialog.accepted.connect(lambda: self._ended(dialog))
        self._open(dialog)

    def _open(self, dialog: BeginDialog | ExchangeDialog) -> None:
        dialog.set_theme(self._theme)
        dialog.finished.connect(dialog.deleteLater)
        self.dialog = dialog
        dialog.open()
        self.opened.emit(dialog)

    def _ended(self, dialog: ExchangeDialog) -> None:
        self.dialog = None
        if dialog.swap is None:
            self._tell(self.tr("The old meter stays."))
            return
        self.swap = dialog.swap
        self._tell(self.tr("Exchanged; both meters' counters are kept. Print the sheet."))

    def _tell(self, text: str) -> None:
        """Say what became of the last order; it takes no room while there is nothing to say."""
        self.told.set_text(text)
        self.told.setVisible(bool(text))

    # --- the sheet -----------------------------------------------------------------------------------

    def _sheet(self) -> tuple[str, str] | None:
        """The sheet's HTML and title; None before the first snapshot."""
        if self._snapshot is None:
            return None
        sheet = Sheet(self._snapshot, self.expected, self.results, self.swap)
        return sheet_html(sheet), sheet_title(self._snapshot)

    def _print(self) -> None:
        if (sheet := self._sheet()) is not None:
            print_with_dialog(self, *sheet, self._tell)

    def _save(self) -> None:
        if (sheet := self._sheet()) is None or self._snapshot is None:
            return
        html, title = sheet
        folder = Path(QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation))
        path = folder / f"commissioning-{self._snapshot.house}.pdf"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            write_pdf(html, path, title)
        except OSError as fault:
            self._tell(self.tr("Not saved: {0}").format(fault.strerror or fault))
        else:
            self._tell(self.tr("Saved as {0}").format(path))

    # --- layout --------------------------------------------------------------------------------------

    def _choice(self, text: str) -> KioskButton:
        button = self._button(text, _TEXT)
        button.setCheckable(True)
        button.clicked.connect(self._show_results)
        return button

    def _lay_out(self) -> None:
        left = QVBoxLayout()
        left.setSpacing(4)
        left.addWidget(self.phases)
        left.addStretch(1)
        left.addWidget(self.told)
        for buttons in (
            (self.draws, self.exports, self.one_phase),
            (self.exchange, self.printing, self.saving),
        ):
            row = QHBoxLayout()
            row.setSpacing(4)
            for button in buttons:
                row.addWidget(button)
            left.addLayout(row)
        right = QVBoxLayout()
        right.setSpacing(2)
        for part in (self.overall, self.checks):
            right.addWidget(part)
        right.addSpacing(4)
        for paragraph in (self.found, self.to_do):
            paragraph.setAlignment(Qt.AlignmentFlag.AlignTop)
            right.addWidget(paragraph)
        right.addStretch(1)
        self._tell("")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(12)
        layout.addLayout(left, 51)
        layout.addLayout(right, 49)


def _urgency(check: Check) -> tuple[int, bool]:
    """What is explained first: what is wrong, and of that the cause before what follows from it."""
    order = (Verdict.WRONG, Verdict.OPEN, Verdict.RIGHT)
    return order.index(check.verdict), check.finding is Finding.OTHER_WAY
