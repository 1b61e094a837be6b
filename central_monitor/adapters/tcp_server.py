"""The central's side of the star: one TCP connection a house, requests out, answers matched."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Protocol

from microgrid.wire.errors import WireCode, WireError
from microgrid.wire.lan import CentralConnection
from microgrid.wire.messages import (
    CentralMessage,
    ContractCall,
    ErrorMessage,
    Hello,
    HouseMessage,
    MinutesAcknowledged,
    MonthSoFar,
    PostTaken,
    Refused,
    Welcome,
)
from microgrid.wire.session import MAX_OUTSTANDING, Request

HELLO_TIMEOUT_S = 10.0

log = logging.getLogger(__name__)


class LinkLost(Exception):
    """The connection ended before the house answered."""


class RequestRefused(Exception):
    """The house answered a request with an error; the text is its own."""


class Doorkeeper(Protocol):
    """Decides who is admitted and is told who comes and goes."""

    def admit(self, hello: Hello, protocol: int) -> Welcome | Refused:
        """Answer a house that names itself."""

    def linked(self, house: str) -> None:
        """The house is part of the network now."""

    def lost(self, house: str) -> None:
        """The house's link ended."""


class HouseLink(asyncio.Protocol):
    """One connection. Requests are futures; an answer settles its own, the end of the link all others."""

    def __init__(self, server: "HouseServer") -> None:
        self._server = server
        self._connection = CentralConnection()
        self._transport: asyncio.Transport | None = None
        self._waiting: dict[int, asyncio.Future[HouseMessage]] = {}
        self._patience: asyncio.TimerHandle | None = None
        self.house: str | None = None

    @property
    def waiting(self) -> int:
        """How many requests are without an answer."""
        return len(self._waiting)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for a hello, but not for ever."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._server.connected(self)
        self._patience = asyncio.get_running_loop().call_later(HELLO_TIMEOUT_S, self.close)

    def data_received(self, data: bytes) -> None:
        """Messages to those who wait for them; a breach of the protocol ends the link, by name."""
        try:
            messages = self._connection.receive_data(data)
        except WireError as fault:
            log.warning("house %s broke the protocol: %s", self.house or "?", fault)
            self._say(Refused(code=fault.code, text=str(fault)))
            self.close()
            return
        for message in messages:
            if isinstance(message, Hello):
                self._greet(message)
            else:
                self._settle(message)

    def connection_lost(self, fault: Exception | None) -> None:
        """Nobody will answer any more."""
        self._transport = None
        if self._patience is not None:
            self._patience.cancel()
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(LinkLost(f"House {self.house}: the link was lost."))
                future.exception()  # an unawaited request need not complain as well
        self._waiting.clear()
        self._server.forget(self)

    def request(self, make: Callable[[int], Request]) -> asyncio.Future[HouseMessage]:
        """Send a request made with the given id; the future holds the answer, LinkLost or RequestRefused.

        A house that leaves as many requests open as a connection allows loses its link: it could not even be
        polled any more.
        """
        future: asyncio.Future[HouseMessage] = asyncio.get_running_loop().create_future()
        if self._connection.outstanding >= MAX_OUTSTANDING and not self._connection.closed:
            log.warning("house %s leaves %s requests without an answer", self.house, MAX_OUTSTANDING)
            self._connection.close()
            self.close()
        request_id = self._connection.next_request_id()
        if not self._say(make(request_id)):
            future.set_exception(LinkLost(f"House {self.house}: the link was lost."))
            return future
        self._waiting[request_id] = future
        return future

    def tell(self, message: MinutesAcknowledged | PostTaken | ContractCall | MonthSoFar) -> None:
        """Say what is not answered; lost with the link, as anything said."""
        self._say(message)

    def close(self) -> None:
        """End the link."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """End the link at once, also where a peer that does not read holds up the last words."""
        if self._transport is not None:
            self._transport.abort()

    def _greet(self, hello: Hello) -> None:
        if self._patience is not None:
            self._patience.cancel()
        answer = self._server.admit(hello, self._connection.protocol)
        said = self._say(answer)
        if isinstance(answer, Refused):
            log.warning("house %s refused: %s", hello.house, answer.text)
        if not said or isinstance(answer, Refused):
            self.close()
            return
        self.house = hello.house
        self._server.remember(self)

    def _settle(self, message: HouseMessage) -> None:
        request_id = 0 if isinstance(message, Hello) else message.request_id
        future = self._waiting.pop(request_id, None)
        if future is None or future.done():
            return
        if isinstance(message, ErrorMessage):
            future.set_exception(RequestRefused(message.text))
            future.exception()  # whoever asked may have stopped waiting
        else:
            future.set_result(message)

    def _say(self, message: CentralMessage) -> bool:
        if self._transport is None:
            return False
        try:
            self._transport.write(self._connection.send(message))
        except WireError as fault:
            log.warning("not sent to house %s: %s", self.house, fault)
            return False
        return True


class HouseServer:
    """Listens for houses and keeps the link of each that was admitted."""

    def __init__(self, doorkeeper: Doorkeeper) -> None:
        self._doorkeeper = doorkeeper
        self._connections: set[HouseLink] = set()  # also of those not admitted yet
        self._links: dict[str, HouseLink] = {}
        self._server: asyncio.Server | None = None

    @property
    def links(self) -> Mapping[str, HouseLink]:
        """The links that stand now, by house."""
        return self._links

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port (a free one if 0 was asked). OSError in words if it is taken."""
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(lambda: HouseLink(self), host, port)
        except OSError as fault:
            raise OSError(
                f"Port {port} on {host} cannot be listened on ({fault.strerror}); stop the program that uses"
                " it, or choose another with --listen."
            ) from fault
        bound: int = self._server.sockets[0].getsockname()[1]
        return bound

    async def stop(self) -> None:
        """Listen no more and end every connection."""
        if self._server is not None:
            self._server.close()
        for end in (HouseLink.close, HouseLink.abort):
            for link in list(self._connections):
                end(link)
            await asyncio.sleep(0)  # in which they are told

    def admit(self, hello: Hello, protocol: int) -> Welcome | Refused:
        """Admit a known house that is not linked already."""
        if hello.house in self._links:
            text = f"House {hello.house} is linked already; two houses may not use the same ID."
            return Refused(code=WireCode.DUPLICATE_HOUSE, text=text)
        return self._doorkeeper.admit(hello, protocol)

    def remember(self, link: HouseLink) -> None:
        """A house was admitted."""
        assert link.house is not None
        self._links[link.house] = link
        self._doorkeeper.linked(link.house)

    def connected(self, link: HouseLink) -> None:
        """Somebody connected and has not said who it is."""
        self._connections.add(link)

    def forget(self, link: HouseLink) -> None:
        """A connection ended, and with it perhaps a house's link."""
        self._connections.discard(link)
        if link.house is not None and self._links.get(link.house) is link:
            del self._links[link.house]
            self._doorkeeper.lost(link.house)
