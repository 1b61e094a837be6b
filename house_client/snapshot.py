"""What the kiosk's screens are shown: a frozen picture of the house's own state."""

from dataclasses import dataclass
from enum import StrEnum

from microgrid.bill import Adjustment, Bill, BillCheck
from microgrid.registers import Registers
from microgrid.sample import CommandState, Quality, Sample
from microgrid.wire.messages import ContractCall, MonthSoFar


class MeterState(StrEnum):
    """Whether the meter is heard."""

    NO_PORT = "no meter chosen"
    MISSING = "meter not reached"
    SILENT = "meter silent"
    HEARD = "meter heard"


class CentralState(StrEnum):
    """The link to the central."""

    NO_ADDRESS = "no central chosen"
    CONNECTING = "connecting"
    LINKED = "linked"
    REFUSED = "refused by the central"


@dataclass(frozen=True, slots=True)
class ReceivedBill:
    """A bill as it came, what the house found when it checked it, and what was adjusted since."""

    bill: Bill
    check: BillCheck
    adjustments: tuple[Adjustment, ...] = ()


@dataclass(frozen=True, slots=True)
class SwapProgress:
    """An exchange of the meter that is under way; `new` None: no new meter is heard yet."""

    began_s: int  # Unix time
    installer: str
    reason: str
    old: Registers  # as of the last packet of the old meter
    old_meter: str
    new: Registers | None = None  # as of the first packet of the new one
    new_meter: str = ""
    like_old: bool = False  # the new counters carry on from the old: it may be the old meter, started again


@dataclass(frozen=True, slots=True)
class HouseSnapshot:
    """The house at one moment. Prices in micro-coins per kWh, energies in Ws, powers in W, signed."""

    now_s: float
    zone: str
    house: str
    name: str
    meter: MeterState
    meter_detail: str  # a sentence for a person when the meter is not heard, else empty
    central: CentralState
    central_detail: str  # a sentence for a person when not linked, else empty
    sample: Sample | None
    quality: Quality
    age_s: float | None
    import_ws: int  # 64-bit registers carried on from the meter's counters
    export_ws: int
    generation_ws: int
    rate: int | None  # the rate now, from the last poll; None: unknown
    tariff: int | None
    pool_w: int | None
    minutes_waiting: int  # journalled minutes the central has not acknowledged yet
    target_w: int | None  # what the central asks this house to export; None: nothing asked
    target_reason: str = ""  # why
    goal_w: int | None = None  # what it steers to: target, own limit or safe output; None: nothing
    safe: bool = False  # it holds its safe output: no target stands any more
    last_pulse: CommandState | None = None  # what the meter said of it (NONE: nothing); None: not looked at
    connection_w: int | None = None  # what its connection carries; None: the central has not told yet
    allotment_w: int | None = None  # the house's share of what sellers can give now; None: unknown
    month: MonthSoFar | None = None  # None: the central has not told yet
    call: ContractCall | None = None  # the newest call for a contract, and how it stands
    answer_waiting: bool = False  # the household's answer has not reached the central yet
    bill: ReceivedBill | None = None  # the newest one
    swap: SwapProgress | None = None  # the exchange of the meter that is under way
    journal_fault: str = ""  # why minutes are not being kept, in words; empty: they are
