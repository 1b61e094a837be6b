"""Being told to end, for a program without a window."""

import asyncio
import signal


def told_to_end() -> asyncio.Event:
    """An event that SIGINT or SIGTERM sets from now on; for the main thread's running event loop."""
    told = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    return told
