"""A house joins, a house leaves: typed at the central."""

from collections.abc import Sequence
from concurrent.futures import Future

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QWidget

from central_monitor.operator import Operator
from central_monitor.ui.desk import DeskName, OrderDialog
from microgrid.terms import MAX_CONNECTION_W, House, house_faults
from microgrid.units import watts
from node.qt.form import Choice, Field, ListField, MomentField, NumberField, TextField
from node.qt.format import moment

_LONGEST_ID = 32
_LONGEST_NAME = 80


class AddHouseDialog(OrderDialog):
    """A house joins the micro-grid. `house` is the ID of one that knocked, or empty."""

    def __init__(
        self,
        operator: Operator,
        desk: DeskName,
        known: Sequence[House],
        house: str,
        joins: int,
        zone: str,
        parent: QWidget,
    ) -> None:
        super().__init__(self.tr("Add a house"), self.tr("&Add the house"), desk, parent=parent)
        self._operator, self._known = operator, {each.house for each in known}
        rules = self.tr("1 to {0} letters, digits, - or _; the first is a letter or digit").format(
            _LONGEST_ID
        )
        self.house = self.add_field(
            TextField(self.tr("House &ID"), rules, missing=self.tr("Enter the ID that is set in the house."),
                      longest=_LONGEST_ID)
        )  # fmt: skip
        self.name = self.add_field(
            TextField(self.tr("&Name"), self.tr("as it stands on bills"), longest=_LONGEST_NAME,
                      missing=self.tr("Enter the name that is to stand on its bills."))
        )  # fmt: skip
        limit = self.tr("above 0, at most {0}").format(MAX_CONNECTION_W // 1000)
        self.connection = self.add_field(NumberField(self.tr("&Connection"), "kW", 3, limit))
        self.joins = self.add_field(MomentField(self.tr("&Joins from"), zone))
        self.add_text(self.tr("It is asked for a contract for the rest of the month it joins in."))
        self.house.set_value(house)
        self.joins.set_value(joins)
        self.add_author()
        if house:
            self.name.setFocus()

    def description(self) -> House | None:
        """What is typed; None if some of it is no value."""
        connection, joins = self.connection.value(), self.joins.value()
        if connection is None or joins is None:
            return None
        return House(
            house=self.house.value(), name=self.name.value(), connection_w=watts(connection), joined=joins
        )

    def find_faults(self) -> dict[Field, str]:
        house = self.description()
        if house is None:
            return {}
        fields: dict[str, Field] = {"house": self.house, "connection_w": self.connection, "left": self.joins}
        faults = {fields[name]: text for name, text in house_faults(house).items()}
        if house.house in self._known:
            faults[self.house] = self.tr("House {0} is known already; every house needs its own ID.").format(
                house.house
            )
        return faults

    def order(self) -> "Future[None]":
        house = self.description()
        assert house is not None  # every field has been checked
        return self._operator.add_house(house, self.author.value())


class LeaveDialog(OrderDialog):
    """A house leaves at a minute; `house` is the one that is chosen at first."""

    def __init__(
        self,
        operator: Operator,
        desk: DeskName,
        members: Sequence[House],
        house: str | None,
        leaves: int,
        zone: str,
        parent: QWidget,
    ) -> None:
        super().__init__(self.tr("A house leaves"), self.tr("&End its membership"), desk, parent=parent)
        self._operator, self._zone = operator, zone
        self._members = {each.house: each for each in members}
        choices = [Choice(each.house, each.house, each.name) for each in members]
        self.house = self.add_field(ListField(self.tr("&House"), choices))
        self.leaves = self.add_field(MomentField(self.tr("&Leaves at"), zone))
        self.note = self.add_field(
            TextField(self.tr("No&te"), missing=self.tr("Say why: the note is kept with the contract's end."))
        )
        self.consequence = self.add_text("")
        if house in self._members:
            self.house.set_value(house)
        self.leaves.set_value(leaves)
        self.add_author()
        self.house.changed.connect(self._show_consequence)
        self.leaves.changed.connect(self._show_consequence)
        self._show_consequence()

    def find_faults(self) -> dict[Field, str]:
        house, minute = self._members[self.house.value()], self.leaves.value()
        if minute is None or minute > house.joined:
            return {}
        joined = moment(house.joined * 60, self._zone)
        return {self.leaves: self.tr("It joined at {0}; enter a later minute.").format(joined)}

    def order(self) -> "Future[None]":
        minute = self.leaves.value()
        assert minute is not None  # every field has been checked
        return self._operator.end_membership(
            self.house.value(), minute, self.author.value(), self.note.value()
        )

    @Slot()
    def _show_consequence(self) -> None:
        minute = self.leaves.value()
        if minute is None or self.house.value() is None:
            self.consequence.setText("")
            return
        self.consequence.setText(
            self.tr(
                "House {0} and its contract are part of the micro-grid until {1}. A final bill follows once"
                " its minutes are in."
            ).format(self.house.value(), moment(minute * 60, self._zone))
        )
