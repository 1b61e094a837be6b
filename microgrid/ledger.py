"""The month's ledger: minutes go in block by block, statements come out.

A block is any run of consecutive minutes in order; however the month is cut, the sums are the same.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from microgrid.block import Block, BlockTerms, Settled
from microgrid.columns import BilledMinutes, MinuteColumns, StandingOrders
from microgrid.daybook import DaySums, LedgerPoint, OpenDay, totals
from microgrid.daylight import day_mask
from microgrid.energy import Profile, minute_energy, whole_energy
from microgrid.months import local_days, month_minutes, zone_of
from microgrid.settlement import Draft, draft, settled
from microgrid.statement import Account, EnergyBalance, PenaltyParts, Statements, Unit
from microgrid.terms import COMMON_ACCOUNTS, House, Obligation, Role, Tariff, Terms
from microgrid.units import SECONDS_PER_MINUTE

Int = NDArray[np.int64]
Bool = NDArray[np.bool_]
Value = TypeVar("Value", bound=np.generic)
_CELLS_AT_ONCE = 2**16  # few enough to stay in the processor's cache
_LEAST, _MOST = np.iinfo(np.int64).min, np.iinfo(np.int64).max


def block_terms(terms: Terms, houses: tuple[str, ...], minute: int) -> BlockTerms:
    """The terms in force in this minute, one entry a house; who is not a member has no contract."""
    members = {house.house for house in terms.houses if house.joined <= minute < house.left}
    # Found once for all: looking for each house anew takes as long as settling an hour of all of them.
    in_force = {c.house: c for c in reversed(terms.contracts) if c.valid_from <= minute < c.valid_to}
    contracts = [in_force.get(house) if house in members else None for house in houses]
    tariff = terms.tariff_at(minute)
    producer = [c is not None and c.role is Role.PRODUCER for c in contracts]
    return BlockTerms(
        producer=np.array(producer),
        consumer=np.array([c is not None and c.role is Role.CONSUMER for c in contracts]),
        daylight_only=np.array([c is not None and c.obligation is Obligation.DAYLIGHT for c in contracts]),
        max_w=np.array([c.max_w if c else 0 for c in contracts], dtype=np.int64),
        min_w=np.array([c.min_w if c else 0 for c in contracts], dtype=np.int64),
        price=np.array([c.price if c else 0 for c in contracts], dtype=np.int64),
        national=tariff.national,
        feed_in=tariff.feed_in,
        cap=tariff.cap,
        penalty_basis=tariff.penalty_basis,
        deadband_w=tariff.deadband_w,
    )


def make_block(
    terms: Terms,
    tariff: Tariff,
    orders: StandingOrders,
    net_ws: Int,
    closed_s: Int,
    rows: slice,
    known: Bool | None = None,
) -> Block:
    """What was measured and ordered in these rows, in the form the settlement takes.

    Orders count from a response time after the meter acknowledged them; a minute without an order
    row had no order and a closed tie. `known`: see `energy.MinuteEnergy` (None: everything is).
    """
    first, end = orders.first_minute + rows.start, orders.first_minute + rows.stop
    starts_s = np.arange(first, end, dtype=np.int64)[:, None] * SECONDS_PER_MINUTE
    present, raised = _cut(orders.present, rows), _cut(orders.raise_standing, rows)
    acknowledged, target_w = _cut(orders.acknowledged_s, rows), _cut(orders.target_w, rows)
    effective = (acknowledged >= 0) & (acknowledged + tariff.response_s <= starts_s)
    return Block(
        net_ws=_cut(net_ws, rows),
        closed_s=_cut(closed_s, rows),
        raise_standing=raised & effective,
        obeying=~raised & effective & (target_w >= 0),
        target_w=target_w,
        out_of_service=_cut(orders.out_of_service, rows),
        is_day=day_mask(first, end, zone_of(terms.zone)),
        tie_closed=np.logical_and.reduce(_cut(orders.tie_closed, rows) | ~present, axis=1),
        known=np.ones_like(present) if known is None else _cut(known, rows),
    )


def _cut(values: NDArray[Value], rows: slice) -> NDArray[Value]:
    """Some rows, minute by minute in memory (columns of a database lie there house by house)."""
    return np.ascontiguousarray(values[rows])


def closed_seconds(columns: MinuteColumns, was_closed: Bool | None = None) -> Int:
    """Seconds with the breaker closed; in an unheard minute the breaker is as last heard.

    `was_closed` says how it was before the columns (None: closed).
    """
    gaps = np.flatnonzero(~columns.present.all(axis=0))
    if not gaps.size:
        return columns.closed_s
    present, closed_s = columns.present[:, gaps], columns.closed_s[:, gaps]
    heard = np.where(present, np.arange(len(present))[:, None], -1)
    last = np.maximum.accumulate(heard, axis=0)
    carried = np.take_along_axis(closed_s, np.maximum(last, 0), axis=0) > 0
    carried = np.where(last < 0, True if was_closed is None else was_closed[gaps], carried)
    result = columns.closed_s.copy()
    result[:, gaps] = np.where(present, closed_s, np.where(carried, SECONDS_PER_MINUTE, 0))
    return result


@dataclass(frozen=True)
class Segment:
    """A run of minutes under one set of terms, settled: row i is minute `first_minute` + i."""

    first_minute: int
    terms: BlockTerms
    block: Block
    settled: Settled
    estimated: Bool


@dataclass(frozen=True)
class _Measured:
    """What was measured of some minutes: [minutes, houses]."""

    net_ws: Int
    estimated: Bool
    known: Bool
    closed_s: Int
    breaker_s: Int  # the same, also of those who are not members

    def put(self, houses: Int, of_houses: "_Measured") -> None:
        """Put what was measured of some houses in its place."""
        for name, values in vars(of_houses).items():
            if houses.size:
                getattr(self, name)[:, houses] = values

    def of_members(self, members: Bool) -> "_Measured":
        """Who is not a member has no energy, nothing estimated and an open breaker."""
        return _Measured(
            self.net_ws * members,
            self.estimated & members,
            self.known,
            self.closed_s * members,
            self.breaker_s,
        )


class MonthLedger:
    """Sums a month's postings. Minutes must come in order, without holes, from the month's first.

    `profile` tells what a house used to do, for long silences (see `energy.minute_energy`). With `start`,
    a point of the same month's ledger, minutes come from there on and are settled as they were then.
    ValueError for a `start` of another month or other houses.
    """

    def __init__(
        self, terms: Terms, month: str, profile: Profile | None = None, start: LedgerPoint | None = None
    ) -> None:
        self._terms = terms
        self._month = month
        self._profile = profile
        zone = zone_of(terms.zone)
        self.minutes = month_minutes(month, zone)
        listed = sorted(terms.houses, key=lambda house: house.house)
        self.houses = tuple(house.house for house in listed)
        count = len(listed)
        if start is None:
            start = LedgerPoint(minute=self.minutes.start, credit=0, was_closed=(True,) * count)
        if start.minute not in self.minutes or len(start.was_closed) != count:
            raise ValueError(f"minute {start.minute} is no point of the ledger of {month} of {count} houses")
        self._next, self.credit = start.minute, start.credit
        self._was_closed = np.array(start.was_closed, dtype=np.bool_)
        self._edges = terms.edges()
        self._block_terms: dict[int, BlockTerms] = {}  # by the edge they are in force from
        self._midnights = {day.start for day in local_days(self.minutes, zone)}
        self._days = [OpenDay(start, self.houses)]
        self._energy: Counter[str] = Counter()
        self._max_w = np.full(count, _LEAST)
        self._min_w = np.full(count, _MOST)
        self._heard = np.zeros(count, dtype=np.bool_)
        self._connection_w = _of_houses(listed, "connection_w")
        self._joined, self._left = _of_houses(listed, "joined"), _of_houses(listed, "left")

    def add(self, columns: MinuteColumns | BilledMinutes, orders: StandingOrders) -> None:
        """Settle the columns' minutes and add them up.

        ValueError if minutes are skipped, repeated or of another month, or the houses are others
        than the terms'.
        """
        for _ in self.segments(columns, orders):
            pass

    def segments(self, columns: MinuteColumns | BilledMinutes, orders: StandingOrders) -> Iterator[Segment]:
        """Like `add`, and gives what was settled segment by segment; all of them must be taken."""
        for settled_one in self.begun(columns, orders):
            yield settled_one()

    def begun(
        self, columns: MinuteColumns | BilledMinutes, orders: StandingOrders
    ) -> Iterator[Callable[[], Segment]]:
        """Like `segments`, but every segment is only begun, and settled and added up when it is called.

        All must be called once, in any order, one at a time; another thread may do that while this one goes
        on. Until then sums are without them.
        """
        if columns.first_minute != self._next or columns.end_minute > self.minutes.stop:
            raise ValueError(f"minute {columns.first_minute} does not follow; expected {self._next}")
        if columns.houses != self.houses or orders.houses != self.houses:
            raise ValueError("the minutes' houses are not the houses of the terms")
        measured = self._measured(columns)
        for start, stop in self._cuts(columns.first_minute, columns.end_minute):
            if start in self._midnights and start > self._days[-1].start.minute:
                self._days.append(OpenDay(self.point(), self.houses))
            terms = self._terms_from(start)
            tariff = self._terms.tariff_at(start)
            step = max(1, _CELLS_AT_ONCE // max(1, len(self.houses)))
            for first in range(start, stop, step):
                rows = slice(first - columns.first_minute, min(first + step, stop) - columns.first_minute)
                block = make_block(
                    self._terms, tariff, orders, measured.net_ws, measured.closed_s, rows, measured.known
                )
                begun = draft(terms, block, self.credit)
                self.credit = begun.credit
                self._next += len(block.net_ws)
                self._was_closed = measured.breaker_s[rows.stop - 1] > 0
                yield partial(self._finish, self._days[-1], begun, first, block, measured.estimated[rows])

    def _finish(self, day: OpenDay, begun: Draft, first: int, block: Block, estimated: Bool) -> Segment:
        """Settle a segment that was begun, and add it up."""
        result = settled(begun)
        day.add(result, block.net_ws, estimated)
        self._energy["sold"] += int(result.sold_energy.sum() + result.fed_in_energy.sum())
        self._energy["bought"] += int(result.bought_energy.sum() + result.tariff_energy.sum())
        across_tie = result.grid_microgrid_energy + result.grid_national_energy + result.losses_energy
        self._energy["imported"] += int(np.maximum(across_tie, 0).sum())
        self._energy["exported"] += int(np.maximum(-across_tie, 0).sum())
        return Segment(first, begun.market.agreed, block, result, estimated)

    def point(self) -> LedgerPoint:
        """Where the ledger stands: a ledger of the same terms and month carries on from here."""
        return LedgerPoint(minute=self._next, credit=self.credit, was_closed=tuple(self._was_closed.tolist()))

    def days(self) -> tuple[DaySums, ...]:
        """The sums of each local day added so far."""
        return tuple(day.sums() for day in self._days if day.end_minute > day.start.minute)

    def penalty_parts(self) -> dict[str, PenaltyParts]:
        """What each house's penalties are made of."""
        sums = totals(self.days(), len(self.houses))
        names = PenaltyParts.__struct_fields__
        return {
            house: PenaltyParts(**{name: int(sums[name][index]) for name in names})
            for index, house in enumerate(self.houses)
        }

    def _measured(self, columns: MinuteColumns | BilledMinutes) -> _Measured:
        """What the columns tell of each minute; nothing of a house outside of its membership."""
        members = self._members(columns.first_minute, columns.end_minute)
        if isinstance(columns, MinuteColumns):
            measured = self._of_registers(columns, np.arange(len(self.houses)), members)
        else:
            measured = self._of_whole(columns, members)
            others = np.flatnonzero(~columns.whole)
            measured.put(others, self._of_registers(columns.rest, others, members))
        return measured if members is None else measured.of_members(members)

    def _of_whole(self, columns: BilledMinutes, members: Bool | None) -> _Measured:
        energy = whole_energy(columns.exported_ws, columns.imported_ws, self._connection_w)
        present = np.broadcast_to(columns.whole, columns.closed_s.shape)
        self._note_powers(np.arange(len(self.houses)), present, columns.max_w, columns.min_w, members)
        closed_s = columns.closed_s if columns.whole.all() else columns.closed_s.copy()
        return _Measured(energy.net_ws, energy.estimated, energy.known, closed_s, closed_s)

    def _of_registers(self, columns: MinuteColumns, houses: Int, members: Bool | None) -> _Measured:
        energy = minute_energy(columns, self._connection_w[houses], self._profile)
        closed_s = closed_seconds(columns, self._was_closed[houses])
        joined = energy.known | energy.estimated
        if not joined.all():  # a house that was never heard yet has nothing to give
            closed_s = closed_s * joined
        self._note_powers(houses, columns.present, columns.max_w, columns.min_w, members)
        return _Measured(energy.net_ws, energy.estimated, energy.known, closed_s, closed_s)

    def _members(self, first: int, end: int) -> Bool | None:
        """Which houses are part of the micro-grid in which of these minutes; None: all in all."""
        if (self._joined <= first).all() and (self._left >= end).all():
            return None
        minute = np.arange(first, end)[:, None]
        members: Bool = (self._joined <= minute) & (minute < self._left)
        return members

    def _cuts(self, first: int, end: int) -> Iterator[tuple[int, int]]:
        """The range cut at local midnights and where a contract, tariff or membership begins or ends."""
        points = sorted({first, end} | {edge for edge in self._edges | self._midnights if first < edge < end})
        return pairwise(points)

    def _terms_from(self, minute: int) -> BlockTerms:
        """The terms in force from this minute on, found once for all days up to the next change."""
        since = max((edge for edge in self._edges if edge <= minute), default=0)
        if since not in self._block_terms:
            self._block_terms[since] = block_terms(self._terms, self.houses, minute)
        return self._block_terms[since]

    def _note_powers(self, houses: Int, present: Bool, max_w: Int, min_w: Int, members: Bool | None) -> None:
        """Note the largest and smallest powers of these houses where they are present, as members."""
        if members is not None:
            present = present & members[:, houses]
        whole = present.all(axis=0) & (len(present) > 0)
        for column in np.flatnonzero(present.any(axis=0) & ~whole):
            heard, house = present[:, column], houses[column]
            self._max_w[house] = max(self._max_w[house], max_w[heard, column].max())
            self._min_w[house] = min(self._min_w[house], min_w[heard, column].min())
        some = houses[whole]
        self._max_w[some] = np.maximum(self._max_w[some], max_w.max(axis=0, initial=_LEAST)[whole])
        self._min_w[some] = np.minimum(self._min_w[some], min_w.min(axis=0, initial=_MOST)[whole])
        self._heard[houses] |= present.any(axis=0)

    def statements(self) -> Statements:
        """The statements of the minutes added so far."""
        names = (*self.houses, *COMMON_ACCOUNTS)
        sums = totals(self.days(), len(names))
        accounts = {
            name: self._account(index, {of: int(values[index]) for of, values in sums.items()})
            for index, name in enumerate(names)
        }
        return Statements(
            month=self._month,
            zone=self._terms.zone,
            unit=Unit(),
            postings_total=sum(account.total for account in accounts.values()),
            energy=EnergyBalance(**{name: self._energy[name] for name in EnergyBalance.__struct_fields__}),
            accounts=accounts,
        )

    def _account(self, index: int, sums: dict[str, int]) -> Account:
        common = index - len(self.houses)
        role = self._role(self.houses[index]) if common < 0 else COMMON_ACCOUNTS[common]
        heard = common < 0 and self._heard[index]
        power_w = (int(self._min_w[index]), int(self._max_w[index])) if heard else (0, 0)
        low_w, high_w = power_w if role == Role.PRODUCER else (-power_w[1], -power_w[0])
        return Account(
            role=role,
            microgrid_energy=sums["microgrid_energy"],
            national_grid_energy=sums["national_grid_energy"],
            microgrid_amount=sums["microgrid_amount"],
            national_grid_amount=sums["national_grid_amount"],
            penalty_energy=sums["penalty_energy"],
            penalty_amount=sums["penalty_amount"],
            adjustments=0,
            total=sums["microgrid_amount"] + sums["national_grid_amount"] + sums["penalty_amount"],
            max_power_kw=max(0, high_w) / 1000,
            min_power_kw=max(0, low_w) / 1000,
            estimated_energy=sums["estimated_energy"],
            estimated_minutes=sums["estimated_minutes"],
        )

    def _role(self, house: str) -> str:
        """The house's role in the month: that of its last contract in it, or none."""
        first, end = self.minutes.start, self.minutes.stop
        mine = [
            c for c in self._terms.contracts if c.house == house and c.valid_from < end and c.valid_to > first
        ]
        return max(mine, key=lambda c: c.valid_from).role if mine else "none"


def _of_houses(houses: Sequence[House], field: str) -> Int:
    return np.array([getattr(house, field) for house in houses], dtype=np.int64)
