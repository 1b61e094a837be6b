"""What a seller is held to, against a history looked at second by second."""

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from microgrid.commitment import Commitment

RESPONSE_S = 6


@dataclass
class History:
    """One direction of the same by brute force: what the seller was bound to in every second.

    `after` is the hardest target it had acknowledged and that was still asked, as a second ended; `least`
    the easiest of the whole second. None: nothing.
    """

    raised: bool
    now_s: int = 0
    after: list[int | None] = field(default_factory=lambda: [None])
    least: list[int | None] = field(default_factory=lambda: [None])

    def wait(self) -> None:
        self.now_s += 1
        self.least.append(self.after[-1])
        self.after.append(self.after[-1])

    def asked(self, target_w: int) -> None:
        bound = self.after[-1]
        if bound is not None:
            self.acknowledged(self._easiest(bound, target_w))

    def acknowledged(self, target_w: int) -> None:
        self.after[-1] = target_w
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
        since_s = self.now_s - RESPONSE_S
        held = self.held(since_s)
        if held is None:
            return None
        while since_s > 0 and self.held(since_s - 1) == held:
            since_s -= 1
        return held, since_s


# Seconds since the one before, target, whether it is acknowledged, and the direction that is looked at.
EVENTS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 6), st.booleans(), st.booleans()), max_size=25)


@settings(max_examples=500)
@given(EVENTS)
def test_held_to_the_easiest_acknowledged_target_of_the_response_time(
    events: list[tuple[int, int, bool, bool]],
):
    commitment = Commitment(True)
    histories = {raised: History(raised) for raised in (True, False)}

    def compare() -> None:
        history = histories[commitment.raised]
        assert commitment.due(history.now_s, RESPONSE_S) == history.due()

    for gap_s, target_w, acknowledged, raised in [*events, (RESPONSE_S + 1, 3, False, True)]:
        for _ in range(gap_s):
            for history in histories.values():
                history.wait()
            compare()
        commitment = commitment.asked(target_w, raised)
        for history in histories.values():
            history.asked(target_w)
        compare()
        if acknowledged:
            commitment = commitment.acknowledged(target_w, histories[True].now_s)
            for history in histories.values():
                history.acknowledged(target_w)
            compare()


@given(EVENTS)
def test_levels_are_in_order_and_bounded_by_the_target(events: list[tuple[int, int, bool, bool]]):
    commitment, now_s = Commitment(True), 0
    for gap_s, target_w, acknowledged, raised in events:
        now_s += gap_s
        commitment = commitment.asked(target_w, raised)
        if acknowledged:
            commitment = commitment.acknowledged(target_w, now_s)
        assert commitment.raised is raised
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


def test_an_output_that_passes_its_target_to_and_fro_does_not_begin_anew():
    """Above its target at every second look, a seller is held to it at the others all the same."""
    commitment = Commitment(True).asked(900, True).acknowledged(900, 0)
    for second in range(10, 100, 10):
        commitment = commitment.asked(900, second % 20 == 0)
    assert commitment.asked(900, True).due(100, 60) == (900, 0)
    assert commitment.asked(900, False).due(100, 60) == (900, 0)


def test_who_was_lowered_and_is_raised_again_owes_what_it_was_lowered_to_meanwhile():
    commitment = Commitment(False).asked(500, False).acknowledged(500, 0)
    raised = commitment.asked(2000, True).acknowledged(2000, 100)
    assert raised.due(159, 60) == (500, 0)
    assert raised.due(160, 60) == (2000, 100)
