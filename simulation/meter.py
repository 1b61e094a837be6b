"""A virtual meter on a pseudo-terminal, for programs that expect a serial port: `python -m simulation.meter`.

It prints one JSON line, `{"house": …, "port": …}`, and then sends a packet a second in real time; or, with
`--stepped-clock`, moves when a conductor says so. That conversation is JSON lines over TCP: the meter begins
with `{"role": "meter", "house": …}`; to each `{"tick": T}` (Unix seconds, a whole minute) it advances to T
and answers `{"done": T, "sequence": …, "uptime_ms": …, "lost_packets": …}`: the last packet it made, its
uptime at T and how many packets nobody took from the port so far; `{"stop": true}` ends it.
"""

import argparse
import json
import os
import select
import signal
import socket
import sys
import time
import tty
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Protocol

import msgspec

from microgrid.months import zone_of
from microgrid.units import SECONDS_PER_MINUTE
from microgrid.wire.serial import Command
from simulation.plant.config import GridFile, made_up_grid, read_grid
from simulation.plant.faults import Fault, FaultKind, fault_of
from simulation.plant.house_plant import HousePlant, PlantMinute
from simulation.plant.streams import stream
from simulation.replay import Replay, read_replay
from simulation.virtual_meter import VirtualMeter, never
from simulation.wiring import RIGHT, Wiring, wiring_of


class Meter(Protocol):
    """What a pseudo-terminal needs of a meter: `VirtualMeter` says what each of these does."""

    plant: HousePlant
    last_sequence: int

    @property
    def second(self) -> int: ...  # noqa: D102

    @property
    def uptime_ms(self) -> int: ...  # noqa: D102

    def advance(self, to_minute: int) -> list[bytes]: ...  # noqa: D102

    def advance_seconds(self, to_second: int) -> list[bytes]: ...  # noqa: D102

    def receive(self, data: bytes) -> list[bytes]: ...  # noqa: D102


class PtyMeter:
    """A meter at one end of a pseudo-terminal; `port` is the other end, to open as a serial port.

    Writing never waits: like a UART it loses what nobody reads, and `lost_packets` counts that.
    """

    def __init__(self, meter: Meter) -> None:
        self.meter = meter
        self.lost_packets = 0
        # The other end stays open, or a restarted reader hangs us up.
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.port = os.ttyname(self._slave)

    def fileno(self) -> int:
        """The descriptor that becomes readable when a command has come; then call `serve_commands`."""
        return self._master

    def advance_to(self, second: int) -> tuple[int, int]:
        """Move to this Unix second, a whole minute: the last packet's sequence, and the uptime now in ms.

        Commands that have already come are obeyed first. ValueError if the second is no whole minute.
        """
        minute, rest = divmod(second, SECONDS_PER_MINUTE)
        if rest:
            raise ValueError(f"The clock stepped to second {second}, which is not a whole minute.")
        self.serve_commands()
        self._send(self.meter.advance(minute))
        return self.meter.last_sequence, self.meter.uptime_ms

    def advance_live(self, second: int) -> None:
        """Move to this Unix second, with a packet for each second on the way."""
        self.serve_commands()
        self._send(self.meter.advance_seconds(second))

    def serve_commands(self) -> None:
        """Obey and answer the commands that have come; returns at once if there are none."""
        while True:
            try:
                data = os.read(self._master, 4096)
            except BlockingIOError:
                return
            self._send(self.meter.receive(data))

    def close(self) -> None:
        """Close both ends; a program that has the port open sees it gone."""
        os.close(self._master)
        os.close(self._slave)

    def _send(self, packets: Sequence[bytes]) -> None:
        if not packets:
            return
        try:
            written = os.write(self._master, b"".join(packets))
        except BlockingIOError:
            written = 0
        for packet in packets:
            written -= len(packet)
            self.lost_packets += written < 0


class Record:
    """The truth about a house, a JSON line a minute, to hold a bill against afterwards.

    Registers are exact 64-bit Ws at the minute's end; `commands` are those accepted since the line before.
    The first line is the opening: the registers as they stood before the first minute.
    """

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def __call__(self, ended: PlantMinute, accepted: tuple[Command, ...]) -> None:
        """Write one line, whole, so that a killed process leaves none cut short but the last."""
        line = {
            "minute": ended.minute,
            "import_ws": ended.import_ws,
            "export_ws": ended.export_ws,
            "generation_ws": ended.generation_ws,
            "closed_s": ended.closed_s,
            "commands": [[command.kind, command.command_id, command.width_ms] for command in accepted],
        }
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()


def boot_id(seed: int, house: str, start: int) -> int:
    """The ID of the boot of this house's meter at minute `start`: 1 to 2**32 - 1, the same for a seed."""
    return 1 + int(stream(seed, house, "boot", start).random() * (2**32 - 1))


def make_meter(
    grid: GridFile, house: str, *, seed: int, start: int,
    replay: Replay | None = None, counter_start_ws: int = 0, record: Record | None = None,
    wiring: Wiring = RIGHT, faults: Sequence[Fault] = (),
) -> VirtualMeter:  # fmt: skip
    """A house's virtual meter with its plant, beginning at minute `start`; ValueError says why not."""
    config = grid.plant(house)
    plant = HousePlant(
        house,
        config,
        zone=zone_of(grid.zone),
        site=grid.site,
        seed=seed,
        start=start,
        load=replay.load_w if replay else None,
        start_ws=(counter_start_ws, counter_start_ws, counter_start_ws),
        faults=(*map(fault_of, config.faults), *faults),
    )
    silent = replay.silent if replay else never
    boot = boot_id(seed, house, start)
    return VirtualMeter(plant, boot, silent=silent, minute_ended=record, wiring=wiring)


class _ClockMessage(msgspec.Struct):
    tick: int = 0
    stop: bool = False


def run_live(pty: PtyMeter) -> None:
    """Play one virtual second a real second, until interrupted."""
    begun, start = time.monotonic(), pty.meter.second
    while True:
        elapsed = time.monotonic() - begun
        pty.advance_live(start + int(elapsed))
        if select.select([pty], [], [], 1 - elapsed % 1)[0]:
            pty.serve_commands()


def run_stepped(pty: PtyMeter, clock: socket.socket) -> None:
    """Move as the conductor at the other end of `clock` says, until it says stop.

    ConnectionError if it goes away before.
    """
    hello = {"role": "meter", "house": pty.meter.plant.house}
    clock.sendall(json.dumps(hello).encode() + b"\n")
    pending = b""
    while True:
        readable = select.select([clock.fileno(), pty.fileno()], [], [])[0]
        if pty.fileno() in readable:
            pty.serve_commands()
        if clock.fileno() not in readable:
            continue
        data = clock.recv(4096)
        if not data:
            raise ConnectionError("The stepped clock closed the connection without a stop.")
        *lines, pending = (pending + data).split(b"\n")
        for line in lines:
            message = msgspec.json.decode(line, type=_ClockMessage)
            if message.stop:
                return
            sequence, uptime_ms = pty.advance_to(message.tick)
            done = {"done": message.tick, "sequence": sequence, "uptime_ms": uptime_ms}
            clock.sendall(json.dumps(done | {"lost_packets": pty.lost_packets}).encode() + b"\n")


def _address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT")
    return host, int(port)


def _wiring(text: str) -> Wiring:
    try:
        return wiring_of(text)
    except ValueError as fault:
        raise argparse.ArgumentTypeError(str(fault)) from None


def _fault(text: str) -> Fault:
    try:
        return fault_of(text)
    except ValueError as fault:
        raise argparse.ArgumentTypeError(str(fault)) from None


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m simulation.meter", description="A virtual meter on a pty."
    )
    parser.add_argument("--house", required=True, help="ID of the house")
    parser.add_argument("--seed", type=int, default=1, help="what all random values follow from (default 1)")
    parser.add_argument(
        "--month-start", type=int, required=True, help="first minute played, since 1970 in UTC"
    )
    parser.add_argument("--config", type=Path, help="TOML file with zone, site and plants (default: made up)")
    parser.add_argument("--replay", type=Path, help="CSV file of measured minutes to consume by")
    parser.add_argument("--replay-day", type=int, default=0, help="day of that file to begin at (default 0)")
    parser.add_argument("--record", type=Path, help="file to append the true registers to, a line a minute")
    parser.add_argument("--counter-start", type=int, default=0, help="Ws the counters begin at (default 0)")
    parser.add_argument(
        "--wiring", type=_wiring, default=RIGHT, metavar="1,2r,3",
        help="phase whose current each terminal sees, r: reversed (default 1,2,3)",
    )  # fmt: skip
    parser.add_argument(
        "--fault", type=_fault, action="append", default=[], dest="faults", metavar="KIND@FROM-UNTIL",
        help="what goes wrong and when, in minutes since the start; -UNTIL may be left out. KIND: "
        + ", ".join(FaultKind),
    )  # fmt: skip
    parser.add_argument("--stepped-clock", type=_address, metavar="HOST:PORT", help="conductor to step with")
    return parser.parse_args(arguments)


def _run(options: argparse.Namespace) -> None:
    with ExitStack() as stack:
        grid = read_grid(options.config.read_bytes()) if options.config else made_up_grid()
        start = options.month_start
        replay = read_replay(options.replay, start, options.replay_day) if options.replay else None
        record = None
        if options.record:
            record = Record(stack.enter_context(options.record.open("a", encoding="ascii")))
        meter = make_meter(
            grid, options.house, seed=options.seed, start=start,
            replay=replay, counter_start_ws=options.counter_start, record=record, wiring=options.wiring,
            faults=options.faults,
        )  # fmt: skip
        pty = PtyMeter(meter)
        stack.callback(pty.close)
        print(json.dumps({"house": options.house, "port": pty.port}), flush=True)
        if options.stepped_clock is None:
            run_live(pty)
        else:
            run_stepped(pty, stack.enter_context(socket.create_connection(options.stepped_clock, timeout=10)))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a virtual meter until it is told to stop; the exit code, 1 if it could not run."""
    options = _arguments(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        _run(options)
    except KeyboardInterrupt:
        return 0
    except (OSError, ValueError, msgspec.DecodeError) as error:
        print(f"meter {options.house}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
