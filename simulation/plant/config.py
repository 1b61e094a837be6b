"""What stands in a house, described by its table in a TOML file; and a neighbourhood made up by index."""

from string import ascii_uppercase

import msgspec

from microgrid.terms import MAX_HOUSES, Role, Source
from microgrid.units import watts
from simulation.plant.faults import fault_of
from simulation.plant.profile import profile_faults
from simulation.plant.sun import Site

_RAMP_KW_PER_MINUTE = {Source.SOLAR: 5.0, Source.GENERATOR: 3.0}


class PlantConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A house's consumption and, with `source`, its source of power. The defaults are a plain consumer.

    Consumption is a synthetic household of `monthly_kwh`, or `profile_w`: pairs of a minute of the local day
    and the watts from then on, the same every day.
    Solar: `inverter_kw` limits the output, `array_kwp` feeds it, `battery_kwh` above 0 makes it a hybrid.
    Generator: a diesel of `rated_kva` at `power_factor`. It is run all month, so `minimum_kw` must lie below
    the house's own base load plus Gmin, or the contract's minimum cannot be reached from above. `tank_kwh` is
    what its fuel makes before it stops for good.
    `noise_w` is what the output trembles by, up and down: keep it below the tariff's deadband. `faults` are
    those that will befall the house, as texts (see `faults.fault_of`).
    """

    monthly_kwh: float | None = None  # in a month of 30 days
    profile_w: tuple[tuple[int, int], ...] | None = None
    source: Source | None = None
    export_kw: float | None = None  # largest export set-point; without it the source's rating
    pulse_w_per_s: int = 1000  # how far a RAISE or LOWER of one second moves the set-point
    ramp_kw_per_minute: float | None = None  # without it 5 for an inverter, 3 for a generator
    noise_w: int = 4
    faults: tuple[str, ...] = ()
    # solar
    inverter_kw: float = 0.0
    array_kwp: float = 0.0
    battery_kwh: float = 0.0
    battery_kw: float | None = None  # charge and discharge limit; without it the inverter's rating
    # generator
    rated_kva: float = 0.0
    power_factor: float = 0.8
    startup_minutes: int = 1
    minimum_kw: float = 0.0
    tank_kwh: float | None = None  # without it never empty

    @property
    def ramp_w_per_minute(self) -> int:
        """How fast the source's output may change; 0 in a house without one."""
        if self.source is None:
            return 0
        given = self.ramp_kw_per_minute
        return watts(_RAMP_KW_PER_MINUTE[self.source] if given is None else given)


class HouseSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A house of a neighbourhood: its plant, and what its contract is to offer or ask for.

    Power in kW, `price` in coins per kWh; `min_kw`, `price` and `always_obliged` are a producer's.
    """

    house: str
    name: str
    connection_kw: float
    plant: PlantConfig
    role: Role
    max_kw: float
    min_kw: float = 0.0
    price: float = 0.0
    always_obliged: bool = True


def plant_faults(house: str, config: PlantConfig) -> list[str]:
    """What is wrong with a plant's description, one sentence each; empty if nothing is."""
    found = (*_load_faults(config), *_source_faults(config), *_fault_faults(config))
    return [f"House {house}: {fault}" for fault in found]


def _load_faults(config: PlantConfig) -> list[str]:
    if (config.monthly_kwh is None) == (config.profile_w is None):
        return ["the plant needs either monthly_kwh or profile_w, and not both."]
    if config.profile_w is not None:
        return profile_faults(config.profile_w)
    if config.monthly_kwh is not None and not 0 < config.monthly_kwh <= 100_000:
        return [f"monthly_kwh is {config.monthly_kwh:g}; it must be above 0, at most 100000."]
    return []


def _fault_faults(config: PlantConfig) -> list[str]:
    found = []
    for text in config.faults:
        try:
            fault_of(text)
        except ValueError as fault:
            found.append(f"{fault}.")
    return found


def _source_faults(config: PlantConfig) -> list[str]:
    faults = []
    needed: dict[str, float] = {}
    if config.source is Source.SOLAR:
        needed = {"inverter_kw": config.inverter_kw, "array_kwp": config.array_kwp}
    elif config.source is Source.GENERATOR:
        needed = {"rated_kva": config.rated_kva}
        if not 0 < config.power_factor <= 1:
            faults.append("power_factor must be above 0, at most 1.")
        elif not 0 <= config.minimum_kw <= config.rated_kva * config.power_factor:
            faults.append("minimum_kw must lie between 0 and the generator's rating.")
    for field, value in needed.items():
        if value <= 0:
            faults.append(f"a {config.source} source needs {field} above 0; it is {value:g}.")
    above_0 = {"pulse_w_per_s": config.pulse_w_per_s, "tank_kwh": config.tank_kwh}
    above_0 |= {"ramp_kw_per_minute": config.ramp_kw_per_minute}
    for field, positive in above_0.items():
        if positive is not None and positive <= 0:
            faults.append(f"{field} is {positive:g}; it must be above 0.")
    limits = {"export_kw": config.export_kw, "battery_kw": config.battery_kw}
    limits |= {"battery_kwh": config.battery_kwh, "startup_minutes": config.startup_minutes}
    limits |= {"noise_w": config.noise_w}
    for field, limit in limits.items():
        if limit is not None and limit < 0:
            faults.append(f"{field} is {limit:g}; it may not be negative.")
    return faults


def house_id(index: int) -> str:
    """ID of the house with this index from 0: A … Z, then H27, H28 and so on."""
    return ascii_uppercase[index] if index < len(ascii_uppercase) else f"H{index + 1}"


def neighbourhood(houses: int) -> tuple[HouseSpec, ...]:
    """A neighbourhood of this size: the four houses of chapter 9 (9.2, 9.3), then more of each kind.

    Every second house buys, every fourth has the sun, every fourth a diesel. From the fifth on
    consumption, price and size vary with the index alone, so a larger neighbourhood contains the smaller.
    ValueError for a number that a micro-grid cannot have (4.3).
    """
    if not 1 <= houses <= MAX_HOUSES:
        raise ValueError(f"A micro-grid has 1 to {MAX_HOUSES} houses, not {houses}.")
    return tuple(_house(index) for index in range(houses))


_CHAPTER_9_KWH = (380, 466, 635, 326)


def _house(index: int) -> HouseSpec:
    kind, later = index % 4, index >= 4
    # 300 to 700 kWh is the source's range (9.2); 89 has no factor in common with 361, so houses differ.
    monthly_kwh = 320 + index * 89 % 361 if later else _CHAPTER_9_KWH[kind]
    house = house_id(index)
    if kind == 1:
        plant = solar_plant(monthly_kwh)
        price = 8 + index % 5 if later else 8
    elif kind == 3:
        plant = diesel_plant(monthly_kwh)
        price = 23 + index % 6 if later else 25
    else:
        return HouseSpec(
            house=house, name=f"{index + 1} Garden Lane", connection_kw=5,
            plant=PlantConfig(monthly_kwh=monthly_kwh), role=Role.CONSUMER,
            max_kw=2.5 if monthly_kwh < 500 else 3.5,
        )  # fmt: skip
    return HouseSpec(
        house=house, name=f"{index + 1} Garden Lane", connection_kw=5, plant=plant,
        role=Role.PRODUCER, min_kw=0.25, max_kw=2.5, price=price,
    )  # fmt: skip


def solar_plant(monthly_kwh: float) -> PlantConfig:
    """Chapter 9's house B: a 4.0 kW hybrid inverter, with panels and a battery that can carry its contract.

    By day it gives up to 2.5 kW beside its own load and charges, by night 0.25 kW and its load: some
    41 kWh on a full day. 11 kWp under Karachi's sun give 45 to 60, and the battery carries the night.
    """
    return PlantConfig(
        monthly_kwh=monthly_kwh, source=Source.SOLAR, export_kw=2.5,
        inverter_kw=4.0, array_kwp=11.0, battery_kwh=24.0, battery_kw=5.0, ramp_kw_per_minute=5.0,
    )  # fmt: skip


def diesel_plant(monthly_kwh: float) -> PlantConfig:
    """Chapter 9's house D: a diesel of 5.0 kVA (4.0 kW), ready in a minute, stable from 0.35 kW."""
    return PlantConfig(
        monthly_kwh=monthly_kwh, source=Source.GENERATOR, export_kw=2.5,
        rated_kva=5.0, power_factor=0.8, startup_minutes=1, minimum_kw=0.35, ramp_kw_per_minute=3.0,
    )  # fmt: skip


class HouseTable(msgspec.Struct, frozen=True, kw_only=True):
    """What the simulation reads of a `[[house]]` table; the contract's keys are others' to read."""

    id: str
    plant: PlantConfig


class GridFile(msgspec.Struct, frozen=True, kw_only=True):
    """What the simulation reads of a micro-grid's TOML file: `zone`, `[site]` and the houses' plants."""

    zone: str
    house: tuple[HouseTable, ...]
    site: Site = Site()

    def plant(self, house: str) -> PlantConfig:
        """The plant of the house with this ID; ValueError in words if there is none or it has faults."""
        for table in self.house:
            if table.id == house:
                if faults := plant_faults(house, table.plant):
                    raise ValueError(" ".join(faults))
                return table.plant
        known = ", ".join(table.id for table in self.house)
        raise ValueError(f"There is no house {house} in the file; it has {known}.")


def read_grid(toml: bytes) -> GridFile:
    """The micro-grid described by this TOML text; ValueError names the key that is wrong."""
    try:
        return msgspec.toml.decode(toml, type=GridFile)
    except msgspec.DecodeError as error:
        raise ValueError(f"The micro-grid's file cannot be used: {error}.") from error


def made_up_grid() -> GridFile:
    """The largest neighbourhood, in Karachi, for a simulation without a file."""
    houses = tuple(HouseTable(id=spec.house, plant=spec.plant) for spec in neighbourhood(MAX_HOUSES))
    return GridFile(zone="Asia/Karachi", house=houses)
