"""A progress bar on a terminal; elsewhere nothing, so that a log stays readable."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

WIDTH = 40


@contextmanager
def progress_bar(title: str) -> Iterator[Callable[[int, int], None]]:
    """Gives a function to be told how much of how much is done; the line is ended on leaving."""
    shown = -1
    terminal = sys.stderr.isatty()

    def progress(done: int, whole: int) -> None:
        nonlocal shown
        filled = done * WIDTH // max(1, whole)
        if not terminal or filled == shown:
            return
        shown = filled
        bar = "#" * filled + "." * (WIDTH - filled)
        sys.stderr.write(f"\r{title} [{bar}] {done * 100 // max(1, whole):3d} %")
        sys.stderr.flush()

    try:
        yield progress
    finally:
        if terminal:
            sys.stderr.write("\n")
