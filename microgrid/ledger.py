"""The month's ledger: minutes go in block by block, statements come out.

A block is any run of consecutive minutes in order; however the month is cut, the sums are the same.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from microgrid.columns import MinuteColumns, OrderColumns
from microgrid.daylight import day_mask
from microgrid.energy import minute_energy
from microgrid.months import month_minutes, zone_of
from microgrid.settlement import Block, BlockTerms, Settled, settle
from microgrid.statement import Account, EnergyBalance, Statements, Unit
from microgrid.terms import COMMON_ACCOUNTS, Contract, Obligation, Role, Tariff, Terms
from microgrid.units import SECONDS_PER_MINUTE

Int = NDArray[np.int64]
Value = TypeVar("Value", bound=np.generic)
_CELLS_AT_ONCE = 2**15  # few enough to stay in the processor's cache


def block_terms(terms: Terms, houses: tuple[str, ...], minute: int) -> BlockTerms:
    """The terms in force in this minute, one entry a house."""
    contracts = [terms.contract_at(house, minute) for house in houses]
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
    terms: Terms, tariff: Tariff, orders: OrderColumns, net_ws: Int, closed_s: Int, rows: slice
) -> Block:
    """What was measured and ordered in these rows, in the form the settlement takes.

    Orders count from a response time after the meter acknowledged them; a minute without an order
    row had no order and a closed tie.
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
    )


def _cut(values: NDArray[Value], rows: slice) -> NDArray[Value]:
    """Some rows, minute by minute in memory (columns of a database lie there house by house)."""
    return np.ascontiguousarray(values[rows])


def closed_seconds(columns: MinuteColumns, was_closed: NDArray[np.bool_] | None = None) -> Int:
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


class MonthLedger:
    """Sums a month's postings. Minutes must come in order, without holes, from the month's first."""

    def __init__(self, terms: Terms, month: str) -> None:
        self._terms = terms
        self._month = month
        self._zone = zone_of(terms.zone)
        self.minutes = month_minutes(month, self._zone)
        self._next = self.minutes.start
        self.credit = 0
        items: tuple[Contract | Tariff, ...] = (*terms.contracts, *terms.tariffs)
        self._edges = {edge for item in items for edge in (item.valid_from, item.valid_to)}
        self._block_terms: dict[int, BlockTerms] = {}  # by the edge they are in force from
        self.houses = tuple(sorted(house.house for house in terms.houses))
        count = len(self.houses)
        self._sums = {name: np.zeros(count, dtype=np.int64) for name in _HOUSE_COLUMNS}
        self._common: Counter[str] = Counter()
        self._energy: Counter[str] = Counter()
        self._max_w = np.full(count, np.iinfo(np.int64).min)
        self._min_w = np.full(count, np.iinfo(np.int64).max)
        self._heard = np.zeros(count, dtype=np.bool_)
        self._was_closed = np.ones(count, dtype=np.bool_)
        connections = {house.house: house.connection_w for house in terms.houses}
        self._connection_w = np.array([connections[house] for house in self.houses], dtype=np.int64)

    def add(self, columns: MinuteColumns, orders: OrderColumns) -> None:
        """Settle the columns' minutes and add them up.

        ValueError if minutes are skipped, repeated or of another month, or the houses are others
        than the terms'.
        """
        for _ in self.segments(columns, orders):
            pass

    def segments(self, columns: MinuteColumns, orders: OrderColumns) -> Iterator[Segment]:
        """Like `add`, and gives what was settled segment by segment; all of them must be taken."""
        if columns.first_minute != self._next or columns.end_minute > self.minutes.stop:
            raise ValueError(f"minute {columns.first_minute} does not follow; expected {self._next}")
        if columns.houses != self.houses or orders.houses != self.houses:
            raise ValueError("the minutes' houses are not the houses of the terms")
        energy = minute_energy(columns, self._connection_w)
        self._note_measured(columns, energy.net_ws, energy.estimated)
        closed_s = closed_seconds(columns, self._was_closed)
        for start, stop in self._cuts(columns.first_minute, columns.end_minute):
            terms = self._terms_from(start)
            tariff = self._terms.tariff_at(start)
            step = max(1, _CELLS_AT_ONCE // max(1, len(self.houses)))
            for first in range(start, stop, step):
                rows = slice(first - columns.first_minute, min(first + step, stop) - columns.first_minute)
                block = make_block(self._terms, tariff, orders, energy.net_ws, closed_s, rows)
                settled = settle(terms, block, self.credit)
                self.credit = settled.credit
                self._add_up(settled)
                yield Segment(first, terms, block, settled)
        self._next = columns.end_minute
        self._was_closed = self._closed_at_end(columns)

    def _closed_at_end(self, columns: MinuteColumns) -> NDArray[np.bool_]:
        """Whether each house's breaker was closed when it was last heard."""
        rows = np.arange(len(columns.present))[:, None]
        last = np.where(columns.present, rows, -1).max(axis=0, initial=-1)
        heard = np.flatnonzero(last >= 0)
        closed = self._was_closed.copy()
        closed[heard] = columns.closed_s[last[heard], heard] > 0
        return closed

    def _cuts(self, first: int, end: int) -> Iterator[tuple[int, int]]:
        """The range cut where a contract or tariff begins or ends."""
        points = sorted({first, end} | {edge for edge in self._edges if first < edge < end})
        return pairwise(points)

    def _terms_from(self, minute: int) -> BlockTerms:
        """The terms in force from this minute on, found once for all days up to the next change."""
        since = max((edge for edge in self._edges if edge <= minute), default=0)
        if since not in self._block_terms:
            self._block_terms[since] = block_terms(self._terms, self.houses, minute)
        return self._block_terms[since]

    def _note_measured(self, columns: MinuteColumns, net_ws: Int, estimated: NDArray[np.bool_]) -> None:
        for index, present in enumerate(columns.present.T):
            if present.any():
                self._heard[index] = True
                heard = slice(None) if present.all() else present
                self._max_w[index] = max(self._max_w[index], columns.max_w[heard, index].max())
                self._min_w[index] = min(self._min_w[index], columns.min_w[heard, index].min())
        self._sums["estimated_minutes"] += estimated.sum(axis=0)
        self._sums["estimated_energy"] += (net_ws * estimated).sum(axis=0)
        self._energy["sold"] += int(np.maximum(net_ws, 0).sum())
        self._energy["bought"] += int(np.maximum(-net_ws, 0).sum())

    def _add_up(self, settled: Settled) -> None:
        for name in _SETTLED_BY_HOUSE:
            self._sums[name] += getattr(settled, name).sum(axis=0)
        for name in _SETTLED_IN_COMMON:
            self._common[name] += int(getattr(settled, name).sum())
        across_tie = settled.grid_microgrid_energy + settled.grid_national_energy + settled.losses_energy
        self._energy["imported"] += int(np.maximum(across_tie, 0).sum())
        self._energy["exported"] += int(np.maximum(-across_tie, 0).sum())

    def statements(self) -> Statements:
        """The statements of the minutes added so far."""
        accounts = {house: self._house_account(i, house) for i, house in enumerate(self.houses)}
        accounts |= self._common_accounts()
        return Statements(
            month=self._month,
            zone=self._terms.zone,
            unit=Unit(),
            postings_total=sum(account.total for account in accounts.values()),
            energy=EnergyBalance(**{name: self._energy[name] for name in EnergyBalance.__struct_fields__}),
            accounts=accounts,
        )

    def _house_account(self, index: int, house: str) -> Account:
        sums = {name: int(column[index]) for name, column in self._sums.items()}
        role = self._role(house)
        power_w = (int(self._min_w[index]), int(self._max_w[index])) if self._heard[index] else (0, 0)
        low_w, high_w = power_w if role == Role.PRODUCER else (-power_w[1], -power_w[0])
        return Account(
            role=role,
            microgrid_energy=sums["microgrid_energy"],
            national_grid_energy=sums["national_energy"],
            microgrid_amount=sums["microgrid_amount"],
            national_grid_amount=sums["national_amount"],
            penalty_energy=sums["penalty_energy"],
            penalty_amount=sums["penalty_amount"],
            adjustments=0,
            total=sums["microgrid_amount"] + sums["national_amount"] + sums["penalty_amount"],
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

    def _common_accounts(self) -> dict[str, Account]:
        common = self._common
        grid = (
            common["grid_microgrid_energy"],
            common["grid_national_energy"],
            common["grid_microgrid_amount"],
            common["grid_national_amount"],
            0,
        )
        reserve = (0, 0, common["reserve_microgrid_amount"], 0, common["reserve_penalty_amount"])
        losses = (0, common["losses_energy"], 0, 0, 0)
        return {
            name: _common_account(name, *figures)
            for name, figures in zip(COMMON_ACCOUNTS, (grid, reserve, losses), strict=True)
        }


def _common_account(
    role: str, microgrid_energy: int, national_energy: int, microgrid: int, national: int, penalty: int
) -> Account:
    return Account(
        role=role,
        microgrid_energy=microgrid_energy,
        national_grid_energy=national_energy,
        microgrid_amount=microgrid,
        national_grid_amount=national,
        penalty_energy=0,
        penalty_amount=penalty,
        adjustments=0,
        total=microgrid + national + penalty,
        max_power_kw=0.0,
        min_power_kw=0.0,
        estimated_energy=0,
        estimated_minutes=0,
    )


_SETTLED_BY_HOUSE = (
    "microgrid_energy",
    "national_energy",
    "microgrid_amount",
    "national_amount",
    "penalty_energy",
    "penalty_amount",
)
_SETTLED_IN_COMMON = (
    "grid_microgrid_energy",
    "grid_national_energy",
    "grid_microgrid_amount",
    "grid_national_amount",
    "reserve_microgrid_amount",
    "reserve_penalty_amount",
    "losses_energy",
)
_HOUSE_COLUMNS = (*_SETTLED_BY_HOUSE, "estimated_energy", "estimated_minutes")
