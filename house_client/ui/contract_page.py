"""The page of contracts: the one in force, how the next one stands, and those of earlier months (5.5)."""

from PySide6.QtCore import QCoreApplication, Signal
from PySide6.QtWidgets import QVBoxLayout

from house_client.household import AgreedContract, History, Household
from house_client.snapshot import HouseSnapshot
from house_client.ui.buttons import NoticeButton
from house_client.ui.contract_words import (
    CallState,
    basis_words,
    call_state,
    call_words,
    capital,
    role_word,
    source_words,
)
from house_client.ui.margin import contract_now
from house_client.ui.panels import NORMAL, Panel
from microgrid.terms import FOREVER, Contract, Role
from microgrid.units import SECONDS_PER_MINUTE
from node.qt.asking import ask
from node.qt.bill_text import basis_word, contract_words
from node.qt.format import moment, month_name, power, price
from node.qt.table import Cell, Table
from node.qt.theme import Theme

_CONTEXT = "house"
_NOTICE = 23.0
_TABLE = 16.0  # of every screen: a table's text does not scale


class ContractPage(Panel):
    """Contracts of this house.

    Signals:
        contract_wanted: the household pressed the call for a contract.
    """

    contract_wanted = Signal()

    def __init__(self, household: Household | None) -> None:
        super().__init__()
        self._household = household
        self._asked_for: object = None
        self.title = self._line(self.tr("In force now"))
        self.in_force = self._line("", NORMAL, bold=True, quiet=False)
        self.until = self._line("")
        self.call = NoticeButton(_NOTICE)
        self._parts.append((self.call, _NOTICE))
        self.agreed = self._line("", quiet=False)
        self.call.clicked.connect(self.contract_wanted)
        headers = (
            self.tr("Month"), self.tr("Role"), self.tr("kW"), self.tr("coins/kWh"), self.tr("Source"),
            self.tr("How"),
        )  # fmt: skip
        self.earlier = Table(headers, self.tr("Contracts of earlier months"), _TABLE)
        self.earlier.set_empty_text(self.tr("No contracts kept yet"))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        for part in (self.title, self.in_force, self.until, self.call, self.agreed):
            layout.addWidget(part)
        layout.addSpacing(4)
        layout.addWidget(self.earlier, 1)

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        super().set_theme(theme)
        self.earlier.set_theme(theme)

    def show_snapshot(self, snapshot: HouseSnapshot) -> None:
        """Show this snapshot."""
        contract = contract_now(snapshot)
        self.in_force.set_text(_in_force_words(snapshot, contract))
        self.until.set_text(_until_words(snapshot, contract))
        call, state = snapshot.call, call_state(snapshot)
        self.call.setVisible(call is not None)
        if call is not None:
            wanted = state in (CallState.OPEN, CallState.REFUSED)
            self.call.set_notice(*call_words(snapshot, call, state), emphasised=wanted)
        terms = call.agreed if call is not None else None
        self.agreed.set_text(capital(contract_words(terms)) if terms is not None else "")
        if (call and (call.month, call.basis)) != self._asked_for:
            self._asked_for = call and (call.month, call.basis)
            self.refresh()

    def refresh(self) -> None:
        """Fetch the contracts this house keeps."""
        if self._household is not None:
            ask(
                self,
                self._household.history(),
                self._heard,
                lambda fault: self.earlier.set_empty_text(str(fault)),
            )

    def _heard(self, history: History) -> None:
        agreed = history.contracts
        self.earlier.set_rows(
            [(one.month, index) for index, one in enumerate(agreed)], [_row(a) for a in agreed]
        )


def _in_force_words(snapshot: HouseSnapshot, contract: Contract | None) -> str:
    if contract is not None:
        return capital(contract_words(contract))
    if snapshot.month is not None:
        return QCoreApplication.translate(_CONTEXT, "No contract")
    return QCoreApplication.translate(_CONTEXT, "The central has not told yet")


def _until_words(snapshot: HouseSnapshot, contract: Contract | None) -> str:
    if contract is None:
        return ""
    if contract.valid_to >= FOREVER:
        return QCoreApplication.translate(_CONTEXT, "until further notice")
    return QCoreApplication.translate(_CONTEXT, "until {0}; final for the month").format(
        moment(contract.valid_to * SECONDS_PER_MINUTE, snapshot.zone)
    )


def _row(agreed: AgreedContract) -> list[Cell]:
    contract, month = agreed.contract, month_name(agreed.month) if agreed.month else ""
    how = Cell(basis_word(agreed.basis), quiet=True, tip=basis_words(agreed.basis))
    if contract is None:
        number = Cell("", align_right=True)
        return [
            Cell(month),
            Cell(QCoreApplication.translate(_CONTEXT, "none")),
            number,
            number,
            Cell(""),
            how,
        ]
    most = power(contract.max_w).number
    if contract.role is Role.CONSUMER:
        limits, rate, source = most, "", ""
    else:
        limits = f"{power(contract.min_w).number} – {most}"
        rate = price(contract.price).number
        source = source_words(contract.source, contract.obligation)
    return [
        Cell(month),
        Cell(role_word(contract.role)),
        Cell(limits, align_right=True),
        Cell(rate, align_right=True),
        Cell(source),
        how,
    ]
