"""What the tests of the central are made of: terms, samples, minutes, and a house's link that is no link."""

import asyncio
from typing import Any

from microgrid.minute import Hold, MeterMinute, OrderMinute
from microgrid.months import month_minutes, zone_of
from microgrid.sample import CommandState, MeterFlag, Sample
from microgrid.terms import Cap, Contract, House, Obligation, Role, Source, Tariff, Terms
from microgrid.units import microcoins
from microgrid.wire.messages import MinuteBatch, MinutesAcknowledged, Poll, Reply

ZONE = "Asia/Karachi"
MONTH = "2026-06"
FIRST = month_minutes(MONTH, zone_of(ZONE)).start
NOON = FIRST + 12 * 60
FOREVER = 2**31


def seller(house: str, price: float, **more: Any) -> Contract:
    values: dict[str, Any] = {
        "role": Role.PRODUCER,
        "valid_from": 0,
        "valid_to": FOREVER,
        "min_w": 250,
        "max_w": 2500,
        "price": microcoins(price),
        "source": Source.GENERATOR,
        "obligation": Obligation.ALWAYS,
    }
    return Contract(house=house, **{**values, **more})


def buyer(house: str, **more: Any) -> Contract:
    values: dict[str, Any] = {"role": Role.CONSUMER, "valid_from": 0, "valid_to": FOREVER, "max_w": 3000}
    return Contract(house=house, **{**values, **more})


def tariff(**more: Any) -> Tariff:
    values: dict[str, Any] = {"valid_from": 0, "valid_to": FOREVER, "national": microcoins(17.6)}
    return Tariff(**{**values, **more})


def terms(*contracts: Contract, cap: Cap = Cap.MONTH, extra: tuple[str, ...] = (), **more: Any) -> Terms:
    """Terms of the houses that have contracts, and of `extra` ones that have none."""
    names = sorted({contract.house for contract in contracts} | set(extra))
    houses = tuple(House(house=name, name=f"House {name}", connection_w=5000) for name in names)
    return Terms(zone=ZONE, houses=houses, contracts=contracts, **{"tariffs": (tariff(cap=cap),), **more})


def sample(exchange_w: int = 0, **more: Any) -> Sample:
    values: dict[str, Any] = {
        "boot_id": 1,
        "uptime_ms": 1000,
        "sequence": 1,
        "voltage_v": (230.0, 230.0, 230.0),
        "current_a": (1.0, 1.0, 1.0),
        "power_factor": (1.0, 1.0, 1.0),
        "leading": (False, False, False),
        "exporting": (exchange_w > 0,) * 3,
        "frequency_hz": 50.0,
        "generator_p_w": max(0, exchange_w),
        "generator_q_var": 0,
        "generator_s_va": max(0, exchange_w),
        "exchange_p_w": exchange_w,
        "exchange_q_var": 0,
        "import_counter_ws": 0,
        "export_counter_ws": 0,
        "generation_counter_ws": 0,
        "generator_breaker_closed": True,
        "grid_breaker_closed": True,
        "flags": MeterFlag(0),
        "command_id": 0,
        "command_state": CommandState.NONE,
        "firmware": "test-1",
    }
    return Sample(**{**values, **more})


def row(house: str, minute: int, import_ws: int = 0, export_ws: int = 0, **more: Any) -> MeterMinute:
    values: dict[str, Any] = {
        "epoch": 0,
        "generation_ws": export_ws,
        "closed_s": 60,
        "covered_s": 60,
        "max_w": 0,
        "min_w": 0,
        "voltage_mv": 230_000,
        "current_ma": 1000,
        "power_factor_milli": 1000,
        "frequency_mhz": 50_000,
        "suspect": 0,
    }
    values |= {"import_ws": import_ws, "export_ws": export_ws, **more}
    return MeterMinute(house=house, minute=minute, **values)


def order_row(house: str, minute: int, **more: Any) -> OrderMinute:
    values: dict[str, Any] = {
        "raise_standing": False,
        "target_w": None,
        "hold": Hold.NONE,
        "command_id": 0,
        "acknowledged_s": None,
        "tie_closed": True,
    }
    return OrderMinute(house=house, minute=minute, **{**values, **more})


class FakeLink:
    """A house's link as poller and recorder see it; the test answers for the house."""

    def __init__(self, house: str, answers: bool = True) -> None:
        self.house = house
        self.answers = answers
        self.live_sample: Sample | None = None
        self.age_ms = 0
        self.batch: list[MeterMinute] | None = None
        self.more = False
        self.asked: list[Any] = []
        self.waiting: list[tuple[Any, asyncio.Future[Any]]] = []
        self.acknowledged: list[MinutesAcknowledged] = []
        self.closed = 0

    def request(self, make):
        future = asyncio.get_running_loop().create_future()
        request = make(len(self.asked) + 1)
        self.asked.append(request)
        self.waiting.append((request, future))
        if self.answers:
            asyncio.get_running_loop().call_soon(self.answer)
        return future

    def answer(self) -> None:
        """Answer the oldest request."""
        request, future = self.waiting.pop(0)
        if isinstance(request, Poll):
            answer: Reply | MinuteBatch = Reply(
                house=self.house,
                request_id=request.request_id,
                sample=self.live_sample,
                sample_age_ms=self.age_ms,
                outbox=self.batch is not None,
            )
        else:
            answer = MinuteBatch(
                house=self.house,
                request_id=request.request_id,
                minutes=tuple(self.batch or ()),
                more=self.more,
            )
        future.set_result(answer)

    def tell(self, message: MinutesAcknowledged) -> None:
        self.acknowledged.append(message)

    def close(self) -> None:
        self.closed += 1
