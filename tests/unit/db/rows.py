"""Minutes for the tests of db: plausible by default, anything else by keyword."""

from typing import Any

from microgrid.minute import Hold, MeterMinute, OrderMinute


def meter(house: str = "A", minute: int = 1000, **changes: int) -> MeterMinute:
    values: dict[str, Any] = {
        "epoch": 1,
        "import_ws": 70 * minute,
        "export_ws": 30 * minute,
        "generation_ws": 110 * minute,
        "closed_s": 60,
        "covered_s": 59,
        "max_w": 900,
        "min_w": -400,
        "voltage_mv": 230_100,
        "current_ma": 4_200,
        "power_factor_milli": 980,
        "frequency_mhz": 50_010,
        "suspect": 0,
    }
    return MeterMinute(house=house, minute=minute, **{**values, **changes})


def order(house: str = "A", minute: int = 1000, **changes: object) -> OrderMinute:
    values: dict[str, Any] = {
        "raise_standing": True,
        "target_w": 1500,
        "hold": Hold.SHARING,
        "command_id": 2**40,
        "acknowledged_s": 60 * minute + 2,
        "tie_closed": True,
    }
    return OrderMinute(house=house, minute=minute, **{**values, **changes})
