"""Twins of what travels and carries no limits of its own: the same fields, each held to its limits.

Bodies are decoded into them and then converted, so that nothing out of its limits ever becomes a
Sample, a MeterMinute, a Bill or any other record of the program.
"""

from typing import Annotated

from msgspec import Meta, Struct

from microgrid.agreements import Basis
from microgrid.bill import BillKind, Cause, Verdict
from microgrid.minute import Origin
from microgrid.months import zone_of
from microgrid.sample import CommandState
from microgrid.terms import Obligation, Role, Source
from microgrid.wire import limits as lim
from microgrid.wire.messages import MAX_BATCH_MINUTES, ProtocolVersion

_MAX_WISH_FIELDS = 16


class SampleBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of a Sample."""

    boot_id: lim.U32
    uptime_ms: lim.U63
    sequence: lim.U32
    voltage_v: tuple[lim.Voltage, lim.Voltage, lim.Voltage]
    current_a: tuple[lim.Current, lim.Current, lim.Current]
    power_factor: tuple[lim.PowerFactor, lim.PowerFactor, lim.PowerFactor]
    leading: tuple[bool, bool, bool]
    exporting: tuple[bool, bool, bool]
    frequency_hz: lim.Frequency
    generator_p_w: lim.Power
    generator_q_var: lim.Power
    generator_s_va: Annotated[int, Meta(ge=0, le=lim.MAX_POWER_W)]
    exchange_p_w: lim.Power
    exchange_q_var: lim.Power
    import_counter_ws: lim.U32
    export_counter_ws: lim.U32
    generation_counter_ws: lim.U32
    generator_breaker_closed: bool
    grid_breaker_closed: bool
    # Checked as a number first: MeterFlag would remember every unknown value it is shown, for ever.
    flags: Annotated[int, Meta(ge=0, le=lim.ALL_FLAGS)]
    command_id: lim.U32
    command_state: CommandState
    firmware: lim.Firmware


class MinuteBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of a MeterMinute."""

    house: lim.HouseId
    minute: lim.Minute
    epoch: lim.U63
    import_ws: lim.U63
    export_ws: lim.U63
    generation_ws: lim.U63
    closed_s: lim.SecondsOfMinute
    covered_s: lim.SecondsOfMinute
    max_w: lim.Power
    min_w: lim.Power
    voltage_mv: Annotated[int, Meta(ge=0, le=round(lim.MAX_VOLTAGE_V * 1000))]
    current_ma: Annotated[int, Meta(ge=0, le=round(lim.MAX_CURRENT_A * 1000))]
    power_factor_milli: Annotated[int, Meta(ge=0, le=1000)]
    frequency_mhz: Annotated[int, Meta(ge=0, le=round(lim.MAX_FREQUENCY_HZ * 1000))]
    suspect: Annotated[int, Meta(ge=0, le=65_535)]
    origin: Origin
    revision: lim.Revision


class ReplyBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="reply"):
    """Of Reply."""

    house: lim.HouseId
    request_id: lim.PositiveU32
    sample: SampleBody | None
    sample_age_ms: lim.U32
    outbox: bool
    post: bool = False


class BatchBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="minutes"):
    """Of MinuteBatch."""

    house: lim.HouseId
    request_id: lim.PositiveU32
    minutes: Annotated[tuple[MinuteBody, ...], Meta(max_length=MAX_BATCH_MINUTES)]
    more: bool


class WelcomeBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="welcome"):
    """Of Welcome."""

    protocol: ProtocolVersion
    name: lim.Name
    zone: lim.Zone
    central_time_ms: lim.TimeMs
    connection_w: lim.ConnectionW
    last_minute: MinuteBody | None = None

    def __post_init__(self) -> None:
        zone_of(self.zone)


class WishBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of a Wish."""

    role: Role
    max_w: lim.Power
    min_w: lim.Power = 0
    price: lim.WishPrice = 0
    source: Source | None = None
    obligation: Obligation = Obligation.ALWAYS


class AnswerBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of ContractAnswer."""

    month: lim.Month
    first_minute: lim.Minute
    wish: WishBody


class RegistersBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of Registers."""

    epoch: lim.U63
    import_ws: lim.U63
    export_ws: lim.U63
    generation_ws: lim.U63


class SwapBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of a MeterSwap."""

    house: lim.HouseId
    at_s: lim.TimeS
    old: RegistersBody
    new: RegistersBody
    old_meter: lim.Name
    new_meter: lim.Name
    installer: lim.Reason
    reason: lim.Reason


class PostBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="post"):
    """Of Post."""

    house: lim.HouseId
    request_id: lim.PositiveU32
    answer: AnswerBody | None = None
    swap: SwapBody | None = None


class CheckBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of a BillCheck."""

    verdict: Verdict
    billed_energy: lim.S64
    own_least: lim.S64 | None
    own_most: lim.S64 | None
    sums_right: bool


class DeliveredBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="delivered"):
    """Of Delivered."""

    house: lim.HouseId
    request_id: lim.PositiveU32
    check: CheckBody | None = None


class ContractBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of a Contract. What a consumer leaves unused was the household's to fill, so it has a wish's limits."""

    house: lim.HouseId
    role: Role
    valid_from: lim.Minute
    valid_to: lim.EndMinute
    max_w: lim.Power
    min_w: lim.Power = 0
    price: lim.WishPrice = 0
    source: Source | None = None
    obligation: Obligation = Obligation.ALWAYS


class CallBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="contract_call"):
    """Of ContractCall."""

    month: lim.Month
    first_minute: lim.Minute
    end_minute: lim.Minute
    closes_s: lim.TimeS
    tariff: lim.Price
    connection_w: lim.ConnectionW
    last: ContractBody | None = None
    last_max_w: lim.Power | None = None
    refusal: Annotated[dict[lim.WishField, lim.Text], Meta(max_length=_MAX_WISH_FIELDS)] = {}
    basis: Basis | None = None
    agreed: ContractBody | None = None
    permitted: bool = False

    def __post_init__(self) -> None:
        _check_span(self.first_minute, self.end_minute)
        if self.first_minute == self.end_minute:
            raise ValueError("`end_minute` is `first_minute`: nothing can be agreed for no minute")


class PenaltyBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of PenaltyParts."""

    deficit_energy: lim.S64 = 0
    deficit_amount: lim.S64 = 0
    minimum_energy: lim.S64 = 0
    minimum_amount: lim.S64 = 0


class AccountBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of an Account."""

    role: lim.Name
    microgrid_energy: lim.S64
    national_grid_energy: lim.S64
    microgrid_amount: lim.S64
    national_grid_amount: lim.S64
    penalty_energy: lim.S64
    penalty_amount: lim.S64
    adjustments: lim.S64
    total: lim.S64
    max_power_kw: lim.PowerKw
    min_power_kw: lim.PowerKw
    estimated_energy: lim.S64
    estimated_minutes: lim.Minute


class AdjustmentBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of an Adjustment."""

    account: lim.HouseId
    month: lim.Month
    number: lim.U32
    made_s: lim.TimeS
    causes: Annotated[tuple[Cause, ...], Meta(max_length=len(Cause))]
    own: bool
    reason: lim.Told
    energy: lim.S64
    microgrid_amount: lim.S64
    national_grid_amount: lim.S64
    penalty_amount: lim.S64
    waiver: lim.U32 = 0


class BillBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of a Bill. Its span is limited, for the house reads the journal of it all to check the bill."""

    house: lim.HouseId
    name: lim.Name
    month: lim.Month
    zone: lim.Zone
    kind: BillKind
    first_minute: lim.Minute
    end_minute: lim.Minute
    issued_s: lim.TimeS
    contract: ContractBody | None
    tariff: lim.Price
    account: AccountBody
    penalties: PenaltyBody
    adjustments: Annotated[tuple[AdjustmentBody, ...], Meta(max_length=lim.MAX_BILLED_ADJUSTMENTS)] = ()

    def __post_init__(self) -> None:
        zone_of(self.zone)
        _check_span(self.first_minute, self.end_minute)


class DeliverBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="deliver"):
    """Of Deliver."""

    request_id: lim.PositiveU32
    bill: BillBody | None = None
    adjustment: AdjustmentBody | None = None

    def __post_init__(self) -> None:
        if (self.bill is None) == (self.adjustment is None):
            raise ValueError("it holds either a `bill` or an `adjustment`")


class MonthSoFarBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="month_so_far"):
    """Of MonthSoFar."""

    month: lim.Month
    through: lim.Minute
    contract: ContractBody | None
    microgrid_energy: lim.S64
    national_energy: lim.S64
    microgrid_amount: lim.S64
    national_amount: lim.S64
    penalties: PenaltyBody
    adjustments: lim.S64
    waived: lim.S64 = 0


def _check_span(first_minute: int, end_minute: int) -> None:
    if not 0 <= end_minute - first_minute <= lim.MAX_MONTH_MINUTES:
        raise ValueError(
            f"`end_minute` is {end_minute - first_minute} minutes after `first_minute`; a month has up to"
            f" {lim.MAX_MONTH_MINUTES}"
        )
