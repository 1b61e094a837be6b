"""The conductor: owns virtual time and moves everything through one tick after another.

One tick: the meters write a packet for each virtual minute, every house hears and journals up to T, the
central polls, records and steers, the meters echo; then time stands still again.
"""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from central_monitor.program import CentralProgram
from house_client.program import HouseProgram
from microgrid.units import SECONDS_PER_MINUTE
from simulation.meter import PtyMeter


class Conductor:
    """Conducts one central, its houses and their meters on one event loop."""

    def __init__(
        self, central: CentralProgram, houses: Mapping[str, HouseProgram], meters: Mapping[str, PtyMeter]
    ) -> None:
        self._central = central
        self._houses = houses
        self._meters = meters

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Let the meters answer commands whenever they come."""
        loop = asyncio.get_running_loop()
        for meter in self._meters.values():
            loop.add_reader(meter.fileno(), meter.serve_commands)
        try:
            yield
        finally:
            for meter in self._meters.values():
                loop.remove_reader(meter.fileno())

    async def tick(self, minute: int) -> None:
        """Move everything to the beginning of this minute. TimeoutError names who did not answer."""
        second = minute * SECONDS_PER_MINUTE
        written = {house: meter.advance_to(second) for house, meter in self._meters.items()}
        for house, program in self._houses.items():
            await program.advance(second, *written[house])
        await self._central.tick(second)
