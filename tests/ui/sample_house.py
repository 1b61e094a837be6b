"""What a kiosk is shown, for tests and pictures: a seller, a buyer, calls for a contract and bills."""

from dataclasses import replace
from datetime import UTC, datetime

from msgspec.structs import replace as changed

from house_client.snapshot import CentralState, HouseSnapshot, MeterState, ReceivedBill
from microgrid.agreements import Basis
from microgrid.bill import Adjustment, Bill, BillCheck, BillKind, Cause, check_bill
from microgrid.months import month_minutes, zone_of
from microgrid.sample import CommandState
from microgrid.statement import Account, PenaltyParts
from microgrid.terms import Contract, Obligation, Role, Source
from microgrid.units import WS_PER_KWH, microcoins
from microgrid.wire.messages import ContractCall, MonthSoFar
from tests.ui.sample_snapshots import TARIFF, ZONE, make_kiosk, make_sample

NOW_S = datetime(2024, 12, 30, 9, 5, 9, tzinfo=UTC).timestamp()  # 14:05:09 in Karachi
DECEMBER = month_minutes("2024-12", zone_of(ZONE))
JANUARY = month_minutes("2025-01", zone_of(ZONE))
NOVEMBER = month_minutes("2024-11", zone_of(ZONE))


def kwh(energy: float) -> int:
    return round(energy * WS_PER_KWH)


def seller_contract(minutes: range = DECEMBER) -> Contract:
    return Contract(
        house="B", role=Role.PRODUCER, valid_from=minutes.start, valid_to=minutes.stop, max_w=2500, min_w=250,
        price=microcoins(8), source=Source.SOLAR, obligation=Obligation.DAYLIGHT,
    )  # fmt: skip


def buyer_contract(minutes: range = DECEMBER) -> Contract:
    return Contract(
        house="B", role=Role.CONSUMER, valid_from=minutes.start, valid_to=minutes.stop, max_w=2000
    )


def make_seller(exchange_w: int = 1250) -> HouseSnapshot:
    """A solar seller on the 30th of December, shortly after two."""
    return replace(
        make_kiosk(),
        now_s=NOW_S,
        sample=make_sample(exchange_w, exchange_w + 850),
        target_w=1250,
        target_reason="Your part of what the micro-grid takes now.",
        goal_w=1250,
        last_pulse=CommandState.DONE,
        connection_w=5000,
        month=MonthSoFar(
            month="2024-12",
            through=int(NOW_S // 60),
            contract=seller_contract(),
            microgrid_energy=kwh(312.4),
            national_energy=kwh(-26.6),
            microgrid_amount=microcoins(2499.2),
            national_amount=microcoins(-468.16),
            penalties=PenaltyParts(
                deficit_energy=kwh(1.2), deficit_amount=microcoins(-21.12),
                minimum_energy=kwh(0.4), minimum_amount=microcoins(-7.04),
            ),
            adjustments=microcoins(-3.2),
        ),
    )  # fmt: skip


def make_buyer(import_w: int = 900) -> HouseSnapshot:
    """A buyer at the same time, with a share of 1.25 kW."""
    return replace(
        make_kiosk(),
        now_s=NOW_S,
        sample=make_sample(-import_w, 0),
        target_w=None,
        allotment_w=1250,
        import_ws=kwh(380),
        export_ws=0,
        month=MonthSoFar(
            month="2024-12",
            through=int(NOW_S // 60),
            contract=buyer_contract(),
            microgrid_energy=kwh(-291.3),
            national_energy=kwh(-48.2),
            microgrid_amount=microcoins(-3594.64),
            national_amount=microcoins(-848.32),
            penalties=PenaltyParts(),
            adjustments=0,
        ),
    )


def make_call(last: Contract | None = None, **changes: object) -> ContractCall:
    """The call for January, open until the year ends."""
    call = ContractCall(
        month="2025-01",
        first_minute=JANUARY.start,
        end_minute=JANUARY.stop,
        closes_s=JANUARY.start * 60,
        tariff=TARIFF,
        connection_w=5000,
        last=last,
        last_max_w=1730 if last is not None else None,
    )
    return changed(call, **changes)


def agreed(call: ContractCall, contract: Contract | None, *, permitted: bool = True) -> ContractCall:
    """The call when it has been answered."""
    basis = Basis.ANSWERED if contract is not None else Basis.NO_ANSWER
    return changed(call, agreed=contract, basis=basis, permitted=permitted)


def unlinked(snapshot: HouseSnapshot) -> HouseSnapshot:
    """The same with the central gone."""
    return replace(
        snapshot,
        central=CentralState.CONNECTING,
        central_detail="no answer from 192.168.1.1; see that the network cable is in",
        minutes_waiting=17,
    )


def make_bill(role: Role = Role.CONSUMER, **changes: object) -> Bill:
    """November's bill."""
    seller = role is Role.PRODUCER
    penalties = (
        PenaltyParts(
            deficit_energy=kwh(2.5), deficit_amount=microcoins(-44),
            minimum_energy=kwh(0.5), minimum_amount=microcoins(-8.8),
        )
        if seller else PenaltyParts()
    )  # fmt: skip
    sign = 1 if seller else -1
    energy, amount = sign * kwh(301.25), sign * microcoins(2410 if seller else 3719.43)
    national, penalty = microcoins(-468.16), penalties.deficit_amount + penalties.minimum_amount
    account = Account(
        role=role,
        microgrid_energy=energy,
        national_grid_energy=kwh(-26.6),
        microgrid_amount=amount,
        national_grid_amount=national,
        penalty_energy=penalties.deficit_energy + penalties.minimum_energy,
        penalty_amount=penalty,
        adjustments=0,
        total=amount + national + penalty,
        max_power_kw=2.41 if seller else 1.73,
        min_power_kw=0.0 if seller else 0.08,
        estimated_energy=0,
        estimated_minutes=0,
    )
    bill = Bill(
        house="B",
        name="Ahmed family",
        month="2024-11",
        zone=ZONE,
        kind=BillKind.MONTH,
        first_minute=NOVEMBER.start,
        end_minute=NOVEMBER.stop,
        issued_s=DECEMBER.start * 60 + 90_000,
        contract=seller_contract(NOVEMBER) if seller else buyer_contract(NOVEMBER),
        tariff=TARIFF,
        account=account,
        penalties=penalties,
    )
    return changed(bill, **changes)


def make_adjustment(month: str = "2024-11", number: int = 2, coins: float = -3.2) -> Adjustment:
    """What a late minute or two changed."""
    return Adjustment(
        account="B", month=month, number=number, made_s=DECEMBER.start * 60 + 400_000, causes=(Cause.LATE,),
        own=True, reason="41 minutes of the 28th arrived late.", energy=kwh(-0.26),
        microgrid_amount=microcoins(coins), national_grid_amount=0, penalty_amount=0,
    )  # fmt: skip


def billed(bill: Bill) -> int:
    """The net energy of a bill."""
    return bill.account.microgrid_energy + bill.account.national_grid_energy


def received(
    bill: Bill, own_off_ws: int | None = 0, adjustments: tuple[Adjustment, ...] = ()
) -> ReceivedBill:
    """The bill as the house has it; its own meter says so much more (None: it cannot tell)."""
    own = None if own_off_ws is None else (billed(bill) + own_off_ws,) * 2
    check: BillCheck = check_bill(bill, own)
    return ReceivedBill(bill, check, adjustments)


BUYERS_MONTH = make_buyer().month
assert BUYERS_MONTH is not None
LARGE = microcoins(1_234_567.89)

_seller_bill = make_bill(Role.PRODUCER)
_estimated = changed(
    _seller_bill,
    account=changed(_seller_bill.account, estimated_energy=11_520_000, estimated_minutes=341),
)
SHARING = "Load sharing: cheaper or preferred sources carry more now."
_refused = make_call(
    seller_contract(),
    refusal={"price": "The solar price of 25 coins/kWh is above the national tariff of 17.6."},
)
STATES: dict[str, HouseSnapshot] = {
    "seller": replace(make_seller(), bill=received(_seller_bill)),
    "buyer": replace(make_buyer(), bill=received(make_bill())),
    "near": make_buyer(1200),
    "beyond": replace(make_buyer(1600), call=make_call(buyer_contract())),
    "below": replace(make_seller(100), bill=received(_estimated, None, (make_adjustment(),))),
    "short": replace(make_seller(800), target_w=2000, goal_w=2000, bill=received(_seller_bill, 4_000_000)),
    "no seller": replace(make_buyer(), allotment_w=0),
    "unlinked": unlinked(make_buyer()),
    "silent": replace(
        make_seller(), meter=MeterState.SILENT, age_s=130.0,
        meter_detail="nothing heard on ttyUSB0; see that the meter has power",
    ),
    "refused": replace(make_seller(), call=_refused, bill=received(make_bill(), 4_000_000)),
    "lowered": replace(make_seller(1900), target_w=250, goal_w=250, target_reason=SHARING),
    "limited": replace(make_seller(2000), target_w=2500, goal_w=2000, target_reason=SHARING),
    "not running": replace(
        make_seller(0), target_w=1500, goal_w=1500, target_reason=SHARING, last_pulse=CommandState.REFUSED
    ),
    "deaf": replace(make_seller(500), target_w=1500, goal_w=1500, last_pulse=CommandState.NONE),
    "safe": unlinked(replace(make_seller(250), target_w=None, target_reason="", goal_w=250, safe=True)),
    "safe, not running": unlinked(
        replace(
            make_seller(0), target_w=None, target_reason="", goal_w=250, safe=True,
            last_pulse=CommandState.REFUSED, call=make_call(seller_contract()), bill=received(_seller_bill),
        )
    ),
    "withdrawn": replace(make_seller(250), target_w=None, target_reason="", goal_w=250, safe=True),
    "agreed": replace(make_seller(), call=agreed(make_call(), seller_contract(JANUARY))),
    "untold": make_kiosk(),
    "large": replace(
        make_buyer(),
        name="The family of Abdul-Rahman the Elder",
        bill=received(changed(make_bill(), account=changed(make_bill().account, total=-LARGE)), 4_000_000),
        month=changed(BUYERS_MONTH, microgrid_amount=-LARGE, microgrid_energy=-360_000_000_000),
    ),
}  # fmt: skip
