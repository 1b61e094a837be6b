"""What the house client needs of a meter, whatever kind it is."""

from collections.abc import Callable
from typing import Protocol

from house_client.snapshot import MeterState
from microgrid.sample import Sample
from microgrid.wire.serial import Command

Heard = Callable[[int, list[Sample]], None]
"""Samples arrived at this Unix time in ms."""

StateChanged = Callable[[MeterState, str], None]
"""The meter came or went; with a sentence for a person unless it is heard."""


class MeterFault(Exception):
    """A meter cannot be read; the text says why and what to do."""


class Meter(Protocol):
    """A meter that is listened to, by a thread of its own, until `stop`; what it says goes to callbacks.

    It is made with `heard` and `changed`, which are called from that thread.
    """

    @property
    def has_outputs(self) -> bool:
        """Whether it can pulse RAISE and LOWER, so that a source can be steered through it."""

    def start(self) -> None:
        """Begin to listen."""

    def wait_open(self, timeout_s: float) -> bool:
        """Whether the line to the meter was opened within this time."""

    def send(self, command: Command) -> bool:
        """Send a command to the meter; False if it cannot be sent."""

    def stop(self) -> None:
        """End the thread and close the line."""
