"""Units in which energy, power, money and time are kept.

Energy is kept in whole watt-seconds (Ws), power in whole watts (W), money in whole micro-coins
(one coin = 1,000,000), a price in micro-coins per kWh and time in *minutes*: a minute is the number
of whole minutes since 1970-01-01T00:00Z, so minute m runs from second 60·m to second 60·(m + 1).
A 5 W load's minute at 8 coins per kWh is 667 micro-coins: fine enough to be billed.
"""

SECONDS_PER_MINUTE = 60
MINUTES_PER_DAY = 1440  # of UTC; a local day may have an hour more or less
WS_PER_KWH = 3_600_000
MICROCOINS_PER_COIN = 1_000_000


def watts(power_kw: float) -> int:
    """Power in whole watts from kilowatts."""
    return round(power_kw * 1000)


def microcoins(coins: float) -> int:
    """Money, or a price per kWh, in whole micro-coins from coins."""
    return round(coins * MICROCOINS_PER_COIN)


def kwh(energy_ws: int) -> float:
    """Energy in kilowatt-hours from watt-seconds, for people to read; never to bill."""
    return energy_ws / WS_PER_KWH


def coins(amount_microcoins: int) -> float:
    """Money in coins from micro-coins, for people to read; never to bill."""
    return amount_microcoins / MICROCOINS_PER_COIN
