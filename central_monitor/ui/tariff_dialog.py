"""A new tariff, or a corrected one, typed at the central."""

from collections.abc import Sequence
from concurrent.futures import Future
from zoneinfo import ZoneInfo

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QWidget

from central_monitor.books import MonthEntry
from central_monitor.operator import Operator
from central_monitor.ui.desk import DeskName, OrderDialog
from central_monitor.ui.tariff_rows import PRICE_DECIMALS, basis_name, basis_words, cap_name, cap_words
from microgrid.months import month_minutes
from microgrid.terms import FOREVER, MAX_PRICE, Cap, PenaltyBasis, Tariff, tariff_faults
from microgrid.units import MICROCOINS_PER_COIN, coins, microcoins
from node.qt.form import Choice, ChoiceField, Field, MomentField, NumberField, TextField
from node.qt.format import month_name


def billed_months(months: Sequence[MonthEntry], minutes: range, zone: str) -> list[str]:
    """The months with some of these minutes whose bills are out, oldest first."""
    issued = sorted(entry.month for entry in months if entry.issued_s is not None)
    spans = ((month, month_minutes(month, ZoneInfo(zone))) for month in issued)
    return [month for month, span in spans if span.start < minutes.stop and minutes.start < span.stop]


class TariffDialog(OrderDialog):
    """Prices and policy from a moment on; says which bills it changes before it is entered.

    The fields begin with what is `in_force`; `now_minute` the minute from which on
    nothing is past.
    """

    def __init__(
        self,
        operator: Operator,
        desk: DeskName,
        in_force: Tariff | None,
        months: Sequence[MonthEntry],
        now_minute: int,
        zone: str,
        parent: QWidget,
    ) -> None:
        super().__init__(self.tr("New tariff"), self.tr("&Enter tariff"), desk, parent=parent)
        self._operator, self._months = operator, months
        self._now_minute, self._zone = now_minute, zone
        self._add_validity()
        self._add_prices()
        self._add_policy()
        if in_force is not None:
            self._begin_with(in_force)
        self.note = self.add_field(
            TextField(
                self.tr("No&te"), missing=self.tr("Say why: the note is kept with the tariff and its bills.")
            )
        )
        self.add_author()
        self._show_consequence()

    def tariff(self) -> Tariff | None:
        """What is typed; None if some of it is no value."""
        start, end = self.start.value(), self._end()
        values = (self.national.value(), self.feed_in.value(), self.response.value(), self.deadband.value())
        national, feed_in, response, deadband = values
        if start is None or end is None or national is None or feed_in is None:
            return None
        if response is None or deadband is None:
            return None
        return Tariff(
            valid_from=start,
            valid_to=end,
            national=microcoins(national),
            feed_in=microcoins(feed_in),
            cap=self.cap.value(),
            penalty_basis=self.basis.value(),
            response_s=int(response),
            deadband_w=int(deadband),
        )

    def find_faults(self) -> dict[Field, str]:
        tariff = self.tariff()
        fields: dict[str, Field] = {
            "valid_to": self.until, "national": self.national, "feed_in": self.feed_in,
            "response_s": self.response, "deadband_w": self.deadband,
        }  # fmt: skip
        faults = {} if tariff is None else tariff_faults(tariff)
        if "national" in faults:
            faults.pop("feed_in", None)  # it is measured by the national tariff
        return {fields[name]: text for name, text in faults.items()}

    def order(self) -> "Future[None]":
        tariff = self.tariff()
        assert tariff is not None  # every field has been checked
        return self._operator.enter_tariff(tariff, self.author.value(), self.note.value())

    def _add_validity(self) -> None:
        self.start = self.add_field(MomentField(self.tr("Valid &from"), self._zone))
        self.end_kind = self.add_field(
            ChoiceField(
                self.tr("Valid &until"),
                [Choice(False, self.tr("further notice")), Choice(True, self.tr("a date"))],
            )
        )
        self.until = self.add_field(MomentField(self.tr("&Date of its end"), self._zone))
        self.start.set_value(self._now_minute)
        self.until.set_value(self._now_minute)
        self.until.hide()
        self.consequence = self.add_text("")
        for field in (self.start, self.end_kind, self.until):
            field.changed.connect(self._show_consequence)

    def _add_prices(self) -> None:
        unit, most = self.tr("coins/kWh"), MAX_PRICE // MICROCOINS_PER_COIN
        above = self.tr("above 0, at most {0}").format(most)
        self.national = self.add_field(NumberField(self.tr("&National tariff"), unit, PRICE_DECIMALS, above))
        between = self.tr("0 to the national tariff")
        self.feed_in = self.add_field(NumberField(self.tr("Feed-&in price"), unit, PRICE_DECIMALS, between))

    def _add_policy(self) -> None:
        caps = [Choice(cap, cap_name(cap), cap_words(cap)) for cap in Cap]
        self.cap = self.add_field(ChoiceField(self.tr("&Cap"), caps))
        bases = [Choice(basis, basis_name(basis), basis_words(basis)) for basis in PenaltyBasis]
        self.basis = self.add_field(ChoiceField(self.tr("&Penalty basis"), bases))
        grace = self.tr("0 or more: how long a seller has to follow a command before blame begins")
        self.response = self.add_field(NumberField(self.tr("&Response time"), "s", 0, grace))
        near = self.tr("0 or more: how near to its target a seller counts as obeying")
        self.deadband = self.add_field(NumberField(self.tr("Dead&band"), "W", 0, near))

    def _begin_with(self, tariff: Tariff) -> None:
        self.national.set_value(coins(tariff.national))
        self.feed_in.set_value(coins(tariff.feed_in))
        self.cap.set_value(tariff.cap)
        self.basis.set_value(tariff.penalty_basis)
        self.response.set_value(tariff.response_s)
        self.deadband.set_value(tariff.deadband_w)

    def _end(self) -> int | None:
        return self.until.value() if self.end_kind.value() else FOREVER

    @Slot()
    def _show_consequence(self) -> None:
        """Say which bills it changes, before it is entered."""
        self.until.setVisible(self.end_kind.value())
        start, end = self.start.value(), self._end()
        if start is None or end is None:
            self.consequence.setText("")
            return
        adjusted = billed_months(self._months, range(start, max(start, end)), self._zone)
        if adjusted:
            text = self.tr(
                "Bills that are out stay as they are; settled again and adjusted beside them: {0}."
            ).format(", ".join(month_name(month) for month in adjusted))
        elif start < self._now_minute:
            text = self.tr("It begins in the past: the minutes since then are settled again; no bill is out.")
        else:
            text = self.tr("No bill that is out changes.")
        self.consequence.setText(text)
