"""Statements of a month: what each account gave, took, owes and receives (5.9, 5.10, Fig 5.7)."""

from typing import Literal

import msgspec


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """One account's month.

    Energies in Ws, positive into the micro-grid; amounts in micro-coins, positive where the account
    receives, so that all totals add up to zero. Powers are of the account's role: export of a
    producer, consumption of a consumer.
    """

    role: str
    microgrid_energy: int
    national_grid_energy: int
    microgrid_amount: int
    national_grid_amount: int
    penalty_energy: int
    penalty_amount: int
    adjustments: int
    total: int
    max_power_kw: float
    min_power_kw: float
    estimated_energy: int
    estimated_minutes: int


class PenaltyParts(msgspec.Struct, frozen=True, kw_only=True):
    """An account's penalties by reason (5.8.1): amounts are negative, they are paid."""

    deficit_energy: int = 0  # asked to raise, and not delivered while the national grid filled in
    deficit_amount: int = 0
    minimum_energy: int = 0  # below the contract's minimum
    minimum_amount: int = 0


class EnergyBalance(msgspec.Struct, frozen=True, kw_only=True):
    """The month's energy in Ws: bought = sold + imported - exported, to the unit.

    Sold and bought are what houses put in and took out; imported and exported what crossed the tie.
    """

    sold: int
    bought: int
    imported: int
    exported: int


class Unit(msgspec.Struct, frozen=True, kw_only=True):
    """Names of the units in which a statement counts."""

    energy: Literal["Ws"] = "Ws"
    money: Literal["microcoin"] = "microcoin"


class Statements(msgspec.Struct, frozen=True, kw_only=True):
    """All accounts of one month: the houses by ID, then national grid, reserve and losses."""

    month: str
    zone: str
    unit: Unit
    postings_total: int
    energy: EnergyBalance
    accounts: dict[str, Account]
