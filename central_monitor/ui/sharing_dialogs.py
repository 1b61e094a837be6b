"""What the operator orders of load sharing by hand: the strategy, and one seller at a time."""

from concurrent.futures import Future

from PySide6.QtCore import QCoreApplication, Slot
from PySide6.QtWidgets import QWidget

from central_monitor.operator import Operator
from central_monitor.snapshot import HouseView
from central_monitor.ui.desk import DeskName, OrderDialog
from microgrid.directives import StrategyName
from microgrid.terms import Contract
from microgrid.units import SECONDS_PER_MINUTE, watts
from microgrid.wire.limits import MAX_REASON_CHARS
from node.qt.form import Choice, ChoiceField, Field, MomentField, NumberField, TextField
from node.qt.format import moment

_CONTEXT = "sharing"
_DECIMALS = 3  # of a kW: whole watts
_OUT_MINUTES = 24 * 60  # for so long a seller is out of service unless another end is entered


class NotedDialog(OrderDialog):
    """An order that is kept with a note: why it was given."""

    def add_note(self, label: str, missing: str) -> TextField:
        """Ask for the note; without one the order is refused with what is `missing`."""
        return self.add_field(TextField(label, missing=missing, longest=MAX_REASON_CHARS))


class StrategyDialog(NotedDialog):
    """Another way to share load; the one in force is chosen at first."""

    def __init__(
        self, operator: Operator, desk: DeskName, in_force: StrategyName, parent: QWidget | None = None
    ) -> None:
        super().__init__(self.tr("How load is shared"), self.tr("&Change"), desk, parent=parent)
        self._operator, self._in_force = operator, in_force
        self.strategy = self.add_field(ChoiceField(self.tr("&Sharing"), _choices()))
        self.note = self.add_note(self.tr("No&te"), self.tr("Say why: the note stands with the change."))
        self.consequence = self.add_text("")
        self.add_author()
        self.strategy.set_value(in_force)
        self.strategy.changed.connect(self._show_consequence)
        self._show_consequence()

    def find_faults(self) -> dict[Field, str]:
        if self.strategy.value() is not self._in_force:
            return {}
        return {self.strategy: self.tr("Load is shared this way already; choose another way, or cancel.")}

    def order(self) -> "Future[None]":
        return self._operator.set_strategy(self.strategy.value(), self.author.value(), self.note.value())

    @Slot()
    def _show_consequence(self) -> None:
        match self.strategy.value():
            case StrategyName.DAY_TIME:
                text = self.tr(
                    "From the next control step on load moves to the sun by day and to generators by night,"
                    " each within its contract."
                )
            case StrategyName.MERIT_ORDER:
                text = self.tr(
                    "From the next control step on the cheapest sellers carry the load by day and by night,"
                    " and the dearest only what is left."
                )
            case _:
                text = self.tr(
                    "From the next control step on all sellers are loaded alike: dear and fuelled ones give"
                    " more, and the rate rises with them."
                )
        self.consequence.setText(text)


class HoldDialog(NotedDialog):
    """Holds a seller at a power within its contract."""

    def __init__(
        self, operator: Operator, desk: DeskName, house: HouseView, parent: QWidget | None = None
    ) -> None:
        assert house.contract is not None
        self._contract: Contract = house.contract
        title = self.tr("Hold house {0} at a power").format(house.house)
        super().__init__(title, self.tr("&Hold"), desk, parent=parent)
        self._operator, self._house = operator, house.house
        self.power = self.add_field(NumberField(self.tr("&Power"), "kW", _DECIMALS))
        least, most = (self.power.as_typed(w / 1000) for w in (self._contract.min_w, self._contract.max_w))
        self._limits = (least, most)
        self.power.set_limit(self.tr("{0} to {1}, as its contract says").format(least, most))
        self.note = self.add_note(self.tr("No&te"), self.tr("Say why: the note stands with the hold."))
        self.consequence = self.add_text("")
        self.add_author()
        if house.by_hand is not None and house.by_hand.held_w is not None:
            self.power.set_value(house.by_hand.held_w / 1000)
        elif house.order is not None:
            self.power.set_value(house.order.target_w / 1000)
        self.power.changed.connect(self._show_consequence)
        self._show_consequence()

    def find_faults(self) -> dict[Field, str]:
        power_w = self._power_w()
        if power_w is None or self._contract.min_w <= power_w <= self._contract.max_w:
            return {}
        words = self.tr("Enter {0} to {1} kW; to ask for less, take the house out of service.")
        return {self.power: words.format(*self._limits)}

    def order(self) -> "Future[None]":
        power_w = self._power_w()
        assert power_w is not None  # every field has been checked
        return self._operator.hold(self._house, power_w, self.author.value(), self.note.value())

    def _power_w(self) -> int | None:
        value = self.power.value()
        return None if value is None else watts(value)

    @Slot()
    def _show_consequence(self) -> None:
        value = self.power.value()
        typed = self.tr("this power") if value is None else f"{self.power.as_typed(value)} kW"
        self.consequence.setText(
            self.tr(
                "House {0} is asked for {1} whatever the houses take, until you release it; others make up"
                " the difference, and it answers for what it falls short."
            ).format(self._house, typed)
        )


class ReleaseDialog(NotedDialog):
    """Ends a hold."""

    def __init__(
        self, operator: Operator, desk: DeskName, house: HouseView, parent: QWidget | None = None
    ) -> None:
        title = self.tr("Release house {0}").format(house.house)
        super().__init__(title, self.tr("&Release"), desk, parent=parent)
        self._operator, self._house = operator, house.house
        self.note = self.add_note(self.tr("No&te"), self.tr("Say why: the note stands with the release."))
        self.add_text(self.tr("From the next control step on it is asked for its part again."))
        self.add_author()

    def order(self) -> "Future[None]":
        return self._operator.release(self._house, self.author.value(), self.note.value())


class OutOfServiceDialog(NotedDialog):
    """Takes a seller out of service until a minute."""

    def __init__(
        self,
        operator: Operator,
        desk: DeskName,
        house: HouseView,
        now_minute: int,
        zone: str,
        parent: QWidget | None = None,
    ) -> None:
        title = self.tr("Take house {0} out of service").format(house.house)
        super().__init__(title, self.tr("Take &out of service"), desk, parent=parent)
        self._operator, self._house, self._now_minute, self._zone = operator, house.house, now_minute, zone
        self.until = self.add_field(MomentField(self.tr("&Until"), zone, self.tr("it ends by itself then")))
        self.note = self.add_note(self.tr("&Reason"), self.tr("Say why: the reason stands with the order."))
        self.consequence = self.add_text("")
        self.add_author()
        self.until.set_value(now_minute + _OUT_MINUTES)
        self.until.changed.connect(self._show_consequence)
        self._show_consequence()

    def find_faults(self) -> dict[Field, str]:
        until = self.until.value()
        if until is None or until > self._now_minute + 1:
            return {}
        now = moment(self._now_minute * SECONDS_PER_MINUTE, self._zone)
        return {self.until: self.tr("It is {0} now; enter a later moment.").format(now)}

    def order(self) -> "Future[None]":
        until = self.until.value()
        assert until is not None  # every field has been checked
        return self._operator.take_out_of_service(self._house, until, self.author.value(), self.note.value())

    @Slot()
    def _show_consequence(self) -> None:
        until = self.until.value()
        if until is None:
            self.consequence.setText("")
            return
        end = moment(until * SECONDS_PER_MINUTE, self._zone)
        self.consequence.setText(
            self.tr(
                "From the next minute until {1} house {0} owes nothing and is asked for nothing; a hold it"
                " is under ends."
            ).format(self._house, end)
        )


class BackInServiceDialog(NotedDialog):
    """Returns a seller to service before the end that was set."""

    def __init__(
        self, operator: Operator, desk: DeskName, house: HouseView, parent: QWidget | None = None
    ) -> None:
        title = self.tr("Return house {0} to service").format(house.house)
        super().__init__(title, self.tr("&Back in service"), desk, parent=parent)
        self._operator, self._house = operator, house.house
        self.note = self.add_note(self.tr("No&te"), self.tr("Say why: the note stands with the order."))
        self.add_text(
            self.tr("From the next minute on it owes what its contract says, and is asked for its part.")
        )
        self.add_author()

    def order(self) -> "Future[None]":
        return self._operator.return_to_service(self._house, self.author.value(), self.note.value())


def _choices() -> list[Choice]:
    translate = QCoreApplication.translate
    return [
        Choice(
            StrategyName.DAY_TIME,
            translate(_CONTEXT, "On: to the sun by day"),
            translate(_CONTEXT, "Solar sellers by day, generators by night; among them the cheapest first."),
        ),
        Choice(
            StrategyName.MERIT_ORDER,
            translate(_CONTEXT, "On: merit order"),
            translate(_CONTEXT, "Cheapest first, whatever the source and the time of day."),
        ),
        Choice(
            StrategyName.OFF,
            translate(_CONTEXT, "Off"),
            translate(_CONTEXT, "Everybody gives the same part of what it can; nobody is preferred."),
        ),
    ]
