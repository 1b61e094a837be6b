"""The house's source under the central's targets: one look, and one pulse, at a time (ch. 6).

Pulses leave the house only from here, and only a target of the central sets what they steer to.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from house_client.pulses import Pulses
from house_client.safe_output import SafeOutput
from microgrid.sample import CommandState, Sample
from microgrid.steering import Asked, Follower
from microgrid.wire.messages import AckState, Target, TargetAck

LONGEST_HOLD_S = 6 * 3600  # however long a target is said to hold, it must be renewed within this
KEPT_EVERY_S = 60  # so often it is written down until when the newest target holds
GRACE_S = 60  # for the central to be heard after a start, before its silence counts
_OBEYED = (CommandState.PULSING, CommandState.DONE)
_NO_OUTPUTS = "The meter of this house has no outputs to raise or lower its source with."
_REFUSED = "The meter refused the pulse; see whether the source is running."

Answer = Callable[[TargetAck], None]
Keep = Callable[[SafeOutput], Awaitable[None]]
Command = tuple[int, int | None]  # its id and what it asks

log = logging.getLogger(__name__)


class SourceControl:
    """Follows the targets of one house; for one event loop. Times are the central's, in Unix seconds."""

    def __init__(
        self,
        house: str,
        limit_w: int,
        *,
        now_s: Callable[[], int],
        sample: Callable[[], Sample | None],
        answer: Answer,
        kept: SafeOutput | None = None,
    ) -> None:
        """`sample` gives the packet that shows the house now; None: nothing is to be pulsed.

        `limit_w` is what this house gives at most, `answer` takes what is to be said to the central, `kept`
        is what was kept by `keep` (to be set before the first target) when the program ended.
        """
        self._house = house
        self._now_s = now_s
        self._sample = sample
        self._answer = answer
        self._kept = kept
        self.keep: Keep | None = None
        self.follower = Follower(limit_w)
        self.pulses = Pulses()
        self._begun_s: int | None = None  # the first look
        self._target: Target | None = None  # the newest
        self._command: Command = (0, None)
        self._acknowledged_s: int | None = None  # the first word of the meter on this command
        self._pulsed_for: Command = (0, None)  # the command of the newest pulse
        self._refused = False  # the meter's last word
        self.last_pulse: CommandState | None = None  # what became of it; DONE also where none was needed
        self._due: Target | None = None  # to be answered
        self._looking: asyncio.Task[None] | None = None

    @property
    def is_safe(self) -> bool:
        """Whether the house holds its safe output: no target stands any more."""
        return self.follower.is_safe(self._now_s())

    @property
    def goal_w(self) -> int | None:
        """What the house steers to; None: nobody has asked it for anything."""
        return self.follower.goal_w(self._now_s())

    @property
    def reason(self) -> str:
        """Why the central asks for what it asks."""
        return "" if self.target_w is None or self._target is None else self._target.reason

    @property
    def target_w(self) -> int | None:
        """What the central asks for now; None: nothing, or what it asked has expired."""
        return None if self._target is None or self.is_safe else self._target.target_w

    def told(self, message: Target) -> None:
        """Take over a target, or that it is withdrawn; it is answered after a look at the source.

        A house whose meter has no outputs takes none: it says so at once.
        """
        if not self.pulses.has_outputs:
            self._answer(self._word_on(message))
            return
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
            if message is None or self._acknowledged_s is None:
                await self._look_once()
            if message is not None and not withdrawn:
                self._answer(self._word_on(message))
            await self._keep_safe_output()
            if self._due is None:
                return

    async def _look_once(self) -> None:
        if not self.pulses.has_outputs:
            return
        now_s, sample = self._now_s(), self._sample()
        self._fall_back(now_s)
        if sample is None or self.pulses.running:
            return
        late = self.pulses.late()
        if late is not None:
            self._note(self._pulsed_for, late)
        command = self._command
        width_ms = self.follower.pulse(now_s, sample.exchange_p_w)
        if width_ms != 0:
            self._pulsed_for = command
            self._note(command, await self.pulses.send(width_ms))
        elif self.follower.is_set(now_s, sample.exchange_p_w):
            self._note(command, CommandState.DONE)

    def _fall_back(self, now_s: int) -> None:
        """A house that was started again goes by what was kept, until the central asks."""
        if self._begun_s is None:
            self._begun_s = now_s
        kept = self._kept
        if self.follower.asked is not None or kept is None:
            return
        if now_s >= max(kept.expires_s, self._begun_s + GRACE_S):
            self.follower.asked = Asked(kept.fallback_w, kept.expires_s, kept.fallback_w)

    async def _keep_safe_output(self) -> None:
        asked, kept = self.follower.asked, self._kept
        if asked is None or self.keep is None:
            return
        if kept is None or asked.fallback_w != kept.fallback_w or _is_due(asked.expires_s, kept.expires_s):
            self._kept = SafeOutput(house=self._house, fallback_w=asked.fallback_w, expires_s=asked.expires_s)
            try:
                await self.keep(self._kept)
            except OSError as fault:
                log.error("house %s: the safe output is not kept: %s", self._house, fault)

    def _note(self, command: Command, state: CommandState) -> None:
        """What the meter said, or what its packets show."""
        self.follower.answered(state in _OBEYED)
        self.last_pulse = state
        if state is CommandState.NONE:
            return
        self._refused = state is CommandState.REFUSED
        now_s = self._now_s()
        if command == self._command and self._acknowledged_s is None and not self.follower.is_safe(now_s):
            self._acknowledged_s = now_s

    def _word_on(self, message: Target) -> TargetAck:
        """What is to be said of a target now."""
        current = (message.command_id, message.target_w) == self._command
        state, reason = AckState.ACCEPTED, ""
        if message.target_w is not None and message.expires_s <= self._now_s():
            state, reason = AckState.REFUSED, "This target had expired when it came."
        elif message.target_w is not None and not self.pulses.has_outputs:
            state, reason = AckState.REFUSED, _NO_OUTPUTS
        elif current and self._refused:
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


def _is_due(expires_s: int, kept_s: int) -> bool:
    """Whether the kept expiry is too far from what holds now; one that came nearer is kept at once."""
    return not kept_s <= expires_s < kept_s + KEPT_EVERY_S
