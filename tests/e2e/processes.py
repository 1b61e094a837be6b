"""The programs as real processes: started, listened to, and ended whatever happens."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

ROOT = Path(__file__).parents[2]
CENTRAL = ("main_central.py",)
HOUSE = ("main_house.py",)
METER = ("-m", "simulation.meter")
TIMEOUT_S = 60.0
# Python turns to warnings what a forgotten socket or an unclosed file would otherwise hide.
ENVIRONMENT = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "PYTHONWARNINGS": "default"}


def run(
    program: Sequence[str], *arguments: object, timeout_s: float = TIMEOUT_S
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end."""
    return subprocess.run(
        _command(program, arguments),
        cwd=ROOT,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=timeout_s,
    )


class Process:
    """A program at work. Use it as a context manager: on leaving it has ended."""

    def __init__(self, program: Sequence[str], *arguments: object) -> None:
        self._process = subprocess.Popen(
            _command(program, arguments), cwd=ROOT, env=ENVIRONMENT, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        self._lines: list[str] = []
        self._errors: list[str] = []
        self._readers = [
            threading.Thread(target=_read_into, args=(self._process.stdout, self._lines)),
            threading.Thread(target=_read_into, args=(self._process.stderr, self._errors)),
        ]
        for reader in self._readers:
            reader.start()

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, *exception: object) -> None:
        self.kill()

    @property
    def errors(self) -> str:
        """What it wrote to stderr so far; all of it once it has ended."""
        return "".join(self._errors)

    def first_line(self, timeout_s: float = TIMEOUT_S) -> str:
        """The first line of its output; AssertionError with its stderr if there is none."""
        wait_until(lambda: bool(self._lines) or self._process.poll() is not None, "a first line", timeout_s)
        assert self._lines, self.errors
        return self._lines[0]

    def send(self, number: signal.Signals) -> None:
        """Ask it to end: SIGTERM as a service manager does, SIGINT as Ctrl+C does."""
        self._process.send_signal(number)

    def kill(self) -> None:
        """End it at once (SIGKILL), as a power cut does."""
        self._process.kill()
        self.wait()

    def wait(self, timeout_s: float = TIMEOUT_S) -> int:
        """Its exit code, once it has ended; subprocess.TimeoutExpired if it does not."""
        code = self._process.wait(timeout_s)
        for reader in self._readers:
            reader.join()
        for stream in (self._process.stdout, self._process.stderr):
            assert stream is not None
            stream.close()
        return code


def wait_until(holds: Callable[[], bool], what: str, timeout_s: float = TIMEOUT_S) -> None:
    """Wait for something that happens in another process or thread; AssertionError names it."""
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline, f"{what} did not come within {timeout_s:g} s"
        time.sleep(0.01)


def one_sentence(stderr: str) -> str:
    """The one line on stderr in which a program says what is wrong; fails for more or for a traceback."""
    lines = stderr.strip().splitlines()
    assert len(lines) == 1, stderr
    return lines[0]


def _command(program: Sequence[str], arguments: Sequence[object]) -> list[str]:
    return [sys.executable, *program, *map(str, arguments)]


def _read_into(stream: IO[str], lines: list[str]) -> None:
    lines.extend(iter(stream.readline, ""))
