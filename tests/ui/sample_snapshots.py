"""Snapshots for tests and pictures of the windows: made-up, the same in every run."""

from dataclasses import replace
from math import sin
from typing import Any

from msgspec import structs

from central_monitor.snapshot import (
    ByHand,
    CentralSnapshot,
    HouseView,
    LinkState,
    LiveSplit,
    MonthView,
    Notice,
    OrderView,
    PoolView,
    RoundView,
    SharingView,
    Work,
)
from house_client.snapshot import CentralState, HouseSnapshot, MeterState
from microgrid.directives import StrategyName
from microgrid.minute import Fate, Hold
from microgrid.sample import CommandState, MeterFlag, Quality, Sample
from microgrid.terms import Contract, Obligation, Role, Source
from microgrid.units import WS_PER_KWH, microcoins

NOW_S = 1_733_040_309.0  # 1 December 2024, 13:05:09 in Karachi
ZONE = "Asia/Karachi"
DAY_S = 1_732_993_200  # when its day began, 00:00
TURNS_S = DAY_S + 17 * 3600 + 40 * 60  # when its night begins
TARIFF = microcoins(17.6)


def make_sample(exchange_w: int = 1250, generator_w: int = 2100, *, closed: bool = True) -> Sample:
    """A sample with these powers in watts."""
    return Sample(
        boot_id=1,
        uptime_ms=1000,
        sequence=1,
        voltage_v=(231.4, 229.8, 230.6),
        current_a=(3.12, 2.98, 3.05),
        power_factor=(0.95, 0.97, 1.0),
        leading=(False, True, False),
        exporting=(exchange_w > 0,) * 3,
        frequency_hz=49.98,
        generator_p_w=generator_w,
        generator_q_var=310,
        generator_s_va=2123,
        exchange_p_w=exchange_w,
        exchange_q_var=120,
        import_counter_ws=0,
        export_counter_ws=0,
        generation_counter_ws=0,
        generator_breaker_closed=generator_w > 0,
        grid_breaker_closed=closed,
        flags=MeterFlag(0),
        command_id=0,
        command_state=CommandState.NONE,
        firmware="1.0",
    )


def make_house(index: int, step: int = 0, name: str | None = None) -> HouseView:
    """House number `index` (from 0) at a step of its slow swing; every second one is a producer."""
    house = chr(ord("A") + index) if index < 26 else f"H{index + 1:03}"
    producer = index % 2 == 1
    swing = sin(0.13 * step + index)
    if producer:
        source = Source.SOLAR if index % 4 == 1 else Source.GENERATOR
        contract = Contract(
            house=house, role=Role.PRODUCER, valid_from=0, valid_to=10**9, max_w=2500, min_w=250,
            price=microcoins(8 if source is Source.SOLAR else 25), source=source,
        )  # fmt: skip
        exchange_w = round(1400 + 600 * swing)
        sample = make_sample(exchange_w, exchange_w + 640)
        order = OrderView(
            target_w=exchange_w // 100 * 100, raise_standing=False, hold=Hold.NONE, acknowledged=True,
            fate=Fate.MET, command_id=40 + index, given_s=int(NOW_S) - 125,
        )  # fmt: skip
        allotment_w, month = None, MonthView(
            microgrid_energy=round(123.4 * WS_PER_KWH), national_energy=round(-2.5 * WS_PER_KWH),
            microgrid_amount=microcoins(1234.5), national_amount=microcoins(-44),
            penalty_amount=microcoins(-17.6),
        )  # fmt: skip
    else:
        contract = Contract(house=house, role=Role.CONSUMER, valid_from=0, valid_to=10**9, max_w=2000)
        sample = make_sample(round(-900 + 500 * swing), 0)
        order = None
        allotment_w, month = 1800, MonthView(
            microgrid_energy=round(-80.2 * WS_PER_KWH), national_energy=round(-18.5 * WS_PER_KWH),
            microgrid_amount=microcoins(-802), national_amount=microcoins(-325.6), penalty_amount=0,
        )  # fmt: skip
    return HouseView(
        house=house,
        name=f"Family {index + 1}" if name is None else name,
        contract=contract,
        link=LinkState.LINKED,
        sample=sample,
        quality=Quality.GOOD,
        age_s=0.4,
        exchanged_ws=round((123.4 if producer else -98.7) * WS_PER_KWH),
        minutes_waiting=False,
        order=order,
        round_trip_ms=12.0,
        last_minute=28_884_004,
        allotment_w=allotment_w,
        split=make_split(sample.exchange_p_w, allotment_w, contract.min_w),
        month=month,
    )


def with_order(house: HouseView, **changes: Any) -> HouseView:
    """The seller with its order changed so."""
    assert house.order is not None
    return replace(house, order=replace(house.order, **changes))


def make_split(exchange_w: int, allotment_w: int | None, min_w: int = 0) -> LiveSplit:
    """A power divided roughly as a settlement does: national is what exceeds the allotment."""
    microgrid_w = max(exchange_w, -(allotment_w or 0))
    default_w = 0 if allotment_w is not None else max(0, min_w - exchange_w)
    return LiveSplit(microgrid_w=microgrid_w, national_w=exchange_w - microgrid_w, default_w=default_w)


def draw(house: HouseView, exchange_w: int) -> HouseView:
    """The house with this power exchanged instead."""
    assert house.sample is not None
    assert house.contract is not None
    generator_w = max(0, exchange_w + 640) if house.contract.role is Role.PRODUCER else 0
    split = make_split(exchange_w, house.allotment_w, house.contract.min_w)
    return replace(house, sample=make_sample(exchange_w, generator_w), split=split)


def make_central(count: int = 4, step: int = 0) -> CentralSnapshot:
    """A healthy micro-grid of this many houses."""
    return with_houses(tuple(make_house(index, step) for index in range(count)), step)


def with_houses(houses: tuple[HouseView, ...], step: int = 0) -> CentralSnapshot:
    """A micro-grid of these houses, with the pool they make."""
    powers = [
        house.sample.exchange_p_w
        for house in houses
        if house.sample is not None and house.link is LinkState.LINKED
    ]
    produced, consumed = sum(p for p in powers if p > 0), -sum(p for p in powers if p < 0)
    available = 2500 * (len(houses) // 2)
    pool = PoolView(
        produced_w=produced,
        consumed_w=consumed,
        available_w=available,
        pool_w=available - consumed,
        national_w=consumed - produced,
        rate=microcoins(12 + sin(0.1 * step)) if produced else None,
        tariff=TARIFF,
        is_day=True,
    )
    return CentralSnapshot(
        now_s=NOW_S + step,
        zone=ZONE,
        houses=houses,
        pool=pool,
        tie_closed=True,
        notices=(Notice(NOW_S - 600, "House A is now part of the network"),),
        sharing=SharingView(
            strategy=StrategyName.DAY_TIME,
            author="M. Desk",
            note="the winter's days are short but clear",
            turns_minute=TURNS_S // 60,
            saved=microcoins(31.4),
            saved_from_minute=DAY_S // 60,
        ),
    )


def lose(snapshot: CentralSnapshot, index: int = 1, age_s: float = 130.0) -> CentralSnapshot:
    """The same with one house's link lost for so many seconds."""
    houses = list(snapshot.houses)
    houses[index] = replace(houses[index], link=LinkState.LOST, quality=Quality.STALE, age_s=age_s)
    lost = with_houses(tuple(houses))
    return replace(lost, now_s=snapshot.now_s)


def make_kiosk(step: int = 0) -> HouseSnapshot:
    """A healthy house that exports."""
    return HouseSnapshot(
        now_s=NOW_S + step,
        zone=ZONE,
        house="B",
        name="Ahmed family",
        meter=MeterState.HEARD,
        meter_detail="",
        central=CentralState.LINKED,
        central_detail="",
        sample=make_sample(),
        quality=Quality.GOOD,
        age_s=0.4,
        import_ws=round(26.6 * WS_PER_KWH),
        export_ws=round(150.2 * WS_PER_KWH),
        generation_ws=round(410.0 * WS_PER_KWH),
        rate=microcoins(12.34),
        tariff=TARIFF,
        pool_w=1900,
        minutes_waiting=0,
        target_w=2000,
    )


def make_upset(step: int = 0) -> CentralSnapshot:
    """Eight houses with every kind of trouble at once."""
    houses = [make_house(index, step) for index in range(8)]
    houses[1] = replace(houses[1], link=LinkState.LOST, quality=Quality.STALE, age_s=130.0)
    houses[2] = replace(houses[2], quality=Quality.STALE, age_s=12.0)
    houses[3] = replace(houses[3], quality=Quality.BAD, age_s=3.0)
    houses[4] = replace(houses[4], quality=Quality.ESTIMATED, age_s=61.0)
    houses[5] = replace(houses[5], sample=make_sample(3900, 4500))
    houses[6] = replace(houses[6], sample=make_sample(0, 0, closed=False))
    houses[7] = replace(
        houses[7], link=LinkState.NEVER, sample=None, age_s=None, contract=None, order=None, last_minute=None
    )
    snapshot = with_houses(tuple(houses), step)
    return replace(snapshot, tie_closed=False, recorder_fault="the disk is full")


LONG_NAME = "Haus der Familie von und zu Hohenlohe-Langenburg-Schillingsfürst"


def make_troubled(step: int = 0) -> CentralSnapshot:
    """Eight houses that depart from their contracts, or are heard badly, while a round is open."""
    houses = [make_house(index, step) for index in range(8)]
    houses[0] = draw(replace(houses[0], name=LONG_NAME), -2350)
    large = MonthView(
        microgrid_energy=98_765 * WS_PER_KWH, national_energy=0, microgrid_amount=microcoins(9_876_543.21),
        national_amount=0, penalty_amount=microcoins(-17.6),
    )  # fmt: skip
    houses[1] = draw(replace(houses[1], month=large), 90)
    houses[2] = replace(houses[2], link=LinkState.LOST, quality=Quality.STALE, age_s=130.0, split=None)
    houses[3] = replace(houses[3], quality=Quality.STALE, age_s=12.0)
    houses[4] = replace(houses[4], quality=Quality.BAD, age_s=3.0)
    houses[5] = draw(houses[5], -400)
    houses[6] = replace(draw(houses[6], -300), contract=None, allotment_w=None, split=make_split(-300, 0))
    houses[7] = replace(
        houses[7],
        link=LinkState.NEVER,
        sample=None,
        age_s=None,
        order=None,
        last_minute=None,
        split=None,
        month=None,
    )
    asked = RoundView(
        month="2025-01", closes_s=1_735_671_600, agreed=("A", "B", "C"), waiting=("D", "E", "F", "G", "H"),
        refused={"D": "The minimum is above the maximum."}, final=False,
    )  # fmt: skip
    return replace(
        with_houses(tuple(houses), step),
        round=asked,
        work=Work(text="Settling November 2024", done=11, total=30),
    )


NO_ANSWER: dict[str, Any] = {"acknowledged": False, "fate": Fate.UNANSWERED}


def make_unsteady(step: int = 0) -> CentralSnapshot:
    """Sixteen houses while sellers do not do what they are asked: each in another way."""
    houses = [make_house(index, step) for index in range(16)]
    since_s = int(NOW_S) - 1510
    asked: dict[str, Any] = {"raise_standing": True, "target_w": 2250}
    houses[1] = with_order(draw(houses[1], 610), fate=Fate.UNMET, unable_since_s=since_s, **asked)
    houses[3] = with_order(
        draw(houses[3], 0), fate=Fate.REFUSED, answer="the source is not running",
        unable_since_s=since_s + 900, **asked,
    )  # fmt: skip
    houses[5] = with_order(draw(houses[5], 900), unable_since_s=since_s + 1480, **asked, **NO_ANSWER)
    houses[7] = replace(
        with_order(draw(houses[7], 0), hold=Hold.OPERATOR, target_w=0),
        by_hand=ByHand(None, int(NOW_S) // 60 + 1200, "M. Desk", "the fan belt is torn, a fitter comes"),
    )
    houses[9] = replace(
        with_order(draw(houses[9], 1010), hold=Hold.OPERATOR, target_w=1000),
        by_hand=ByHand(1000, None, "M. Desk", "the roof is half in the shade"),
    )
    houses[11] = replace(
        houses[11], link=LinkState.LOST, quality=Quality.STALE, age_s=130.0, split=None, order=None
    )
    houses[13] = with_order(
        draw(houses[13], 1300), fate=Fate.FOLLOWING, target_w=1900, given_s=int(NOW_S) - 12, hold=Hold.SHARING
    )
    houses[15] = draw(replace(houses[15], order=None), -420)
    houses[2] = replace(houses[2], quality=Quality.STALE, age_s=12.0)
    houses[4] = replace(draw(houses[4], 0), sample=make_sample(0, 0, closed=False))
    houses[6] = replace(draw(houses[6], -300), contract=None, allotment_w=None, split=make_split(-300, 0))
    houses[8] = draw(houses[8], -2350)
    houses[10], houses[12] = draw(houses[10], -1790), draw(houses[12], -1650)
    return with_houses(tuple(houses), step)


def by_night(snapshot: CentralSnapshot) -> CentralSnapshot:
    """The same at 21:15: the sun gives nothing and owes nothing, generators carry the load."""
    now_s = DAY_S + 21.25 * 3600
    houses = []
    for house in snapshot.houses:
        contract, made = house.contract, house
        if contract is not None and contract.source is Source.SOLAR:
            daylight = structs.replace(contract, obligation=Obligation.DAYLIGHT)
            made = replace(draw(house, 0), contract=daylight, order=None, split=make_split(0, None))
        elif house.order is not None:
            made = with_order(draw(house, 2240), target_w=2250, given_s=int(now_s) - 3720)
        houses.append(made)
    made_up = with_houses(tuple(houses))
    assert made_up.sharing is not None
    sharing = replace(
        made_up.sharing, turns_minute=DAY_S // 60 + 24 * 60 + 7 * 60 + 15, saved=microcoins(-2.15)
    )
    return replace(made_up, now_s=now_s, pool=replace(made_up.pool, is_day=False), sharing=sharing)


def with_sharing(snapshot: CentralSnapshot, **changes: Any) -> CentralSnapshot:
    """The same with the way load is shared changed so."""
    assert snapshot.sharing is not None
    return replace(snapshot, sharing=replace(snapshot.sharing, **changes))
