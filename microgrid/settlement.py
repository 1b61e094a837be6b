"""The settlement of minutes: who pays whom for each kWh (5.6-5.8, settled so that money is conserved).

The eight points are those of docs/settlement.md. Energy is positive into the micro-grid, an amount
positive where the account receives. Energy, and each column of amounts, sums to zero over houses,
national grid, reserve and losses in every minute. Sellers and buyers are worked out apart from one
another, each without the houses that have no part in it.
"""

from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from microgrid.apportion import apportion, fill_level
from microgrid.block import Block, BlockTerms, Settled
from microgrid.terms import Cap, PenaltyBasis
from microgrid.units import SECONDS_PER_MINUTE, WS_PER_KWH

Int = NDArray[np.int64]
Bool = NDArray[np.bool_]
_BY_MINUTE = ("is_day", "tie_closed")


Record = TypeVar("Record", BlockTerms, Block)


@dataclass(frozen=True)
class Market:
    """A block by its two sides, each without the houses that have no part in it; see `market`."""

    agreed: BlockTerms  # of all houses
    sellers: Int  # the columns of houses that export in any minute, or owe power by a producer's contract
    buyers: Int  # the columns of houses that import in any minute
    terms: BlockTerms  # of the sellers
    block: Block  # of the sellers
    export: Int  # [minutes, sellers]
    imports: Int  # [minutes, buyers]
    supply: Int  # the sums of each minute
    demand: Int


def market(terms: BlockTerms, block: Block) -> Market:
    """The block's sellers and buyers."""
    net = block.net_ws
    sellers = np.flatnonzero(terms.producer | (net > 0).any(axis=0))
    buyers = np.flatnonzero((net < 0).any(axis=0))
    of_sellers = _of_houses(block, sellers)
    export, imports = np.maximum(of_sellers.net_ws, 0), np.maximum(-net[:, buyers], 0)
    return Market(
        agreed=terms,
        sellers=sellers,
        buyers=buyers,
        terms=_of_houses(terms, sellers),
        block=of_sellers,
        export=export,
        imports=imports,
        supply=export.sum(axis=1),
        demand=imports.sum(axis=1),
    )


def _of_houses(record: Record, columns: Int) -> Record:
    """Terms or block of some houses. What has one value a minute stays as it is."""
    arrays: dict[str, Any] = {
        name: value[..., columns]
        for name, value in vars(record).items()
        if isinstance(value, np.ndarray) and name not in _BY_MINUTE
    }
    return replace(record, **arrays)


@dataclass(frozen=True)
class LocalTrade:
    """Points 1 and 2 of a block: energy that stays in the micro-grid, and what it costs; by seller."""

    instructed: Int  # p_i that stays
    uninstructed: Int  # u_i that stays
    exported: Int  # what leaves to the national grid, per house
    energy: Int  # L
    price_weight: Int  # l_i · price_i, the seller's local revenue before rounding and cap
    cost: Int  # Σ of it in micro-coins
    ceiling: Int  # T · L in micro-coins, rounded down


def local_trade(terms: BlockTerms, block: Block) -> LocalTrade:
    """Points 1 and 2 alone, for who needs no more of a settlement."""
    return _local_trade(market(terms, block))


def _local_trade(m: Market) -> LocalTrade:
    """Instructed before uninstructed export, the rest to the national grid."""
    terms, block = m.terms, m.block
    allowed_w = _held(terms.max_w * terms.producer, block.target_w + terms.deadband_w, block.obeying)
    instructed = np.minimum(m.export, allowed_w * SECONDS_PER_MINUTE)
    uninstructed = m.export - instructed
    local_p = np.minimum(instructed.sum(axis=1), m.demand)
    local_u = np.minimum(uninstructed.sum(axis=1), m.demand - local_p)
    kept_p = apportion(local_p, instructed)
    kept_u = apportion(local_u, uninstructed)
    weight = kept_p * terms.price + kept_u * terms.feed_in
    energy = local_p + local_u
    return LocalTrade(
        instructed=kept_p,
        uninstructed=kept_u,
        exported=m.export - kept_p - kept_u,
        energy=energy,
        price_weight=weight,
        cost=_rounded(weight.sum(axis=1)),
        ceiling=_priced(energy, terms.national, 0),
    )


def capped_cost(trade: LocalTrade, cap: Cap, credit: int) -> tuple[Int, int]:
    """What buyers pay for the local energy of each minute, and the credit afterwards (5.7, the cap).

    Paying min(SR, T + credit / L) per kWh makes the credit max(0, credit + T·L - SR·L): a walk that is
    held at zero, so the month is a running sum less its running minimum.
    """
    if cap is Cap.OFF:
        return trade.cost, 0
    if cap is Cap.MINUTE:
        return np.minimum(trade.cost, trade.ceiling), 0
    walk = credit + np.cumsum(trade.ceiling - trade.cost)
    after = walk - np.minimum(np.minimum.accumulate(walk), 0) if walk.size else walk
    before = np.concatenate(([credit], after[:-1]))
    return np.minimum(trade.cost, trade.ceiling + before), int(after[-1]) if after.size else credit


def allotments(terms: BlockTerms, available_ws: Int) -> Int:
    """Each consumer's share of what sellers can give: min(BP_j, Pmax / M), 0 for others; in Ws (5.5)."""
    share = available_ws // max(1, int(terms.consumer.sum()))
    declared = terms.max_w * terms.consumer * SECONDS_PER_MINUTE
    allotted: Int = np.minimum(declared, share[:, None])
    return allotted


def on_duty(terms: BlockTerms, block: Block) -> Bool:
    """Which sellers are obliged in which minutes [minutes, houses]: by contract, daylight and service."""
    by_night = terms.daylight_only & ~block.is_day[:, None]
    obliged: Bool = terms.producer & ~by_night & ~block.out_of_service
    return obliged


def available_ws(terms: BlockTerms, block: Block) -> Int:
    """What connected, obliged sellers can give in each minute (Pmax), in Ws (5.6)."""
    available: Int = (on_duty(terms, block) * terms.max_w * block.closed_s).sum(axis=1)
    return available


@dataclass(frozen=True)
class ImportBlame:
    """Points 3 and 4: why energy came from the national grid, and who answers for it (5.7.1)."""

    duty: Bool  # sellers obliged in the minute
    answerable: Bool  # those of them that can be charged for what they did not deliver
    deficit: Int  # x_i: what a seller under a standing raise failed to deliver
    blamed: Int  # Σx per minute
    at_tariff: Int  # what each buyer pays the national tariff for


def import_blame(m: Market) -> ImportBlame:
    """Divide what was imported among buyers beyond their allotment, sellers to blame, and the rest."""
    terms, block = m.terms, m.block
    duty = on_duty(terms, block)
    answerable = duty & block.known & block.tie_closed[:, None]
    missing = np.maximum(0, m.demand - m.supply)
    available = available_ws(terms, block)
    by_buyers = np.minimum(missing, np.maximum(0, m.demand - available))
    by_sellers = missing - by_buyers
    overdrawn = np.zeros_like(m.imports)
    if by_buyers.any():
        overdrawn = apportion(
            by_buyers, np.maximum(0, m.imports - allotments(m.agreed, available)[:, m.buyers])
        )
    deficit = _deficits(m, answerable, by_sellers)
    blamed = deficit.sum(axis=1)
    at_tariff = overdrawn + apportion(by_sellers - blamed, m.imports - overdrawn)
    return ImportBlame(duty, answerable, deficit, blamed, at_tariff)


def _deficits(m: Market, answerable: Bool, by_sellers: Int) -> Int:
    """x_i = min(h_i, λ) with Σx = min(X_s, Σh): equal shares, nobody beyond its own shortfall."""
    result = np.zeros_like(m.export)
    rows = np.flatnonzero(by_sellers)
    if rows.size:
        target_w = m.block.target_w[rows]
        goal_w = _held(m.terms.max_w, target_w, target_w >= 0)
        asked = (m.block.raise_standing & answerable)[rows]
        short = np.maximum(0, goal_w * SECONDS_PER_MINUTE - m.export[rows]) * asked
        result[rows] = fill_level(np.minimum(by_sellers[rows], short.sum(axis=1)), short)
    return result


@dataclass(frozen=True)
class Draft:
    """A block settled as far as the next one needs it: `credit` is the cap's after it."""

    market: Market
    trade: LocalTrade
    local_amount: Int  # what buyers pay for local energy
    credit: int


def draft(terms: BlockTerms, block: Block, credit: int) -> Draft:
    """Begin a block; `credit` is the cap's credit from the month's earlier minutes."""
    m = market(terms, block)
    trade = _local_trade(m)
    local_amount, credit = capped_cost(trade, terms.cap, credit)
    return Draft(m, trade, local_amount, credit)


def settle(terms: BlockTerms, block: Block, credit: int) -> Settled:
    """Settle a block of minutes; `credit` is the cap's credit from the month's earlier minutes."""
    return settled(draft(terms, block, credit))


def settled(begun: Draft) -> Settled:
    """The postings of a block that was begun."""
    m, trade, local_amount = begun.market, begun.trade, begun.local_amount
    terms, block = m.agreed, m.block
    blame = import_blame(m)
    at_rate = m.imports - blame.at_tariff
    # What the national grid is due for energy it delivered in place of sellers, and what buyers pay for it.
    replaced = _priced(blame.blamed, terms.national)
    substitute = _substitute_amount(m, trade, local_amount, blame.blamed, replaced)
    below, short_amount, below_amount = _penalties(m, blame, substitute, replaced)

    tariff_energy, feed_energy = blame.at_tariff.sum(axis=1), trade.exported.sum(axis=1)
    tariff_amount = _priced(tariff_energy, terms.national) * block.tie_closed
    feed_amount = _priced(feed_energy, terms.feed_in) * block.tie_closed
    across_tie = tariff_energy - feed_energy
    return Settled(
        houses=len(terms.producer),
        sellers=m.sellers,
        buyers=m.buyers,
        sold_energy=trade.instructed + trade.uninstructed,
        fed_in_energy=trade.exported,
        sold_amount=_seller_credits(m, trade, local_amount),
        fed_in_amount=apportion(feed_amount, trade.exported),
        short_energy=blame.deficit,
        short_amount=short_amount,
        below_energy=below,
        below_amount=below_amount,
        bought_energy=at_rate,
        tariff_energy=blame.at_tariff,
        bought_amount=apportion(local_amount + substitute, at_rate),
        tariff_amount=apportion(tariff_amount, blame.at_tariff),
        grid_microgrid_energy=blame.blamed,
        grid_national_energy=across_tie * block.tie_closed,
        grid_microgrid_amount=replaced,
        grid_national_amount=tariff_amount - feed_amount,
        reserve_microgrid_amount=substitute - replaced,
        reserve_penalty_amount=short_amount.sum(axis=1) + below_amount.sum(axis=1),
        losses_energy=across_tie * ~block.tie_closed,
        local_energy=trade.energy,
        local_amount=local_amount,
        credit=begun.credit,
    )


def _substitute_amount(m: Market, trade: LocalTrade, local_amount: Int, blamed: Int, replaced: Int) -> Int:
    """What buyers pay for energy that sellers owed and the national grid delivered: the billed rate.

    With the cap on never above the tariff: a credit earned by local energy is not spent on the
    national grid's, so that the month's mean stays at or below the tariff.
    """
    rate = local_amount / np.maximum(trade.energy, 1)
    amount = np.where(trade.energy > 0, np.floor(rate * blamed + 0.5).astype(np.int64), replaced)
    return amount if m.terms.cap is Cap.OFF else np.minimum(amount, replaced)


def _seller_credits(m: Market, trade: LocalTrade, local_amount: Int) -> Int:
    """What sellers receive for local energy: their price, less the cap's haircut on dear sellers.

    Sellers priced above the billed rate r get SR - λ·(SR - r), with λ such that credits equal r·L.
    """
    weight = trade.price_weight
    rows = np.flatnonzero(local_amount < trade.cost)
    if rows.size:
        rate = local_amount[rows] / trade.energy[rows] * WS_PER_KWH
        above = trade.instructed[rows] * np.maximum(0, m.terms.price - rate[:, None])
        excess = np.maximum(0, weight[rows].sum(axis=1) - rate * trade.energy[rows])
        haircut = above * np.minimum(1, excess / np.maximum(above.sum(axis=1), 1))[:, None]
        weight = weight.copy()
        weight[rows] -= haircut.astype(np.int64)
    return apportion(local_amount, weight)


def _penalties(m: Market, blame: ImportBlame, substitute: Int, replaced: Int) -> tuple[Int, Int, Int]:
    """Point 5: energy below the contract's minimum, and the amounts for deficit and minimum (5.8.1).

    The deficit is priced at the tariff, or, on the replacement-cost basis, at what the national grid
    is due beyond what buyers paid. No kWh is charged twice.
    """
    terms, target_w = m.terms, m.block.target_w
    floor_w = _held(terms.min_w, target_w, target_w >= 0)
    below = np.maximum(0, floor_w * SECONDS_PER_MINUTE - m.export - blame.deficit)
    below *= blame.answerable
    total = replaced
    if terms.penalty_basis is PenaltyBasis.REPLACEMENT_COST:
        total = replaced - np.minimum(substitute, replaced)
    return below, apportion(total, blame.deficit), _priced(below, terms.national)


def _held(limit_w: Int, target_w: Int, holds: Bool) -> Int:
    """The limit, or the target where it is lower and holds.

    By a product, here and elsewhere: choosing cell by cell (`np.where`) takes several times as long.
    """
    held: Int = limit_w - np.maximum(0, limit_w - target_w) * holds
    return held


def _rounded(amount: Int) -> Int:
    """Micro-coins from Ws · micro-coins/kWh, half up; the amount may not be negative."""
    return (amount + WS_PER_KWH // 2) // WS_PER_KWH


def _priced(energy_ws: Int, price: int, rounding: int = WS_PER_KWH // 2) -> Int:
    """Micro-coins for energy at a price, half up, or down if `rounding` is 0.

    In two steps, because 254 houses of 1 MW at the highest price exceed 64 bits as one product.
    """
    whole = energy_ws // WS_PER_KWH
    rest = energy_ws - whole * WS_PER_KWH
    amount: Int = whole * price + (rest * price + rounding) // WS_PER_KWH
    return amount
