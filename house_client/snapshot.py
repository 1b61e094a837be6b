"""What the kiosk's screens are shown: a frozen picture of the house's own state."""

from dataclasses import dataclass
from enum import StrEnum

from microgrid.sample import Quality, Sample


class MeterState(StrEnum):
    """Whether the meter is heard."""

    NO_PORT = "no serial port chosen"
    MISSING = "serial port missing"
    SILENT = "meter silent"
    HEARD = "meter heard"


class CentralState(StrEnum):
    """The link to the central."""

    NO_ADDRESS = "no central chosen"
    CONNECTING = "connecting"
    LINKED = "linked"
    REFUSED = "refused by the central"


@dataclass(frozen=True, slots=True)
class HouseSnapshot:
    """The house at one moment. Prices in micro-coins per kWh, energies in Ws, powers in W, signed."""

    now_s: float
    zone: str
    house: str
    name: str
    meter: MeterState
    meter_detail: str  # a sentence for a person when the meter is not heard, else empty
    central: CentralState
    central_detail: str  # a sentence for a person when not linked, else empty
    sample: Sample | None
    quality: Quality
    age_s: float | None
    import_ws: int  # 64-bit registers carried on from the meter's counters
    export_ws: int
    generation_ws: int
    rate: int | None  # the rate now, from the last poll; None: unknown
    tariff: int | None
    pool_w: int | None
    minutes_waiting: int  # journalled minutes the central has not acknowledged yet
    target_w: int | None  # what the central asks this house to export; None: nothing asked
