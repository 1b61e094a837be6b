"""The micro-grid's description in TOML: houses, contracts and tariff, as people write them (kW, coins)."""

from pathlib import Path
from typing import Any

import msgspec

from microgrid.months import zone_of
from microgrid.terms import (
    FOREVER,
    Cap,
    Contract,
    House,
    Obligation,
    PenaltyBasis,
    Role,
    Source,
    Tariff,
    Terms,
    terms_faults,
)
from microgrid.units import microcoins, watts


class GridFileError(Exception):
    """The file cannot be used; the text says what is wrong and where."""


class TariffTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The `[tariff]` table; prices in coins per kWh."""

    national: float
    feed_in: float = 0.0
    cap: Cap = Cap.MONTH
    penalty_basis: PenaltyBasis = PenaltyBasis.GRID_RATE
    response_s: int = 60
    deadband_w: int = 25


class ContractTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A `[house.contract]` table; powers in kW, the price in coins per kWh."""

    role: Role
    max_kw: float
    min_kw: float = 0.0
    price: float = 0.0
    source: Source | None = None
    obliged: Obligation = Obligation.DAYLIGHT


class HouseTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A `[[house]]` table. `plant` describes a simulated house and is the simulation's to read."""

    id: str
    name: str
    connection_kw: float
    contract: ContractTable | None = None
    plant: dict[str, Any] = {}


class GridFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file. `site` is the simulation's."""

    zone: str
    tariff: TariffTable
    house: tuple[HouseTable, ...]
    site: dict[str, Any] = {}

    def terms(self, minutes: range) -> Terms:
        """The terms these tables make: contracts for these minutes, the tariff from then on.

        GridFileError lists every fault.
        """
        try:
            zone_of(self.zone)
        except ValueError as fault:
            raise GridFileError(str(fault)) from fault
        terms = Terms(
            zone=self.zone,
            houses=tuple(
                House(house=h.id, name=h.name, connection_w=watts(h.connection_kw)) for h in self.house
            ),
            contracts=tuple(_contract(h.id, h.contract, minutes) for h in self.house if h.contract),
            tariffs=(_tariff(self.tariff, minutes.start),),
        )
        if faults := terms_faults(terms):
            raise GridFileError(" ".join(faults))
        return terms


def _contract(house: str, table: ContractTable, minutes: range) -> Contract:
    return Contract(
        house=house,
        role=table.role,
        valid_from=minutes.start,
        valid_to=minutes.stop,
        max_w=watts(table.max_kw),
        min_w=watts(table.min_kw),
        price=microcoins(table.price),
        source=table.source,
        obligation=table.obliged,
    )


def _tariff(table: TariffTable, valid_from: int) -> Tariff:
    return Tariff(
        valid_from=valid_from,
        valid_to=FOREVER,
        national=microcoins(table.national),
        feed_in=microcoins(table.feed_in),
        cap=table.cap,
        penalty_basis=table.penalty_basis,
        response_s=table.response_s,
        deadband_w=table.deadband_w,
    )


def read_gridfile(path: Path) -> GridFile:
    """Read a grid file; GridFileError in words if it cannot be read or is not one."""
    try:
        return msgspec.toml.decode(path.read_bytes(), type=GridFile)
    except OSError as fault:
        raise GridFileError(f"The grid file {path} cannot be read: {fault.strerror}.") from fault
    except (msgspec.DecodeError, ValueError) as fault:
        raise GridFileError(f"The grid file {path} is not as expected: {fault}") from fault
