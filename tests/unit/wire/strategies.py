"""Examples and random values for the tests of both wires."""

from hypothesis import strategies as st

from microgrid.agreements import Basis
from microgrid.bill import Adjustment, Bill, BillCheck, BillKind, Cause, Verdict
from microgrid.contracting import Wish
from microgrid.minute import Hold, MeterMinute, Origin
from microgrid.registers import Registers
from microgrid.sample import CommandState, MeterFlag, Sample
from microgrid.statement import Account, PenaltyParts
from microgrid.swap import MeterSwap
from microgrid.terms import MAX_CONNECTION_W, MAX_PRICE, Contract, Obligation, Role, Source
from microgrid.wire import limits as lim
from microgrid.wire.messages import (
    MAX_BATCH_MINUTES,
    AckState,
    ContractAnswer,
    ContractCall,
    Deliver,
    Delivered,
    ErrorMessage,
    Fetch,
    FetchPost,
    Hello,
    MinuteBatch,
    MinutesAcknowledged,
    MonthSoFar,
    Poll,
    Post,
    PostTaken,
    Refused,
    Reply,
    Target,
    TargetAck,
    Welcome,
)

SAMPLE = Sample(
    boot_id=7,
    uptime_ms=61_000,
    sequence=60,
    voltage_v=(230.12, 229.9, 231.0),
    current_a=(4.347, 0.0, 12.5),
    power_factor=(0.95, 1.0, 0.8),
    leading=(False, False, True),
    exporting=(False, False, True),
    frequency_hz=49.987,
    generator_p_w=3500,
    generator_q_var=-120,
    generator_s_va=3502,
    exchange_p_w=-1250,
    exchange_q_var=310,
    import_counter_ws=72_000,
    export_counter_ws=0,
    generation_counter_ws=210_000,
    generator_breaker_closed=True,
    grid_breaker_closed=True,
    flags=MeterFlag.CURRENT_SATURATED | MeterFlag.REVERSE_FLOW,
    command_id=12,
    command_state=CommandState.DONE,
    firmware="1.0.3",
)

MINUTE = MeterMinute(
    house="B",
    minute=29_000_000,
    epoch=1,
    import_ws=10,
    export_ws=2**40,
    generation_ws=2**41,
    closed_s=60,
    covered_s=60,
    max_w=2500,
    min_w=-40,
    voltage_mv=230_000,
    current_ma=4_000,
    power_factor_milli=980,
    frequency_mhz=50_000,
    suspect=0,
)

HELLO = Hello(house="B", protocol_min=1, protocol_max=1, software="1.0")
WELCOME = Welcome(
    protocol=1, name="Bilal's", zone="Asia/Karachi", central_time_ms=1_700_000_000_000, connection_w=6000
)


def poll(request_id: int) -> Poll:
    return Poll(
        request_id=request_id, central_time_ms=1_700_000_000_000, rate=8_000_000, tariff=17_600_000, pool_w=-9
    )


def reply(request_id: int, sample: Sample | None = SAMPLE) -> Reply:
    return Reply(house="B", request_id=request_id, sample=sample, sample_age_ms=300, outbox=False)


def target(request_id: int, command_id: int = 5) -> Target:
    return Target(
        request_id=request_id,
        command_id=command_id,
        target_w=2000,
        hold=Hold.SHARING,
        reason="load sharing",
        expires_s=1_700_000_060,
    )


def target_ack(request_id: int, command_id: int = 5) -> TargetAck:
    return TargetAck(
        house="B",
        request_id=request_id,
        command_id=command_id,
        state=AckState.ACCEPTED,
        acknowledged_s=1_700_000_003,
    )


u32 = st.integers(0, lim.MAX_U32) | st.sampled_from([0, 1, lim.MAX_U32])
request_ids = st.integers(1, lim.MAX_U32)
power = st.integers(-lim.MAX_POWER_W, lim.MAX_POWER_W)
firmware = st.from_regex(r"[A-Za-z0-9._-]{1,16}", fullmatch=True)
house_ids = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}", fullmatch=True)
printable = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=64)
codes = st.from_regex("[a-z_]{1,40}", fullmatch=True)


def _floats(high: float) -> st.SearchStrategy[float]:
    return st.floats(0, high)


def _three(values: st.SearchStrategy) -> st.SearchStrategy:
    return st.tuples(values, values, values)


samples = st.builds(
    Sample,
    boot_id=u32,
    uptime_ms=st.integers(0, lim.MAX_S64),
    sequence=u32,
    voltage_v=_three(_floats(lim.MAX_VOLTAGE_V)),
    current_a=_three(_floats(lim.MAX_CURRENT_A)),
    power_factor=_three(_floats(1)),
    leading=_three(st.booleans()),
    exporting=_three(st.booleans()),
    frequency_hz=_floats(lim.MAX_FREQUENCY_HZ),
    generator_p_w=power,
    generator_q_var=power,
    generator_s_va=st.integers(0, lim.MAX_POWER_W),
    exchange_p_w=power,
    exchange_q_var=power,
    import_counter_ws=u32,
    export_counter_ws=u32,
    generation_counter_ws=u32,
    generator_breaker_closed=st.booleans(),
    grid_breaker_closed=st.booleans(),
    flags=st.integers(0, lim.ALL_FLAGS).map(MeterFlag),
    command_id=u32,
    command_state=st.sampled_from(CommandState),
    firmware=firmware,
)

u63 = st.integers(0, lim.MAX_S64)
minute_indices = st.integers(0, lim.MAX_MINUTE)
minutes = st.builds(
    MeterMinute,
    house=st.just("B"),
    minute=minute_indices,
    epoch=u63,
    import_ws=u63,
    export_ws=u63,
    generation_ws=u63,
    closed_s=st.integers(0, 60),
    covered_s=st.integers(0, 60),
    max_w=power,
    min_w=power,
    voltage_mv=st.integers(0, 1_000_000),
    current_ma=st.integers(0, 2_000_000),
    power_factor_milli=st.integers(0, 1000),
    frequency_mhz=st.integers(0, 100_000),
    suspect=st.integers(0, 65_535),
    origin=st.sampled_from(Origin),
    revision=st.integers(0, 2**31 - 1),
)
times_ms = st.integers(0, lim.MAX_TIME_S * 1000)
times_s = st.integers(0, lim.MAX_TIME_S)
versions = st.integers(1, 65_535)
prices = st.integers(0, MAX_PRICE)
months = st.dates().map(lambda day: f"{day:%Y-%m}" if day.year > 999 else "2026-11")
s64 = st.integers(-lim.MAX_S64, lim.MAX_S64)
wishes = st.builds(
    Wish,
    role=st.sampled_from(Role),
    max_w=power,
    min_w=power,
    price=prices,
    source=st.none() | st.sampled_from(Source),
    obligation=st.sampled_from(Obligation),
)
contracts = st.builds(
    Contract,
    house=st.just("B"),
    role=st.sampled_from(Role),
    valid_from=minute_indices,
    valid_to=minute_indices,
    max_w=power,
    min_w=power,
    price=prices,
    source=st.none() | st.sampled_from(Source),
    obligation=st.sampled_from(Obligation),
)
registers = st.builds(Registers, epoch=u63, import_ws=u63, export_ws=u63, generation_ws=u63)
swaps = st.builds(
    MeterSwap,
    house=st.just("B"),
    at_s=times_s,
    old=registers,
    new=registers,
    old_meter=printable,
    new_meter=printable,
    installer=printable,
    reason=printable,
)
penalties = st.builds(
    PenaltyParts, deficit_energy=u63, deficit_amount=s64, minimum_energy=u63, minimum_amount=s64
)
accounts = st.builds(
    Account,
    role=st.sampled_from(["producer", "consumer", "none"]),
    **{
        name: s64
        for name in Account.__struct_fields__
        if name not in ("role", "max_power_kw", "min_power_kw")
    },
    max_power_kw=_floats(1000),
    min_power_kw=_floats(1000),
)
adjustments = st.builds(
    Adjustment,
    account=st.just("B"),
    month=months,
    number=st.integers(2, 99),
    made_s=times_s,
    causes=st.lists(st.sampled_from(Cause), max_size=3).map(tuple),
    own=st.booleans(),
    reason=printable,
    energy=s64,
    microgrid_amount=s64,
    national_grid_amount=s64,
    penalty_amount=s64,
)
bills = st.builds(
    Bill,
    house=st.just("B"),
    name=printable,
    month=months,
    zone=st.just("Asia/Kathmandu"),
    kind=st.sampled_from(BillKind),
    first_minute=minute_indices,
    end_minute=minute_indices,
    issued_s=times_s,
    contract=st.none() | contracts,
    tariff=prices,
    account=accounts,
    penalties=penalties,
    adjustments=st.lists(adjustments, max_size=2).map(tuple),
)
checks = st.builds(
    BillCheck,
    verdict=st.sampled_from(Verdict),
    billed_energy=s64,
    own_least=st.none() | s64,
    own_most=st.none() | s64,
    sums_right=st.booleans(),
)

house_messages = st.one_of(
    st.builds(
        Hello,
        house=house_ids,
        protocol_min=versions,
        protocol_max=versions,
        software=printable,
        boot_id=st.none() | u32,
        meter_firmware=st.none() | firmware,
        oldest_unacknowledged=st.none() | minute_indices,
    ),
    st.builds(Reply, house=house_ids, request_id=request_ids, sample=st.none() | samples, sample_age_ms=u32),
    st.builds(
        MinuteBatch,
        house=house_ids,
        request_id=request_ids,
        minutes=st.lists(minutes, max_size=4).map(tuple),
    ),
    st.builds(
        TargetAck,
        house=house_ids,
        request_id=request_ids,
        command_id=request_ids,
        state=st.sampled_from(AckState),
        reason=printable,
        acknowledged_s=st.none() | times_s,
    ),
    st.builds(
        Post,
        house=house_ids,
        request_id=request_ids,
        answer=st.none() | st.builds(ContractAnswer, month=months, first_minute=minute_indices, wish=wishes),
        swap=st.none() | swaps,
    ),
    st.builds(Delivered, house=house_ids, request_id=request_ids, check=st.none() | checks),
    st.builds(ErrorMessage, house=house_ids, request_id=u32, code=codes, text=printable),
)
central_messages = st.one_of(
    st.builds(
        Welcome,
        protocol=versions,
        name=printable,
        zone=st.just("Asia/Karachi"),
        central_time_ms=times_ms,
        connection_w=st.integers(1, MAX_CONNECTION_W),
        last_minute=st.none() | minutes,
    ),
    st.builds(Refused, code=codes, text=printable),
    st.builds(
        Poll,
        request_id=request_ids,
        central_time_ms=times_ms,
        rate=st.none() | prices,
        tariff=prices,
        pool_w=st.integers(-lim.MAX_POOL_W, lim.MAX_POOL_W),
        allotment_w=st.none() | st.integers(0, MAX_CONNECTION_W),
    ),
    st.builds(
        Fetch,
        request_id=request_ids,
        first_minute=minute_indices,
        limit=st.integers(1, MAX_BATCH_MINUTES),
    ),
    st.builds(
        MinutesAcknowledged,
        request_id=request_ids,
        committed=st.lists(st.tuples(minute_indices, st.integers(0, 9)), max_size=5).map(tuple),
    ),
    st.builds(
        Target,
        request_id=request_ids,
        command_id=request_ids,
        target_w=st.none() | st.integers(0, MAX_CONNECTION_W),
        hold=st.sampled_from(Hold),
        reason=printable,
        expires_s=times_s,
    ),
    st.builds(
        ContractCall,
        month=months,
        first_minute=minute_indices,
        end_minute=minute_indices,
        closes_s=times_s,
        tariff=prices,
        connection_w=st.integers(1, MAX_CONNECTION_W),
        last=st.none() | contracts,
        last_max_w=st.none() | power,
        refusal=st.dictionaries(st.sampled_from(["", "max_w", "price"]), printable, max_size=3),
        basis=st.none() | st.sampled_from(Basis),
        agreed=st.none() | contracts,
        permitted=st.booleans(),
    ),
    st.builds(FetchPost, request_id=request_ids),
    st.builds(PostTaken, request_id=request_ids),
    st.builds(Deliver, request_id=request_ids, bill=st.none() | bills, adjustment=st.none() | adjustments),
    st.builds(
        MonthSoFar,
        month=months,
        through=minute_indices,
        contract=st.none() | contracts,
        microgrid_energy=s64,
        national_energy=s64,
        microgrid_amount=s64,
        national_amount=s64,
        penalties=penalties,
        adjustments=s64,
    ),
)
messages = house_messages | central_messages


@st.composite
def mutated(draw: st.DrawFn, data: bytes) -> bytes:
    """The bytes with a few flipped, inserted, deleted or doubled."""
    changed = bytearray(data)
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(changed)))
        match draw(st.sampled_from(["flip", "insert", "delete", "double"])):
            case "flip" if at < len(changed):
                changed[at] ^= draw(st.integers(1, 255))
            case "insert":
                changed[at:at] = draw(st.binary(min_size=1, max_size=8))
            case "delete":
                del changed[at : at + draw(st.integers(1, 8))]
            case "double":
                changed[at:at] = changed[max(at - 16, 0) : at]
    return bytes(changed)


@st.composite
def pieces(draw: st.DrawFn, data: bytes) -> list[bytes]:
    """The same bytes cut anywhere."""
    cuts = sorted(draw(st.lists(st.integers(0, len(data)), max_size=8)))
    return [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]
