"""A whole neighbourhood of processes on virtual time: a meter and a client a house, one central."""

import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

from central_monitor.adapters.writer import DatabaseWriter
from microgrid.minute import MeterMinute
from microgrid.months import month_minutes, zone_of
from microgrid.terms import Terms
from node.gridfile import read_gridfile
from tests.e2e.cable import Cable
from tests.e2e.conducting import Conductor
from tests.e2e.processes import CENTRAL, HOUSE, METER, ROOT, Process, wait_until
from tests.e2e.truth import meter_record

CHAPTER_9 = ROOT / "resources" / "chapter9.toml"
MONTH = "2026-06"
HOUSES = ("A", "B", "C", "D")
NO_FAULTS: Mapping[str, Sequence[str]] = MappingProxyType({})
# So near the end of the meters' 32-bit counters that they wrap within the first minutes.
COUNTER_START_WS = 2**32 - 200_000


class Neighbourhood:
    """Processes that live the first hours of a month. A context manager: on leaving all have ended."""

    def __init__(
        self, folder: Path, step: int = 1, start: int | None = None, terms: Terms | None = None,
        grid: Path = CHAPTER_9, month: str = MONTH, faults: Mapping[str, Sequence[str]] = NO_FAULTS,
    ) -> None:  # fmt: skip
        """`folder` receives database, journals and records; `step` is the minutes of a tick.

        `start` is the first minute lived (None: the month's first), `terms` those the central begins with
        (None: those of the month), `faults` what goes wrong in houses, besides what `grid` says.
        """
        self._folder = folder
        self._step = step
        self._stack = ExitStack()
        self._processes: dict[tuple[str, str], Process] = {}
        self._ports: dict[str, str] = {}
        self.cables: dict[str, Cable] = {}
        self.database = folder / "central" / "power.sqlite"
        self._grid = grid
        self._faults = faults
        gridfile = read_gridfile(grid)
        self.month = month_minutes(month, zone_of(gridfile.zone))
        self.terms = gridfile.terms(self.month) if terms is None else terms
        self.houses = tuple(house.house for house in self.terms.houses)
        self._start_minute = self.now = self.month.start if start is None else start
        self.linked: list[str] = []
        self.conductor = Conductor()

    def __enter__(self) -> Self:
        self._stack.enter_context(self.conductor)
        try:
            self._start_all()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self._stack.close()

    def _start_all(self) -> None:
        for house in self.houses:
            faults = [part for fault in self._faults.get(house, ()) for part in ("--fault", fault)]
            self._start("meter", house, METER, "--config", self._grid, "--month-start", self._start_minute,
                        "--record", self._record(house), "--counter-start", COUNTER_START_WS,
                        *faults)  # fmt: skip
        self.database.parent.mkdir()
        writer = DatabaseWriter(self.database)
        writer.save_terms(self.terms)
        writer.close()
        self.start_central()
        for house in self.houses:
            self.conductor.await_follower("meter", house)
            self._ports[house] = json.loads(self._processes["meter", house].first_line())["port"]
            self.start_house(house)
        self.conductor.tick(self.now)
        self.play_until_linked(*self.houses)

    # --- who comes and goes -------------------------------------------------------------------------

    def start_central(self) -> None:
        """Start the central on its database and plug the houses' cables into it."""
        self._start("central", "", (*CENTRAL, "run"), "--headless", "--database", self.database,
                    "--listen", "127.0.0.1:0", "--step", self._step)  # fmt: skip
        port = self.conductor.await_follower("central")["port"]
        for house in self.houses:
            if house not in self.cables:
                self.cables[house] = self._stack.enter_context(Cable(port))
            self.cables[house].target_port = port

    def start_house(self, house: str) -> None:
        """Start a house's client; its port is open then, and if its cable is whole it was welcomed."""
        cable = self.cables[house]
        answers = cable.answers
        self._start("house", house, HOUSE, "--headless", "--meter", self._ports[house],
                    "--central", f"127.0.0.1:{cable.port}", "--data", self.data(house))  # fmt: skip
        self.conductor.await_follower("house", house)
        wait_until(lambda: cable.is_cut or cable.answers > answers, f"a welcome for house {house}")

    def kill(self, role: str, house: str = "") -> None:
        """A power cut: the process ends at once, and the clock goes on without it."""
        self._processes.pop((role, house)).kill()
        self.conductor.forget(role, house)

    def stop(self, role: str, house: str = "") -> None:
        """End a process in good order."""
        self.conductor.stop(role, house)
        process = self._processes.pop((role, house))
        assert process.wait() == 0, process.errors
        assert process.errors == ""

    def stop_all(self) -> None:
        """End everything in good order; what was recorded is on the disk then."""
        for role in ("house", "central", "meter"):
            for other, house in list(self._processes):
                if other == role:
                    self.stop(role, house)

    def data(self, house: str) -> Path:
        """The folder of a house's journal."""
        return self._folder / f"house-{house}"

    def _start(self, role: str, house: str, program: tuple[str, ...], *arguments: object) -> None:
        named = ("--house", house) if house else ()
        process = Process(program, *named, *arguments, "--stepped-clock", self.conductor.address)
        self._processes[role, house] = process
        self._stack.callback(process.kill)

    # --- time ---------------------------------------------------------------------------------------

    def play(self, minutes: int) -> None:
        """Live this many minutes."""
        for _ in range(0, minutes, self._step):
            self.now += self._step
            self.linked = self.conductor.tick(self.now)

    def play_with(self, order: dict[str, Any] | None = None, **wishes: dict[str, Any]) -> None:
        """Live one tick in which households answer, or the operator orders something."""
        self.now += self._step
        self.linked = self.conductor.tick(self.now, wishes, order)

    def play_until(self, minute: int) -> None:
        """Live on until this minute."""
        self.play(minute - self.now)

    def play_until_linked(self, *houses: str) -> None:
        """Live on until these houses are linked: they try again after a while of virtual time."""
        for _ in range(20):
            self.play(self._step)
            if set(houses) <= set(self.linked):
                return
        raise AssertionError(f"linked are only {self.linked}")

    # --- the truth ----------------------------------------------------------------------------------

    def _record(self, house: str) -> Path:
        return self._folder / f"meter-{house}.jsonl"

    def records(self) -> dict[str, list[MeterMinute]]:
        """Every meter's own record, opening first."""
        return {house: meter_record(self._record(house), house) for house in self.houses}

    def net_ws(self, house: str) -> int:
        """What a house's meter counted since the beginning: exported less imported."""
        first, *_, last = self.records()[house]
        return (last.export_ws - first.export_ws) - (last.import_ws - first.import_ws)
