"""How the kiosk's pages answer, look back and set up: the household's side of the program.

Calls that take time return a future. What cannot be done is `Refused`, in words for who stands there.
"""

from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import msgspec

from house_client.snapshot import ReceivedBill
from microgrid.agreements import Basis
from microgrid.contracting import Wish
from microgrid.swap import MeterSwap
from microgrid.terms import Contract
from microgrid.wire.messages import ContractCall


class Refused(Exception):
    """It cannot be done; the text says why and what to do."""


class HouseSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the installer enters once (5.2): who the house is, its meter, the central's address.

    `meter` is a port's name, or the address of a Modbus meter (`meter_address.py`).
    `max_export_w` is what this house gives at most, whatever it is told; None: what its connection carries.
    """

    house: str
    meter: str | None
    central: tuple[str, int] | None
    data: Path
    max_export_w: int | None = None


@dataclass(frozen=True, slots=True)
class AgreedContract:
    """A contract of this house's history; `contract` None: no contract in that month."""

    month: str
    basis: Basis
    contract: Contract | None


@dataclass(frozen=True, slots=True)
class History:
    """What the house keeps, each newest first."""

    bills: tuple[ReceivedBill, ...]
    contracts: tuple[AgreedContract, ...]
    swaps: tuple[MeterSwap, ...]


class Household(Protocol):
    """What the household and the installer can do at the kiosk."""

    def answer(self, wish: Wish, call: ContractCall) -> "Future[None]":
        """Answer this call for a contract; on the house's disk when the future is done.

        Refused if the call is not open any more, or the wish cannot be.
        """

    def history(self) -> "Future[History]":
        """Bills, contracts and meters of this house."""

    def settings(self) -> HouseSettings:
        """What is set now."""

    def apply(self, settings: HouseSettings) -> "Future[None]":
        """Keep these settings and work with them from now on."""

    def ports(self) -> tuple[tuple[str, str], ...]:
        """The serial ports there are now: name and description."""

    def test_port(self, port: str) -> "Future[str]":
        """Listen on a port for a few seconds; the answer is a sentence. Refused if no meter is heard."""

    def test_central(self, house: str, address: tuple[str, int]) -> "Future[str]":
        """Ask the central at this address whether it knows the house; a sentence, or Refused."""

    def begin_swap(self, installer: str, reason: str) -> "Future[None]":
        """The old meter comes off now: its last registers are kept. Refused if it is not heard."""

    def cancel_swap(self) -> "Future[None]":
        """The old meter stays."""

    def finish_swap(self) -> "Future[MeterSwap]":
        """The new meter is heard: keep its first registers and tell the central."""
