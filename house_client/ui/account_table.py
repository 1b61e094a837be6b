"""An account's lines: what, how much energy, how many coins, and what it comes to."""

from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout

from house_client.ui.panels import LABEL, NORMAL, Panel
from microgrid.statement import PenaltyParts
from node.qt.format import MINUS, Quantity, energy, money
from node.qt.text import TextLine
from node.qt.value import Reading, ValueState, ValueWidget

_CONTEXT = "house"
_KWH = Quantity("99,999.9", "")  # units stand above the columns
_COINS = Quantity(f"{MINUS}9,999,999.99", "")
_WHAT = 20.0
_TOTAL = 40.0
_LINES = 6


class Line(NamedTuple):
    """One line: energy in Ws (None: it has none), amount in micro-coins, positive is received."""

    label: str
    energy_ws: int | None
    amount: int


def account_lines(
    microgrid: tuple[int, int],
    national: tuple[int, int],
    penalties: PenaltyParts,
    earlier: int,
    *,
    waived: int = 0,
    seller: bool,
) -> list[Line]:
    """The lines of a month or a bill; `microgrid` and `national` are energy and amount.

    Penalties stand by their reason (5.8.1), for a seller also where there are none; then what was `waived`.
    """
    translate = QCoreApplication.translate
    to_micro = translate(_CONTEXT, "To the micro-grid")
    from_micro = translate(_CONTEXT, "From the micro-grid")
    to_national = translate(_CONTEXT, "To the national grid")
    from_national = translate(_CONTEXT, "From the national grid")
    lines = [
        Line(to_micro if microgrid[0] > 0 else from_micro, *microgrid),
        Line(to_national if national[0] > 0 else from_national, *national),
    ]
    reasons = (
        (translate(_CONTEXT, "Penalty: not delivered"), penalties.deficit_energy, penalties.deficit_amount),
        (translate(_CONTEXT, "Penalty: below minimum"), penalties.minimum_energy, penalties.minimum_amount),
    )
    lines += [Line(*reason) for reason in reasons if seller or reason[2]]
    if waived:
        lines.append(Line(translate(_CONTEXT, "Penalties waived"), None, waived))
    return [*lines, Line(translate(_CONTEXT, "Earlier months"), None, earlier)]


class AccountTable(Panel):
    """Lines with their units above them, and the total."""

    def __init__(self) -> None:
        super().__init__()
        right = Qt.AlignmentFlag.AlignRight
        grid = QGridLayout()
        grid.setVerticalSpacing(1)
        for column, stretch in enumerate((9, 4, 7)):
            grid.setColumnStretch(column, stretch)
        grid.addWidget(self._line(_energy_unit(), _WHAT, align=right), 0, 1)
        grid.addWidget(self._line(money(0).unit, _WHAT, align=right), 0, 2)
        self.rows: list[tuple[TextLine, ValueWidget, ValueWidget]] = []
        for row in range(_LINES):
            parts = self._line("", _WHAT), self._value(_KWH, LABEL), self._value(_COINS, LABEL)
            for column, part in enumerate(parts):
                grid.addWidget(part, row + 1, column)
            self.rows.append(parts)
        self.total_title = self._line("", NORMAL, bold=True, quiet=False)
        self.total = self._value(Quantity("9,999,999.99", money(0).unit), _TOTAL)
        total = QHBoxLayout()
        total.addWidget(self.total_title, 4)
        total.addWidget(self.total, 5)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(grid)
        layout.addLayout(total)

    def show_lines(
        self, lines: Sequence[Line], total_title: str, total: int, state: ValueState = ValueState.GOOD
    ) -> None:
        """Show these lines and their total; rows that are not needed stay away."""
        for parts, line in zip(self.rows, lines, strict=False):
            parts[0].set_text(line.label)
            known = line.energy_ws is not None
            parts[1].set_reading(Reading(energy(abs(line.energy_ws or 0))._replace(unit=""), state))
            parts[2].set_reading(Reading(money(line.amount, signed=True)._replace(unit=""), state))
            for part, shown in zip(parts, (True, known, True), strict=True):
                part.setVisible(shown)
        for parts in self.rows[len(lines) :]:
            for part in parts:
                part.hide()
        self.total_title.set_text(total_title)
        self.total.set_reading(Reading(money(abs(total)), state))


def _energy_unit() -> str:
    return energy(0).unit
