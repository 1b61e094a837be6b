"""What the central's screens are shown: frozen pictures of the live state, made by the network thread."""

from dataclasses import dataclass, field
from enum import StrEnum

from microgrid.directives import StrategyName
from microgrid.minute import Fate, Hold
from microgrid.sample import Quality, Sample
from microgrid.terms import Contract


class LinkState(StrEnum):
    """The network between the central and one house; says nothing about its breaker."""

    NEVER = "never linked"
    LINKED = "linked"
    LOST = "link lost"


@dataclass(frozen=True, slots=True)
class OrderView:
    """The order a seller stands under now. `answer` is what its house said of it, in words, if it did."""

    target_w: int
    raise_standing: bool
    hold: Hold
    acknowledged: bool
    fate: Fate = Fate.NONE
    command_id: int = 0
    given_s: int = 0  # Unix time at which this target was first sent
    answer: str = ""
    unable_since_s: int | None = None  # it does not follow, and others are asked in its place; None: it does


@dataclass(frozen=True, slots=True)
class ByHand:
    """What the operator has ordered of one seller: held at a power, or out of service until a minute."""

    held_w: int | None
    out_until_minute: int | None
    author: str
    note: str


@dataclass(frozen=True, slots=True)
class LiveSplit:
    """One house's power of the last poll, divided by the settlement's own rule (Fig 8.4). W, signed.

    `microgrid_w` is traded at the rate, `national_w` at the national grid's prices, `default_w` what a
    seller under contract fails to deliver, positive.
    """

    microgrid_w: int
    national_w: int
    default_w: int


@dataclass(frozen=True, slots=True)
class MonthView:
    """One house's month so far, settled from what is recorded; energies in Ws, amounts in micro-coins."""

    microgrid_energy: int
    national_energy: int
    microgrid_amount: int
    national_amount: int
    penalty_amount: int


@dataclass(frozen=True, slots=True)
class HouseView:
    """One house as the operator sees it. `sample` is the last one heard, never shown as live when old."""

    house: str
    name: str
    contract: Contract | None
    link: LinkState
    sample: Sample | None
    quality: Quality
    age_s: float | None  # age of the sample; None: never heard
    exchanged_ws: int  # net energy exchanged since the month began, signed
    minutes_waiting: bool  # the house says it still has minutes to deliver
    order: OrderView | None
    round_trip_ms: float | None
    last_minute: int | None  # last minute the central has recorded of this house
    allotment_w: int | None = None  # a consumer's share of what sellers can give now; None: no consumer
    split: LiveSplit | None = None  # None: not heard now
    month: MonthView | None = None  # None: nothing settled yet
    by_hand: ByHand | None = None  # what the operator has ordered of this seller


@dataclass(frozen=True, slots=True)
class PoolView:
    """The pool as of the last poll (5.6, 5.7). Powers in watts, prices in micro-coins per kWh."""

    produced_w: int  # P_curr
    consumed_w: int  # Q_curr
    available_w: int  # P_max
    pool_w: int  # P_max - Q_curr
    national_w: int  # Q_curr - P_curr: positive is import from the national grid
    rate: int | None  # SR_curr as billed under the cap; None: nothing is exported, the tariff is billed
    tariff: int
    is_day: bool


@dataclass(frozen=True, slots=True)
class SharingView:
    """How load is shared now (ch. 6), and what that has saved today against sharing off."""

    strategy: StrategyName
    author: str  # who chose it, and why; empty: nobody has changed it
    note: str
    turns_minute: int  # when day turns into night, or night into day
    saved: int | None = None  # micro-coins since `saved_from_minute`, an estimate; None: not known yet
    saved_from_minute: int = 0


@dataclass(frozen=True, slots=True)
class Notice:
    """A line for the operator, newest last: time in Unix seconds and what happened."""

    time_s: float
    text: str


@dataclass(frozen=True, slots=True)
class RoundView:
    """The contracts of a month, while they are being asked for and once they are final (5.3-5.6)."""

    month: str
    closes_s: int
    agreed: tuple[str, ...]
    waiting: tuple[str, ...]
    refused: dict[str, str]  # houses whose last answer was refused, and why
    final: bool  # exchange is permitted


@dataclass(frozen=True, slots=True)
class Stranger:
    """A house that knocked and is not known: the operator may add it."""

    house: str
    heard_s: float


@dataclass(frozen=True, slots=True)
class Work:
    """Long work that is under way."""

    text: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class CentralSnapshot:
    """The whole micro-grid at one moment."""

    now_s: float
    zone: str
    houses: tuple[HouseView, ...]
    pool: PoolView
    tie_closed: bool
    notices: tuple[Notice, ...] = field(default=())
    recorder_fault: str | None = None  # why minutes are not being stored, in words; None: they are
    round: RoundView | None = None  # the newest round of contracts
    strangers: tuple[Stranger, ...] = ()
    work: Work | None = None
    sharing: SharingView | None = None
    papers: int = 0  # bills and adjustments issued since the program's start: with more of them books change
