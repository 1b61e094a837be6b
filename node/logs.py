"""The program's log, and where a fault nobody expected is written down."""

import logging
import logging.handlers
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from traceback import format_exception
from types import TracebackType

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def start_logging(folder: Path, program: str) -> None:
    """Log to `folder`/`program`.log, kept to a few MB, and write unexpected faults to crash files."""
    folder.mkdir(parents=True, exist_ok=True)
    file = logging.handlers.RotatingFileHandler(
        folder / f"{program}.log", maxBytes=2_000_000, backupCount=3, encoding="utf-8"
    )
    file.setFormatter(logging.Formatter(FORMAT))
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    root.addHandler(file)

    def record(kind: type[BaseException], fault: BaseException, trace: TracebackType | None) -> None:
        path = write_crash_file(folder, program, kind, fault, trace)
        print(f"{program}: an unexpected fault; it is described in {path}.", file=sys.stderr)

    sys.excepthook = record
    threading.excepthook = lambda hook: record(
        hook.exc_type, hook.exc_value or hook.exc_type(), hook.exc_traceback
    )


def write_crash_file(
    folder: Path, program: str, kind: type[BaseException], fault: BaseException, trace: TracebackType | None
) -> Path:
    """Write down a fault with its traceback and return the file."""
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    path = folder / f"{program}-crash-{moment}.txt"
    path.write_text("".join(format_exception(kind, fault, trace)), encoding="utf-8")
    return path
