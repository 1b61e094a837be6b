"""Random values for the tests of both wires."""

from datetime import date
from typing import Any

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

u32 = st.integers(0, lim.MAX_U32) | st.sampled_from([0, 1, lim.MAX_U32])
request_ids = st.integers(1, lim.MAX_U32)
power = st.integers(-lim.MAX_POWER_W, lim.MAX_POWER_W)
firmware = st.from_regex(r"[A-Za-z0-9._-]{1,16}", fullmatch=True)
house_ids = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}", fullmatch=True)
printable = st.text(
    st.characters(
        exclude_categories=["Cc", "Cs", "Zl", "Zp"],
        exclude_characters="\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069",
    ),
    max_size=64,
)
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
months = st.dates(date(1970, 1, 1)).map(lambda day: f"{day:%Y-%m}")
# First minute and end of something that lies within a month.
spans = st.tuples(
    st.integers(0, lim.MAX_MINUTE - lim.MAX_MONTH_MINUTES), st.integers(1, lim.MAX_MONTH_MINUTES)
).map(lambda drawn: (drawn[0], drawn[0] + drawn[1]))
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
contracts_or_none = st.none() | contracts
penalties = st.builds(
    PenaltyParts, deficit_energy=u63, deficit_amount=s64, minimum_energy=u63, minimum_amount=s64
)
accounts = st.builds(
    Account,
    role=st.sampled_from(["producer", "consumer", "none"]),
    **{
        name: s64
        for name in Account.__struct_fields__
        if name not in ("role", "max_power_kw", "min_power_kw", "estimated_minutes")
    },
    estimated_minutes=st.integers(0, lim.MAX_MONTH_MINUTES),
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
    waiver=u32,
)


def _spanned(record: type[Any], **fields: st.SearchStrategy) -> st.SearchStrategy:
    """Builds of what lies within a month, from `first_minute` to `end_minute`."""
    return st.builds(
        lambda span, **rest: record(first_minute=span[0], end_minute=span[1], **rest), spans, **fields
    )


bills = _spanned(
    Bill,
    house=st.just("B"),
    name=printable,
    month=months,
    zone=st.just("Asia/Kathmandu"),
    kind=st.sampled_from(BillKind),
    issued_s=times_s,
    contract=contracts_or_none,
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
        fallback_w=st.integers(0, MAX_CONNECTION_W),
    ),
    _spanned(
        ContractCall,
        month=months,
        closes_s=times_s,
        tariff=prices,
        connection_w=st.integers(1, MAX_CONNECTION_W),
        last=contracts_or_none,
        last_max_w=st.none() | power,
        refusal=st.dictionaries(st.sampled_from(["", "max_w", "price"]), printable, max_size=3),
        basis=st.none() | st.sampled_from(Basis),
        agreed=contracts_or_none,
        permitted=st.booleans(),
    ),
    st.builds(FetchPost, request_id=request_ids),
    st.builds(PostTaken, request_id=request_ids),
    st.builds(Deliver, request_id=request_ids, bill=bills),
    st.builds(Deliver, request_id=request_ids, adjustment=adjustments),
    st.builds(
        MonthSoFar,
        month=months,
        through=minute_indices,
        contract=contracts_or_none,
        microgrid_energy=s64,
        national_energy=s64,
        microgrid_amount=s64,
        national_amount=s64,
        penalties=penalties,
        adjustments=s64,
        waived=s64,
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
