"""What the charts are drawn from: Figs 9.1 to 9.4 of a month, and the record of a day, out of a database.

All of it follows from what `settled` tells of each minute.
"""

from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from central_monitor.services.records import open_records
from microgrid.daylight import day_mask
from microgrid.months import local_days, local_time, month_minutes, month_of, zone_of
from microgrid.terms import Contract, Role, Source, Terms
from microgrid.units import MICROCOINS_PER_COIN, SECONDS_PER_MINUTE
from simulation.settled import SettledMinutes, generation_ws, rate_of, ratio, settled_through

Int = NDArray[np.int64]
Bool = NDArray[np.bool_]
Floats = NDArray[np.float64]
Event = tuple[int, str]

MOST_HOUSES = 6  # that are drawn one by one; more are drawn by what they are
SLOT_MINUTES = 15  # of a mean day; zones differ by quarters of an hour
SLOTS = 24 * 60 // SLOT_MINUTES


@dataclass(frozen=True, kw_only=True)
class Party:
    """A house, or in a large neighbourhood all houses of one role and source."""

    houses: tuple[str, ...]
    role: Role | None
    source: Source | None = None


@dataclass(frozen=True, kw_only=True)
class Price:
    """What sellers of one source ask for, coins per kWh: the cheapest and the dearest of them."""

    houses: tuple[str, ...]
    source: Source | None
    lowest: float
    highest: float


@dataclass(frozen=True, kw_only=True)
class MonthFigures:
    """The minutes of a month that Figs 9.1 to 9.4 show: energies in Ws [minutes, parties] or [minutes]."""

    month: str
    zone: ZoneInfo
    minutes: range
    parties: tuple[Party, ...]
    load_ws: Int  # what they consume: generation less what flowed into the micro-grid
    delivered_ws: Int  # what flowed from them into the micro-grid
    taken_ws: Int  # and what they took from it
    local_ws: Int  # energy traded at the rate
    local_amount: Int  # what it cost, micro-coins
    tariff: Floats  # the national grid's, coins per kWh
    prices: tuple[Price, ...]

    @cached_property
    def days(self) -> tuple[range, ...]:
        """The local days; the first and the last may be parts of one."""
        return local_days(self.minutes, self.zone)

    @cached_property
    def is_day(self) -> Bool:
        """Which minutes are by day (Table 6.1)."""
        return day_mask(self.minutes.start, self.minutes.stop, self.zone)

    def of(self, role: Role | None, source: Source | None = None) -> Int:
        """The places of the parties of this role, and of this source if one is given."""
        places = [
            place
            for place, party in enumerate(self.parties)
            if party.role is role and source in (None, party.source)
        ]
        return np.array(places, dtype=np.int64)

    def by_day(self, energy_ws: Int, by_day: bool) -> Floats:
        """Mean power in W of each local day's minutes by day, or by night; NaN for a day without any."""
        among = self.is_day == by_day
        joules, count = self._daily(energy_ws, among), self._daily(np.ones(len(energy_ws)), among)
        count = count.reshape(-1, *(1,) * (energy_ws.ndim - 1))
        return ratio(joules, count * SECONDS_PER_MINUTE)

    def mean_power(self, energy_ws: Int, by_day: bool) -> Floats:
        """Mean power in W of all minutes by day, or by night."""
        among = self.is_day == by_day
        return ratio(energy_ws[among].sum(axis=0), np.asarray(among.sum() * SECONDS_PER_MINUTE))

    def mean_day(self, energy_ws: Int) -> Floats:
        """Mean power in W in each quarter of an hour of the local day; NaN where nothing was lived."""
        joules, count = self._by_slot(energy_ws), self._by_slot(np.ones(len(energy_ws)))
        count = count.reshape(-1, *(1,) * (energy_ws.ndim - 1))
        return ratio(joules, count * SECONDS_PER_MINUTE)

    def rate_by_day(self, by_day: bool) -> Floats:
        """Mean rate in coins per kWh of each local day's energy by day, or by night."""
        among = self.is_day == by_day
        return rate_of(self._daily(self.local_amount, among), self._daily(self.local_ws, among))

    def rate_so_far(self) -> Floats:
        """Mean rate of all energy up to the end of each local day: what the cap keeps under the tariff."""
        all_of = np.ones(len(self.minutes), dtype=np.bool_)
        amount, energy = self._daily(self.local_amount, all_of), self._daily(self.local_ws, all_of)
        return rate_of(amount.cumsum(), energy.cumsum())

    def rate_by_hour(self) -> tuple[Floats, Floats]:
        """The hours' first minutes, and the mean rate of each hour's energy."""
        starts = np.arange(self.minutes.start, self.minutes.stop, 60)
        at = starts - self.minutes.start
        amounts, energies = np.add.reduceat(self.local_amount, at), np.add.reduceat(self.local_ws, at)
        return starts.astype(float), rate_of(amounts, energies)

    def rate_of_mean_day(self) -> tuple[Floats, Floats, Floats]:
        """Mean rate, 10th and 90th percentile of the days in each quarter of an hour of the local day."""
        mean = rate_of(self._by_slot(self.local_amount), self._by_slot(self.local_ws))
        rates = rate_of(self.local_amount, self.local_ws)
        low, high = np.full(SLOTS, np.nan), np.full(SLOTS, np.nan)
        for slot in np.unique(self._slots[np.isfinite(rates)]):
            found = rates[(self._slots == slot) & np.isfinite(rates)]
            low[slot], high[slot] = np.percentile(found, (10, 90))
        return mean, low, high

    def _daily(self, values: NDArray[Any], among: Bool) -> Floats:
        """The sum of the values of each local day that are among these."""
        starts = np.array([day.start - self.minutes.start for day in self.days])
        chosen = values * among.reshape(-1, *(1,) * (values.ndim - 1))
        return np.asarray(np.add.reduceat(chosen, starts, axis=0), dtype=float)

    def _by_slot(self, values: NDArray[Any]) -> Floats:
        sums = np.zeros((SLOTS, *values.shape[1:]))
        np.add.at(sums, self._slots, values)
        return sums

    @cached_property
    def _slots(self) -> Int:
        """The quarter of the local day that each minute is in."""
        first, end = self.minutes.start // SLOT_MINUTES, (self.minutes.stop - 1) // SLOT_MINUTES + 1
        local = [local_time(step * SLOT_MINUTES, self.zone) for step in range(first, end)]
        slots = np.array([(t.hour * 60 + t.minute) // SLOT_MINUTES for t in local], dtype=np.int64)
        return slots[np.arange(self.minutes.start, self.minutes.stop) // SLOT_MINUTES - first]


@dataclass(frozen=True, kw_only=True)
class SellerDay:
    """A seller's day by minute: power in W, NaN where there is none."""

    house: str
    source: Source | None
    min_w: int
    max_w: int
    export_w: Floats  # negative: it takes from the micro-grid
    target_w: Floats  # what it was held to; NaN: to nothing
    commands: Int  # the minutes in which a new command was in force


@dataclass(frozen=True, kw_only=True)
class DayRecord:
    """A day (or another run of minutes) of the closed loop, by minute from `first_minute`."""

    title: str
    zone: ZoneInfo
    first_minute: int
    demand_w: Floats  # what all houses took together
    import_w: Floats  # from the national grid; negative: spilled into it
    rate: Floats  # coins per kWh, as billed; NaN where nothing was traded
    tariff: Floats  # the national grid's
    sellers: tuple[SellerDay, ...]
    events: tuple[Event, ...] = ()  # what happened, and in which minute

    @property
    def minutes(self) -> range:
        """The minutes recorded."""
        return range(self.first_minute, self.first_minute + len(self.demand_w))


def month_figures(database: Path, month: str) -> MonthFigures:
    """What Figs 9.1 to 9.4 show of a month (YYYY-MM), through the last minute any house delivered.

    DatabaseError, ValueError for a wrong month, LookupError if nothing is recorded of it.
    """
    with open_records(database) as records:
        terms = records.agreements.load()
        whole = month_minutes(month, zone_of(terms.zone))
        last = max((row.minute for row in records.minutes.last_minutes().values()), default=-1)
        minutes = range(whole.start, min(whole.stop, last + 1))
        if not minutes or not records.minutes.any_in(minutes.start, minutes.stop):
            raise LookupError(f"Nothing is recorded of {month} yet.")
        with closing(settled_through(records, terms, minutes)) as days:
            return collected(terms, minutes, days)


def day_record(
    database: Path, first_minute: int, end_minute: int, title: str, events: Sequence[Event] = ()
) -> DayRecord:
    """The minutes first <= m < end of one month, as the central recorded and the settlement settles them.

    `events` are minutes with what happened in them. DatabaseError; LookupError if nothing is recorded of
    these minutes, ValueError if they reach into another month.
    """
    with open_records(database) as records:
        terms = records.agreements.load()
        if not records.minutes.any_in(first_minute, end_minute):
            raise LookupError("Nothing is recorded of these minutes.")
        with closing(settled_through(records, terms, range(first_minute, end_minute))) as days:
            late = [day for day in days if day.columns.end_minute > first_minute]
    return recorded(terms, range(first_minute, end_minute), late, title, events)


def collected(terms: Terms, minutes: range, days: Iterable[SettledMinutes]) -> MonthFigures:
    """The figures of a month's first minutes, settled in runs from its first on."""
    parties = _parties(terms, minutes.start)
    houses = sorted(house.house for house in terms.houses)
    places = [[houses.index(house) for house in party.houses] for party in parties]

    def by_party(values: Int) -> Int:
        return np.stack([values[:, place].sum(axis=1) for place in places], axis=1)

    parts = []
    for day in days:
        generated = generation_ws(day.columns)
        flows = (generated - day.net_ws, np.maximum(day.net_ws, 0), np.maximum(-day.net_ws, 0))
        parts.append((*map(by_party, flows), day.local_ws, day.local_amount))
    load, delivered, taken, local_ws, local_amount = map(np.concatenate, zip(*parts, strict=True))
    return MonthFigures(
        month=month_of(minutes.start, zone_of(terms.zone)),
        zone=zone_of(terms.zone),
        minutes=minutes,
        parties=parties,
        load_ws=load,
        delivered_ws=delivered,
        taken_ws=taken,
        local_ws=local_ws,
        local_amount=local_amount,
        tariff=_tariffs(terms, minutes),
        prices=_prices(terms, parties, minutes.start),
    )


def recorded(
    terms: Terms,
    minutes: range,
    days: Sequence[SettledMinutes],
    title: str,
    events: Sequence[tuple[int, str]],
) -> DayRecord:
    """The record of these minutes; `days` begin before or with them and end with them."""
    late = [day.since(minutes.start) for day in days]
    net_w = np.concatenate([day.net_ws for day in late]) / SECONDS_PER_MINUTE
    local_ws, local_amount = (
        np.concatenate([getattr(day, name) for day in late]) for name in ("local_ws", "local_amount")
    )
    skipped = minutes.start - days[0].columns.first_minute
    targets, commands = (
        np.concatenate([getattr(day.orders, name) for day in days])[max(0, skipped) :]
        for name in ("target_w", "command_id")
    )
    houses = days[0].columns.houses
    sellers = []
    for place, house in enumerate(houses):
        contract = terms.contract_at(house, minutes.start)
        if contract is not None and contract.role is Role.PRODUCER:
            ordered = targets[:, place], commands[:, place]
            sellers.append(_seller_day(contract, minutes.start, net_w[:, place], *ordered))
    return DayRecord(
        title=title,
        zone=zone_of(terms.zone),
        first_minute=minutes.start,
        demand_w=np.maximum(-net_w, 0).sum(axis=1),
        import_w=-net_w.sum(axis=1),
        rate=rate_of(local_amount, local_ws),
        tariff=_tariffs(terms, minutes),
        sellers=tuple(sellers),
        events=tuple(events),
    )


def _seller_day(
    contract: Contract, first_minute: int, net_w: Floats, target_w: Int, command_id: Int
) -> SellerDay:
    new = np.diff(command_id, prepend=command_id[:1]) != 0
    return SellerDay(
        house=contract.house,
        source=contract.source,
        min_w=contract.min_w,
        max_w=contract.max_w,
        export_w=net_w,
        target_w=np.where(target_w < 0, np.nan, target_w),
        commands=np.flatnonzero(new & (command_id != 0)) + first_minute,
    )


def _parties(terms: Terms, minute: int) -> tuple[Party, ...]:
    """Each house, or if they are too many for that, all houses of each role and source."""
    kinds: dict[tuple[Role | None, Source | None], list[str]] = {}
    singles = []
    for house in sorted(house.house for house in terms.houses):
        contract = terms.contract_at(house, minute)
        role, source = (None, None) if contract is None else (contract.role, contract.source)
        kinds.setdefault((role, source), []).append(house)
        singles.append(Party(houses=(house,), role=role, source=source))
    if len(singles) <= MOST_HOUSES:
        return tuple(singles)
    order = [(role, source) for role in (*reversed(Role), None) for source in (None, *Source)]
    return tuple(
        Party(houses=tuple(kinds[kind]), role=kind[0], source=kind[1]) for kind in order if kind in kinds
    )


def _prices(terms: Terms, parties: Sequence[Party], minute: int) -> tuple[Price, ...]:
    prices = []
    for party in parties:
        if party.role is Role.PRODUCER:
            contracts = [terms.contract_at(house, minute) for house in party.houses]
            asked = sorted(contract.price / MICROCOINS_PER_COIN for contract in contracts if contract)
            prices.append(Price(houses=party.houses, source=party.source, lowest=asked[0], highest=asked[-1]))
    return tuple(prices)


def _tariffs(terms: Terms, minutes: range) -> Floats:
    """The national tariff of each minute, coins per kWh."""
    found = np.full(len(minutes), np.nan)
    for tariff in terms.tariffs:
        of = slice(max(0, tariff.valid_from - minutes.start), max(0, tariff.valid_to - minutes.start))
        found[of] = tariff.national / MICROCOINS_PER_COIN
    return found
