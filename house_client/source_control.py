"""The house's source under the central's targets: one look, and one pulse, at a time (ch. 6).

Pulses leave the house only from here, and only a target of the central sets what they steer to.
"""

import asyncio
from collections.abc import Callable

from house_client.pulses import Pulses
from microgrid.sample import CommandState, Sample
from microgrid.steering import Asked, Follower
from microgrid.wire.messages import AckState, Target, TargetAck

LONGEST_HOLD_S = 6 * 3600  # however long a target is said to hold, it must be renewed within this
_OBEYED = (CommandState.PULSING, CommandState.DONE)
_REFUSED = "The meter refused the pulse: the source is not running."

Answer = Callable[[TargetAck], None]


class SourceControl:
    """Follows the targets of one house; for one event loop. Times are the central's, in Unix seconds."""

    def __init__(
        self,
        house: str,
        limit_w: int,
        now_s: Callable[[], int],
        sample: Callable[[], Sample | None],
        answer: Answer,
    ) -> None:
        """`sample` gives the packet that shows the house now; None: nothing is to be pulsed.

        `limit_w` is the house's own limit, `answer` takes what is to be said to the central.
        """
        self._house = house
        self._now_s = now_s
        self._sample = sample
        self._answer = answer
        self.follower = Follower(limit_w)
        self.pulses = Pulses()
        self._target: Target | None = None  # the newest
        self._command: tuple[int, int | None] = (0, None)  # its id and what it asks
        self._acknowledged_s: int | None = None  # the first word of the meter on this command
        self._last_pulse: CommandState | None = None  # what became of it; None: none was needed yet
        self._due: Target | None = None  # to be answered
        self._looking: asyncio.Task[None] | None = None

    @property
    def target_w(self) -> int | None:
        """What the central asks for now; None: nothing, or what it asked has expired."""
        if self._target is None or self.follower.is_safe(self._now_s()):
            return None
        return self._target.target_w

    def told(self, message: Target) -> None:
        """Take over a target, or that it is withdrawn; it is answered after a look at the source."""
        now_s = self._now_s()
        command = (message.command_id, message.target_w)
        if command != self._command:  # an id that comes back with another target is another command
            self._command, self._acknowledged_s = command, None
        self._target = message
        if message.target_w is None:
            self.follower.asked = Asked(message.fallback_w, now_s, message.fallback_w)
        else:
            expires_s = min(message.expires_s, now_s + LONGEST_HOLD_S)
            self.follower.asked = Asked(message.target_w, expires_s, message.fallback_w)
        if self._due is not None:
            self._answer(self._word_on(self._due))  # as things stand: a newer one has come meanwhile
        self._due = message
        self.look()

    def look(self) -> asyncio.Task[None]:
        """Begin to look at the source and steer it, unless that is under way; the task may be awaited."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.get_running_loop().create_task(self._look_on())
        return self._looking

    async def ended(self) -> None:
        """Wait until no look is under way."""
        if self._looking is not None:
            await self._looking

    async def _look_on(self) -> None:
        """Look, and again for each target that comes meanwhile."""
        while True:
            message, self._due = self._due, None
            withdrawn = message is not None and message.target_w is None
            if message is not None and withdrawn:
                self._answer(self._word_on(message))  # a central that ends waits for nothing else
            if message is None or withdrawn or self._acknowledged_s is None:
                await self._look_once()
            if message is not None and not withdrawn:
                self._answer(self._word_on(message))
            if self._due is None:
                return

    async def _look_once(self) -> None:
        now_s, sample = self._now_s(), self._sample()
        if sample is None or self.pulses.running:
            return
        command = self._command
        late = self.pulses.late()
        if late is not None:
            self._note(command, late)
        width_ms = self.follower.pulse(now_s, sample.exchange_p_w)
        if width_ms != 0:
            self._note(command, await self.pulses.send(width_ms))
        elif self.follower.is_set(now_s, sample.exchange_p_w):
            self._note(command, CommandState.DONE)

    def _note(self, command: tuple[int, int | None], state: CommandState) -> None:
        """What the meter said, or what its packets show."""
        self.follower.answered(state in _OBEYED)
        self._last_pulse = state
        now_s = self._now_s()
        reached = state is not CommandState.NONE and not self.follower.is_safe(now_s)
        if reached and command == self._command and self._acknowledged_s is None:
            self._acknowledged_s = now_s

    def _word_on(self, message: Target) -> TargetAck:
        """What is to be said of a target now."""
        current = (message.command_id, message.target_w) == self._command
        state, reason = AckState.ACCEPTED, ""
        if message.target_w is not None and message.expires_s <= self._now_s():
            state, reason = AckState.REFUSED, "This target had expired when it came."
        elif current and self._last_pulse is CommandState.REFUSED:
            state, reason = AckState.REFUSED, _REFUSED
        elif message.target_w is not None and message.target_w > self.follower.limit_w:
            reason = f"This house gives {self.follower.limit_w / 1000:.2f} kW at most."
        return TargetAck(
            house=self._house,
            request_id=message.request_id,
            command_id=message.command_id,
            state=state,
            reason=reason,
            acknowledged_s=self._acknowledged_s if current else None,
        )
