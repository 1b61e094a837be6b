"""Bills and adjustments made fit to travel: texts of one line, and no more adjustments than one bill carries.

What is stored stays as it was issued; here it only takes the form in which a house can be told. The sums
are the same.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from microgrid.bill import Adjustment, Bill
from microgrid.wire.limits import MAX_BILLED_ADJUSTMENTS, MAX_NAME_CHARS, MAX_TOLD_CHARS, printable
from microgrid.wire.messages import Deliver


def letter(paper: Bill | Adjustment, request_id: int) -> Deliver:
    """The delivery of this paper."""
    if isinstance(paper, Adjustment):
        return Deliver(request_id=request_id, adjustment=_readable(paper))
    adjustments = tuple(_readable(one) for one in few(paper.adjustments))
    name = printable(paper.name, MAX_NAME_CHARS)
    return Deliver(request_id=request_id, bill=replace(paper, name=name, adjustments=adjustments))


def few(adjustments: Sequence[Adjustment], most: int = MAX_BILLED_ADJUSTMENTS) -> list[Adjustment]:
    """These adjustments, or where they are too many one for each month, the oldest months in one.

    A month may be settled again very often before the next bill, and a tariff corrected for years.
    """
    if len(adjustments) <= most:
        return list(adjustments)
    by_month: dict[str, Adjustment] = {}
    for one in sorted(adjustments, key=lambda one: (one.month, one.number)):
        by_month[one.month] = _together(by_month[one.month], one) if one.month in by_month else one
    months = list(by_month.values())
    while len(months) > most:
        months[:2] = [_together(months[0], months[1])]
    return months


def _together(earlier: Adjustment, later: Adjustment) -> Adjustment:
    """What both change, told as the later one."""
    sums = {
        name: getattr(earlier, name) + getattr(later, name)
        for name in ("energy", "microgrid_amount", "national_grid_amount", "penalty_amount")
    }
    reason = later.reason
    if earlier.reason != later.reason and len(earlier.reason) <= MAX_TOLD_CHARS:  # no use in reading on
        reason = f"{earlier.reason} {later.reason}".strip()
    return replace(
        later,
        causes=tuple(sorted({*earlier.causes, *later.causes})),
        own=earlier.own or later.own,
        reason=reason,
        **sums,
    )


def _readable(adjustment: Adjustment) -> Adjustment:
    return replace(adjustment, reason=printable(adjustment.reason, MAX_TOLD_CHARS))
