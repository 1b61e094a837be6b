"""A neighbourhood of 254 houses for the workloads: its terms, samples and minutes."""

from datetime import datetime

from microgrid.minute import Hold, MeterMinute, OrderMinute
from microgrid.months import minute_of, zone_of
from microgrid.sample import CommandState, MeterFlag, Sample
from microgrid.terms import FOREVER, Contract, House, Role, Source, Tariff, Terms
from microgrid.units import microcoins

HOUSES = 254
MONTH = "2026-06"
ZONE = "Asia/Karachi"
FIRST_MINUTE = minute_of(datetime(2026, 6, 1, tzinfo=zone_of(ZONE)))


def make_terms() -> Terms:
    """Half the houses sell, half buy; every third seller is dearer than the national grid."""
    first = minute_of(datetime(2020, 1, 1, tzinfo=zone_of(ZONE)))
    names = [f"H{number:03}" for number in range(HOUSES)]
    contracts = []
    for number, name in enumerate(names):
        if number % 2:
            contracts.append(
                Contract(house=name, role=Role.CONSUMER, valid_from=first, valid_to=FOREVER, max_w=6000)
            )
            continue
        source, price = (Source.GENERATOR, 25) if number % 3 == 0 else (Source.SOLAR, 8 + number % 7)
        contracts.append(
            Contract(
                house=name,
                role=Role.PRODUCER,
                valid_from=first,
                valid_to=FOREVER,
                min_w=250,
                max_w=2500,
                price=microcoins(price),
                source=source,
            )
        )
    return Terms(
        zone=ZONE,
        houses=tuple(House(house=name, name=name, connection_w=10_000) for name in names),
        contracts=tuple(contracts),
        tariffs=(
            Tariff(valid_from=first, valid_to=FOREVER, national=microcoins(17.6), feed_in=microcoins(5)),
        ),
    )


def make_sample(number: int, power_w: int) -> Sample:
    """A healthy sample of the house with this number, exchanging this power."""
    return Sample(
        boot_id=1,
        uptime_ms=3_600_000 + number,
        sequence=3600,
        voltage_v=(229.8, 230.4, 231.1),
        current_a=(4.1, 3.9, 4.4),
        power_factor=(0.97, 0.96, 0.98),
        leading=(False, False, False),
        exporting=(power_w > 0,) * 3,
        frequency_hz=50.02,
        generator_p_w=max(0, power_w),
        generator_q_var=120,
        generator_s_va=abs(power_w) + 10,
        exchange_p_w=power_w,
        exchange_q_var=80,
        import_counter_ws=4_000_000_000,
        export_counter_ws=123_456_789,
        generation_counter_ws=223_456_789,
        generator_breaker_closed=True,
        grid_breaker_closed=True,
        flags=MeterFlag(0),
        command_id=7,
        command_state=CommandState.DONE,
        firmware="1.0.0",
    )


def make_minutes(minute: int, houses: list[str]) -> tuple[list[MeterMinute], list[OrderMinute]]:
    """The meter minutes of all houses and the order minutes of the sellers; values that move."""
    meter, orders = [], []
    for number, house in enumerate(houses):
        power_w = (minute * 37 + number * 101) % 2500
        sells = number % 2 == 0
        meter.append(
            MeterMinute(
                house=house,
                minute=minute,
                epoch=0,
                import_ws=10**9 + (0 if sells else minute * 60 * 1300 + power_w),
                export_ws=2 * 10**9 + (minute * 60 * 1300 + power_w if sells else 0),
                generation_ws=3 * 10**9 + (minute * 60 * 1500 + power_w if sells else 0),
                closed_s=60,
                covered_s=60,
                max_w=power_w + 40 if sells else -power_w,
                min_w=power_w if sells else -power_w - 40,
                voltage_mv=230_000 + power_w % 1500,
                current_ma=power_w * 1450,
                power_factor_milli=950 + power_w % 40,
                frequency_mhz=50_000 + minute % 37,
                suspect=0,
            )
        )
        if sells:
            orders.append(
                OrderMinute(
                    house=house,
                    minute=minute,
                    raise_standing=minute % 3 == 0,
                    target_w=power_w,
                    hold=Hold.NONE,
                    command_id=minute % 100_000 + 1,
                    acknowledged_s=minute * 60 - 300,
                    tie_closed=True,
                )
            )
    return meter, orders
