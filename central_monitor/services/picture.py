"""The picture of this moment that the windows are shown, put together from what the services know."""

from collections.abc import Mapping, Sequence

import numpy as np

from central_monitor.services.agreed import Agreed
from central_monitor.services.contracts import ContractDesk
from central_monitor.services.live import HouseLive, LiveState, exchanged_ws
from central_monitor.services.orders import Order
from central_monitor.snapshot import (
    CentralSnapshot,
    HouseView,
    LinkState,
    LiveSplit,
    MonthView,
    OrderView,
    PoolView,
    RoundView,
    Stranger,
    Work,
)
from microgrid.columns import order_columns
from microgrid.daylight import is_day
from microgrid.ledger import block_terms, make_block
from microgrid.minute import OrderMinute
from microgrid.months import zone_of
from microgrid.pool import Pool
from microgrid.sample import Quality, Sample
from microgrid.settlement import settle
from microgrid.statement import Statements
from microgrid.terms import Contract, Role, Terms
from microgrid.units import SECONDS_PER_MINUTE


def allotments(contracts: Mapping[str, Contract], now: Pool) -> dict[str, int]:
    """What each consumer may take now at the rate, in W: min(BP, Pmax / M) (5.5).

    M is the number of consumer contracts in force, as it is settled: also of houses that are not heard.
    """
    consumers = {house: contract for house, contract in contracts.items() if contract.role is Role.CONSUMER}
    return {house: min(c.max_w, now.available_w // len(consumers)) for house, c in consumers.items()}


def live_splits(
    terms: Terms, minute: int, samples: Mapping[str, Sample], orders: Sequence[OrderMinute], credit: int
) -> dict[str, LiveSplit]:
    """The power of each house heard, divided as the settlement would if it lasted a minute (Fig 8.4)."""
    houses = tuple(sorted(house.house for house in terms.houses))
    exchange_w = np.array([[samples[h].exchange_p_w if h in samples else 0 for h in houses]], dtype=np.int64)
    closed = np.array([[h in samples and samples[h].grid_breaker_closed for h in houses]])
    columns = order_columns(houses, range(minute, minute + 1), orders)
    block = make_block(
        terms,
        terms.tariff_at(minute),
        columns,
        exchange_w * SECONDS_PER_MINUTE,
        closed * SECONDS_PER_MINUTE,
        slice(0, 1),
        known=np.array([[house in samples for house in houses]]),
    )
    settled = settle(block_terms(terms, houses, minute), block, credit)
    traded_w = np.rint(settled.microgrid_energy[0] / SECONDS_PER_MINUTE).astype(np.int64)
    default_w = np.rint(settled.penalty_energy[0] / SECONDS_PER_MINUTE).astype(np.int64)
    return {
        house: LiveSplit(
            microgrid_w=int(traded_w[i]),
            national_w=int(exchange_w[0, i] - traded_w[i]),  # together exactly what was measured
            default_w=int(default_w[i]),
        )
        for i, house in enumerate(houses)
        if house in samples
    }


class Picture:
    """Makes snapshots. Owned by the network thread, as all it looks at."""

    def __init__(self, agreed: Agreed, live: LiveState, desk: ContractDesk, fresh_ms: int) -> None:
        """A sample older than `fresh_ms` is stale."""
        self._agreed = agreed
        self._live = live
        self._desk = desk
        self._fresh_ms = fresh_ms
        self._zone = zone_of(agreed.terms.zone)

    def take(
        self,
        now_ms: int,
        credit: int,
        orders: Mapping[str, Order],
        standing: Sequence[OrderMinute],
        month: Statements | None,
        work: Work | None,
        papers: int,
    ) -> CentralSnapshot:
        """The micro-grid at this moment; `standing` are the orders as the minute would record them.

        LookupError if no tariff is in force.
        """
        minute = now_ms // (1000 * SECONDS_PER_MINUTE)
        fresh_after_ms = now_ms - self._fresh_ms
        now = self._live.pool(minute, credit, fresh_after_ms)
        terms, contracts = self._agreed.terms, self._agreed.contracts_at(minute)
        splits = live_splits(terms, minute, self._live.heard_since(fresh_after_ms), standing, credit)
        allotted = allotments(contracts, now)
        return CentralSnapshot(
            now_s=now_ms / 1000,
            zone=terms.zone,
            houses=tuple(
                self._house(live, now_ms, contracts.get(house), orders.get(house), allotted, splits, month)
                for house, live in self._live.houses.items()
            ),
            pool=PoolView(
                produced_w=now.produced_w,
                consumed_w=now.consumed_w,
                available_w=now.available_w,
                pool_w=now.pool_w,
                national_w=now.national_w,
                rate=None if now.rate is None else now.billed_rate,
                tariff=terms.tariff_at(minute).national,
                is_day=is_day(minute, self._zone),
            ),
            tie_closed=True,
            notices=self._live.notices,
            recorder_fault=self._live.recorder_fault,
            round=self._round(),
            strangers=tuple(Stranger(house, at_s) for house, at_s in self._live.strangers.items()),
            work=work,
            papers=papers,
        )

    def _house(
        self,
        live: HouseLive,
        now_ms: int,
        contract: Contract | None,
        order: Order | None,
        allotted: Mapping[str, int],
        splits: Mapping[str, LiveSplit],
        month: Statements | None,
    ) -> HouseView:
        heard = live.sample is not None
        age_ms = max(0, now_ms - live.sample_ms)
        fresh = heard and age_ms <= self._fresh_ms and live.link is LinkState.LINKED
        return HouseView(
            house=live.house.house,
            name=live.house.name,
            contract=contract,
            link=live.link,
            sample=live.sample,
            quality=Quality.GOOD if fresh else Quality.STALE,
            age_s=age_ms / 1000 if heard else None,
            exchanged_ws=exchanged_ws(live),
            minutes_waiting=live.outbox,
            order=None
            if order is None
            else OrderView(order.target_w, order.raised, order.hold, order.acknowledged_s is not None),
            round_trip_ms=live.round_trip_ms,
            last_minute=None if live.last is None else live.last.minute,
            allotment_w=allotted.get(live.house.house),
            split=splits.get(live.house.house) if fresh else None,
            month=_month(month, live.house.house),
        )

    def _round(self) -> RoundView | None:
        asked = self._desk.newest
        if asked is None:
            return None
        refusals = {house: self._desk.refusal(asked, house) for house in asked.waiting}
        return RoundView(
            month=asked.month,
            closes_s=asked.closes_s,
            agreed=tuple(entry.house for entry in asked.entries),
            waiting=asked.waiting,
            refused={house: " ".join(faults.values()) for house, faults in refusals.items() if faults},
            final=asked.final_s is not None,
        )


def _month(statements: Statements | None, house: str) -> MonthView | None:
    account = None if statements is None else statements.accounts.get(house)
    if account is None:
        return None
    return MonthView(
        microgrid_energy=account.microgrid_energy,
        national_energy=account.national_grid_energy,
        microgrid_amount=account.microgrid_amount,
        national_amount=account.national_grid_amount,
        penalty_amount=account.penalty_amount,
    )
