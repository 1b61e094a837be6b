"""Waiving penalties: the operator lets a house off a part of its penalties of a month.

Penalties went to the reserve, so the reserve pays them back. A month's statements come from the three facts
alone and know nothing of it: what is waived is posted beside them, as adjustments of house and reserve.
Amounts are micro-coins.
"""

from collections.abc import Iterable, Mapping

import msgspec

from microgrid.bill import Adjustment, Cause
from microgrid.statement import Statements
from microgrid.terms import RESERVE


class Waiver(msgspec.Struct, frozen=True, kw_only=True):
    """What the operator waived of a house's penalties of a month; `reason` is for the house to read.

    Waivers are only added; `number` is the order in which they were entered (0: not yet).
    """

    month: str
    house: str
    amount: int
    author: str
    reason: str
    entered_s: int
    number: int = 0


def waived(waivers: Iterable[Waiver], charged: int) -> dict[int, int]:
    """What comes of a house's waivers of one month, by their numbers, if it is `charged` so much.

    Never more than it is charged: the older come first, so that a later one takes nothing from them.
    """
    found, left = {}, max(0, charged)
    for waiver in sorted(waivers, key=lambda waiver: waiver.number):
        found[waiver.number] = min(waiver.amount, left)
        left -= found[waiver.number]
    return found


def waiver_postings(
    waivers: Iterable[Waiver], statements: Statements, posted: Mapping[int, int], run: int, made_s: int
) -> tuple[Adjustment, ...]:
    """What is still to be posted of a month's waivers, by the statements of its newest run.

    `posted` is what has been, by number. So a waiver is neither lost nor repeated, however often the month
    is settled again; what a smaller penalty no longer holds is taken back. Every posting to a house has
    one of the reserve that undoes it.
    """
    of_house: dict[str, list[Waiver]] = {}
    for waiver in waivers:
        of_house.setdefault(waiver.house, []).append(waiver)
    made: list[Adjustment] = []
    for house, listed in sorted(of_house.items()):
        due = waived(listed, charged_by(statements, house))
        for waiver in sorted(listed, key=lambda waiver: waiver.number):
            before = posted.get(waiver.number, 0)
            amount = due[waiver.number] - before
            if amount:
                made += _pair(waiver, amount, _told(waiver, amount, before), run, made_s)
    return tuple(made)


def charged_by(statements: Statements, house: str) -> int:
    """What a house is charged in penalties, positive; 0 for one that has no account."""
    account = statements.accounts.get(house)
    return 0 if account is None else -account.penalty_amount


def _told(waiver: Waiver, amount: int, before: int) -> str:
    if amount < 0:
        return f"{waiver.reason} (The penalty became smaller, and with it what was waived.)"
    return (
        f"{waiver.reason} (The penalty became larger, and with it what is waived.)"
        if before
        else waiver.reason
    )


def _pair(waiver: Waiver, amount: int, reason: str, run: int, made_s: int) -> tuple[Adjustment, Adjustment]:
    to_house = Adjustment(
        account=waiver.house,
        month=waiver.month,
        number=run,
        made_s=made_s,
        causes=(Cause.WAIVER,),
        own=True,
        reason=reason,
        energy=0,
        microgrid_amount=0,
        national_grid_amount=0,
        penalty_amount=amount,
        waiver=waiver.number,
    )
    from_reserve = msgspec.structs.replace(
        to_house, account=RESERVE, reason=f"House {waiver.house}: {reason}", penalty_amount=-amount
    )
    return to_house, from_reserve
