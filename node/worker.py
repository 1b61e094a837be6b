"""One thread for one thing that must not be used by two, such as a database connection."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")


class Worker:
    """Runs jobs one after another, in the order they were submitted, off the event loop."""

    def __init__(self, name: str) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)

    async def submit(self, job: Callable[[], Result]) -> Result:
        """Run a job and wait for what it returns or raises."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, job)

    def run(self, job: Callable[[], Result]) -> Result:
        """Run a job from a thread that has no event loop, and wait for it."""
        return self._executor.submit(job).result()

    def close(self) -> None:
        """Let the jobs submitted so far finish and end the thread."""
        self._executor.shutdown(wait=True)


class InlineWorker(Worker):
    """Runs jobs at once, where they are submitted: for virtual time, which stands still meanwhile.

    A step of virtual time waits for its jobs anyway; handing them to a thread and back costs more than
    many of them take.
    """

    def __init__(self) -> None:
        """There is no thread to name."""

    async def submit(self, job: Callable[[], Result]) -> Result:
        """Run a job and return what it returns or raises."""
        return job()

    def run(self, job: Callable[[], Result]) -> Result:
        """Run a job and return what it returns or raises."""
        return job()

    def close(self) -> None:
        """There is nothing to end."""
