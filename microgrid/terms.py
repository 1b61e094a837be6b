"""Terms: what the people agreed to, and until when. Contracts, tariffs, connections, policy (5.4, 5.5)."""

import re
from collections.abc import Sequence
from enum import StrEnum
from itertools import pairwise

import msgspec

from microgrid.months import local_time, zone_of
from microgrid.units import MICROCOINS_PER_COIN

HOUSE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
FOREVER = 253_402_300_800 // 60  # the minute after the year 9999: the end of what has no end yet
MAX_HOUSES = 254  # a /24 without network, broadcast and the central itself (4.3)
MAX_CONNECTION_W = 1_000_000
MAX_PRICE = 500 * MICROCOINS_PER_COIN
# Accounts of a statement beside the houses': a house of this name would lose its own.
RESERVE = "reserve"
COMMON_ACCOUNTS = ("national_grid", RESERVE, "losses")


class Role(StrEnum):
    """A house's part in the month: it sets price and duty; direction is what the register says."""

    PRODUCER = "producer"
    CONSUMER = "consumer"


class Source(StrEnum):
    """A producer's source of power (Fig 5.4)."""

    SOLAR = "solar"
    GENERATOR = "generator"


class Obligation(StrEnum):
    """When a producer owes its minimum: a solar one by daylight only, or always (a hybrid inverter)."""

    DAYLIGHT = "daylight"
    ALWAYS = "always"


class Cap(StrEnum):
    """How the billed rate is kept under the national tariff (5.7)."""

    MONTH = "month"
    MINUTE = "minute"
    OFF = "off"


class PenaltyBasis(StrEnum):
    """What a seller to blame pays for a kWh the national grid delivered in its place (5.8.1)."""

    GRID_RATE = "grid_rate"
    REPLACEMENT_COST = "replacement_cost"


class House(msgspec.Struct, frozen=True, kw_only=True):
    """A house on the feeder. `connection_w` is what its service connection can carry.

    It is part of the micro-grid for minutes joined <= m < left; outside of them nothing is billed.
    """

    house: str
    name: str
    connection_w: int
    joined: int = 0
    left: int = FOREVER


class Contract(msgspec.Struct, frozen=True, kw_only=True):
    """One house's contract, in force for minutes valid_from <= m < valid_to.

    Producer: `min_w` (Gmin) and `max_w` (Gmax) of exported power, `price` (SR) in micro-coins per kWh.
    Consumer: `max_w` is the declared maximum (BP); the other three are unused.
    """

    house: str
    role: Role
    valid_from: int
    valid_to: int
    max_w: int
    min_w: int = 0
    price: int = 0
    source: Source | None = None
    obligation: Obligation = Obligation.ALWAYS


class Tariff(msgspec.Struct, frozen=True, kw_only=True):
    """The national grid's prices and the micro-grid's policy, in force for valid_from <= m < valid_to."""

    valid_from: int
    valid_to: int
    national: int  # T, micro-coins per kWh
    feed_in: int = 0  # F, micro-coins per kWh
    cap: Cap = Cap.MONTH
    penalty_basis: PenaltyBasis = PenaltyBasis.GRID_RATE
    response_s: int = 60  # time a seller has to follow a command before blame begins
    deadband_w: int = 25  # how near to its target a seller counts as obeying


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """Everything agreed that a settlement needs, besides what was measured and ordered."""

    zone: str  # IANA name of the micro-grid's own time zone
    houses: tuple[House, ...]
    contracts: tuple[Contract, ...]
    tariffs: tuple[Tariff, ...]

    def house(self, house: str) -> House:
        """The house with this ID; KeyError if there is none."""
        for candidate in self.houses:
            if candidate.house == house:
                return candidate
        raise KeyError(house)

    def contract_at(self, house: str, minute: int) -> Contract | None:
        """The house's contract in force in this minute, or None."""
        for contract in self.contracts:
            if contract.house == house and contract.valid_from <= minute < contract.valid_to:
                return contract
        return None

    def edges(self) -> set[int]:
        """The minutes from which something else is in force: a contract, a tariff or a membership."""
        spans = [(contract.valid_from, contract.valid_to) for contract in self.contracts]
        spans += [(tariff.valid_from, tariff.valid_to) for tariff in self.tariffs]
        spans += [(house.joined, house.left) for house in self.houses]
        return {edge for span in spans for edge in span}

    def tariff_at(self, minute: int) -> Tariff:
        """The tariff in force in this minute; LookupError if none is."""
        for tariff in self.tariffs:
            if tariff.valid_from <= minute < tariff.valid_to:
                return tariff
        moment = f"{local_time(minute, zone_of(self.zone)):%Y-%m-%d %H:%M} {self.zone}"
        raise LookupError(f"At {moment} no tariff is in force; add one to the terms.")


def field_faults(contract: Contract, connection_w: int, national: int) -> dict[str, str]:
    """What is wrong with a contract, a sentence for each of its fields that has to change (5.4).

    `connection_w` is what the house's connection carries, `national` the national tariff in micro-coins
    per kWh at the contract's start. Said for the person who typed it, beside the field.
    """
    faults: dict[str, str] = {}
    if not 0 < contract.max_w <= connection_w:
        faults["max_w"] = (
            f"The maximum of {contract.max_w / 1000:g} kW must be above 0 and at most the"
            f" connection's {connection_w / 1000:g} kW."
        )
    if contract.role is Role.CONSUMER:
        return faults
    if contract.min_w < 0:
        faults["min_w"] = f"The minimum of {contract.min_w / 1000:g} kW is negative; use 0 or more."
    elif contract.min_w > contract.max_w:
        faults["min_w"] = (
            f"The minimum of {contract.min_w / 1000:g} kW is above the maximum of"
            f" {contract.max_w / 1000:g} kW; lower the minimum or raise the maximum."
        )
    if contract.source is None:
        faults["source"] = "A producer must name its source, solar or generator."
    price, tariff = contract.price / MICROCOINS_PER_COIN, national / MICROCOINS_PER_COIN
    if not 0 <= contract.price <= MAX_PRICE:
        limit = MAX_PRICE // MICROCOINS_PER_COIN
        faults["price"] = f"The price of {price:g} coins/kWh must be between 0 and {limit}."
    elif contract.source is Source.SOLAR and contract.price > national:
        faults["price"] = (
            f"The solar price of {price:g} coins/kWh is above the national tariff of {tariff:g};"
            " a solar price may not exceed it."
        )
    return faults


def contract_faults(contract: Contract, house: House, national: int) -> list[str]:
    """What is wrong with a house's contract, in sentences that name the house; empty if nothing is."""
    faults = list(field_faults(contract, house.connection_w, national).values())
    if contract.valid_from >= contract.valid_to:
        faults.append("The contract ends before it begins; give it an end after its start.")
    return [f"House {contract.house}: {fault[0].lower()}{fault[1:]}" for fault in faults]


def terms_faults(terms: Terms) -> list[str]:
    """Everything that is wrong with the terms, one sentence each; empty if nothing is."""
    faults = _house_faults(terms.houses)
    known = {house.house: house for house in terms.houses}
    for contract in terms.contracts:
        if contract.house not in known:
            faults.append(f"House {contract.house}: a contract names this house, but it is not listed.")
            continue
        try:
            national = terms.tariff_at(contract.valid_from).national
        except LookupError:
            faults.append(f"House {contract.house}: no tariff is in force when its contract begins; add one.")
            continue
        faults += contract_faults(contract, known[contract.house], national)
    faults += _overlaps(terms.contracts)
    return faults + _tariff_faults(terms.tariffs)


def house_faults(house: House) -> dict[str, str]:
    """What is wrong with a house's description, a sentence for each of its fields that has to change."""
    faults: dict[str, str] = {}
    if HOUSE_ID.fullmatch(house.house) is None:
        faults["house"] = "An ID has 1 to 32 letters, digits, '-' or '_' and begins with a letter or digit."
    elif house.house in COMMON_ACCOUNTS:
        faults["house"] = "This ID is the name of a common account; choose another."
    if house.joined > house.left:
        faults["left"] = "It leaves before it joins; give a later end."
    if not 0 < house.connection_w <= MAX_CONNECTION_W:
        faults["connection_w"] = (
            f"A connection of {house.connection_w / 1000:g} kW must be above 0"
            f" and at most {MAX_CONNECTION_W // 1000} kW."
        )
    return faults


def tariff_faults(tariff: Tariff) -> dict[str, str]:
    """What is wrong with a tariff, a sentence for each of its fields that has to change."""
    faults: dict[str, str] = {}
    if tariff.valid_from >= tariff.valid_to:
        faults["valid_to"] = "A tariff ends before it begins; give it an end after its start."
    for name in ("response_s", "deadband_w"):
        if getattr(tariff, name) < 0:
            faults[name] = "The response time and the deadband must be 0 or more."
    national, feed_in = tariff.national / MICROCOINS_PER_COIN, tariff.feed_in / MICROCOINS_PER_COIN
    if not 0 < tariff.national <= MAX_PRICE:
        limit = MAX_PRICE // MICROCOINS_PER_COIN
        faults["national"] = (
            f"The national tariff of {national:g} coins/kWh must be above 0 and at most {limit}."
        )
    if not 0 <= tariff.feed_in <= tariff.national:
        faults["feed_in"] = f"The feed-in price of {feed_in:g} coins/kWh must be between 0 and the tariff."
    return faults


def _house_faults(houses: Sequence[House]) -> list[str]:
    faults = []
    if not 0 < len(houses) <= MAX_HOUSES:
        faults.append(f"There are {len(houses)} houses; a micro-grid has 1 to {MAX_HOUSES}.")
    seen: set[str] = set()
    for house in houses:
        if house.house in seen:
            faults.append(f"House {house.house}: this ID is listed twice; every house needs its own.")
        seen.add(house.house)
        named = house.house if HOUSE_ID.fullmatch(house.house) else repr(house.house)
        faults += [f"House {named}: {fault[0].lower()}{fault[1:]}" for fault in house_faults(house).values()]
    return faults


def _tariff_faults(tariffs: Sequence[Tariff]) -> list[str]:
    faults: list[str] = []
    for tariff in tariffs:
        faults += dict.fromkeys(tariff_faults(tariff).values())
    ordered = sorted(tariffs, key=lambda t: t.valid_from)
    for before, after in pairwise(ordered):
        if after.valid_from < before.valid_to:
            faults.append("Two tariffs are in force at once; let one end where the next begins.")
    return faults


def _overlaps(contracts: Sequence[Contract]) -> list[str]:
    ordered = sorted(contracts, key=lambda c: (c.house, c.valid_from))
    return [
        f"House {after.house}: two contracts are in force at once; a house has one role at a time."
        for before, after in pairwise(ordered)
        if before.house == after.house and after.valid_from < before.valid_to
    ]
