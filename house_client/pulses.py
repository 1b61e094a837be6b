"""RAISE and LOWER pulses to the meter, each with the meter's own word on what became of it."""

import asyncio
from collections.abc import Sequence

from house_client.meter import Meter
from microgrid.sample import CommandState, Sample
from microgrid.wire.serial import Command, CommandKind

ECHO_TIMEOUT_S = 3.0
DEAF_TIMEOUT_S = 0.3  # of a meter that did not answer the pulse before; what it says later is heard as well
MAX_ID = 2**32 - 1


class Pulses:
    """Sends pulses through `port` (None: there is none) and hears what the meter says of them."""

    def __init__(self) -> None:
        self.port: Meter | None = None
        self._sent: Command | None = None  # the newest
        self._echo: asyncio.Future[CommandState] | None = None  # while somebody waits for it
        self._unheard = False  # nobody was told yet what became of the newest
        self._runs_until = 0.0  # by the loop's clock
        self._heard: tuple[int, CommandState] = (0, CommandState.NONE)  # the meter's last word

    @property
    def has_outputs(self) -> bool:
        """Whether the meter can pulse at all; so taken until it is known which meter it is."""
        return self.port is None or self.port.has_outputs

    @property
    def running(self) -> bool:
        """Whether the newest pulse is still being given."""
        return asyncio.get_running_loop().time() < self._runs_until

    def heard(self, samples: Sequence[Sample]) -> None:
        """Packets arrived; each says what became of the last command the meter took."""
        for sample in samples:
            self._heard = (sample.command_id, sample.command_state)
            state = self._word()
            if state is None:
                continue
            if state is not CommandState.PULSING:
                self._runs_until = 0.0
            if self._echo is not None and not self._echo.done():
                self._echo.set_result(state)

    def late(self) -> CommandState | None:
        """What became of a pulse after nobody waited for its echo any more; told once."""
        state = self._word()
        if not self._unheard or state is None:
            return None
        self._unheard = False
        return state

    async def send(self, width_ms: int) -> CommandState:
        """Send one pulse, upwards if positive, and wait for the meter's word; NONE if it never came."""
        kind = CommandKind.RAISE if width_ms > 0 else CommandKind.LOWER
        command = Command(kind=kind, command_id=self._next_id(), width_ms=abs(width_ms))
        loop = asyncio.get_running_loop()
        patience_s = DEAF_TIMEOUT_S if self._unheard else ECHO_TIMEOUT_S
        self._sent, self._echo, self._unheard = command, loop.create_future(), True
        try:
            if self.port is None or not self.port.send(command):
                self._unheard = False  # it never left
                return CommandState.NONE
            async with asyncio.timeout(patience_s):
                state = await self._echo
        except TimeoutError:
            return CommandState.NONE
        finally:
            self._echo = None
        self._unheard = False
        if self._word() is CommandState.PULSING:  # a short one may have ended in what was heard with its echo
            self._runs_until = loop.time() + command.width_ms / 1000
        return state

    def _word(self) -> CommandState | None:
        """What the meter says of the newest pulse; None: nothing yet."""
        command_id, state = self._heard
        mine = self._sent is not None and command_id == self._sent.command_id
        return state if mine and state is not CommandState.NONE else None

    def _next_id(self) -> int:
        """One the meter does not take for its last: it would answer, and not obey."""
        last = self._heard[0] if self._sent is None else self._sent.command_id
        following = last % MAX_ID + 1
        return following if following != self._heard[0] else following % MAX_ID + 1
