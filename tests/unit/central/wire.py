"""A house at the other end of a real TCP connection, speaking the LAN protocol by hand."""

import asyncio
import contextlib
from typing import Any

from microgrid.minute import MeterMinute
from microgrid.sample import Sample
from microgrid.wire.lan import HouseConnection
from microgrid.wire.messages import (
    AckState,
    ErrorMessage,
    Fetch,
    Hello,
    MinuteBatch,
    MinutesAcknowledged,
    Poll,
    Refused,
    Reply,
    Target,
    TargetAck,
    Welcome,
)


def hello(house: str, **more: Any) -> Hello:
    values: dict[str, Any] = {"protocol_min": 1, "protocol_max": 1, "software": "test"}
    return Hello(house=house, **{**values, **more})


class WireHouse:
    """Answers polls, fetches and targets from what the test puts into it; remembers what it was told."""

    def __init__(self, house: str) -> None:
        self.house = house
        self.live_sample: Sample | None = None
        self.pending: list[MeterMinute] = []
        self.batch_limit = 240
        self.heard: list[Any] = []
        self.mute: tuple[type[Any], ...] = ()  # kinds of requests that are not answered
        self.errors: tuple[type[Any], ...] = ()  # kinds that are answered with an error
        self.acknowledged_s: int | None = None
        self._connection = HouseConnection()
        self._writer: asyncio.StreamWriter | None = None
        self._task: asyncio.Task[None] | None = None
        self.ended = asyncio.Event()

    async def connect(self, port: int, greeting: Hello | None = None) -> Any:
        """Connect and say hello; the central's first answer."""
        reader, self._writer = await asyncio.open_connection("127.0.0.1", port)
        self.send(greeting or hello(self.house))
        self._task = asyncio.create_task(self._listen(reader))
        return await self.told(Welcome | Refused)

    def send(self, message: Any) -> None:
        assert self._writer is not None
        self._writer.write(self._connection.send(message))

    def send_raw(self, data: bytes) -> None:
        assert self._writer is not None
        self._writer.write(data)

    async def told(self, kind: Any, count: int = 1) -> Any:
        """The `count`th message of this kind, waiting for it."""
        async with asyncio.timeout(5):
            while len(found := self.of(kind)) < count:
                await asyncio.sleep(0.002)
        return found[count - 1]

    def of(self, kind: Any) -> list[Any]:
        return [message for message in self.heard if isinstance(message, kind)]

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        try:
            with contextlib.suppress(ConnectionError):
                while data := await reader.read(65_536):
                    for message in self._connection.receive_data(data):
                        self.heard.append(message)
                        self._answer(message)
        finally:
            self.ended.set()

    def _answer(self, message: Any) -> None:
        if isinstance(message, self.mute):
            return
        if isinstance(message, self.errors):
            self.send(error(self.house, message.request_id))
        elif isinstance(message, Poll):
            self.send(
                Reply(
                    house=self.house,
                    request_id=message.request_id,
                    sample=self.live_sample,
                    sample_age_ms=0,
                    outbox=bool(self.pending),
                )
            )
        elif isinstance(message, Fetch):
            rows = tuple(self.pending[: self.batch_limit])
            more = len(rows) < len(self.pending)
            self.send(MinuteBatch(house=self.house, request_id=message.request_id, minutes=rows, more=more))
        elif isinstance(message, MinutesAcknowledged):
            done = {minute for minute, _ in message.committed}
            self.pending = [row for row in self.pending if row.minute not in done]
        elif isinstance(message, Target):
            self.send(
                TargetAck(
                    house=self.house,
                    request_id=message.request_id,
                    command_id=message.command_id,
                    state=AckState.ACCEPTED,
                    acknowledged_s=self.acknowledged_s,
                )
            )

    async def close(self) -> None:
        """Leave; safe to call twice."""
        if self._writer is not None:
            self._writer.close()
            with contextlib.suppress(ConnectionError):
                await self._writer.wait_closed()
        if self._task is not None:
            await self._task


def error(house: str, request_id: int) -> ErrorMessage:
    return ErrorMessage(house=house, request_id=request_id, code="not_available", text="Not now.")
