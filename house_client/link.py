"""The link to the central: connects, reconnects with back-off, and carries messages of the LAN protocol."""

import asyncio
import logging
import random
import socket
from collections.abc import Callable
from typing import Protocol

from house_client.snapshot import CentralState
from microgrid.wire.errors import WireError
from microgrid.wire.lan import HouseConnection
from microgrid.wire.messages import (
    CentralMessage,
    ErrorMessage,
    Hello,
    HouseMessage,
    Refused,
    Welcome,
)
from node.clock import Clock

FIRST_BACKOFF_S = 1.0
LONGEST_BACKOFF_S = 60.0
CONNECT_TIMEOUT_S = 5.0
WELCOME_TIMEOUT_S = 10.0
# A central that lost its power says no goodbye, and a house only answers: the network itself must ask.
KEEPALIVE_S = {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3}

log = logging.getLogger(__name__)


class Dialogue(Protocol):
    """What the house says and does over the link; called from the event loop."""

    def hello(self) -> Hello:
        """The message a connection begins with."""

    def handle(self, message: CentralMessage) -> None:
        """Act on a message of the central, `Welcome` included."""

    def link_changed(self, state: CentralState, sentence: str) -> None:
        """The link came or went; the sentence is for a person, empty when linked."""


class Link:
    """Keeps one connection to the central for as long as `run` runs."""

    def __init__(
        self,
        address: tuple[str, int],
        dialogue: Dialogue,
        clock: Clock,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._address = address
        self._dialogue = dialogue
        self._clock = clock
        self._jitter = jitter
        self._wire: _HouseWire | None = None

    async def run(self) -> None:
        """Connect, stay, and try again after a growing pause, until cancelled."""
        backoff_s = FIRST_BACKOFF_S
        self._dialogue.link_changed(CentralState.CONNECTING, self._unreachable())
        while True:
            if await self._once():
                backoff_s = FIRST_BACKOFF_S
            # Jitter keeps a whole street from knocking at once after a power cut.
            await self._clock.sleep(backoff_s * (0.5 + self._jitter() / 2))
            backoff_s = min(backoff_s * 2, LONGEST_BACKOFF_S)

    def send(self, message: HouseMessage) -> None:
        """Send a message if the link is there; otherwise it is lost, as on any broken link."""
        if self._wire is not None:
            self._wire.send(message)

    async def _once(self) -> bool:
        """One connection from beginning to end; whether it got as far as being linked."""
        loop = asyncio.get_running_loop()
        wire = _HouseWire(self._dialogue)
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await loop.create_connection(lambda: wire, *self._address)
        except (OSError, UnicodeError) as fault:  # UnicodeError: no host can have this name
            log.info("central at %s:%s: %s", *self._address, fault)
            self._dialogue.link_changed(CentralState.CONNECTING, self._unreachable())
            return False
        self._wire = wire
        try:
            await wire.ended.wait()
        finally:
            self._wire = None
            wire.drop()
        if wire.refused is None:
            self._dialogue.link_changed(CentralState.CONNECTING, self._unreachable())
        else:
            self._dialogue.link_changed(CentralState.REFUSED, wire.refused)
        return wire.linked

    def _unreachable(self) -> str:
        host, port = self._address
        return f"The central at {host}:{port} does not answer; trying again."


class _HouseWire(asyncio.Protocol):
    """One TCP connection: bytes to messages and back."""

    def __init__(self, dialogue: Dialogue) -> None:
        self._dialogue = dialogue
        self._connection = HouseConnection()
        self._transport: asyncio.Transport | None = None
        self._patience: asyncio.TimerHandle | None = None
        self.ended = asyncio.Event()
        self.linked = False
        self.refused: str | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        _keep_alive(transport.get_extra_info("socket"))
        self._patience = asyncio.get_running_loop().call_later(WELCOME_TIMEOUT_S, self.drop)
        self.send(self._dialogue.hello())

    def data_received(self, data: bytes) -> None:
        try:
            messages = self._connection.receive_data(data)
        except WireError as fault:
            log.warning("central broke the protocol: %s", fault)
            house = self._connection.house or "?"
            self.send(ErrorMessage(house=house, request_id=0, code=fault.code, text=str(fault)))
            self.drop()
            return
        for message in messages:
            if isinstance(message, Refused):
                self.refused = message.text
                self.drop()
                return
            if isinstance(message, Welcome):
                self.linked = True
                self._be_patient()
                self._dialogue.link_changed(CentralState.LINKED, "")
            self._dialogue.handle(message)

    def connection_lost(self, fault: Exception | None) -> None:
        self._transport = None
        self._be_patient()
        self.ended.set()

    def send(self, message: HouseMessage) -> None:
        if self._transport is None:
            return
        try:
            self._transport.write(self._connection.send(message))
        except WireError as fault:
            log.warning("not sent: %s", fault)

    def drop(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _be_patient(self) -> None:
        if self._patience is not None:
            self._patience.cancel()


def _keep_alive(connection: socket.socket) -> None:
    """Have a connection end whose other end is gone, within about half a minute."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in KEEPALIVE_S.items():
        if hasattr(socket, name):  # not every system lets it be set
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
