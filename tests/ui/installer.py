"""The installer's side of a household, and stretches of packets from meters wired rightly or wrongly."""

from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from house_client.household import History, HouseSettings, Refused
from house_client.snapshot import HouseSnapshot, SwapProgress
from microgrid.contracting import Wish
from microgrid.registers import Registers
from microgrid.swap import MeterSwap
from microgrid.wire.messages import ContractCall
from simulation.wiring import RIGHT, Wiring
from tests.ui.sample_snapshots import NOW_S, make_kiosk, make_sample

OLD = Registers(epoch=0, import_ws=3 * 2**32 + 7200, export_ws=5_000_000, generation_ws=44)
NEW = Registers(epoch=1, import_ws=2**32, export_ws=2**32 + 77, generation_ws=2**32)
SWAP = MeterSwap(
    house="B", at_s=int(NOW_S), old=OLD, new=NEW, old_meter="1.0.3, start 7", new_meter="1.0.4, start 9",
    installer="Asif <Co>", reason="broken display",
)  # fmt: skip
UNDER_WAY = SwapProgress(int(NOW_S) - 300, SWAP.installer, SWAP.reason, OLD, SWAP.old_meter)


class InstallersHousehold:
    """Notes what is asked of it; what stands in `answers` under a call's name is its answer."""

    def __init__(self, house: str = "B", port: str | None = "/dev/ttyUSB0") -> None:
        self.kept = HouseSettings(
            house=house,
            meter=port,
            central=("192.168.1.1", 47474) if house else None,
            data=Path("data"),
        )
        self.listed: tuple[tuple[str, str], ...] = (("/dev/ttyUSB0", "Arduino Uno (ttyUSB0)"),)
        self.calls: list[tuple[Any, ...]] = []
        self.answers: dict[str, Any] = {}

    def answer(self, wish: Wish, call: ContractCall) -> "Future[None]":
        raise AssertionError(wish, call)

    def history(self) -> "Future[History]":
        raise AssertionError

    def settings(self) -> HouseSettings:
        return self.kept

    def apply(self, settings: HouseSettings) -> "Future[None]":
        future = self._do("apply", settings)
        if future.exception() is None:
            self.kept = settings
        return future

    def ports(self) -> tuple[tuple[str, str], ...]:
        return self.listed

    def test_port(self, port: str) -> "Future[str]":
        return self._do("test_port", port)

    def test_central(self, house: str, address: tuple[str, int]) -> "Future[str]":
        return self._do("test_central", house, address)

    def begin_swap(self, installer: str, reason: str) -> "Future[None]":
        return self._do("begin_swap", installer, reason)

    def cancel_swap(self) -> "Future[None]":
        return self._do("cancel_swap")

    def finish_swap(self) -> "Future[MeterSwap]":
        return self._do("finish_swap")

    def _do(self, name: str, *arguments: Any) -> "Future[Any]":
        self.calls.append((name, *arguments))
        answer = self.answers.get(name)
        if isinstance(answer, Future):
            return answer
        future: Future[Any] = Future()
        if isinstance(answer, Refused):
            future.set_exception(answer)
        else:
            future.set_result(answer)
        return future


def stretch(wiring: Wiring = RIGHT, power_w: int = -2600, **change: Any) -> list[HouseSnapshot]:
    """Half a minute of a house that exchanges this power, as a meter wired like this sees it."""
    base = make_sample(power_w, 0)
    third_w, factors = abs(power_w) / 3, base.power_factor
    amperes = tuple(third_w / (v * factor) for v, factor in zip(base.voltage_v, factors, strict=True))
    seen = wiring.seen(msgspec.structs.replace(base, **{"current_a": amperes, **change}))
    drawn, given = max(0, -seen.exchange_p_w), max(0, seen.exchange_p_w)
    return [
        replace(
            make_kiosk(),
            sample=msgspec.structs.replace(
                seen,
                sequence=second,
                uptime_ms=second * 1000,
                import_counter_ws=drawn * second,
                export_counter_ws=given * second,
            ),
        )
        for second in range(30)
    ]
