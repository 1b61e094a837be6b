"""Answers that are there at once."""

from concurrent.futures import Future


def done(result=None) -> Future:
    """A future that has this result, or raises it if it is an exception."""
    future: Future = Future()
    if isinstance(result, Exception):
        future.set_exception(result)
    else:
        future.set_result(result)
    return future
