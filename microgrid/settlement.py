"""The settlement of minutes: who pays whom for each kWh (5.6-5.8, settled so that money is conserved).

The eight points are those of docs/settlement.md. A block is some consecutive minutes [minutes] of all
houses [houses], sorted by ID, under one set of terms. Energies are Ws, amounts micro-coins, both
int64; energy is positive into the micro-grid, an amount positive where the account receives. Energy,
and each column of amounts, sums to zero over houses, national grid, reserve and losses in every minute.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from microgrid.apportion import apportion, fill_level
from microgrid.terms import Cap, PenaltyBasis
from microgrid.units import SECONDS_PER_MINUTE, WS_PER_KWH

Int = NDArray[np.int64]
Bool = NDArray[np.bool_]


@dataclass(frozen=True)
class BlockTerms:
    """The terms of a block: one entry a house, and the tariff's figures (see `terms.Tariff`)."""

    producer: Bool
    consumer: Bool
    daylight_only: Bool
    max_w: Int  # Gmax of a producer, declared maximum (BP) of a consumer
    min_w: Int
    price: Int  # SR, micro-coins per kWh
    national: int  # T
    feed_in: int  # F
    cap: Cap
    penalty_basis: PenaltyBasis
    deadband_w: int


@dataclass(frozen=True)
class Block:
    """What was measured and ordered: [minutes, houses], or [minutes] where a minute has one value."""

    net_ws: Int  # exported minus imported
    closed_s: Int  # seconds with the grid breaker closed
    raise_standing: Bool  # acknowledged a response time before the minute and stood to its end
    obeying: Bool  # an acknowledged LOWER or cap target past its response time
    target_w: Int  # -1: none
    out_of_service: Bool
    is_day: Bool
    tie_closed: Bool
    known: Bool  # False where no register tells what the house gave: nothing is charged for what it owed


@dataclass(frozen=True)
class Settled:
    """The postings of a block, by house and by the three common accounts, and the credit carried on.

    `microgrid` is energy traded at the micro-grid's rate, `national` energy at the national grid's
    prices, `penalty` what a seller owes for what it failed to deliver: its deficit under a raise, and what
    its minimum lacked beyond that. Energy of penalties was owed and did not flow; it is in no balance.
    """

    microgrid_energy: Int
    national_energy: Int
    microgrid_amount: Int
    national_amount: Int
    deficit_energy: Int
    deficit_amount: Int
    minimum_energy: Int
    minimum_amount: Int
    grid_microgrid_energy: Int
    grid_national_energy: Int
    grid_microgrid_amount: Int
    grid_national_amount: Int
    reserve_microgrid_amount: Int
    reserve_penalty_amount: Int
    losses_energy: Int
    local_energy: Int  # L
    local_amount: Int  # what buyers pay for L
    credit: int  # the cap's credit after the block

    @property
    def penalty_energy(self) -> Int:
        """Both parts of the penalties, by minute and house."""
        return self.deficit_energy + self.minimum_energy

    @property
    def penalty_amount(self) -> Int:
        """Both parts of the penalties, by minute and house."""
        return self.deficit_amount + self.minimum_amount


@dataclass(frozen=True)
class LocalTrade:
    """Points 1 and 2 of a block: energy that stays in the micro-grid, and what it costs."""

    instructed: Int  # p_i that stays
    uninstructed: Int  # u_i that stays
    exported: Int  # what leaves to the national grid, per house
    energy: Int  # L
    price_weight: Int  # l_i · price_i, the seller's local revenue before rounding and cap
    cost: Int  # Σ of it in micro-coins
    ceiling: Int  # T · L in micro-coins, rounded down


def local_trade(terms: BlockTerms, block: Block) -> LocalTrade:
    """Points 1 and 2: instructed before uninstructed export, the rest to the national grid."""
    export = np.maximum(block.net_ws, 0)
    demand = np.maximum(-block.net_ws, 0).sum(axis=1)
    limit_w = np.where(terms.producer, terms.max_w, 0)
    allowed_w = _held(limit_w, block.target_w + terms.deadband_w, block.obeying)
    instructed = np.minimum(export, allowed_w * SECONDS_PER_MINUTE)
    uninstructed = export - instructed
    local_p = np.minimum(instructed.sum(axis=1), demand)
    local_u = np.minimum(uninstructed.sum(axis=1), demand - local_p)
    kept_p = apportion(local_p, instructed)
    kept_u = apportion(local_u, uninstructed)
    weight = kept_p * terms.price + kept_u * terms.feed_in
    energy = local_p + local_u
    return LocalTrade(
        instructed=kept_p,
        uninstructed=kept_u,
        exported=export - kept_p - kept_u,
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
    """Each buyer's share of what sellers can give: min(BP_j, Pmax / M), 0 for others; in Ws (5.5)."""
    share = available_ws // max(1, int(terms.consumer.sum()))
    declared = np.where(terms.consumer, terms.max_w, 0) * SECONDS_PER_MINUTE
    allotted: Int = np.minimum(declared, share[:, None])
    return allotted


@dataclass(frozen=True)
class ImportBlame:
    """Points 3 and 4: why energy came from the national grid, and who answers for it (5.7.1)."""

    duty: Bool  # producers obliged in the minute
    answerable: Bool  # those of them that can be charged for what they did not deliver
    deficit: Int  # x_i: what a seller under a standing raise failed to deliver
    blamed: Int  # Σx per minute
    at_tariff: Int  # what each importing house pays the national tariff for


def import_blame(terms: BlockTerms, block: Block) -> ImportBlame:
    """Divide what was imported among buyers beyond their allotment, sellers to blame, and the rest."""
    imports = np.maximum(-block.net_ws, 0)
    demand = imports.sum(axis=1)
    missing = np.maximum(0, demand - np.maximum(block.net_ws, 0).sum(axis=1))
    by_night = terms.daylight_only & ~block.is_day[:, None]
    duty = terms.producer & ~by_night & ~block.out_of_service
    available = (duty * terms.max_w * block.closed_s).sum(axis=1)
    by_buyers = np.minimum(missing, np.maximum(0, demand - available))
    by_sellers = missing - by_buyers
    overdrawn = apportion(by_buyers, np.maximum(0, imports - allotments(terms, available)))
    answerable = duty & block.known & block.tie_closed[:, None]
    deficit = _deficits(terms, block, answerable, by_sellers)
    blamed = deficit.sum(axis=1)
    at_tariff = overdrawn + apportion(by_sellers - blamed, imports - overdrawn)
    return ImportBlame(duty, answerable, deficit, blamed, at_tariff)


def _deficits(terms: BlockTerms, block: Block, answerable: Bool, by_sellers: Int) -> Int:
    """x_i = min(h_i, λ) with Σx = min(X_s, Σh): equal shares, nobody beyond its own shortfall."""
    asked = block.raise_standing & answerable
    goal_w = _held(terms.max_w, block.target_w, block.target_w >= 0)
    short = np.maximum(0, goal_w * SECONDS_PER_MINUTE - np.maximum(block.net_ws, 0)) * asked
    total = np.minimum(by_sellers, short.sum(axis=1))
    result = np.zeros_like(short)
    rows = np.flatnonzero(total)
    if rows.size:
        result[rows] = fill_level(total[rows], short[rows])
    return result


def settle(terms: BlockTerms, block: Block, credit: int) -> Settled:
    """Settle a block of minutes; `credit` is the cap's credit from the month's earlier minutes."""
    trade = local_trade(terms, block)
    local_amount, credit = capped_cost(trade, terms.cap, credit)
    blame = import_blame(terms, block)
    at_rate = np.maximum(-block.net_ws, 0) - blame.at_tariff
    # What the national grid is due for energy it delivered in place of sellers, and what buyers pay for it.
    replaced = _priced(blame.blamed, terms.national)
    substitute = _substitute_amount(terms, trade, local_amount, blame.blamed, replaced)
    below, deficit_amount, below_amount = _penalties(terms, block, blame, substitute, replaced)

    island = ~block.tie_closed
    tariff_energy, feed_energy = blame.at_tariff.sum(axis=1), trade.exported.sum(axis=1)
    tariff_amount = np.where(island, 0, _priced(tariff_energy, terms.national))
    feed_amount = np.where(island, 0, _priced(feed_energy, terms.feed_in))
    across_tie = tariff_energy - feed_energy
    return Settled(
        microgrid_energy=trade.instructed + trade.uninstructed - at_rate,
        national_energy=trade.exported - blame.at_tariff,
        microgrid_amount=_seller_credits(terms, trade, local_amount)
        - apportion(local_amount + substitute, at_rate),
        national_amount=apportion(feed_amount, trade.exported) - apportion(tariff_amount, blame.at_tariff),
        deficit_energy=blame.deficit,
        deficit_amount=-deficit_amount,
        minimum_energy=below,
        minimum_amount=-below_amount,
        grid_microgrid_energy=blame.blamed,
        grid_national_energy=np.where(island, 0, across_tie),
        grid_microgrid_amount=replaced,
        grid_national_amount=tariff_amount - feed_amount,
        reserve_microgrid_amount=substitute - replaced,
        reserve_penalty_amount=(deficit_amount + below_amount).sum(axis=1),
        losses_energy=np.where(island, across_tie, 0),
        local_energy=trade.energy,
        local_amount=local_amount,
        credit=credit,
    )


def _substitute_amount(
    terms: BlockTerms, trade: LocalTrade, local_amount: Int, blamed: Int, replaced: Int
) -> Int:
    """What buyers pay for energy that sellers owed and the national grid delivered: the billed rate.

    With the cap on never above the tariff: a credit earned by local energy is not spent on the
    national grid's, so that the month's mean stays at or below the tariff.
    """
    rate = local_amount / np.maximum(trade.energy, 1)
    amount = np.where(trade.energy > 0, np.floor(rate * blamed + 0.5).astype(np.int64), replaced)
    return amount if terms.cap is Cap.OFF else np.minimum(amount, replaced)


def _seller_credits(terms: BlockTerms, trade: LocalTrade, local_amount: Int) -> Int:
    """What sellers receive for local energy: their price, less the cap's haircut on dear sellers.

    Sellers priced above the billed rate r get SR - λ·(SR - r), with λ such that credits equal r·L.
    """
    weight = trade.price_weight
    rows = np.flatnonzero(local_amount < trade.cost)
    if rows.size:
        rate = local_amount[rows] / trade.energy[rows] * WS_PER_KWH
        above = trade.instructed[rows] * np.maximum(0, terms.price - rate[:, None])
        excess = np.maximum(0, weight[rows].sum(axis=1) - rate * trade.energy[rows])
        haircut = above * np.minimum(1, excess / np.maximum(above.sum(axis=1), 1))[:, None]
        weight = weight.copy()
        weight[rows] -= haircut.astype(np.int64)
    return apportion(local_amount, weight)


def _penalties(
    terms: BlockTerms, block: Block, blame: ImportBlame, substitute: Int, replaced: Int
) -> tuple[Int, Int, Int]:
    """Point 5: energy below the contract's minimum, and the amounts for deficit and minimum (5.8.1).

    The deficit is priced at the tariff, or, on the replacement-cost basis, at what the national grid
    is due beyond what buyers paid. No kWh is charged twice.
    """
    floor_w = _held(terms.min_w, block.target_w, block.target_w >= 0)
    below = np.maximum(0, floor_w * SECONDS_PER_MINUTE - np.maximum(block.net_ws, 0) - blame.deficit)
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
