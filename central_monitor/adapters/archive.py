"""The records in a thread of their own: long questions hold up neither polls nor minutes."""

from collections.abc import Callable
from pathlib import Path

from central_monitor.services.records import Answer, Records, open_records
from node.worker import Worker


class Archive:
    """Reads the records in a thread of its own, so that long questions hold up nothing else."""

    def __init__(self, path: Path, worker: Worker | None = None) -> None:
        """`worker` asks the questions; by default a thread. It is closed with the archive.

        DatabaseError if the database cannot be read.
        """
        self._worker = worker or Worker("archive")
        self._records = open_records(path)
        try:
            self._opened = self._worker.run(self._records.__enter__)
        except BaseException:
            self._worker.close()
            raise

    async def read(self, question: Callable[[Records], Answer]) -> Answer:
        """What the records answer; questions are asked one after another."""
        return await self._worker.submit(lambda: question(self._opened))

    def read_now(self, question: Callable[[Records], Answer]) -> Answer:
        """The same for start-up, before the event loop runs."""
        return self._worker.run(lambda: question(self._opened))

    def close(self) -> None:
        """Answer what was asked and close the file."""
        self._worker.run(lambda: self._records.__exit__(None, None, None))
        self._worker.close()
