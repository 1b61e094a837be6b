"""The exchange of a house's meter: what the old one showed last and the new one first (installer, 5.2).

The minutes carry the energy (the last of the old meter's epoch, the first of the new one's); this is the
record for people: who did it, when, and both meters' counters.
"""

import msgspec

from microgrid.registers import Registers


class MeterSwap(msgspec.Struct, frozen=True, kw_only=True):
    """One exchange. Registers are as carried on in 64 bits; their low 32 bits are the meter's counters."""

    house: str
    at_s: int  # Unix time at which the new meter was first heard
    old: Registers
    new: Registers
    old_meter: str  # firmware and start number, as the meter tells them
    new_meter: str
    installer: str
    reason: str
