"""What the tests of the firmware share."""

from pathlib import Path

import pytest

from tests.firmware.building import built


@pytest.fixture(scope="session")
def firmware_build() -> Path:
    """The folder with meter.elf and the emulator; skips where they cannot be built."""
    return built()
