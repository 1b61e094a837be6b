"""Answers of futures, brought to the thread of the screens."""

from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from itertools import count
from typing import Any, ClassVar, NamedTuple, TypeVar

from PySide6.QtCore import QMetaObject, QObject, Qt, Signal, Slot
from shiboken6 import isValid

Result = TypeVar("Result")


class _Question(NamedTuple):
    owner: QObject
    gone: QMetaObject.Connection
    on_result: Callable[[Any], object]
    on_fault: Callable[[Exception], object]


class _Desk(QObject):
    """Where answers arrive. Other threads hold only a question's number, so no widget dies in one of them."""

    arrived: ClassVar[Signal] = Signal(int, object)

    def __init__(self) -> None:
        super().__init__()
        self._numbers = count()
        self._questions: dict[int, _Question] = {}
        self.arrived.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    def open(
        self, owner: QObject, on_result: Callable[[Any], object], on_fault: Callable[[Exception], object]
    ) -> int:
        """Keep the question until it is answered or its owner is gone; returns its number."""
        number = next(self._numbers)
        gone = owner.destroyed.connect(lambda: self._questions.pop(number, None))
        self._questions[number] = _Question(owner, gone, on_result, on_fault)
        return number

    @Slot(int, object)
    def _deliver(self, number: int, future: "Future[Any]") -> None:
        question = self._questions.pop(number, None)
        if question is None or not isValid(question.owner):
            return
        QObject.disconnect(question.gone)
        try:
            result = future.result()
        except CancelledError:
            return  # the program is ending; there is nobody to tell
        except Exception as error:
            question.on_fault(error)
        else:
            question.on_result(result)


_desk: list[_Desk] = []  # one, made by the first question so that it lives in the thread of the screens


def ask(
    owner: QObject,
    future: "Future[Result]",
    on_result: Callable[[Result], object],
    on_fault: Callable[[Exception], object],
) -> None:
    """Call one of the two with the future's result or exception, in the thread of the screens, later.

    Never before this call has returned, even if the answer is there already; not at all if the owner is
    gone by then or the future was cancelled. For the thread of the screens only.
    """
    if not _desk:
        _desk.append(_Desk())
    arrived, number = _desk[0].arrived, _desk[0].open(owner, on_result, on_fault)
    future.add_done_callback(lambda done: arrived.emit(number, done))
