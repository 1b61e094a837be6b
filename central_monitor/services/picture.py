"""The picture of this moment that the windows are shown, put together from what the services know."""

from collections.abc import Mapping, Sequence

import numpy as np

from central_monitor.services.agreed import Agreed
from central_monitor.services.contracts import ContractDesk
from central_monitor.services.live import HouseLive, LiveState, exchanged_ws
from central_monitor.services.orders import Order, fate
from central_monitor.snapshot import (
    ByHand,
    CentralSnapshot,
    HouseView,
    LinkState,
    LiveSplit,
    MonthView,
    OrderView,
    PoolView,
    RoundView,
    SharingView,
    Stranger,
    Work,
)
from microgrid.columns import order_columns
from microgrid.daylight import is_day, next_turn
from microgrid.ledger import block_terms, make_block
from microgrid.minute import OrderMinute
from microgrid.months import zone_of
from microgrid.pool import Pool
from microgrid.sample import Quality, Sample
from microgrid.settlement import settle
from microgrid.statement import Statements
from microgrid.terms import Contract, Role, Tariff, Terms
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
        saved: tuple[int, int] | None = None,
    ) -> CentralSnapshot:
        """The micro-grid at this moment; `standing` are the orders as the minute would record them.

        `saved` is what sharing has saved in micro-coins, and from which minute on. LookupError if no tariff
        is in force.
        """
        minute = now_ms // (1000 * SECONDS_PER_MINUTE)
        fresh_after_ms = now_ms - self._fresh_ms
        now = self._live.pool(minute, credit, fresh_after_ms)
        terms, contracts = self._agreed.terms, self._agreed.contracts_at(minute)
        splits = live_splits(terms, minute, self._live.heard_since(fresh_after_ms), standing, credit)
        allotted = allotments(contracts, now)
        tariff = terms.tariff_at(minute)
        views = {
            house: self._order(order, live, now_ms // 1000, tariff)
            for house, live in self._live.houses.items()
            if (order := orders.get(house)) is not None
        }
        return CentralSnapshot(
            now_s=now_ms / 1000,
            zone=terms.zone,
            houses=tuple(
                self._house(live, now_ms, contracts.get(house), views.get(house), allotted, splits, month)
                for house, live in self._live.houses.items()
            ),
            pool=PoolView(
                produced_w=now.produced_w,
                consumed_w=now.consumed_w,
                available_w=now.available_w,
                pool_w=now.pool_w,
                national_w=now.national_w,
                rate=None if now.rate is None else now.billed_rate,
                tariff=tariff.national,
                is_day=is_day(minute, self._zone),
            ),
            tie_closed=True,
            notices=self._live.notices,
            recorder_fault=self._live.recorder_fault,
            round=self._round(),
            strangers=tuple(Stranger(house, at_s) for house, at_s in self._live.strangers.items()),
            work=work,
            papers=papers,
            sharing=self._sharing(minute, saved),
        )

    def _house(
        self,
        live: HouseLive,
        now_ms: int,
        contract: Contract | None,
        order: OrderView | None,
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
            order=order,
            round_trip_ms=live.round_trip_ms,
            last_minute=None if live.last is None else live.last.minute,
            allotment_w=allotted.get(live.house.house),
            split=splits.get(live.house.house) if fresh else None,
            month=_month(month, live.house.house),
            by_hand=self._by_hand(live.house.house, now_ms // (1000 * SECONDS_PER_MINUTE)),
        )

    @staticmethod
    def _order(order: Order, live: HouseLive, now_s: int, tariff: Tariff) -> OrderView:
        export_w = 0 if live.sample is None else max(0, live.sample.exchange_p_w)
        return OrderView(
            target_w=order.target_w,
            raise_standing=order.raised,
            hold=order.hold,
            acknowledged=order.acknowledged_s is not None,
            fate=fate(order, export_w, now_s, tariff.deadband_w, tariff.response_s),
            command_id=order.command_id,
            given_s=order.given_s,
            answer=order.answer,
            unable_since_s=order.following.unable_since_s,
        )

    def _by_hand(self, house: str, minute: int) -> ByHand | None:
        standing = self._live.standing
        if standing.out_of_service(house, minute):
            out = standing.out[house]
            return ByHand(None, out.until_minute, out.author, out.note)
        if (held := standing.held.get(house)) is not None:
            return ByHand(held.target_w, None, held.author, held.note)
        return None

    def _sharing(self, minute: int, saved: tuple[int, int] | None) -> SharingView:
        standing = self._live.standing
        by = standing.strategy_by
        coins, since = (None, 0) if saved is None else saved
        return SharingView(
            strategy=standing.strategy,
            author="" if by is None else by.author,
            note="" if by is None else by.note,
            turns_minute=next_turn(minute, self._zone),
            saved=coins,
            saved_from_minute=since,
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
