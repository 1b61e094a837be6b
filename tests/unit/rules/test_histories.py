"""Whatever happens to a meter and to its rows on their way, what is billed is what the registers say flowed.

A history begins at the meter's counters (32 bits, wrapping, falling, jumping), goes through the house's
minutes, out of order and repeatedly into the central's database, and out of it as the energy of minutes.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from db.central import CENTRAL, MinuteStore
from db.engine import open_writer
from microgrid.energy import MinuteEnergy, Profile, minute_energy
from microgrid.metering import MINUTE_MS, MinuteBuilder
from microgrid.minute import MeterMinute, Origin
from microgrid.registers import COUNTER_MODULUS, OVERLOAD
from tests.unit.central.parts import sample
from tests.unit.rules.build import FIRST, read

CONNECTION_W = 10_000
LIMIT = np.array([CONNECTION_W])
DAY = 1440


class Truth(NamedTuple):
    """What had really flowed, and how often the meter had gone wrong, when a packet was written."""

    imported: int
    exported: int
    faults: int


class Run(NamedTuple):
    """Some minutes of constant power; unheard ones flow all the same."""

    import_w: int
    export_w: int
    heard: bool
    minutes: int


@dataclass
class Life:
    """One meter and the house that listens to it, from a first clean reading on."""

    import_start: int
    export_start: int
    minute: int = FIRST
    flowed: tuple[int, int] = (0, 0)
    faults: int = 0
    jumps: int = 0
    rows: list[MeterMinute] = field(default_factory=list)
    truths: dict[int, Truth] = field(default_factory=dict)  # by minute: as of its last packet

    def __post_init__(self) -> None:
        self.counters = (self.import_start, self.export_start)
        self.builder = MinuteBuilder("A", CONNECTION_W, None)
        self.live(Run(0, 0, True, 3))

    def live(self, event: Run | str) -> None:
        """Let this happen."""
        if isinstance(event, Run):
            for _ in range(event.minutes):
                self.flow(60 * event.import_w, 60 * event.export_w)
                if event.heard:
                    self.packet(*self.counters, (self.minute + 1) * MINUTE_MS)
                self.minute += 1
            return
        now_ms = self.minute * MINUTE_MS + MINUTE_MS // 2
        if event == "restart":  # the open minute is lost
            self.builder = MinuteBuilder("A", CONNECTION_W, self.rows[-1])
            return
        if event == "repeat":
            self.packet(*self.counters, now_ms)
            self.packet(*self.counters, now_ms)
            return
        self.faults += 1
        if event == "zero":  # a bad reading: the counters themselves stand as they stood
            self.packet(0, 0, now_ms)
        elif event == "zero export":
            self.packet(self.counters[0], 0, now_ms)
        elif event == "reset":
            self.counters = (0, 0)
            self.packet(*self.counters, now_ms)
        elif self.jumps < 3:  # four would be a whole turn
            self.jumps += 1
            self.counters = (self.counters[0], (self.counters[1] + 2**30) % COUNTER_MODULUS)
            self.packet(*self.counters, now_ms)

    def flow(self, import_ws: int, export_ws: int) -> None:
        self.flowed = (self.flowed[0] + import_ws, self.flowed[1] + export_ws)
        self.counters = (
            (self.counters[0] + import_ws) % COUNTER_MODULUS,
            (self.counters[1] + export_ws) % COUNTER_MODULUS,
        )

    def packet(self, import_ws: int, export_ws: int, at_ms: int) -> None:
        shown = sample(
            import_counter_ws=import_ws, export_counter_ws=export_ws, generation_counter_ws=export_ws
        )
        self.rows += self.builder.feed(at_ms, shown)
        self.truths[self.minute] = Truth(*self.flowed, self.faults)

    def end(self) -> None:
        """The last minute closes, and the house falls silent."""
        self.rows += self.builder.close((self.minute + 1) * MINUTE_MS)


RUNS = st.builds(Run, st.integers(0, 10_000), st.integers(0, 10_000), st.booleans(), st.integers(1, 120))
# A fall is told from a turn of the counter, and a jump from energy, only while the connection cannot carry as
# much: the export counter begins far from a turn, and 2³⁰ Ws is more than 8 runs carry. (The import counter
# may turn: no fault but "zero" and "reset" touches it, and the export counter gives them away.)
EVENTS = st.lists(
    st.one_of(RUNS, st.sampled_from(["restart", "repeat", "zero", "zero export", "reset", "jump"])),
    max_size=8,
)
IMPORT_STARTS = st.one_of(st.integers(2**24, 2**26), st.integers(2**32 - 10**6, 2**32 - 1))


@st.composite
def lives(draw: st.DrawFn) -> Life:
    life = Life(draw(IMPORT_STARTS), draw(st.integers(2**24, 2**26)))
    for event in draw(EVENTS):
        life.live(event)
    life.end()
    return life


def rises(before: MeterMinute, after: MeterMinute) -> tuple[int, int]:
    return after.import_ws - before.import_ws, after.export_ws - before.export_ws


@given(lives())
@settings(max_examples=200, deadline=None)
def test_registers_rise_by_what_flowed_and_a_fault_ends_their_epoch(life: Life) -> None:
    assert [row.minute for row in life.rows] == sorted({row.minute for row in life.rows})
    for before, after in pairwise(life.rows):
        then, now = life.truths[before.minute], life.truths[after.minute]
        flowed = (now.imported - then.imported, now.exported - then.exported)
        # After a fault a counter at 0 may be a bad reading: its first rise is a matter of its own.
        in_doubt = before.epoch > 0 and 0 in (before.import_ws, before.export_ws)
        if now.faults == then.faults and not in_doubt:
            assert before.epoch == after.epoch
            assert rises(before, after) == flowed
        elif before.epoch == after.epoch:  # the fault came and went, or fell into a lost minute
            assert all(0 <= rise <= real for rise, real in zip(rises(before, after), flowed, strict=True))


def habits(seed: int) -> Profile | None:
    """Any habit at all, the same again for the same gap."""
    if seed % 5 == 0:
        return None

    def profile(house: str, gap: range) -> tuple[np.ndarray, np.ndarray] | None:
        random = np.random.default_rng((seed, gap.start, gap.stop))
        weights = random.integers(0, 600_000, (2, len(gap))) * (random.random((2, len(gap))) < 0.8)
        return None if random.random() < 0.2 else (weights[0], weights[1])

    return profile


def assert_billed_as_registered(rows: Sequence[MeterMinute], energy: MinuteEnergy, minutes: range) -> None:
    """Between any two rows of an epoch exactly the registers' difference, and nothing else anywhere."""
    net, estimated, known = (getattr(energy, name)[:, 0] for name in ("net_ws", "estimated", "known"))
    told = np.zeros(len(minutes), dtype=np.bool_)
    joined = rows[0].minute - minutes.start + 1  # before it nothing is known, nor estimated
    for before, after in pairwise(rows):
        at = slice(before.minute + 1 - minutes.start, after.minute + 1 - minutes.start)
        imported, exported = rises(before, after)
        if before.epoch == after.epoch:
            told[at] = True
            assert net[at].sum() == exported - imported
        if after.minute - before.minute > 1:
            assert estimated[at].all()
    assert (known == told).all()
    assert not net[~told].any()
    assert estimated[joined:][~told[joined:]].all()
    assert not estimated[:joined].any()


@given(lives(), st.integers(0, 2**32 - 1), st.lists(st.integers(0, 1000), max_size=5))
@settings(max_examples=200, deadline=None)
def test_a_history_bills_its_registers_differences_however_it_is_cut(
    life: Life, seed: int, cuts: list[int]
) -> None:
    minutes = range(FIRST - 2, life.minute + 3)
    whole = minute_energy(read(("A",), minutes, {"A": life.rows}), LIMIT, habits(seed))
    assert_billed_as_registered(life.rows, whole, minutes)
    points = sorted(
        {minutes.start, minutes.stop} | {FIRST + cut for cut in cuts if cut < life.minute - FIRST}
    )
    parts = [
        minute_energy(read(("A",), range(*part), {"A": life.rows}), LIMIT, habits(seed))
        for part in pairwise(points)
    ]
    assert_same(parts, whole)


def assert_same(parts: Sequence[MinuteEnergy], whole: MinuteEnergy) -> None:
    for name in ("net_ws", "estimated", "known"):
        joined = np.concatenate([getattr(part, name) for part in parts])
        np.testing.assert_array_equal(joined, getattr(whole, name))


@given(lives(), st.randoms(use_true_random=False), st.integers(0, 2**32 - 1), st.booleans())
@settings(max_examples=60, deadline=None)
def test_rows_that_come_late_repeatedly_and_in_any_order_bill_the_same(
    life: Life, random, seed, sealed
) -> None:
    minutes = range(FIRST - 2, life.minute + 3)
    whole = minute_energy(read(("A",), minutes, {"A": life.rows}), LIMIT, habits(seed))
    deliveries = [*life.rows, *random.choices(life.rows, k=5)]
    random.shuffle(deliveries)
    with tempfile.TemporaryDirectory() as folder:
        connection = open_writer(Path(folder) / "a.db", CENTRAL)
        store = MinuteStore(connection)
        while deliveries:
            size = random.randint(1, len(deliveries))
            batch, deliveries = deliveries[:size], deliveries[size:]
            store.append(
                [msgspec.structs.replace(row, origin=random.choice(list(Origin)[:2])) for row in batch]
            )
            if sealed:
                store.seal(random.choice(batch).minute // DAY)
        days = [columns for columns, _ in store.days(minutes.start, minutes.stop, ["A"])]
        connection.close()
    assert_same([minute_energy(day, LIMIT, habits(seed)) for day in days], whole)
    assert_billed_as_registered(life.rows, whole, minutes)


@given(lives(), st.data())
@settings(max_examples=100, deadline=None)
def test_a_row_whose_registers_are_nonsense_bills_nothing_and_harms_no_other(life: Life, data) -> None:
    """The central looks again: a house that sends a 0, a fall or a jump within its epoch is not believed."""
    at = data.draw(st.integers(1, len(life.rows) - 1))
    name = data.draw(st.sampled_from(["import_ws", "export_ws"]))
    value = data.draw(st.sampled_from([0, -1, getattr(life.rows[at], name) + 2**40, 2**62]))
    rows = list(life.rows)
    rows[at] = msgspec.structs.replace(rows[at], **{name: value})
    around = rows[at - 1 : at + 2]
    for before, after in pairwise(around):  # what a silence could have carried is not nonsense
        carried = CONNECTION_W * OVERLOAD * 60 * (after.minute - before.minute + 1)
        assume(not 0 <= getattr(after, name) - getattr(before, name) <= carried)
    minutes = range(FIRST - 2, life.minute + 3)
    good = minute_energy(read(("A",), minutes, {"A": life.rows}), LIMIT)
    found = minute_energy(read(("A",), minutes, {"A": rows}), LIMIT)
    touched = np.zeros(len(minutes), dtype=np.bool_)
    touched[around[0].minute + 1 - minutes.start : around[-1].minute + 1 - minutes.start] = True
    np.testing.assert_array_equal(found.net_ws[~touched], good.net_ws[~touched])
    assert not found.net_ws[touched].any()
    assert not found.known[touched].any()
