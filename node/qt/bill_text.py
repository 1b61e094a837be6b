"""A bill in plain words, as a document for screen, printer and PDF; both programs tell it the same way.

What stands in it is Fig 5.7's summary for the house's role, and what is behind each figure. Amounts are
never told apart by their sign alone: "to pay" or "to receive" stands beside them.
"""

from collections.abc import Iterable, Sequence
from html import escape
from typing import NamedTuple

from PySide6.QtCore import QCoreApplication

from microgrid.agreements import Basis
from microgrid.bill import Adjustment, Bill, BillCheck, BillKind, Cause, Verdict
from microgrid.statement import Account
from microgrid.terms import Contract, Obligation, Role, Source
from microgrid.units import SECONDS_PER_MINUTE
from node.qt.format import Quantity, energy, moment, money, month_name, power, price

_CONTEXT = "bill"
translate = QCoreApplication.translate
# Qt knows margins in pixels only; on paper they grow with its resolution.
_STYLE = """<style>
p { margin-top: 2px; margin-bottom: 2px; }
.title { font-size: 17pt; font-weight: bold; margin-bottom: 8px; }
.result { font-size: 15pt; font-weight: bold; margin-top: 14px; }
.head { font-size: 10.5pt; font-weight: bold; margin-top: 16px; margin-bottom: 3px; }
.note { font-size: 8pt; margin-top: 18px; }
td { padding-top: 1px; padding-bottom: 2px; }
.sum { font-weight: bold; border-top: 1px solid black; }
</style>"""


def bill_title(bill: Bill) -> str:
    """What the document is called: "Bill for December 2024, house A"."""
    if bill.kind is BillKind.FINAL:
        return translate(_CONTEXT, "Final bill for {0}, house {1}").format(month_name(bill.month), bill.house)
    return translate(_CONTEXT, "Bill for {0}, house {1}").format(month_name(bill.month), bill.house)


def bill_document(bill: Bill, check: BillCheck | None = None, adjustments: Sequence[Adjustment] = ()) -> str:
    """The bill as an HTML document.

    `check` is the house's own finding, if it has told; `adjustments` were made after the bill was out and
    are paid with a later statement.
    """
    parts = [
        _header(bill),
        _result(bill),
        _summary(bill),
        _prices(bill),
        _penalties(bill),
        _carried(paid for paid in bill.adjustments if paid.month != bill.month),
        _later(adjustments, bill.zone),
        _estimates(bill.account),
        _finding(check),
        _note(),
    ]
    return f"<html><head>{_STYLE}</head><body>{''.join(parts)}</body></html>"


def due_words(amount: int) -> str:
    """Who pays: "to receive" where the account gets money, "to pay" where it owes; empty for nothing."""
    if amount > 0:
        return translate(_CONTEXT, "to receive")
    return translate(_CONTEXT, "to pay") if amount < 0 else ""


def cause_words(cause: Cause) -> str:
    """Why an account is adjusted."""
    match cause:
        case Cause.LATE:
            return translate(_CONTEXT, "late minutes")
        case Cause.CORRECTED:
            return translate(_CONTEXT, "corrected reading")
        case Cause.TARIFF:
            return translate(_CONTEXT, "corrected tariff")
        case Cause.CONTRACT:
            return translate(_CONTEXT, "corrected contract")
        case Cause.WAIVER:
            return translate(_CONTEXT, "penalty waived")


def adjustment_words(adjustment: Adjustment) -> str:
    """Why an adjustment was made, in one sentence; another house's data are not named (4.3)."""
    causes = ", ".join(cause_words(cause) for cause in adjustment.causes)
    causes = causes[:1].upper() + causes[1:]
    if not adjustment.own:
        return translate(_CONTEXT, "{0} of another account changed this one's share").format(causes)
    return f"{causes}: {adjustment.reason}" if adjustment.reason else causes


def contract_words(contract: Contract | None) -> str:
    """What was agreed, in one line."""
    if contract is None:
        return translate(_CONTEXT, "none")
    if contract.role is Role.CONSUMER:
        return translate(_CONTEXT, "consumer, at most {0}").format(power(contract.max_w))
    source = (
        translate(_CONTEXT, "generator")
        if contract.source is Source.GENERATOR
        else translate(_CONTEXT, "solar")
    )
    duty = (
        translate(_CONTEXT, "always")
        if contract.obligation is Obligation.ALWAYS
        else translate(_CONTEXT, "by daylight")
    )
    return translate(_CONTEXT, "producer ({0}), {1} to {2} at {3}, obliged {4}").format(
        source, power(contract.min_w), power(contract.max_w), price(contract.price), duty
    )


def basis_word(basis: Basis) -> str:
    """How a contract came about, in a word or two."""
    match basis:
        case Basis.ANSWERED:
            return translate(_CONTEXT, "answered")
        case Basis.CARRIED_OVER:
            return translate(_CONTEXT, "carried over")
        case Basis.NO_ANSWER:
            return translate(_CONTEXT, "no answer")
        case Basis.OPERATOR:
            return translate(_CONTEXT, "operator")
        case Basis.GRID_FILE:
            return translate(_CONTEXT, "grid file")


def verdict_words(check: BillCheck | None) -> str:
    """The house's own finding in a word or two."""
    if check is None:
        return translate(_CONTEXT, "not told")
    match check.verdict:
        case Verdict.AGREES:
            return translate(_CONTEXT, "agrees")
        case Verdict.DIFFERS:
            return translate(_CONTEXT, "differs")
        case Verdict.UNCHECKED:
            return translate(_CONTEXT, "unchecked")


class _Line(NamedTuple):
    """A line of a table: what, how much, who pays it, and the energy behind an amount."""

    what: str
    figure: Quantity
    due: str = ""
    energy: Quantity | None = None


def _amount(what: str, amount: int, energy_ws: int | None = None) -> _Line:
    behind = None if energy_ws is None else _kwh(energy_ws)
    return _Line(what, money(abs(amount)), due_words(amount), behind)


def _table(lines: Iterable[_Line], *, last_is_sum: bool = False) -> str:
    """Lines whose figures end under each other, with their units beside them."""
    listed = list(lines)
    rows = []
    for index, line in enumerate(listed):
        kind = ' class="sum"' if last_is_sum and index == len(listed) - 1 else ""
        unit = f"{line.figure.unit} {line.due}".strip().replace(" ", "&nbsp;")
        what = f'<td width="58%" colspan="2"{kind}>{escape(line.what)}</td>'
        if line.energy is not None:
            what = (
                f'<td width="44%"{kind}>{escape(line.what)}</td>'
                f'<td width="14%" align="right"{kind}>{escape(str(line.energy))}</td>'
            )
        rows.append(
            f'<tr>{what}<td width="18%" align="right"{kind}>{escape(line.figure.number)}</td>'
            f'<td width="24%"{kind}>&nbsp;{unit}</td></tr>'
        )
    return f'<table width="100%" cellspacing="0">{"".join(rows)}</table>'


def _head(text: str) -> str:
    return f'<p class="head">{escape(text)}</p>'


def _header(bill: Bill) -> str:
    start, end = bill.first_minute * SECONDS_PER_MINUTE, bill.end_minute * SECONDS_PER_MINUTE
    facts: list[tuple[str, object]] = [
        (translate(_CONTEXT, "House"), f"{bill.house}, {bill.name}" if bill.name else bill.house),
        (
            translate(_CONTEXT, "Period"),
            translate(_CONTEXT, "{0} to {1}").format(moment(start, bill.zone), moment(end, bill.zone)),
        ),
        (translate(_CONTEXT, "Time zone"), bill.zone),
        (translate(_CONTEXT, "Issued"), moment(bill.issued_s, bill.zone)),
        (translate(_CONTEXT, "Contract"), contract_words(bill.contract)),
    ]
    if bill.kind is BillKind.FINAL:
        facts.append(
            (translate(_CONTEXT, "Final bill"), translate(_CONTEXT, "the house left the micro-grid"))
        )
    lines = "".join(
        f'<tr><td width="16%">{escape(what)}</td><td>{escape(str(value))}</td></tr>' for what, value in facts
    )
    return (
        f"<p>{escape(translate(_CONTEXT, 'Neighbourhood micro-grid'))}</p>"
        f'<p class="title">{escape(bill_title(bill))}</p>'
        f'<table width="100%" cellspacing="0">{lines}</table>'
    )


def _result(bill: Bill) -> str:
    total = bill.account.total
    if not total:
        text, who = translate(_CONTEXT, "Nothing to pay"), ""
    elif total < 0:
        text = translate(_CONTEXT, "To pay: {0}").format(money(-total))
        who = translate(_CONTEXT, "House {0} pays the central.").format(bill.house)
    else:
        text = translate(_CONTEXT, "To receive: {0}").format(money(total))
        who = translate(_CONTEXT, "The central pays house {0}.").format(bill.house)
    return f'<p class="result">{escape(text)}</p><p>{escape(who)}</p>'


def _summary(bill: Bill) -> str:
    """Fig 5.7 for the role; the national grid's part of a producer holds its penalties."""
    account = bill.account
    if account.role == Role.PRODUCER:
        heading = translate(_CONTEXT, "Power production")
        highest = translate(_CONTEXT, "Largest power delivered")
        lowest = translate(_CONTEXT, "Smallest power delivered")
    else:
        heading = translate(_CONTEXT, "Power consumption")
        highest = translate(_CONTEXT, "Largest power taken")
        lowest = translate(_CONTEXT, "Smallest power taken")
    national = translate(_CONTEXT, "Amount, national grid")
    if account.penalty_amount:
        national = translate(_CONTEXT, "Amount, national grid and penalties")
    lines = [
        _Line(highest, power(account.max_power_kw * 1000)),
        _Line(lowest, power(account.min_power_kw * 1000)),
        *_energies(bill),
        _amount(translate(_CONTEXT, "Amount, micro-grid"), account.microgrid_amount),
        _amount(national, bill.national_total),
    ]
    if bill.waived:
        lines.append(_amount(translate(_CONTEXT, "Penalties waived"), bill.waived))
    if bill.earlier:
        lines.append(_amount(translate(_CONTEXT, "Adjustments of earlier months"), bill.earlier))
    lines.append(_amount(translate(_CONTEXT, "Total"), account.total))
    return _head(heading) + _table(lines, last_is_sum=True)


def _energies(bill: Bill) -> list[_Line]:
    """The energies of Fig 5.7, named by their direction; without any, the role says which is meant."""
    account = bill.account
    local = account.microgrid_energy
    if local > 0 or (not local and account.role == Role.PRODUCER):
        label = translate(_CONTEXT, "Energy delivered to the micro-grid")
    else:
        label = translate(_CONTEXT, "Energy from the micro-grid")
    lines = [_Line(label, _kwh(local))]
    if account.national_grid_energy > 0:  # a surplus that was fed in is no part of what was taken or owed
        surplus = translate(_CONTEXT, "Surplus to the national grid")
        lines.append(_Line(surplus, _kwh(account.national_grid_energy)))
        if account.penalty_energy:
            owed = translate(_CONTEXT, "Energy of penalties")
            lines.append(_Line(owed, _kwh(account.penalty_energy)))
        return lines
    label = translate(_CONTEXT, "Energy from the national grid")
    if account.penalty_energy:
        label = translate(_CONTEXT, "Energy from the national grid and of penalties")
    return [*lines, _Line(label, _kwh(bill.national_energy))]


def _kwh(energy_ws: int) -> Quantity:
    return energy(abs(energy_ws), decimals=2)


def _prices(bill: Bill) -> str:
    mean = bill.mean_rate
    lines = [] if mean is None else [_Line(translate(_CONTEXT, "Mean rate in the micro-grid"), price(mean))]
    tariff = translate(_CONTEXT, "National tariff when the month ended")
    return _head(translate(_CONTEXT, "Prices")) + _table([*lines, _Line(tariff, price(bill.tariff))])


def _penalties(bill: Bill) -> str:
    parts = bill.penalties
    deficit = translate(_CONTEXT, "Asked to raise and not delivered")
    minimum = translate(_CONTEXT, "Below the minimum of the contract")
    lines = [
        _amount(what, amount, owed)
        for what, owed, amount in (
            (deficit, parts.deficit_energy, parts.deficit_amount),
            (minimum, parts.minimum_energy, parts.minimum_amount),
        )
        if owed or amount
    ]
    lines += [
        _amount(adjustment_words(one), one.total) for one in bill.adjustments if one.month == bill.month
    ]
    none = f"<p>{escape(translate(_CONTEXT, 'None.'))}</p>"
    return _head(translate(_CONTEXT, "Penalties")) + (_table(lines) if lines else none)


def _carried(adjustments: Iterable[Adjustment]) -> str:
    lines = [_amount(f"{month_name(one.month)}. {adjustment_words(one)}", one.total) for one in adjustments]
    if not lines:
        return ""
    return _head(translate(_CONTEXT, "Adjustments of earlier months, in the total above")) + _table(lines)


def _later(adjustments: Sequence[Adjustment], zone: str) -> str:
    if not adjustments:
        return ""
    heading = translate(_CONTEXT, "Adjusted since this bill was issued; paid with a later statement")
    lines = [
        _amount(f"{moment(one.made_s, zone)}. {adjustment_words(one)}", one.total) for one in adjustments
    ]
    return _head(heading) + _table(lines)


def _estimates(account: Account) -> str:
    if not account.estimated_minutes:
        text = translate(_CONTEXT, "Nothing was estimated.")
    else:
        text = translate(
            _CONTEXT,
            "{0} minutes with {1} were estimated, because no reading of them came: short gaps by a straight"
            " line between the readings around them, longer ones by the same minutes of the three weeks"
            " before. Their sum is what the meter's register shows.",
        ).format(account.estimated_minutes, energy(abs(account.estimated_energy), decimals=2))
    return _head(translate(_CONTEXT, "Estimated")) + f"<p>{escape(text)}</p>"


def _finding(check: BillCheck | None) -> str:
    if check is None:
        return ""
    match check.verdict:
        case Verdict.AGREES:
            text = translate(_CONTEXT, "The house has compared the bill with its own registers; it agrees.")
        case Verdict.UNCHECKED:
            text = translate(
                _CONTEXT, "The house could not check the bill: its own journal does not cover the period."
            )
        case Verdict.DIFFERS if not check.sums_right:
            text = translate(
                _CONTEXT,
                "The house has checked the bill and it differs: its lines do not add up to the total.",
            )
        case Verdict.DIFFERS if check.own_least == check.own_most:
            text = translate(
                _CONTEXT,
                "The house has checked the bill and it differs: billed {0} net, its own registers say {1}.",
            ).format(_net(check.billed_energy), _net(check.own_least))
        case Verdict.DIFFERS:
            text = translate(
                _CONTEXT,
                "The house has checked the bill and it differs: billed {0} net, its own registers say {1}"
                " to {2}.",
            ).format(*(_net(value) for value in (check.billed_energy, check.own_least, check.own_most)))
    return _head(translate(_CONTEXT, "The house's own check")) + f"<p>{escape(text)}</p>"


def _net(energy_ws: int | None) -> str:
    return str(energy(energy_ws or 0, signed=True, decimals=2))


def _note() -> str:
    text = translate(
        _CONTEXT,
        "Amounts are kept to a millionth of a coin and energy to a watt-second; the total is rounded once, so"
        " that rounded lines may differ from it in the last digit.",
    )
    return f'<p class="note">{escape(text)}</p>'
