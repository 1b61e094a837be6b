"""A bill in words and figures, for its role (Fig 5.7). No widgets."""

from typing import NamedTuple

from PySide6.QtCore import QCoreApplication

from house_client.snapshot import ReceivedBill
from house_client.ui.account_table import Line, account_lines
from microgrid.bill import Adjustment, Bill, BillCheck, BillKind, Verdict
from microgrid.terms import Role
from node.qt.bill_text import adjustment_words, due_words
from node.qt.format import Quantity, date, duration, energy, money, month_name, number, power, price
from node.qt.value import ValueState

_CONTEXT = "bill"


class Figure(NamedTuple):
    """A line of a bill: what, how much."""

    label: str
    quantity: Quantity
    state: ValueState = ValueState.GOOD


def bill_title(bill: Bill) -> str:
    """What kind of bill, of which month."""
    translate = QCoreApplication.translate
    final = bill.kind is BillKind.FINAL
    words = translate(_CONTEXT, "Final bill for {0}") if final else translate(_CONTEXT, "Bill for {0}")
    return words.format(month_name(bill.month))


def bill_total_words(bill: Bill) -> str:
    """The total, and who pays: its sign says so, not the role (7.5)."""
    translate = QCoreApplication.translate
    total = bill.account.total
    return f"{money(abs(total))} {due_words(total)}" if total else translate(_CONTEXT, "nothing to pay")


def check_words(check: BillCheck) -> str:
    """What this house found when it checked the bill against its own meter, and what to do."""
    translate = QCoreApplication.translate
    match check.verdict:
        case Verdict.AGREES:
            return translate(_CONTEXT, "Agrees with our own meter")
        case Verdict.UNCHECKED:
            return translate(
                _CONTEXT, "Could not be checked: our own records do not reach to the month's end"
            )
        case Verdict.DIFFERS if not check.sums_right:
            return translate(_CONTEXT, "Its lines do not add up: do not pay before asking the operator")
        case Verdict.DIFFERS:
            return translate(
                _CONTEXT, "Differs from our own meter by {0}: do not pay before asking the operator"
            ).format(_difference(check))


def brief_words(received: ReceivedBill) -> tuple[str, str]:
    """A bill in two short lines: month and total; what kind of bill, and whether it may be paid."""
    translate = QCoreApplication.translate
    bill, check = received.bill, received.check
    since = sum(adjustment.total for adjustment in received.adjustments)
    match check.verdict:
        case Verdict.AGREES | Verdict.UNCHECKED if received.adjustments:
            words = translate(_CONTEXT, "{0} adjusted since: {1}").format("{0}", money(since, signed=True))
        case Verdict.AGREES:
            words = translate(_CONTEXT, "{0}: agrees with our own meter")
        case Verdict.UNCHECKED:
            words = translate(_CONTEXT, "{0}: could not be checked")
        case Verdict.DIFFERS if not check.sums_right:
            words = translate(_CONTEXT, "{0} does not add up: ask before you pay")
        case Verdict.DIFFERS:
            words = translate(_CONTEXT, "{0} differs by {1}: ask before you pay")
    final = bill.kind is BillKind.FINAL
    kind = translate(_CONTEXT, "Final bill") if final else translate(_CONTEXT, "Bill")
    return f"{month_name(bill.month)}: {bill_total_words(bill)}", words.format(kind, _difference(check))


def _difference(check: BillCheck) -> Quantity:
    """By how much the billed energy lies outside of what our registers allow; small ones in full."""
    least, most = check.own_least or 0, check.own_most or 0
    outside = max(least - check.billed_energy, check.billed_energy - most, 0)
    return energy(outside) if outside >= 360_000 else Quantity(number(outside / 3600, 1), "Wh")


def bill_figures(bill: Bill) -> list[Figure]:
    """Powers and rates; of a seller also Fig 5.7's "KE" lines: own imports and penalties together."""
    translate = QCoreApplication.translate
    account = bill.account
    seller = account.role == Role.PRODUCER
    if seller:
        powers = translate(_CONTEXT, "Max power produced"), translate(_CONTEXT, "Min power produced")
    else:
        powers = translate(_CONTEXT, "Max power consumed"), translate(_CONTEXT, "Min power consumed")
    rate = bill.mean_rate
    traded = ValueState.GOOD if rate is not None else ValueState.DISCONNECTED
    figures = [
        Figure(powers[0], power(account.max_power_kw * 1000)),
        Figure(powers[1], power(account.min_power_kw * 1000)),
        Figure(translate(_CONTEXT, "Mean rate"), price(round(rate or 0)), traded),
        Figure(translate(_CONTEXT, "National tariff"), price(bill.tariff)),
    ]
    if seller:
        figures += [
            Figure(translate(_CONTEXT, "National, with penalties"), energy(abs(bill.national_energy))),
            Figure(translate(_CONTEXT, "… its amount"), money(bill.national_total, signed=True)),
        ]
    return figures


def bill_lines(bill: Bill) -> list[Line]:
    """The amounts that make the total."""
    account = bill.account
    return account_lines(
        (account.microgrid_energy, account.microgrid_amount),
        (account.national_grid_energy, account.national_grid_amount),
        bill.penalties,
        bill.earlier,
        waived=bill.waived,
        seller=account.role == Role.PRODUCER,
    )


def estimated_words(bill: Bill) -> str:
    """How much of the bill was estimated; empty if nothing was."""
    minutes = bill.account.estimated_minutes
    if not minutes:
        return ""
    return QCoreApplication.translate(
        _CONTEXT, "≈ {0} of {1} estimated, because nobody heard the meter"
    ).format(energy(abs(bill.account.estimated_energy)), duration(minutes * 60))


def total_words(bill: Bill) -> str:
    """The words before a total."""
    return f"{QCoreApplication.translate(_CONTEXT, 'Total')} {due_words(bill.account.total)}".strip()


def adjusted_words(received: ReceivedBill) -> str:
    """What was found since the bill was issued, and when it is paid; empty if nothing was."""
    if not received.adjustments:
        return ""
    amount = money(sum(adjustment.total for adjustment in received.adjustments), signed=True)
    return QCoreApplication.translate(_CONTEXT, "Adjusted since: {0}, with the next bill").format(amount)


def adjustment_paragraphs(received: ReceivedBill) -> list[str]:
    """Every adjustment of a bill in words: those paid with it, and those made to it since."""
    translate = QCoreApplication.translate
    bill = received.bill
    carried = [
        translate(_CONTEXT, "Paid with this bill: {0}").format(_adjustment_words(adjustment, bill.zone))
        for adjustment in bill.adjustments
    ]
    since = [
        translate(_CONTEXT, "To be paid with the next bill: {0}").format(
            _adjustment_words(adjustment, bill.zone)
        )
        for adjustment in received.adjustments
    ]
    return carried + since


def _adjustment_words(adjustment: Adjustment, zone: str) -> str:
    translate = QCoreApplication.translate
    words = translate(_CONTEXT, "{0} for {1}, settled again on {2}. {3}.")
    if adjustment.waiver:
        words = translate(_CONTEXT, "{0} for {1}, on {2}. {3}.")
    return words.format(
        money(adjustment.total, signed=True),
        month_name(adjustment.month),
        date(adjustment.made_s, zone),
        adjustment_words(adjustment).rstrip("."),
    )
