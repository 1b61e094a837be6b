"""How the rounds and the history of contracts are shown, as rows of tables and in words. No widgets."""

from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

from PySide6.QtCore import QCoreApplication

from central_monitor.ui.presentation import role_words
from microgrid.agreements import Basis, ContractEntry
from microgrid.contracting import ContractPolicy, ContractRound, Silence
from microgrid.months import month_minutes
from microgrid.terms import FOREVER, Contract, Obligation, Role
from microgrid.units import SECONDS_PER_MINUTE, coins
from node.qt.bill_text import basis_word
from node.qt.format import moment, month_name, number
from node.qt.table import Cell

_CONTEXT = "contracts"
_REFUSALS = 3  # lines
translate = QCoreApplication.translate


def policy_words(policy: ContractPolicy) -> str:
    """When houses are asked and what silence means, in two sentences."""
    if policy.opens_days == 1:
        asked = translate(_CONTEXT, "Houses are asked 1 day before the month.")
    else:
        asked = translate(_CONTEXT, "Houses are asked {0} days before the month.").format(policy.opens_days)
    if policy.silence is Silence.LAST:
        silence = translate(
            _CONTEXT, "A house that does not answer in time gets last month's contract again."
        )
    else:
        silence = translate(_CONTEXT, "A house that does not answer in time gets no contract.")
    return f"{asked} {silence}"


def round_title(asked: ContractRound, zone: str) -> str:
    """The month, or which part of it, and how the round stands."""
    name = month_name(asked.month)
    if asked.minutes.start > month_minutes(asked.month, ZoneInfo(zone)).start:
        name = translate(_CONTEXT, "{0} from {1}").format(
            name, moment(asked.minutes.start * SECONDS_PER_MINUTE, zone)
        )
    state = translate(_CONTEXT, "being asked") if asked.final_s is None else translate(_CONTEXT, "final")
    return translate(_CONTEXT, "{0}: {1}").format(name, state)


def round_times(asked: ContractRound, zone: str) -> str:
    """When it opened, by whom, when it closes or was final."""
    opened = translate(_CONTEXT, "Opened {0} by {1}").format(moment(asked.opened_s, zone), asked.opened_by)
    if asked.final_s is None:
        rest = translate(_CONTEXT, "closes {0}").format(moment(asked.closes_s, zone))
    else:
        rest = translate(_CONTEXT, "final since {0}: exchange is permitted").format(
            moment(asked.final_s, zone)
        )
    return f"{opened}  ·  {rest}"


def next_times(policy: ContractPolicy, minutes: range, zone: str) -> str:
    """When a month that is not asked for yet will be."""
    return translate(_CONTEXT, "Opens {0}  ·  closes {1}").format(
        moment(policy.opens_at(minutes) * SECONDS_PER_MINUTE, zone),
        moment(minutes.start * SECONDS_PER_MINUTE, zone),
    )


def round_counts(asked: ContractRound, refused: Mapping[str, str]) -> str:
    """How many have agreed, are waited for, and were refused last."""
    waiting = [house for house in asked.waiting if house not in refused]
    return translate(_CONTEXT, "{0} of {1} agreed  ·  {2} waiting  ·  {3} refused").format(
        len(asked.houses) - len(asked.waiting),
        len(asked.houses),
        len(waiting),
        len(asked.waiting) - len(waiting),
    )


def refusal_words(asked: ContractRound, refused: Mapping[str, str]) -> str:
    """Why the last answers of houses were refused, a line each for as many as there is room for."""
    lines = [
        translate(_CONTEXT, "House {0} was refused: {1}").format(house, why)
        for house, why in refused.items()
        if house in asked.waiting
    ]
    if len(lines) > _REFUSALS:
        rest = len(lines) - _REFUSALS + 1
        lines[_REFUSALS - 1 :] = [translate(_CONTEXT, "and {0} more: see the table").format(rest)]
    return "\n".join(lines)


def round_row(
    house: str, name: str, entry: ContractEntry | None, refusal: str, linked: bool, zone: str
) -> list[Cell]:
    """One house of a round: what it agreed to, or why it has not."""
    if entry is not None:
        standing = basis_word(entry.basis)
        if entry.contract is None and entry.basis is Basis.NO_ANSWER:
            standing = translate(_CONTEXT, "no answer: no contract")
        contract, when = contract_cells(entry.contract), moment(entry.entered_s, zone)
        first = Cell(standing)
    else:
        standing = translate(_CONTEXT, "waiting")
        if refusal:
            standing = translate(_CONTEXT, "answer refused")
        elif not linked:
            standing = translate(_CONTEXT, "waiting; not linked")
        contract, when = [Cell("", align_right=side) for side in (False, True, True, True, False)], ""
        first = Cell(standing, bold=True, tip=refusal)
    return [Cell(house, bold=True), Cell(name, tip=name), first, *contract, Cell(when, quiet=True)]


def contract_cells(contract: Contract | None) -> list[Cell]:
    """Role, least and most power in kW, price in coins/kWh, obligation."""
    if contract is None:
        return [Cell(role_words(None)), *(Cell("", align_right=True) for _ in range(3)), Cell("")]
    seller = contract.role is Role.PRODUCER
    duty = ""
    if seller:
        always = contract.obligation is Obligation.ALWAYS
        duty = translate(_CONTEXT, "always") if always else translate(_CONTEXT, "by daylight")
    return [
        Cell(role_words(contract)),
        Cell(number(contract.min_w / 1000, 2) if seller else "", align_right=True),
        Cell(number(contract.max_w / 1000, 2), align_right=True),
        Cell(number(coins(contract.price), 2) if seller else "", align_right=True),
        Cell(duty),
    ]


class HistoryRows:
    """Makes rows of the history; what many rows share is worked out once."""

    def __init__(self, names: Mapping[str, str], zone: str) -> None:
        self._names, self._zone = names, zone
        self._months: dict[str, tuple[str, range]] = {}
        self._moments: dict[int, str] = {}

    def row(self, entry: ContractEntry) -> list[Cell]:
        """One contract of the history."""
        name, note = self._names.get(entry.house, ""), entry.note
        month, _ = self._month(entry.month)
        return [
            Cell(month, bold=True),
            Cell(entry.house, bold=True),
            Cell(name, tip=name),
            *contract_cells(entry.contract),
            Cell(self._validity(entry)),
            Cell(basis_word(entry.basis)),
            Cell(entry.author, quiet=True, tip=note),
            Cell(self._moment(entry.entered_s), quiet=True, tip=note),
        ]

    def _validity(self, entry: ContractEntry) -> str:
        """For which part of the month it holds, if not for the whole."""
        _, span = self._month(entry.month)
        since, until = entry.valid_from > span.start, entry.valid_to < span.stop
        if not since and not until:
            return (
                translate(_CONTEXT, "whole month") if entry.month else translate(_CONTEXT, "until replaced")
            )
        first = self._moment(entry.valid_from * SECONDS_PER_MINUTE)
        if not until:
            return translate(_CONTEXT, "from {0}").format(first)
        end = self._moment(entry.valid_to * SECONDS_PER_MINUTE)
        return f"{first} – {end}" if since else translate(_CONTEXT, "until {0}").format(end)

    def _month(self, month: str) -> tuple[str, range]:
        if month not in self._months:
            span = month_minutes(month, ZoneInfo(self._zone)) if month else range(0, FOREVER)
            self._months[month] = (month_name(month) if month else "", span)
        return self._months[month]

    def _moment(self, at_s: int) -> str:
        if at_s not in self._moments:
            self._moments[at_s] = moment(at_s, self._zone)
        return self._moments[at_s]


def chosen_entries(
    entries: Sequence[ContractEntry], month: str | None, house: str | None, basis: Basis | None
) -> list[tuple[int, ContractEntry]]:
    """The entries that pass the filters (None: any), newest month first, with their numbers."""
    chosen = [
        (index, entry)
        for index, entry in enumerate(entries)
        if month in (None, entry.month) and house in (None, entry.house) and basis in (None, entry.basis)
    ]
    return sorted(chosen, key=lambda each: (each[1].month, each[1].valid_from), reverse=True)
