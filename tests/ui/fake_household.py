"""A household's side made of lists: it notes what was asked of it and answers as the test says."""

from concurrent.futures import Future
from pathlib import Path

from house_client.household import AgreedContract, History, HouseSettings
from house_client.snapshot import ReceivedBill
from microgrid.contracting import Wish
from microgrid.swap import MeterSwap
from microgrid.wire.messages import ContractCall
from tests.ui.answers import done


class FakeHousehold:
    """Keeps what it is told; `fault` makes an answer fail, `unreadable` the history."""

    def __init__(
        self,
        bills: tuple[ReceivedBill, ...] = (),
        contracts: tuple[AgreedContract, ...] = (),
        house: str = "B",
    ) -> None:
        self.bills, self.contracts = bills, contracts
        self.answers: list[Wish] = []
        self.fault: Exception | None = None
        self.unreadable: Exception | None = None
        self._settings = HouseSettings(
            house=house, meter="/dev/ttyUSB0", central=("192.168.1.1", 7700), data=Path("data")
        )

    def answer(self, wish: Wish, call: ContractCall) -> Future:
        if self.fault is None:
            self.answers.append(wish)
        return done(self.fault)

    def history(self) -> Future:
        return done(self.unreadable or History(self.bills, self.contracts, ()))

    def settings(self) -> HouseSettings:
        return self._settings

    def apply(self, settings: HouseSettings) -> Future:
        self._settings = settings
        return done()

    def ports(self) -> tuple[tuple[str, str], ...]:
        return (("/dev/ttyUSB0", "Arduino Uno"),)

    def test_port(self, port: str) -> Future:
        return done(f"A meter is heard on {port}.")

    def test_central(self, house: str, address: tuple[str, int]) -> Future:
        return done(f"The central at {address[0]} knows house {house}.")

    def begin_swap(self, installer: str, reason: str) -> Future:
        return done()

    def cancel_swap(self) -> Future:
        return done()

    def finish_swap(self) -> "Future[MeterSwap]":
        return done(RuntimeError("no swap was begun"))
