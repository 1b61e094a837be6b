"""Load sharing: what each seller should export (ch. 6), as pure targets.

The printed pair 6.4.1/6.4.2 can lock up, loses power with unequal numbers of sellers and never lowers;
targets that add up to the demand replace it. A seller rises through the levels
Gmin → 0.1 Gmax → 0.9 Gmax → Gmax: floors first, then the preferred class (solar by day, generators by
night) to 0.9, the other to 0.9, the preferred to 1, the other to 1; cheapest first within a class.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from microgrid.minute import Hold
from microgrid.terms import Cap, Source, Tariff
from microgrid.units import SECONDS_PER_MINUTE, WS_PER_KWH


@dataclass(frozen=True, slots=True)
class Seller:
    """A connected seller obliged now: its contract's limits in W and price in micro-coins per kWh."""

    house: str
    min_w: int
    max_w: int
    price: int
    source: Source


@dataclass(frozen=True, slots=True)
class Target:
    """Power a seller should export, in W, and whether and why that is less than it would be."""

    target_w: int
    hold: Hold = Hold.NONE


def share_load(sellers: Sequence[Seller], demand_w: int, day: bool) -> dict[str, int]:
    """The day-time rule: targets in W by house, adding up to clip(demand, ΣGmin, ΣGmax)."""
    ordered = sorted(sellers, key=lambda s: (s.price, s.house))
    preferred = Source.SOLAR if day else Source.GENERATOR
    first = [s for s in ordered if s.source is preferred]
    second = [s for s in ordered if s.source is not preferred]
    result = {s.house: s.min_w for s in sellers}
    left = demand_w - sum(result.values())
    if left <= 0:
        return result
    low = {s.house: _level(s, 10) for s in sellers}
    left -= _raise_evenly(ordered, result, low, left)
    high = {s.house: _level(s, 90) for s in sellers}
    full = {s.house: s.max_w for s in sellers}
    for limits in (high, full):
        for group in (first, second):
            for _, equals in groupby(group, key=lambda s: s.price):
                left -= _raise_evenly(list(equals), result, limits, left)
    return result


def _level(seller: Seller, percent: int) -> int:
    return max(seller.min_w, seller.max_w * percent // 100)


def _raise_evenly(
    group: Sequence[Seller], result: dict[str, int], limits: dict[str, int], left_w: int
) -> int:
    """Raise a group to one common P/Gmax, nobody beyond its limit, by `left_w` in all at most.

    Returns the power handed out. Watts that do not divide go to the first.
    """
    whole = sum(max(0, limits[s.house] - result[s.house]) for s in group)
    if whole <= left_w:
        result.update({s.house: max(result[s.house], limits[s.house]) for s in group})
        return whole
    if left_w <= 0:
        return 0

    def raised(loading_ppm: int) -> dict[str, int]:
        wanted = {s.house: min(limits[s.house], s.max_w * loading_ppm // 1_000_000) for s in group}
        return {house: max(result[house], power_w) for house, power_w in wanted.items()}

    budget_w = left_w + sum(result[s.house] for s in group)
    low, high = 0, 1_000_000
    while low < high:
        middle = (low + high + 1) // 2
        if sum(raised(middle).values()) <= budget_w:
            low = middle
        else:
            high = middle - 1
    level = raised(low)
    spare = budget_w - sum(level.values())
    # What is left is less than one more millionth of everybody's Gmax.
    for house, above in raised(low + 1).items():
        extra = min(spare, above - level[house])
        level[house] += extra
        spare -= extra
    result.update(level)
    return left_w


def keep_cap(
    sellers: Sequence[Seller], targets: dict[str, int], demand_w: int, tariff: Tariff, allowance: int
) -> dict[str, Target]:
    """Targets after the cap: the dearest seller is cut first, to 0 even below its minimum.

    What is cut is offered to headroom priced at or below the tariff, cheapest first, then left to the
    national grid. `allowance` is the credit in micro-coins that one minute may spend.
    """
    result = dict(targets)
    cut: set[str] = set()
    if tariff.cap is not Cap.OFF:
        dear = sorted((s for s in sellers if s.price > tariff.national), key=lambda s: (-s.price, s.house))
        cheap = sorted((s for s in sellers if s.price <= tariff.national), key=lambda s: (s.price, s.house))
        prices = {s.house: s.price for s in sellers}
        for seller in dear:
            if _affordable(result, prices, demand_w, tariff, allowance):
                break
            whole = dict(result)
            low, high = 0, whole[seller.house]  # the smallest cut that keeps the cap, by bisection
            _cut(result, whole, seller, cheap, high, demand_w)
            if not _affordable(result, prices, demand_w, tariff, allowance):
                low = high  # not even all of it is enough
            while low < high:
                middle = (low + high) // 2
                _cut(result, whole, seller, cheap, middle, demand_w)
                if _affordable(result, prices, demand_w, tariff, allowance):
                    high = middle
                else:
                    low = middle + 1
            _cut(result, whole, seller, cheap, low, demand_w)
            cut.add(seller.house)
    loaded = {s.house: _level(s, 90) for s in sellers}
    return {
        house: Target(target_w, Hold.CAP if house in cut else _sharing(target_w, loaded[house]))
        for house, target_w in result.items()
    }


def _sharing(target_w: int, loaded_w: int) -> Hold:
    return Hold.SHARING if target_w < loaded_w else Hold.NONE


def _cut(
    result: dict[str, int],
    whole: dict[str, int],
    seller: Seller,
    cheap: Sequence[Seller],
    cut_w: int,
    demand_w: int,
) -> None:
    """Set `result` to `whole` with `cut_w` taken from the seller and offered to cheaper headroom."""
    result.update(whole)
    result[seller.house] -= cut_w
    spare = min(cut_w, max(0, demand_w - sum(result.values())))
    for other in cheap:
        taken = min(spare, other.max_w - result[other.house])
        result[other.house] += taken
        spare -= taken


def _affordable(
    targets: dict[str, int], prices: dict[str, int], demand_w: int, tariff: Tariff, allowance: int
) -> bool:
    """Whether the local energy of a minute at these targets costs at most T·L + allowance."""
    total = sum(targets.values())
    if total == 0:
        return True
    local = min(total, demand_w)
    cost = sum(power_w * prices[house] for house, power_w in targets.items()) * local // total
    ceiling = tariff.national * local
    return cost <= ceiling + allowance * WS_PER_KWH // SECONDS_PER_MINUTE
