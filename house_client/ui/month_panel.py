"""The household's month so far: energy and coins, penalties with their reason, the total (level 1)."""

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout

from house_client.snapshot import CentralState, HouseSnapshot
from house_client.ui.account_table import AccountTable, account_lines
from house_client.ui.panels import NORMAL, Panel
from microgrid.statement import PenaltyParts
from microgrid.terms import Role
from microgrid.units import SECONDS_PER_MINUTE
from microgrid.wire.messages import MonthSoFar
from node.qt.format import month_name, time_of_day
from node.qt.value import ValueState

_CONTEXT = "house"


def month_total(month: MonthSoFar) -> int:
    """What the house receives (or, negative, pays) as the month stands, in micro-coins."""
    penalties = month.penalties.deficit_amount + month.penalties.minimum_amount
    amounts = month.microgrid_amount + month.national_amount + penalties
    return amounts + month.waived + month.adjustments


class MonthPanel(Panel):
    """The month so far, as the central has settled it up to a minute."""

    def __init__(self) -> None:
        super().__init__()
        self.title = self._line("", NORMAL, bold=True, quiet=False)
        self.as_of = self._line("", align=Qt.AlignmentFlag.AlignRight)
        self.account = AccountTable()
        self._panels.append(self.account)
        head = QHBoxLayout()
        head.addWidget(self.title, 5)
        head.addWidget(self.as_of, 2)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(head)
        layout.addWidget(self.account)

    def show_snapshot(self, snapshot: HouseSnapshot) -> None:
        """Show this snapshot; figures stay while the link is lost, but as old ones."""
        month = snapshot.month
        if month is None:
            self.title.set_text(self.tr("This month so far"))
            self.as_of.set_text(self.tr("not told yet"))
            nothing = account_lines((0, 0), (0, 0), PenaltyParts(), 0, seller=False)
            self.account.show_lines(nothing, self.tr("Total so far"), 0, ValueState.DISCONNECTED)
            return
        linked = snapshot.central is CentralState.LINKED
        at = time_of_day(month.through * SECONDS_PER_MINUTE, snapshot.zone)
        self.title.set_text(self.tr("{0} so far").format(month_name(month.month)))
        self.as_of.set_text(self.tr("as of {0}").format(at), emphasised=not linked)
        lines = account_lines(
            (month.microgrid_energy, month.microgrid_amount),
            (month.national_energy, month.national_amount),
            month.penalties,
            month.adjustments,
            waived=month.waived,
            seller=month.contract is not None and month.contract.role is Role.PRODUCER,
        )
        total = month_total(month)
        state = ValueState.GOOD if linked else ValueState.STALE
        self.account.show_lines(lines, _total_words(total), total, state)


def _total_words(amount: int) -> str:
    if amount < 0:
        return QCoreApplication.translate(_CONTEXT, "You pay so far")
    return QCoreApplication.translate(_CONTEXT, "You receive so far")
