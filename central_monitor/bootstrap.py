"""The central's composition root: arguments in, a running program, an exit code out."""

import argparse
import asyncio
import contextlib
import gc
import sys
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import platformdirs

from central_monitor.adapters.archive import Archive
from central_monitor.adapters.exports import write_statements
from central_monitor.adapters.operating import RunningOperator
from central_monitor.adapters.writer import DatabaseWriter
from central_monitor.program import CentralProgram, Listen
from central_monitor.services.records import open_records
from central_monitor.snapshot import CentralSnapshot
from db.errors import DatabaseError
from microgrid.directives import StrategyName
from microgrid.months import minute_of, month_minutes, zone_of
from microgrid.statement import Statements
from microgrid.terms import FOREVER, Tariff, Terms
from microgrid.units import MINUTES_PER_DAY
from node.arguments import address, in_words, positive
from node.clock import Clock, SteppedClock
from node.ending import told_to_end
from node.gridfile import GridFileError, read_gridfile
from node.logs import start_logging
from node.loop_thread import LoopThread
from node.progress import progress_bar
from node.stepped import follow_clock
from node.worker import InlineWorker

SNAPSHOT_PERIOD_S = 0.5


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The central's own commands: `run` and `settle`."""
    run = commands.add_parser("run", help="run the central for real houses")
    run.add_argument(
        "--grid", type=Path, help="TOML file with zone, tariff, houses and contracts to start from"
    )
    run.add_argument("--database", type=Path, help="database file (default: the user's own)")
    run.add_argument("--listen", type=address, default=("0.0.0.0", 47474), metavar="HOST:PORT",
                     help="where houses connect (default 0.0.0.0:47474)")  # fmt: skip
    run.add_argument("--headless", action="store_true", help="run without a window")
    run.add_argument("--stepped-clock", type=address, metavar="HOST:PORT", help="follow a conductor's clock")
    run.add_argument(
        "--step", type=positive, default=1, help="with --stepped-clock: minutes a tick (default 1)"
    )
    run.set_defaults(command=_run)

    settle = commands.add_parser("settle", help="compute a month's statements again from the database alone")
    settle.add_argument("--month", required=True, help="YYYY-MM")
    settle.add_argument("--database", type=Path, required=True)
    settle.add_argument(
        "--out", type=Path, required=True, help="folder for statements.json and statements.csv"
    )
    settle.set_defaults(command=_settle)


def main(arguments: Sequence[str], add_more: Callable[[Any], None] | None = None) -> int:
    """Run one command; the exit code, with a sentence on stderr if it could not be done.

    `add_more` adds the commands of others (the demonstration) beside the central's own.
    """
    parser = argparse.ArgumentParser(
        prog="main_central.py", description="The central power monitor of a micro-grid."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    add_commands(commands)
    if add_more is not None:
        add_more(commands)
    options = parser.parse_args(arguments)
    try:
        code: int = options.command(options)
    except KeyboardInterrupt:
        return 130
    except (DatabaseError, GridFileError, OSError, ValueError, LookupError) as fault:
        print(f"main_central.py: {in_words(fault)}", file=sys.stderr)
        return 1
    return code


# --- settle -----------------------------------------------------------------------------------------


def _settle(options: argparse.Namespace) -> int:
    with progress_bar(f"Settling {options.month}") as progress:
        statements = settle_database(options.database, options.month, progress)
    write_statements(statements, options.out)
    print(f"Statements of {options.month} are in {options.out}.")
    return 0


def settle_database(
    database: Path, month: str, progress: Callable[[int, int], None] | None = None
) -> Statements:
    """The month's statements from the database alone, through the last minute any house delivered.

    DatabaseError, ValueError for a wrong month, LookupError if the database holds nothing of it.
    """
    with open_records(database) as records:
        terms = records.agreements.load()
        last = records.minutes.last_minutes()
        if not last:
            raise LookupError(f"The database {database} holds no minutes yet; there is nothing to settle.")
        through = max(row.minute for row in last.values()) + 1
        minutes = month_minutes(month, zone_of(terms.zone))
        if not records.minutes.any_in(minutes.start, minutes.stop):
            raise LookupError(f"The database {database} holds no minutes of {month}; choose another month.")
        return records.settle(terms, month, through, progress).statements()


# --- run --------------------------------------------------------------------------------------------


def _run(options: argparse.Namespace) -> int:
    database = options.database or Path(platformdirs.user_data_dir("microgrid-central")) / "power.sqlite"
    database.parent.mkdir(parents=True, exist_ok=True)
    start_logging(database.parent, "central")
    writer = DatabaseWriter(database, InlineWorker() if options.stepped_clock else None)
    try:
        terms = _terms(writer, options.grid)
        listen = Listen(host=options.listen[0], port=options.listen[1])
        if options.stepped_clock is not None:
            asyncio.run(_run_stepped(terms, writer, listen, options.stepped_clock, options.step))
        elif options.headless:
            asyncio.run(_run_headless(terms, writer, listen))
        else:
            return _run_window(terms, writer, listen)
    finally:
        writer.close()
    return 0


def _terms(writer: DatabaseWriter, grid: Path | None) -> Terms:
    """The stored terms, or those of the grid file for a database that has none yet."""
    try:
        stored = writer.load_terms()
    except LookupError:
        if grid is None:
            raise LookupError("The database is new; name the micro-grid's description with --grid.") from None
    else:
        return stored
    # A house that comes with old minutes in its journal finds terms for them, too.
    now = datetime.now(UTC)
    start = minute_of(now) - 366 * MINUTES_PER_DAY
    terms = read_gridfile(grid).terms(range(start, FOREVER))
    writer.save_terms(terms, int(now.timestamp()))
    return terms


async def _run_stepped(
    terms: Terms, writer: DatabaseWriter, listen: Listen, clock_address: tuple[str, int], step: int
) -> None:
    program = CentralProgram(terms, writer, listen, SteppedClock(), period_minutes=step)
    await program.start()
    try:

        async def on_tick(message: dict[str, Any]) -> dict[str, Any]:
            await _play_operator(program, message.get("order"))
            await program.tick(message["tick"])
            return {"linked": program.linked_houses()}

        hello = {"role": "central", "port": program.port}
        await follow_clock(clock_address, hello, on_tick)
    finally:
        await program.stop()


async def _play_operator(program: CentralProgram, order: dict[str, Any] | None) -> None:
    """What a conductor has the operator order; OrderRefused if it cannot be."""
    if order is None:
        return
    orders: dict[str, Callable[..., Coroutine[Any, Any, None]]] = {
        "correct": program.administration.correct,
        "waive": program.administration.waive,
        "tariff": program.administration.enter_tariff,
        "strategy": program.directing.set_strategy,
        "hold": program.directing.hold,
        "release": program.directing.release,
        "out of service": program.directing.take_out_of_service,
        "in service": program.directing.return_to_service,
    }
    kind, details = order.pop("kind"), order
    if kind not in orders:
        raise ValueError(f"the conductor asks for an order {kind!r} that there is not")
    types = {"tariff": Tariff, "strategy": StrategyName}
    details = {
        name: msgspec.convert(value, types[name]) if name in types else value
        for name, value in details.items()
    }
    await orders[kind](**details, now_s=program.now_s())


async def _run_headless(terms: Terms, writer: DatabaseWriter, listen: Listen) -> None:
    program = CentralProgram(terms, writer, listen)
    await program.start()
    ended = told_to_end()
    print(f"Listening for houses on {listen.host}:{program.port}.", flush=True)
    try:
        await ended.wait()
    finally:
        await program.stop()


def _run_window(terms: Terms, writer: DatabaseWriter, listen: Listen) -> int:
    from central_monitor.ui.app import run_window  # headless needs no Qt

    return run_window(lambda publish: beside_a_window(terms, writer, listen, publish))


@contextmanager
def beside_a_window(
    terms: Terms,
    writer: DatabaseWriter,
    listen: Listen,
    publish: Callable[[CentralSnapshot], None],
    clock: Clock | None = None,
) -> Iterator[RunningOperator]:
    """The central at work in threads of its own, and the side by which a window asks and orders.

    `publish` is called with every snapshot; once the context is left it is not, and no thread is left but
    the writer's.
    """
    with contextlib.ExitStack() as ends:
        thread = LoopThread("network")
        ends.callback(thread.stop)
        program = CentralProgram(terms, writer, listen, clock)
        thread.submit(program.start()).result()
        ends.callback(lambda: thread.submit(program.stop()).result())
        ends.callback(thread.submit(_publish(program, publish)).cancel)
        questions = Archive(writer.path)
        ends.callback(questions.close)
        # What was made up to now lives as long as the program: looking through it again and again for
        # garbage would stop the window for up to a tenth of a second.
        gc.collect()
        gc.freeze()
        ends.callback(gc.unfreeze)
        yield RunningOperator(thread, program, questions)


async def _publish(program: CentralProgram, publish: Callable[[CentralSnapshot], None]) -> None:
    while True:
        with contextlib.suppress(LookupError):  # no tariff in force now: nothing can be shown
            publish(program.snapshot())
        await asyncio.sleep(SNAPSHOT_PERIOD_S)
