"""One of each message, of each record that travels, and of what answers what."""

from microgrid.bill import Adjustment, Bill, BillCheck, BillKind, Cause, Verdict
from microgrid.contracting import Wish
from microgrid.minute import Hold, MeterMinute
from microgrid.registers import Registers
from microgrid.sample import CommandState, MeterFlag, Sample
from microgrid.statement import Account, PenaltyParts
from microgrid.swap import MeterSwap
from microgrid.terms import Role, Source
from microgrid.wire.messages import (
    AckState,
    ContractAnswer,
    ContractCall,
    Deliver,
    Delivered,
    FetchPost,
    Hello,
    MonthSoFar,
    Poll,
    Post,
    PostTaken,
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


WISH = Wish(role=Role.PRODUCER, max_w=2500, min_w=250, price=8_000_000, source=Source.SOLAR)
CONTRACT = WISH.contract("B", range(29_000_160, 29_044_800))
ANSWER = ContractAnswer(month="2025-03", first_minute=29_000_160, wish=WISH)
SWAP = MeterSwap(
    house="B",
    at_s=1_740_000_000,
    old=Registers(epoch=1, import_ws=10, export_ws=2**40, generation_ws=2**41),
    new=Registers(epoch=2, import_ws=10, export_ws=2**40, generation_ws=2**41),
    old_meter="1.0.3, start 7",
    new_meter="1.0.4, start 1",
    installer="Ayesha",
    reason="the display was dark",
)
CALL = ContractCall(
    month="2025-03",
    first_minute=29_000_160,
    end_minute=29_044_800,
    closes_s=29_000_160 * 60,
    tariff=17_600_000,
    connection_w=6000,
    last=CONTRACT,
    last_max_w=2400,
    refusal={"price": "The solar price of 18 coins/kWh is above the national tariff."},
)
ADJUSTMENT = Adjustment(
    account="B",
    month="2025-02",
    number=2,
    made_s=1_741_000_000,
    causes=(Cause.LATE,),
    own=True,
    reason="Minutes of your meter of 3 February 2025 came after the bill.",
    energy=3_600_000,
    microgrid_amount=8_000_000,
    national_grid_amount=-1_000_000,
    penalty_amount=0,
)
PENALTIES = PenaltyParts(deficit_energy=360_000, deficit_amount=-1_760_000)
BILL = Bill(
    house="B",
    name="Bilal's",
    month="2025-03",
    zone="Asia/Karachi",
    kind=BillKind.MONTH,
    first_minute=29_000_160,
    end_minute=29_044_800,
    issued_s=1_743_500_000,
    contract=CONTRACT,
    tariff=17_600_000,
    account=Account(
        role="producer",
        microgrid_energy=360_000_000,
        national_grid_energy=-3_600_000,
        microgrid_amount=800_000_000,
        national_grid_amount=-17_600_000,
        penalty_energy=360_000,
        penalty_amount=-1_760_000,
        adjustments=7_000_000,
        total=787_640_000,
        max_power_kw=2.5,
        min_power_kw=0.0,
        estimated_energy=0,
        estimated_minutes=0,
    ),
    penalties=PENALTIES,
    adjustments=(ADJUSTMENT,),
)
CHECK = BillCheck(
    verdict=Verdict.AGREES,
    billed_energy=356_400_000,
    own_least=356_400_000,
    own_most=356_400_000,
    sums_right=True,
)
MONTH = MonthSoFar(
    month="2025-03",
    through=29_001_000,
    contract=CONTRACT,
    microgrid_energy=36_000_000,
    national_energy=0,
    microgrid_amount=80_000_000,
    national_amount=0,
    penalties=PENALTIES,
    adjustments=7_000_000,
    waived=1_500_000,
)


def post(request_id: int) -> Post:
    return Post(house="B", request_id=request_id, answer=ANSWER, swap=SWAP)


def deliver(request_id: int) -> Deliver:
    return Deliver(request_id=request_id, bill=BILL)


def delivered(request_id: int, check: BillCheck | None = CHECK) -> Delivered:
    return Delivered(house="B", request_id=request_id, check=check)


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
        fallback_w=250,
    )


def target_ack(request_id: int, command_id: int = 5) -> TargetAck:
    return TargetAck(
        house="B",
        request_id=request_id,
        command_id=command_id,
        state=AckState.ACCEPTED,
        acknowledged_s=1_700_000_003,
    )


FETCH_POST = FetchPost(request_id=1)
TAKEN = PostTaken(request_id=1)
EMPTY = Post(house="B", request_id=1)
ADJUSTED = Deliver(request_id=1, adjustment=ADJUSTMENT)
