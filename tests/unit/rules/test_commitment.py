"""What a seller is held to, against a history looked at second by second."""

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from microgrid.commitment import Commitment

RESPONSE_S = 6


@dataclass
class History:
    """The same by brute force: what the seller was bound to in every second.

    `after` is the hardest target it had acknowledged and that was still asked, when a second began; `least`
    the easiest of the whole second. None: nothing.
    """

    raised: bool = True
    now_s: int = 0
    bound: int | None = None
    after: list[int | None] = field(default_factory=lambda: [None])
    least: list[int | None] = field(default_factory=lambda: [None])

    def wait(self, seconds: int) -> None:
        for _ in range(seconds):
            self.now_s += 1
            self.after.append(self.bound)
            self.least.append(self.bound)

    def asked(self, target_w: int, raised: bool) -> None:
        if raised is not self.raised:
            self.raised, self.bound = raised, None
            self.after, self.least = [None] * (self.now_s + 1), [None] * (self.now_s + 1)
        if self.bound is not None:
            self._bind(self._easiest(self.bound, target_w))

    def acknowledged(self, target_w: int) -> None:
        self._bind(target_w)

    def _bind(self, target_w: int) -> None:
        self.bound = self.after[-1] = target_w
        least = self.least[-1]
        if least is not None:
            self.least[-1] = self._easiest(least, target_w)

    def _easiest(self, *targets_w: int) -> int:
        return min(targets_w) if self.raised else max(targets_w)

    def held(self, from_s: int) -> int | None:
        """The easiest target of all the time since `from_s`."""
        window = [self.after[from_s], *self.least[from_s + 1 :]] if from_s >= 0 else [None]
        known = [target_w for target_w in window if target_w is not None]
        return self._easiest(*known) if len(known) == len(window) else None

    def due(self) -> tuple[int, int] | None:
        held = self.held(self.now_s - RESPONSE_S)
        if held is None:
            return None
        since = next(
            s
            for s in range(self.now_s + 1)
            if (low := self.held(s)) is not None and self._easiest(low, held) == held
        )
        return held, since


EVENTS = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 6), st.booleans(), st.integers(0, 9).map(lambda n: n > 0)),
    max_size=25,
)


@settings(max_examples=500)
@given(EVENTS, st.booleans())
def test_held_to_the_easiest_acknowledged_target_of_the_response_time(
    events: list[tuple[int, int, bool, bool]], raised: bool
):
    """Targets, acknowledged or not, some seconds apart; the direction seldom changes."""
    commitment, history = Commitment(raised), History(raised)
    for gap_s, target_w, acknowledged, same_direction in events:
        for _ in range(gap_s):
            history.wait(1)
            assert commitment.due(history.now_s, RESPONSE_S) == history.due()
        raised = raised if same_direction else not raised
        commitment = commitment.asked(target_w, raised)
        history.asked(target_w, raised)
        assert commitment.due(history.now_s, RESPONSE_S) == history.due()
        if acknowledged:
            commitment = commitment.acknowledged(target_w, history.now_s)
            history.acknowledged(target_w)
        assert commitment.due(history.now_s, RESPONSE_S) == history.due()
    for _ in range(RESPONSE_S + 1):
        history.wait(1)
        assert commitment.due(history.now_s, RESPONSE_S) == history.due()


@given(EVENTS, st.booleans())
def test_levels_are_in_order_and_as_few_as_there_are_targets(
    events: list[tuple[int, int, bool, bool]], raised: bool
):
    commitment, now_s = Commitment(raised), 0
    for gap_s, target_w, acknowledged, _ in events:
        now_s += gap_s
        commitment = commitment.asked(target_w, raised)
        if acknowledged:
            commitment = commitment.acknowledged(target_w, now_s)
        powers = [power_w for power_w, _ in commitment.levels]
        times = [since_s for _, since_s in commitment.levels]
        assert powers == sorted(set(powers), reverse=not raised)
        assert times == sorted(times)
        assert all(power_w <= target_w if raised else power_w >= target_w for power_w in powers)


def test_a_target_that_rises_every_second_binds_to_what_it_was():
    """Were each a new beginning, this seller would never be held to anything."""
    commitment = Commitment(True)
    for second in range(100):
        commitment = commitment.asked(1000 + second, True).acknowledged(1000 + second, second)
    assert commitment.due(100, 60) == (1040, 40)


def test_nobody_is_held_to_more_than_is_asked_now():
    commitment = Commitment(True).asked(2000, True).acknowledged(2000, 0).asked(500, True)
    assert commitment.due(60, 60) == (500, 0)  # who had acknowledged 2000 has acknowledged 500
    assert commitment.asked(2000, True).due(60, 60) == (500, 0)  # and 2000 anew only once it says so
    assert commitment.asked(2000, True).acknowledged(2000, 60).due(119, 60) == (500, 0)
    assert commitment.asked(2000, True).acknowledged(2000, 60).due(120, 60) == (2000, 60)


def test_nothing_is_due_before_the_response_time_or_without_an_acknowledgement():
    asked = Commitment(True).asked(2000, True)
    assert asked.due(10**6, 0) is None
    assert asked.acknowledged(2000, 100).due(159, 60) is None
    assert asked.acknowledged(2000, 100).due(160, 60) == (2000, 100)


def test_lowered_a_seller_is_held_to_at_most_a_level():
    commitment = (
        Commitment(False).asked(900, False).acknowledged(900, 0).asked(600, False).acknowledged(600, 30)
    )
    assert commitment.due(60, 60) == (900, 0)
    assert commitment.due(90, 60) == (600, 30)
    assert commitment.asked(800, False).due(90, 60) == (800, 30)


def test_another_direction_begins_anew():
    commitment = Commitment(True).asked(900, True).acknowledged(900, 0)
    assert commitment.asked(900, False).levels == ()
