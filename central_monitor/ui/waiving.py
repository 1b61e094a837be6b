"""Waiving a penalty: how much of what a house is charged for a month, and why."""

from concurrent.futures import Future

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QWidget

from central_monitor.books import AccountLine, MonthBook
from central_monitor.operator import Operator, OrderRefused
from central_monitor.ui.desk import DeskName, OrderDialog
from microgrid.units import MICROCOINS_PER_COIN, coins
from microgrid.waiver import Waiver
from node.qt.form import Field, NumberField, TextField
from node.qt.format import date, money, month_name

_CONTEXT = "bills"
_DECIMALS = 6  # of a coin: a penalty is waived to the last micro-coin
_LONGEST_REASON = 200
translate = QCoreApplication.translate


def waiver_words(book: MonthBook, line: AccountLine) -> str:
    """What is waived of a house's penalties, by whom and why, and what is left; empty without penalties."""
    waivers = [waiver for waiver in book.waivers if waiver.house == line.account]
    if not waivers and not line.waivable:
        return ""
    if not waivers:
        return translate(_CONTEXT, "Penalties: {0}, nothing is waived").format(money(line.waivable))
    left = translate(_CONTEXT, "Penalties still charged: {0}").format(money(line.waivable))
    return "  ·  ".join([left, *(_one_waiver(waiver, book.zone) for waiver in waivers)])


def _one_waiver(waiver: Waiver, zone: str) -> str:
    return translate(_CONTEXT, "{0} waived by {1} on {2}: {3}").format(
        money(waiver.amount), waiver.author, date(waiver.entered_s, zone), waiver.reason
    )


class WaiverDialog(OrderDialog):
    """Waives a part, or all that is left, of the penalties of an account's month."""

    def __init__(
        self,
        operator: Operator,
        desk: DeskName,
        book: MonthBook,
        line: AccountLine,
        parent: QWidget | None = None,
    ) -> None:
        title = self.tr("Waive a penalty of house {0}, {1}").format(line.account, month_name(book.month))
        super().__init__(title, self.tr("&Waive"), desk, parent=parent)
        self._operator, self._book, self._line = operator, book, line
        self.amount = self.add_field(NumberField(self.tr("A&mount"), money(0).unit, _DECIMALS))
        self.amount.set_limit(
            self.tr("more than 0, at most {0}").format(self.amount.as_typed(coins(line.waivable)))
        )
        self.amount.set_value(coins(line.waivable))
        self.reason = self.add_field(
            TextField(
                self.tr("&Reason"),
                self.tr("read by the household on its bill"),
                missing=self.tr("Say why: the reason is kept with the waiver and told to the household."),
                longest=_LONGEST_REASON,
            )
        )
        self.add_text(self._consequence())
        self.add_author()

    def find_faults(self) -> dict[Field, str]:
        amount = self._typed()
        if amount <= 0:
            return {self.amount: self.tr("It must be more than 0.")}
        if amount > self._line.waivable:
            most = self.amount.as_typed(coins(self._line.waivable))
            return {self.amount: self.tr("It must be at most {0}: more is not charged.").format(most)}
        return {}

    def field_to_blame(self, error: Exception) -> Field | None:
        """The house may be charged less by now than when the dialog was opened."""
        return self.amount if isinstance(error, OrderRefused) else None

    def order(self) -> "Future[None]":
        return self._operator.waive(
            self._line.account, self._book.month, self._typed(), self.author.value(), self.reason.value()
        )

    def _typed(self) -> int:
        """What is typed, in micro-coins."""
        return round((self.amount.value() or 0.0) * MICROCOINS_PER_COIN)

    def _consequence(self) -> str:
        if self._book.issued_s is None:
            when = self.tr("It stands on the bill of {0} with its reason.").format(
                month_name(self._book.month)
            )
        else:
            when = self.tr(
                "The bill of {0} is out and stays as it is: the house is told now and paid with its next one."
            ).format(month_name(self._book.month))
        return self.tr(
            "The reserve pays it. {0} If the penalty turns out smaller, so does what is waived. A waiver"
            " cannot be taken back."
        ).format(when)
