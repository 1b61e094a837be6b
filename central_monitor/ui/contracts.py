"""Create Contract at the central (5.3-5.6): the round that is open or next, the policy, and the history."""

from collections.abc import Mapping
from concurrent.futures import Future
from typing import NamedTuple

from msgspec.structs import replace
from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from central_monitor.books import Agreements
from central_monitor.operator import Operator
from central_monitor.snapshot import CentralSnapshot, LinkState, RoundView
from central_monitor.ui.contract_rows import (
    HistoryRows,
    chosen_entries,
    next_times,
    policy_words,
    refusal_words,
    round_counts,
    round_row,
    round_times,
    round_title,
)
from central_monitor.ui.desk import DeskName, OrderDialog
from microgrid.agreements import Basis, ContractEntry
from microgrid.contracting import ContractPolicy, ContractRound, Silence
from microgrid.months import month_minutes, month_of, zone_of
from microgrid.terms import House
from microgrid.units import SECONDS_PER_MINUTE
from node.qt.asking import ask
from node.qt.bill_text import basis_word
from node.qt.field import FaultLine
from node.qt.form import Choice, ChoiceField, ListField, NumberField
from node.qt.format import month_name
from node.qt.table import Table
from node.qt.text import TextLine
from node.qt.theme import LIGHT, Theme, load_theme

MOST_ROWS = 500  # of the history at once: more would be felt as a pause
LONGEST_LEAD = 28  # days before a month at which it can be asked for at the earliest


class RoundKey(NamedTuple):
    """Which round: months may have one for all houses and others for houses that joined later."""

    month: str
    first_minute: int


class PolicyDialog(OrderDialog):
    """When houses are asked, and what silence means."""

    def __init__(self, operator: Operator, desk: DeskName, policy: ContractPolicy, parent: QWidget) -> None:
        super().__init__(self.tr("Contracts: when to ask, and what silence means"), "", desk, parent=parent)
        self._operator, self._policy = operator, policy
        limit = self.tr("days before the month; 0 to {0}").format(LONGEST_LEAD)
        self.days = self.add_field(NumberField(self.tr("Ask &houses"), "", 0, limit))
        last, none = self.tr("&Last month's contract again"), self.tr("No &contract")
        self.silence = self.add_field(
            ChoiceField(
                self.tr("&Silence means"),
                [
                    Choice(
                        Silence.LAST, last, self.tr("If it is still allowed at the tariff of the new month.")
                    ),
                    Choice(
                        Silence.NONE,
                        none,
                        self.tr(
                            "The house is allotted nothing, and what it exports earns the feed-in price."
                        ),
                    ),
                ],
            )
        )
        self.days.set_value(policy.opens_days)
        self.silence.set_value(policy.silence)
        self.add_author()

    def find_faults(self):
        days = self.days.value()
        if days is None or 0 <= days <= LONGEST_LEAD:
            return {}
        return {self.days: self.tr("Enter 0 to {0} days.").format(LONGEST_LEAD)}

    def order(self) -> "Future[None]":
        days, silence = int(self.days.value() or 0), self.silence.value()
        return self._operator.set_policy(replace(self._policy, opens_days=days, silence=silence))


class AskNowDialog(OrderDialog):
    """Opens the next month's round before its time."""

    def __init__(self, operator: Operator, desk: DeskName, month: str, parent: QWidget) -> None:
        name = month_name(month)
        super().__init__(
            self.tr("Ask all houses for {0} now").format(name),
            self.tr("&Ask all houses"),
            desk,
            parent=parent,
        )
        self._operator = operator
        self.add_text(
            self.tr(
                "Every house is asked for its contract for {0} at once; its answer is final for the month."
            ).format(name)
        )
        self.add_author()

    def order(self) -> "Future[None]":
        return self._operator.open_round(self.author.value())


class ContractsPage(QWidget):
    """The round of contracts that is open or next, and every contract ever agreed.

    Signals:
        house_chosen: the ID of a house whose row was opened in either table.
    """

    house_chosen = Signal(str)

    def __init__(self, operator: Operator, desk: DeskName) -> None:
        super().__init__()
        self._operator, self._desk = operator, desk
        self._theme = load_theme(LIGHT)
        self._snapshot: CentralSnapshot | None = None
        self._agreements: Agreements | None = None
        self._history: tuple[ContractEntry, ...] = ()
        self._names: dict[str, str] = {}
        self._shown: object = None  # what the table of the round was made from
        self._make_parts()
        self._lay_out()
        self._show()

    def refresh(self) -> None:
        """Ask anew for the rounds and the history."""
        ask(self, self._operator.houses(), self._take_houses, self._fail)
        ask(self, self._operator.contract_history(), self._take_history, self._fail)
        ask(self, self._operator.agreements(), self._take_agreements, self._fail)

    def show_snapshot(self, snapshot: CentralSnapshot) -> None:
        """Show how the round stands now; what was agreed is asked for when it has changed."""
        before, self._snapshot = self._snapshot, snapshot
        if before is not None and _standing(before.round) != _standing(snapshot.round):
            self.refresh()
        self._show()
        if before is None:
            self._show_history()  # its times need a zone

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        self._theme = theme
        for line in self.findChildren(TextLine):
            line.set_theme(theme)
        for table in (self.round_table, self.history_table):
            table.set_theme(theme)

    # --- parts ----------------------------------------------------------------------------------------

    def _make_parts(self) -> None:
        self.fault = FaultLine()
        self.round_field = ListField(self.tr("&Round"))
        self.round_field.changed.connect(self._show)
        self.times, self.counts = TextLine("", 13), TextLine("", 13, bold=True)
        self.refusals = FaultLine()
        self.policy_line = TextLine("", 13, quiet=True)
        self.ask_button = QPushButton(self.tr("&Ask all houses now …"))
        self.ask_button.clicked.connect(self._ask_now)
        self.policy_button = QPushButton(self.tr("When and &what silence means …"))
        self.policy_button.clicked.connect(self._change_policy)
        power = [self.tr("Least\nkW"), self.tr("Most\nkW"), self.tr("Price\ncoins/kWh")]
        self.round_table = Table(
            [self.tr("House"), self.tr("Name"), self.tr("How it stands"), self.tr("Role"), *power,
             self.tr("Obliged"), self.tr("Agreed")],
            self.tr("Houses of the round"),
        )  # fmt: skip
        self.history_table = Table(
            [self.tr("Month"), self.tr("House"), self.tr("Name"), self.tr("Role"), *power, self.tr("Obliged"),
             self.tr("Valid"), self.tr("How it\ncame about"), self.tr("By"), self.tr("Entered")],
            self.tr("History of contracts"),
        )  # fmt: skip
        self.history_table.set_empty_text(self.tr("No contract passes these filters."))
        self.round_table.chosen.connect(lambda house: self.house_chosen.emit(house))
        self.history_table.chosen.connect(lambda index: self.house_chosen.emit(self._history[index].house))
        self.month_filter = ListField(self.tr("&Month"), [Choice(None, self.tr("all months"))])
        self.house_filter = ListField(self.tr("&House"), [Choice(None, self.tr("all houses"))])
        bases = [Choice(basis, basis_word(basis)) for basis in Basis]
        self.basis_filter = ListField(
            self.tr("H&ow it came about"), [Choice(None, self.tr("in any way")), *bases]
        )
        for field in (self.month_filter, self.house_filter, self.basis_filter):
            field.changed.connect(self._show_history)
        self.history_count = TextLine("", 13, quiet=True)

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.addWidget(self.round_field)
        head.addStretch(1)
        head.addWidget(self.ask_button)
        head.addWidget(self.policy_button)
        lines = QHBoxLayout()
        lines.addWidget(self.times, 3)
        lines.addWidget(self.counts, 2)
        filters = QHBoxLayout()
        filters.addWidget(TextLine(self.tr("History"), 16, bold=True), 1)
        for field in (self.month_filter, self.house_filter, self.basis_filter):
            filters.addWidget(field)
        filters.addWidget(self.history_count, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(head)
        layout.addLayout(lines)
        layout.addWidget(self.policy_line)
        layout.addWidget(self.fault)
        layout.addWidget(self.refusals)
        layout.addWidget(self.round_table, 1)
        layout.addLayout(filters)
        layout.addWidget(self.history_table, 1)

    # --- answers --------------------------------------------------------------------------------------

    def _take_agreements(self, agreements: Agreements) -> None:
        self.fault.set_text("")
        self._agreements = agreements
        self._show()

    def _take_history(self, entries: tuple[ContractEntry, ...]) -> None:
        if entries == self._history:
            return
        self._history = entries
        months = sorted({entry.month for entry in entries if entry.month}, reverse=True)
        self.month_filter.set_choices(
            [Choice(None, self.tr("all months")), *(Choice(month, month_name(month)) for month in months)]
        )
        houses = sorted({entry.house for entry in entries})
        self.house_filter.set_choices(
            [Choice(None, self.tr("all houses")), *(Choice(house, house) for house in houses)]
        )
        self._show_history()

    def _take_houses(self, houses: tuple[House, ...]) -> None:
        names = {house.house: house.name for house in houses}
        if names == self._names:
            return
        self._names = names
        self._show()
        self._show_history()

    def _fail(self, error: Exception) -> None:
        self.fault.set_text(self.tr("The contracts could not be read: {0}").format(error))

    # --- shown ----------------------------------------------------------------------------------------

    @property
    def next_month(self) -> tuple[str, range] | None:
        """The month after the one that runs, with its minutes; None before the first snapshot."""
        if self._snapshot is None:
            return None
        zone = zone_of(self._snapshot.zone)
        running = month_minutes(month_of(int(self._snapshot.now_s) // SECONDS_PER_MINUTE, zone), zone)
        following = month_of(running.stop, zone)
        return following, month_minutes(following, zone)

    @Slot()
    def _show(self) -> None:
        following, agreements = self.next_month, self._agreements
        ready = following is not None and agreements is not None
        self.policy_button.setEnabled(ready)
        self.ask_button.setEnabled(ready)
        if following is None or agreements is None or self._snapshot is None:
            return
        zone, (month, minutes) = self._snapshot.zone, following
        # What is being asked for comes first.
        listed = sorted(agreements.rounds, key=lambda each: each.final_s is not None)
        rounds = {RoundKey(each.month, each.minutes.start): each for each in listed}
        upcoming = RoundKey(month, minutes.start)
        self.ask_button.setEnabled(upcoming not in rounds)
        choices = [Choice(key, round_title(each, zone)) for key, each in rounds.items()]
        if upcoming not in rounds:
            title = self.tr("{0}: not asked yet").format(month_name(month))
            choices.insert(sum(each.final_s is None for each in listed), Choice(upcoming, title))
        self.round_field.set_choices(choices)
        self.policy_line.set_text(policy_words(agreements.policy))
        shown = rounds.get(self.round_field.value())
        if shown is None:
            self.times.set_text(next_times(agreements.policy, minutes, zone))
            self.counts.set_text("")
            self.refusals.set_text("")
            self._shown = None
            self.round_table.set_empty_text(self.tr("The houses have not been asked yet."))
            self.round_table.set_rows([], [])
        else:
            self._show_round(shown, self._snapshot)

    def _show_round(self, asked: ContractRound, snapshot: CentralSnapshot) -> None:
        view = snapshot.round
        refused: Mapping[str, str] = view.refused if view is not None and view.month == asked.month else {}
        linked = {house.house for house in snapshot.houses if house.link is LinkState.LINKED}
        shown = (asked, refused, linked, self._names)
        if shown == self._shown:
            return  # most snapshots change nothing here
        self._shown = shown
        self.times.set_text(round_times(asked, snapshot.zone))
        self.counts.set_text(round_counts(asked, refused))
        self.refusals.set_text(refusal_words(asked, refused))
        waiting = set(asked.waiting)
        # Who needs a word comes first.
        houses = sorted(asked.houses, key=lambda house: (house not in waiting, house not in refused))
        self.round_table.set_rows(
            houses,
            [
                round_row(
                    house, self._names.get(house, ""), asked.entry_of(house), refused.get(house, ""),
                    house in linked, snapshot.zone,
                )
                for house in houses
            ],
        )  # fmt: skip

    @Slot()
    def _show_history(self) -> None:
        if self._snapshot is None:
            return
        chosen = chosen_entries(
            self._history, self.month_filter.value(), self.house_filter.value(), self.basis_filter.value()
        )
        shown, rows = chosen[:MOST_ROWS], HistoryRows(self._names, self._snapshot.zone)
        self.history_table.set_rows([number for number, _ in shown], [rows.row(entry) for _, entry in shown])
        words = self.tr("{0} of {1} shown").format(len(shown), len(self._history))
        if len(shown) < len(chosen):
            words += self.tr("; choose a month or house for more")
        self.history_count.set_text(words)

    # --- orders ---------------------------------------------------------------------------------------

    @Slot()
    def _ask_now(self) -> None:
        if self.next_month is not None:
            self._open(AskNowDialog(self._operator, self._desk, self.next_month[0], self))

    @Slot()
    def _change_policy(self) -> None:
        if self._agreements is not None:
            self._open(PolicyDialog(self._operator, self._desk, self._agreements.policy, self))

    def _open(self, dialog: OrderDialog) -> None:
        dialog.set_theme(self._theme)
        dialog.accepted.connect(self.refresh)
        dialog.open()


def _standing(view: RoundView | None) -> object:
    """What of a round's picture tells that something was agreed."""
    return view and (view.month, view.agreed, view.final)
