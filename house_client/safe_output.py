"""What a house gives once its central is silent, kept in the data folder.

So a house that is started again while the central stays silent goes to it all the same.
"""

from pathlib import Path

import msgspec

from house_client.settings_file import write_whole
from microgrid.wire.limits import TargetW, TimeS

FILE_NAME = "safe-output.json"


class SafeOutput(msgspec.Struct, frozen=True, kw_only=True):
    """`fallback_w` is what this house gives from `expires_s` on, unless the central has asked again."""

    house: str
    fallback_w: TargetW
    expires_s: TimeS


def read_safe_output(data: Path, house: str) -> SafeOutput | None:
    """What was kept for this house; None if nothing was, or if it cannot be read."""
    try:
        kept = msgspec.json.decode((data / FILE_NAME).read_bytes(), type=SafeOutput)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None  # as if no central had ever been heard: there is nothing to steer to
    return kept if kept.house == house else None


def keep_safe_output(data: Path, kept: SafeOutput, *, power_safe: bool = True) -> None:
    """Keep it in place of what was kept before; OSError. Not `power_safe`: without waiting for the disk."""
    write_whole(data / FILE_NAME, msgspec.json.encode(kept), power_safe=power_safe)
