"""RAISE and LOWER pulses to the meter, each with the meter's own word on what became of it."""

import asyncio

from house_client.meter_port import MeterPort
from microgrid.sample import CommandState, Sample
from microgrid.wire.serial import Command, CommandKind

ECHO_TIMEOUT_S = 3.0


class Pulses:
    """Sends pulses through `port` (None: there is none) and waits for their echoes in the packets."""

    def __init__(self) -> None:
        self.port: MeterPort | None = None
        self._echoes: dict[int, asyncio.Future[CommandState]] = {}
        self._last_command = 0

    def heard(self, samples: list[Sample]) -> None:
        """Packets arrived: whoever waits for the echo of a command learns of it."""
        for sample in samples:
            self._last_command = max(self._last_command, sample.command_id)
            echo = self._echoes.get(sample.command_id)
            if echo is not None and not echo.done():
                echo.set_result(sample.command_state)

    async def send(self, width_ms: int) -> CommandState:
        """Send one pulse, upwards if positive, and wait for the meter's word; NONE if it never came."""
        self._last_command = self._last_command % (2**32 - 1) + 1
        kind = CommandKind.RAISE if width_ms > 0 else CommandKind.LOWER
        command = Command(kind=kind, command_id=self._last_command, width_ms=abs(width_ms))
        echo: asyncio.Future[CommandState] = asyncio.get_running_loop().create_future()
        self._echoes[command.command_id] = echo
        try:
            if self.port is None or not self.port.send(command):
                return CommandState.NONE
            async with asyncio.timeout(ECHO_TIMEOUT_S):
                return await echo
        except TimeoutError:
            return CommandState.NONE
        finally:
            del self._echoes[command.command_id]
