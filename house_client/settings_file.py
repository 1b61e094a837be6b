"""What the installer set, kept in the data folder so that the house comes back by itself (5.2)."""

import os
from pathlib import Path

import msgspec

from house_client.household import HouseSettings
from house_client.meter_address import modbus_address
from microgrid.terms import HOUSE_ID
from microgrid.wire.limits import ConnectionW
from node.stepped import host_and_port

FILE_NAME = "settings.json"


class SettingsError(ValueError):
    """The settings file cannot be used; the text says why and what to do."""


class _Kept(msgspec.Struct, forbid_unknown_fields=True):
    """The file's contents; the address as people write it."""

    house: str
    meter: str | None = None
    central: str | None = None
    max_export_w: ConnectionW | None = None


def address_text(address: tuple[str, int]) -> str:
    """HOST:PORT."""
    return f"{address[0]}:{address[1]}"


def read_settings(data: Path) -> HouseSettings | None:
    """The settings kept in this folder; None if there are none yet.

    SettingsError if the file says something else; OSError if it cannot be read.
    """
    path = data / FILE_NAME
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        kept = msgspec.json.decode(text, type=_Kept)
        if HOUSE_ID.fullmatch(kept.house) is None:
            raise ValueError(f"the house ID {kept.house!r} is none")
        if kept.meter is not None:
            modbus_address(kept.meter)
        central = None if kept.central is None else host_and_port(kept.central)
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as fault:
        raise SettingsError(
            f"The settings in {path} cannot be used ({fault}); delete the file and set the house up again."
        ) from fault
    return HouseSettings(
        house=kept.house,
        meter=kept.meter,
        central=central,
        data=data,
        max_export_w=kept.max_export_w,
    )


def write_settings(settings: HouseSettings) -> None:
    """Keep these settings in their folder; whole or not at all, and on the disk when this returns.

    OSError if they cannot be kept; those of before then stand.
    """
    kept = _Kept(
        house=settings.house,
        meter=settings.meter,
        central=None if settings.central is None else address_text(settings.central),
        max_export_w=settings.max_export_w,
    )
    write_whole(settings.data / FILE_NAME, msgspec.json.format(msgspec.json.encode(kept)) + b"\n")


def write_whole(path: Path, content: bytes, *, power_safe: bool = True) -> None:
    """Put a file in place of the one of before, whole; if `power_safe` even if the power fails. OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".part")
    with unfinished.open("wb") as file:
        file.write(content)
        if power_safe:
            file.flush()
            os.fsync(file.fileno())
    unfinished.replace(path)
