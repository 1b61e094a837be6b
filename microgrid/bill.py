"""What a house is told at the month's end, how later data change it, and how a house checks it (5.9-5.11).

A month's *run* is its settlement from the data known at the time. The first run makes the bills; a later
one, after late minutes, a corrected reading or a corrected tariff, makes adjustments beside them, which
are paid with the next statement. Amounts are micro-coins, positive where the house receives; energies
are Ws, positive into the micro-grid.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from itertools import pairwise

import msgspec
from msgspec.structs import replace

from microgrid.minute import MeterMinute
from microgrid.statement import Account, PenaltyParts, Statements
from microgrid.terms import Contract, Terms
from microgrid.units import WS_PER_KWH

REASONS_TOLD = 3  # with an adjustment; a bill is read, not studied


class BillKind(StrEnum):
    """Why a bill was made."""

    MONTH = "month"
    FINAL = "final"  # the house left the micro-grid within the month


class Cause(StrEnum):
    """Why an account is adjusted. Never names a house: neighbours' figures are private (4.3)."""

    LATE = "late minutes"
    CORRECTED = "corrected reading"
    TARIFF = "corrected tariff"
    CONTRACT = "corrected contract"
    WAIVER = "penalty waived"


class Adjustment(msgspec.Struct, frozen=True, kw_only=True):
    """By how much a later run of a month differs from the one before, for one account.

    `number` counts the month's runs (the first bill is run 1). `own` tells whether the cause lies in the
    account's own data; `reason` is for its house to read. With a `waiver` it is not what the run changed but
    what came of the waiver of that number, once this run was known.
    """

    account: str
    month: str
    number: int
    made_s: int
    causes: tuple[Cause, ...]
    own: bool
    reason: str
    energy: int  # change of net energy
    microgrid_amount: int
    national_grid_amount: int
    penalty_amount: int
    waiver: int = 0

    @property
    def total(self) -> int:
        """What the account receives (or, negative, pays) with its next statement."""
        return self.microgrid_amount + self.national_grid_amount + self.penalty_amount


class Bill(msgspec.Struct, frozen=True, kw_only=True):
    """One house's statement of one month, as it was issued; it never changes afterwards."""

    house: str
    name: str
    month: str
    zone: str
    kind: BillKind
    first_minute: int
    end_minute: int
    issued_s: int
    contract: Contract | None  # the last one in force in the month
    tariff: int  # the national tariff when the month ended, micro-coins per kWh
    account: Account  # `adjustments` and `total` include those below
    penalties: PenaltyParts
    adjustments: tuple[Adjustment, ...] = ()  # of earlier months, and waivers of this one; paid with it

    @property
    def mean_rate(self) -> float | None:
        """Mean micro-coins per kWh of energy traded in the micro-grid; None if there was none."""
        energy = self.account.microgrid_energy
        return abs(self.account.microgrid_amount) * WS_PER_KWH / abs(energy) if energy else None

    @property
    def waived(self) -> int:
        """What was waived of this month's penalties before the bill was out, part of its adjustments."""
        return sum(paid.total for paid in self.adjustments if paid.month == self.month)

    @property
    def earlier(self) -> int:
        """What is paid with this statement for earlier months."""
        return self.account.adjustments - self.waived

    @property
    def national_total(self) -> int:
        """The "KE" line of Fig 5.7: own imports at the tariff less feed-in, and penalties."""
        return self.account.national_grid_amount + self.account.penalty_amount

    @property
    def national_energy(self) -> int:
        """The "KE" energy of Fig 5.7: own imports at the tariff (negative) and what was owed and failed."""
        return self.account.national_grid_energy - self.account.penalty_energy


def make_bill(
    terms: Terms,
    house: str,
    statements: Statements,
    penalties: PenaltyParts,
    minutes: range,
    issued_s: int,
    *,
    kind: BillKind = BillKind.MONTH,
    adjustments: Iterable[Adjustment] = (),
) -> Bill:
    """The house's bill of these minutes of a settled month, with adjustments of earlier ones and its waivers.

    It covers those in which the house is a member: before and after, its meter counts for nobody here.
    """
    carried, member = tuple(adjustments), terms.house(house)
    first = max(minutes.start, member.joined)
    minutes = range(first, max(first, min(minutes.stop, member.left)))
    mine = [
        c
        for c in terms.contracts
        if c.house == house and c.valid_from < minutes.stop and c.valid_to > minutes.start
    ]
    return Bill(
        house=house,
        name=member.name,
        month=statements.month,
        zone=statements.zone,
        kind=kind,
        first_minute=minutes.start,
        end_minute=minutes.stop,
        issued_s=issued_s,
        contract=max(mine, key=lambda c: c.valid_from) if mine else None,
        tariff=terms.tariff_at(max(first, minutes.stop - 1)).national,
        account=with_adjustments(statements.accounts[house], carried),
        penalties=penalties,
        adjustments=carried,
    )


def with_adjustments(account: Account, adjustments: Iterable[Adjustment]) -> Account:
    """The account with what earlier months still owe it, or it owes, added to its total."""
    amount = sum(adjustment.total for adjustment in adjustments)
    return replace(account, adjustments=account.adjustments + amount, total=account.total + amount)


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened to the data of a month whose bills are out.

    `house` is whose data changed (empty: everybody's terms); `reason` is told to that house alone.
    """

    month: str
    house: str
    cause: Cause
    reason: str
    made_s: int


def adjustments_between(
    before: Statements, after: Statements, changes: Iterable[Change], number: int, made_s: int
) -> tuple[Adjustment, ...]:
    """What changed for each account between two runs of a month; they add up to zero.

    An account hears of every kind of cause, but only the reasons of its own changes and of everybody's.
    """
    listed = sorted(changes, key=lambda change: (change.made_s, change.house))
    found = []
    for name, new in after.accounts.items():
        old = before.accounts.get(name) or _nothing_of(new)
        own = [change for change in listed if change.house in ("", name)]
        adjustment = Adjustment(
            account=name,
            month=after.month,
            number=number,
            made_s=made_s,
            causes=tuple(sorted({change.cause for change in listed})),
            own=bool(own),
            reason=_told(own),
            energy=_energy(new) - _energy(old),
            microgrid_amount=new.microgrid_amount - old.microgrid_amount,
            national_grid_amount=new.national_grid_amount - old.national_grid_amount,
            penalty_amount=new.penalty_amount - old.penalty_amount,
        )
        amounts = (
            adjustment.microgrid_amount, adjustment.national_grid_amount, adjustment.penalty_amount,
        )  # fmt: skip
        if adjustment.energy or any(amounts):
            found.append(adjustment)
    return tuple(found)


def _told(changes: Iterable[Change]) -> str:
    """The reasons, each once; of the many that a long silence leaves, the first few."""
    reasons = list(dict.fromkeys(change.reason for change in changes))
    more = len(reasons) - REASONS_TOLD
    if more > 0:
        reasons[REASONS_TOLD:] = [f"And {more} more like these."]
    return " ".join(reasons)


def _energy(account: Account) -> int:
    return account.microgrid_energy + account.national_grid_energy


def _nothing_of(account: Account) -> Account:
    """The account of one that was not yet there."""
    zeros = {name: 0 for name in Account.__struct_fields__ if name != "role"}
    return Account(role=account.role, **zeros)


class Verdict(StrEnum):
    """What a house finds when it checks its bill against its own journal (7.5, step 1)."""

    AGREES = "agrees"
    DIFFERS = "differs"
    UNCHECKED = "unchecked"  # the house's own journal does not cover the month


class BillCheck(msgspec.Struct, frozen=True, kw_only=True):
    """The house's own finding. Energies in Ws, net, positive into the micro-grid.

    By its own registers the month's energy lies between `own_least` and `own_most`: they are equal
    unless the house heard nothing where the month begins or ends.
    """

    verdict: Verdict
    billed_energy: int
    own_least: int | None
    own_most: int | None
    sums_right: bool  # the lines add up to the total


def own_energy(rows: Sequence[MeterMinute], minutes: range) -> tuple[int, int] | None:
    """Least and most net energy of these minutes by a house's own rows, in order; None if they cannot tell.

    Differences of registers count within one epoch only. What fell into a gap across the beginning or
    the end may lie inside or outside.
    """
    if not rows or rows[-1].minute < minutes.stop - 1:
        return None
    least = most = 0
    for before, after in pairwise(rows):
        first, last = before.minute + 1, after.minute
        if before.epoch != after.epoch or last < minutes.start or first >= minutes.stop:
            continue
        exported, imported = after.export_ws - before.export_ws, after.import_ws - before.import_ws
        inside = first >= minutes.start and last < minutes.stop
        least += exported - imported if inside else -imported
        most += exported - imported if inside else exported
    return least, most


def check_bill(bill: Bill, own: tuple[int, int] | None, reaches_back: bool = True) -> BillCheck:
    """Compare a bill with what the house's own registers say of its minutes (see `own_energy`).

    Both sides read the same registers, so the energy must agree to the watt-second. A journal that does
    not reach back before the bill's first minute (a new disk) may lack what the central has.
    """
    account = bill.account
    parts = account.microgrid_amount + account.national_grid_amount + account.penalty_amount
    carried = sum(adjustment.total for adjustment in bill.adjustments)
    penalties = bill.penalties.deficit_amount + bill.penalties.minimum_amount
    sums_right = (account.total, account.adjustments, account.penalty_amount) == (
        parts + carried,
        carried,
        penalties,
    )
    billed = _energy(account)
    least, most = own if own is not None else (None, None)
    if not sums_right:
        verdict = Verdict.DIFFERS
    elif least is not None and most is not None and least <= billed <= most:
        verdict = Verdict.AGREES
    else:
        verdict = Verdict.UNCHECKED if own is None or not reaches_back else Verdict.DIFFERS
    return BillCheck(
        verdict=verdict, billed_energy=billed, own_least=least, own_most=most, sums_right=sums_right
    )
