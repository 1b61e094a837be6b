"""The exchange of the meter, from the word that the old one comes off to the new one's first counters (5.2).

What was begun is kept in the data folder: whoever takes a meter off may switch the kiosk off with it.
"""

from dataclasses import replace
from pathlib import Path

import msgspec

from house_client.household import Refused
from house_client.settings_file import write_whole
from house_client.snapshot import SwapProgress
from microgrid.metering import MinuteBuilder, opening_registers, registers_of
from microgrid.minute import MeterMinute
from microgrid.registers import Registers, carry_on
from microgrid.sample import Sample
from microgrid.swap import MeterSwap
from microgrid.wire.limits import MAX_REASON_CHARS, printable

FILE_NAME = "meter-exchange.json"
_NOT_BEGUN = "No exchange of the meter was begun."


class Begun(msgspec.Struct, frozen=True, kw_only=True):
    """An exchange that was begun and not ended."""

    began_s: int
    installer: str
    reason: str
    old: Registers
    old_meter: str
    old_boot_id: int


def meter_name(sample: Sample) -> str:
    """What a meter says it is: its firmware and the number of its start."""
    return f"{sample.firmware}, start {sample.boot_id}"


def read_begun(data: Path) -> Begun | None:
    """The exchange that was under way when the program ended; None if none was, or if it cannot be read."""
    try:
        return msgspec.json.decode((data / FILE_NAME).read_bytes(), type=Begun)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None  # the new meter is then noticed by its counters


def keep_begun(data: Path, begun: Begun | None) -> None:
    """Keep what was begun, or that nothing is under way; OSError."""
    if begun is None:
        (data / FILE_NAME).unlink(missing_ok=True)
    else:
        write_whole(data / FILE_NAME, msgspec.json.encode(begun))


class MeterExchange:
    """One house's exchange, over its minutes. Rows that calls return belong into the journal."""

    def __init__(self, house: str, builder: MinuteBuilder, begun: Begun | None = None) -> None:
        """`begun` is what `read_begun` found; with a row of the new meter behind it, it was finished."""
        self._house = house
        self._builder = builder
        last = builder.registers
        self.begun = None if begun and last and last.epoch > begun.old.epoch else begun
        if self.begun is not None:
            builder.begin_swap(0, self.begun.old_boot_id)

    def begin(self, now_ms: int, sample: Sample | None, installer: str, reason: str) -> list[MeterMinute]:
        """The old meter comes off now. `sample` is its newest packet; None: it is not heard.

        Refused without a meter or while an exchange is under way.
        """
        registers = self._builder.registers
        if self.begun is not None:
            raise Refused("An exchange of the meter is under way; finish or cancel it first.")
        if sample is None or registers is None:
            raise Refused(
                "The meter is not heard, so its last counters cannot be kept; see that it has power and its"
                " cable is in. A dead meter is simply replaced: its last minute is kept already."
            )
        rows = self._builder.begin_swap(now_ms, sample.boot_id)
        self.begun = Begun(
            began_s=now_ms // 1000,
            installer=printable(installer, MAX_REASON_CHARS),
            reason=printable(reason, MAX_REASON_CHARS),  # a pasted line feed could not travel
            old=registers,
            old_meter=meter_name(sample),
            old_boot_id=sample.boot_id,
        )
        return rows

    def cancel(self) -> None:
        """The old meter stays; Refused if nothing was begun."""
        if self.begun is None:
            raise Refused(_NOT_BEGUN)
        self._builder.cancel_swap()
        self.begun = None

    def finish(self) -> tuple[list[MeterMinute], MeterSwap]:
        """The new meter takes over; Refused if none is heard."""
        if self.begun is None:
            raise Refused(_NOT_BEGUN)
        heard, old = self._builder.swap_heard, self._old()
        if heard is None:
            raise Refused("The new meter is not heard yet; see that it has power and its cable is in.")
        at_ms, sample = heard
        rows = self._builder.finish_swap()
        swap = MeterSwap(
            house=self._house,
            at_s=at_ms // 1000,
            old=old,
            new=registers_of(rows[-1]),
            old_meter=self.begun.old_meter,
            new_meter=meter_name(sample),
            installer=self.begun.installer,
            reason=self.begun.reason,
        )
        self.begun = None
        return rows, swap

    def progress(self) -> SwapProgress | None:
        """How the exchange stands, for the screens; None: none is under way."""
        begun = self.begun
        if begun is None:
            return None
        progress = SwapProgress(begun.began_s, begun.installer, begun.reason, self._old(), begun.old_meter)
        heard = self._builder.swap_heard
        if heard is None:
            return progress
        at_ms, sample = heard
        new = opening_registers(progress.old.epoch + 1, sample)
        counters = (new.import_ws, new.export_ws, new.generation_ws)
        elapsed_s = at_ms / 1000 - begun.began_s
        _, fault = carry_on(progress.old, counters, elapsed_s, self._builder.connection_w)
        return replace(progress, new=new, new_meter=meter_name(sample), like_old=fault is None)

    def _old(self) -> Registers:
        """The old meter's registers: it counts for as long as it is heard."""
        assert self.begun is not None
        return self._builder.registers or self.begun.old
