"""Faults of a house on demand, at stated minutes: what the control loop must survive."""

import re
from enum import StrEnum

import msgspec

_TEXT = re.compile(r"([a-z]+)@(\d{1,9})(?:-(\d{1,9}))?")


class FaultKind(StrEnum):
    """What may go wrong in a house; nothing of it touches the counters."""

    STUCK = "stuck"  # the meter acknowledges pulses, the set-point does not move
    TRIPPED = (
        "tripped"  # the generator breaker is open: no power, pulses are refused; then the source restarts
    )
    OPEN = "open"  # the breaker to the micro-grid is open: the source carries what it can of the load alone
    SLOW = "slow"  # ramp and effect of a pulse are a tenth of what they should be
    DEAF = "deaf"  # the meter sends, and hears no command


class Fault(msgspec.Struct, frozen=True):
    """A fault from minute `start` until before `end`, counted from the run's first; `end` None: for good."""

    kind: FaultKind
    start: int
    end: int | None = None

    def holds(self, minute: int) -> bool:
        """Whether it is there in this minute of the run."""
        return self.start <= minute and (self.end is None or minute < self.end)


def fault_of(text: str) -> Fault:
    """A fault as people write it: `tripped@30-90` lasts from minute 30 of the run until 90.

    `deaf@5` stays for good. ValueError in words if the text is none.
    """
    found = _TEXT.fullmatch(text)
    kinds = ", ".join(FaultKind)
    if found is None or found[1] not in list(FaultKind):
        raise ValueError(
            f"{text!r} is no fault; write KIND@FROM or KIND@FROM-UNTIL in minutes since the start, "
            f"such as tripped@30-90 (KIND: {kinds})"
        )
    start, end = int(found[2]), int(found[3]) if found[3] else None
    if end is not None and end <= start:
        raise ValueError(f"The fault {text!r} ends before it begins; UNTIL must be above FROM")
    return Fault(FaultKind(found[1]), start, end)
