"""The firmware and its emulator, built once, for every test that needs them."""

import fcntl
import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "firmware" / "build"


@cache
def built() -> Path:
    """The folder with meter.elf and the emulator, brought up to date.

    Skips the test where the tools to build them are missing; where they are there, a build that fails is a
    failure.
    """
    missing = _run("tools/setup.sh", "--firmware-missing")
    assert missing.returncode == 0, missing.stderr
    if missing.stdout:
        pytest.skip(f"the meter's firmware cannot be built: {missing.stdout.strip()}")
    BUILD.mkdir(exist_ok=True)
    with (BUILD / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # pytest-xdist's processes come here at once
        made = _run("make", "-C", "firmware", "all", "emulator")
    assert made.returncode == 0, made.stdout[-2000:] + made.stderr[-4000:]
    return BUILD


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
