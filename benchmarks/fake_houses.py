"""Houses that answer polls from one event loop, in a process of their own: `fake_houses PORT COUNT DEAD`.

The last DEAD of them connect and never answer; when the central gives up a link they connect again.
"""

import asyncio
import sys

from benchmarks.neighbourhood import make_sample
from microgrid.wire.lan import HouseConnection
from microgrid.wire.messages import PROTOCOL_MAX, PROTOCOL_MIN, Hello, Poll, Reply

RECONNECT_S = 0.5


class FakeHouse(asyncio.Protocol):
    """One house's end of the link."""

    def __init__(self, number: int, answers: bool) -> None:
        self._house = f"H{number:03}"
        self._sample = make_sample(number, number * 20 - 2500)
        self._answers = answers
        self._connection = HouseConnection()
        self.ended = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        hello = Hello(
            house=self._house, protocol_min=PROTOCOL_MIN, protocol_max=PROTOCOL_MAX, software="benchmark"
        )
        transport.write(self._connection.send(hello))

    def data_received(self, data: bytes) -> None:
        for message in self._connection.receive_data(data):
            if isinstance(message, Poll) and self._answers:
                reply = Reply(
                    house=self._house,
                    request_id=message.request_id,
                    sample=self._sample,
                    sample_age_ms=0,
                    outbox=False,
                )
                self._transport.write(self._connection.send(reply))

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended.set()


async def live(port: int, number: int, answers: bool) -> None:
    """Connect again and again."""
    while True:
        _, house = await asyncio.get_running_loop().create_connection(
            lambda: FakeHouse(number, answers), "127.0.0.1", port
        )
        await house.ended.wait()
        await asyncio.sleep(RECONNECT_S)


async def main(port: int, count: int, dead: int) -> None:
    """All houses until the process is told to end."""
    await asyncio.gather(*(live(port, number, number < count - dead) for number in range(count)))


if __name__ == "__main__":
    asyncio.run(main(*(int(argument) for argument in sys.argv[1:])))
