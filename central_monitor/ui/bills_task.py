"""Long work of a screen, done a little at a time so that the window never stops."""

from collections.abc import Callable, Generator
from concurrent.futures import Future
from typing import Any, NamedTuple

from PySide6.QtCore import QObject, QTimer, Signal

from node.qt.asking import ask


class Progress(NamedTuple):
    """How far the work is. With a question the work goes on when its answer is there, and is sent it."""

    done: int
    total: int
    question: "Future[Any] | None" = None


# Yields after every piece of work, each well within a frame of the screen; returns what was done, in words.
Work = Generator[Progress, Any, str]


class Task(QObject):
    """One piece of long work at a time; it can be cancelled between its steps.

    Signals:
        progressed: done, total.
        ended: what was done, in words; empty if it was cancelled.
    """

    progressed = Signal(int, int)
    ended = Signal(str)

    def __init__(self, on_fault: Callable[[Exception], object], parent: QObject) -> None:
        super().__init__(parent)
        self._on_fault = on_fault
        self._work: Work | None = None

    @property
    def running(self) -> bool:
        """Whether work is under way."""
        return self._work is not None

    def start(self, work: Work) -> None:
        """Begin this work; what runs already is cancelled."""
        self.cancel()
        self._work = work
        QTimer.singleShot(0, self, lambda: self._step(work, None))

    def cancel(self) -> None:
        """Stop after the step that is being done; what is finished stays."""
        if self._work is not None:
            self._end("")

    def _step(self, work: Work, answer: object) -> None:
        if work is not self._work:
            return  # cancelled meanwhile
        try:
            progress = work.send(answer)
        except StopIteration as end:
            self._end(str(end.value))
            return
        except OSError as error:
            self._fail(work, error)
            return
        self.progressed.emit(progress.done, progress.total)
        if progress.question is None:
            QTimer.singleShot(0, self, lambda: self._step(work, None))
        else:
            ask(
                self,
                progress.question,
                lambda result: self._step(work, result),
                lambda error: self._fail(work, error),
            )

    def _fail(self, work: Work, error: Exception) -> None:
        if work is self._work:
            self._end("")
            self._on_fault(error)

    def _end(self, said: str) -> None:
        work, self._work = self._work, None
        if work is not None:
            work.close()
        self.ended.emit(said)
