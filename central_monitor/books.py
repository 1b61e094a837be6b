"""What the windows of bills, contracts and tariffs are shown: frozen answers to the operator's questions.

From any amount one click leads to its days, from a day to its minutes, from a minute to the readings,
rate and rule behind it. Energies are Ws, positive into the micro-grid; amounts micro-coins, positive
where the account receives.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from microgrid.bill import Adjustment, Bill, BillCheck
from microgrid.contracting import ContractPolicy, ContractRound
from microgrid.minute import MeterMinute, OrderMinute
from microgrid.statement import Account, PenaltyParts
from microgrid.terms import Contract, House, Tariff
from microgrid.waiver import Waiver

Int = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class MonthEntry:
    """A month in the list: billed, or still open."""

    month: str
    issued_s: int | None  # None: its bills are not out yet
    runs: int  # how often it was settled; more than 1: it was adjusted


@dataclass(frozen=True, slots=True)
class AccountLine:
    """One account of a month: a house, the national grid, the reserve or the losses."""

    account: str
    name: str  # the house's own; empty for common accounts
    statement: Account  # as issued; its adjustments are of earlier months, and waivers of this one
    waived: int  # of that, what was waived of this month's own penalties; the reserve pays it
    adjusted: int  # what was added after the bills were out, paid with a later statement
    waivable: int  # how much more of its penalties the operator may waive
    bill: Bill | None  # None for common accounts, and for a month that is not billed yet
    check: BillCheck | None  # the house's own finding; None: it has not told

    @property
    def earlier(self) -> int:
        """What is paid with this month's statement for earlier months."""
        return self.statement.adjustments - self.waived


@dataclass(frozen=True, slots=True)
class MonthBook:
    """Bills & Payments of one month. `total` is the sum of all accounts' totals: zero."""

    month: str
    zone: str
    first_minute: int
    end_minute: int  # of what is settled: earlier than the month's end while it runs
    issued_s: int | None
    lines: tuple[AccountLine, ...]
    total: int
    adjustments: tuple[Adjustment, ...]  # made after the bills were out
    waivers: tuple[Waiver, ...]  # of this month's penalties, in the order entered


@dataclass(frozen=True, slots=True)
class DayLine:
    """One local day of an account."""

    first_minute: int
    end_minute: int
    microgrid_energy: int
    national_grid_energy: int
    microgrid_amount: int
    national_grid_amount: int
    penalty_energy: int
    penalty_amount: int
    estimated_minutes: int

    @property
    def total(self) -> int:
        """What the day came to."""
        return self.microgrid_amount + self.national_grid_amount + self.penalty_amount


@dataclass(frozen=True, slots=True)
class MinuteTable:
    """The minutes of a day of one account; row i is minute `first_minute` + i."""

    first_minute: int
    end_minute: int
    microgrid_energy: Int
    national_grid_energy: Int
    microgrid_amount: Int
    national_grid_amount: Int
    penalty_energy: Int
    penalty_amount: Int
    estimated: NDArray[np.bool_]
    rate: Int  # billed micro-coins per kWh of local energy; -1: nothing was exported, the tariff was billed


@dataclass(frozen=True, slots=True)
class MinuteProof:
    """What one minute of one house rests on: the three facts, and what the rule made of them."""

    house: House
    minute: int
    before: MeterMinute | None  # the last row before the minute
    row: MeterMinute | None  # the minute's own; None: it is missing
    after: MeterMinute | None  # for a missing minute: the next row there is
    revisions: tuple[MeterMinute, ...]  # what the row was before it was corrected
    corrected_by: str  # author and reason of a correction; empty without one
    order: OrderMinute | None
    contract: Contract | None
    tariff: Tariff
    net_energy: int
    estimated: bool
    rate: int | None  # billed, micro-coins per kWh; None: nothing was exported
    allotment: int | None  # Ws in this minute; None: not a consumer
    produced: int  # Ws all houses exported in the minute, and took
    consumed: int
    microgrid_energy: int
    national_grid_energy: int
    microgrid_amount: int
    national_grid_amount: int
    penalties: PenaltyParts


@dataclass(frozen=True, slots=True)
class Agreements:
    """The rounds of contracts, newest first, and the policy."""

    policy: ContractPolicy
    rounds: tuple[ContractRound, ...]
