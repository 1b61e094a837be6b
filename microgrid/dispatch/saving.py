"""What load sharing saved against sharing off, minute by minute: an estimate from what was recorded.

The cost of a minute is Σ P·SR + import·T - export·F. It is compared with that of the same minute in which the
sellers that stood under an order had given the same power in all, equally loaded (see `EqualLoading`). So
what is imported or spilled because sellers follow a little behind is the same on both sides, and cancels.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from microgrid.block import Block, BlockTerms
from microgrid.columns import MinuteColumns, OrderColumns
from microgrid.directives import StrategyName
from microgrid.dispatch.cap import keep_cap
from microgrid.dispatch.equal_loading import EqualLoading
from microgrid.dispatch.situation import Bool, Fleet, Int, Situation
from microgrid.energy import minute_energy
from microgrid.ledger import block_terms, closed_seconds, make_block
from microgrid.minute import Fate, Hold
from microgrid.settlement import on_duty
from microgrid.terms import Cap, Tariff, Terms
from microgrid.units import SECONDS_PER_MINUTE, WS_PER_KWH

# Who could not give what was asked could not have given more without load sharing either.
_COULD_NOT = (Fate.UNMET, Fate.REFUSED, Fate.UNANSWERED)


def saved(
    terms: Terms, columns: MinuteColumns, orders: OrderColumns, strategies: Sequence[StrategyName]
) -> Int:
    """Micro-coins that sharing saved in each minute, negative where it cost more; 0 where it was off.

    `strategies` is how load was shared in each minute; houses of columns and orders are those of the terms.
    Minutes with the tie open count 0 too. LookupError where no tariff is in force.
    """
    net_ws, closed_s = minute_energy(columns).net_ws, closed_seconds(columns)
    shared = np.array([strategy is not StrategyName.OFF for strategy in strategies], dtype=np.bool_)
    amounts = np.zeros(len(shared), dtype=np.int64)
    for first, end in _cuts(terms, columns.first_minute, columns.end_minute):
        rows = slice(first - columns.first_minute, end - columns.first_minute)
        tariff = terms.tariff_at(first)
        block = make_block(terms, tariff, orders, net_ws, closed_s, rows)
        ordered = _Ordered.of(block_terms(terms, columns.houses, first), block, orders, rows)
        for row in np.flatnonzero(shared[rows] & block.tie_closed & ordered.steered.any(axis=1)):
            amounts[rows.start + row] = ordered.minute(int(row), columns.houses).saved(tariff)
    return amounts


def _cuts(terms: Terms, first: int, end: int) -> Iterator[tuple[int, int]]:
    """The range cut where a contract, a tariff or a membership begins or ends."""
    return pairwise(sorted({first, end} | {edge for edge in terms.edges() if first < edge < end}))


@dataclass(frozen=True)
class _Ordered:
    """Some minutes under one set of terms, and what was ordered in them: [minutes, houses]."""

    terms: BlockTerms
    block: Block
    steered: Bool  # obliged, connected, in service and under an order
    hold: Int
    could_not: Bool

    @classmethod
    def of(cls, terms: BlockTerms, block: Block, orders: OrderColumns, rows: slice) -> "_Ordered":
        """The rows of the orders that the block was made of."""
        fate = orders.fate[rows]
        steered = on_duty(terms, block) & (block.closed_s > 0)
        return cls(terms, block, steered & (fate != Fate.NONE), orders.hold[rows], np.isin(fate, _COULD_NOT))

    def minute(self, row: int, houses: tuple[str, ...]) -> "_Minute":
        """One of them."""
        steered, net_ws = self.steered[row], self.block.net_ws[row]
        export_ws = np.maximum(0, net_ws)
        given_w = export_ws[steered] // SECONDS_PER_MINUTE
        hold, rated_w = self.hold[row, steered], self.terms.max_w[steered]
        fixed = hold == Hold.OPERATOR
        max_w = np.where(fixed | self.could_not[row, steered], np.minimum(rated_w, given_w), rated_w)
        return _Minute(
            fleet=Fleet(
                houses=tuple(houses[place] for place in np.flatnonzero(steered)),
                min_w=np.where(fixed, max_w, np.minimum(self.terms.min_w[steered], max_w)),
                max_w=max_w,
                rated_w=rated_w,
                price=self.terms.price[steered],
                solar=np.zeros(len(rated_w), dtype=np.bool_),  # all the same to equal loading
            ),
            given_ws=export_ws[steered],
            demand_ws=int(np.maximum(0, -net_ws).sum()) - int(export_ws[~steered].sum()),
            capped=bool((hold == Hold.CAP).any()),
        )


@dataclass(frozen=True)
class _Minute:
    """One minute of the sellers under an order."""

    fleet: Fleet  # within what they could have given
    given_ws: Int
    demand_ws: int  # what all houses took, less what the other houses gave
    capped: bool  # a seller was held down by the cap

    def saved(self, tariff: Tariff) -> int:
        """Micro-coins by which equal loading would have cost more."""
        fleet, demand_w = self.fleet, max(0, self.demand_ws) // SECONDS_PER_MINUTE
        # What the cap cut is missing from what was given.
        asked_w = demand_w if self.capped else int(self.given_ws.sum()) // SECONDS_PER_MINUTE
        target_w = EqualLoading().targets(Situation(fleet, asked_w, fleet.min_w, True, SECONDS_PER_MINUTE))
        if tariff.cap is Cap.MINUTE or (tariff.cap is Cap.MONTH and self.capped):
            # Of the month's credit as much as was spent in this minute; what there was nobody has recorded.
            allowance = self._above(tariff.national) if tariff.cap is Cap.MONTH else 0
            target_w = keep_cap(fleet, target_w, demand_w, tariff, allowance)
        without = self._cost(target_w * SECONDS_PER_MINUTE, tariff)
        return (without - self._cost(self.given_ws, tariff) + WS_PER_KWH // 2) // WS_PER_KWH

    def _cost(self, given_ws: Int, tariff: Tariff) -> int:
        """Micro-coins times Ws per kWh that it costs if sellers give this."""
        short_ws = self.demand_ws - int(given_ws.sum())
        beyond = short_ws * (tariff.national if short_ws > 0 else tariff.feed_in)
        return int(given_ws @ self.fleet.price) + beyond

    def _above(self, national: int) -> int:
        """Micro-coins that the local energy did cost above the tariff."""
        total_ws = int(self.given_ws.sum())
        local_ws = min(total_ws, max(0, self.demand_ws))
        local = int(self.given_ws @ self.fleet.price) * local_ws // max(1, total_ws)
        return max(0, local - local_ws * national) // WS_PER_KWH
