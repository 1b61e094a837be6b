"""What the settlement takes and gives: blocks of minutes, the terms in force in them, and the postings.

A block is some consecutive minutes [minutes] of all houses [houses], sorted by ID, under one set of
terms. Energies are Ws, amounts micro-coins, both int64.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from microgrid.terms import Cap, PenaltyBasis

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
    """The postings of a block, by seller, by buyer and for the three common accounts; the credit carried on.

    Energy is traded at the micro-grid's rate or at the national grid's prices (fed in, or taken at the
    tariff). What a seller owes for what it failed to deliver has two parts: its deficit under a raise, and
    what its minimum lacked beyond that. Arrays of sellers and buyers are [minutes, those houses], what buyers
    take and pay is positive in them. Postings of all houses, with their signs, are the properties.
    """

    houses: int
    sellers: Int  # columns
    buyers: Int
    sold_energy: Int  # by seller
    fed_in_energy: Int
    sold_amount: Int
    fed_in_amount: Int
    short_energy: Int  # the deficit
    short_amount: Int
    below_energy: Int  # what the minimum lacked
    below_amount: Int
    bought_energy: Int  # by buyer
    tariff_energy: Int
    bought_amount: Int
    tariff_amount: Int
    grid_microgrid_energy: Int  # by minute
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
    def microgrid_energy(self) -> Int:
        """Energy traded at the rate [minutes, houses]."""
        return self._posted(self.sold_energy, self.bought_energy)

    @property
    def national_energy(self) -> Int:
        """Energy traded with the national grid [minutes, houses]."""
        return self._posted(self.fed_in_energy, self.tariff_energy)

    @property
    def microgrid_amount(self) -> Int:
        """What is due for energy traded at the rate [minutes, houses]."""
        return self._posted(self.sold_amount, self.bought_amount)

    @property
    def national_amount(self) -> Int:
        """What is due for energy traded with the national grid [minutes, houses]."""
        return self._posted(self.fed_in_amount, self.tariff_amount)

    @property
    def deficit_energy(self) -> Int:
        """Energy a seller owed under a raise and did not deliver [minutes, houses]; in no balance."""
        return self._posted(self.short_energy)

    @property
    def deficit_amount(self) -> Int:
        """What is due for it [minutes, houses]."""
        return -self._posted(self.short_amount)

    @property
    def minimum_energy(self) -> Int:
        """What a seller's minimum lacked beyond that [minutes, houses]; in no balance."""
        return self._posted(self.below_energy)

    @property
    def minimum_amount(self) -> Int:
        """What is due for it [minutes, houses]."""
        return -self._posted(self.below_amount)

    @property
    def penalty_energy(self) -> Int:
        """Both parts of the penalties [minutes, houses]."""
        return self.deficit_energy + self.minimum_energy

    @property
    def penalty_amount(self) -> Int:
        """Both parts of the penalties [minutes, houses]."""
        return self.deficit_amount + self.minimum_amount

    def _posted(self, sellers: Int, buyers: Int | None = None) -> Int:
        posting = np.zeros((len(sellers), self.houses), dtype=np.int64)
        posting[:, self.sellers] = sellers
        if buyers is not None:
            posting[:, self.buyers] -= buyers
        return posting
